"""Memory that runs out: one program ends, with a line in the log, and the machine goes on."""

import re

import pytest

from harness.guest import Guest

TAKE = "/test/take_memory"
KILLED = 128 + 9


@pytest.fixture(scope="module")
def machine():
    with Guest("--net", "none", "--memory", "96M") as guest:
        yield guest


def free_kib(guest):
    return int(re.search(r"MemFree: +(\d+)", guest.check("cat /proc/meminfo"))[1])


def wait_until_free(guest, kib):
    guest.check(f"until [ $(grep MemFree /proc/meminfo | tr -dc 0-9) -ge {kib} ]; do sleep 0.05; done", 30)


def log_since(guest, mark):
    return re.findall(r"out of memory: killed (\w+)\[(\d+)\], which held (\d+) KiB", guest.text[mark:])


@pytest.mark.parametrize("kind", ["private", "shared", "tables", "pipes", "sockets", "descriptors"])
def test_who_takes_everything_is_ended(machine, kind):
    before = free_kib(machine)
    mark = machine.mark()
    result = machine.run(f"{TAKE} {kind}", 60)
    assert result.status == KILLED, result
    (name, _, kib), = log_since(machine, mark)
    assert name == "take_memory" and int(kib) > before / 3
    wait_until_free(machine, before - 512)


def test_a_file_system_that_is_full(machine):
    """No reason to kill anybody: the writer hears of it."""
    before, mark = free_kib(machine), machine.mark()
    pid = machine.background(f"{TAKE} memfd")
    machine.wait_for(r"took \d+: No space left on device", 30, mark)
    machine.check("ls / > /dev/null")
    machine.run(f"kill -9 {pid}; wait")
    wait_until_free(machine, before - 512)


def test_the_largest_goes_whoever_asks(machine):
    """A small program that needs a page when there is none gets one; the large one ends."""
    mark = machine.mark()
    large = machine.background(f"{TAKE} private")
    small = machine.background("sh -c 'while :; do seq 100 | sort > /dev/null; done'")
    machine.wait_for(rf"out of memory: killed take_memory\[{large}\]", 60, mark)
    machine.check(f"until ! kill -0 {large} 2> /dev/null; do sleep 0.05; done")
    machine.check(f"kill -0 {small} && kill -9 {small}; wait")
    assert [name for name, _, _ in log_since(machine, mark)] == ["take_memory"]


def test_wishes_are_heard(machine):
    """oom_score_adj: the first to go, or never."""
    mark = machine.mark()
    spared = machine.background(f"sh -c 'echo -1000 > /proc/self/oom_score_adj; exec {TAKE} private 30'")
    machine.wait_for("took 30: enough", 30, mark)
    assert machine.check(f"cat /proc/{spared}/oom_score") == "0\n"
    first = machine.background(f"sh -c 'echo 1000 > /proc/self/oom_score_adj; exec {TAKE} private 5'")
    machine.wait_for("took 5: enough", 30, mark)
    assert int(machine.check(f"cat /proc/{first}/oom_score")) > 1000
    assert machine.run(f"{TAKE} private", 60).status == KILLED
    assert [int(pid) for _, pid, _ in log_since(machine, mark)][0] == first
    machine.check(f"kill -0 {spared} && kill -9 {spared}; wait")


def test_a_fork_bomb_is_bounded(machine):
    """Others can still do their work with what is left, and it can be ended."""
    before, mark = free_kib(machine), machine.mark()
    machine.send(f"{TAKE} children &\n")
    machine.wait_for(r"took \d+: Resource temporarily unavailable", 60, mark)
    threads = int(re.search(r"/(\d+) ", machine.check("read line < /proc/loadavg; echo \"$line\""))[1])
    assert threads <= int(machine.check("read n < /proc/sys/kernel/threads-max; echo $n"))
    # The shell's own commands, because there is no room for another process.
    machine.check("for p in /proc/[0-9]*; do read name < $p/comm; [ $name != take_memory ] || kill -9 ${p#/proc/}; done; wait", 60)
    machine.check("until ! pidof take_memory > /dev/null; do sleep 0.05; done", 30)
    wait_until_free(machine, before - 2048)


def test_a_users_fork_bomb_leaves_room(machine):
    """RLIMIT_NPROC bounds an ordinary user, so that the superuser can start what ends it."""
    before, mark = free_kib(machine), machine.mark()
    machine.send(f"{TAKE} users-children &\n")
    machine.wait_for(r"took \d+: Resource temporarily unavailable", 60, mark)
    machine.check("ls / | sort > /dev/null")
    machine.check("until ! pidof take_memory > /dev/null; do killall -9 take_memory; done; wait", 60)
    wait_until_free(machine, before - 2048)
