"""The program vitrine-host, as the tests start it and talk to it."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "test/qemu"))

from conftest import HOST
from harness.guest import BUILD

ADDRESS = "10.77.0.2"
STATIC = ("--ip", f"{ADDRESS}/24,{HOST}", "--service", "echo,discard,chargen")
MAC = "02:00:00:00:00:77"
READY = r"net: eth0 10\.77\.0\.2/24 gateway 10\.77\.0\.1 \(static\)"


def program(variant="host"):
    return os.path.join(BUILD, variant, "vitrine-host")


class VitrineHost:
    """The running program and what it says."""

    def __init__(self, *options, variant="host", interface="tap0"):
        self._text = ""
        self._changed = threading.Condition()
        self._process = subprocess.Popen([program(variant), "--tap", interface, *options], stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            with self._changed:
                self._text += line.decode(errors="replace")
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, pattern, seconds=10):
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                found = re.search(pattern, self._text)
                if found:
                    return found
                left = deadline - time.monotonic()
                assert left > 0 and (self._reader.is_alive() or self._process.poll() is None), \
                    f"no sign of {pattern}; it said:\n{self._text}"
                self._changed.wait(min(left, 0.1))

    def end(self, number=signal.SIGTERM, seconds=10):
        """Ends it; its status and all that it said."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self.wait(seconds)

    def wait(self, seconds=10):
        try:
            self._process.wait(seconds)
        finally:
            self._process.kill()
        self._reader.join()
        return self._process.returncode, self._text

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        """It must end well, unless a test has ended it already."""
        status, text = self.end()
        if kind is None:
            assert status == 0, text


def ping(*options, address=ADDRESS):
    return subprocess.run(["ping", "-n", "-W", "2", *options, address], check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True).stdout


def udp_socket(port=0, timeout=3):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((HOST, port))
    sock.settimeout(timeout)
    return sock
