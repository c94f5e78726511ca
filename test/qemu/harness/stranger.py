"""The other end of a TCP connection with the guest, made by hand: every number of a segment is a test's to choose."""

import itertools
import random
import struct

from scapy.layers.inet import ICMP, IP, TCP
from scapy.packet import Raw

from .frames import GUEST, OTHER, checksum, ether, ip, is_request_for, tell_address

WINDOW = 65535
SYN_OPTIONS = [("MSS", 1460), ("SAckOK", b"")]

_ports = itertools.count(random.randrange(20000, 40000))


def with_raw_options(segment, options):
    """The segment (IP / TCP / data) with these bytes for its TCP options, whatever they say; its length is right."""
    options += bytes(-len(options) % 4)
    packet = bytes(segment)
    inner = bytearray(packet[20:40] + options + packet[40:])
    inner[12] = (5 + len(options) // 4) << 4
    inner[16:18] = b"\0\0"
    pseudo = packet[12:20] + struct.pack("!BBH", 0, 6, len(inner))
    inner[16:18] = struct.pack("!H", checksum(pseudo + bytes(inner) + bytes(len(inner) % 2)))
    return IP(**{"src": segment[IP].src, "dst": segment[IP].dst, "proto": 6}) / Raw(bytes(inner))


class Stranger:
    """One connection: `seq` is the next number it sends, `ack` the next it expects."""

    def __init__(self, wire, port=7, sport=None, address=OTHER):
        self.wire, self.port, self.address = wire, port, address
        self.sport = sport or next(_ports) % 20000 + 20000
        self.seq = random.randrange(1 << 32)
        self.ack = 0

    def tcp(self, flags="A", **fields):
        """A segment in order, as a scapy packet; `fields` change it. Data goes behind it with `/`."""
        ack = self.ack if "A" in flags else 0
        return ip(src=self.address) / TCP(**{"sport": self.sport, "dport": self.port, "flags": flags, "seq": self.seq,
                                             "ack": ack, "window": WINDOW, **fields})

    def send(self, segment):
        """Puts a packet on the wire as it is. Our numbers stay."""
        self.wire.send(ether() / segment)

    def say(self, data):
        """Data in order."""
        self.send(self.tcp("PA") / Raw(data))
        self.seq = self.move(len(data))

    def move(self, count):
        return (self.seq + count) % (1 << 32)

    def hear(self, matches=lambda tcp: True, seconds=3):
        """The first packet of the guest for this connection whose TCP header `matches`, or None. Answers ARP."""
        for frame in self.wire.frames(seconds):
            if is_request_for(frame, self.address):
                tell_address(self.wire, self.address)
            elif TCP in frame and self.is_ours(frame) and matches(frame[TCP]):
                return frame[IP]
        return None

    def is_ours(self, frame):
        return (frame[IP].src, frame[TCP].sport, frame[TCP].dport) == (GUEST, self.port, self.sport)

    def hear_all(self, seconds=0.3):
        """All packets for this connection within the time."""
        heard = []
        for frame in self.wire.frames(seconds):
            if is_request_for(frame, self.address):
                tell_address(self.wire, self.address)
            elif TCP in frame and self.is_ours(frame):
                heard.append(frame[IP])
        return heard

    def hear_no_more(self):
        """Forgets what came so far."""
        self.hear_all(0.05)

    def open(self, options=None, **fields):
        """A handshake. Returns the guest's SYN-ACK."""
        self.send(self.tcp("S", options=SYN_OPTIONS if options is None else options, **fields))
        answer = self.hear(lambda tcp: tcp.flags == "SA")
        assert answer is not None, "no SYN-ACK"
        assert answer[TCP].ack == self.move(1)
        self.seq = self.move(1)
        self.ack = (answer[TCP].seq + 1) % (1 << 32)
        self.send(self.tcp("A"))
        return answer

    def await_call(self, seconds=10):
        """The guest connects to us: its SYN, which is not answered yet."""
        for frame in self.wire.frames(seconds):
            if is_request_for(frame, self.address):
                tell_address(self.wire, self.address)
            elif TCP in frame and frame[IP].dst == self.address and frame[TCP].flags == "S":
                self.port, self.sport = frame[TCP].sport, frame[TCP].dport
                self.ack = (frame[TCP].seq + 1) % (1 << 32)
                return frame[IP]
        raise AssertionError("the guest did not call")

    def take(self, count, seconds=5):
        """So many bytes of the guest's data, in order and acknowledged; fewer when no more come."""
        data = b""
        while len(data) < count:
            packet = self.hear(lambda tcp: tcp.seq == self.ack and len(tcp.payload), seconds)
            if packet is None:
                break
            part = packet[IP].len - packet[IP].ihl * 4 - packet[TCP].dataofs * 4
            data += bytes(packet[TCP].payload)[:part]
            self.ack = (self.ack + part) % (1 << 32)
            self.send(self.tcp("A"))
        return data

    def hears_echo(self, data):
        """What is said comes back."""
        self.say(data)
        answer = self.hear(lambda tcp: bytes(tcp.payload)[:len(data)] == data)
        if answer is None:
            return False
        self.ack = (self.ack + len(data)) % (1 << 32)
        self.send(self.tcp("A"))
        return True

    def reset(self):
        self.send(self.tcp("R"))

    def icmp_error(self, kind, code, seq, **fields):
        """An error about a segment of the guest's with this number."""
        quoted = IP(src=GUEST, dst=self.address) / TCP(sport=self.port, dport=self.sport, seq=seq)
        self.send(ip() / ICMP(type=kind, code=code, **fields) / Raw(bytes(quoted)[:28]))
