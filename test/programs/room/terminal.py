"""A program of this machine on a pseudo-terminal, driven as a person would drive it."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time

PATIENCE_S = 20

# busybox's shell asks where the cursor is, and draws its prompt anew when the window changes.
PROMPT = r"# (\x1b\[6n|\x1b\[J)*$"


class Terminal:
    """`text` is all that the program showed; `mark` and `wait_for` look at it."""

    def __init__(self, *command, rows=24, columns=80, environment=None):
        self._master, terminal = pty.openpty()
        self.resize(rows, columns)
        self._process = subprocess.Popen([str(word) for word in command], stdin=terminal, stdout=terminal,
                                         stderr=terminal, start_new_session=True, preexec_fn=take_terminal,
                                         env={**os.environ, "TERM": "vt100", **(environment or {})})
        os.close(terminal)
        self.text = ""
        self._ended = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _read(self):
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                data = b""
            with self._changed:
                self.text += data.decode(errors="replace")
                self._ended = not data
                self._changed.notify_all()
            if not data:
                return

    def mark(self):
        return len(self.text)

    def send(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        while data:
            data = data[os.write(self._master, data):]

    def wait_for(self, pattern, since=0, seconds=PATIENCE_S):
        """The match of `pattern` in what is shown after the mark `since`."""
        pattern = re.compile(pattern)
        deadline = time.monotonic() + seconds
        with self._changed:
            while not (found := pattern.search(self.text, since)):
                left = deadline - time.monotonic()
                trouble = f"no sign of {pattern.pattern!r}; the terminal shows:\n{self.text[-3000:]}"
                assert left > 0 and not self._ended, trouble
                self._changed.wait(left)
        return found

    def do(self, typed, pattern, seconds=PATIENCE_S):
        """Types, and waits for the answer."""
        since = self.mark()
        self.send(typed)
        return self.wait_for(pattern, since, seconds)

    def resize(self, rows, columns):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self):
        """As if the window were closed."""
        self._process.send_signal(signal.SIGHUP)
        self._process.wait(PATIENCE_S)

    def wait(self, seconds=PATIENCE_S):
        """Its exit status, when it ends by itself."""
        status = self._process.wait(seconds)
        self._reader.join(seconds)
        return status

    def close(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join(PATIENCE_S)
        os.close(self._master)


def take_terminal():
    """In the child: its standard input becomes its controlling terminal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
