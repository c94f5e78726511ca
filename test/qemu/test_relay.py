"""The link with faults: by itself, with machines on datagram sockets, and between TAPs."""

import os
import re
import socket
import subprocess
import time

import pytest

from conftest import GUEST_MAC, HOST_MAC
from harness import namespace
from harness.guest import TOP, Guest, run_vm
from harness.relay import PROGRAM, Peer, Relay
from harness.wire import drops

LAUNCHER = os.path.join(TOP, "tools/relay")
HOST, GUEST, OTHER = "10.77.0.1", "10.77.0.2", "10.77.0.3"


def frame(number, length=100):
    return number.to_bytes(4, "big").ljust(length, b".")


def numbers(frames):
    return [int.from_bytes(one[:4], "big") for one in frames]


@pytest.fixture
def paths(tmp_path):
    """Where the relay's two sockets are to be. Short: a socket's path has 107 characters."""
    return os.path.relpath(tmp_path / "a"), os.path.relpath(tmp_path / "b")


def joined(paths, **options):
    return Relay(f"unix={paths[0]}", f"unix={paths[1]}", **options)


# The command line

def run_relay(*arguments, program=PROGRAM, directory=None):
    return subprocess.run([program, *arguments], cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=10, check=False)


def test_help_names_every_option_and_fault():
    text = run_relay("--help", program=LAUNCHER).stdout
    for word in ("tap=", "unix=", "--faults", "--back", "--seed", "--pcap", "--seconds", "loss", "burst", "duplicate",
                 "corrupt", "reorder", "depth", "delay", "jitter", "rate", "queue", "mtu"):
        assert word in text


@pytest.mark.parametrize("arguments, complaint", [
    ("", "two ENDs"),
    ("unix=a", "two ENDs"),
    ("unix=a pipe=b", "neither tap=IFNAME nor unix=PATH"),
    ("--faults loss=200% unix=a unix=b", "loss=200%"),
    ("--faults losses=2% unix=a unix=b", "losses=2%"),
    ("--seed -1 unix=a unix=b", "-1"),
    ("--pcap /nonexistent/x unix=a unix=b", "/nonexistent/x"),
    ("--frobnicate", "--help"),
    (f"unix={'x' * 120} unix=b", "too long"),
    ("unix=/bin/sh unix=b", "no socket"),
    ("unix=/nonexistent/x unix=b", "No such file"),
    ("tap=nonexistent unix=b", "no such interface"),
])
def test_what_is_wrong_is_one_clear_line(arguments, complaint, tmp_path):
    result = run_relay(*arguments.split(), directory=tmp_path)
    assert result.returncode in (1, 2)
    assert complaint in result.stderr.splitlines()[-1]


def test_launcher_says_how_to_build(tmp_path):
    result = subprocess.run([LAUNCHER], env=dict(os.environ, VITRINE_BUILD=str(tmp_path)), check=False,
                            stderr=subprocess.PIPE, text=True)
    assert result.returncode == 1 and "ninja host" in result.stderr


# The relay by itself: no machine, no TAP, no root

def test_frames_pass_both_ways_whole(paths):
    with joined(paths) as relay, Peer(paths[0]) as left, Peer(paths[1]) as right:
        for length in (14, 60, 1514, 9014, 65535, 65549):
            sent = os.urandom(length)
            left.send(sent)
            assert right.receive() == sent
            right.send(sent)
            assert left.receive() == sent
        there, back = relay.stop()
    assert there["in"] == there["out"] == back["in"] == back["out"] == 6


def survivors(paths, seed, pause):
    faults = "loss=20%,duplicate=10%,burst=1%,burst-length=4,reorder=10%,depth=10"
    with joined(paths, faults=faults, seed=seed), Peer(paths[0]) as left, Peer(paths[1]) as right:
        frames = right.collect()
        for number in range(500):
            left.send(frame(number))
            time.sleep(pause)
        return numbers(frames())


def test_the_same_seed_and_frames_have_the_same_fate(paths):
    """At another time, and at another pace."""
    first = survivors(paths, 1, 0)
    assert 300 < len(first) < 500
    assert first != sorted(first)
    assert survivors(paths, 1, 0.0002) == first
    assert survivors(paths, 2, 0) != first


def test_a_slow_receiver_loses_nothing(paths):
    """The relay waits for room, and its sender for the relay."""
    count = 20000
    with joined(paths) as relay, Peer(paths[0]) as left, Peer(paths[1]) as right:
        frames = right.collect(pause=0.5)
        for number in range(count):
            left.send(frame(number, 1500))
        received = frames()
        there, _ = relay.stop()
    assert numbers(received) == list(range(count))
    assert there["refused"] == there["absent"] == 0


def test_a_rate_is_kept(paths):
    """200 frames of 1000 bytes at 4 Mbit/s: 0.4 s, and those that find the queue full are lost."""
    with joined(paths, faults="rate=4mbit,queue=150k") as relay, Peer(paths[0]) as left, Peer(paths[1]) as right:
        began = time.monotonic()
        frames = right.collect()
        for number in range(200):
            left.send(frame(number, 1000))
        received = frames()
        seconds = time.monotonic() - began - 0.5
        there, _ = relay.stop()
    assert there["queue"] == 200 - len(received)
    assert 140 <= len(received) < 200
    assert 3e6 < len(received) * 8000 / seconds < 4.2e6


def test_who_comes_late_or_again_is_served(paths):
    with joined(paths) as relay, Peer(paths[0]) as left:
        left.send(frame(0))
        time.sleep(0.1)  # nobody is there
        for number in (1, 2):
            with Peer(paths[1]) as right:
                left.send(frame(number))
                assert numbers([right.receive()]) == [number]
                right.send(frame(number))
                assert numbers([left.receive()]) == [number]
        there, _ = relay.stop()
    assert there["absent"] == 1


def test_a_full_receiver_that_goes_away_is_not_waited_for(paths):
    with joined(paths) as relay, Peer(paths[0]) as left:
        with Peer(paths[1]):
            for number in range(15):  # more than its queue takes, less than the relay's does besides
                left.send(frame(number))
        time.sleep(0.1)
        with Peer(paths[1]) as right:
            left.send(frame(99))
            assert numbers([right.receive()]) == [99]
        there, _ = relay.stop()
    assert there["absent"] > 0


# Machines on datagram sockets: no TAP, no root

def test_two_machines_joined_by_a_relay(paths, tmp_path):
    pcap = tmp_path / "frames"
    with joined(paths, faults="delay=20ms"), \
            Guest("--net", f"unix={paths[0]}", "--ip", f"{GUEST}/24") as guest:
        result = run_vm("--net", f"unix={paths[1]}", "--ip", f"{OTHER}/24", "--mac", "52:54:00:12:34:99", "--pcap",
                        str(pcap), command=f"/bin/ping -c 5 -i 0.2 {GUEST}")
        guest.check("true")
    assert result.returncode == 0, result
    assert "5 received" in result.stdout
    assert 40 <= float(re.search(r"= ([\d.]+)/", result.stdout).group(1)) < 60
    assert pcap.stat().st_size > 10 * 98
    assert not os.path.exists(f"{paths[1]}.vm")


# This machine's Linux on a TAP as the peer

@pytest.fixture
def line(tap, paths):
    """Boots a guest behind a relay whose other end is tap0: line(faults) gives both."""
    running = []

    def start(faults, seed=1, **options):
        relay = Relay(f"tap={tap.name}", f"unix={paths[0]}", faults=faults, seed=seed, **options)
        running.append(relay)
        guest = Guest("--net", f"unix={paths[0]}", "--ip", f"{GUEST}/24,{HOST}").start()
        running.append(guest)
        guest.wait_for(r"net: eth0 10\.77\.0\.2/24 .*\(static\)")
        # Both are to send, whatever becomes of their questions.
        guest.check(f"arp -s {HOST} {HOST_MAC}")
        namespace.ip("neigh", "replace", GUEST, "lladdr", GUEST_MAC, "dev", tap.name)
        return relay, guest

    yield start
    tap.forget_neighbours()
    for one in reversed(running):
        if isinstance(one, Guest):
            one.stop()
        elif one.counts is None:
            one.stop()


class Ping:
    """What the host's ping says."""

    def __init__(self, *options, target=GUEST, limit=60):
        output = subprocess.run(["ping", "-n", "-q", *options, target], check=False, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=limit).stdout
        self.output = output
        self.sent = int(re.search(r"(\d+) packets transmitted", output).group(1))
        self.received = int(re.search(r"(\d+) received", output).group(1))
        found = re.search(r"\+(\d+) duplicates", output)
        self.duplicates = int(found.group(1)) if found else 0
        found = re.search(r"= ([\d.]+)/", output)
        self.least_ms = float(found.group(1)) if found else None


def test_pings_over_a_bad_line(line):
    """Each way loses a fifth, so 64 % come back, and a few more by their doubles: within 5 deviations."""
    relay, guest = line("loss=20%,duplicate=5%,reorder=20%,depth=5")
    result = Ping("-c", "500", "-i", "0.005", "-W", "1")
    assert 0.55 <= result.received / result.sent <= 0.78, result.output
    assert 10 <= result.duplicates <= 80, result.output
    for counts in relay.stop():
        assert 0.15 <= counts["lost"] / counts["in"] <= 0.25
        assert counts["reordered"] > 0 and counts["duplicated"] > 0
        assert counts["refused"] == counts["absent"] == 0
    guest.check("true")


def test_fragments_survive_delay_and_reordering(line):
    """A ping of 8000 bytes is six frames; none is lost, so every datagram must come whole."""
    _, guest = line("delay=5ms,jitter=3ms,reorder=30%,depth=8")
    result = Ping("-c", "50", "-i", "0.05", "-s", "8000", "-W", "3")
    assert result.received == result.sent, result.output
    assert result.least_ms >= 10
    assert "20 received" in guest.check(f"/bin/ping -c 20 -i 0.05 -s 8000 {HOST}")


def test_what_is_damaged_does_not_get_through(line):
    """No checksum covers the link source address, one bit in 170 of these frames: one or two are answered."""
    count = 200
    relay, guest = line("corrupt=100%")
    echo = guest.background("udpecho")
    before = drops(guest)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.5)
        for number in range(count):
            sock.sendto(frame(number, 1000), (GUEST, 7))
            time.sleep(0.002)
        with pytest.raises(TimeoutError):
            sock.recv(2000)
    after = drops(guest)
    guest.check(f"kill {echo}")
    raised = {name: after[name] - before.get(name, 0) for name in after if after[name] > before.get(name, 0)}
    assert raised["UDP_BAD_CHECKSUM"] > count / 2 and raised["IP4_BAD_CHECKSUM"] > 0, raised
    assert count - 10 <= sum(raised.values()) <= count + 10, raised
    there, _ = relay.stop()
    assert there["corrupted"] == there["in"] == there["out"] >= count


def test_a_machine_behind_a_narrow_and_slow_line(line):
    """A ping of 1000 bytes at 1 Mbit/s takes 8.3 ms each way; longer packets than the line's are lost."""
    _, _ = line("rate=1mbit,mtu=1200")
    result = Ping("-c", "10", "-i", "0.1", "-s", "1000", "-W", "2")
    assert result.received == 10
    assert 16 <= result.least_ms < 30
    assert Ping("-c", "3", "-i", "0.05", "-s", "1300", "-W", "1").received == 0


class OtherNamespace:
    """A second network namespace, as long as a process sleeps in it."""

    def __enter__(self):
        self._process = subprocess.Popen(["unshare", "--net", "sleep", "1000"])
        own = os.readlink("/proc/self/ns/net")
        deadline = time.monotonic() + 5
        while os.readlink(f"/proc/{self._process.pid}/ns/net") == own:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def take(self, interface):
        namespace.ip("link", "set", interface, "netns", str(self._process.pid))

    def run(self, *command):
        subprocess.run(["nsenter", "-t", str(self._process.pid), "--net", *command], check=True)


def test_two_taps_with_a_delay(net_namespace):
    near, far = "10.78.0.1", "10.78.0.2"
    for name in ("near", "far"):
        namespace.ip("tuntap", "add", "dev", name, "mode", "tap")
    with Relay("tap=near", "tap=far", faults="delay=20ms") as relay, OtherNamespace() as other:
        namespace.ip("addr", "add", f"{near}/24", "dev", "near")
        namespace.ip("link", "set", "near", "up")
        other.take("far")
        other.run("ip", "addr", "add", f"{far}/24", "dev", "far")
        other.run("ip", "link", "set", "far", "up")
        result = Ping("-c", "10", "-i", "0.1", target=far)
        there, back = relay.stop()
    namespace.ip("link", "delete", "near")
    assert result.received == 10, result.output
    assert 40 <= result.least_ms < 50, result.output
    assert there["out"] >= 10 and back["out"] >= 10


def test_a_tap_that_is_deleted_ends_the_relay(net_namespace, paths):
    namespace.ip("tuntap", "add", "dev", "passing", "mode", "tap")
    with subprocess.Popen([PROGRAM, "tap=passing", f"unix={paths[0]}"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        namespace.ip("link", "delete", "passing")
        _, errors = process.communicate(timeout=5)
    assert process.returncode == 1
    assert errors == "relay: tap=passing: it was deleted\n"
