"""Debian's nmap in the guest scans this machine, and this machine's scans the guest."""

import os
import re
import shutil
import socket
import subprocess

import pytest

PACKAGES = ["nmap"]

# On the way are a listener of each kind at OPEN, and nobody at CLOSED.
OPEN = 8123
CLOSED = 8124
NMAP = "/usr/bin/nmap -n"


@pytest.fixture(scope="module")
def listener():
    with socket.create_server(("0.0.0.0", OPEN)) as server, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(("0.0.0.0", OPEN))
        yield server


def ports(output):
    """Port and protocol -> state."""
    return dict(re.findall(r"^(\d+/\w+)\s+(\S+)", output, re.MULTILINE))


def expected(protocol, open_state="open"):
    return {f"{OPEN}/{protocol}": open_state, f"{CLOSED}/{protocol}": "closed"}


def test_is_it_up(guest):
    """-sn: ARP on a link of one's own."""
    output = guest.check(f"{NMAP} -sn {guest.host}", 60)
    assert "Host is up" in output and "MAC Address: " in output


def test_who_is_there_on_the_whole_link(guest):
    """256 addresses asked for by ARP."""
    if guest.network == "user":
        pytest.skip("user networking answers for addresses of its own")
    output = guest.check(f"{NMAP} -sn {guest.address}/24", 90)
    assert "256 IP addresses (2 hosts up)" in output, output


@pytest.mark.parametrize("scan", ["-sT", "-sS"])
def test_tcp(guest, listener, scan):
    output = guest.check(f"{NMAP} {scan} -p {OPEN},{CLOSED} {guest.host}", 60)
    assert ports(output) == expected("tcp"), output


@pytest.mark.parametrize("scan, states", [
    ("-sF", ("open|filtered", "closed")), ("-sX", ("open|filtered", "closed")), ("-sA", ("unfiltered", "unfiltered"))])
def test_segments_of_other_kinds(guest, listener, scan, states):
    """Made by hand on a raw socket; the answers are of the peer's stack."""
    if guest.network == "user":
        pytest.skip("user networking is no peer's TCP")
    output = guest.check(f"{NMAP} {scan} -p {OPEN},{CLOSED} {guest.host}", 60)
    assert ports(output) == dict(zip((f"{OPEN}/tcp", f"{CLOSED}/tcp"), states)), output


def test_udp(guest, listener):
    """ICMP says that a port is closed; of the other one nothing is heard."""
    if guest.network == "user":
        pytest.skip("user networking sends ICMP errors of its own making")
    output = guest.check(f"{NMAP} -sU -p {OPEN},{CLOSED} {guest.host}", 90)
    assert ports(output) == expected("udp", "open|filtered"), output


def test_many_ports(guest, listener):
    """A thousand ports, most of them closed."""
    output = guest.check(f"{NMAP} -sS -T4 -p 8000-8999 {guest.host}", 120)
    assert ports(output)[f"{OPEN}/tcp"] == "open" and re.search(r"Not shown: 99\d closed tcp ports \(reset\)", output), output


def test_fragments_and_a_wrong_checksum(guest, listener):
    """-f: headers of the scanner's own in fragments of 8 bytes; --badsum is answered by nobody."""
    if guest.network == "user":
        pytest.skip("user networking is no peer's IP")
    assert ports(guest.check(f"{NMAP} -sS -f -p {OPEN} {guest.host}", 60)) == {f"{OPEN}/tcp": "open"}
    bad = guest.check(f"{NMAP} -sS --badsum --max-retries 0 -p {OPEN} {guest.host}", 60)
    assert ports(bad) == {f"{OPEN}/tcp": "filtered"}


def test_oneself(guest):
    guest.run(f"busybox httpd -p {OPEN}")
    guest.wait_for_port(OPEN)
    try:
        output = guest.check(f"{NMAP} -sT -p {OPEN},{CLOSED} 127.0.0.1", 60)
        assert ports(output) == expected("tcp"), output
        output = guest.check(f"{NMAP} -sS -p {OPEN},{CLOSED} 127.0.0.1", 60)
        assert ports(output) == expected("tcp"), output
    finally:
        guest.run("killall busybox")


def test_operating_system_of_the_peer(guest, listener):
    """-O: odd packets of all kinds, bounded in time."""
    if guest.network == "user":
        pytest.skip("user networking is no operating system")
    output = guest.check(f"{NMAP} -O --max-os-tries 1 -T4 -p {OPEN},{CLOSED} {guest.host}", 120)
    assert "OS detection performed" in output or "Too many fingerprints" in output or "OS matches" in output, output


def test_traceroute_and_version(guest, listener):
    if guest.network == "user":
        pytest.skip("user networking does not count hops")
    output = guest.check(f"{NMAP} -sn --traceroute {guest.host}", 60)
    assert re.search(rf"^1 .* {re.escape(guest.host)}$", output, re.MULTILINE), output


needs_nmap = pytest.mark.skipif(not shutil.which("nmap"), reason="this machine has no nmap")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may send raw packets")


def scan_guest(guest, *options, seconds=120):
    if guest.network == "user":
        pytest.skip("this machine sees the guest itself on a TAP only")
    return subprocess.run(["nmap", "-n", *options, guest.address], check=True, stdout=subprocess.PIPE, text=True,
                          timeout=seconds).stdout


@pytest.fixture
def serving(guest):
    guest.run(f"busybox httpd -p {OPEN}")
    guest.wait_for_port(OPEN)
    yield guest
    guest.run("killall busybox")


@needs_nmap
@needs_root
def test_guest_is_scanned(serving):
    """A thousand ports: one open, and resets for the others without a loss."""
    output = scan_guest(serving, "-sS", "-p", "8000-8999")
    assert ports(output) == {f"{OPEN}/tcp": "open"} and "999 closed tcp ports (reset)" in output, output
    output = scan_guest(serving, "-sT", "-p", f"{OPEN},{CLOSED}")
    assert ports(output) == expected("tcp"), output


@needs_nmap
@needs_root
def test_guest_answers_odd_segments_by_the_rfc(serving):
    """RFC 9293 3.10.7.1 and 3.10.7.2: a closed port answers FIN and its kin with a reset, a listener is silent."""
    for scan in ("-sF", "-sN", "-sX"):
        output = scan_guest(serving, scan, "-p", f"{OPEN},{CLOSED}")
        assert ports(output) == {f"{OPEN}/tcp": "open|filtered", f"{CLOSED}/tcp": "closed"}, output
    assert set(ports(scan_guest(serving, "-sA", "-p", f"{OPEN},{CLOSED}")).values()) == {"unfiltered"}


@needs_nmap
@needs_root
def test_guest_is_asked_for_udp_and_for_its_system(serving):
    output = scan_guest(serving, "-sU", "-p", f"{CLOSED}")
    assert ports(output) == {f"{CLOSED}/udp": "closed"}, output
    output = scan_guest(serving, "-O", "--max-os-tries", "1", "-p", f"{OPEN},{CLOSED}")
    assert "Network Distance: 1 hop" in output, output
    serving.check(f"busybox ping -c 1 {serving.host}")
