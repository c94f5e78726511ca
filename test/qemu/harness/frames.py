"""Makers of frames for the guest, right by default and wrong where a test wants them wrong."""

import random
import socket
import struct
import time

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from .wire import drops

HOST = "10.77.0.1"
GUEST = "10.77.0.2"
GUEST_MAC = "52:54:00:12:34:56"
BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"
ALL_HOSTS_MAC = "01:00:5e:00:00:01"

# A machine of our own making on the guest's wire.
OTHER_MAC = "02:00:00:00:00:77"
OTHER = "10.77.0.77"

ECHO_REPLY = 0
UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM = 3, 11, 12


def ether(dst=GUEST_MAC, src=OTHER_MAC, **fields):
    return Ether(dst=dst, src=src, **fields)


def ip(**fields):
    return IP(**{"src": OTHER, "dst": GUEST, **fields})


def udp(**fields):
    return UDP(**{"sport": 1000, "dport": 7, **fields})


def udp_lite(port, payload, coverage=0, **fields):
    """A datagram from OTHER, of whose bytes the checksum covers so many, as far as there are any; 0: all."""
    length = 8 + len(payload)
    pseudo = socket.inet_aton(OTHER) + socket.inet_aton(GUEST) + struct.pack("!HH", socket.IPPROTO_UDPLITE, length)
    datagram = struct.pack("!HHHH", 1000, port, coverage, 0) + payload
    covered = datagram[:coverage or length]
    right = checksum(pseudo + covered + bytes(len(covered) % 2)) or 0xffff
    return Raw(datagram[:6] + struct.pack("!H", fields.get("checksum", right)) + payload)


def over_ip(**fields):
    return ether() / ip(**fields) / udp() / b"data"


def arp(dst=GUEST_MAC, **fields):
    return ether(dst=dst) / ARP(**{"op": 1, "hwsrc": OTHER_MAC, "psrc": OTHER, "pdst": GUEST, **fields})


def cut_arp(length):
    return bytes(arp())[:14 + length]


def flipped(frame, at, bit=0):
    """The same frame with one bit changed."""
    changed = bytearray(bytes(frame))
    changed[at] ^= 1 << bit
    return bytes(changed)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def raw_ip(first_byte, rest=bytes(39)):
    """A packet whose first byte is as given."""
    return ether(type=0x0800) / Raw(bytes([first_byte]) + rest)


def with_options(options, total_length=None):
    """An IPv4 packet with these option bytes, padded with zeros to words."""
    options += bytes(-len(options) % 4)
    payload = bytes(UDP(sport=1000, dport=7) / b"data")
    if total_length is None:
        total_length = 20 + len(options) + len(payload)
    header = bytearray(struct.pack("!BBHHHBBH4s4s", 0x40 | (5 + len(options) // 4), 0, total_length, 1, 0,
                                   64, 17, 0, bytes([10, 77, 0, 77]), bytes([10, 77, 0, 2])) + options)
    header[10:12] = struct.pack("!H", checksum(header))
    return ether(type=0x0800) / Raw(bytes(header) + payload)


def fragment(offset, more, payload, ident=99, **fields):
    return ether() / ip(**{"proto": 17, "frag": offset // 8, "flags": "MF" if more else 0, "id": ident, **fields}) \
        / Raw(payload)


def icmp_error(kind, quoted, code=3, **fields):
    """An ICMP error of this type that quotes these bytes."""
    return ether() / ip() / ICMP(type=kind, code=code, **fields) / Raw(bytes(quoted))


def echo(number, payload=b"ping", **fields):
    return ether() / ip(**fields) / ICMP(id=number) / payload


def is_request_for(frame, address):
    return ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst == address


def is_reply(frame, number):
    return ICMP in frame and frame[ICMP].type == ECHO_REPLY and frame[ICMP].id == number


def is_error(frame, kind=UNREACHABLE):
    return ICMP in frame and frame[ICMP].type == kind


def tell_address(wire, address=OTHER):
    """Answers what the guest asks about the machine of our own making."""
    wire.send(ether() / ARP(op=2, hwsrc=OTHER_MAC, psrc=address, hwdst=GUEST_MAC, pdst=GUEST))


def answers_echo(wire, source=OTHER):
    """Does the guest answer a ping, from a machine whose ARP we answer ourselves?"""
    wire.drain()
    number = random.randrange(65536)
    wire.send(echo(number, src=source))
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        frame = wire.expect(lambda frame: is_request_for(frame, source) or is_reply(frame, number), 1)
        if frame is None:
            wire.send(echo(number, src=source))
        elif ARP in frame:
            tell_address(wire, source)
        else:
            return True
    return False


def counted(guest, counter, before, at_least=1, seconds=3):
    """Waits until `counter` is so much above what `before`, an answer of drops(), says."""
    deadline = time.monotonic() + seconds
    while True:
        after = drops(guest)
        rise = after[counter] - before[counter]
        if rise >= at_least or time.monotonic() > deadline:
            break
    rose = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert rise >= at_least, f"{counter} rose by {rise}; all that rose: {rose or 'nothing'}"
    return rise
