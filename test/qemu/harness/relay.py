"""The link with faults, and a peer of its own on a datagram socket."""

import concurrent.futures
import os
import re
import signal
import socket
import subprocess
import time

from .guest import BUILD

PROGRAM = os.path.join(BUILD, "host/relay")
READY = re.compile(r"relay: seed (\d+)")


class Relay:
    """A running relay between two ends. After `stop` it has `counts`, one dictionary for each way."""

    def __init__(self, *ends, faults="", back=None, seed=1):
        options = ["--seed", str(seed), "--faults", faults]
        if back is not None:
            options += ["--back", back]
        self._process = subprocess.Popen([PROGRAM, *options, *ends], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline()
        assert READY.match(line), f"the relay did not start: {line}"
        self.counts = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.counts is None:
            self.stop()

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        output = self._process.communicate(timeout=10)[0]
        assert self._process.returncode == 0, output
        self.counts = [{name: int(count) for name, count in re.findall(r"(\w+) (\d+)", line.split(":", 1)[1])}
                       for line in output.splitlines()]
        return self.counts


class Peer:
    """Who stands where a machine would: at PATH.vm, while the relay is at PATH."""

    def __init__(self, path):
        self._relay = str(path)
        self._own = f"{path}.vm"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        if os.path.exists(self._own):
            os.unlink(self._own)
        self._socket.bind(self._own)
        self._socket.settimeout(3)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, frame):
        self._socket.sendto(frame, self._relay)

    def receive(self, seconds=3):
        """The next frame, or None when none comes."""
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(70000)
        except TimeoutError:
            return None

    def receive_all(self, seconds=0.5):
        """Frames until none has come for so long."""
        return list(iter(lambda: self.receive(seconds), None))

    def collect(self, pause=0):
        """Receives beside the caller's other work: a function that waits for the end and gives the frames."""
        pool = concurrent.futures.ThreadPoolExecutor(1)

        def work():
            time.sleep(pause)
            return self.receive_all()

        return pool.submit(work).result
