"""Debian's FRR: zebra and staticd put routes into the kernel's table, and notice what others change there."""

import re

import pytest

PACKAGES = ["frr", "iproute2"]

NEAR, NOWHERE = "198.51.100.0/24", "198.51.101.0/24"
OF_OTHERS, MORE = "192.0.2.0/24", "10.99.0.1/24"

SHOW = "ip route show proto 196"  # zebra's number for its static routes

# What Debian's own package of PAM would bring, for vtysh.
PAM = "auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n"


@pytest.fixture
def daemons(guest):
    guest.write_file("/tmp/static.conf", f"ip route {NEAR} {guest.host}\nip route {NOWHERE} reject\n")
    guest.write_file("/etc/pam.d/frr", PAM)
    guest.write_file("/etc/pam.d/other", PAM)
    guest.check("mkdir -p /run/frr; chown frr:frr /run/frr; chown frr:frr /tmp/static.conf; : > /etc/frr/vtysh.conf")
    guest.check("/usr/lib/frr/zebra -d -A 127.0.0.1 --log file:/tmp/zebra.log")
    guest.check("/usr/lib/frr/staticd -d -A 127.0.0.1 -f /tmp/static.conf")
    yield guest
    guest.run("killall -9 staticd zebra; ip route flush proto 196")
    guest.run(f"ip route del {OF_OTHERS}; ip addr del {MORE} dev eth0")


def told(guest):
    """What zebra knows: {prefix: its code and marks}."""
    output = guest.check("vtysh -c 'show ip route'", 30)
    return {prefix: marks for marks, prefix in re.findall(r"^([A-Z][>*]*) +(\S+/\d+)", output, re.MULTILINE)}


def test_the_table_is_kept(daemons):
    """With what it installs, and with what others do; the end takes its routes back."""
    daemons.wait_until(f"{SHOW} | grep -q '^unreachable {NOWHERE}'", 30)
    daemons.wait_until(f"{SHOW} | grep -q '^{NEAR} via {daemons.host} dev eth0'", 30)
    known = told(daemons)
    assert known[NEAR] == "S>*" and known[NOWHERE] == "S>*" and known["0.0.0.0/0"] == "K>*", known
    daemons.check(f"ip route add {OF_OTHERS} via {daemons.host}; ip addr add {MORE} dev eth0")
    daemons.wait_until(f"vtysh -c 'show ip route' | grep -q '^K>[*] {OF_OTHERS}'", 30)
    daemons.wait_until("vtysh -c 'show ip route' | grep -q '^C>[*] 10.99.0.0/24'", 30)
    daemons.check(f"ip route del {OF_OTHERS}")
    daemons.wait_until(f"! vtysh -c 'show ip route' | grep -q '{OF_OTHERS}'", 30)
    daemons.check("kill $(cat /run/frr/staticd.pid)")
    daemons.wait_until(f'test -z "$({SHOW})"', 30)
    daemons.check("kill $(cat /run/frr/zebra.pid)")
    daemons.wait_until("! pidof zebra > /dev/null")
