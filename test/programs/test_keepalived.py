"""Debian's keepalived: an address that belongs to whichever router has the highest rank (VRRP, RFC 5798)."""

import contextlib
import re
import socket
import struct
import subprocess
import threading

import pytest

PACKAGES = ["keepalived", "iproute2"]

GROUP, PROTOCOL = "224.0.0.18", 112
SHARED = "10.77.0.100"
ROUTER_ID = 51
GUEST_RANK, HOST_RANK = 100, 200
INTERVAL_S = 1

CONFIGURATION = f"""
vrrp_instance one {{
  state BACKUP
  interface eth0
  virtual_router_id {ROUTER_ID}
  priority {GUEST_RANK}
  advert_int {INTERVAL_S}
  virtual_ipaddress {{ {SHARED}/24 }}
}}
"""


@pytest.fixture(scope="module", params=["tap"])
def network(request):
    """Multicast needs a wire."""
    return request.param


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def advertisement(rank):
    """Version 2 (RFC 3768), without authentication."""
    parts = struct.pack(">BBBBBB", 0x21, ROUTER_ID, rank, 1, 0, INTERVAL_S), socket.inet_aton(SHARED) + bytes(8)
    return parts[0] + struct.pack(">H", checksum(parts[0] + bytes(2) + parts[1])) + parts[1]


@pytest.fixture
def wire(tap):
    """A socket of this machine that speaks and hears VRRP."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, PROTOCOL) as wire:
        own = socket.inet_aton(tap.address)
        wire.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + own)
        wire.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
        wire.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        wire.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        wire.settimeout(20)
        yield wire


def hear(wire, rank):
    """Waits for the guest's advertisement with this rank."""
    while True:
        packet, (source, _) = wire.recvfrom(2000)
        message = packet[(packet[0] & 15) * 4:]
        if source == "10.77.0.2" and message[:3] == bytes([0x21, ROUTER_ID, rank]):
            assert packet[8] == 255 and message == advertisement(rank)
            return


@contextlib.contextmanager
def higher_router(wire):
    """Claims the address as long as this lasts."""
    over = threading.Event()

    def claim():
        while not over.wait(INTERVAL_S / 4):
            wire.sendto(advertisement(HOST_RANK), (GROUP, 0))

    thread = threading.Thread(target=claim)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def router(guest):
    guest.write_file("/tmp/keepalived.conf", CONFIGURATION)
    guest.background("/usr/sbin/keepalived -n -l -D -f /tmp/keepalived.conf > /tmp/keepalived.log 2>&1")
    yield guest
    guest.run(f"killall -9 keepalived; ip addr del {SHARED}/24 dev eth0")


HAS_ADDRESS = f"ip -4 addr show eth0 | grep -q ' {SHARED}/24 '"


def test_the_address_goes_to_the_highest_router(router, wire):
    """Nobody else speaks: it takes the address. Somebody of higher rank does: it gives it up, and takes it back."""
    router.wait_until(HAS_ADDRESS, 30)
    hear(wire, GUEST_RANK)
    subprocess.run(["ping", "-n", "-c", "1", "-W", "10", SHARED], check=True)
    with higher_router(wire):
        router.wait_until(f"! {HAS_ADDRESS}", 30)
    router.wait_until(HAS_ADDRESS, 30)
    log = router.check("cat /tmp/keepalived.log")
    assert "equal priority" not in log, "it hears itself, though it asked not to"
    assert len(re.findall("Entering MASTER STATE", log)) >= 2


def test_it_says_farewell(router, wire):
    """With rank 0 the others need not wait; the address and the processes are gone."""
    router.wait_until(HAS_ADDRESS, 30)
    router.check("kill $(cat /run/keepalived.pid)")
    hear(wire, 0)
    router.wait_until("! pidof keepalived > /dev/null")
    router.check(f"! {HAS_ADDRESS}")
