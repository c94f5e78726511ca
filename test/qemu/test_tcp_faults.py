"""What goes wrong: nobody there, a machine that reboots, a wire that is cut, a machine that stands still."""

import re
import socket
import struct
import threading
import time
import zlib

import pytest

from conftest import GUEST, GUEST_MAC, HOST
from harness import namespace
from harness.guest import PROMPT, Guest
from harness.monitor import Monitor
from harness.tcp import MIB, PATIENCE_S, Server, connect, crc_of, listen, pattern, receive_exactly

ECHO = 7
SILENT = "198.51.100.1"    # the gateway, which is this machine, forwards nothing and says nothing
UNREACHABLE = "10.77.0.99"  # on the wire, but nobody answers ARP for it
REJECTED = "203.0.113.1"   # the gateway answers with ICMP

LINK_DOWN_S = 30
# After 30 s without an answer the next retransmission may be 26 s away: RFC 6298 doubles the time.
AFTER_LINK_DOWN_S = 90
PAUSE_S = 3


@pytest.fixture(scope="module")
def machine(tap, tmp_path_factory):
    """A guest whose monitor is at hand: (guest, monitor)."""
    path = str(tmp_path_factory.mktemp("qmp") / "qmp")
    options = ("--net", f"tap={tap.name}", "--ip", f"{GUEST}/24,{HOST}", "--mac", GUEST_MAC, "--qmp", path)
    with Guest(*options) as guest, Monitor(path) as monitor:
        guest.wait_for(r"net: eth0 10\.77\.0\.2/24")
        yield guest, monitor


@pytest.fixture(scope="module")
def guest(machine):
    return machine[0]


@pytest.fixture(scope="module")
def monitor(machine):
    return machine[1]


def guest_connects(guest, *arguments, seconds=60):
    """What /test/tcp_connect says: (words, milliseconds)."""
    output = guest.run(f"/test/tcp_connect {' '.join(map(str, arguments))}", seconds).output
    words, milliseconds = re.search(r"(.+) after (\d+) ms", output).groups()
    return words, int(milliseconds)


# Connecting to where nobody is ------------------------------------------------------------------


def test_closed_port(guest):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((GUEST, 9999), timeout=PATIENCE_S)


def test_closed_port_from_the_guest(guest):
    words, milliseconds = guest_connects(guest, HOST, 9)
    assert words == "Connection refused" and milliseconds < 1000
    words, milliseconds = guest_connects(guest, "127.0.0.1", 9)
    assert words == "Connection refused" and milliseconds < 1000
    result = guest.run(f"tput -n 1 -p 9 {HOST}")
    assert result.status == 1 and "Connection refused" in result.output


def test_unreachable_host(guest):
    words, milliseconds = guest_connects(guest, UNREACHABLE, 80)
    assert words in ("Host is unreachable", "No route to host") and milliseconds < 10000


def test_host_that_the_gateway_cannot_reach(guest, tap):
    """ICMP errors end connect() with their errno: RFC 1122 4.2.3.9."""
    namespace.write("/proc/sys/net/ipv4/ip_forward", "1")
    namespace.ip("route", "add", "unreachable", REJECTED)
    try:
        words, milliseconds = guest_connects(guest, REJECTED, 80, 2)
    finally:
        namespace.ip("route", "delete", "unreachable", REJECTED)
        namespace.write("/proc/sys/net/ipv4/ip_forward", "0")
    assert words in ("Host is unreachable", "No route to host"), words
    assert milliseconds < 10000


def test_no_route(guest):
    try:
        guest.check("route del default")
        words, _ = guest_connects(guest, SILENT, 80)
    finally:
        guest.check(f"route add default gw {HOST}")
    assert words == "Network unreachable"


def test_silent_host(guest):
    """One SYN and one more: the second second and the two after it (RFC 6298), then ETIMEDOUT."""
    words, milliseconds = guest_connects(guest, SILENT, 80, 1)
    assert words in ("Operation timed out", "Connection timed out")
    assert 2900 < milliseconds < 5000


def test_interrupted_connect(guest):
    """Ctrl-C while connect() waits for a silent host."""
    since = guest.mark()
    guest.send(f"/test/tcp_connect {SILENT} 80\n")
    time.sleep(0.5)
    guest.send("\x03")
    guest.wait_for(r"\^C[^#]*# ", since=since)


# The peer goes ----------------------------------------------------------------------------------


def test_reset_by_the_peer(guest):
    listener, port = listen(HOST)
    started = guest.start_command(f"tput -r -p {port} {HOST}")
    connection, _ = listener.accept()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    result = guest.finish(started)
    assert result.status == 1 and "reset" in result.output


def test_interrupted_transfer(guest):
    """Ctrl-C in the midst of sending to a peer that does not read."""
    listener, port = listen(HOST)
    since = guest.mark()
    guest.send(f"tput -t 60 -p {port} {HOST}\n")
    connection, _ = listener.accept()
    time.sleep(0.5)
    guest.send("\x03")
    guest.wait_for(r"\^C[^#]*# ", since=since)
    connection.close()
    guest.check("true")


# The machine stands still -----------------------------------------------------------------------


def transfer(guest, size, when_under_way):
    """Takes what a guest's tput sends, does something in the middle of it, and compares the sums."""
    listener, port = listen(HOST)
    guest.background(f"tput -n {size} -c -p {port} {HOST} > /tmp/sums")
    connection, _ = listener.accept()
    connection.settimeout(AFTER_LINK_DOWN_S)
    with connection:
        begun = receive_exactly(connection, MIB)
        when_under_way()
        data = begun + receive_exactly(connection, size - MIB)
        assert connection.recv(1) == b""
    output = guest.check("until grep crc32 /tmp/sums; do sleep 0.05; done")
    assert crc_of(output) == zlib.crc32(data), output


def test_paused_and_continued(guest, monitor):
    """The guest's clock stands still, this machine's retransmissions do not."""
    def pause():
        monitor.pause()
        time.sleep(PAUSE_S)
        monitor.go_on()

    transfer(guest, 64 * MIB, pause)


def test_paused_while_it_receives(guest, monitor):
    data = pattern(64 * MIB)
    with Server(guest, f"tcpecho -p {ECHO}", ECHO), connect(GUEST, ECHO) as connection:
        sender = threading.Thread(target=connection.sendall, args=(data,))
        sender.start()
        begun = receive_exactly(connection, 4 * MIB)
        monitor.pause()
        time.sleep(PAUSE_S)
        monitor.go_on()
        assert begun + receive_exactly(connection, len(data) - len(begun)) == data
        sender.join()


# The wire is cut --------------------------------------------------------------------------------


def test_link_down_for_30_seconds(guest, monitor, record_property):
    """Three connections live through it: one that sends, one that receives, one that is silent."""
    data = pattern(16 * MIB)
    with Server(guest, f"tcpecho -p {ECHO}", ECHO), connect(GUEST, ECHO) as idle, connect(GUEST, ECHO) as echo:
        echo.settimeout(AFTER_LINK_DOWN_S)
        sender = threading.Thread(target=echo.sendall, args=(data,))
        cut = []

        def pull_the_plug():
            sender.start()
            receive_exactly(echo, MIB)
            monitor.set_link(False)
            guest.check("while ifconfig eth0 | grep -q RUNNING; do sleep 0.1; done")
            time.sleep(LINK_DOWN_S)
            monitor.set_link(True)
            cut.append(time.monotonic())

        transfer(guest, 32 * MIB, pull_the_plug)
        assert receive_exactly(echo, len(data) - MIB) == data[MIB:]
        record_property("report", f"all went on {time.monotonic() - cut[0]:.0f} s after the link was up again")
        sender.join()
        idle.sendall(b"still there?")
        assert receive_exactly(idle, 12) == b"still there?"


# It boots again ---------------------------------------------------------------------------------


def test_reboot_in_the_middle_of_a_transfer(guest, monitor, record_property):
    """The peer's connections end with an error, and new ones work at once."""
    listener, port = listen(HOST)
    guest.background(f"tcpecho -p {ECHO}")
    to_guest = connect(GUEST, ECHO)
    guest.background(f"tput -t 60 -p {port} {HOST}")
    from_guest, _ = listener.accept()
    from_guest.settimeout(PATIENCE_S)
    from_guest.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    from_guest.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    from_guest.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    receive_exactly(from_guest, MIB)

    since = guest.mark()
    to_guest.sendall(pattern(MIB))
    monitor.reset()
    began = time.monotonic()
    # One side has data under way, which the new kernel answers with RST; the other only asks now and then.
    with pytest.raises(ConnectionResetError):
        while True:
            to_guest.sendall(b"a byte")
            time.sleep(0.05)
    with pytest.raises(ConnectionResetError):
        while from_guest.recv(MIB):
            pass
    record_property("report", f"both ends knew of the reboot after {time.monotonic() - began:.1f} s")
    guest.wait_for(r"net: eth0 10\.77\.0\.2/24", 30, since)
    guest.wait_for(PROMPT, 30, since)
    with Server(guest, f"tcpecho -p {ECHO}", ECHO), connect(GUEST, ECHO) as connection:
        connection.sendall(b"again")
        assert receive_exactly(connection, 5) == b"again"
