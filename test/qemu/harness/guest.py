"""A guest with a shell on its console, driven as a person would drive it."""

import os
import re
import subprocess
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.environ.get("VITRINE_BUILD", os.path.join(TOP, "build"))
VM = os.path.join(TOP, "tools/vm")
KERNEL = os.path.join(BUILD, "test/kernel.elf")
IMAGE = os.path.join(BUILD, "test/Image")
PROGRAMS = os.path.join(BUILD, "test/programs.cpio")  # Debian's iperf3 and dropbear, for --initrd

PROMPT = re.compile(r"[#$] (\x1b\[6n)?\r?$", re.MULTILINE)  # the kernel's log may follow at once
BOOT_LIMIT_S = 30


class Hang(AssertionError):
    """Something awaited did not come. The guest is of no further use."""


class Result:
    def __init__(self, status, output):
        self.status = status
        self.output = output

    def __repr__(self):
        return f"status {self.status}, output:\n{self.output}"


class Guest:
    """Boots `command` (default: tools/vm with `options`) and talks to its console.

    After a Hang the guest is ended; `alive` says so to fixtures that share it.
    """

    def __init__(self, *options, command=None, kernel=KERNEL):
        self.command = command or [VM, "--kernel", kernel, *options]
        self.alive = False
        self.boot_seconds = None
        self._text = ""       # all that the console showed
        self._changed = threading.Condition()
        self._counter = 0

    def start(self):
        began = time.monotonic()
        self._process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT)
        self.alive = True
        threading.Thread(target=self._read, daemon=True).start()
        self.wait_for(PROMPT, BOOT_LIMIT_S, what="the first prompt")
        self.boot_seconds = time.monotonic() - began
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def _read(self):
        while True:
            data = os.read(self._process.stdout.fileno(), 65536)
            with self._changed:
                if data:
                    self._text += data.decode(errors="replace")
                else:
                    self.alive = False
                self._changed.notify_all()
            if not data:
                return

    def stop(self):
        self.alive = False
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()

    @property
    def text(self):
        return self._text

    @property
    def process_id(self):
        return self._process.pid

    def mark(self):
        """A place in the console's text, to look only at what comes later."""
        return len(self._text)

    def send(self, text):
        """Types `text`, a str or bytes."""
        data = text if isinstance(text, bytes) else text.encode()
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the wait that follows tells more

    def wait_for(self, pattern, seconds=10, since=0, what=None):
        """The match of `pattern` in what the console shows after the mark `since`."""
        pattern = re.compile(pattern)
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                found = pattern.search(self._text, since)
                if found:
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or not self.alive:
                    break
                self._changed.wait(left)
        trouble = f"no sign of {what or pattern.pattern} within {seconds} s" if self.alive else "the machine ended"
        tail = self._text[-3000:]
        self.stop()
        raise Hang(f"{trouble}; the console's last words:\n{tail}")

    def start_command(self, command):
        """Types a command whose output and status `finish` will collect.

        The markers are typed in two halves, so that the echo of the typing is not taken for them.
        """
        self._counter += 1
        number = self._counter
        since = self.mark()
        self.send(f"echo 'beg''in-{number}'; {command}; echo \"en\"\"d-{number}:$?\"\n")
        return number, since

    def finish(self, started, seconds=20):
        number, since = started
        begin = self.wait_for(rf"begin-{number}\r?\n", seconds, since)
        end = self.wait_for(rf"end-{number}:(\d+)\r?\n", seconds, begin.end(), what="the end of the command")
        output = self._text[begin.end():end.start()].replace("\r\n", "\n")
        return Result(int(end.group(1)), output)

    def run(self, command, seconds=20):
        """Runs a command to its end and returns its Result."""
        return self.finish(self.start_command(command), seconds)

    def check(self, command, seconds=20):
        """As run, for a command that must succeed; returns its output."""
        result = self.run(command, seconds)
        assert result.status == 0, f"`{command}` failed: {result}"
        return result.output

    def background(self, command):
        """Starts a command in the background; returns its process id.

        The shell ignores SIGTERM, and so does its child until it has prepared itself: this waits for that, so that
        a `kill` that follows at once is not lost.
        """
        prepared = "while grep -q 'SigIgn:.*[4-7c-f]...$' /proc/$!/status 2> /dev/null; do :; done"
        output = self.check(f"{command} & echo process $!; {prepared}")
        return int(re.search(r"process (\d+)", output).group(1))


def run_vm(*options, command=None, kernel=KERNEL, seconds=60, **keywords):
    """tools/vm with a command: a CompletedProcess with text in stdout and stderr."""
    arguments = [VM, "--kernel", kernel, *options]
    if command is not None:
        arguments += ["--", command]
    return subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=seconds, check=False, text=True, errors="replace", **keywords)
