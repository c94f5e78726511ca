"""Debian's nginx in the guest: two workers, TLS, keep-alive and sendfile, for this machine's curl and wrk."""

import hashlib
import re
import secrets

import pytest

from harness.tcp import tool
from room.guest import GUEST

PACKAGES = ["nginx"]
MEMORY = "256M"

HTTP_PORT = 80
HTTPS_PORT = 443
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
    certificate, key = authority.sign("nginx.test", GUEST, "127.0.0.1")
    (directory / "nginx.pem").write_bytes(certificate.read_bytes())
    (directory / "nginx.key").write_bytes(key.read_bytes())
    (directory / "nginx.conf").write_text(CONFIGURATION)
    (directory / "files").mkdir()
    (directory / "files/index.html").write_text("hello from the guest\n")
    (directory / "files/payload").write_bytes(payload)
    return directory


@pytest.fixture
def nginx(guest):
    """A running server; what an earlier test left of it is used again."""
    if guest.run("test -e /run/nginx.pid && kill -0 $(cat /run/nginx.pid)").status != 0:
        guest.check("nginx -c /share/nginx.conf")
        guest.wait_for_port(HTTPS_PORT)
    return guest


def url(guest, path, scheme="http"):
    address, port = guest.reach(HTTPS_PORT if scheme == "https" else HTTP_PORT)
    return f"{scheme}://{address}:{port}/{path}"


def curl(authority, *words):
    result = tool("curl", "-sSf", "--max-time", "60", "--cacert", str(authority.certificate), *words)
    assert result.returncode == 0, result.stdout
    return result.stdout


def master(guest):
    return int(guest.check("cat /run/nginx.pid"))


def workers(guest):
    """Process ids of the master's children."""
    output = guest.check(f"grep -l '^PPid:.*[^0-9]{master(guest)}$' /proc/[0-9]*/status")
    return sorted(int(pid) for pid in re.findall(r"/proc/(\d+)/", output))


def wrk(guest, seconds, scheme="http", path="index.html"):
    """Requests for a second. Each of them was answered, and well."""
    result = tool("wrk", "-t", "2", "-c", "16", "-d", f"{seconds}s", "--timeout", "20s", url(guest, path, scheme))
    assert result.returncode == 0, result.stdout
    assert "Socket errors" not in result.stdout and "Non-2xx" not in result.stdout, result.stdout
    return float(re.search(r"Requests/sec: +([\d.]+)", result.stdout)[1])


@pytest.mark.fast
def test_serves_http_and_https(nginx, authority, payload):
    guest = nginx
    assert len(workers(guest)) == WORKERS
    assert curl(authority, url(guest, "")) == "hello from the guest\n"
    assert curl(authority, url(guest, "", "https")) == "hello from the guest\n"
    for scheme in ("http", "https"):
        digest = tool("sh", "-c", f"curl -sSf --cacert {authority.certificate} {url(guest, 'payload', scheme)} | sha256sum")
        assert digest.stdout.split()[0] == hashlib.sha256(payload).hexdigest()


def test_workers_have_dropped_their_rights(nginx):
    for pid in workers(nginx):
        assert re.search(r"^Uid:\t33\t33\t33\t33$", nginx.check(f"cat /proc/{pid}/status"), re.MULTILINE)
        assert "nginx: worker process" in nginx.check(f"cat /proc/{pid}/cmdline")


def test_one_connection_for_many_requests(nginx, authority):
    address = url(nginx, "", "https")
    words = [word for _ in range(20) for word in ("-o", "/dev/null", address)]
    counts = curl(authority, "-w", "%{num_connects}\\n", *words).split()
    assert counts == ["1"] + ["0"] * 19


def test_http2(nginx, authority):
    assert curl(authority, "--http2", "-o", "/dev/null", "-w", "%{http_version}", url(nginx, "", "https")) == "2"


def test_upload(nginx, authority, payload, tmp_path):
    (tmp_path / "file").write_bytes(payload)
    curl(authority, "-T", str(tmp_path / "file"), url(nginx, "upload/file", "https"))
    assert nginx.check("sha256sum /tmp/upload/file").split()[0] == hashlib.sha256(payload).hexdigest()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_wrk(nginx, scheme, record_property):
    rate = wrk(nginx, 4, scheme)
    record_property("report", f"nginx over {nginx.network}, {scheme}: {rate:.0f} requests/s of wrk's 16 connections")


def test_wrk_with_large_files(nginx, authority, tmp_path):
    """Eight megabytes each by sendfile, to sixteen at once."""
    wrk(nginx, 4, path="payload")


def test_reload_and_a_worker_that_is_killed(nginx, authority):
    """New workers by SIGHUP; another for one that dies; the service goes on."""
    before = workers(nginx)
    nginx.check(f"kill -HUP {master(nginx)}")
    nginx.wait_until(" && ".join(f"! test -e /proc/{pid}" for pid in before))
    nginx.wait_until(f"test $(grep -l '^PPid:.*[^0-9]{master(nginx)}$' /proc/[0-9]*/status | wc -l) = {WORKERS}")
    victim = workers(nginx)[0]
    nginx.check(f"kill -9 {victim}")
    nginx.wait_until(f"! test -e /proc/{victim}")
    nginx.wait_until(f"test $(grep -l '^PPid:.*[^0-9]{master(nginx)}$' /proc/[0-9]*/status | wc -l) = {WORKERS}")
    assert curl(authority, url(nginx, "")) == "hello from the guest\n"


def test_ends_and_leaves_nothing(nginx, authority):
    curl(authority, "-o", "/dev/null", url(nginx, "payload"))
    nginx.check(f"kill -QUIT {master(nginx)}")
    nginx.wait_until("! grep -q nginx /proc/[0-9]*/comm 2> /dev/null")
    assert f":{HTTP_PORT} " not in nginx.check("netstat -ltn")
    complaints = nginx.check(r"grep -E '\[(alert|emerg|crit)\]' /var/log/nginx/error.log | grep -v 'exited on signal 9' | cat")
    assert complaints == ""
