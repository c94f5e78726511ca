"""Malformed frames: each is dropped with its named counter, and the guest still answers."""

import os
import random

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

from harness.frames import (ALL_HOSTS_MAC, BROADCAST_MAC, GUEST, GUEST_MAC, HOST, OTHER, OTHER_MAC, PARAMETER_PROBLEM,
                            TIME_EXCEEDED, UNREACHABLE, answers_echo, arp, counted, cut_arp, echo, ether, flipped,
                            fragment, icmp_error, ip, is_error, is_reply, over_ip, raw_ip, udp, with_options)
from harness.wire import drops

IP_CHECKSUM_AT = 14 + 10

# What a router quotes of a datagram of ours, and what it cannot have been.
QUOTED = IP(src=GUEST, dst=OTHER) / UDP(sport=5000, dport=7) / b"12345678"
LONG_HEADER = flipped(flipped(bytes(QUOTED), 0, 1), 0, 3)  # 0x45 becomes 0x4f
assert LONG_HEADER[0] == 0x4f


def redirect(code):
    return ether() / ip(src=HOST) / ICMP(type=5, code=code, gw=OTHER) / IP(src=GUEST, dst="1.2.3.4") / udp()


def source_route(kind, pointer):
    return with_options(bytes([kind, 7, pointer, 10, 77, 0, 1]))


LSRR, SSRR = 0x83, 0x89

# name: (frames, the counter that rises)
FRAMES = {
    "ethernet-length-beyond-the-frame": ([ether(type=0x05ff) / Raw(bytes(46))], "ETH_LENGTH"),
    "ethernet-unknown-type": ([ether(type=0x9999) / Raw(bytes(46))], "ETH_UNKNOWN_TYPE"),
    "ethernet-multicast-source": ([Ether(src="01:00:5e:00:00:01", dst=GUEST_MAC) / ip() / udp()], "ETH_BAD_SOURCE"),
    "ethernet-vlan-cut-at-14": ([ether(type=0x8100)], "ETH_VLAN"),
    "ethernet-vlan-cut-at-15": ([ether(type=0x8100) / Raw(bytes(1))], "ETH_VLAN"),
    "ethernet-vlan-cut-at-16": ([ether(type=0x8100) / Raw(bytes(2))], "ETH_VLAN"),
    "ethernet-vlan-cut-at-17": ([ether(type=0x8100) / Raw(bytes(3))], "ETH_VLAN"),
    "ethernet-vlan": ([ether() / Dot1Q(vlan=5) / ip() / udp()], "ETH_VLAN"),

    "arp-cut-at-8": ([cut_arp(8)], "ARP_MALFORMED"),
    "arp-cut-at-20": ([cut_arp(20)], "ARP_MALFORMED"),
    "arp-cut-at-27": ([cut_arp(27)], "ARP_MALFORMED"),
    "arp-hardware-length-255": ([arp(hwlen=255)], "ARP_MALFORMED"),
    "arp-protocol-length-255": ([arp(plen=255)], "ARP_MALFORMED"),
    "arp-hardware-type-2": ([arp(hwtype=2)], "ARP_MALFORMED"),
    "arp-operation-0": ([arp(op=0)], "ARP_MALFORMED"),
    "arp-operation-3": ([arp(op=3)], "ARP_MALFORMED"),
    "arp-operation-0xffff": ([arp(op=0xffff)], "ARP_MALFORMED"),
    "arp-sender-broadcast": ([arp(hwsrc=BROADCAST_MAC)], "ARP_BAD_SENDER"),
    "arp-sender-multicast": ([arp(hwsrc="01:00:5e:00:00:01")], "ARP_BAD_SENDER"),
    "arp-sender-zero": ([arp(hwsrc="00:00:00:00:00:00")], "ARP_BAD_SENDER"),
    "arp-sender-ours": ([arp(hwsrc=GUEST_MAC)], "ARP_BAD_SENDER"),
    "arp-sender-address-zero": ([arp(op=2, psrc="0.0.0.0")], "ARP_BAD_SENDER"),
    "arp-sender-address-broadcast": ([arp(psrc="255.255.255.255")], "ARP_BAD_SENDER"),
    "arp-unsolicited-reply": ([arp(op=2, psrc="10.77.0.78", hwdst=GUEST_MAC)], "ARP_UNSOLICITED"),
    "arp-for-another": ([arp(dst=BROADCAST_MAC, psrc="10.77.0.79", pdst="10.77.0.33")], "ARP_NOT_FOR_US"),

    "ip-cut-at-0": ([ether(type=0x0800)], "IP4_SHORT"),
    "ip-cut-at-19": ([ether(type=0x0800) / Raw(bytes([0x45]) + bytes(18))], "IP4_SHORT"),
    "ip-version-0": ([raw_ip(0x05)], "IP4_BAD_VERSION"),
    "ip-version-5": ([raw_ip(0x55)], "IP4_BAD_VERSION"),
    "ip-version-6": ([raw_ip(0x65)], "IP4_BAD_VERSION"),
    "ip-version-15": ([raw_ip(0xf5)], "IP4_BAD_VERSION"),
    "ip-header-length-0": ([raw_ip(0x40)], "IP4_BAD_HEADER_LENGTH"),
    "ip-header-length-1": ([raw_ip(0x41)], "IP4_BAD_HEADER_LENGTH"),
    "ip-header-length-2": ([raw_ip(0x42)], "IP4_BAD_HEADER_LENGTH"),
    "ip-header-length-3": ([raw_ip(0x43)], "IP4_BAD_HEADER_LENGTH"),
    "ip-header-length-4": ([raw_ip(0x44)], "IP4_BAD_HEADER_LENGTH"),
    "ip-header-length-15-in-20-bytes": ([raw_ip(0x4f, bytes(19))], "IP4_BAD_HEADER_LENGTH"),
    "ip-checksum-0": ([over_ip(chksum=0)], "IP4_BAD_CHECKSUM"),
    "ip-checksum-0xffff": ([over_ip(chksum=0xffff)], "IP4_BAD_CHECKSUM"),
    "ip-checksum-one-bit-flipped": ([flipped(over_ip(), IP_CHECKSUM_AT)], "IP4_BAD_CHECKSUM"),
    "ip-total-length-0": ([over_ip(len=0)], "IP4_BAD_TOTAL_LENGTH"),
    "ip-total-length-19": ([over_ip(len=19)], "IP4_BAD_TOTAL_LENGTH"),
    "ip-total-length-below-the-header": ([with_options(b"\x01" * 8, total_length=27)], "IP4_BAD_TOTAL_LENGTH"),
    "ip-total-length-above-frame": ([over_ip(len=1400)], "IP4_BAD_TOTAL_LENGTH"),
    "ip-source-zero": ([over_ip(src="0.0.0.0")], "IP4_BAD_SOURCE"),
    "ip-source-loopback": ([over_ip(src="127.0.0.1")], "IP4_BAD_SOURCE"),
    "ip-source-multicast": ([over_ip(src="224.0.0.1")], "IP4_BAD_SOURCE"),
    "ip-source-broadcast": ([over_ip(src="255.255.255.255")], "IP4_BAD_SOURCE"),
    "ip-source-ours": ([over_ip(src=GUEST)], "IP4_BAD_SOURCE"),
    "ip-destination-loopback": ([over_ip(dst="127.0.0.1")], "IP4_BAD_DESTINATION"),
    "ip-for-another": ([over_ip(dst="10.99.0.1")], "IP4_NOT_FOR_US"),
    "ip-multicast-nobody-joined": ([ether(dst="01:00:5e:01:02:03") / ip(dst="239.1.2.3") / udp()], None),
    "ip-unicast-in-broadcast-frame": ([ether(dst=BROADCAST_MAC) / ip() / udp()], "IP4_UNICAST_IN_BROADCAST"),
    "ip-unknown-protocol": ([ether() / ip(proto=253) / Raw(bytes(8))], "IP4_UNKNOWN_PROTOCOL"),
    "ip-option-length-0": ([with_options(b"\x44\x00")], "IP4_BAD_OPTION"),
    "ip-option-length-1": ([with_options(b"\x44\x01")], "IP4_BAD_OPTION"),
    "ip-option-past-the-end": ([with_options(b"\x44\x28")], "IP4_BAD_OPTION"),
    "ip-loose-source-route-pointer-0": ([source_route(LSRR, 0)], "IP4_SOURCE_ROUTE"),
    "ip-loose-source-route-pointer-3": ([source_route(LSRR, 3)], "IP4_SOURCE_ROUTE"),
    "ip-loose-source-route-pointer-4": ([source_route(LSRR, 4)], "IP4_SOURCE_ROUTE"),
    "ip-loose-source-route-pointer-255": ([source_route(LSRR, 255)], "IP4_SOURCE_ROUTE"),
    "ip-strict-source-route-pointer-0": ([source_route(SSRR, 0)], "IP4_SOURCE_ROUTE"),
    "ip-strict-source-route-pointer-3": ([source_route(SSRR, 3)], "IP4_SOURCE_ROUTE"),
    "ip-strict-source-route-pointer-4": ([source_route(SSRR, 4)], "IP4_SOURCE_ROUTE"),
    "ip-strict-source-route-pointer-255": ([source_route(SSRR, 255)], "IP4_SOURCE_ROUTE"),

    "fragment-not-a-multiple-of-8": ([fragment(0, True, bytes(13))], "FRAGMENT_MALFORMED"),
    "fragment-of-nothing": ([fragment(8, False, b"")], "FRAGMENT_MALFORMED"),
    "fragment-beyond-65535": ([fragment(65528, False, bytes(100))], "FRAGMENT_MALFORMED"),
    "fragments-overlapping": ([fragment(0, True, bytes(32), ident=7), fragment(16, False, bytes(32), ident=7)],
                              "FRAGMENT_OVERLAP"),
    "fragments-teardrop": ([fragment(0, True, bytes(40), ident=8), fragment(24, False, bytes(4), ident=8)],
                           "FRAGMENT_MALFORMED"),
    "fragments-with-two-ends": ([fragment(800, False, bytes(200), ident=9), fragment(800, False, bytes(100), ident=9)],
                                "FRAGMENT_MALFORMED"),
    "fragments-ping-of-death": ([fragment(offset, True, bytes(1000), ident=10, proto=1)
                                 for offset in range(0, 65000, 1000)]
                                + [fragment(65000, False, bytes(1000), ident=10, proto=1)], "FRAGMENT_MALFORMED"),

    "icmp-cut": ([ether() / ip(proto=1) / Raw(b"\x08\x00\xf7")], "ICMP_SHORT"),
    "icmp-bad-checksum": ([ether() / ip() / ICMP(chksum=1) / b"data"], "ICMP_BAD_CHECKSUM"),
    "icmp-unknown-type": ([ether() / ip() / ICMP(type=200) / b"data"], "ICMP_UNKNOWN_TYPE"),
    "icmp-redirect-net": ([redirect(0)], "ICMP_IGNORED"),
    "icmp-redirect-host": ([redirect(1)], "ICMP_IGNORED"),
    "icmp-redirect-service-net": ([redirect(2)], "ICMP_IGNORED"),
    "icmp-redirect-service-host": ([redirect(3)], "ICMP_IGNORED"),
    "icmp-source-quench": ([ether() / ip() / ICMP(type=4) / IP(src=GUEST, dst=OTHER) / udp()], "ICMP_IGNORED"),
    "icmp-broadcast-echo": ([ether(dst=BROADCAST_MAC) / ip(dst="10.77.0.255") / ICMP()], "ICMP_IGNORED"),
    "icmp-multicast-echo": ([ether(dst=ALL_HOSTS_MAC) / ip(dst="224.0.0.1") / ICMP()], "ICMP_IGNORED"),
    "icmp-3-with-cut-inner-header": ([icmp_error(UNREACHABLE, bytes(QUOTED)[:27])], "ICMP_BAD_INNER"),
    "icmp-11-with-cut-inner-header": ([icmp_error(TIME_EXCEEDED, bytes(QUOTED)[:19], code=0)], "ICMP_BAD_INNER"),
    "icmp-12-with-cut-inner-header": ([icmp_error(PARAMETER_PROBLEM, b"", code=0)], "ICMP_BAD_INNER"),
    "icmp-3-with-inner-header-length-15": ([icmp_error(UNREACHABLE, LONG_HEADER)], "ICMP_BAD_INNER"),
    "icmp-11-with-inner-header-length-15": ([icmp_error(TIME_EXCEEDED, LONG_HEADER, code=0)], "ICMP_BAD_INNER"),
    "icmp-12-with-inner-header-length-15": ([icmp_error(PARAMETER_PROBLEM, LONG_HEADER, code=0)], "ICMP_BAD_INNER"),

    "udp-cut": ([ether() / ip(proto=17) / Raw(bytes(5))], "UDP_SHORT"),
    "udp-length-0": ([ether() / ip() / udp(len=0) / b"data"], "UDP_BAD_LENGTH"),
    "udp-length-7": ([ether() / ip() / udp(len=7) / b"data"], "UDP_BAD_LENGTH"),
    "udp-length-above-payload": ([ether() / ip() / udp(len=100) / b"data"], "UDP_BAD_LENGTH"),
    "udp-bad-checksum": ([ether() / ip() / udp(chksum=0x1234) / b"data"], "UDP_BAD_CHECKSUM"),
    "udp-closed-port": ([ether() / ip() / udp(dport=4999) / b"data"], "UDP_NO_SOCKET"),
    "igmp-cut": ([ether(dst=ALL_HOSTS_MAC) / ip(dst="224.0.0.1", proto=2, ttl=1) / Raw(bytes(4))], "IGMP_MALFORMED"),
}


@pytest.fixture
def wired_guest(guest, wire):
    """The guest, answering, and the wire with nothing left on it."""
    yield guest, wire
    assert answers_echo(wire), "the guest answers no more"


@pytest.mark.parametrize("name", FRAMES)
def test_malformed(wired_guest, name):
    guest, wire = wired_guest
    frames, counter = FRAMES[name]
    before = drops(guest)
    for frame in frames:
        wire.send(frame)
    if counter is None:
        assert answers_echo(wire)
    else:
        counted(guest, counter, before)


def test_total_length_below_the_frame_cuts_it(wired_guest):
    """Trailing bytes beyond the total length (Ethernet padding) do not come back in the echo."""
    guest, wire = wired_guest
    assert answers_echo(wire)
    wire.send(bytes(echo(77, b"four")) + bytes(100))
    reply = wire.expect(lambda frame: is_reply(frame, 77))
    assert reply is not None
    assert reply[IP].len == 20 + 8 + 4


def test_40_nops_without_an_end_mark_are_harmless(wired_guest):
    """The datagram gets as far as UDP, where nobody has the port."""
    guest, wire = wired_guest
    before = drops(guest)
    wire.send(with_options(b"\x01" * 40))
    counted(guest, "UDP_NO_SOCKET", before)
    assert drops(guest)["IP4_BAD_OPTION"] == before["IP4_BAD_OPTION"]


@pytest.fixture
def echoing(wired_guest):
    """The wire of a guest on which udpecho runs."""
    guest, wire = wired_guest
    pid = guest.background("udpecho")
    guest.check("sleep 0.3")
    assert answers_echo(wire)
    yield wire
    guest.check(f"kill {pid}")
    guest.run(f"wait {pid}")


def echoed(wire):
    answer = wire.expect(lambda frame: UDP in frame and frame[UDP].sport == 7)
    assert answer is not None
    return bytes(answer[UDP])[8:answer[UDP].len]


def test_udp_without_checksum_is_accepted(echoing):
    echoing.send(ether() / ip() / udp(chksum=0) / b"unsummed")
    assert echoed(echoing) == b"unsummed"


def test_udp_length_below_the_payload_cuts_it(echoing):
    """What the packet has beyond the datagram's own length is not part of it."""
    datagram = bytes(ip() / udp() / b"payload!")[20:]
    echoing.send(ether() / ip(proto=17) / Raw(datagram + b"and more"))
    assert echoed(echoing) == b"payload!"


def test_total_length_that_cuts_a_datagram(echoing):
    """UDP's length is measured against what the total length leaves, not against the frame."""
    frame = bytes(ether() / ip(len=28 + 7) / udp(len=8 + 8) / b"payload!")
    echoing.send(frame)
    assert echoing.expect(lambda frame: UDP in frame and frame[UDP].sport == 7, 0.5) is None


def test_port_unreachable_quotes_the_packet(wired_guest):
    guest, wire = wired_guest
    assert answers_echo(wire)
    wire.send(ether() / ip(id=4711) / udp(sport=1234, dport=4998) / b"anybody?")
    error = wire.expect(is_error)
    assert error is not None and error[ICMP].code == 3
    assert error[ICMP].payload.id == 4711 and error[ICMP].payload.payload.dport == 4998


def test_no_error_about_broadcasts_and_errors(wired_guest):
    guest, wire = wired_guest
    assert answers_echo(wire)
    wire.send(ether(dst=BROADCAST_MAC) / ip(dst="10.77.0.255") / udp(dport=4997) / b"data")
    wire.send(ether() / ip() / ICMP(type=3, code=3) / IP(src=GUEST, dst=OTHER) / udp(sport=4997))
    assert wire.expect(is_error, 1) is None


def test_no_neighbour_from_a_reply_nobody_asked_for(wired_guest, tap):
    """Neither for a stranger, nor in place of the gateway's entry."""
    guest, wire = wired_guest
    guest.check(f"ping -c 1 {HOST}")
    before = drops(guest)
    wire.send(arp(op=2, psrc="10.77.0.88", hwdst=GUEST_MAC))
    wire.send(arp(op=2, psrc=HOST, hwdst=GUEST_MAC))
    counted(guest, "ARP_UNSOLICITED", before, 2)
    wire.send(arp(dst=BROADCAST_MAC, op=2, psrc=HOST, pdst=HOST))
    table = guest.check("cat /proc/net/arp")
    assert "10.77.0.88" not in table
    assert tap.mac in table
    guest.check(f"ping -c 1 {HOST}")


def test_probe_is_answered(wired_guest):
    """RFC 5227: a request from 0.0.0.0 is somebody who wants to know whether our address is free."""
    _, wire = wired_guest
    wire.send(arp(dst=BROADCAST_MAC, psrc="0.0.0.0"))
    answer = wire.expect(lambda frame: ARP in frame and frame[ARP].op == 2 and frame[ARP].psrc == GUEST)
    assert answer is not None and answer[ARP].hwsrc == GUEST_MAC


def test_conflict_is_noticed(wired_guest):
    """RFC 5227: somebody claims our address; we defend it and go on."""
    guest, wire = wired_guest
    before = drops(guest)
    wire.send(arp(dst=BROADCAST_MAC, psrc=GUEST, pdst=GUEST))
    defence = wire.expect(lambda frame: ARP in frame and frame[ARP].psrc == GUEST and frame[ARP].pdst == GUEST, 2)
    assert drops(guest)["ARP_CONFLICT"] > before["ARP_CONFLICT"]
    assert defence is not None


def test_random_frames(wired_guest, record_property):
    """Packets with a few bytes changed at random: the guest goes on."""
    guest, wire = wired_guest
    seed = int.from_bytes(os.urandom(4), "big")
    record_property("report", f"seed of the random frames: {seed}")
    chance = random.Random(seed)
    models = [bytes(frame) for frames, _ in FRAMES.values() for frame in frames]
    for _ in range(5000):
        frame = bytearray(chance.choice(models))
        for _ in range(chance.randrange(1, 6)):
            if len(frame) > 14:
                frame[chance.randrange(12, len(frame))] = chance.randrange(256)
        if chance.random() < 0.2:
            frame = frame[:max(14, chance.randrange(len(frame) + 1))]
        wire.send(frame)
    guest.check("true", seconds=30)
