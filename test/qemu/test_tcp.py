"""TCP over a TAP, with this machine's own Linux as the peer: echoes, transfers, the tables of /proc."""

import re
import socket
import threading
import time
import zlib

import pytest

from conftest import GUEST
from harness.tcp import MIB, PATIENCE_S, Server, connect, crc_of, pattern, receive_all, receive_exactly

ECHO = 7


@pytest.fixture(scope="module")
def echo(shared_static_guest):
    with Server(shared_static_guest.get(), f"tcpecho -p {ECHO}", ECHO) as server:
        yield server


# Echo, sizes, half-close ------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 535, 536, 1447, 1448, 1449, 1460, 4096, 65535, 65536, MIB, 5 * MIB])
def test_echo(guest, echo, size):
    data = pattern(size)
    with connect(GUEST, ECHO) as connection:
        received = []
        reader = threading.Thread(target=lambda: received.append(receive_all(connection)))
        reader.start()
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        reader.join(PATIENCE_S)
        assert received and received[0] == data


def test_many_small_writes(guest, echo):
    with connect(GUEST, ECHO) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(500):
            connection.sendall(bytes([i & 255]))
            assert connection.recv(1) == bytes([i & 255])


def test_many_connections_one_after_another(guest, echo):
    for i in range(300):
        with connect(GUEST, ECHO) as connection:
            connection.sendall(b"x")
            assert connection.recv(1) == b"x", i


# tcpecho and tput as programs -------------------------------------------------------------------


def test_slow_client_holds_nobody_up(guest, echo):
    """What it does not take is kept for it; then nothing more is read from it; the others are served."""
    data = pattern(8 * MIB)
    with connect(GUEST, ECHO) as slow:
        sender = threading.Thread(target=slow.sendall, args=(data,))
        sender.start()
        time.sleep(0.5)
        with connect(GUEST, ECHO) as other:
            other.sendall(b"and me?")
            assert receive_exactly(other, 7) == b"and me?"
        assert receive_exactly(slow, len(data)) == data
        sender.join(PATIENCE_S)


def test_tcpecho_tells_what_it_did(guest):
    since = guest.mark()
    with Server(guest, "tcpecho -p 77", 77), connect(GUEST, 77) as connection:
        connection.sendall(b"12345")
        assert receive_exactly(connection, 5) == b"12345"
        connection.close()
    guest.wait_for(r"tcpecho: 1 clients, 5 bytes, 0 broken off", since=since)


def test_tput_serves_one_client_after_another(guest):
    with Server(guest, "tput -s -c -p 5001 > /tmp/tput", 5001):
        for size in (1, 100000, 3 * MIB):
            with connect(GUEST, 5001) as connection:
                connection.sendall(pattern(size))
                connection.shutdown(socket.SHUT_WR)
                assert connection.recv(1) == b""
            line = guest.check("tail -n 1 /tmp/tput")
            assert f"received {size} bytes" in line and crc_of(line) == zlib.crc32(pattern(size))


def test_tput_sends_for_a_time(guest):
    with Server(guest, "tput -s -t 0.5 -p 5001", 5001), connect(GUEST, 5001) as connection:
        began = time.monotonic()
        assert len(receive_all(connection)) > MIB
        assert 0.4 < time.monotonic() - began < 5


def test_tput_ends_by_ctrl_c_while_a_client_is_silent(guest):
    since = guest.mark()
    guest.send("tput -s -p 5001\n")
    guest.wait_for("tput: listening on port 5001", since=since)
    with connect(GUEST, 5001) as connection:
        connection.sendall(b"so far")
        time.sleep(0.2)
        guest.send("\x03")
        guest.wait_for(r"\^Creceived 6 bytes[^#]*# ", since=since)


def test_loopback(guest):
    output = guest.check("tput -s -c -p 5002 > /tmp/server & sleep 1; tput -n 16M -c -p 5002 127.0.0.1; "
                         "sleep 1; kill $!; cat /tmp/server", 60)
    sums = re.findall(r"crc32 ([0-9a-f]{8})", output)
    assert len(sums) == 2 and sums[0] == sums[1], output


def test_no_sk_buff_is_left(guest, echo):
    """After all of the above, the send and receive queues of the guest are empty."""
    time.sleep(1)
    table = guest.check("cat /proc/net/tcp")
    for line in table.splitlines()[1:]:
        assert line.split()[4] == "00000000:00000000", table
