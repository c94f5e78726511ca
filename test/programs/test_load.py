"""Twenty-four programs at once; and each of them killed in the middle of its work.

Memory stays flat, and nothing is left afterwards: no process, file, socket, packet or page.  How long they
work: VITRINE_LOAD_SECONDS (30; `ninja test-load`: 600).
"""

import re
import time

import pytest

from room import crowd

PACKAGES = crowd.PACKAGES
MEMORY = "1G"

SAMPLES = 24

# KiB. What the kernel keeps for the next time: slabs that are not empty, stacks for threads.
SLACK = {"MemFree": 3072, "AnonPages": 64, "PageTables": 64, "KernelStack": 256, "Slab": 1536, "Shmem": 512}
RING = 4  # packets that the device has sent and the driver takes back when it sends the next
FLAT_KIB = 12 * 1024  # what comes and goes under load: connections in TIME-WAIT, buffers


@pytest.fixture(scope="module", params=["tap"])
def network(request):
    return request.param


@pytest.fixture(scope="module")
def share(tmp_path_factory):
    directory = tmp_path_factory.mktemp("share")
    crowd.fill_share(directory)
    return directory


@pytest.fixture(scope="module")
def servers(peers, share):
    """This machine's: for curl and wget, for iperf3."""
    peers.start("/usr/bin/python3", "-m", "http.server", "-d", share, "-b", "0.0.0.0", crowd.WEB_PORT,
                port=crowd.WEB_PORT)
    peers.start("/usr/bin/iperf3", "-s", "-p", crowd.IPERF_PORT, port=crowd.IPERF_PORT)


@pytest.fixture
def ready_guest(guest, servers):
    if guest.run("test -d /tmp/rounds").status != 0:
        crowd.prepare_guest(guest)
    guest.check("rm -f /tmp/rounds/*")
    return guest


def counters(guest):
    """Numbers that show a leak."""
    text = guest.check("cat /proc/meminfo /proc/net/sockstat /proc/net/sk_buffs /proc/sys/fs/file-nr")
    found = {name: int(kib) for name, kib in re.findall(r"^(\w+): +(\d+) kB", text, re.MULTILINE)}
    found["sockets"] = int(re.search(r"sockets: used (\d+)", text)[1])
    found["orphans"] = int(re.search(r"orphan (\d+)", text)[1])
    found["packets"] = int(re.search(r"^live (\d+)", text, re.MULTILINE)[1])
    found["files"] = int(re.search(r"^(\d+)\t0\t", text, re.MULTILINE)[1])
    return found


def difference(before, after):
    """What is left of one but not of the other, in words."""
    left = [f"{name} {before[name]} -> {after[name]}"
            for name, slack in (("sockets", 0), ("orphans", 0), ("files", 0), ("packets", RING))
            if after[name] > before[name] + slack]
    for name, slack in SLACK.items():
        lost = before[name] - after[name] if name == "MemFree" else after[name] - before[name]
        if lost > slack:
            left.append(f"{name} {before[name]} -> {after[name]} KiB")
    return ", ".join(left)


def pids(guest):
    return set(map(int, guest.check("echo /proc/[0-9]*").replace("/proc/", "").split()))


def kill_all_but(guest, spared):
    """Until nobody is left, since some start others meanwhile."""
    for _ in range(50):
        others = pids(guest) - spared
        if not others:
            return
        guest.run(f"kill -9 {' '.join(map(str, sorted(others)))} 2> /dev/null")
        guest.run("wait")
    raise AssertionError(f"not to be killed: {others}: " + guest.check("ps"))


def settle(guest, before, seconds=60):
    """The counters, once nothing is left over; or after that time."""
    guest.run("rm -rf /tmp/log/* /tmp/rounds/* /tmp/captured /tmp/*.log")
    deadline = time.monotonic() + seconds
    while difference(before, counters(guest)) and time.monotonic() < deadline:
        time.sleep(0.5)
    return counters(guest)


def run(guest, programs, seconds, sample=lambda: None):
    """The programs work together for a while and are then killed in the middle of it."""
    spared = pids(guest)
    for program in programs:
        program.start(guest)
    workers = crowd.Workers(programs)
    for _ in range(SAMPLES):
        time.sleep(seconds / SAMPLES)
        sample()
    counts = {program.name: program.count(guest) for program in programs}
    workers.failures_are_expected()
    kill_all_but(guest, spared)
    workers.join()
    return counts


def test_all_at_once(ready_guest, share, record_property):
    guest, programs, free = ready_guest, crowd.crowd(share), []
    assert len(programs) == 24
    run(guest, crowd.crowd(share), 8)  # what the kernel keeps from now on counts as taken
    before = settle(guest, counters(guest), 5)
    guest.check("mkdir -p /tmp/rounds")

    counts = run(guest, programs, crowd.seconds(), lambda: free.append(counters(guest)["MemFree"]))

    idle = {name: guest.check(f"tail -n 3 /tmp/log/{name}") for name, count in counts.items() if count == 0}
    failures = {program.name: (program.failures[:3], guest.check(f"tail -n 5 /tmp/log/{program.name}"))
                for program in programs if program.failures}
    quarter = SAMPLES // 4
    early, late = sum(free[quarter:2 * quarter]) / quarter, sum(free[-quarter:]) / quarter
    assert early - late < FLAT_KIB, f"free memory in the course of time, KiB: {free}"
    after = settle(guest, before)
    assert not difference(before, after), difference(before, after)
    assert not idle and not failures, f"idle: {idle}\nfailures: {failures}\nrounds: {counts}"
    record_property("report", f"24 programs for {crowd.seconds():.0f} s: {sum(counts.values())} rounds; free memory "
                              f"{before['MemFree']} KiB before, {early:.0f} early, {late:.0f} late, "
                              f"{after['MemFree']} after")


@pytest.mark.parametrize("number", range(24))
def test_killed_in_the_middle_of_its_work(ready_guest, share, number):
    """With the servers that it needs, which are killed as well."""
    programs = crowd.crowd(share)
    wanted = programs[number]
    needed = {"haproxy": ("nginx", "lighttpd"), "redis-benchmark": ("redis-server",), "dig": ("dnsmasq",),
              "tcpdump": ("curl",)}
    helpers = [program for program in programs if program.name in needed.get(wanted.name, ())]
    before = counters(ready_guest)
    run(ready_guest, helpers + [wanted], 1.5)
    assert not wanted.failures
    after = settle(ready_guest, before)
    assert not difference(before, after), difference(before, after)
