"""The DHCP client and the resolver against dnsmasq."""

import re
import subprocess
import threading
import time

import pytest
from scapy.layers.l2 import ARP, Ether

from conftest import HOST
from harness.guest import Guest, run_vm
from harness.namespace import Tap
from harness.wire import Wire

LEASE = r"net: eth0 (?:now )?(10\.77\.0\.1\d\d)/24 gateway 10\.77\.0\.1 dns 10\.77\.0\.1 \(dhcp\)"


# Machines of their own: a TAP serves one at a time, so these come before the shared guest.


def test_command_mode_waits_for_the_lease(tap, dnsmasq):
    result = run_vm("--net", f"tap={tap.name}", "--mac", "52:54:00:00:00:42", command=f"ping -c 1 {HOST}")
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(LEASE, result.stderr)


def test_taken_address_is_declined(tap, dnsmasq):
    """When somebody answers the probe for the offered address, the client declines it and asks again."""
    wire, running, defended = Wire(tap), [True], []

    def defend():
        while running[0]:
            probe = wire.expect(lambda frame: ARP in frame and frame[ARP].op == 1 and frame[ARP].psrc == "0.0.0.0", 0.5)
            if probe is not None and (not defended or probe[ARP].pdst in defended):
                defended.append(probe[ARP].pdst)
                wire.send(Ether(src="02:00:00:00:00:66", dst="ff:ff:ff:ff:ff:ff")
                          / ARP(op=2, hwsrc="02:00:00:00:00:66", psrc=probe[ARP].pdst,
                                hwdst=probe[ARP].hwsrc, pdst=probe[ARP].pdst))

    thread = threading.Thread(target=defend)
    thread.start()
    try:
        with Guest("--net", f"tap={tap.name}", "--mac", "52:54:00:00:00:43") as guest:
            address = guest.wait_for(LEASE, 60).group(1)
    finally:
        running[0] = False
        thread.join()
        wire.close()
    assert defended, "no probe was seen"
    dnsmasq.wait_for("DHCPDECLINE(tap0)")
    assert address not in defended


def test_address_is_probed_before_use(tap, dnsmasq):
    wire = Wire(tap)
    with Guest("--net", f"tap={tap.name}", "--mac", "52:54:00:00:00:44") as guest:
        address = guest.wait_for(LEASE, 15).group(1)
    probes = [frame for frame in wire.frames(0.1) if ARP in frame and frame[ARP].pdst == address]
    wire.close()
    assert any(frame[ARP].psrc == "0.0.0.0" for frame in probes)


def test_fallback_without_a_server(net_namespace):
    """A wire without a server: the address is the fallback's, and the log says so."""
    silent = Tap("tap7", "10.79.0.1/24", "02:00:0a:4f:00:01")
    try:
        result = run_vm("--net", "tap=tap7", command="ifconfig eth0")
    finally:
        silent.remove()
    assert "net: eth0 10.0.2.15/24 gateway 10.0.2.2 (fallback)" in re.sub(r" dns \S+", "", result.stderr)
    assert "10.0.2.15" in result.stdout


def test_server_that_pings_before_it_offers(net_namespace, tmp_path):
    """dnsmasq as README.md starts it takes three seconds: the guest waits for it and does not fall back."""
    tap = Tap("tap7", "10.79.0.1/24", "02:00:0a:4f:00:01")
    server = subprocess.Popen(["dnsmasq", "--no-daemon", "--port=0", "--interface=tap7", "--bind-interfaces",
                               "--conf-file=/dev/null", "--dhcp-range=10.79.0.100,10.79.0.150", f"--dhcp-leasefile={tmp_path}/leases"],
                              stderr=subprocess.PIPE)
    try:
        assert any(b"started" in line for line in server.stderr)
        result = run_vm("--net", "tap=tap7", command="ping -c 1 10.79.0.1")
    finally:
        server.kill()
        server.communicate()
        tap.remove()
    assert result.returncode == 0 and re.search(r"net: eth0 10\.79\.0\.1\d\d/24 .* \(dhcp\)", result.stderr), result.stderr


# The shared guest ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dhcp_guest(tap, dnsmasq):
    """A guest that got its address from dnsmasq, and since when."""
    guest = Guest("--net", f"tap={tap.name}").start()
    guest.address = guest.wait_for(LEASE, 15).group(1)
    guest.leased = time.monotonic()
    yield guest
    guest.stop()


def test_lease(dhcp_guest, dnsmasq):
    assert dhcp_guest.text.count("net: eth0 ") == 1
    dnsmasq.wait_for(f"DHCPACK(tap0) {dhcp_guest.address}")
    assert dhcp_guest.check("cat /run/name-servers") == "nameserver 10.77.0.1\n"
    assert "nameserver 127.0.0.1\n" in dhcp_guest.check("cat /etc/resolv.conf")
    dhcp_guest.check(f"ping -c 2 {HOST}")


@pytest.mark.parametrize("name, address", [("vitrine.test", "10.77.0.1"), ("deep.vitrine.test", "10.77.0.1"),
                                           ("real.test", "10.77.0.9"), ("alias.test", "10.77.0.9")])
def test_resolve(dhcp_guest, name, address):
    assert address in dhcp_guest.check(f"resolve {name}")


def test_resolve_reverse(dhcp_guest):
    assert "real.test" in dhcp_guest.check("resolve 10.77.0.9")


def test_resolve_of_an_unknown_name(dhcp_guest):
    assert dhcp_guest.run("resolve nobody.test").status != 0


def test_nslookup(dhcp_guest):
    output = dhcp_guest.check("nslookup -type=a vitrine.test")
    assert "10.77.0.1" in output and "127.0.0.1" in output


def test_server_is_asked_once(dhcp_guest, dnsmasq):
    """The machine's resolver keeps what it was told, for all programs."""
    for program in ("resolve", "nslookup -type=a", "/bin/ping -c 1"):
        assert "10.77.0.1" in dhcp_guest.check(f"{program} once.vitrine.test")
    dnsmasq.wait_for("query[A] once.vitrine.test from 10.77.0.")
    assert dnsmasq.log().count("query[A] once.vitrine.test from 10.77.0.") == 1


def test_hosts_come_first(dhcp_guest):
    dhcp_guest.check("echo '10.1.2.3 here.vitrine.test' >> /etc/hosts")
    assert "10.1.2.3" in dhcp_guest.check("nslookup -type=a here.vitrine.test")


def test_server_given_by_hand(dhcp_guest, dnsmasq):
    """/etc/resolv.conf is for whoever edits it: programs then ask whom it names."""
    dhcp_guest.check(f"cp /etc/resolv.conf /tmp/kept; echo nameserver {HOST} > /etc/resolv.conf")
    assert HOST in dhcp_guest.check("nslookup -type=a byhand.vitrine.test")
    dhcp_guest.check("cp /tmp/kept /etc/resolv.conf")


def test_resolver_that_is_killed_comes_back(dhcp_guest):
    mark = dhcp_guest.mark()
    dhcp_guest.check("killall -9 resolver")
    dhcp_guest.wait_for("init: the resolver died of signal 9 and is started again", since=mark)
    assert "10.77.0.1" in dhcp_guest.check("resolve back.vitrine.test")


def test_resolver_tells_what_it_did(dhcp_guest):
    mark = dhcp_guest.mark()
    dhcp_guest.check("resolve tell.vitrine.test; killall -USR1 resolver")
    assert int(dhcp_guest.wait_for(r"resolver: queries (\d+)\s", since=mark).group(1)) >= 1
    dhcp_guest.wait_for("resolver: evicted 0", since=mark)


def test_ping_by_name(dhcp_guest):
    assert "10.77.0.1" in dhcp_guest.check("/bin/ping -c 1 vitrine.test")
    assert "10.77.0.1" in dhcp_guest.check("ping -c 1 vitrine.test")


def test_tftp(dhcp_guest):
    dhcp_guest.check(f"tftp -g -r file -l /tmp/fetched {HOST}", seconds=30)
    size = dhcp_guest.check("wc -c < /tmp/fetched").strip()
    assert size == str(256 * 200)


def test_udhcpc(dhcp_guest):
    """Busybox's client, which uses packet sockets, gets the same lease."""
    output = dhcp_guest.check("udhcpc -n -q -i eth0 -s /bin/true", seconds=30)
    assert re.search(r"lease of 10\.77\.0\.1\d\d obtained", output)


def test_lease_is_renewed(dhcp_guest, dnsmasq):
    """The lease is 2 minutes, so T1 is after 1: the client asks again, and the address stays."""
    requests = f"DHCPREQUEST(tap0) {dhcp_guest.address}"
    before = dnsmasq.log().count(requests)
    deadline = dhcp_guest.leased + 100
    while dnsmasq.log().count(requests) == before and time.monotonic() < deadline:
        time.sleep(1)
    assert dnsmasq.log().count(requests) > before
    dhcp_guest.check(f"ping -c 2 {HOST}")
