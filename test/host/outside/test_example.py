"""docs/host.md: its example runs, and its excerpts stand in the files that it names."""

import os
import re
import subprocess

import pytest

from vitrine import BUILD, TOP

SOURCES = ("test/host/programs/example.c", "test/host/unit/world_test.c")


def contents(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize("variant", ["host", "check"])
def test_example_runs(variant):
    result = subprocess.run([os.path.join(BUILD, variant, "example")], check=False, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=20)
    assert result.returncode == 0 and result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[-1].endswith("us: b received 'hello'")
    assert all("us: a frame of " in line for line in lines[:-1])


def test_excerpts_stand_in_the_code():
    code = "".join(contents(path) for path in SOURCES)
    excerpts = re.findall(r"^```c\n(.*?)^```", contents("docs/host.md"), re.MULTILINE | re.DOTALL)
    assert len(excerpts) >= 4
    for excerpt in excerpts:
        assert excerpt in code
