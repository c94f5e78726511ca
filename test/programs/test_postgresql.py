"""PostgreSQL: processes that share memory, and a client of ours that speaks its protocol (version 3)."""

import socket
import struct

import pytest

PACKAGES = ["postgresql-15"]
MEMORY = "1G"

PORT = 5432
PROGRAMS = "/usr/lib/postgresql/15/bin"
DATA = "/var/lib/postgresql/data"
SECONDS = 60


def as_postgres(command):
    return f'cd / && su postgres -c "{command}"'


@pytest.fixture
def server(guest):
    if guest.run(f"test -e {DATA}").status != 0:
        guest.check(as_postgres(f"{PROGRAMS}/initdb -A trust -D {DATA}"), SECONDS)
        guest.check(f"echo 'host all all 0.0.0.0/0 trust' >> {DATA}/pg_hba.conf")
        guest.check(as_postgres(f"{PROGRAMS}/pg_ctl -D {DATA} -l {DATA}/log -w -o '-h 0.0.0.0' start"), SECONDS)
    return guest


class Client:
    """Enough of the protocol for a question and its rows."""

    def __init__(self, address, user):
        self._connection = socket.create_connection(address, timeout=SECONDS)
        self._stream = self._connection.makefile("rb")
        start = struct.pack("!I", 3 << 16) + f"user\0{user}\0database\0postgres\0\0".encode()
        self._connection.sendall(struct.pack("!I", len(start) + 4) + start)
        self._until_ready()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stream.close()
        self._connection.close()

    def _until_ready(self):
        """The messages up to ReadyForQuery: (type, body)."""
        messages = []
        while not messages or messages[-1][0] != b"Z":
            kind, length = struct.unpack("!cI", self._stream.read(5))
            messages.append((kind, self._stream.read(length - 4)))
            assert kind != b"E", messages
        return messages

    def ask(self, question):
        """The first column of each row, as text."""
        body = question.encode() + b"\0"
        self._connection.sendall(b"Q" + struct.pack("!I", len(body) + 4) + body)
        rows = []
        for kind, row in self._until_ready():
            if kind == b"D":
                length, = struct.unpack_from("!I", row, 2)
                rows.append(row[6:6 + length].decode())
        return rows


def test_a_client_beside_it(server):
    guest = server
    for host in ("127.0.0.1", "/run/postgresql"):
        answer = guest.check(f"{PROGRAMS}/psql -h {host} -U postgres -P pager=off -At -c 'select 6 * 7'", SECONDS)
        assert answer.split()[-1] == "42"


def test_clients_from_outside(server):
    address = server.reach(PORT)
    with Client(address, "postgres") as writer, Client(address, "postgres") as reader:
        writer.ask("create table numbers as select generate_series(1, 20000) as n")
        assert reader.ask("select sum(n) from numbers") == ["200010000"]
        assert len(reader.ask("select n from numbers")) == 20000
        writer.ask("begin; delete from numbers")
        assert reader.ask("select count(*) from numbers") == ["20000"]  # not committed
        writer.ask("commit")
        assert reader.ask("select count(*) from numbers") == ["0"]


def test_its_memory_goes_with_it(server):
    segments = server.check("cat /proc/sysvipc/shm").strip().splitlines()
    assert len(segments) == 2, segments  # a heading, and the one by which it knows that it is alone
    server.check(as_postgres(f"{PROGRAMS}/pg_ctl -D {DATA} -m fast -w stop"), SECONDS)
    assert len(server.check("cat /proc/sysvipc/shm").strip().splitlines()) == 1
    server.check(f"rm -r {DATA}")
