"""The framed console: one byte stream that carries a command's output and the kernel's log.

Ordinary bytes are the command's.  SO text SI is one log line.  DLE says that the next byte is an
ordinary one although it looks like SO, SI or DLE.
"""

import os
import re
import signal
import sys
import threading

from . import processes

SO, SI, DLE = 0x0e, 0x0f, 0x10

END_OF_INPUT = b"\x04"
INTERRUPT = b"\x03"

EXIT = re.compile(rb"(?:\[[ \d.]+\] )?vitrine: exit (\d+)$")
PANIC = re.compile(rb"(?:\[[ \d.]+\] )?panic:")

# How long a command may go on after Ctrl-C until the user hears of the other way.
HINT_S = 1

# After its last words, how long the machine may take to switch itself off.
POWER_OFF_S = 5


class Decoder:
    """Takes the stream in pieces of any size; gives ordinary bytes and whole log lines."""

    def __init__(self):
        self._log = None       # the log line begun, or None outside of one
        self._escaped = False

    def feed(self, data):
        """Returns (ordinary bytes, list of log lines)."""
        ordinary, lines = bytearray(), []
        for byte in data:
            if self._escaped:
                self._escaped = False
                ordinary.append(byte)
            elif byte == DLE:
                self._escaped = True
            elif byte == SO:
                self._log = bytearray()
            elif byte == SI and self._log is not None:
                lines.append(bytes(self._log).rstrip(b"\r\n"))
                self._log = None
            elif self._log is not None:
                self._log.append(byte)
            else:
                ordinary.append(byte)
        return bytes(ordinary), lines


class Verdict:
    """What the log lines say about how the command ended."""

    def __init__(self):
        self.status = None
        self.panicked = False

    def hear(self, line):
        found = EXIT.match(line)
        if found:
            self.status = int(found.group(1))
        elif PANIC.match(line):
            self.panicked = True


def relay_input(machine):
    """Our input becomes what is typed on the guest's console; its end is Ctrl-D."""
    try:
        while True:
            data = os.read(sys.stdin.fileno(), 4096)
            machine.input.write(data or END_OF_INPUT)
            machine.input.flush()
            if not data:
                return
    except (OSError, ValueError):
        return  # the machine is gone, or there is no input


def pass_on_interrupt(machine):
    """The first Ctrl-C goes to the command; the next one ends the machine, as when the first came before the
    command ran, or the command does not care."""
    def handler(*_):
        signal.signal(signal.SIGINT, lambda *_: sys.exit(128 + signal.SIGINT))
        machine.input.write(INTERRUPT)
        machine.input.flush()
        hint = threading.Timer(HINT_S, print, ["tools/vm: Ctrl-C once more ends the machine"], {"file": sys.stderr})
        hint.daemon = True
        hint.start()
    signal.signal(signal.SIGINT, handler)


def write_all(stream, data):
    stream.buffer.write(data)
    stream.buffer.flush()


def relay_output(machine, verdict):
    """Until the machine closes its console."""
    decoder = Decoder()
    while True:
        data = os.read(machine.output.fileno(), 65536)
        if not data:
            return
        ordinary, lines = decoder.feed(data)
        if ordinary:
            write_all(sys.stdout, ordinary)
        for line in lines:
            verdict.hear(line)
            write_all(sys.stderr, line + b"\n")
        if verdict.status is not None or verdict.panicked:
            threading.Thread(target=machine.end_after, args=(POWER_OFF_S,), daemon=True).start()


def run(machine):
    """Relays the console until the machine stops; returns the exit status of tools/vm."""
    verdict = Verdict()
    pass_on_interrupt(machine)
    threading.Thread(target=relay_input, args=(machine,), daemon=True).start()
    try:
        relay_output(machine, verdict)
    except BrokenPipeError:
        # Whoever read our output is gone, and with nobody to take its output the machine would wait for ever.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")
        return 128 + signal.SIGPIPE
    if verdict.status is not None and not verdict.panicked:
        return verdict.status
    status = machine.wait()
    if machine.timed_out or status == processes.STATUS_OPTIONS:
        return status
    if not verdict.panicked:
        print(f"tools/vm: the machine stopped before the command ended (QEMU's status: {status})",
              file=sys.stderr)
    return processes.STATUS_STOPPED
