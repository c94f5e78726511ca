"""Debian's wget against nginx."""

import hashlib

import pytest

from harness.tcp import free_port
from room.web import HTTP_PORT, HTTPS_PORT, NAME

PACKAGES = ["wget"]

TRUST = "--ca-certificate=/share/authority.pem"
MIB = 1 << 20

# wget's own statuses.
NETWORK_FAILURE = 4
BAD_CERTIFICATE = 5
SERVER_ERROR = 8


@pytest.fixture(scope="module")
def share(authority, tmp_path_factory):
    directory = tmp_path_factory.mktemp("share")
    (directory / "authority.pem").write_bytes(authority.certificate.read_bytes())
    return directory


def test_fetch(guest, web):
    data = web.random_file("megabytes", 4 * MIB)
    guest.check(f"wget -q -O /tmp/got http://{guest.host}:{HTTP_PORT}/megabytes", 60)
    assert guest.sha256("/tmp/got") == hashlib.sha256(data).hexdigest()
    assert "Wget/" in guest.check(f"wget -q -O - http://{guest.host}:{HTTP_PORT}/agent")


def test_https_by_name(guest, web):
    guest.check(f"echo {guest.host} {NAME} other.test >> /etc/hosts")
    assert guest.check(f"wget -q -O - {TRUST} https://{NAME}:{HTTPS_PORT}/small") == "hello from nginx\n"
    assert guest.run(f"wget -q -O - {TRUST} https://other.test:{HTTPS_PORT}/small").status == BAD_CERTIFICATE
    assert guest.run(f"wget -q -O - https://{NAME}:{HTTPS_PORT}/small").status == BAD_CERTIFICATE


def test_continues_a_download(guest, web):
    data = web.random_file("halves", MIB)
    guest.check(f"cd /tmp; rm -f halves; wget -q http://{guest.host}:{HTTP_PORT}/halves; "
                f"truncate -s 400000 halves; wget -q -c http://{guest.host}:{HTTP_PORT}/halves; cd", 60)
    assert guest.sha256("/tmp/halves") == hashlib.sha256(data).hexdigest()
    assert "\" 206 " in web.requests()


def test_follows_links(guest, web):
    tree = web.files / "tree"
    (tree / "below").mkdir(parents=True, exist_ok=True)
    (tree / "page.html").write_text('<a href="below/leaf.html">leaf</a>')
    (tree / "below/leaf.html").write_text("the leaf\n")
    guest.check(f"rm -rf /tmp/mirror; wget -q -r -np -nH -P /tmp/mirror http://{guest.host}:{HTTP_PORT}/tree/page.html", 60)
    assert guest.check("cat /tmp/mirror/tree/below/leaf.html") == "the leaf\n"


def test_posts(guest, web):
    assert guest.check(f"wget -q -O - --post-data='a=1' http://{guest.host}:{HTTP_PORT}/agent").startswith("POST ")


def test_what_is_not_there(guest, web):
    assert guest.run(f"wget -q -O /dev/null http://{guest.host}:{HTTP_PORT}/nothing").status == SERVER_ERROR
    assert guest.run(f"wget -q -t 1 -O /dev/null http://{guest.host}:{free_port()}/").status == NETWORK_FAILURE


def test_kill_in_the_middle_leaves_nothing(guest, web):
    web.random_file("endless", 8 * MIB)
    process = guest.background(f"/usr/bin/wget -q -O /tmp/part http://{guest.host}:{HTTP_PORT}/slow/endless")
    guest.wait_until("[ -s /tmp/part ]")
    guest.check(f"kill -9 {process}; ! wait {process}")
    guest.wait_until("! netstat -tan | grep -E 'ESTABLISHED|FIN_WAIT|CLOSE_WAIT'", 90)
