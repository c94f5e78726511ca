"""Debian's curl against nginx, and servers that fail on purpose."""

import hashlib
import http.server
import threading

import pytest

from harness.tcp import free_port
from room.web import HTTP_PORT, HTTPS_PORT, NAME

PACKAGES = ["ca-certificates", "curl"]

TRUST = "--cacert /share/authority.pem"
MIB = 1 << 20

# curl's own statuses.
COULD_NOT_CONNECT = 7
TIMED_OUT = 28
BAD_CERTIFICATE = 60


@pytest.fixture(scope="module")
def share(authority, tmp_path_factory):
    directory = tmp_path_factory.mktemp("share")
    (directory / "authority.pem").write_bytes(authority.certificate.read_bytes())
    (directory / "payload").write_bytes(bytes(range(256)) * 4096 * 3)
    return directory


def test_http(guest, web):
    data = web.random_file("megabytes", 5 * MIB)
    guest.check(f"curl -sSf -o /tmp/got http://{guest.host}:{HTTP_PORT}/megabytes", 60)
    assert guest.sha256("/tmp/got") == hashlib.sha256(data).hexdigest()


@pytest.mark.fast
def test_https_with_a_certificate_that_is_checked(guest, web):
    url = f"https://{guest.host}:{HTTPS_PORT}/small"
    assert guest.check(f"curl -sSf {TRUST} {url}") == "hello from nginx\n"
    refused = guest.run(f"curl -sS {url}")
    assert refused.status == BAD_CERTIFICATE and "certificate" in refused.output


def test_https_by_name(guest, web):
    """The certificate is for this name; for another one it is refused."""
    for name, status in ((NAME, 0), ("other.test", BAD_CERTIFICATE)):
        result = guest.run(f"curl -sS {TRUST} --resolve {name}:{HTTPS_PORT}:{guest.host} https://{name}:{HTTPS_PORT}/small")
        assert result.status == status, result


def test_name_from_the_hosts_file(guest, web):
    guest.check(f"echo {guest.host} {NAME} >> /etc/hosts")
    assert guest.check(f"curl -sS {TRUST} https://{NAME}:{HTTPS_PORT}/small") == "hello from nginx\n"


def test_http2(guest, web):
    data = web.random_file("large", 2 * MIB)
    version = guest.check(f"curl -sSf {TRUST} --http2 -o /tmp/got -w '%{{http_version}}\\n' "
                          f"https://{guest.host}:{HTTPS_PORT}/large", 60)
    assert version == "2\n"
    assert guest.sha256("/tmp/got") == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("scheme, port", [("http", HTTP_PORT), ("https", HTTPS_PORT)])
def test_upload(guest, web, share, scheme, port):
    guest.check(f"curl -sSf {TRUST} -T /share/payload {scheme}://{guest.host}:{port}/upload/{scheme}/file", 60)
    assert (web.uploads / scheme / "file").read_bytes() == (share / "payload").read_bytes()


def test_upload_from_a_pipe_in_chunks(guest, web):
    guest.check(f"seq 1 100000 | curl -sSf -T - http://{guest.host}:{HTTP_PORT}/upload/numbers")
    assert (web.uploads / "numbers").read_text().splitlines()[-1] == "100000"


def test_parallel(guest, web):
    """Twelve files at once, over several connections and over one of HTTP/2."""
    data = {f"part{i}": web.random_file(f"part{i}", 200_000 + i) for i in range(12)}
    for scheme, port in (("http", HTTP_PORT), ("https", HTTPS_PORT)):
        guest.check("rm -rf /tmp/parts; mkdir /tmp/parts; cd /tmp/parts; "
                    f"curl -sSf -Z {TRUST} --remote-name-all '{scheme}://{guest.host}:{port}/part[0-11]'; cd", 60)
        sums = dict(reversed(line.split()) for line in guest.check("cd /tmp/parts; sha256sum *; cd").splitlines())
        assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in data.items()}


def test_one_connection_for_three_requests(guest, web):
    url = f"http://{guest.host}:{HTTP_PORT}/small"
    counts = guest.check(f"curl -sS -w '%{{num_connects}}\\n' -o /dev/null {url} -o /dev/null {url} -o /dev/null {url}")
    assert counts.split() == ["1", "0", "0"]


def test_continues_a_download(guest, web):
    data = web.random_file("halves", MIB)
    url = f"http://{guest.host}:{HTTP_PORT}/halves"
    guest.check(f"rm -f /tmp/got; curl -sSf -r 0-499999 -o /tmp/got {url}; curl -sSf -C - -o /tmp/got {url}", 60)
    assert guest.sha256("/tmp/got") == hashlib.sha256(data).hexdigest()


def test_redirect_compression_and_limited_rate(guest, web):
    base = f"http://{guest.host}:{HTTP_PORT}"
    assert guest.check(f"curl -sSL {base}/moved") == "hello from nginx\n"
    assert guest.check(f"curl -sS --compressed {base}/small") == "hello from nginx\n"
    assert guest.check(f"curl -sS -o /dev/null --limit-rate 2M -w '%{{size_download}}' {base}/megabytes", 60) == str(5 * MIB)


class Unwilling(http.server.BaseHTTPRequestHandler):
    """Answers 503 twice before it gives what it has."""

    refusals = 2

    def do_GET(self):
        type(self).refusals -= 1
        text = b"at last\n" if type(self).refusals < 0 else b"not yet\n"
        self.send_response(200 if type(self).refusals < 0 else 503)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def test_retry(guest):
    Unwilling.refusals = 2
    with http.server.ThreadingHTTPServer(("0.0.0.0", 0), Unwilling) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        answer = guest.run(f"curl -s --retry 5 --retry-delay 1 http://{guest.host}:{server.server_port}/", 60)
        server.shutdown()
    assert answer.output.endswith("at last\n") and Unwilling.refusals == -1, answer


def test_refused_and_silent_servers(guest, peers):
    assert guest.run(f"curl -sS http://{guest.host}:{free_port()}/").status == COULD_NOT_CONNECT
    silent = peers.start("/usr/bin/nc.openbsd", "-l", "-k", "0.0.0.0", "8666", port=8666)
    assert guest.run(f"curl -sS -m 2 http://{guest.host}:8666/").status == TIMED_OUT
    silent.stop()


def test_ctrl_c_ends_a_download(guest, web):
    web.random_file("endless", 8 * MIB)
    since = guest.mark()
    guest.send(f"curl -o /dev/null http://{guest.host}:{HTTP_PORT}/slow/endless\n")
    guest.wait_for(r"Time +Current", since=since)
    guest.send(b"\x03")
    guest.send("echo status $?\n")
    assert guest.wait_for(r"status (\d+)\s", since=since)[1] == "130"


def test_nothing_is_left_open(guest):
    """After all of the above: no connection of curl's but those in TIME-WAIT."""
    guest.wait_until("! netstat -tan | grep -E 'ESTABLISHED|FIN_WAIT|CLOSE_WAIT|LAST_ACK'", 90)
