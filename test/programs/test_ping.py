"""Debian's iputils ping, and mtr."""

import json
import re

PACKAGES = ["iputils-ping", "mtr-tiny"]

PING = "/usr/bin/ping"  # the shell's own is busybox's


def test_ping(guest):
    output = guest.check(f"{PING} -c 3 -i 0.2 {guest.host}")
    assert "3 packets transmitted, 3 received, 0% packet loss" in output
    assert "WARNING" not in output, output
    assert re.search(rf"64 bytes from {guest.host}: icmp_seq=1 ttl=\d+ time=[\d.]+ ms", output)


def test_ping_of_ourselves(guest):
    for address in ("127.0.0.1", guest.address):
        assert " 0% packet loss" in guest.check(f"{PING} -c 2 -i 0.2 {address}")


def test_ping_in_fragments(guest):
    assert f"3008 bytes from {guest.host}" in guest.check(f"{PING} -c 1 -s 3000 {guest.host}")


def test_ping_that_must_not_be_cut(guest):
    result = guest.run(f"{PING} -c 1 -M do -s 3000 {guest.host}")
    assert result.status == 1 and "message too long, mtu=1500" in result.output


def test_ping_without_an_answer(guest):
    """Where nobody is, and where there is no way."""
    nobody = guest.host.rsplit(".", 1)[0] + ".99"
    result = guest.run(f"{PING} -c 1 -W 5 {nobody}", 30)
    assert result.status == 1 and "Destination Host Unreachable" in result.output, result
    result = guest.run(f"{PING} -c 1 240.0.0.1")
    assert result.status != 0


def test_of_an_ordinary_user(guest):
    """Who may not open raw sockets has ICMP's datagram sockets."""
    assert " 0% packet loss" in guest.check(f"su user -c '{PING} -c 1 {guest.host}'")
    hubs = json.loads(guest.check(f"su user -c 'mtr -j -n -c 1 {guest.host}'", 60))["report"]["hubs"]
    assert hubs[-1]["host"] == guest.host


def test_ping_by_interface_and_quietly(guest):
    assert "from" in guest.check(f"{PING} -I eth0 -c 1 {guest.host}")
    output = guest.check(f"{PING} -q -f -c 50 {guest.host}")
    assert "50 packets transmitted, 50 received" in output


def test_ping_ends_by_ctrl_c(guest):
    started = guest.start_command(f"{PING} {guest.host}")
    guest.wait_for(r"icmp_seq=2", since=started[1])
    guest.send(b"\x03")
    result = guest.finish(started)
    assert "packets transmitted" in result.output


def test_mtr(guest):
    report = json.loads(guest.check(f"mtr --json -n -i 0.2 -c 3 {guest.host}", 60))
    [hop] = report["report"]["hubs"]
    assert hop["host"] == guest.host and hop["Loss%"] == 0


def test_mtr_of_ourselves_by_udp(guest):
    report = json.loads(guest.check("mtr --json -n -u -i 0.2 -c 3 127.0.0.1", 60))
    assert report["report"]["hubs"][-1]["host"] == "127.0.0.1"
