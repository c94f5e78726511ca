"""This machine's ends of TCP connections, and servers in the guest."""

import contextlib
import re
import socket
import subprocess
import threading
import time

from .guest import Hang

MIB = 1 << 20
PATIENCE_S = 30


def connect(address, port, seconds=PATIENCE_S):
    """A connection to a server that may be about to listen."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection = socket.create_connection((address, port), timeout=seconds)
            connection.settimeout(PATIENCE_S)
            return connection
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def listen(address):
    """A listener at a free port: (socket, port)."""
    listener = socket.create_server((address, 0))
    listener.settimeout(PATIENCE_S)
    return listener, listener.getsockname()[1]


def free_port():
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@contextlib.contextmanager
def started(*command, **options):
    """A program of this machine, which never outlives the block: a failed test must not wait for it."""
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def receive_exactly(connection, size):
    parts = []
    while size:
        part = connection.recv(min(size, MIB))
        assert part, f"the connection ended {size} bytes early"
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def receive_all(connection):
    return b"".join(iter(lambda: connection.recv(MIB), b""))


def pattern(size):
    return ((bytes(range(256)) * 257)[:65791] * (size // 65791 + 1))[:size]


def crc_of(output):
    """What `tput -c` printed."""
    return int(re.search(r"crc32 ([0-9a-f]{8})", output).group(1), 16)


def tool(*command, seconds=60, **keywords):
    """Runs a program of this machine to its end: a CompletedProcess with its text in stdout."""
    return subprocess.run([str(word) for word in command], check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=seconds, **keywords)


class Server:
    """A server in the guest, in the background for the time of a `with`, listening at `port`."""

    def __init__(self, guest, command, port):
        self._guest, self._command, self._port = guest, command, port

    def __enter__(self):
        self.process = self._guest.background(self._command)
        self._guest.check(f"until netstat -ltn 2> /dev/null | grep -q ':{self._port} '; do sleep 0.05; done")
        return self

    def __exit__(self, *_):
        if not self._guest.alive:
            return
        try:
            self._guest.run(f"kill {self.process}; wait {self.process}")
        except Hang:
            pass  # the guest is ended; the tests that need it say so


class Answers(threading.Thread):
    """An HTTP server of this machine that gives one answer after the other."""

    def __init__(self, address, *answers):
        super().__init__(daemon=True)
        self._listener, self.port = listen(address)
        self._answers, self.requests = answers, []
        self.start()

    def run(self):
        for answer in self._answers:
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                return  # the test did not want them all
            with connection:
                request = b""
                while not request.endswith(b"\r\n\r\n"):
                    request += connection.recv(65536)
                self.requests.append(request)
                connection.sendall(answer)


class Echo(threading.Thread):
    """An echo server of this machine, for one connection after another."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self._listener, self.port = listen(address)
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self._listener.accept()
                with connection:
                    while data := connection.recv(65536):
                        connection.sendall(data)
            except OSError:
                return

    def stop(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.join()
