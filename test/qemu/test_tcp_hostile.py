"""Hostile TCP from a machine of our own making: docs/hostile-inputs.md has the list.

After each the guest still answers a ping and serves an honest connection.
"""

import random
import re
import struct
import time

import pytest
from scapy.layers.inet import IP, TCP
from scapy.packet import Raw

from conftest import GUEST
from harness.frames import OTHER, TIME_EXCEEDED, UNREACHABLE, answers_echo, checksum, counted, ether
from harness.stranger import SYN_OPTIONS, Stranger, with_raw_options
from harness.tcp import Server, connect, receive_exactly
from harness.wire import drops

ECHO = 7
NOBODY = 4321
FRAGMENTATION_NEEDED, PORT_UNREACHABLE = 4, 3
MSS_FLOOR = 216
LEFT_KIB = 2048  # that may be gone after a flood: pages that tables grew by


@pytest.fixture(scope="module")
def echo_server(shared_static_guest):
    with Server(shared_static_guest.get(), f"tcpecho -p {ECHO}", ECHO) as server:
        yield server


@pytest.fixture
def stranger(guest, wire, echo_server):
    """An open connection with the guest's echo server."""
    assert answers_echo(wire)
    peer = Stranger(wire, ECHO)
    peer.open()
    peer.hear_no_more()
    yield peer
    peer.reset()
    still_serves(wire)


@pytest.fixture
def newcomer(guest, wire, echo_server):
    """One that is not connected yet."""
    assert answers_echo(wire)
    yield Stranger(wire, ECHO)
    still_serves(wire)


def still_serves(wire):
    assert answers_echo(wire), "the guest answers no more"
    with connect(GUEST, ECHO) as connection:
        connection.sendall(b"honest")
        assert receive_exactly(connection, 6) == b"honest"


def netstat(guest):
    """The counters of /proc/net/netstat."""
    lines = guest.check("cat /proc/net/netstat").splitlines()
    return {name: int(value) for names, values in zip(lines[::2], lines[1::2])
            for name, value in zip(names.split()[1:], values.split()[1:])}


def free_kib(guest):
    return int(re.search(r"MemFree:\s+(\d+) kB", guest.check("cat /proc/meminfo")).group(1))


def is_challenge(tcp):
    return tcp.flags == "A" and not tcp.payload


# Headers ----------------------------------------------------------------------------------------


def cut_to(segment, length):
    """The packet with only so many bytes of TCP."""
    return IP(src=OTHER, dst=GUEST, proto=6) / Raw(bytes(segment)[20:20 + length])


# name: (what to do with a right segment, the counter that rises)
HEADERS = {
    "offset-0": (lambda peer: peer.tcp("PA", dataofs=0) / b"data", "TCP_BAD_OFFSET"),
    "offset-1": (lambda peer: peer.tcp("PA", dataofs=1) / b"data", "TCP_BAD_OFFSET"),
    "offset-2": (lambda peer: peer.tcp("PA", dataofs=2) / b"data", "TCP_BAD_OFFSET"),
    "offset-3": (lambda peer: peer.tcp("PA", dataofs=3) / b"data", "TCP_BAD_OFFSET"),
    "offset-4": (lambda peer: peer.tcp("PA", dataofs=4) / b"data", "TCP_BAD_OFFSET"),
    "offset-past-the-segment": (lambda peer: peer.tcp("PA", dataofs=15) / b"data", "TCP_BAD_OFFSET"),
    "cut-at-1": (lambda peer: cut_to(peer.tcp(), 1), "TCP_SHORT"),
    "cut-at-19": (lambda peer: cut_to(peer.tcp(), 19), "TCP_SHORT"),
    "wrong-checksum": (lambda peer: peer.tcp("PA", chksum=0x1234) / b"data", "TCP_BAD_CHECKSUM"),
    "no-control-bits": (lambda peer: peer.tcp("") / b"data", "TCP_BAD_FLAGS"),
    "closed-port": (lambda peer: Stranger(peer.wire, NOBODY).tcp("S"), "TCP_NO_SOCKET"),
    "syn-in-the-window": (lambda peer: peer.tcp("S", seq=peer.move(100)), "TCP_BAD_SYN"),
    "syn-outside-the-window": (lambda peer: peer.tcp("S", seq=peer.move(1 << 31)), "TCP_BAD_SYN"),
    "syn-with-fin": (lambda peer: peer.tcp("SF"), "TCP_BAD_SYN"),
    "reset-in-the-window": (lambda peer: peer.tcp("R", seq=peer.move(100)), "TCP_BAD_RESET"),
    "reset-before-the-window": (lambda peer: peer.tcp("R", seq=peer.move(-1)), "TCP_BAD_RESET"),
    "reset-behind-the-window": (lambda peer: peer.tcp("R", seq=peer.move(1 << 30)), "TCP_BAD_RESET"),
    "ack-of-what-was-not-sent": (lambda peer: peer.tcp(ack=peer.ack + 1), "TCP_BAD_ACK"),
    "ack-from-long-ago": (lambda peer: peer.tcp(ack=(peer.ack - (1 << 20)) % (1 << 32)), "TCP_BAD_ACK"),
    "data-behind-the-window": (lambda peer: peer.tcp("PA", seq=peer.move(1 << 25)) / b"data", "TCP_OUTSIDE_WINDOW"),
    "data-from-long-ago": (lambda peer: peer.tcp("PA", seq=peer.move(-1000)) / b"data", "TCP_DUPLICATE"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_refused_segment(guest, stranger, name):
    """The counter rises, and the connection goes on as if it had not come."""
    make, counter = HEADERS[name]
    before = drops(guest)
    stranger.send(make(stranger))
    counted(guest, counter, before)
    stranger.hear_no_more()
    assert stranger.hears_echo(b"goes on")


def test_exact_reset(guest, stranger):
    before = drops(guest)
    stranger.reset()
    counted(guest, "TCP_RESET", before)
    stranger.send(stranger.tcp("PA") / b"x")
    assert stranger.hear().getlayer(TCP).flags == "R"


KINDS = [2, 3, 4, 5, 8, 34, 99, 254]


@pytest.mark.parametrize("length", [0, 1, 2, 255])
def test_option_length(guest, stranger, length):
    """In a connection the data counts, and in a SYN what stood before the odd option."""
    for kind in KINDS:
        stranger.send(with_raw_options(stranger.tcp("PA") / b"x", bytes([kind, length]) + b"\1" * 6))
        stranger.seq = stranger.move(1)
    stranger.say(b"end")
    echoed = b"x" * len(KINDS) + b"end"
    assert stranger.take(len(echoed)) == echoed
    for kind in (8, 34, 77):
        other = Stranger(stranger.wire, ECHO)
        other.send(with_raw_options(other.tcp("S"), bytes([2, 4, 3, 232, kind, length, 3, 3, 5, 4, 2])))
        answer = other.hear()
        assert answer is not None and answer[TCP].flags == "SA"
        assert bool(dict(answer[TCP].options).get("WScale")) == (length == 2)
        other.seq = other.move(1)
        other.reset()


# SACK -------------------------------------------------------------------------------------------


def sack_option(blocks, length=None):
    option = b"".join(struct.pack("!II", start % (1 << 32), end % (1 << 32)) for start, end in blocks)
    return b"\1\1" + bytes([5, len(option) + 2 if length is None else length]) + option


def test_sack_of_odd_lengths(guest, stranger):
    for length in [0, 1, 2, 3, 9, 11, 17, 19, 33, 35, 36, 255]:
        block = (stranger.ack, stranger.ack + 100)
        stranger.send(with_raw_options(stranger.tcp(), sack_option([block] * 4, length)))
    assert stranger.hears_echo(b"goes on")


def test_sack_edges(guest, stranger):
    """Reversed, empty, never sent, long ago."""
    before = netstat(guest)
    stranger.say(b"z" * 1000)  # whose echo is not acknowledged meanwhile
    assert stranger.hear(lambda tcp: len(tcp.payload)) is not None
    una = stranger.ack
    for start, end in [(una + 900, una + 100), (una + 5, una + 5), (una + 2000, una + 3000), (una + 1, una + 5000),
                       (una, una + 100), (una + 100, una + (1 << 31) + 200)]:
        stranger.send(with_raw_options(stranger.tcp(), sack_option([(start, end)])))
    assert netstat(guest)["TCPSACKDiscard"] >= before["TCPSACKDiscard"] + 6
    stranger.ack += 1000
    stranger.send(stranger.tcp())
    stranger.hear_no_more()
    assert stranger.hears_echo(b"goes on")


def test_mss_48_with_holes(guest, newcomer):
    """A full queue of the smallest segments there are, each second one SACKed."""
    newcomer.open([("MSS", 48), ("SAckOK", b"")])
    first, end = newcomer.ack, 0
    for _ in range(40):
        newcomer.say(b"m" * 1400)
        for packet in newcomer.hear_all(0.02):  # several segments may come as one packet
            end = max(end, (packet[TCP].seq - first) % (1 << 32) + len(packet[TCP].payload))
    assert end > 8 * MSS_FLOOR
    for start in range(end // MSS_FLOOR // 2 * 2 * MSS_FLOOR - MSS_FLOOR, 0, -2 * MSS_FLOOR):
        newcomer.send(with_raw_options(newcomer.tcp(), sack_option([(first + start, first + start + MSS_FLOOR)])))
    resent = newcomer.hear(lambda tcp: tcp.seq == first and len(tcp.payload) == MSS_FLOOR)
    assert resent is not None, "the first hole was not filled"
    newcomer.reset()


# Urgent data ------------------------------------------------------------------------------------


@pytest.mark.parametrize("pointer", [0, 1, 65535, 5])
@pytest.mark.parametrize("extra", ["none", "fin"])
def test_urgent_pointer(guest, stranger, pointer, extra):
    """The bytes but for the urgent one come back, and then the end."""
    stranger.send(stranger.tcp("PAUF" if extra == "fin" else "PAU", urgptr=pointer) / b"abc")
    stranger.seq = stranger.move(4 if extra == "fin" else 3)
    echoed = b"bc" if pointer == 1 else b"abc"
    assert stranger.take(len(echoed)) == echoed


def test_urgent_pointer_with_syn(guest, newcomer):
    newcomer.send(newcomer.tcp("SU", urgptr=65535, options=SYN_OPTIONS))
    answer = newcomer.hear()
    assert answer[TCP].flags == "SA"
    newcomer.seq = newcomer.move(1)
    newcomer.reset()


# Challenges -------------------------------------------------------------------------------------


def test_challenges_200_in_a_second(guest, stranger):
    before = netstat(guest)
    frames = [bytes(ether() / stranger.tcp(flags, seq=stranger.move(50), ack=stranger.ack + 1))
              for flags in ("R", "S", "A")]
    for number in range(200):
        stranger.wire.send(frames[number % 3])
    answers = [packet for packet in stranger.hear_all(1) if is_challenge(packet[TCP])]
    after = netstat(guest)
    assert 1 <= len(answers) <= 5
    assert answers[0][TCP].ack == stranger.seq and answers[0][TCP].seq == stranger.ack
    assert after["TCPChallengeACK"] - before["TCPChallengeACK"] <= 5
    assert after["TCPACKSkippedChallenge"] > before["TCPACKSkippedChallenge"]


# Data -------------------------------------------------------------------------------------------


def test_overlapping_data_first_wins(guest, stranger):
    stranger.send(stranger.tcp(seq=stranger.move(4)) / b"aaaa")
    stranger.send(stranger.tcp(seq=stranger.move(2)) / b"BBBBBBBB")
    stranger.send(stranger.tcp("PA") / b"cCCCCCCCCCCc")
    stranger.seq = stranger.move(12)
    assert stranger.take(12) == b"cCBBaaaaBBCc"


def single_bytes(stranger, offsets, **fields):
    """Frames of one byte each at these offsets; made by hand, since there are many."""
    frame = bytearray(bytes(ether() / stranger.tcp("A", **fields) / b"x") + b"\0")
    tcp, ports = 34, frame[26:34] + struct.pack("!BBH", 0, 6, 21)
    for offset in offsets:
        frame[tcp + 4:tcp + 8] = struct.pack("!I", stranger.move(offset))
        frame[tcp + 16:tcp + 18] = b"\0\0"
        frame[tcp + 16:tcp + 18] = struct.pack("!H", checksum(bytes(ports + frame[tcp:tcp + 22])))
        yield bytes(frame[:-1])


def test_single_bytes_out_of_order(guest, stranger):
    """100,000 of them, at every second byte: counted, and the memory stays."""
    free = free_kib(guest)
    before = netstat(guest)
    for frame in single_bytes(stranger, range(1, 200001, 2)):
        stranger.wire.send(frame)
    assert free - free_kib(guest) < 8192
    after = netstat(guest)
    assert after["TCPOFOQueue"] > before["TCPOFOQueue"] and after["TCPOFODrop"] > before["TCPOFODrop"]
    stranger.hear_no_more()


def test_a_window_of_single_bytes_in_order(guest, stranger):
    """To a process that does not read: the echo server, whose answers we do not take."""
    free = free_kib(guest)
    for frame in single_bytes(stranger, range(60000), window=0):
        stranger.wire.send(frame)
    assert free - free_kib(guest) < 8192
    stranger.hear_no_more()


# Windows ----------------------------------------------------------------------------------------


def test_window_0(guest, stranger):
    """What the echo server answers must wait; it is asked for again and again, and comes when the window opens."""
    before = netstat(guest)
    stranger.send(stranger.tcp("PA", window=0) / b"waits")
    stranger.seq = stranger.move(5)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        for packet in stranger.hear_all(0.2):
            assert len(packet[TCP].payload.original if packet[TCP].payload else b"") <= 6
            stranger.send(stranger.tcp(window=0))
    assert netstat(guest)["TCPWinProbe"] > before["TCPWinProbe"]
    stranger.send(stranger.tcp())
    assert stranger.hear(lambda tcp: bytes(tcp.payload).startswith(b"waits")) is not None


def test_shrinking_window(guest, stranger):
    stranger.say(b"s" * 1400)
    assert stranger.hear(lambda tcp: len(tcp.payload) > 1000) is not None
    for window in (100, 0, 50, 0):
        stranger.send(stranger.tcp(window=window))
        stranger.hear_all(0.3)
    stranger.ack += 700
    stranger.send(stranger.tcp())
    rest = stranger.hear(lambda tcp: tcp.seq == stranger.ack and len(tcp.payload) >= 700, 5)
    assert rest is not None
    stranger.ack += 700
    stranger.send(stranger.tcp())
    assert stranger.hears_echo(b"goes on")


# The beginning of connections -------------------------------------------------------------------


def test_syn_with_1400_bytes(guest, newcomer):
    newcomer.send(newcomer.tcp("S", options=SYN_OPTIONS) / (b"d" * 1400))
    answer = newcomer.hear()
    assert answer[TCP].flags == "SA" and answer[TCP].ack == newcomer.move(1)
    newcomer.seq, newcomer.ack = newcomer.move(1), answer[TCP].seq + 1
    newcomer.send(newcomer.tcp())
    assert newcomer.hears_echo(b"again")
    newcomer.reset()


def test_wrong_ack_in_syn_sent(guest, newcomer):
    """The guest connects to us; wrong answers bring resets, and the right one its connection."""
    before = drops(guest)
    started = guest.start_command(f"tput -n 1 -p 999 {OTHER}")
    newcomer.await_call()
    for flags in ("A", "SA"):
        for wrong in (newcomer.ack - 1, newcomer.ack + 1, newcomer.ack ^ (1 << 31)):
            newcomer.send(newcomer.tcp(flags, ack=wrong % (1 << 32)))
            answer = newcomer.hear(lambda tcp: "R" in tcp.flags)
            assert answer is not None and answer[TCP].seq == wrong % (1 << 32)
    newcomer.send(newcomer.tcp("R"))  # acknowledges nothing
    newcomer.send(newcomer.tcp("RA"))
    result = guest.finish(started)
    assert result.status == 1 and "refused" in result.output
    counted(guest, "TCP_BAD_ACK", before, 6)
    counted(guest, "TCP_BAD_RESET", before)


def call_and_close(guest, peer, sport):
    """The guest connects to us, says a byte and closes first: its end is in TIME_WAIT."""
    started = guest.start_command(f"tput -n 1 -p {sport} {OTHER}")
    peer.await_call()
    stamp = int(time.monotonic() * 1000) % (1 << 32)
    options = [("MSS", 1460), ("Timestamp", (stamp, 0))]
    peer.send(peer.tcp("SA", options=options))
    peer.seq = peer.move(1)
    end = peer.hear(lambda tcp: "F" in tcp.flags, 10)
    assert end is not None
    peer.ack = (end[TCP].seq + len(end[TCP].payload) + 1) % (1 << 32)
    peer.send(peer.tcp("FA", options=[("Timestamp", (stamp + 10, 0))]))
    peer.seq = peer.move(1)
    guest.finish(started)
    return stamp + 10


def test_old_timestamps_in_time_wait(guest, newcomer):
    stamp = call_and_close(guest, newcomer, 998)
    assert "TIME_WAIT" in guest.check("netstat -tan")
    before = drops(guest)
    newcomer.send(newcomer.tcp("S", seq=newcomer.move(1 << 20), options=[("Timestamp", (stamp - 1000, 0))]))
    newcomer.send(newcomer.tcp("FA", seq=newcomer.move(-1), options=[("Timestamp", (stamp - 1000, 0))]))
    newcomer.send(newcomer.tcp("PA", options=[("Timestamp", (stamp - 1000, 0))]) / b"late")
    counted(guest, "TCP_OLD_TIMESTAMP", before, 3)
    newcomer.send(newcomer.tcp("R", seq=newcomer.move(1000)))
    counted(guest, "TCP_BAD_RESET", before)
    assert "TIME_WAIT" in guest.check("netstat -tan")


# ICMP -------------------------------------------------------------------------------------------


def test_icmp_errors_outside_the_window(guest, stranger):
    before = netstat(guest)
    for seq in (stranger.ack + 1, stranger.ack - 1, stranger.ack ^ (1 << 31)):
        stranger.icmp_error(UNREACHABLE, PORT_UNREACHABLE, seq % (1 << 32))
        stranger.icmp_error(UNREACHABLE, FRAGMENTATION_NEEDED, seq % (1 << 32), nexthopmtu=600)
        stranger.icmp_error(TIME_EXCEEDED, 0, seq % (1 << 32))
    assert netstat(guest)["OutOfWindowIcmps"] >= before["OutOfWindowIcmps"] + 9
    assert stranger.hears_echo(b"goes on " * 100)  # in one segment: the path is as wide as it was


# Initial sequence numbers -----------------------------------------------------------------------


def isns(wire, ports):
    """The guest's answer to a SYN from each port."""
    numbers = []
    for port in ports:
        peer = Stranger(wire, ECHO, port)
        for _ in range(3):  # a frame may get lost on the way to a busy guest
            peer.send(peer.tcp("S", options=SYN_OPTIONS))
            answer = peer.hear(lambda tcp: tcp.flags == "SA", 1)
            if answer is not None:
                break
        assert answer is not None
        numbers.append(answer[TCP].seq)
        peer.seq = peer.move(1)
        peer.reset()
    return numbers


def rises(numbers):
    return sum(later > earlier for earlier, later in zip(numbers, numbers[1:]))


def test_1000_isns_from_one_pair_of_ends(guest, newcomer):
    """They move on by the clock of 4 us, none twice."""
    numbers = isns(newcomer.wire, [12345] * 1000)
    steps = [(later - earlier) % (1 << 32) for earlier, later in zip(numbers, numbers[1:])]
    assert len(set(numbers)) == 1000
    assert all(0 < step < 1 << 24 for step in steps)


def test_1000_isns_from_many_ends(guest, newcomer):
    numbers = isns(newcomer.wire, range(10000, 11000))
    assert len(set(numbers)) == 1000
    assert 420 < rises(numbers) < 580


# Floods: what comes later finds the listener's backlog full, and gets cookies --------------------


def test_syn_flood_with_an_honest_client(guest, newcomer):
    """20,000 SYNs from as many places; cookies serve who means it."""
    before, free = netstat(guest), free_kib(guest)
    frame = bytearray(bytes(ether() / newcomer.tcp("S")))
    for number in range(20000):
        frame[24:26] = b"\0\0"
        frame[26:30] = bytes([10, 77, 100 + number // 250 % 100, number % 250])
        frame[24:26] = struct.pack("!H", checksum(bytes(frame[14:34])))
        frame[34:36] = struct.pack("!H", 1024 + number)
        frame[50:52] = b"\0\0"
        frame[50:52] = struct.pack("!H", checksum(bytes(frame[26:34]) + struct.pack("!BBH", 0, 6, 20) +
                                                  bytes(frame[34:54])))
        newcomer.wire.send(frame)
        if number % 4000 == 3999:
            still_serves(newcomer.wire)
    after = netstat(guest)
    assert after["SyncookiesSent"] > before["SyncookiesSent"]
    assert free - free_kib(guest) < LEFT_KIB


def test_forged_cookies(guest, newcomer):
    before = drops(guest)
    for _ in range(1000):
        newcomer.ack = random.randrange(1 << 32)
        newcomer.send(newcomer.tcp())
    counted(guest, "TCP_BAD_COOKIE", before, 500)
    assert newcomer.hear(lambda tcp: tcp.flags == "SA", 0.2) is None


# And after a reboot -----------------------------------------------------------------------------


def test_isns_after_a_reboot(shared_static_guest, wire, echo_server):
    """The last test: the guest starts anew, and so do the numbers."""
    ports = range(11000, 11200)
    assert answers_echo(wire)
    first = isns(wire, ports)
    shared_static_guest.stop()
    again = shared_static_guest.get()
    again.wait_for(r"net: eth0 10\.77\.0\.2/24")
    with Server(again, f"tcpecho -p {ECHO}", ECHO):
        assert answers_echo(wire)
        second = isns(wire, ports)
        still_serves(wire)
    differences = [(later - earlier) % (1 << 32) for earlier, later in zip(first, second)]
    assert not set(first) & set(second)
    assert len(set(differences)) == len(differences) and 60 < rises(differences) < 140
