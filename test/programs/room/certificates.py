"""An authority made with openssl, so that HTTPS is checked as it is everywhere."""

from harness.tcp import tool

DAYS = "3650"


def openssl(*words, directory):
    result = tool("openssl", *words, cwd=directory)
    assert result.returncode == 0, result.stdout


class Authority:
    """`certificate`, a file in PEM: what a client must trust."""

    def __init__(self, directory):
        self.directory = directory
        self.certificate = directory / "authority.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", DAYS,
                "-subj", "/CN=Vitrine's tests", "-keyout", "authority.key", "-out", "authority.pem",
                directory=directory)

    def sign(self, name, *addresses, days=DAYS):
        """(certificate, key) for the host name and IPv4 addresses."""
        directory = self.directory
        others = ",".join([f"DNS:{name}", *(f"IP:{address}" for address in addresses)])
        (directory / f"{name}.ext").write_text(f"subjectAltName={others}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr", directory=directory)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "authority.pem", "-CAkey", "authority.key",
                "-CAcreateserial", "-days", days, "-extfile", f"{name}.ext", "-out", f"{name}.pem",
                directory=directory)
        return directory / f"{name}.pem", directory / f"{name}.key"
