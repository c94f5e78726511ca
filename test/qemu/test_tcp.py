"""TCP over a TAP, with this machine's own Linux as the peer: transfers, servers, ends, faults."""

import hashlib
import re
import socket
import struct
import subprocess
import threading
import time
import zlib

import pytest

from conftest import GUEST, HOST
from harness import namespace

MIB = 1 << 20
PATIENCE_S = 30


def connect(port, seconds=PATIENCE_S):
    """A connection to the guest, tried until its server listens."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection = socket.create_connection((GUEST, port), timeout=seconds)
            connection.settimeout(PATIENCE_S)
            return connection
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def listen(address=HOST):
    listener = socket.create_server((address, 0))
    listener.settimeout(PATIENCE_S)
    return listener, listener.getsockname()[1]


def receive_all(connection):
    parts = []
    while part := connection.recv(MIB):
        parts.append(part)
    return b"".join(parts)


def pattern(size):
    return (bytes(range(256)) * 257)[:65791] * (size // 65791 + 1)


class Server:
    """A server in the guest, in the background for the time of a `with`."""

    def __init__(self, guest, command):
        self.guest, self.command = guest, command

    def __enter__(self):
        self.process = self.guest.background(self.command)
        return self

    def __exit__(self, *_):
        if self.guest.alive:
            self.guest.run(f"kill {self.process}; wait {self.process}")


@pytest.fixture(scope="module")
def echo(shared_static_guest):
    with Server(shared_static_guest.get(), "tcpecho -p 7") as server:
        yield server


# Echo, sizes, half-close ------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 535, 536, 1447, 1448, 1449, 1460, 4096, 65535, 65536, MIB, 5 * MIB])
def test_echo(guest, echo, size):
    data = pattern(size)[:size]
    with connect(7) as connection:
        received = []
        reader = threading.Thread(target=lambda: received.append(receive_all(connection)))
        reader.start()
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        reader.join(PATIENCE_S)
        assert received and received[0] == data


def test_many_small_writes(guest, echo):
    with connect(7) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(500):
            connection.sendall(bytes([i & 255]))
            assert connection.recv(1) == bytes([i & 255])


def test_many_connections_one_after_another(guest, echo):
    for i in range(300):
        with connect(7) as connection:
            connection.sendall(b"x")
            assert connection.recv(1) == b"x", i


def test_many_connections_at_once(guest, echo):
    connections = [connect(7) for _ in range(500)]
    for number, connection in enumerate(connections):
        connection.sendall(struct.pack(">I", number))
    for number, connection in enumerate(connections):
        assert connection.recv(4) == struct.pack(">I", number)
        connection.close()


# Transfers with checksums -----------------------------------------------------------------------


def tput_crc(output):
    return int(re.search(r"crc32 ([0-9a-f]{8})", output).group(1), 16)


def test_guest_sends(guest):
    listener, port = listen()
    started = guest.start_command(f"tput -n 64M -c -p {port} {HOST}")
    connection, _ = listener.accept()
    crc = size = 0
    while part := connection.recv(MIB):
        crc, size = zlib.crc32(part, crc), size + len(part)
    connection.close()
    result = guest.finish(started, 120)
    assert result.status == 0, result
    assert size == 64 * MIB and tput_crc(result.output) == crc


def test_guest_receives(guest):
    data = pattern(64 * MIB)[:64 * MIB]
    listener, port = listen()
    started = guest.start_command(f"tput -r -c -p {port} {HOST}")
    connection, _ = listener.accept()
    connection.sendall(data)
    connection.close()
    result = guest.finish(started, 120)
    assert result.status == 0, result
    assert tput_crc(result.output) == zlib.crc32(data)


# Ends and errors --------------------------------------------------------------------------------


def test_closed_port_refuses(guest):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((GUEST, 9999), timeout=PATIENCE_S)


def test_guest_is_refused(guest):
    result = guest.run(f"tput -n 1 -p 9 {HOST}")
    assert result.status == 1 and "refused" in result.output


def test_guest_has_no_route(guest):
    result = guest.run("route del default; tput -n 1 192.0.2.77; route add default gw " + HOST)
    assert "nreachable" in result.output, result


def test_reset_by_the_peer(guest):
    listener, port = listen()
    started = guest.start_command(f"tput -r -p {port} {HOST}")
    connection, _ = listener.accept()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    result = guest.finish(started)
    assert result.status == 1 and "reset" in result.output


def test_interrupted_transfer(guest):
    """Ctrl-C in the midst of sending to a peer that does not read."""
    listener, port = listen()
    since = guest.mark()
    guest.send(f"tput -t 60 -p {port} {HOST}\n")
    connection, _ = listener.accept()
    time.sleep(0.5)
    guest.send("\x03")
    guest.wait_for(r"\^C[^#]*# ", since=since)
    connection.close()
    guest.check("true")


def test_loopback(guest):
    output = guest.check("tput -s -c -p 5002 > /tmp/server & sleep 1; tput -n 16M -c -p 5002 127.0.0.1; "
                         "sleep 1; kill $!; cat /tmp/server", 60)
    sums = re.findall(r"crc32 ([0-9a-f]{8})", output)
    assert len(sums) == 2 and sums[0] == sums[1], output


# HTTP -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(shared_static_guest):
    guest = shared_static_guest.get()
    guest.check("mkdir -p /tmp/site/dir; echo hello > /tmp/site/file.txt; "
                "head -c 3000000 /dev/urandom > /tmp/site/big; echo '<b>index</b>' > /tmp/site/dir/index.html")
    with Server(guest, "httpd -p 8080 /tmp/site") as server:
        yield server


def http(request, port=8080):
    with connect(port) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        head, _, body = receive_all(connection).partition(b"\r\n\r\n")
        return int(head.split()[1]), head.decode(), body


def test_httpd_serves_files(guest, site):
    status, head, body = http(b"GET /file.txt HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status == 200 and body == b"hello\n" and "text/plain" in head


def test_httpd_serves_a_large_file(guest, site):
    digest = guest.check("sha256sum /tmp/site/big").split()[0]
    _, _, body = http(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
    assert len(body) == 3000000 and hashlib.sha256(body).hexdigest() == digest


def test_httpd_ranges(guest, site):
    _, _, whole = http(b"GET /big HTTP/1.1\r\n\r\n")
    status, head, part = http(b"GET /big HTTP/1.1\r\nRange: bytes=1000-1999\r\n\r\n")
    assert status == 206 and part == whole[1000:2000] and "bytes 1000-1999/3000000" in head
    status, _, part = http(b"GET /big HTTP/1.1\r\nRange: bytes=-10\r\n\r\n")
    assert status == 206 and part == whole[-10:]
    assert http(b"GET /big HTTP/1.1\r\nRange: bytes=3000000-\r\n\r\n")[0] == 416


def test_httpd_keeps_alive_and_lists(guest, site):
    with connect(8080) as connection:
        for _ in range(50):
            connection.sendall(b"GET /file.txt HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not answer.endswith(b"hello\n"):
                part = connection.recv(65536)
                assert part
                answer += part
    status, _, body = http(b"GET / HTTP/1.1\r\n\r\n")
    assert status == 200 and b"file.txt" in body and b'href="dir/"' in body
    assert http(b"GET /dir/ HTTP/1.1\r\n\r\n")[2] == b"<b>index</b>\n"
    assert http(b"GET /dir HTTP/1.1\r\n\r\n")[0] == 301


@pytest.mark.parametrize("path", ["/../etc/passwd", "/dir/../../etc/passwd", "/%2e%2e/etc/passwd", "/..", "//../x"])
def test_httpd_refuses_to_climb(guest, site, path):
    assert http(f"GET {path} HTTP/1.1\r\n\r\n".encode())[0] == 400


@pytest.mark.parametrize("request_bytes, status", [
    (b"nonsense\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcde", 405),
    (b"GET /missing HTTP/1.1\r\n\r\n", 404),
    (b"GET / HTTP/2.0\r\n\r\n", 505),
    (b"GET / HTTP/1.1\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
])
def test_httpd_errors(guest, site, request_bytes, status):
    assert http(request_bytes)[0] == status


class OneAnswer(threading.Thread):
    """A host's HTTP server that gives each client the same bytes."""

    def __init__(self, *answers):
        super().__init__(daemon=True)
        self.listener, self.port = listen()
        self.answers, self.requests = answers, []
        self.start()

    def run(self):
        for answer in self.answers:
            connection, _ = self.listener.accept()
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += connection.recv(65536)
            self.requests.append(request)
            connection.sendall(answer)
            connection.close()


def test_httpget(guest):
    body = b"a document\n" * 1000
    server = OneAnswer(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    output = guest.check(f"httpget -o /tmp/got http://{HOST}:{server.port}/a?b; sha256sum /tmp/got")
    assert hashlib.sha256(body).hexdigest() in output
    assert b"GET /a?b HTTP/1.1\r\n" in server.requests[0]


def test_httpget_chunks_and_redirects(guest):
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\n\r\n"
    server = OneAnswer(b"HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n", chunked)
    assert "hello, world" in guest.check(f"httpget {HOST}:{server.port}/first")
    assert b"GET /else " in server.requests[1]


def test_httpget_of_a_cut_document(guest):
    server = OneAnswer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
    result = guest.run(f"httpget {HOST}:{server.port}/")
    assert result.status == 2 and "cut off" in result.output


# The wire comes and goes; the machine pauses ----------------------------------------------------


def test_link_down_and_up_again(guest, tap):
    listener, port = listen()
    started = guest.start_command(f"tput -n 32M -c -p {port} {HOST}")
    connection, _ = listener.accept()
    connection.settimeout(90)
    crc = zlib.crc32(connection.recv(65536))
    namespace.ip("link", "set", tap.name, "down")
    time.sleep(3)
    namespace.ip("link", "set", tap.name, "up")
    namespace.ip("route", "replace", "default", "dev", tap.name)
    while part := connection.recv(MIB):
        crc = zlib.crc32(part, crc)
    connection.close()
    result = guest.finish(started, 120)
    assert tput_crc(result.output) == crc


def test_no_sk_buff_is_left(guest, echo):
    """After all of the above, the send and receive queues of the guest are empty."""
    time.sleep(1)
    table = guest.check("cat /proc/net/tcp")
    for line in table.splitlines()[1:]:
        assert line.split()[4] == "00000000:00000000", table


def test_curl(guest, site):
    curl = subprocess.run(["curl", "-sS", "--max-time", "30", f"http://{GUEST}:8080/file.txt"], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert curl.stdout == "hello\n"
