"""Raw frames on a TAP interface, and the guest's counters of what it dropped."""

import re
import select
import socket
import time

from scapy.config import conf
from scapy.layers.l2 import Ether

conf.checkIPaddr = False

ETH_P_ALL = 0x0003


class Wire:
    """Sends frames to the guest and sees those that it sends."""

    def __init__(self, tap):
        self.tap = tap
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.bind((tap.name, 0))

    def close(self):
        self._socket.close()

    def send(self, frame):
        """A scapy packet or bytes, as they are: no padding, no checks."""
        self._socket.send(bytes(frame))

    def frames(self, seconds):
        """The frames that the guest sends within `seconds`, as they come."""
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._socket], [], [], left)[0]:
                return
            data, address = self._socket.recvfrom(70000)
            if address[2] != socket.PACKET_OUTGOING:
                yield Ether(data)

    def expect(self, matches, seconds=3):
        """The first frame from the guest for which `matches` is true, or None."""
        for frame in self.frames(seconds):
            if matches(frame):
                return frame
        return None

    def drain(self):
        """Forgets what has arrived so far."""
        while select.select([self._socket], [], [], 0)[0]:
            self._socket.recv(70000)


def drops(guest):
    """/proc/net/drops as a dictionary: {reason: count}."""
    text = guest.check("cat /proc/net/drops")
    return {name: int(count) for name, count in re.findall(r"^\s*([A-Z][A-Z0-9_]+):?\s+(\d+)", text, re.MULTILINE)}
