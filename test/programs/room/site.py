"""A web server in the guest, as this machine's curl and wrk see it."""

import re

from harness.tcp import tool
from room.guest import GUEST

HTTP_PORT = 80
HTTPS_PORT = 443


def write_certificate(authority, name, directory):
    """NAME.pem and NAME.key in a folder that the guest gets, for a server of the guest's."""
    certificate, key = authority.sign(f"{name}.test", GUEST, "127.0.0.1")
    (directory / f"{name}.pem").write_bytes(certificate.read_bytes())
    (directory / f"{name}.key").write_bytes(key.read_bytes())


def write_files(directory, greeting, payload):
    """What every such server has: files/index.html and files/payload."""
    (directory / "files").mkdir()
    (directory / "files/index.html").write_text(greeting)
    (directory / "files/payload").write_bytes(payload)


class Site:
    """At HTTP_PORT and HTTPS_PORT of `guest`, with a certificate of `authority`."""

    def __init__(self, guest, authority):
        self._guest, self._authority = guest, authority

    def url(self, path="", scheme="http"):
        address, port = self._guest.reach(HTTPS_PORT if scheme == "https" else HTTP_PORT)
        return f"{scheme}://{address}:{port}/{path}"

    def curl(self, *words):
        """What curl prints, which must succeed."""
        result = tool("curl", "-sSf", "--max-time", "60", "--cacert", self._authority.certificate, *words)
        assert result.returncode == 0, result.stdout
        return result.stdout

    def sha256(self, path, scheme="http"):
        command = f"curl -sSf --cacert {self._authority.certificate} {self.url(path, scheme)} | sha256sum"
        return tool("sh", "-c", command).stdout.split()[0]

    def wrk(self, seconds, scheme="http", path="index.html"):
        """Requests for a second, of sixteen connections. Each of them was answered, and well."""
        url = self.url(path, scheme)
        result = tool("wrk", "-t", "2", "-c", "16", "-d", f"{seconds}s", "--timeout", "20s", url)
        assert result.returncode == 0, result.stdout
        assert "Socket errors" not in result.stdout and "Non-2xx" not in result.stdout, result.stdout
        return float(re.search(r"Requests/sec: +([\d.]+)", result.stdout)[1])
