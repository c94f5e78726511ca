"""Debian's haproxy in the guest, between this machine's curl and wrk and two servers of this machine."""

import collections
import http.server
import re
import threading

import pytest

from harness.tcp import tool
from room.guest import GUEST

PACKAGES = ["haproxy"]
MEMORY = "256M"

HTTP_PORT = 80
HTTPS_PORT = 443
STATISTICS_PORT = 8404
SERVER_PORTS = {"one": 8181, "two": 8182}

CONFIGURATION = """\
global
    maxconn 512
    pidfile /run/haproxy.pid
    user haproxy
    group haproxy
    stats socket /run/haproxy/admin.sock mode 600 level admin
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    option redispatch
    retries 3
frontend web
    bind :{http}
    bind :{https} ssl crt /share/haproxy.pem alpn h2,http/1.1
    http-request deny if {{ path_reg ^/forbidden/[0-9]+$ }}
    default_backend servers
frontend statistics
    bind :{statistics}
    stats enable
    stats uri /
backend servers
    balance roundrobin
    option httpchk GET /health
    default-server check inter 200ms fall 2 rise 1
    server one {host}:{one}
    server two {host}:{two}
"""


class Server(http.server.ThreadingHTTPServer):
    """Says its name, and counts who asked; `alive` False: 503 for health checks."""

    def __init__(self, name, port):
        super().__init__(("0.0.0.0", port), Answer)
        self.name, self.alive, self.requests = name, True, 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """A health check closes as soon as it knows."""


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        health = self.path == "/health"
        self.server.requests += not health
        text = f"{self.server.name}\n".encode()
        self.send_response(503 if health and not self.server.alive else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def servers(net_namespace):
    both = [Server(name, port) for name, port in SERVER_PORTS.items()]
    yield both
    for server in both:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def share(authority, tmp_path_factory):
    directory = tmp_path_factory.mktemp("share")
    certificate, key = authority.sign("haproxy.test", GUEST, "127.0.0.1")
    (directory / "haproxy.pem").write_bytes(certificate.read_bytes() + key.read_bytes())
    return directory


@pytest.fixture
def haproxy(guest, servers):
    if guest.run("test -e /run/haproxy.pid && kill -0 $(head -1 /run/haproxy.pid)").status != 0:
        guest.write_file("/tmp/haproxy.cfg", CONFIGURATION.format(
            http=HTTP_PORT, https=HTTPS_PORT, statistics=STATISTICS_PORT, host=guest.host, **SERVER_PORTS))
        guest.check("haproxy -D -f /tmp/haproxy.cfg")
        guest.wait_for_port(HTTPS_PORT)
    return guest


def url(guest, scheme="http", port=None):
    address, port = guest.reach(port or (HTTPS_PORT if scheme == "https" else HTTP_PORT))
    return f"{scheme}://{address}:{port}/"


def curl(authority, *words):
    result = tool("curl", "-sSf", "--max-time", "30", "--cacert", str(authority.certificate), *words)
    assert result.returncode == 0, result.stdout
    return result.stdout


def statuses(guest, authority):
    """UP or DOWN of each server, from haproxy's own table."""
    table = curl(authority, url(guest, port=STATISTICS_PORT) + ";csv")
    rows = [line.split(",") for line in table.splitlines()]
    return {row[1]: row[17] for row in rows if row[0] == "servers" and row[1] in SERVER_PORTS}


def wait_for_status(guest, authority, name, status):
    guest.wait_until(f"wget -q -O - 'http://127.0.0.1:{STATISTICS_PORT}/;csv' | grep -q '^servers,{name},.*,{status},'")
    assert statuses(guest, authority)[name].startswith(status)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_both_servers_get_their_share(haproxy, authority, scheme):
    address = url(haproxy, scheme)
    answers = collections.Counter(curl(authority, *[address] * 20).split())
    assert answers == {"one": 10, "two": 10}


def test_a_regular_expression(haproxy, authority):
    assert tool("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", url(haproxy) + "forbidden/7").stdout == "403"
    assert curl(authority, "-o", "/dev/null", "-w", "%{http_code}", url(haproxy) + "forbidden/x") == "200"


def test_http2_in_front(haproxy, authority):
    assert curl(authority, "--http2", "-o", "/dev/null", "-w", "%{http_version}", url(haproxy, "https")) == "2"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_wrk(haproxy, scheme):
    result = tool("wrk", "-t", "2", "-c", "8", "-d", "3s", "--timeout", "20s", url(haproxy, scheme))
    assert re.search(r"Requests/sec: +[1-9]", result.stdout), result.stdout
    assert "Socket errors" not in result.stdout and "Non-2xx" not in result.stdout, result.stdout


def test_a_server_that_fails_its_check_gets_nothing(haproxy, authority, servers):
    servers[0].alive = False
    try:
        wait_for_status(haproxy, authority, "one", "DOWN")
        assert set(curl(authority, *[url(haproxy)] * 10).split()) == {"two"}
    finally:
        servers[0].alive = True
    wait_for_status(haproxy, authority, "one", "UP")
    assert set(curl(authority, *[url(haproxy)] * 10).split()) == {"one", "two"}


def test_ends_and_leaves_nothing(haproxy):
    haproxy.check("kill -USR1 $(cat /run/haproxy.pid)")
    haproxy.wait_until("! grep -q haproxy /proc/[0-9]*/comm 2> /dev/null", 40)
    assert f":{HTTP_PORT} " not in haproxy.check("netstat -ltn")
