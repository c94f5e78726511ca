"""Debian's memcached in the guest: threads, TCP, UDP and a socket in the file system."""

import socket
import struct

import pytest

PACKAGES = ["memcached", "netcat-openbsd"]
MEMORY = "256M"

PORT = 11211
SOCKET = "/tmp/memcached.sock"
SECONDS = 15


class Client:
    """The protocol of text lines over one connection."""

    def __init__(self, address):
        self._connection = socket.create_connection(address, timeout=SECONDS)
        self._lines = self._connection.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._lines.close()
        self._connection.close()

    def set(self, key, value):
        self._connection.sendall(f"set {key} 0 0 {len(value)}\r\n".encode() + value + b"\r\n")
        return self._lines.readline().strip()

    def get(self, key):
        self._connection.sendall(f"get {key}\r\n".encode())
        header = self._lines.readline().split()
        if header == [b"END"]:
            return None
        value = self._lines.read(int(header[3]) + 2)[:-2]
        assert self._lines.readline() == b"END\r\n"
        return value

    def statistics(self):
        self._connection.sendall(b"stats\r\n")
        found = {}
        while (words := self._lines.readline().split()) != [b"END"]:
            found[words[1].decode()] = words[2].decode()
        return found


@pytest.fixture
def server(guest):
    process = guest.background(f"memcached -u memcache -l 0.0.0.0 -p {PORT} -U {PORT} -t 4")
    guest.wait_for_port(PORT)
    yield guest
    guest.run(f"kill {process}; wait {process}")


def test_values(server):
    large = bytes(range(256)) * 3000
    with Client(server.reach(PORT)) as client:
        assert client.set("small", b"value") == b"STORED" and client.set("large", large) == b"STORED"
        assert client.get("small") == b"value" and client.get("large") == large
        assert client.get("none") is None
        assert client.statistics()["threads"] == "4"


def test_many_connections(server):
    """They are handed to the threads in turn; each sees what the others have stored."""
    clients = [Client(server.reach(PORT)) for _ in range(40)]
    for i, client in enumerate(clients):
        assert client.set(f"key{i}", f"value{i}".encode()) == b"STORED"
    for i, client in enumerate(reversed(clients)):
        assert client.get(f"key{i}") == f"value{i}".encode()
    assert int(clients[0].statistics()["curr_connections"]) >= 40
    for client in clients:
        client.__exit__()


def test_over_udp(server):
    """Each datagram begins with a request's number and its own, and how many there are."""
    with Client(server.reach(PORT)) as client:
        client.set("key", b"over udp")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(SECONDS)
        datagrams.connect(server.reach(PORT, "udp"))
        datagrams.send(struct.pack("!HHHH", 77, 0, 1, 0) + b"get key\r\n")
        answer = datagrams.recv(1500)
    assert struct.unpack("!HHHH", answer[:8]) == (77, 0, 1, 0)
    assert answer[8:] == b"VALUE key 0 8\r\nover udp\r\nEND\r\n"


def test_over_a_unix_socket(guest):
    process = guest.background(f"memcached -u memcache -s {SOCKET} -a 0777")
    guest.wait_until(f"test -S {SOCKET}")
    answer = guest.check(f"printf 'set k 0 0 5\\r\\nhello\\r\\nget k\\r\\nquit\\r\\n' | nc -U {SOCKET}")
    assert answer.split() == ["STORED", "VALUE", "k", "0", "5", "hello", "END"]
    assert guest.check(f"stat -c %a {SOCKET}") == "777\n"
    guest.run(f"kill {process}; wait {process}")
    assert SOCKET not in guest.check("cat /proc/net/unix")


def test_runs_as_the_user_it_was_told(server):
    process = server.check("pidof memcached").strip()
    user = server.check("id -u memcache").strip()
    assert server.check(f"grep ^Uid: /proc/{process}/status").split()[1:] == [user] * 4
