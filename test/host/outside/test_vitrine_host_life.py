"""vitrine-host from its start to its end: addresses, its interface's fate, what it refuses and leaves behind."""

import re
import signal
import socket
import subprocess
import time

import pytest

from vitrine import ADDRESS, HOST, MAC, READY, STATIC, VitrineHost, ping, program, udp_socket

from conftest import dnsmasq, net_namespace, tap  # noqa: F401 (fixtures)
from harness import namespace


def run_and_fail(*options, seconds=10):
    """A command line that must be refused: the status and the one line."""
    result = subprocess.run([program(), *options], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, timeout=seconds)
    lines = result.stdout.splitlines()
    assert len(lines) == 1, result.stdout
    return result.returncode, lines[0]


# The interface comes and goes -------------------------------------------------------------------


def test_interface_down_and_up(tap):
    with VitrineHost(*STATIC, "--mac", MAC) as running:
        running.wait_for(READY)
        namespace.ip("link", "set", "tap0", "down")
        time.sleep(0.3)
        namespace.ip("link", "set", "tap0", "up")
        assert " 0% packet loss" in ping("-c", "3", "-i", "0.1")


def test_interface_deleted(net_namespace):
    namespace.ip("tuntap", "add", "dev", "tap8", "mode", "tap")
    namespace.ip("link", "set", "tap8", "up")
    running = VitrineHost("--ip", "10.88.0.2/24", interface="tap8")
    running.wait_for("net: eth0 10.88.0.2/24")
    namespace.ip("link", "delete", "tap8")
    status, text = running.wait()
    assert status == 1
    assert "TAP tap8: it was deleted" in text
    assert "left behind" not in text


# Addresses --------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["host", "check"])
def test_dhcp(tap, dnsmasq, variant):
    with VitrineHost("--ip", "dhcp", "--mac", MAC, variant=variant) as running:
        line = running.wait_for(r"net: eth0 (10\.77\.0\.\d+)/24 gateway 10\.77\.0\.1 dns 10\.77\.0\.1 \(dhcp\)", 20)
        dnsmasq.wait_for(f"DHCPACK(tap0) {line.group(1)} {MAC}")
        assert " 0% packet loss" in ping("-c", "2", "-i", "0.1", address=line.group(1))
    dnsmasq.wait_for(f"DHCPRELEASE(tap0) {line.group(1)} {MAC}")


def neighbour_mac(address):
    text = subprocess.run(["ip", "neigh", "show", address], check=True, stdout=subprocess.PIPE, text=True).stdout
    return re.search(r"lladdr (\S+)", text).group(1)


def test_given_mac(tap):
    with VitrineHost(*STATIC, "--mac", MAC) as running:
        running.wait_for(READY)
        tap.forget_neighbours()
        ping("-c", "1")
        assert neighbour_mac(ADDRESS) == MAC


def test_random_mac(tap):
    seen = set()
    for _ in range(2):
        with VitrineHost(*STATIC) as running:
            running.wait_for(READY)
            tap.forget_neighbours()
            ping("-c", "1")
            mac = neighbour_mac(ADDRESS)
            assert int(mac[:2], 16) & 3 == 2, f"{mac} is not a local unicast address"
            seen.add(mac)
    assert len(seen) == 2


# What it leaves behind --------------------------------------------------------------------------


def test_pcap(tap, tmp_path):
    from scapy.all import ICMP, IP, rdpcap
    tap.forget_neighbours()
    file = tmp_path / "x.pcap"
    with VitrineHost(*STATIC, "--pcap", str(file)) as running:
        running.wait_for(READY)
        ping("-c", "3", "-i", "0.02", "-s", "100")
    echoes = [(packet[IP].src, packet[ICMP].type) for packet in rdpcap(str(file)) if ICMP in packet]
    assert echoes == [(HOST, 8), (ADDRESS, 0)] * 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_last_words(tap, number):
    running = VitrineHost(*STATIC)
    running.wait_for(READY)
    with udp_socket() as sock:
        sock.sendto(b"x", (ADDRESS, 4567))
    ping("-c", "1")
    status, text = running.end(number)
    assert status == 0, text
    assert re.search(r"eth0: received [1-9]\d* packets, \d+ bytes, 0 errors, 0 dropped", text)
    assert re.search(r"eth0: sent [1-9]\d* packets", text)
    assert "drops: UDP_NO_SOCKET 1" in text
    assert "left behind" not in text


def test_it_ends_with_open_connections(tap):
    with VitrineHost(*STATIC, variant="check") as running:
        running.wait_for(READY)
        socks = [socket.create_connection((ADDRESS, port), timeout=5) for port in (7, 9, 19) for _ in range(10)]
        socks[0].sendall(bytes(100000))
        status, text = running.end()
        assert status == 0, text
        assert "left behind" not in text
    for sock in socks:
        sock.close()


def sizes_of_frames(text):
    """The mean length of frames received and sent, from the last words."""
    numbers = [re.search(rf"eth0: {way} (\d+) packets, (\d+) bytes", text) for way in ("received", "sent")]
    return [int(match.group(2)) / int(match.group(1)) for match in numbers]


@pytest.mark.parametrize("offload, port, received_large, sent_large", [
    ("on", 9, True, False), ("off", 9, False, False), ("on", 19, False, True), ("off", 19, False, False)])
def test_large_packets(tap, offload, port, received_large, sent_large):
    tap.forget_neighbours()
    with VitrineHost(*STATIC, "--offload", offload) as running:
        running.wait_for(READY)
        with socket.create_connection((ADDRESS, port), timeout=5) as sock:
            if port == 9:
                sock.sendall(bytes(32 << 20))
                sock.shutdown(socket.SHUT_WR)
                sock.recv(1)
            else:
                left = 32 << 20
                while left > 0:
                    left -= len(sock.recv(1 << 20))
        _, text = running.end()
    received, sent = sizes_of_frames(text)
    assert (received > 3000) == received_large, text
    assert (sent > 3000) == sent_large, text


# Refusals ---------------------------------------------------------------------------------------


def test_missing_tap(net_namespace):
    status, line = run_and_fail("--tap", "tap7")
    assert status == 1
    assert line.startswith("TAP tap7: no such interface: make it")


def test_tap_in_use(tap):
    with VitrineHost(*STATIC) as running:
        running.wait_for(READY)
        assert run_and_fail("--tap", "tap0") == (1, "TAP tap0: in use by another program")


def test_no_tap(net_namespace):
    assert run_and_fail("--tap", "lo") == (1, "TAP lo: not a TAP interface")


@pytest.mark.parametrize("options, why", [
    ([], "--tap IFNAME is missing"),
    (["tap0"], "it takes options only"),
    (["--frobnicate"], "unrecognized option"),
    (["--tap"], "requires an argument"),
    (["--tap", "tap0", "--mac", "02:00:00:00:00"], "not an Ethernet address"),
    (["--tap", "tap0", "--mac", "02:00:00:00:00:0g"], "not an Ethernet address"),
    (["--tap", "tap0", "--mac", "01:00:00:00:00:01"], "no interface may have this address"),
    (["--tap", "tap0", "--mac", "00:00:00:00:00:00"], "no interface may have this address"),
    (["--tap", "tap0", "--ip", "10.77.0.2"], "neither ADDRESS/LENGTH[,GATEWAY] nor dhcp"),
    (["--tap", "tap0", "--ip", "10.77.0.2/33"], "neither ADDRESS/LENGTH[,GATEWAY] nor dhcp"),
    (["--tap", "tap0", "--ip", "224.0.0.1/24"], "no host may have this address"),
    (["--tap", "tap0", "--ip", "10.77.0.2/24,10.78.0.1"], "not on this network"),
    (["--tap", "tap0", "--ip", "10.77.0.2/24,nonsense"], "the gateway is not an address"),
    (["--tap", "tap0", "--service", "echo,nonsense"], "no such service"),
    (["--tap", "tap0", "--offload", "maybe"], "neither on nor off"),
])
def test_bad_options(options, why):
    status, line = run_and_fail(*options)
    assert status == 2
    assert why in line


def test_pcap_that_cannot_be_written(tap):
    status, line = run_and_fail("--tap", "tap0", "--pcap", "/nowhere/x.pcap")
    assert status == 1
    assert "/nowhere/x.pcap" in line and "No such file" in line


def test_help():
    text = subprocess.run([program(), "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert all(option in text for option in ("--tap", "--mac", "--ip", "--service", "--offload", "--pcap"))
