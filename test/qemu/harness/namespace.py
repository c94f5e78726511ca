"""A network namespace for this process and its children, and TAP interfaces in it."""

import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000

# How often the host's ARP asks again, instead of once a second: tests boot many guests.
NEIGHBOUR_RETRY_MS = "20"
# And how many times, instead of three: for as long as elsewhere, so that a loaded machine is no silent one.
NEIGHBOUR_TRIES = "150"


def enter():
    """Moves this process into a new network namespace. Returns why that is not possible, or None."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        return f"no right to make a network namespace ({os.strerror(ctypes.get_errno())})"
    ip("link", "set", "lo", "up")
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        return f"no right to make a TAP interface ({error})"
    return None


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


class Tap:
    """A TAP interface of the namespace: the tests' end of a guest's wire."""

    def __init__(self, name, address, mac):
        self.name = name
        self.address = address.split("/")[0]
        self.mac = mac
        ip("tuntap", "add", "dev", name, "mode", "tap")
        if os.path.exists(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6"):
            write(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "1")
        write(f"/proc/sys/net/ipv4/neigh/{name}/retrans_time_ms", NEIGHBOUR_RETRY_MS)
        write(f"/proc/sys/net/ipv4/neigh/{name}/mcast_solicit", NEIGHBOUR_TRIES)
        ip("link", "set", name, "address", mac)
        ip("addr", "add", address, "broadcast", "+", "dev", name)
        ip("link", "set", name, "up")

    def forget_neighbours(self):
        ip("neigh", "flush", "dev", self.name)

    def remove(self):
        ip("link", "delete", self.name)
