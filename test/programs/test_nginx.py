"""Debian's nginx in the guest: two workers, TLS, keep-alive and sendfile, for this machine's curl and wrk."""

import hashlib
import re
import secrets

import pytest

from harness.tcp import tool
from room.site import HTTP_PORT, HTTPS_PORT, Site, write_certificate, write_files

PACKAGES = ["nginx"]
MEMORY = "256M"

WORKERS = 2
MIB = 1 << 20

CONFIGURATION = f"""\
user www-data;
worker_processes {WORKERS};
pid /run/nginx.pid;
error_log /var/log/nginx/error.log info;
events {{ worker_connections 512; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000;
    client_max_body_size 64m;
    server {{
        listen {HTTP_PORT};
        listen {HTTPS_PORT} ssl http2;
        ssl_certificate /share/nginx.pem;
        ssl_certificate_key /share/nginx.key;
        root /share/files;
        location /upload/ {{ root /tmp; dav_methods PUT; create_full_put_path on; }}
        location /pid {{ return 200 "$pid\\n"; }}
    }}
}}
"""


@pytest.fixture(scope="module")
def payload():
    return secrets.token_bytes(8 * MIB)


@pytest.fixture(scope="module")
def share(authority, payload, tmp_path_factory):
    directory = tmp_path_factory.mktemp("share")
    write_certificate(authority, "nginx", directory)
    write_files(directory, "hello from the guest\n", payload)
    (directory / "nginx.conf").write_text(CONFIGURATION)
    return directory


@pytest.fixture
def nginx(guest):
    """A running server; what an earlier test left of it is used again."""
    if guest.run("test -e /run/nginx.pid && kill -0 $(cat /run/nginx.pid)").status != 0:
        guest.check("nginx -c /share/nginx.conf")
        guest.wait_for_port(HTTPS_PORT)
    return guest


@pytest.fixture
def site(nginx, authority):
    return Site(nginx, authority)


def master(guest):
    return int(guest.check("cat /run/nginx.pid"))


def workers(guest):
    """Process ids of the master's children."""
    output = guest.check(f"grep -l '^PPid:.*[^0-9]{master(guest)}$' /proc/[0-9]*/status")
    return sorted(int(pid) for pid in re.findall(r"/proc/(\d+)/", output))


@pytest.mark.fast
def test_serves_http_and_https(nginx, site, payload):
    assert len(workers(nginx)) == WORKERS
    for scheme in ("http", "https"):
        assert site.curl(site.url("", scheme)) == "hello from the guest\n"
        assert site.sha256("payload", scheme) == hashlib.sha256(payload).hexdigest()


def test_workers_are_not_root(nginx, site):
    """They serve what www-data may read."""
    nginx.check("echo secret > /share/files/secret; chmod 600 /share/files/secret")
    words = ["curl", "-s", "--max-time", "60", "-o", "/dev/null", "-w", "%{http_code}", site.url("secret")]
    assert tool(*words).stdout == "403"
    nginx.check("chown www-data /share/files/secret")
    assert tool(*words).stdout == "200"


def test_workers_have_dropped_their_rights(nginx):
    for pid in workers(nginx):
        assert re.search(r"^Uid:\t33\t33\t33\t33$", nginx.check(f"cat /proc/{pid}/status"), re.MULTILINE)
        assert "nginx: worker process" in nginx.check(f"cat /proc/{pid}/cmdline")


def test_one_connection_for_many_requests(site):
    address = site.url("", "https")
    words = [word for _ in range(20) for word in ("-o", "/dev/null", address)]
    counts = site.curl("-w", "%{num_connects}\\n", *words).split()
    assert counts == ["1"] + ["0"] * 19


def test_http2(site):
    assert site.curl("--http2", "-o", "/dev/null", "-w", "%{http_version}", site.url("", "https")) == "2"


def test_upload(nginx, site, payload, tmp_path):
    (tmp_path / "file").write_bytes(payload)
    site.curl("-T", tmp_path / "file", site.url("upload/file", "https"))
    assert nginx.sha256("/tmp/upload/file") == hashlib.sha256(payload).hexdigest()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_wrk(nginx, site, scheme, record_property):
    rate = site.wrk(4, scheme)
    record_property("report", f"nginx over {nginx.network}, {scheme}: {rate:.0f} requests/s of wrk's 16 connections")


def test_wrk_with_large_files(site):
    """Eight megabytes each by sendfile, to sixteen at once."""
    site.wrk(4, path="payload")


def test_reload_and_a_worker_that_is_killed(nginx, site):
    """New workers by SIGHUP; another for one that dies; the service goes on."""
    before = workers(nginx)
    nginx.check(f"kill -HUP {master(nginx)}")
    nginx.wait_until(" && ".join(f"! test -e /proc/{pid}" for pid in before))
    nginx.wait_until(f"test $(grep -l '^PPid:.*[^0-9]{master(nginx)}$' /proc/[0-9]*/status | wc -l) = {WORKERS}")
    victim = workers(nginx)[0]
    nginx.check(f"kill -9 {victim}")
    nginx.wait_until(f"! test -e /proc/{victim}")
    nginx.wait_until(f"test $(grep -l '^PPid:.*[^0-9]{master(nginx)}$' /proc/[0-9]*/status | wc -l) = {WORKERS}")
    assert site.curl(site.url()) == "hello from the guest\n"


def test_ends_and_leaves_nothing(nginx, site):
    site.curl("-o", "/dev/null", site.url("payload"))
    nginx.check(f"kill -QUIT {master(nginx)}")
    nginx.wait_until("! grep -q nginx /proc/[0-9]*/comm 2> /dev/null")
    assert f":{HTTP_PORT} " not in nginx.check("netstat -ltn")
    complaints = nginx.check(r"grep -E '\[(alert|emerg|crit)\]' /var/log/nginx/error.log | grep -v 'exited on signal 9' | cat")
    assert complaints == ""
