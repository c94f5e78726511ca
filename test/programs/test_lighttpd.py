"""Debian's lighttpd in the guest: files, ranges, TLS, scripts by CGI, and many connections."""

import hashlib
import re
import secrets

import pytest

from harness.tcp import tool
from room.guest import GUEST

PACKAGES = ["lighttpd", "lighttpd-mod-openssl"]
MEMORY = "256M"

HTTP_PORT = 80
HTTPS_PORT = 443
MIB = 1 << 20

CONFIGURATION = f"""\
server.modules = ("mod_openssl", "mod_cgi", "mod_accesslog")
server.port = {HTTP_PORT}
server.document-root = "/share/files"
server.pid-file = "/run/lighttpd.pid"
server.errorlog = "/var/log/lighttpd/error.log"
server.username = "www-data"
server.groupname = "www-data"
server.upload-dirs = ("/tmp")
index-file.names = ("index.html")
mimetype.assign = (".html" => "text/html")
cgi.assign = (".sh" => "/bin/sh")
$SERVER["socket"] == ":{HTTPS_PORT}" {{
    ssl.engine = "enable"
    ssl.pemfile = "/share/lighttpd.pem"
    ssl.privkey = "/share/lighttpd.key"
}}
"""

SCRIPT = """\
#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
echo "$REQUEST_METHOD $QUERY_STRING $REMOTE_ADDR"
test "$REQUEST_METHOD" = POST && wc -c
"""


@pytest.fixture(scope="module")
def payload():
    return secrets.token_bytes(6 * MIB)


@pytest.fixture(scope="module")
def share(authority, payload, tmp_path_factory):
    directory = tmp_path_factory.mktemp("share")
    certificate, key = authority.sign("lighttpd.test", GUEST, "127.0.0.1")
    (directory / "lighttpd.pem").write_bytes(certificate.read_bytes())
    (directory / "lighttpd.key").write_bytes(key.read_bytes())
    (directory / "lighttpd.conf").write_text(CONFIGURATION)
    (directory / "files").mkdir()
    (directory / "files/index.html").write_text("hello from lighttpd\n")
    (directory / "files/script.sh").write_text(SCRIPT)
    (directory / "files/payload").write_bytes(payload)
    return directory


@pytest.fixture
def lighttpd(guest):
    if guest.run("test -e /run/lighttpd.pid && kill -0 $(cat /run/lighttpd.pid)").status != 0:
        # lighttpd 1.4.69 cuts answers short, on Linux too, while its monotonic clock says 0 seconds.
        guest.check("until ! grep -q ^0 /proc/uptime; do sleep 0.05; done")
        guest.check("lighttpd -f /share/lighttpd.conf")
        guest.wait_for_port(HTTPS_PORT)
    return guest


def url(guest, path, scheme="http"):
    address, port = guest.reach(HTTPS_PORT if scheme == "https" else HTTP_PORT)
    return f"{scheme}://{address}:{port}/{path}"


def curl(authority, *words):
    result = tool("curl", "-sSf", "--max-time", "60", "--cacert", str(authority.certificate), *words)
    assert result.returncode == 0, result.stdout
    return result.stdout


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_serves_files(lighttpd, authority, payload, scheme):
    assert curl(authority, url(lighttpd, "", scheme)) == "hello from lighttpd\n"
    digest = tool("sh", "-c", f"curl -sSf --cacert {authority.certificate} {url(lighttpd, 'payload', scheme)} | sha256sum")
    assert digest.stdout.split()[0] == hashlib.sha256(payload).hexdigest()


def test_ranges(lighttpd, payload, tmp_path):
    tool("curl", "-sSf", "-r", "1000000-1999999", "-o", str(tmp_path / "part"), url(lighttpd, "payload"))
    assert (tmp_path / "part").read_bytes() == payload[1000000:2000000]


def test_scripts(lighttpd, authority, tmp_path):
    """A process, pipes and a temporary file for each request."""
    assert re.fullmatch(r"GET a=1 \d+\.\d+\.\d+\.\d+\n", curl(authority, url(lighttpd, "script.sh?a=1")))
    (tmp_path / "body").write_bytes(bytes(300_000))
    output = curl(authority, "--data-binary", f"@{tmp_path}/body", url(lighttpd, "script.sh?b=2", "https"))
    assert output.startswith("POST b=2 ") and output.split()[-1] == "300000"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_wrk(lighttpd, scheme):
    result = tool("wrk", "-t", "2", "-c", "16", "-d", "3s", "--timeout", "20s", url(lighttpd, "index.html", scheme))
    assert re.search(r"Requests/sec: +[1-9]", result.stdout), result.stdout
    assert "Socket errors" not in result.stdout and "Non-2xx" not in result.stdout, result.stdout


def test_ends_and_leaves_nothing(lighttpd):
    lighttpd.check("kill -INT $(cat /run/lighttpd.pid)")
    lighttpd.wait_until("! grep -q lighttpd /proc/[0-9]*/comm 2> /dev/null")
    assert f":{HTTP_PORT} " not in lighttpd.check("netstat -ltn")
    assert "server stopped" in lighttpd.check("cat /var/log/lighttpd/error.log")
