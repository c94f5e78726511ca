"""Hostile inputs that are more than one malformed frame: floods, fragments, sizes, lies about the path.

docs/hostile-inputs.md has the list. After each the guest still answers a ping.
"""

import os
import socket

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether

from harness.frames import (BROADCAST_MAC, GUEST, GUEST_MAC, HOST, OTHER, PARAMETER_PROBLEM, TIME_EXCEEDED,
                            UNREACHABLE, answers_echo, arp, counted, echo, ether, fragment, icmp_error, ip, is_error,
                            is_reply, tell_address, udp)
from harness.guest import Guest
from harness.namespace import ip as configure
from harness.wire import drops

ETHERNET_HEADER = 14
IP_HEADER = 20
ICMP_HEADER = 8
ECHO_PORT = 7


@pytest.fixture
def wired_guest(guest, wire):
    """The guest, answering, and the wire with nothing left on it."""
    assert answers_echo(wire)
    yield guest, wire
    assert answers_echo(wire), "the guest answers no more"


def numbered(base, number):
    """The address `number` beyond base.0.0."""
    return f"{base}.{number >> 8}.{number & 255}"


# Ethernet: frames of every size ------------------------------------------------------------------


@pytest.fixture
def long_wire(tap, wire):
    """A wire on which the longest frames pass that a TAP has, 65,535 bytes."""
    configure("link", "set", tap.name, "mtu", str(65535 - ETHERNET_HEADER))
    yield wire
    configure("link", "set", tap.name, "mtu", "1500")


@pytest.mark.parametrize("length", [1515, 9000, 65535])
def test_frame_too_long(guest, long_wire, length):
    before = drops(guest)
    long_wire.send(bytes(ether(type=0x0800)) + bytes(length - ETHERNET_HEADER))
    counted(guest, "FRAME_TOO_LONG", before)
    assert answers_echo(long_wire)


@pytest.fixture(scope="module")
def bare_line(tmp_path_factory):
    """A guest on a datagram socket, which unlike a TAP carries frames of any length; and its peer."""
    path = os.path.relpath(tmp_path_factory.mktemp("line") / "end")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(path)
        with Guest("--net", f"unix={path}", "--ip", f"{GUEST}/24,{HOST}", "--mac", GUEST_MAC) as guest:
            guest.wait_for("net: eth0 10[.]77[.]0[.]2/24")
            end.connect(f"{path}.vm")
            yield guest, end


@pytest.mark.parametrize("length", [1, 13])  # an empty datagram is the end of the line for QEMU
def test_frame_too_short(bare_line, length):
    guest, end = bare_line
    before = drops(guest)
    end.send(bytes(arp()))  # QEMU's filter reads six bytes of address: those missing are still the last frame's
    end.send(bytes(ether(type=0x0800))[:length])
    counted(guest, "ETH_SHORT", before)
    number = 100 + length
    end.send(bytes(echo(number)))
    end.settimeout(5)
    while not is_reply(Ether(end.recv(2000)), number):
        pass


# ARP: floods ---------------------------------------------------------------------------------------


def test_ten_thousand_senders_do_not_drive_out_the_gateway(wired_guest, tap):
    guest, wire = wired_guest
    guest.check(f"ping -c 1 {HOST}")
    for number in range(10000):
        mac = "02:01:00:00:%02x:%02x" % (number >> 8, number & 255)
        wire.send(arp(dst=BROADCAST_MAC, hwsrc=mac, psrc=numbered("10.77", number)))
    entries = guest.check("wc -l < /proc/net/arp", seconds=60)
    assert int(entries) <= 1025
    assert tap.mac in guest.check("cat /proc/net/arp")


def test_a_thousand_unresolved_destinations_do_not_drive_out_the_gateway(wired_guest, tap):
    """A thousand machines ping us that answer no ARP request; their replies wait, and go."""
    guest, wire = wired_guest
    guest.check(f"ping -c 1 {HOST}")
    before = drops(guest)
    guest.check("route add -net 10.78.0.0 netmask 255.255.0.0 dev eth0")
    for number in range(1000):
        wire.send(echo(1, src=numbered("10.78", number + 1)))
    assert int(guest.check("wc -l < /proc/net/arp")) <= 1025
    assert tap.mac in guest.check("cat /proc/net/arp")
    guest.check(f"ping -c 1 {HOST}")
    guest.check("sleep 4")  # three tries, a second apart
    counted(guest, "ARP_UNRESOLVED", before, 900)
    assert "10.78." not in guest.check("cat /proc/net/arp")
    guest.check("route del -net 10.78.0.0 netmask 255.255.0.0 dev eth0")


# IPv4: fragments -----------------------------------------------------------------------------------


def pieces(message, *cuts, ident):
    """The message of ICMP cut at these places."""
    edges = [0, *cuts, len(message)]
    return [fragment(start, end < len(message), message[start:end], ident=ident, proto=1)
            for start, end in zip(edges, edges[1:])]


def echo_message(number, length):
    """An echo request of so many bytes of ICMP."""
    return bytes(ip() / ICMP(id=number) / bytes(length - ICMP_HEADER))[IP_HEADER:]


@pytest.mark.parametrize("name, length, cuts", [
    ("one-byte-last-fragment", 1001, [1000]),
    ("first-fragment-of-8-bytes", 1000, [8]),
])
def test_odd_fragments_are_put_together(wired_guest, name, length, cuts):
    _, wire = wired_guest
    number = len(name)
    for frame in pieces(echo_message(number, length), *cuts, ident=number):
        wire.send(frame)
    reply = wire.expect(lambda frame: is_reply(frame, number))
    assert reply is not None and reply[IP].len == IP_HEADER + length


def test_incomplete_datagrams_stay_within_their_caps(wired_guest):
    guest, wire = wired_guest
    before = drops(guest)
    for number in range(4096):
        wire.send(fragment(0, True, bytes(1000), ident=number))
    assert answers_echo(wire)
    counted(guest, "FRAGMENT_LIMIT", before)


def test_one_datagram_in_8_byte_fragments_is_bounded(wired_guest):
    """From behind, which is the worst order; the number of pieces has a cap."""
    guest, wire = wired_guest
    before = drops(guest)
    for offset in range(60000 - 8, 0, -8):
        wire.send(fragment(offset, True, bytes(8), ident=4097))
    assert answers_echo(wire)
    counted(guest, "FRAGMENT_LIMIT", before)


# ICMP ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", range(8))
def test_echo_of_0_to_7_bytes(wired_guest, length):
    _, wire = wired_guest
    payload = b"1234567"[:length]
    wire.send(echo(900 + length, payload))
    reply = wire.expect(lambda frame: is_reply(frame, 900 + length))
    assert reply is not None and reply[IP].len == IP_HEADER + ICMP_HEADER + length
    assert bytes(reply[ICMP].payload)[:length] == payload


@pytest.mark.parametrize("length", range(8))
def test_icmp_message_of_0_to_7_bytes(wired_guest, length):
    guest, wire = wired_guest
    before = drops(guest)
    wire.send(ether() / ip(proto=1) / echo_message(1, ICMP_HEADER)[:length])
    counted(guest, "ICMP_SHORT", before)


def test_echo_of_65507_bytes(wired_guest):
    """The longest there is: 65,507 bytes after the header, in 45 fragments, and back."""
    _, wire = wired_guest
    message = echo_message(650, 65507 + ICMP_HEADER)
    for frame in pieces(message, *range(1480, len(message), 1480), ident=650):
        wire.send(frame)
    received = sum(frame[IP].len - IP_HEADER for frame in wire.frames(1) if IP in frame and frame[IP].src == GUEST)
    assert received == len(message)


@pytest.mark.parametrize("kind", [UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM])
def test_error_about_ports_of_no_socket(wired_guest, kind):
    """Quoted is a datagram that nobody sent: nothing happens, and nothing is said about it."""
    guest, wire = wired_guest
    before = drops(guest)
    wire.send(icmp_error(kind, IP(src=GUEST, dst=OTHER) / UDP(sport=4996, dport=9) / b"12345678", code=0))
    assert wire.expect(lambda frame: ICMP in frame, 0.3) is None
    assert drops(guest)["ICMP_BAD_INNER"] == before["ICMP_BAD_INNER"]


@pytest.fixture
def echo_server(wired_guest):
    """The wire of a guest on which udpecho runs."""
    guest, wire = wired_guest
    pid = guest.background("udpecho")
    guest.check("sleep 0.3")
    yield wire
    guest.check(f"kill {pid}")
    guest.run(f"wait {pid}")


def longest_packet(wire, source):
    """The longest packet in which 1,400 bytes come back from the echo server."""
    wire.send(ether() / ip(src=source) / udp(sport=2000, dport=ECHO_PORT) / bytes(1400))
    return max(frame[IP].len for frame in wire.frames(0.3)
               if IP in frame and frame[IP].src == GUEST and frame[IP].dst == source)


# The MTU that a router tells -> the longest packet that the guest sends to that destination then.
# 552 is the least that it goes down to (as Linux's net.ipv4.route.min_pmtu); what is below RFC 791's 68 or
# above the link's own is not believed; 0 comes from a router that predates RFC 1191, and the next lower one
# of that document's plateaus is taken.
MTU_TOLD = {0: 1006, 1: 1428, 67: 1428, 68: 552, 576: 576, 65535: 1428}


@pytest.mark.parametrize("told", MTU_TOLD)
def test_fragmentation_needed(echo_server, told):
    source = f"10.77.0.{100 + list(MTU_TOLD).index(told)}"
    assert answers_echo(echo_server, source)
    assert longest_packet(echo_server, source) == 1428
    quoted = IP(src=GUEST, dst=source, flags="DF", len=1428) / UDP(sport=ECHO_PORT, dport=2000, len=1408) / bytes(8)
    echo_server.send(icmp_error(UNREACHABLE, quoted, code=4, nexthopmtu=told))
    longest = longest_packet(echo_server, source)
    assert MTU_TOLD[told] - 8 < longest <= MTU_TOLD[told]


def test_datagrams_to_closed_ports_10000(wired_guest):
    """Ten thousand of them do not bring ten thousand errors; another machine's limit is its own."""
    guest, wire = wired_guest
    before = drops(guest)
    frame = bytes(ether() / ip() / udp(dport=4998) / b"data")
    errors = 0
    for number in range(10000):
        wire.send(frame)
        if number % 500 == 499:
            errors += sum(is_error(frame) for frame in wire.frames(0.02))
    errors += sum(is_error(frame) for frame in wire.frames(0.3))
    assert 0 < errors < 100
    limited = counted(guest, "ICMP_RATE_LIMITED", before)
    assert counted(guest, "UDP_NO_SOCKET", before, 1000) <= limited + errors + 10
    assert answers_echo(wire, "10.77.0.99")
    wire.send(ether() / ip(src="10.77.0.99") / udp(dport=4998) / b"data")
    assert wire.expect(is_error) is not None


# All of it together --------------------------------------------------------------------------------


def free_memory(guest):
    """In KiB."""
    return int(guest.check("sed -n 's/MemFree: *//p' /proc/meminfo").split()[0])


LEAK_ROUNDS = 300
LEAK_LIMIT_KIB = 200  # less than one packet's memory in each round


def test_nothing_leaks(wired_guest):
    """Every malformed frame of test_frames.py some hundred times over: the memory is as it was."""
    from test_frames import FRAMES  # a list, not tests, is what is wanted of it

    guest, wire = wired_guest
    frames = [bytes(frame) for name, (frames, _) in FRAMES.items() if name != "fragments-ping-of-death"
              for frame in frames]

    def send_all(rounds):
        for _ in range(rounds):
            for frame in frames:
                wire.send(frame)
        assert answers_echo(wire)
        guest.check("sleep 1")

    send_all(20)
    before = free_memory(guest)
    send_all(LEAK_ROUNDS)
    lost = before - free_memory(guest)
    assert lost < LEAK_LIMIT_KIB, f"{lost} KiB are gone after {LEAK_ROUNDS * len(frames)} frames"
