"""CPython's tests of sockets, select, epoll and asyncio: Debian's libpython3.11-testsuite."""

import os
import re
import shutil

MODULES = ["test_socket", "test_select", "test_epoll", "test_asyncio"]
RESULT = re.compile(r"^>>> (\S+) (pass|fail|skip|hang)\s*$", re.MULTILINE)


class CPython:
    packages = ["libpython3.11-testsuite", "python3.11"]

    def __init__(self, module):
        self.name = module

    def prepare(self, _build, share):
        shutil.copy(f"{os.path.dirname(__file__)}/unittest_runner.py", share)

    def command(self, tests):
        return f"cd /tmp && /usr/bin/python3.11 /share/unittest_runner.py test.{self.name} {' '.join(tests)}"

    def results(self, output):
        return dict(RESULT.findall(output.replace("\r", "")))
