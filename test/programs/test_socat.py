"""Debian's socat in the guest, as a relay between kinds of sockets, and as a peer of this machine's."""

import socket
import threading

import pytest

from harness.tcp import free_port, tool

PACKAGES = ["socat"]

PORT = 5000
TEXT = "to be carried\n"


@pytest.fixture
def relay(guest):
    """Starts socats in the background: relay("ADDRESS", "ADDRESS"); they end with the test."""
    processes = []

    def start(*words):
        processes.append(guest.background(" ".join(["socat", *words])))

    yield start
    guest.run("killall socat")  # those that serve one peer over UDP, too
    for process in processes:
        guest.run(f"wait {process}")


def talk(guest, address, text=TEXT):
    """What comes back for a text that a socat in the guest sends there."""
    return guest.check(f"printf '{text.rstrip()}\\n' | socat -t 5 - {address}")


def exchange(address, text=TEXT):
    """What comes back over TCP from the guest, until it closes; read while the text is still being sent."""
    with socket.create_connection(address, timeout=15) as connection:
        def send():
            connection.sendall(text.encode())
            connection.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        answer = connection.makefile().read()
        sender.join()
        return answer


def test_tcp_server(guest, relay):
    """With a socketpair to the program; a PIPE, which socat itself would have to empty, may fill up for ever."""
    relay(f"TCP-LISTEN:{PORT},fork,reuseaddr", "EXEC:cat")
    guest.wait_for_port(PORT)
    assert exchange(guest.reach(PORT)) == TEXT
    assert exchange(guest.reach(PORT), TEXT * 20_000) == TEXT * 20_000


def test_tcp_client(guest, peers):
    port = free_port()
    peers.start("socat", f"TCP-LISTEN:{port},bind=0.0.0.0,fork", "PIPE", port=port)
    assert talk(guest, f"TCP:{guest.host}:{port}") == TEXT


def test_udp_server(guest, relay):
    relay(f"UDP-LISTEN:{PORT},fork", "PIPE")
    guest.wait_until(f"netstat -lun 2> /dev/null | grep -q ':{PORT} '")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(15)
        datagrams.connect(guest.reach(PORT, "udp"))
        for text in (b"one", b"two"):
            datagrams.send(text)
            assert datagrams.recv(100) == text


def test_udp_client(guest, peers):
    port = free_port()
    server = peers.start("socat", "-d", "-d", f"UDP-RECVFROM:{port},bind=0.0.0.0,fork", "EXEC:cat")
    server.wait_until(lambda: f":{port} " in tool("ss", "-Hlun").stdout, "does not listen")
    assert guest.check(f"echo hello | socat -t 2 - UDP:{guest.host}:{port}") == "hello\n"


@pytest.mark.parametrize("listen, connect", [
    ("UNIX-LISTEN:/tmp/s.sock,fork,unlink-early", "UNIX-CONNECT:/tmp/s.sock"),
    ("ABSTRACT-LISTEN:name,fork", "ABSTRACT-CONNECT:name"),
    ("UNIX-LISTEN:/tmp/q.sock,fork,type=5", "UNIX-CONNECT:/tmp/q.sock,type=5"),
])
def test_unix_connections(guest, relay, listen, connect):
    relay(listen, "PIPE")
    name = connect.split(":")[1].split(",")[0]
    guest.wait_until(f"grep -q '{name}$' /proc/net/unix")
    assert talk(guest, connect) == TEXT


def test_unix_datagrams(guest, relay):
    relay("-u", "UNIX-RECV:/tmp/d.sock", "OPEN:/tmp/received,creat,trunc")
    guest.wait_until("test -S /tmp/d.sock")
    guest.check("echo one | socat -u - UNIX-SENDTO:/tmp/d.sock; echo two | socat -u - UNIX-SENDTO:/tmp/d.sock")
    guest.wait_until("grep -q two /tmp/received")
    assert guest.check("cat /tmp/received") == "one\ntwo\n"


def test_from_tcp_to_a_unix_socket(guest, relay):
    """A server that has no network of its own, made known to this machine."""
    relay("UNIX-LISTEN:/tmp/inner.sock,fork,unlink-early", "SYSTEM:'tr a-z A-Z'")
    relay(f"TCP-LISTEN:{PORT},fork,reuseaddr", "UNIX-CONNECT:/tmp/inner.sock")
    guest.wait_for_port(PORT)
    assert exchange(guest.reach(PORT)) == TEXT.upper()


def test_credentials_of_the_peer(guest, relay):
    relay("UNIX-LISTEN:/tmp/who.sock,fork,unlink-early", "SYSTEM:'echo $SOCAT_PID'")
    guest.wait_until("test -S /tmp/who.sock")
    assert talk(guest, "UNIX-CONNECT:/tmp/who.sock").strip().isdigit()


def test_a_shell_on_a_terminal(guest, relay):
    """A pseudo-terminal of the shell's own, reached over TCP."""
    relay(f"TCP-LISTEN:{PORT},reuseaddr", "'SYSTEM:tty; stty -a,pty,setsid,ctty,stderr'")
    guest.wait_for_port(PORT)
    with socket.create_connection(guest.reach(PORT), timeout=15) as connection:
        output = connection.makefile().read()
    assert output.startswith("/dev/pts/") and "intr = ^C" in output, output


def test_nothing_is_left(guest):
    guest.wait_until("! pidof socat > /dev/null")
    assert guest.check("tail -n +2 /proc/net/unix") == ""
