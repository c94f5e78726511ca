"""Debian's traceroute: UDP, ICMP and TCP probes, through a router of the tests' own, and its MTU discovery."""

import re
import socket
import subprocess

import pytest

from room.guest import GUEST, HOST

PACKAGES = ["traceroute"]

TRACEROUTE = "/usr/bin/traceroute -n"

# Behind this machine, which forwards: a namespace of its own with one address.
FAR = "10.78.0.2"
NEAR = "10.78.0.1"
PORT = 8080


def ip(*words):
    subprocess.run(["ip", *words], check=True)


@pytest.fixture(scope="module")
def far(tap):
    """FAR, two hops from the guest: a process holds the namespace, a veth pair leads there."""
    holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo ready; exec cat"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    holder.stdout.readline()
    inside = ["nsenter", "-t", str(holder.pid), "-n"]
    ip("link", "add", "near0", "type", "veth", "peer", "name", "far0", "netns", str(holder.pid))
    ip("addr", "add", f"{NEAR}/24", "dev", "near0")
    ip("link", "set", "near0", "up")
    for words in (["addr", "add", f"{FAR}/24", "dev", "far0"], ["link", "set", "far0", "up"],
                  ["link", "set", "lo", "up"], ["route", "add", "default", "via", NEAR]):
        subprocess.run([*inside, "ip", *words], check=True)
    # Traces send more at once than Linux answers by default.
    for setting in ("ip_forward=1", "icmp_ratelimit=0"):
        for namespace in ([], inside):
            subprocess.run([*namespace, "sysctl", "-qw", f"net.ipv4.{setting}"], check=True)
    server = subprocess.Popen([*inside, "nc.openbsd", "-l", "-k", FAR, str(PORT)])
    yield inside
    server.terminate()
    server.wait()
    ip("link", "del", "near0")
    holder.stdin.close()
    holder.wait()


@pytest.fixture(scope="module", params=["tap"])
def network(request):
    """No user networking, which does not count hops."""
    return request.param


def hops(output):
    """The first address of each line."""
    return re.findall(r"^ ?\d+  (\d+\.\d+\.\d+\.\d+|\*)", output, re.MULTILINE)


@pytest.mark.parametrize("options", ["", "-I", f"-T -p {PORT}", "-U", "-N 1 -q 1"])
def test_two_hops(guest, far, options):
    output = guest.check(f"{TRACEROUTE} {options} -w 2 {FAR}", 60)
    assert hops(output) == [HOST, FAR], output


def test_closed_port_by_tcp(guest, far):
    output = guest.check(f"{TRACEROUTE} -T -p 9 -w 2 {FAR}", 60)
    assert hops(output) == [HOST, FAR], output


def test_mtu_of_the_path(guest, far):
    """--mtu: F=1400 where the second link carries less than the first."""
    ip("link", "set", "near0", "mtu", "1400")
    try:
        output = guest.check(f"{TRACEROUTE} --mtu -w 2 {FAR}", 60)
    finally:
        ip("link", "set", "near0", "mtu", "1500")
    assert "F=1500" in output and "F=1400" in output and hops(output)[-1] == FAR, output


def test_no_way(guest, far):
    """!N where the router knows no way on; Linux says so about once in a second."""
    output = guest.check(f"{TRACEROUTE} -w 2 -q 1 203.0.113.1", 60)
    assert set(hops(output)) <= {"*", HOST} and re.search("![NH]$", output, re.MULTILINE), output


def test_tries_that_nobody_answers(guest, far):
    """Bounded: stars, then the end."""
    output = guest.check(f"{TRACEROUTE} -m 4 -q 1 -w 1 10.78.0.99", 60)
    assert hops(output)[0] == HOST and len(hops(output)) <= 4, output


def test_this_machine_gets_the_answers_that_traceroute_waits_for(guest):
    """The guest says for each probe that nobody listens there: it is the last hop of its peers' traces."""
    for port in range(33434, 33438):
        with socket.socket(type=socket.SOCK_DGRAM) as probe:
            probe.connect((GUEST, port))
            probe.settimeout(5)
            probe.send(b"probe")
            with pytest.raises(ConnectionRefusedError):
                probe.recv(1)
