"""UDP-Lite (RFC 3828) over a TAP, with this machine's own Linux as the peer, and with frames of our own making."""

import socket
import struct

import pytest
from scapy.layers.inet import IP

from conftest import GUEST, HOST
from harness.frames import answers_echo, counted, ether, flipped, ip, udp_lite
from harness.wire import drops

PORT = 7000
SEND_COVERAGE, LEAST_COVERAGE = 10, 11  # socket options
HEADER = 8
PAYLOAD_AT = 14 + 20 + HEADER  # in a frame


@pytest.fixture
def peer(guest):
    """A socket of this machine's Linux that sends to the guest's port."""
    try:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDPLITE)
    except OSError as error:
        pytest.skip(f"this machine's Linux has no UDP-Lite: {error.strerror}")
    sock.bind((HOST, 0))
    sock.connect((GUEST, PORT))
    sock.settimeout(3)
    with sock:
        yield sock


@pytest.fixture
def echo(guest):
    """Starts the guest's echo: a function of the answers' coverage and the least that is taken."""
    pids = []

    def start(sent="-", least="-"):
        pids.append(guest.background(f"/test/udp_lite_echo {PORT} {sent} {least}"))
        guest.check(f"until grep -q ':{PORT:04X} ' /proc/net/udplite; do sleep 0.1; done")

    yield start
    for pid in pids:
        guest.check(f"kill {pid}")
        guest.run(f"wait {pid}")


def coverage_on_the_wire(raw, source):
    """Of the next datagram from there that reaches this machine."""
    while True:
        packet = raw.recv(70000)
        if socket.inet_ntoa(packet[12:16]) == source:
            return struct.unpack_from("!H", packet, 20 + 4)[0]


@pytest.mark.parametrize("size", [0, 1, 12, 1000])
@pytest.mark.parametrize("coverage", [0, 8, 9, 20, 65535])
def test_both_ways_with_every_coverage(guest, peer, echo, coverage, size):
    """Linux checks the guest's checksums, and the guest Linux's."""
    payload = bytes(range(256)) * 4
    echo(sent=coverage)
    peer.setsockopt(socket.IPPROTO_UDPLITE, SEND_COVERAGE, coverage)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDPLITE) as raw:
        raw.settimeout(3)
        peer.send(payload[:size])
        assert peer.recv(70000) == payload[:size]
        length = HEADER + size
        assert coverage_on_the_wire(raw, GUEST) == min(coverage or length, length)


def test_fragments(guest, peer, echo):
    echo(sent=100)
    peer.setsockopt(socket.IPPROTO_UDPLITE, SEND_COVERAGE, 5000)
    peer.send(b"long" * 5000)
    assert peer.recv(70000) == b"long" * 5000


def test_too_little_coverage_is_dropped(guest, peer, echo):
    echo(least=20)
    before = drops(guest)
    for coverage, answered in ((19, False), (20, True), (8, False), (0, True)):
        peer.setsockopt(socket.IPPROTO_UDPLITE, SEND_COVERAGE, coverage)
        payload = f"covered {coverage}, of more bytes".encode()
        peer.send(payload)
        if answered:  # and nothing of what came before
            assert peer.recv(70000) == payload
    assert counted(guest, "UDPLITE_LOW_COVERAGE", before, 2) == 2


def test_closed_port(guest, peer):
    """The guest answers with an ICMP error that Linux believes; UDP's port of that number does not count."""
    pid = guest.background(f"/test/udp_receive {PORT}")
    guest.check(f"until grep -q ':{PORT:04X} ' /proc/net/udp; do sleep 0.1; done")
    peer.send(b"anybody?")
    with pytest.raises(ConnectionRefusedError):
        peer.recv(100)
    guest.check(f"kill {pid}")
    guest.run(f"wait {pid}")


def test_counters(guest, peer, echo):
    def count():
        lines = [line.split() for line in guest.check("cat /proc/net/snmp").splitlines() if line.startswith("UdpLite:")]
        return {name: int(value) for name, value in zip(lines[0][1:], lines[1][1:], strict=True)}

    echo()
    before = count()
    for _ in range(3):
        peer.send(b"counted")
        peer.recv(100)
    after = count()
    assert after["InDatagrams"] - before["InDatagrams"] == 3
    assert after["OutDatagrams"] - before["OutDatagrams"] == 3
    assert after["InErrors"] == before["InErrors"]


# Frames -----------------------------------------------------------------------------------------


def frame(payload=b"payload!", **fields):
    return ether() / ip(proto=socket.IPPROTO_UDPLITE) / udp_lite(PORT, payload, **fields)


# name: (frame, the counter that rises)
REFUSED = {
    "cut": (ether() / ip(proto=socket.IPPROTO_UDPLITE) / bytes(7), "UDP_SHORT"),
    "coverage-1": (frame(coverage=1), "UDPLITE_BAD_COVERAGE"),
    "coverage-7": (frame(coverage=7), "UDPLITE_BAD_COVERAGE"),
    "coverage-beyond-the-end": (frame(coverage=17), "UDPLITE_BAD_COVERAGE"),
    "coverage-65535": (frame(coverage=65535), "UDPLITE_BAD_COVERAGE"),
    "checksum-0": (frame(checksum=0), "UDPLITE_NO_CHECKSUM"),
    "damage-that-is-covered": (flipped(frame(coverage=9), PAYLOAD_AT), "UDP_BAD_CHECKSUM"),
    "closed-port": (ether() / ip(proto=socket.IPPROTO_UDPLITE) / udp_lite(4999, b"x"), "UDP_NO_SOCKET"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_malformed(guest, wire, name):
    before = drops(guest)
    wire.send(REFUSED[name][0])
    counted(guest, REFUSED[name][1], before)
    assert answers_echo(wire)


def test_damage_that_is_not_covered_arrives(guest, wire, echo):
    echo()
    assert answers_echo(wire)
    wire.send(flipped(frame(coverage=9), PAYLOAD_AT + 1))
    answer = wire.expect(lambda got: IP in got and got[IP].proto == socket.IPPROTO_UDPLITE and got[IP].src == GUEST)
    assert answer is not None
    assert bytes(answer[IP].payload)[HEADER:] == b"p`yload!"
