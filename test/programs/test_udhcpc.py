"""Debian's udhcpc: leases from this machine's udhcpd, given to its script, renewed, and given back."""

import re
import shutil

import pytest

PACKAGES = ["udhcpc"]

UDHCPC = "/sbin/udhcpc"
SCRIPT = "/tmp/script"

# What the default script would do is not in question here: only what it is told.
TELL = """#!/bin/sh
echo "told $1 ip=$ip mask=$mask router=$router dns=$dns domain=$domain lease=$lease serverid=$serverid" >> /tmp/told
[ "$1" = bound ] && ifconfig $interface $ip netmask $subnet
exit 0
"""

FIRST, LAST = "10.77.0.120", "10.77.0.125"

CONFIGURATION = f"""
start {FIRST}
end {LAST}
interface tap0
max_leases 4
min_lease 1
lease_file leases
pidfile pid
option subnet 255.255.255.0
option router 10.77.0.1
option dns 10.77.0.1 10.77.0.3
option domain vitrine.test
option lease 20
"""


@pytest.fixture(scope="module", params=["tap"])
def network(request):
    """A server of our own needs a wire of our own."""
    return request.param


@pytest.fixture(scope="module")
def server(tap, peers):
    program = shutil.which("udhcpd") or shutil.which("udhcpd", path="/usr/sbin:/sbin")
    if not program:
        pytest.skip("this machine has no udhcpd")
    directory = peers.directory("udhcpd")
    (directory / "conf").write_text(CONFIGURATION)
    (directory / "leases").touch()
    peer = peers.start(program, "-f", "-I", "10.77.0.1", directory / "conf", directory=directory)
    peer.wait_for_log("started")
    return peer


@pytest.fixture
def client(guest):
    guest.write_file(SCRIPT, TELL)
    guest.check(f"chmod +x {SCRIPT}; : > /tmp/told")
    yield guest
    guest.run("killall -9 udhcpc; ifconfig eth0 10.77.0.2 netmask 255.255.255.0; route add default gw 10.77.0.1; true")


def told(guest, what):
    """What the script was told last about an event."""
    lines = re.findall(rf"^told {what} (.*)$", guest.check("cat /tmp/told"), re.MULTILINE)
    return dict(word.split("=", 1) for word in re.findall(r"\w+=[^=]*(?= \w+=|$)", lines[-1])) if lines else None


def test_lease(client, server):
    """Discover, offer, request, acknowledgement; then it ends: -q. -n: or gives up."""
    client.check(f"{UDHCPC} -i eth0 -n -q -f -s {SCRIPT}", 60)
    lease = told(client, "bound")
    assert FIRST <= lease["ip"] <= LAST and lease["mask"] == "24" and lease["router"] == "10.77.0.1", lease
    assert lease["dns"] == "10.77.0.1 10.77.0.3" and lease["domain"] == "vitrine.test" and lease["lease"] == "20", lease
    client.check(f"busybox ping -c 1 {client.host}")


def test_asks_for_its_old_address_again(client, server):
    """-r, with a name and more options asked for; the server knows who asks."""
    client.check(f"{UDHCPC} -i eth0 -n -q -f -s {SCRIPT}", 60)
    before = told(client, "bound")["ip"]
    client.check(f"{UDHCPC} -i eth0 -n -q -f -s {SCRIPT} -r {before} -x hostname:vitrine -O 42", 60)
    assert told(client, "bound")["ip"] == before


def test_in_the_background_renews_and_releases(client, server):
    """-b forks; SIGUSR1 renews the lease at once, SIGUSR2 gives it back, SIGTERM with -R too."""
    client.check(f"{UDHCPC} -i eth0 -b -R -p /tmp/pid -s {SCRIPT}", 60)
    client.wait_until("grep -q 'told bound' /tmp/told", 30)
    client.check("kill -USR1 $(cat /tmp/pid)")
    client.wait_until("grep -q 'told renew' /tmp/told", 30)
    assert told(client, "renew")["ip"] == told(client, "bound")["ip"]
    client.check("kill -USR2 $(cat /tmp/pid)")
    client.wait_until("grep -c 'told deconfig' /tmp/told | grep -q 2", 30)
    client.check("kill $(cat /tmp/pid)")
    client.wait_until("! test -e /tmp/pid", 30)


def test_renews_by_itself(client, server):
    """Half of the lease of 20 s goes by."""
    client.check(f"{UDHCPC} -i eth0 -b -p /tmp/pid -s {SCRIPT}", 60)
    client.wait_until("grep -q 'told renew' /tmp/told", 60)


def test_nobody_answers(client, tap):
    """Where no server is: tries, then gives up with a failure, and the script hears it."""
    result = client.run(f"{UDHCPC} -i lo -n -q -f -t 2 -T 1 -s {SCRIPT}", 30)
    assert result.status == 1 and "told leasefail" in client.check("cat /tmp/told"), result
