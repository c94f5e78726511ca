"""Debian's lighttpd in the guest: files, ranges, TLS, scripts by CGI, and many connections."""

import hashlib
import re
import secrets

import pytest

from harness.tcp import tool
from room.site import HTTP_PORT, HTTPS_PORT, Site, write_certificate, write_files

PACKAGES = ["lighttpd", "lighttpd-mod-openssl"]
MEMORY = "256M"

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
    write_certificate(authority, "lighttpd", directory)
    write_files(directory, "hello from lighttpd\n", payload)
    (directory / "lighttpd.conf").write_text(CONFIGURATION)
    (directory / "files/script.sh").write_text(SCRIPT)
    return directory


@pytest.fixture
def lighttpd(guest):
    if guest.run("test -e /run/lighttpd.pid && kill -0 $(cat /run/lighttpd.pid)").status != 0:
        # lighttpd 1.4.69 cuts answers short, on Linux too, while its monotonic clock says 0 seconds.
        guest.check("until ! grep -q ^0 /proc/uptime; do sleep 0.05; done")
        guest.check("lighttpd -f /share/lighttpd.conf")
        guest.wait_for_port(HTTPS_PORT)
    return guest


@pytest.fixture
def site(lighttpd, authority):
    return Site(lighttpd, authority)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_serves_files(site, payload, scheme):
    assert site.curl(site.url("", scheme)) == "hello from lighttpd\n"
    assert site.sha256("payload", scheme) == hashlib.sha256(payload).hexdigest()


def test_ranges(site, payload, tmp_path):
    tool("curl", "-sSf", "-r", "1000000-1999999", "-o", tmp_path / "part", site.url("payload"))
    assert (tmp_path / "part").read_bytes() == payload[1000000:2000000]


def test_scripts(site, tmp_path):
    """A process, pipes and a temporary file for each request."""
    assert re.fullmatch(r"GET a=1 \d+\.\d+\.\d+\.\d+\n", site.curl(site.url("script.sh?a=1")))
    (tmp_path / "body").write_bytes(bytes(300_000))
    output = site.curl("--data-binary", f"@{tmp_path}/body", site.url("script.sh?b=2", "https"))
    assert output.startswith("POST b=2 ") and output.split()[-1] == "300000"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_wrk(site, scheme):
    assert site.wrk(3, scheme) > 0


def test_ends_and_leaves_nothing(lighttpd):
    lighttpd.check("kill -INT $(cat /run/lighttpd.pid)")
    lighttpd.wait_until("! grep -q lighttpd /proc/[0-9]*/comm 2> /dev/null")
    assert f":{HTTP_PORT} " not in lighttpd.check("netstat -ltn")
    assert "server stopped" in lighttpd.check("cat /var/log/lighttpd/error.log")
