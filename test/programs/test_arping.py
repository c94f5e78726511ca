"""The arping of Debian's iputils, and busybox's: AF_PACKET sockets that speak ARP."""

import re

PACKAGES = ["iputils-arping"]

ARPING = "/usr/bin/arping"


def test_who_has(guest):
    output = guest.check(f"{ARPING} -I eth0 -c 3 {guest.host}", 30)
    assert output.count("reply from") == 3 and "Received 3 response(s)" in output, output


def test_nobody_has(guest):
    result = guest.run(f"{ARPING} -I eth0 -c 2 -w 2 10.77.0.77" if guest.network == "tap"
                       else f"{ARPING} -I eth0 -c 2 -w 2 10.99.0.77", 30)
    assert result.status == 1 and "Received 0 response(s)" in result.output, result


def test_quits_at_the_first_reply(guest):
    assert "Sent 1 probes" in guest.check(f"{ARPING} -f -I eth0 {guest.host}", 30)


def test_is_this_address_taken(guest):
    """-D: duplicate address detection, from 0.0.0.0; status 1 says that somebody has it."""
    assert guest.run(f"{ARPING} -D -I eth0 -c 2 {guest.host}", 30).status == 1
    free = "10.77.0.78" if guest.network == "tap" else "10.99.0.78"
    assert guest.run(f"{ARPING} -D -I eth0 -c 1 -w 1 {free}", 30).status == 0


def test_announces_oneself(guest):
    """-A and -U, which nobody answers."""
    for way in ("-A", "-U"):
        assert "Sent 1 probes (1 broadcast(s))" in guest.check(f"{ARPING} {way} -I eth0 -c 1 {guest.address}", 30)


def test_an_interface_that_is_not_there(guest):
    result = guest.run(f"{ARPING} -I eth7 -c 1 {guest.host}")
    assert result.status != 0 and "eth7" in result.output, result


def test_lo_does_not_speak_arp(guest):
    result = guest.run(f"{ARPING} -I lo -c 1 127.0.0.1")
    assert "not ARPable" in result.output, result


def test_busybox(guest):
    output = guest.check(f"busybox arping -I eth0 -c 2 {guest.host}", 30)
    assert re.search(r"Received 2 (replies|response)", output), output


def test_nothing_is_left(guest):
    assert len(guest.check("cat /proc/net/packet").splitlines()) == 1
