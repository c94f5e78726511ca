"""Programs of this machine that the guest's programs meet."""

import os
import socket
import subprocess
import time

PATIENCE_S = 15


class Peer:
    """A program in the background. What it prints goes to a file, which `log` reads."""

    def __init__(self, command, directory, **keywords):
        self.name = os.path.basename(str(command[0]))
        self.directory = directory
        self._log = directory / "log"
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=subprocess.STDOUT, cwd=directory, **keywords)

    @property
    def alive(self):
        return self._process.poll() is None

    def log(self):
        return self._log.read_text(errors="replace")

    def wait_until(self, holds, what):
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert self.alive and time.monotonic() < deadline, f"{self.name}: {what}; it said:\n{self.log()}"
            time.sleep(0.02)

    def wait_for_log(self, text):
        self.wait_until(lambda: text in self.log(), f"no sign of {text!r}")

    def wait_for_port(self, port, address="127.0.0.1"):
        self.wait_until(lambda: accepts(address, port), f"does not listen on {address}:{port}")

    def wait(self, seconds=PATIENCE_S):
        """Its exit status, when it ends by itself."""
        return self._process.wait(seconds)

    def stop(self):
        if self.alive:
            self._process.terminate()
            try:
                self._process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()


def accepts(address, port):
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


class Peers:
    """Makes them, and ends them all."""

    def __init__(self, directories):
        self._directories, self._peers = directories, []

    def directory(self, name="peer"):
        """A new folder that every user may read."""
        directory = self._directories.mktemp(name)
        directory.chmod(0o755)
        return directory

    def start(self, *command, port=None, directory=None, **keywords):
        """With `port`: returns when the program listens on that TCP port of 127.0.0.1 (so, of 0.0.0.0)."""
        peer = Peer(command, directory or self.directory(os.path.basename(str(command[0]))), **keywords)
        self._peers.append(peer)
        if port:
            peer.wait_for_port(port)
        return peer

    def stop(self):
        for peer in reversed(self._peers):
            peer.stop()
