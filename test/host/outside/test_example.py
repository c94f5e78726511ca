"""The example of docs/host.md, as it stands there and as it runs."""

import os
import subprocess

import pytest

from vitrine import BUILD


@pytest.mark.parametrize("variant", ["host", "check"])
def test_example_runs(variant):
    result = subprocess.run([os.path.join(BUILD, variant, "example")], check=False, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=20)
    assert result.returncode == 0 and result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[-1].endswith("us: b received 'hello'")
    assert all("us: a frame of " in line for line in lines[:-1])
