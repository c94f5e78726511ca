"""What people run: curl, nc, ssh, wrk, iperf3 and plain gigabytes; over a TAP, and over QEMU's user networking."""

import hashlib
import json
import os
import re
import socket
import statistics
import subprocess
import threading
import time
import zlib

import pytest

from conftest import GUEST, GUEST_MAC, HOST
from harness.guest import IMAGE, PROGRAMS, Guest
from harness.tcp import (MIB, Answers, Server, connect, crc_of, listen, pattern, receive_all, receive_exactly, started,
                         tool)

ECHO, HTTP, SSH, TPUT, SOURCE, IPERF = 7, 8080, 22, 5001, 5002, 5201
PORTS = (ECHO, HTTP, SSH, TPUT, SOURCE, IPERF)

FORWARDED = 20000  # user networking: the guest's port 7 is 20007 here
USER_HOST = "10.0.2.2"

GIB = 1 << 30
BIG = 3000000
KEYS = 200


class TapNetwork:
    """Two machines on one Ethernet."""

    options = ("--net", "tap=tap0", "--ip", f"{GUEST}/24,{HOST}", "--mac", GUEST_MAC)
    listens_at, host = HOST, HOST

    @staticmethod
    def way_to(port):
        return GUEST, port


class UserNetwork:
    """QEMU is a router, and its own TCP stands between the two."""

    options = [word for port in PORTS for word in ("--fwd", f"tcp:{FORWARDED + port}:{port}")]
    listens_at, host = "127.0.0.1", USER_HOST

    @staticmethod
    def way_to(port):
        return "127.0.0.1", FORWARDED + port


@pytest.fixture(scope="module", params=[TapNetwork, UserNetwork], ids=["tap", "user"])
def network(request, tap):
    """The network, with a guest on it that runs all the servers."""
    network = request.param()
    with Guest(*network.options, "--initrd", PROGRAMS, kernel=IMAGE) as guest:
        guest.wait_for(r"net: eth0 \d+\.\d+\.\d+\.\d+/24 gateway")
        guest.check(f"mkdir -p /tmp/site; echo hello > /tmp/site/file.txt; head -c {BIG} /dev/urandom > /tmp/site/big")
        network.guest = guest
        with Server(guest, f"tcpecho -p {ECHO}", ECHO), Server(guest, f"httpd -p {HTTP} /tmp/site", HTTP):
            yield network


def url(network, path):
    address, port = network.way_to(HTTP)
    return f"http://{address}:{port}/{path}"


# curl -------------------------------------------------------------------------------------------


def curl(*arguments):
    result = tool("curl", "-sS", "--max-time", "30", *arguments)
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_curl_gets_documents(network, tmp_path):
    assert curl(url(network, "file.txt")) == "hello\n"
    curl("-o", tmp_path / "big", url(network, "big"))
    digest = network.guest.check("sha256sum /tmp/site/big").split()[0]
    assert hashlib.sha256((tmp_path / "big").read_bytes()).hexdigest() == digest


def test_curl_resumes_a_download(network, tmp_path):
    partial = tmp_path / "partial"
    curl("-o", tmp_path / "big", url(network, "big"))
    whole = (tmp_path / "big").read_bytes()
    partial.write_bytes(whole[:1234567])
    curl("-C", "-", "-o", partial, url(network, "big"))
    assert partial.read_bytes() == whole


def test_curl_uses_a_connection_again(network):
    output = curl("-v", url(network, "file.txt"), url(network, "file.txt"))
    assert output.count("hello\n") == 2 and "Re-using existing connection" in output


def test_curl_many_at_once(network, tmp_path):
    curl("--parallel", "--parallel-max", "20", "-o", f"{tmp_path}/#1", url(network, "big") + "?[1-20]")
    sizes = {path.stat().st_size for path in tmp_path.iterdir()}
    assert len(list(tmp_path.iterdir())) == 20 and sizes == {BIG}


def test_httpget_from_this_machine(network):
    body = pattern(2 * MIB)
    server = Answers(network.listens_at, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    output = network.guest.check(f"httpget http://{network.host}:{server.port}/x | sha256sum")
    assert hashlib.sha256(body).hexdigest() in output


# nc ---------------------------------------------------------------------------------------------


def test_nc_to_the_guest(network):
    address, port = network.way_to(ECHO)
    data = pattern(3 * MIB)
    result = subprocess.run(["nc", "-N", address, str(port)], input=data, stdout=subprocess.PIPE, check=True,
                            timeout=60)
    assert result.stdout == data


def test_nc_feeds_tput(network):
    address, port = network.way_to(TPUT)
    data = pattern(20 * MIB)
    with Server(network.guest, f"tput -s -c -p {TPUT} > /tmp/tput", TPUT):
        subprocess.run(["nc", "-N", address, str(port)], input=data, check=True, timeout=60)
        output = network.guest.check("until grep crc32 /tmp/tput; do sleep 0.05; done")
    assert f"received {len(data)} bytes" in output and crc_of(output) == zlib.crc32(data)


def test_nc_takes_from_tput(network):
    address, port = network.way_to(SOURCE)
    with Server(network.guest, f"tput -s -c -n 20M -p {SOURCE} > /tmp/tput", SOURCE):
        data = subprocess.run(["nc", "-d", address, str(port)], stdout=subprocess.PIPE, check=True, timeout=60).stdout
        output = network.guest.check("until grep crc32 /tmp/tput; do sleep 0.05; done")
    assert len(data) == 20 * MIB and crc_of(output) == zlib.crc32(data)


def test_nc_listens_for_the_guests_nc(network):
    """Busybox's nc; its shell's text comes out here, and what is said here comes out there."""
    with socket.create_server((network.listens_at, 0)) as free:
        port = free.getsockname()[1]
    with started("nc", "-l", "-N", network.listens_at, str(port), stdin=subprocess.PIPE,
                 stdout=subprocess.PIPE) as listener:
        listener.stdin.write(b"from here\n")
        listener.stdin.close()
        time.sleep(0.3)
        output = network.guest.check(f"echo from there | nc {network.host} {port}")
        assert output == "from here\n"
        assert listener.stdout.read() == b"from there\n"
        assert listener.wait(10) == 0


# Keystrokes -------------------------------------------------------------------------------------


def assert_brisk(seconds, record_property, what):
    """Nothing waits for a delayed acknowledgement (40 ms) or a retransmission (200 ms), but for a hiccup."""
    milliseconds = sorted(1000 * each for each in seconds)
    record_property("report", f"{what}: median {statistics.median(milliseconds):.2f} ms, "
                    f"worst {milliseconds[-1]:.1f} ms")
    slow = [each for each in milliseconds if each > 35]
    assert len(slow) <= len(milliseconds) // 20, milliseconds[-20:]


def test_keystrokes(network, record_property):
    """One byte there, one byte back, with Nagle's algorithm on as it is by default."""
    took = []
    with connect(*network.way_to(ECHO)) as connection:
        for i in range(KEYS):
            began = time.monotonic()
            connection.sendall(bytes([i]))
            assert connection.recv(1) == bytes([i])
            took.append(time.monotonic() - began)
    assert_brisk(took, record_property, "a key and its echo")


def test_question_in_two_writes(network, record_property):
    """The worst that Nagle and delayed acknowledgements do together: 40 ms each, not more."""
    took = []
    with connect(*network.way_to(ECHO)) as connection:
        for i in range(30):
            began = time.monotonic()
            connection.sendall(b"head")
            connection.sendall(b"body %4d" % i)
            assert receive_exactly(connection, 13) == b"headbody %4d" % i
            took.append(1000 * (time.monotonic() - began))
    record_property("report", f"two writes and a read: median {statistics.median(took):.1f} ms, "
                    f"worst {max(took):.1f} ms")
    assert statistics.median(took) < 60


@pytest.fixture(scope="module")
def ssh(network, tmp_path_factory):
    """The command line that runs a command in the guest by ssh; there, dropbear."""
    key = tmp_path_factory.mktemp("ssh") / "key"
    tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).check_returncode()
    public = key.with_suffix(".pub").read_text().strip()
    network.guest.check("mkdir -p /root/.ssh; chmod 700 /root /root/.ssh; dropbearkey -t ed25519 -f /tmp/host-key; "
                        f"echo '{public}' > /root/.ssh/authorized_keys", 60)
    address, port = network.way_to(SSH)
    with Server(network.guest, f"dropbear -F -E -r /tmp/host-key -p {SSH} 2> /tmp/dropbear", SSH):
        yield ["ssh", "-T", "-q", "-F", "none", "-i", key, "-p", str(port), "-o", "StrictHostKeyChecking=no",
               "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=20", f"root@{address}"]


def test_ssh_runs_a_command(network, ssh):
    result = tool(*ssh, "uname -sm; exit 7")
    assert result.returncode == 7 and result.stdout == "Linux aarch64\n"


def test_ssh_keystrokes(network, ssh, record_property):
    """A line at a time to a shell in the guest, and its answer, in a session that stays."""
    took = []
    with started(*ssh, "sh", stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as session:
        for i in range(KEYS):
            began = time.monotonic()
            session.stdin.write(b"echo %d\n" % i)
            assert session.stdout.readline() == b"%d\n" % i
            took.append(time.monotonic() - began)
        session.stdin.close()
        assert session.wait(20) == 0
    assert_brisk(took[1:], record_property, "a line to a shell by ssh")


def test_ssh_carries_megabytes(network, ssh):
    data = pattern(4 * MIB)
    result = subprocess.run([*ssh, "cat"], input=data, stdout=subprocess.PIPE, check=True, timeout=120)
    assert result.stdout == data


# wrk --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connections", [1, 100])
def test_wrk(network, connections, record_property):
    output = tool("wrk", "-t1", f"-c{connections}", "-d2s", "--latency", url(network, "file.txt")).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert rate, output
    assert "Socket errors" not in output and "Non-2xx" not in output, output
    record_property("report", f"wrk, {connections} connections: {rate.group(1)} requests/s")
    assert float(rate.group(1)) > 100


def test_wrk_of_a_large_file(network):
    output = tool("wrk", "-t1", "-c10", "-d2s", url(network, "big")).stdout
    assert "Requests/sec" in output and "Socket errors" not in output and "Non-2xx" not in output, output


# iperf3 -----------------------------------------------------------------------------------------


@pytest.fixture
def iperf_server(network):
    """One for each test: between two tests a server closes its listener for a moment."""
    with Server(network.guest, "iperf3 -s -1 > /tmp/iperf3", IPERF):
        yield


@pytest.mark.parametrize("options", [[], ["-R"], ["-P", "8"], ["-P", "8", "-R"], ["--bidir"], ["-M", "536"],
                                     ["-N", "-l", "100"]], ids=" ".join)
def test_iperf3(network, iperf_server, options, record_property):
    address, port = network.way_to(IPERF)
    result = tool("iperf3", "-J", "-c", address, "-p", port, "-t", "1", *options)
    answer = json.loads(result.stdout)
    assert result.returncode == 0 and "error" not in answer, result.stdout
    received = answer["end"]["sum_received"]
    record_property("report", f"iperf3 {' '.join(options)}: {received['bits_per_second'] / 1e6:.0f} Mbit/s")
    assert received["bytes"] > 65536


def test_iperf3_from_the_guest(network):
    with socket.create_server((network.listens_at, 0)) as free:
        port = free.getsockname()[1]
    with started("iperf3", "-s", "-1", "-B", network.listens_at, "-p", str(port),
                 stdout=subprocess.DEVNULL) as server:
        time.sleep(0.3)
        output = network.guest.check(f"iperf3 -c {network.host} -p {port} -t 1", 60)
        assert "receiver" in output
        assert server.wait(20) == 0


# A gigabyte each way ----------------------------------------------------------------------------


def take(connection, result):
    buffer = bytearray(MIB)
    crc = size = 0
    while count := connection.recv_into(buffer):
        crc, size = zlib.crc32(memoryview(buffer)[:count], crc), size + count
    result.append((size, crc))


def test_a_gibibyte_from_the_guest(network, record_property):
    listener, port = listen(network.listens_at)
    began = time.monotonic()
    command = network.guest.start_command(f"tput -n 1G -c -p {port} {network.host}")
    connection, _ = listener.accept()
    result = []
    with connection:
        take(connection, result)
    output = network.guest.finish(command, 180).output
    assert result == [(GIB, crc_of(output))], output
    record_property("report", f"1 GiB from the guest in {time.monotonic() - began:.1f} s, sums included")


def test_a_gibibyte_to_the_guest(network, record_property):
    data = os.urandom(16 * MIB)
    crc = 0
    listener, port = listen(network.listens_at)
    began = time.monotonic()
    command = network.guest.start_command(f"tput -r -c -p {port} {network.host}")
    connection, _ = listener.accept()
    connection.settimeout(180)
    with connection:
        for _ in range(GIB // len(data)):
            connection.sendall(data)
            crc = zlib.crc32(data, crc)
    output = network.guest.finish(command, 180).output
    assert f"received {GIB} bytes" in output and crc_of(output) == crc, output
    record_property("report", f"1 GiB to the guest in {time.monotonic() - began:.1f} s, sums included")


def test_both_ways_at_once(network):
    """An echo of 64 MiB, with reading and writing at the same time."""
    data = pattern(64 * MIB)
    with connect(*network.way_to(ECHO)) as connection:
        received = []
        reader = threading.Thread(target=lambda: received.append(receive_all(connection)))
        reader.start()
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        reader.join(120)
    assert received and received[0] == data
