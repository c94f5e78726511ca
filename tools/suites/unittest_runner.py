"""Runs one of CPython's test modules in the guest, test by test.

usage: python3 unittest_runner.py MODULE [TEST...]

Prints a line for each test: ">>> NAME RESULT" with RESULT one of pass, fail, skip, hang.  The tests run in
a process of their own; if none ends for LIMIT_S, that process is killed and the next one goes on with
the tests that are left.
"""

import os
import select
import signal
import subprocess
import sys
import tempfile
import unittest

LIMIT_S = 300


def flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flatten(test)
        else:
            yield test


def name_of(test):
    return test.id().removeprefix("test.").replace(" ", "_")


class Lines(unittest.TestResult):
    """A result that is told to the parent at once."""

    def __init__(self, stream):
        super().__init__()
        self._stream = stream
        self._verdict = None

    def _tell(self, *words):
        self._stream.write(" ".join(words) + "\n")
        self._stream.flush()

    def startTest(self, test):
        super().startTest(test)
        self._verdict = "pass"
        self._tell("start", name_of(test))

    def stopTest(self, test):
        super().stopTest(test)
        self._tell("end", name_of(test), self._verdict)

    def _failed(self, test, error):
        self._verdict = "fail"
        text = self._exc_info_to_string(error, test)
        sys.stderr.write(f"{name_of(test)}\n{text}\n")
        if not isinstance(test, unittest.TestCase):  # setUpClass, setUpModule
            self._tell("start", name_of(test))
            self._tell("end", name_of(test), "fail")

    def addError(self, test, err):
        super().addError(test, err)
        self._failed(test, err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._failed(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._failed(test, err)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._verdict = "fail"

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._verdict = "skip"
        sys.stderr.write(f"{name_of(test)}: skipped: {reason}\n")


def run_tests(module, chosen, left_out):
    """The child: file descriptor 1 is the parent's."""
    from test import support
    support.use_resources = []
    stream = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    tests = [test for test in flatten(unittest.defaultTestLoader.loadTestsFromName(module))
             if name_of(test) not in left_out and (not chosen or name_of(test) in chosen)]
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        unittest.TestSuite(tests).run(Lines(stream))


class Run:
    """A child, and what it has told so far."""

    def __init__(self, module, chosen, done):
        command = [sys.executable, os.path.abspath(__file__), "--child", module, ",".join(chosen), ",".join(done)]
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True)
        self._rest = b""
        self.running = None

    def lines(self):
        """Until the child ends, or says nothing for too long; a test under way stays in `running`."""
        while select.select([self._child.stdout], [], [], LIMIT_S)[0]:
            data = os.read(self._child.stdout.fileno(), 65536)
            if not data:
                break
            *whole, self._rest = (self._rest + data).split(b"\n")
            for line in whole:
                yield line.decode().split(" ")

    def end(self):
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._child.wait()


def supervise(module, chosen):
    done = []
    while True:
        run, running, some = Run(module, chosen, done), None, False
        for words in run.lines():
            some = True
            running = words[1]
            if words[0] == "end":
                print(">>>", words[1], words[2], flush=True)
                done.append(running)
                running = None
        run.end()
        if running:
            print(">>>", running, "hang", flush=True)
            done.append(running)
        elif not some or not chosen:
            return
        elif set(chosen) <= set(done):
            return


def words_of(text):
    return [word for word in text.split(",") if word]


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        run_tests(sys.argv[2], set(words_of(sys.argv[3])), set(words_of(sys.argv[4])))
    else:
        supervise(sys.argv[1], sys.argv[2:])
