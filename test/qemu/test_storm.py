"""Random system calls, and the machine goes on as before: docs/fuzzing.md.

How many batches: VITRINE_STORM_BATCHES (5, with the same seeds each time; `ninja test-storm`: 300, with others
each time).
"""

import os
import random
import re

import pytest

from conftest import HOST
from harness.guest import Guest

FIXED_SEED = 1
FIXED_BATCHES = 5
SECONDS_A_BATCH = 20  # at most; most take one
SECONDS_TO_SETTLE = 200  # for a closed connection that gives up


def batches():
    return int(os.environ.get("VITRINE_STORM_BATCHES", FIXED_BATCHES))


def seed():
    return FIXED_SEED if batches() == FIXED_BATCHES else random.randrange(1 << 32)


@pytest.mark.parametrize("option", ["", "--user"], ids=["superuser", "user"])
def test_storm(tap, option, record_property):
    with Guest("--net", f"tap={tap.name}", "--ip", f"10.77.0.2/24,{HOST}", "--memory", "256M") as guest:
        guest.wait_for(r"net: eth0 10\.77\.0\.2/24")
        result = guest.run(f"/test/storm {option} --batches {batches()} --seed {seed()}",
                           SECONDS_A_BATCH * (batches() + 1) + SECONDS_TO_SETTLE)
        assert result.status == 0, result
        guest.check("ping -c 1 127.0.0.1")
        guest.check(f"ping -c 1 {HOST}")
        assert guest.check("ls / | sort | head -n 1") == "bin\n"
        record_property("report", re.search(r"\d+ calls in all", result.output)[0] + f" {option}")
