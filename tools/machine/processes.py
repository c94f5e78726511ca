"""QEMU as a child process that never outlives tools/vm."""

import ctypes
import signal
import subprocess
import sys
import threading

STATUS_OPTIONS = 2
STATUS_TIMEOUT = 124
STATUS_STOPPED = 125

PR_SET_PDEATHSIG = 1

ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)

# QEMU's own when it does not take its options; it has told why. A machine that ran ends with another one.
QEMU_REFUSED = 1

# How long QEMU may take to end when it is asked to.
PATIENCE_S = 3


def die_with_parent():
    """Where the kernel is Linux, even kill -9 of this process ends QEMU (prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Machine:
    """A context manager around a running QEMU.

    Interactive: QEMU has this process's terminal.  Otherwise `input` and `output` are pipes to the
    guest's console.
    """

    def __init__(self, command, timeout, interactive):
        self._command = command
        self._interactive = interactive
        self._timeout = timeout
        self._timer = None
        self._qemu = None
        self.timed_out = False

    def __enter__(self):
        if self._interactive:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the guest's
        # Whatever ends this process ends QEMU, from the moment of its birth on.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
        self._start(before)
        try:
            for number in ENDING_SIGNALS:
                signal.signal(number, lambda number, _: sys.exit(128 + number))
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        except SystemExit:
            self._end()
            raise
        if self._timeout is not None:
            self._timer = threading.Timer(self._timeout, self._expire)
            self._timer.daemon = True
            self._timer.start()
        return self

    def _start(self, signal_mask):
        pipe = None if self._interactive else subprocess.PIPE
        # With a command, a terminal's Ctrl-C is for this process alone, which passes it on to the guest.
        group = None if self._interactive else 0

        def prepare():
            signal.pthread_sigmask(signal.SIG_SETMASK, signal_mask)
            die_with_parent()

        try:
            self._qemu = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, process_group=group,
                                          preexec_fn=prepare)
        except FileNotFoundError:
            sys.exit("tools/vm: qemu-system-aarch64 is not installed; `./configure.py --install` does that")

    def __exit__(self, *_):
        if self._timer:
            self._timer.cancel()
        self._end()

    @property
    def input(self):
        return self._qemu.stdin

    @property
    def output(self):
        return self._qemu.stdout

    def _expire(self):
        self.timed_out = True
        self._end()

    def _end(self):
        if self._interactive:
            self._qemu.terminate()  # so that it can set the terminal right
            try:
                self._qemu.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                pass
        self._qemu.kill()
        self._qemu.wait()

    def end_after(self, seconds):
        """Gives the guest time to switch itself off."""
        try:
            self._qemu.wait(seconds)
        except subprocess.TimeoutExpired:
            self._end()

    def wait(self):
        """Until QEMU ends: 0, 124 on timeout, 2 when it did not begin, or QEMU's own status."""
        status = self._qemu.wait()
        if self.timed_out:
            print(f"tools/vm: ended after {self._timeout:g} s", file=sys.stderr)
            return STATUS_TIMEOUT
        if status == QEMU_REFUSED:
            return STATUS_OPTIONS
        return status if status >= 0 else 128 - status
