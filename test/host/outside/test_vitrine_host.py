"""vitrine-host: the stack as a program on a TAP, with this machine's own Linux as its peer."""

import hashlib
import os
import socket
import threading
import time

import pytest

from vitrine import ADDRESS, READY, STATIC, VitrineHost, ping, udp_socket

from conftest import net_namespace, tap  # noqa: F401 (fixtures)

# How the same tests are run: built for speed or with the sanitizers; who does the offloads.
VARIANTS = [("host", "on"), ("host", "off"), ("check", "on"), ("check", "off")]


@pytest.fixture(scope="module", params=VARIANTS, ids=["fast", "fast-plain", "checked", "checked-plain"])
def vitrine(request, tap):
    variant, offload = request.param
    tap.forget_neighbours()
    with VitrineHost(*STATIC, "--offload", offload, variant=variant) as running:
        running.wait_for(READY)
        yield running


def pattern(length):
    return bytes((7 * i + length) % 251 for i in range(length))


# Traffic ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 56, 1471, 1472, 1473, 8000, 65507])
def test_ping(vitrine, size):
    assert " 0% packet loss" in ping("-c", "5", "-i", "0.02", "-s", str(size))


def test_flood_ping(vitrine, record_property):
    text = ping("-c", "5000", "-f")
    assert " 0% packet loss" in text, text
    record_property("report", "flood ping of vitrine-host: " + text.splitlines()[-1])


def test_udp_echo_of_many_sizes(vitrine):
    with udp_socket() as sock:
        for length in [*range(0, 1500, 13), *range(1465, 1480), 4096, 20000, 65506, 65507]:
            sock.sendto(pattern(length), (ADDRESS, 7))
            assert sock.recv(70000) == pattern(length), length


def test_udp_without_checksum(vitrine):
    so_no_check = 11
    with udp_socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, so_no_check, 1)
        sock.sendto(b"unchecked", (ADDRESS, 7))
        assert sock.recv(100) == b"unchecked"


def test_udp_discard_is_silent(vitrine):
    with udp_socket(timeout=0.3) as sock:
        sock.sendto(b"away", (ADDRESS, 9))
        with pytest.raises(TimeoutError):
            sock.recv(100)


def test_closed_port_is_refused(vitrine):
    with udp_socket() as sock:
        sock.connect((ADDRESS, 4567))
        sock.send(b"anybody?")
        with pytest.raises(ConnectionRefusedError):
            sock.recv(100)


def test_echo_does_not_answer_another_echo(vitrine):
    with udp_socket(port=7, timeout=0.3) as sock:
        sock.sendto(b"round and round", (ADDRESS, 7))
        with pytest.raises(TimeoutError):
            sock.recv(100)


def test_burst(vitrine, record_property):
    """More than the receive ring holds, at once: what is lost is the sender's backlog, nothing hangs."""
    with udp_socket() as sock:
        began = time.monotonic()
        for _ in range(20000):
            sock.sendto(b"burst" * 20, (ADDRESS, 9))
        record_property("report", f"20000 datagrams of 100 bytes to discard in {time.monotonic() - began:.2f} s")
        sock.settimeout(0.5)
        for _ in range(20):  # it is still at work, and its backlog full
            sock.sendto(b"still there?", (ADDRESS, 7))
            try:
                assert sock.recv(100) == b"still there?"
                return
            except TimeoutError:
                pass
        pytest.fail("no answer after the burst")


# Connections ------------------------------------------------------------------------------------


def connect(port):
    return socket.create_connection((ADDRESS, port), timeout=10)


def receive_all(sock, length):
    data = bytearray()
    while len(data) < length:
        piece = sock.recv(length - len(data))
        assert piece, f"it ended after {len(data)} of {length} bytes"
        data += piece
    return bytes(data)


def test_tcp_echo_of_many_sizes(vitrine):
    with connect(7) as sock:
        for length in [1, 2, 535, 536, 1447, 1448, 1449, 1460, 1461, 4096, 20000, 65536]:
            sock.sendall(pattern(length))
            assert receive_all(sock, length) == pattern(length), length


def test_tcp_echo_ends_when_we_do(vitrine):
    with connect(7) as sock:
        sock.sendall(b"the end")
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock, 7) == b"the end"
        assert sock.recv(1) == b""


def test_tcp_echo_of_much(vitrine):
    data = os.urandom(1 << 20) * 32
    digest = hashlib.sha256()

    def receive(sock):
        while piece := sock.recv(1 << 20):
            digest.update(piece)

    with connect(7) as sock:
        receiver = threading.Thread(target=receive, args=(sock,))
        receiver.start()
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        receiver.join()
    assert digest.digest() == hashlib.sha256(data).digest()


def test_tcp_discard(vitrine, record_property):
    length = 64 << 20
    began = time.monotonic()
    with connect(9) as sock:
        sock.sendall(bytes(length))
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b""
    seconds = time.monotonic() - began
    record_property("report", f"{length >> 20} MiB to discard: {length * 8 / seconds / 1e9:.1f} Gbit/s")


def test_tcp_chargen(vitrine):
    printing = bytes(range(32, 127))
    with connect(19) as sock:
        lines = receive_all(sock, 8 << 20).split(b"\r\n")
    for number, line in enumerate(lines[:-1]):
        assert line == (printing * 2)[number % 95:][:72], number


def test_tcp_many_connections(vitrine):
    for number in range(300):
        with connect(7) as sock:
            sock.send(b"%d" % number)
            assert sock.recv(10) == b"%d" % number


def test_tcp_many_at_once(vitrine):
    socks = [connect(7) for _ in range(200)]
    for number, sock in enumerate(socks):
        sock.send(b"%d" % number)
    for number, sock in enumerate(socks):
        assert sock.recv(10) == b"%d" % number
        sock.close()


def test_tcp_to_a_closed_port(vitrine):
    with pytest.raises(ConnectionRefusedError):
        connect(4567)
