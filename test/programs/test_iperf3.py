"""Debian's iperf3: client and server in the guest against this machine's, TCP and UDP."""

import json
import re
import subprocess

import pytest

PACKAGES = ["iperf3"]

PORT = 5201
MIB = 1 << 20


@pytest.fixture(scope="module")
def server(peers):
    """iperf3 -s on this machine."""
    return peers.start("/usr/bin/iperf3", "-s", "-p", str(PORT), port=PORT)


def client(guest, options, seconds=60):
    """The client in the guest, against this machine's server: its result, as JSON."""
    result = json.loads(guest.check(f"iperf3 -c {guest.host} -p {PORT} --json {options}", seconds))
    assert "error" not in result, result
    return result["end"]


@pytest.mark.fast
def test_client_sends(guest, server):
    end = client(guest, "-n 32M")
    assert end["sum_sent"]["bytes"] >= 32 * MIB
    # The end of the test overtakes what is under way, which is as much as the buffers of both sides hold.
    assert end["sum_received"]["bytes"] >= 16 * MIB


def test_client_receives(guest, server):
    end = client(guest, "-R -n 32M")
    assert end["sum_received"]["bytes"] >= 16 * MIB


def test_four_connections(guest, server):
    """-P 4: all of them get their share, both ways at once too."""
    for options in ("-P 4 -t 2", "-P 4 -t 2 -R", "-P 2 -t 2 --bidir"):
        streams = client(guest, options)["streams"]
        assert len(streams) == 4 and all(stream["receiver"]["bytes"] > 100_000 for stream in streams), streams


def test_a_rate_that_is_asked_for(guest, server):
    end = client(guest, "-t 3 -b 8M")
    assert 6e6 < end["sum_sent"]["bits_per_second"] < 10e6, end["sum_sent"]


@pytest.mark.parametrize("way", ["", "-R"])
def test_udp(guest, server, way):
    """At a rate that is no strain nearly everything arrives, and each end counts the same."""
    end = client(guest, f"-u -b 4M -l 1200 -t 3 {way}")
    assert end["sum"]["packets"] > 1000 and end["sum"]["lost_percent"] < 5, end["sum"]


def test_segment_size_congestion_control_and_no_delay(guest, server):
    end = client(guest, "-M 900 -C reno -N -n 2M")
    assert end["sender_tcp_congestion"] == "reno"
    refused = guest.run(f"iperf3 -c {guest.host} -p {PORT} -C nonesuch -n 1M")
    assert refused.status == 1 and "congestion control" in refused.output


def test_intervals_as_text(guest, server):
    output = guest.check(f"iperf3 -c {guest.host} -p {PORT} -t 3 -i 1", 30)
    assert re.search(r" 0\.00-1\.0\d .* 1\.0\d-2\.\d\d ", output, re.DOTALL), output
    assert "sender" in output and "receiver" in output and "iperf Done." in output


def run_here(guest, *options):
    """This machine's client against the guest's server."""
    address, port = guest.reach(PORT)
    result = subprocess.run(["iperf3", "-c", address, "-p", str(port), "--json", *options], check=False, text=True,
                            stdout=subprocess.PIPE, timeout=60)
    document = json.loads(result.stdout)
    assert "error" not in document, document["error"]
    return document["end"]


@pytest.fixture
def serving(guest):
    process = guest.background(f"iperf3 -s --forceflush -p {PORT} > /tmp/server")
    guest.wait_for_port(PORT)
    yield guest
    guest.run(f"kill {process}; wait")


def wait_for_server(guest, times):
    """It closes its socket after each test and listens anew."""
    guest.wait_until(f"test $(grep -c 'Server listening' /tmp/server) = {times}")


def test_server(serving):
    """Several clients, one after the other, each way."""
    for number, options in enumerate((("-n", "8M"), ("-R", "-n", "8M"), ("-P", "4", "-t", "2")), start=1):
        wait_for_server(serving, number)
        end = run_here(serving, *options)
        assert end["sum_received"]["bytes"] > MIB
    wait_for_server(serving, 4)


def test_server_udp(serving):
    if serving.network == "user":
        pytest.skip("QEMU's user networking gives the guest's UDP port another number than its TCP port")
    for number, options in enumerate(((), ("-R",)), start=1):
        wait_for_server(serving, number)
        total = run_here(serving, "-u", "-b", "4M", "-l", "1200", "-t", "2", *options)["sum"]
        assert total["packets"] > 500 and total["lost_percent"] < 5, total


def test_killed_in_the_middle(guest, server):
    """kill -9 leaves no connection and no process behind, and the server here takes the next client."""
    process = guest.background(f"iperf3 -c {guest.host} -p {PORT} -P 4 -t 60 > /dev/null")
    guest.wait_until(f"netstat -tn | grep -c ':{PORT} .*ESTABLISHED' | grep -q 5")
    guest.run(f"kill -9 {process}; wait")
    guest.wait_until(f"! netstat -tn | grep ':{PORT} ' | grep -v TIME_WAIT", 60)
    assert "iperf3" not in guest.check("ps")
    assert client(guest, "-n 1M")["sum_sent"]["bytes"] >= MIB
