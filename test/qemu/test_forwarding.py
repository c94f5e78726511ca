"""A guest with two cards as a router."""

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Ether

from conftest import GUEST_MAC
from harness.guest import Guest
from harness.namespace import Tap
from harness.wire import Wire, drops

LEFT_HOST, LEFT_GUEST, LEFT_MAC = "10.81.0.9", "10.81.0.1", "02:00:00:00:01:09"
RIGHT_HOST, RIGHT_GUEST, RIGHT_MAC = "10.82.0.9", "10.82.0.1", "02:00:00:00:02:09"


@pytest.fixture(scope="module")
def router(net_namespace):
    """The guest between two wires: (guest, left wire, right wire)."""
    taps = [Tap("tap1", "10.91.0.1/24", "02:00:00:00:01:01"), Tap("tap2", "10.92.0.1/24", "02:00:00:00:02:01")]
    guest = Guest("--net", "tap=tap1", "--net", "tap=tap2", "--mac", GUEST_MAC, "--append", "ip=off").start()
    guest.check(f"ifconfig eth0 {LEFT_GUEST} netmask 255.255.255.0 up")
    guest.check(f"ifconfig eth1 {RIGHT_GUEST} netmask 255.255.255.0 up")
    guest.check(f"arp -s {LEFT_HOST} {LEFT_MAC}; arp -s {RIGHT_HOST} {RIGHT_MAC}")
    wires = [Wire(tap) for tap in taps]
    yield guest, *wires
    guest.stop()
    for wire in wires:
        wire.close()
    for tap in taps:
        tap.remove()


def from_left(**fields):
    return (Ether(src=LEFT_MAC, dst=GUEST_MAC)
            / IP(**{"src": LEFT_HOST, "dst": RIGHT_HOST, "ttl": 10, **fields}) / UDP(sport=1, dport=2))


def forwarded(frame):
    return IP in frame and frame[IP].dst == RIGHT_HOST


def set_forwarding(guest, value):
    guest.check(f"echo {value} > /proc/sys/net/ipv4/ip_forward")


def test_off_by_default(router):
    guest, left, right = router
    assert guest.check("cat /proc/sys/net/ipv4/ip_forward") == "0\n"
    before = drops(guest)
    right.drain()
    left.send(from_left() / b"data")
    assert right.expect(forwarded, 0.5) is None
    assert drops(guest)["IP4_NOT_FOR_US"] > before["IP4_NOT_FOR_US"]


def test_forwards_and_counts_down_the_ttl(router):
    guest, left, right = router
    set_forwarding(guest, 1)
    right.drain()
    left.send(from_left() / b"data")
    frame = right.expect(forwarded)
    assert frame is not None
    assert frame.dst == RIGHT_MAC and frame[IP].ttl == 9 and frame[IP].src == LEFT_HOST
    checksum = frame[IP].chksum
    del frame[IP].chksum
    assert IP(bytes(frame[IP])).chksum == checksum


def test_expired_ttl_is_answered(router):
    guest, left, right = router
    set_forwarding(guest, 1)
    left.drain()
    left.send(from_left(ttl=1) / b"data")
    error = left.expect(lambda frame: ICMP in frame)
    assert error is not None and (error[ICMP].type, error[ICMP].code) == (11, 0)
    assert error[IP].src == LEFT_GUEST


def test_too_long_with_df_is_answered_with_the_mtu(router):
    guest, left, right = router
    set_forwarding(guest, 1)
    guest.check("ifconfig eth1 mtu 1000")
    left.drain()
    left.send(from_left(flags="DF") / bytes(1200))
    error = left.expect(lambda frame: ICMP in frame)
    assert error is not None and (error[ICMP].type, error[ICMP].code) == (3, 4)
    assert error[ICMP].nexthopmtu == 1000
    guest.check("ifconfig eth1 mtu 1500")


def test_too_long_without_df_is_fragmented(router):
    guest, left, right = router
    set_forwarding(guest, 1)
    guest.check("ifconfig eth1 mtu 1000")
    right.drain()
    left.send(from_left(id=5) / bytes(1200))
    pieces = [frame[IP] for frame in right.frames(0.7) if forwarded(frame)]
    guest.check("ifconfig eth1 mtu 1500")
    assert len(pieces) == 2
    assert {piece.frag for piece in pieces} == {0, 122} and all(piece.id == 5 for piece in pieces)


def test_no_route_is_answered(router):
    guest, left, right = router
    set_forwarding(guest, 1)
    left.drain()
    left.send(from_left(dst="198.51.100.1") / b"data")
    error = left.expect(lambda frame: ICMP in frame)
    assert error is not None and (error[ICMP].type, error[ICMP].code) == (3, 0)


def test_link_broadcasts_are_not_forwarded(router):
    guest, left, right = router
    set_forwarding(guest, 1)
    right.drain()
    frame = from_left() / b"data"
    frame.dst = "ff:ff:ff:ff:ff:ff"
    left.send(frame)
    left.send(from_left(dst="255.255.255.255") / b"data")
    left.send(from_left(dst="224.0.0.1") / b"data")
    assert right.expect(lambda frame: IP in frame and frame[IP].src == LEFT_HOST, 0.5) is None


def test_silent_neighbour_brings_host_unreachable(router):
    guest, left, right = router
    set_forwarding(guest, 1)
    left.drain()
    left.send(from_left(dst="10.82.0.77") / b"data")
    error = left.expect(lambda frame: ICMP in frame, 6)
    assert error is not None and (error[ICMP].type, error[ICMP].code) == (3, 1)


def test_each_card_answers_arp_for_its_own_address(router):
    guest, left, right = router
    left.drain()
    left.send(Ether(src=LEFT_MAC, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=LEFT_MAC, psrc=LEFT_HOST, pdst=LEFT_GUEST))
    reply = left.expect(lambda frame: ARP in frame and frame[ARP].op == 2)
    assert reply is not None and reply[ARP].hwsrc == GUEST_MAC
