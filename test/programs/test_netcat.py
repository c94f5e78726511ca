"""Debian's netcat-openbsd in the guest: TCP, UDP and sockets in the file system."""

import hashlib
import secrets
import socket

import pytest

from harness.tcp import free_port

PACKAGES = ["netcat-openbsd"]

PORT = 7000
SOCKET = "/tmp/nc.sock"
SECONDS = 15


@pytest.fixture(scope="module")
def payload():
    return secrets.token_bytes(3_000_000)


@pytest.fixture(scope="module")
def share(payload, tmp_path_factory):
    directory = tmp_path_factory.mktemp("share")
    (directory / "payload").write_bytes(payload)
    return directory


def digest(data):
    return hashlib.sha256(data).hexdigest()


def test_receives_a_file(guest, payload):
    process = guest.background(f"nc -d -l {PORT} > /tmp/got")
    guest.wait_for_port(PORT)
    with socket.create_connection(guest.reach(PORT), timeout=SECONDS) as connection:
        connection.sendall(payload)
    guest.check(f"wait {process}")
    assert guest.sha256("/tmp/got") == digest(payload)


def test_sends_a_file(guest, payload):
    with socket.create_server(("0.0.0.0", 0)) as server:
        server.settimeout(SECONDS)
        process = guest.background(f"nc -N {guest.host} {server.getsockname()[1]} < /share/payload")
        connection, _ = server.accept()
        with connection:
            connection.settimeout(SECONDS)
            assert digest(connection.makefile("rb").read()) == digest(payload)
    guest.check(f"wait {process}")


def test_listens_again_and_again(guest):
    process = guest.background(f"nc -d -k -l {PORT} > /tmp/lines")
    guest.wait_for_port(PORT)
    for line in ("one", "two", "three"):
        with socket.create_connection(guest.reach(PORT), timeout=SECONDS) as connection:
            connection.sendall(f"{line}\n".encode())
        guest.wait_until(f"grep -q {line} /tmp/lines")
    guest.run(f"kill {process}; wait {process}")
    assert guest.check("cat /tmp/lines") == "one\ntwo\nthree\n"


def test_scans_ports(guest, peers):
    port = free_port()
    peers.start("nc.openbsd", "-l", "-k", "0.0.0.0", port, port=port)
    assert "succeeded" in guest.check(f"nc -zv {guest.host} {port} 2>&1")
    refused = guest.run(f"nc -zv -w 5 {guest.host} {free_port()} 2>&1")
    assert refused.status == 1 and "refused" in refused.output


def test_udp(guest):
    process = guest.background(f"nc -d -u -l {PORT} > /tmp/datagrams")
    guest.wait_until(f"netstat -lun 2> /dev/null | grep -q ':{PORT} '")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.sendto(b"a datagram\n", guest.reach(PORT, "udp"))
        guest.wait_until("grep -q 'a datagram' /tmp/datagrams")
    guest.run(f"kill {process}; wait {process}")


def test_unix_stream(guest, payload):
    process = guest.background(f"nc -d -l -U {SOCKET} > /tmp/got")
    guest.wait_until(f"test -S {SOCKET}")
    guest.check(f"nc -N -U {SOCKET} < /share/payload; wait {process}")
    assert guest.sha256("/tmp/got") == digest(payload)
    guest.check(f"rm {SOCKET}")


def test_unix_datagrams(guest):
    process = guest.background(f"nc -d -u -l -U {SOCKET} > /tmp/got")
    guest.wait_until(f"test -S {SOCKET}")
    guest.check("rm -f /tmp/input; mkfifo /tmp/input")
    sender = guest.background(f"nc -u -U {SOCKET} < /tmp/input")
    guest.check("echo by datagram > /tmp/input")
    guest.wait_until("grep -q 'by datagram' /tmp/got")
    guest.run(f"kill {sender} {process}; wait {sender} {process}; rm -f {SOCKET} /tmp/input")


def test_nobody_listens(guest):
    missing = guest.run("nc -U /tmp/no.sock 2>&1")
    assert missing.status == 1 and "No such file" in missing.output
    guest.check(f"nc -d -l -U {SOCKET} & until test -S {SOCKET}; do sleep 0.05; done; kill $!; wait $! || true")
    refused = guest.run(f"nc -U {SOCKET} 2>&1")
    assert refused.status == 1 and "refused" in refused.output
    guest.check(f"rm -f {SOCKET}")


def test_ctrl_c(guest):
    since = guest.mark()
    guest.send(f"nc -n -v -l {PORT}\n")
    guest.wait_for("Listening on", since=since)
    guest.send(b"\x03")
    guest.send("echo status $?\n")
    status = guest.wait_for(r"status (\d+)\s", since=since)[1]
    assert status == "130", guest.text[since:]
