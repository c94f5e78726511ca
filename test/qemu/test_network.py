"""IPv4 over a TAP, with this machine's own Linux as the peer."""

import re
import socket
import subprocess
import threading
import time

import pytest

from conftest import GUEST, GUEST_MAC, HOST
from harness import namespace

FAR = "192.0.2.1"  # an address of the host behind the gateway


@pytest.fixture(scope="module", autouse=True)
def far_address(net_namespace):
    namespace.ip("addr", "add", f"{FAR}/32", "dev", "lo")
    yield
    namespace.ip("addr", "del", f"{FAR}/32", "dev", "lo")


def host_ping(*options):
    return subprocess.run(["ping", "-n", "-W", "2", *options, GUEST], check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)


def udp_socket(address=HOST, port=0, timeout=3):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, port))
    sock.settimeout(timeout)
    return sock


class EchoServer:
    """Answers every datagram with itself, and counts them."""

    def __init__(self, address):
        self._socket = udp_socket(address, timeout=0.2)
        self.port = self._socket.getsockname()[1]
        self.received = []
        self._running = True
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while self._running:
            try:
                data, peer = self._socket.recvfrom(70000)
            except TimeoutError:
                continue
            self.received.append(data)
            self._socket.sendto(data, peer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._running = False
        self._thread.join()
        self._socket.close()


# Echo -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 56, 1471, 1472, 1473, 8000, 65507])
def test_host_pings_guest(guest, size):
    result = host_ping("-c", "3", "-i", "0.1", "-s", str(size))
    assert " 0% packet loss" in result.stdout, result.stdout


@pytest.mark.parametrize("ping", ["ping", "/bin/ping"])
@pytest.mark.parametrize("size", [1, 56, 1472, 8000])
def test_guest_pings_host(guest, ping, size):
    output = guest.check(f"{ping} -c 3 -s {size} {HOST}")
    assert re.search(r"3 packets transmitted, 3 (packets )?received, 0% packet loss", output)


def test_flood_ping(guest):
    result = host_ping("-c", "2000", "-f")
    assert " 0% packet loss" in result.stdout, result.stdout


def test_ping_of_a_name(guest):
    assert "127.0.0.1" in guest.check("ping -c 1 localhost")


def test_ping_of_nobody(guest):
    began = time.monotonic()
    result = guest.run("ping -c 2 10.77.0.200")
    assert result.status != 0
    assert time.monotonic() - began < 15


# ARP --------------------------------------------------------------------------------------------


def test_no_packet_is_lost_to_arp(guest, tap):
    """The packets sent while ARP asks are sent when it knows: the first as surely as the second."""
    for _ in range(3):
        tap.forget_neighbours()
        guest.run(f"arp -d {HOST}")
        assert "3 packets transmitted, 3" in guest.check(f"ping -c 3 {HOST}")


def test_second_datagram_after_arp(guest, tap):
    with EchoServer(HOST) as server:
        tap.forget_neighbours()
        guest.run(f"arp -d {HOST}")
        guest.check(f"/test/udp_client {HOST} {server.port} first second third")
        assert server.received == [b"first", b"second", b"third"]


def test_arp_table(guest, tap):
    guest.check(f"ping -c 1 {HOST}")
    assert tap.mac in guest.check("cat /proc/net/arp")
    assert tap.mac in guest.check("arp -n").lower()
    guest.check("arp -s 10.77.0.99 02:00:00:00:00:99")
    assert re.search(r"10\.77\.0\.99\s+0x1\s+0x6\s+02:00:00:00:00:99", guest.check("cat /proc/net/arp"))
    guest.check("arp -d 10.77.0.99")
    assert "02:00:00:00:00:99" not in guest.check("cat /proc/net/arp")


def test_arping(guest, tap):
    assert "Received 2 re" in guest.check(f"arping -c 2 -I eth0 {HOST}")


# UDP --------------------------------------------------------------------------------------------


def test_guest_echoes_datagrams(guest):
    pid = guest.background("udpecho")
    with udp_socket() as sock:
        time.sleep(0.3)
        for size in (0, 1, 1400, 1472, 1473, 4000, 9000, 65507):
            data = bytes(number % 251 for number in range(size))
            sock.sendto(data, (GUEST, 7))
            answer, peer = sock.recvfrom(70000)
            assert answer == data and peer == (GUEST, 7)
    guest.check(f"kill {pid}")
    guest.run(f"wait {pid}")


@pytest.mark.parametrize("address", [HOST, FAR])
def test_host_echoes_datagrams(guest, address):
    with EchoServer(address) as server:
        assert "answer: payload" in guest.check(f"/test/udp_client {address} {server.port} payload")


def test_guest_refuses_a_closed_port(guest):
    with udp_socket() as sock:
        sock.connect((GUEST, 4567))
        sock.send(b"anybody there?")
        with pytest.raises(ConnectionRefusedError):
            sock.recv(100)


def test_guest_hears_of_a_closed_port(guest):
    result = guest.run(f"/test/udp_client {HOST} 4567 x")
    assert result.status != 0
    assert "refused" in result.output.lower()


def test_broadcast_reaches_the_guest(guest):
    pid = guest.background("udpecho")
    with udp_socket() as sock:
        time.sleep(0.3)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.sendto(b"all of you", ("10.77.0.255", 7))
        assert sock.recvfrom(100) == (b"all of you", (GUEST, 7))
    guest.check(f"kill {pid}")
    guest.run(f"wait {pid}")


# Routes -----------------------------------------------------------------------------------------


def test_route_table(guest):
    output = guest.check("cat /proc/net/route")
    assert re.search(r"^eth0\t00000000\t01004D0A\t0003\t", output, re.MULTILINE)
    assert re.search(r"^eth0\t00004D0A\t00000000\t0001\t.*\t00FFFFFF\t", output, re.MULTILINE)
    assert re.search(r"^(default|0\.0\.0\.0)\s+10\.77\.0\.1\s.*eth0$", guest.check("route -n"), re.MULTILINE)


def test_default_route_serves_every_kind_of_socket(guest):
    assert "1 packets transmitted, 1" in guest.check(f"ping -c 1 {FAR}")
    assert "1 packets transmitted, 1" in guest.check(f"/bin/ping -c 1 {FAR}")
    assert FAR in guest.check(f"traceroute -n -w 1 -q 1 {FAR}")
    assert FAR in guest.check(f"traceroute -n -I -w 1 -q 1 {FAR}")
    with EchoServer(FAR) as server:
        assert "answer: x" in guest.check(f"/test/udp_client {FAR} {server.port} x")


def test_routes_come_and_go(guest):
    guest.check("route add -net 203.0.113.0 netmask 255.255.255.0 gw 10.77.0.1 metric 5")
    assert re.search(r"203\.0\.113\.0\s+10\.77\.0\.1\s+255\.255\.255\.0\s+UG\s+5 ", guest.check("route -n"))
    guest.check("route del -net 203.0.113.0 netmask 255.255.255.0")
    assert "203.0.113.0" not in guest.check("route -n")
    assert guest.run("route add -net 203.0.113.0 netmask 255.255.255.0 gw 172.31.0.1").status != 0
    guest.check("route add -host 203.0.113.9 reject")
    assert guest.run("ping -c 1 203.0.113.9").status != 0
    guest.check("route del -host 203.0.113.9 reject")


def test_interface_down_and_up(guest):
    guest.check("ifconfig eth0 down")
    result = guest.run(f"ping -c 1 {HOST}")
    assert result.status != 0
    assert "eth0" not in guest.check("cat /proc/net/route")
    guest.check(f"ifconfig eth0 up && route add default gw {HOST}; ping -c 2 {HOST}")


@pytest.fixture
def narrow_link(guest, tap):
    """Both ends agree on an MTU of 1000."""
    namespace.ip("link", "set", tap.name, "mtu", "1000")
    guest.check("ifconfig eth0 mtu 1000")
    yield
    guest.check("ifconfig eth0 mtu 1500")
    namespace.ip("link", "set", tap.name, "mtu", "1500")


def test_narrow_link(guest, narrow_link):
    assert "MTU:1000" in guest.check("ifconfig eth0")
    assert "0% packet loss" in guest.check(f"ping -c 1 -s 3000 {HOST}")
    assert " 0% packet loss" in host_ping("-c", "1", "-s", "3000").stdout


def set_link(guest, state):
    """QEMU's monitor is behind Ctrl-A c on the console."""
    since = guest.mark()
    guest.send("\x01c")
    guest.wait_for(r"\(qemu\) ", since=since)
    guest.send(f"set_link net0 {state}\n\x01c\n")
    time.sleep(0.3)


def test_link_down_and_up(guest):
    """The device says so with a config interrupt."""
    set_link(guest, "off")
    assert "RUNNING" not in guest.check("ifconfig eth0")
    set_link(guest, "on")
    assert "RUNNING" in guest.check("ifconfig eth0")
    guest.check(f"ping -c 2 {HOST}")


# Tools ------------------------------------------------------------------------------------------


def test_ifconfig(guest):
    output = guest.check("ifconfig")
    assert f"inet addr:{GUEST}  Bcast:10.77.0.255  Mask:255.255.255.0" in output
    assert GUEST_MAC.upper() in output
    assert "UP BROADCAST RUNNING MULTICAST  MTU:1500" in output
    assert "inet addr:127.0.0.1" in output


def test_netstat(guest):
    pid = guest.background("udpecho")
    guest.check("sleep 0.3")
    assert re.search(r"^udp\s+0\s+0\s+\S*:(7|echo)\s", guest.check("netstat -una"), re.MULTILINE)
    guest.check(f"kill {pid}")
    guest.run(f"wait {pid}")


def test_counters_of_the_interface(guest):
    def packets():
        line = next(line for line in guest.check("cat /proc/net/dev").splitlines() if "eth0:" in line)
        numbers = [int(word) for word in line.split(":")[1].split()]
        return numbers[1], numbers[9]
    before = packets()
    guest.check(f"ping -c 5 {HOST}")
    after = packets()
    assert after[0] >= before[0] + 5 and after[1] >= before[1] + 5


# Under load -------------------------------------------------------------------------------------


class Flood:
    """Datagrams to the guest as fast as this machine sends them."""

    def __init__(self, port):
        self._running = True
        self._port = port
        self.sent = 0
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            while self._running:
                for _ in range(100):
                    try:
                        sock.sendto(b"flood" * 20, (GUEST, self._port))
                        self.sent += 1
                    except OSError:
                        pass  # the guest's port-unreachable messages

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._running = False
        self._thread.join()


@pytest.mark.parametrize("port", [7, 4567])
def test_proc_net_answers_during_a_flood(guest, port, record_property):
    pid = guest.background("udpecho")
    with Flood(port) as flood:
        for path in ("route", "dev", "arp", "udp", "raw", "snmp", "netstat", "igmp", "drops"):
            guest.check(f"cat /proc/net/{path} > /dev/null", seconds=15)
        began = time.monotonic()
        guest.check("cat /proc/net/route", seconds=15)
        record_property("report", f"cat /proc/net/route took {time.monotonic() - began:.2f} s during a flood of UDP to "
                        f"port {port} ({flood.sent} datagrams)")
    guest.check(f"kill {pid}")
    guest.run(f"wait {pid}")
    assert " 0% packet loss" in host_ping("-c", "3", "-i", "0.2").stdout
