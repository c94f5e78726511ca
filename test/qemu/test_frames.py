"""Malformed frames: each is dropped with its named counter, and the guest still answers."""

import os
import random
import struct
import time

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Ether, Dot1Q
from scapy.packet import Raw

from conftest import GUEST, GUEST_MAC, HOST
from harness.wire import drops

BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"
OTHER_MAC = "02:00:00:00:00:77"
OTHER = "10.77.0.77"


def ether(dst=GUEST_MAC, src=OTHER_MAC, **fields):
    return Ether(dst=dst, src=src, **fields)


def ip(**fields):
    return IP(**{"src": OTHER, "dst": GUEST, **fields})


def udp(**fields):
    return UDP(**{"sport": 1000, "dport": 7, **fields})


def over_ip(**fields):
    return ether() / ip(**fields) / udp() / b"data"


def cut_arp(length):
    return (bytes(ether() / ARP(op=1, hwsrc=OTHER_MAC, psrc=OTHER, pdst=GUEST)))[:14 + length]


def arp(dst=GUEST_MAC, **fields):
    return ether(dst=dst) / ARP(**{"op": 1, "hwsrc": OTHER_MAC, "psrc": OTHER, "pdst": GUEST, **fields})


def raw_ip(first_byte, rest=bytes(39)):
    """A packet whose first byte is as given."""
    return ether(type=0x0800) / Raw(bytes([first_byte]) + rest)


def with_options(options):
    """An IPv4 packet with these option bytes, padded with zeros to words."""
    options += bytes(-len(options) % 4)
    payload = bytes(UDP(sport=1000, dport=7) / b"data")
    header = bytearray(struct.pack("!BBHHHBBH4s4s", 0x40 | (5 + len(options) // 4), 0, 20 + len(options) + len(payload), 1, 0,
                                   64, 17, 0, bytes([10, 77, 0, 77]), bytes([10, 77, 0, 2])) + options)
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    header[10:12] = struct.pack("!H", ~total & 0xffff)
    return ether(type=0x0800) / Raw(bytes(header) + payload)


def fragment(offset, more, payload, ident=99, **fields):
    return ether() / ip(frag=offset // 8, flags="MF" if more else 0, id=ident, proto=17, **fields) / Raw(payload)


# name: (frames, the counter that rises)
FRAMES = {
    "ethernet-type-below-0x600": ([ether(type=0x05ff) / Raw(bytes(46))], "ETH_LENGTH"),
    "ethernet-unknown-type": ([ether(type=0x9999) / Raw(bytes(46))], "ETH_UNKNOWN_TYPE"),
    "ethernet-multicast-source": ([Ether(src="01:00:5e:00:00:01", dst=GUEST_MAC) / ip() / udp()], "ETH_BAD_SOURCE"),
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
    "arp-sender-address-broadcast": ([arp(psrc="255.255.255.255")], "ARP_BAD_SENDER"),
    "arp-unsolicited-reply": ([arp(op=2, psrc="10.77.0.78", hwdst=GUEST_MAC)], "ARP_UNSOLICITED"),
    "arp-for-another": ([arp(dst=BROADCAST_MAC, psrc="10.77.0.79", pdst="10.77.0.33")], "ARP_NOT_FOR_US"),

    "ip-cut-at-0": ([ether(type=0x0800)], "IP4_SHORT"),
    "ip-cut-at-19": ([ether(type=0x0800) / Raw(bytes([0x45]) + bytes(18))], "IP4_SHORT"),
    "ip-version-0": ([raw_ip(0x05)], "IP4_BAD_VERSION"),
    "ip-version-6": ([raw_ip(0x65)], "IP4_BAD_VERSION"),
    "ip-version-15": ([raw_ip(0xf5)], "IP4_BAD_VERSION"),
    "ip-header-length-0": ([raw_ip(0x40)], "IP4_BAD_HEADER_LENGTH"),
    "ip-header-length-4": ([raw_ip(0x44)], "IP4_BAD_HEADER_LENGTH"),
    "ip-header-length-15-in-20-bytes": ([raw_ip(0x4f, bytes(19))], "IP4_BAD_HEADER_LENGTH"),
    "ip-checksum-0": ([over_ip(chksum=0)], "IP4_BAD_CHECKSUM"),
    "ip-checksum-0xffff": ([over_ip(chksum=0xffff)], "IP4_BAD_CHECKSUM"),
    "ip-total-length-0": ([over_ip(len=0)], "IP4_BAD_TOTAL_LENGTH"),
    "ip-total-length-19": ([over_ip(len=19)], "IP4_BAD_TOTAL_LENGTH"),
    "ip-total-length-above-frame": ([over_ip(len=1400)], "IP4_BAD_TOTAL_LENGTH"),
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
    "ip-loose-source-route": ([with_options(b"\x83\x07\x04\x0a\x4d\x00\x01")], "IP4_SOURCE_ROUTE"),
    "ip-strict-source-route": ([with_options(b"\x89\x07\x04\x0a\x4d\x00\x01")], "IP4_SOURCE_ROUTE"),

    "fragment-not-a-multiple-of-8": ([fragment(0, True, bytes(13))], "FRAGMENT_MALFORMED"),
    "fragment-of-nothing": ([fragment(8, False, b"")], "FRAGMENT_MALFORMED"),
    "fragment-beyond-65535": ([fragment(65528, False, bytes(100))], "FRAGMENT_MALFORMED"),
    "fragments-overlapping": ([fragment(0, True, bytes(32), ident=7), fragment(16, False, bytes(32), ident=7)],
                              "FRAGMENT_OVERLAP"),

    "icmp-cut": ([ether() / ip(proto=1) / Raw(b"\x08\x00\xf7")], "ICMP_SHORT"),
    "icmp-bad-checksum": ([ether() / ip() / ICMP(chksum=1) / b"data"], "ICMP_BAD_CHECKSUM"),
    "icmp-unknown-type": ([ether() / ip() / ICMP(type=200) / b"data"], "ICMP_UNKNOWN_TYPE"),
    "icmp-redirect": ([ether() / ip(src=HOST) / ICMP(type=5, code=1, gw=OTHER) / IP(src=GUEST, dst="1.2.3.4") / udp()],
                      "ICMP_IGNORED"),
    "icmp-source-quench": ([ether() / ip() / ICMP(type=4) / IP(src=GUEST, dst=OTHER) / udp()], "ICMP_IGNORED"),
    "icmp-broadcast-echo": ([ether(dst=BROADCAST_MAC) / ip(dst="10.77.0.255") / ICMP()], "ICMP_IGNORED"),
    "icmp-error-with-cut-inner-header": ([ether() / ip() / ICMP(type=3, code=3) / Raw(bytes(10))], "ICMP_BAD_INNER"),

    "udp-cut": ([ether() / ip(proto=17) / Raw(bytes(5))], "UDP_SHORT"),
    "udp-length-0": ([ether() / ip() / udp(len=0) / b"data"], "UDP_BAD_LENGTH"),
    "udp-length-7": ([ether() / ip() / udp(len=7) / b"data"], "UDP_BAD_LENGTH"),
    "udp-length-above-payload": ([ether() / ip() / udp(len=100) / b"data"], "UDP_BAD_LENGTH"),
    "udp-bad-checksum": ([ether() / ip() / udp(chksum=0x1234) / b"data"], "UDP_BAD_CHECKSUM"),
    "udp-closed-port": ([ether() / ip() / udp(dport=4999) / b"data"], "UDP_NO_SOCKET"),
    "igmp-cut": ([ether(dst="01:00:5e:00:00:01") / ip(dst="224.0.0.1", proto=2, ttl=1) / Raw(bytes(4))], "IGMP_MALFORMED"),
}


@pytest.fixture
def wired_guest(guest, wire):
    """The guest, answering, and the wire with nothing left on it."""
    yield guest, wire
    assert answers_echo(wire), "the guest answers no more"


def answers_echo(wire):
    """From a host of our own making, whose ARP we answer ourselves."""
    wire.drain()
    number = random.randrange(65536)
    wire.send(ether() / ip() / ICMP(id=number) / b"ping")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        frame = wire.expect(lambda frame: is_request_for(frame, OTHER) or is_reply(frame, number), 1)
        if frame is None:
            wire.send(ether() / ip() / ICMP(id=number) / b"ping")
        elif ARP in frame:
            wire.send(ether() / ARP(op=2, hwsrc=OTHER_MAC, psrc=OTHER, hwdst=GUEST_MAC, pdst=GUEST))
        else:
            return True
    return False


def is_request_for(frame, address):
    return ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst == address


def is_reply(frame, number):
    return ICMP in frame and frame[ICMP].type == 0 and frame[ICMP].id == number


@pytest.mark.parametrize("name", FRAMES)
def test_malformed(wired_guest, name):
    guest, wire = wired_guest
    frames, counter = FRAMES[name]
    before = drops(guest)
    for frame in frames:
        wire.send(frame)
    time.sleep(0.05)
    after = drops(guest)
    if counter is not None:
        rose = {key for key in after if after[key] != before.get(key, 0)}
        assert after[counter] > before.get(counter, 0), f"{counter} did not rise; {rose or 'nothing'} did"


def test_total_length_below_the_frame_cuts_it(wired_guest):
    """Trailing bytes beyond the total length (Ethernet padding) do not come back in the echo."""
    guest, wire = wired_guest
    assert answers_echo(wire)
    wire.send(bytes(ether() / ip() / ICMP(id=77) / b"four") + bytes(100))
    reply = wire.expect(lambda frame: is_reply(frame, 77))
    assert reply is not None
    assert reply[IP].len == 20 + 8 + 4


def test_record_route_and_nops_are_harmless(wired_guest):
    guest, wire = wired_guest
    before = drops(guest)
    wire.send(with_options(b"\x01" * 40))
    after = drops(guest)
    assert after["IP4_BAD_OPTION"] == before["IP4_BAD_OPTION"]


def test_udp_without_checksum_is_accepted(wired_guest):
    guest, wire = wired_guest
    pid = guest.background("udpecho")
    guest.check("sleep 0.3")
    assert answers_echo(wire)
    wire.send(ether() / ip() / udp(chksum=0) / b"unsummed")
    answer = wire.expect(lambda frame: UDP in frame and frame[UDP].sport == 7)
    assert answer is not None and bytes(answer[UDP].payload)[:8] == b"unsummed"
    guest.check(f"kill {pid}")
    guest.run(f"wait {pid}")


def test_port_unreachable_quotes_the_packet(wired_guest):
    guest, wire = wired_guest
    assert answers_echo(wire)
    wire.send(ether() / ip(id=4711) / udp(sport=1234, dport=4998) / b"anybody?")
    error = wire.expect(lambda frame: ICMP in frame and frame[ICMP].type == 3)
    assert error is not None and error[ICMP].code == 3
    assert error[ICMP].payload.id == 4711 and error[ICMP].payload.payload.dport == 4998


def test_errors_are_rate_limited(wired_guest):
    """1,000 datagrams to closed ports do not bring 1,000 errors."""
    guest, wire = wired_guest
    assert answers_echo(wire)
    frame = bytes(ether() / ip() / udp(dport=4998) / b"data")
    for _ in range(1000):
        wire.send(frame)
    errors = sum(ICMP in frame and frame[ICMP].type == 3 for frame in wire.frames(1))
    assert 0 < errors < 500
    assert drops(guest)["ICMP_RATE_LIMITED"] > 0


def test_no_error_about_broadcasts_and_errors(wired_guest):
    guest, wire = wired_guest
    assert answers_echo(wire)
    wire.send(ether(dst=BROADCAST_MAC) / ip(dst="10.77.0.255") / udp(dport=4997) / b"data")
    wire.send(ether() / ip() / ICMP(type=3, code=3) / IP(src=GUEST, dst=OTHER) / udp(sport=4997))
    assert wire.expect(lambda frame: ICMP in frame and frame[ICMP].type == 3, 1) is None


def test_no_neighbour_from_a_reply_nobody_asked_for(wired_guest, tap):
    """Neither for a stranger, nor in place of the gateway's entry."""
    guest, wire = wired_guest
    guest.check(f"ping -c 1 {HOST}")
    wire.send(arp(op=2, psrc="10.77.0.88", hwdst=GUEST_MAC))
    wire.send(arp(op=2, psrc=HOST, hwdst=GUEST_MAC))
    wire.send(arp(dst=BROADCAST_MAC, op=2, psrc=HOST, pdst=HOST))
    table = guest.check("cat /proc/net/arp")
    assert "10.77.0.88" not in table
    assert tap.mac in table
    guest.check(f"ping -c 1 {HOST}")


def test_conflict_is_noticed(wired_guest):
    """RFC 5227: somebody claims our address; we defend it and go on."""
    guest, wire = wired_guest
    before = drops(guest)
    wire.send(arp(dst=BROADCAST_MAC, psrc=GUEST, pdst=GUEST))
    defence = wire.expect(lambda frame: ARP in frame and frame[ARP].psrc == GUEST and frame[ARP].pdst == GUEST, 2)
    assert drops(guest)["ARP_CONFLICT"] > before["ARP_CONFLICT"]
    assert defence is not None


def test_ten_thousand_senders_do_not_drive_out_the_gateway(wired_guest, tap):
    guest, wire = wired_guest
    guest.check(f"ping -c 1 {HOST}")
    for number in range(10000):
        mac = "02:01:00:00:%02x:%02x" % (number >> 8, number & 255)
        frame = bytearray(bytes(arp(dst=BROADCAST_MAC, hwsrc=mac, psrc=f"10.77.{number >> 8}.{number & 255}")))
        wire.send(frame)
    entries = guest.check("wc -l < /proc/net/arp", seconds=60)
    assert int(entries) <= 1025
    assert tap.mac in guest.check("cat /proc/net/arp")


def test_incomplete_datagrams_stay_within_their_caps(wired_guest):
    guest, wire = wired_guest
    before = drops(guest)
    for number in range(4096):
        wire.send(fragment(0, True, bytes(1000), ident=number))
    assert answers_echo(wire)
    assert drops(guest)["FRAGMENT_LIMIT"] > before["FRAGMENT_LIMIT"]


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
