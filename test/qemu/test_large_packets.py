"""A guest as a router for the host's own TCP, which hands over 64 KiB at a time where a card takes it.

One end of the connection is in the tests' namespace, the other in a second one, so that every byte passes through
the guest's two cards.
"""

import hashlib
import os
import re
import subprocess
import threading

import pytest

from harness.guest import IMAGE, Guest
from harness.namespace import Tap, ip

LENGTH = 24 << 20
SERVER = "10.92.0.1"
CLIENT_SIDE, SERVER_SIDE = "10.91.0.2", "10.92.0.2"

RECEIVE = f"""
import hashlib, socket
listener = socket.create_server(("{SERVER}", 5000))
print("ready", flush=True)
connection, _ = listener.accept()
digest = hashlib.sha256()
while data := connection.recv(1 << 20):
    digest.update(data)
print(digest.hexdigest(), flush=True)
"""

SEND = f"""
import socket, sys
with socket.create_connection(("{SERVER}", 5000), timeout=20) as connection:
    data = sys.stdin.buffer.read()
    connection.sendall(data)
"""


class OtherNamespace:
    """A namespace that lives as long as a process of ours in it."""

    def __init__(self):
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "1000"])
        while os.readlink(f"/proc/{self._holder.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            assert self._holder.poll() is None
        self.inside = ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net"]

    def take(self, interface, address):
        ip("link", "set", interface, "netns", str(self._holder.pid))
        self.run("ip", "addr", "add", address, "dev", interface)
        self.run("ip", "link", "set", interface, "up")

    def run(self, *command):
        subprocess.run([*self.inside, *command], check=True)

    def stop(self):
        self._holder.kill()
        self._holder.wait()


def machine(first, second, transport="mmio"):
    """QEMU with two cards and more to say about each."""
    command = ["qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a57", "-m", "128M", "-kernel", IMAGE,
               "-nographic", "-no-reboot", "-append", "ip=off"]
    if transport == "mmio":
        command += ["-global", "virtio-mmio.force-legacy=false"]
    for index, options in enumerate((first, second)):
        command += ["-netdev", f"tap,id=net{index},ifname=tap{index + 1},script=no,downscript=no",
                    "-device", f"virtio-net-device,netdev=net{index}{options}"]
    return command


def transfer(other):
    """Sends LENGTH bytes from here to the other namespace; what arrived and what was sent, as digests."""
    data = os.urandom(1 << 20) * (LENGTH >> 20)
    server = subprocess.Popen([*other.inside, "/usr/bin/python3", "-c", RECEIVE], stdout=subprocess.PIPE, text=True)
    end = threading.Timer(60, server.kill)
    end.start()
    try:
        assert server.stdout.readline() == "ready\n"
        subprocess.run(["/usr/bin/python3", "-c", SEND], input=data, check=True, timeout=60)
        return server.stdout.readline().strip(), hashlib.sha256(data).hexdigest()
    finally:
        end.cancel()
        server.kill()
        server.wait()


def card_counters(guest, name):
    """Bytes and packets received, bytes and packets sent."""
    text = guest.check("cat /proc/net/dev")
    numbers = [int(word) for word in re.search(rf"{name}:(.*)", text).group(1).split()]
    return numbers[0], numbers[1], numbers[8], numbers[9]


# What the first and the second card do without, and whether frames arrive and leave large.
CASES = {
    "all": ("", "", "mmio", True, True),
    "legacy": ("", "", "mmio-legacy", True, True),
    "unmerged": (",mrg_rxbuf=off", "", "mmio", True, True),
    "unmerged-legacy": (",mrg_rxbuf=off", "", "mmio-legacy", True, True),
    "no-indirect": (",indirect_desc=off", ",indirect_desc=off", "mmio", True, True),
    "segmented-here": ("", ",host_tso4=off", "mmio", True, False),
    "segmented-and-summed-here": ("", ",csum=off", "mmio", True, False),
    "small": (",guest_tso4=off", ",host_tso4=off", "mmio", False, False),
    "nothing": (",csum=off,guest_csum=off,mrg_rxbuf=off", ",csum=off,guest_csum=off,mrg_rxbuf=off", "mmio",
                False, False),
}


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES.keys())
def router(request, net_namespace):
    first, second, transport, large_in, large_out = request.param
    taps = [Tap("tap1", "10.91.0.1/24", "02:00:00:00:01:01"), Tap("tap2", "10.99.0.1/24", "02:00:00:00:02:01")]
    guest = Guest(command=machine(first, second, transport)).start()
    other = OtherNamespace()
    other.take("tap2", f"{SERVER}/24")
    guest.check(f"ifconfig eth0 {CLIENT_SIDE} netmask 255.255.255.0 up")
    guest.check(f"ifconfig eth1 {SERVER_SIDE} netmask 255.255.255.0 up")
    guest.check("echo 1 > /proc/sys/net/ipv4/ip_forward")
    ip("route", "add", "10.92.0.0/24", "via", CLIENT_SIDE)
    other.run("ip", "route", "add", "10.91.0.0/24", "via", SERVER_SIDE)
    yield guest, other, large_in, large_out
    guest.stop()
    other.stop()
    taps[0].remove()


def test_tcp_through_the_guest(router, record_property):
    guest, other, large_in, large_out = router
    arrived, sent = transfer(other)
    assert arrived == sent
    bytes_in, packets_in, _, _ = card_counters(guest, "eth0")
    _, _, bytes_out, packets_out = card_counters(guest, "eth1")
    mean_in, mean_out = bytes_in / packets_in, bytes_out / packets_out
    record_property("report", f"{LENGTH >> 20} MiB through the guest: frames of {mean_in:.0f} bytes in, {mean_out:.0f} out")
    assert (mean_in > 3000) == large_in
    assert (mean_out > 3000) == large_out
