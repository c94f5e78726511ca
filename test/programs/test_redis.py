"""Debian's redis: the server in the guest with this machine's clients, and the other way round."""

import re
import subprocess

import pytest

from harness.tcp import free_port, tool

PACKAGES = ["redis-server", "redis-tools"]
MEMORY = "256M"

PORT = 6379
SOCKET = "/tmp/redis.sock"
SERVER = f"redis-server --port {PORT} --bind 0.0.0.0 --protected-mode no --unixsocket {SOCKET} --dir /tmp --save ''"
LOG = "/tmp/redis.log"

# A result of redis-benchmark -q, behind its passing reports.
RATE = re.compile(r"([A-Z_]+)[^\r\n]*: ([0-9.]+) requests per second")
ALL_KINDS = ["SET", "GET", "INCR", "LPUSH", "LPOP", "SADD", "HSET", "ZADD", "MSET"]


def measured(output):
    """The kinds of requests that redis-benchmark made, each at some rate."""
    rates = {kind: float(rate) for kind, rate in RATE.findall(output)}
    assert rates and all(rates.values()), output
    return sorted(rates)


def start_server(guest):
    guest.background(f"{SERVER} > {LOG} 2>&1")
    guest.wait_for_port(PORT)


def stop_server(guest, how="nosave"):
    guest.run(f"redis-cli shutdown {how}")
    guest.wait_until("! pidof redis-server > /dev/null")


@pytest.fixture
def server(guest):
    """In the guest; it saves to a file when it is told to."""
    start_server(guest)
    yield guest
    stop_server(guest)


def there(guest, program, *words):
    """A redis program of this machine that talks to the guest's server: its output."""
    address, port = guest.reach(PORT)
    result = tool(program, "-h", address, "-p", port, *words)
    assert result.returncode == 0, result.stdout
    return result.stdout


@pytest.mark.fast
def test_benchmark_from_this_machine(server):
    output = there(server, "redis-benchmark", "-n", 2000, "-c", 20, "-q", "-t", "set,get")
    assert measured(output) == ["GET", "SET"]


def test_all_kinds_of_requests(server):
    """Fifty connections, sixteen requests of each on their way."""
    output = there(server, "redis-benchmark", "-n", 1000, "-P", 16, "-q", "-t", ",".join(ALL_KINDS).lower())
    assert measured(output) == sorted(ALL_KINDS)


def test_values_go_both_ways(server):
    value = "x" * 99_997 + "end"
    assert there(server, "redis-cli", "set", "large", value) == "OK\n"
    assert there(server, "redis-cli", "get", "large") == value + "\n"
    assert server.check("redis-cli getrange large 99996 99999") == '"xend"\n'


def test_over_a_unix_socket(server):
    assert server.check(f"test -S {SOCKET} && redis-cli -s {SOCKET} ping") == "PONG\n"
    assert f" {SOCKET}\n" in server.check("cat /proc/net/unix")
    assert measured(server.check(f"redis-benchmark -s {SOCKET} -n 2000 -c 20 -q -t set,get", 60)) == ["GET", "SET"]


def test_publishing_to_a_subscriber(server):
    """From this machine to a program in the guest that waits."""
    subscriber = server.background("redis-cli subscribe news > /tmp/news")
    server.wait_until("grep -q '^1' /tmp/news")
    assert there(server, "redis-cli", "publish", "news", "hello") == "1\n"
    server.wait_until("grep -q hello /tmp/news")
    server.run(f"kill {subscriber}; wait {subscriber}")


def test_saving_in_the_background(server):
    """A child of the server writes what the server held, which goes on meanwhile."""
    there(server, "redis-cli", "set", "kept", "yes")
    assert "saving started" in there(server, "redis-cli", "bgsave")
    assert there(server, "redis-cli", "set", "later", "yes") == "OK\n"
    server.wait_until("redis-cli info persistence | grep -q rdb_bgsave_in_progress:0")
    assert "rdb_last_bgsave_status:ok" in there(server, "redis-cli", "info", "persistence")
    stop_server(server)
    start_server(server)
    assert there(server, "redis-cli", "mget", "kept", "later") == "yes\n\n"
    server.check("rm /tmp/dump.rdb")


@pytest.mark.fast
def test_benchmark_in_the_guest(guest, peers):
    port = free_port()
    peers.start("redis-server", "--port", port, "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", port=port)
    benchmark = f"redis-benchmark -h {guest.host} -p {port} -q"
    assert measured(guest.check(f"{benchmark} -n 2000 -c 20 -t set,get", 60)) == ["GET", "SET"]
    assert measured(guest.check(f"{benchmark} -n 500 -c 10 --threads 3 -t get", 60)) == ["GET"]


def test_a_server_that_is_killed(guest):
    """In the middle of its work: nothing of it is left, and the next one has its port and its name."""
    start_server(guest)
    address, port = guest.reach(PORT)
    with subprocess.Popen(["redis-benchmark", "-h", address, "-p", str(port), "-l", "-q", "-t", "set"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as load:
        guest.wait_until("redis-cli info stats | grep -q 'total_commands_processed:[0-9][0-9][0-9]'")
        guest.check("killall -9 redis-server")
        load.kill()
    guest.wait_until("! pidof redis-server > /dev/null")
    assert SOCKET not in guest.check("cat /proc/net/unix")
    assert guest.run(f"redis-cli -s {SOCKET} ping").status != 0
    start_server(guest)
    assert guest.check(f"redis-cli -s {SOCKET} ping") == "PONG\n"
    stop_server(guest)
