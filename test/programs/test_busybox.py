"""busybox's network programs, those of the image, against servers and clients of this machine."""

import hashlib
import re
import secrets
import warnings

import pytest

from harness.tcp import connect, receive_all, tool
from room.web import HTTP_PORT

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import telnetlib

MIB = 1 << 20
FTP_PORT, TFTP_PORT, TELNET_PORT = 2121, 6969, 2323
PATIENCE_S = 20


def wait_for_text(connection, text):
    seen = connection.read_until(text.encode(), PATIENCE_S).decode(errors="replace")
    assert text in seen, seen


# wget and httpd ---------------------------------------------------------------------------------


@pytest.mark.fast
def test_wget(guest, web):
    data = web.random_file("megabytes", 4 * MIB)
    guest.check(f"wget -q -O /tmp/got http://{guest.host}:{HTTP_PORT}/megabytes", 60)
    assert guest.sha256("/tmp/got") == hashlib.sha256(data).hexdigest()


def test_wget_follows_a_redirection_and_posts(guest, web):
    base = f"http://{guest.host}:{HTTP_PORT}"
    assert guest.check(f"wget -q -O - {base}/moved") == "hello from nginx\n"
    assert guest.check(f"wget -q -O - --post-data a=1 {base}/agent") == "POST Wget\n"
    assert "404 Not Found" in guest.run(f"wget -q -O - {base}/nothing").output


@pytest.fixture
def httpd(guest):
    guest.check("mkdir -p /tmp/www/cgi-bin; head -c 2000000 /dev/urandom > /tmp/www/noise")
    guest.write_file("/tmp/www/cgi-bin/who", "#!/bin/sh\necho 'Content-Type: text/plain'\necho\n"
                     "echo $REQUEST_METHOD $QUERY_STRING\ncat")
    guest.check("chmod +x /tmp/www/cgi-bin/who")
    process = guest.background("busybox httpd -f -p 80 -h /tmp/www")
    guest.wait_for_port(80)
    yield guest.reach(80)
    guest.check(f"kill {process}; wait {process}; true")


@pytest.mark.fast
def test_httpd(guest, httpd, tmp_path):
    address, port = httpd
    result = tool("curl", "-sSf", "-o", tmp_path / "noise", f"http://{address}:{port}/noise")
    assert result.returncode == 0, result.stdout
    assert hashlib.sha256((tmp_path / "noise").read_bytes()).hexdigest() == guest.sha256("/tmp/www/noise")


def test_httpd_runs_scripts(guest, httpd):
    address, port = httpd
    url = f"http://{address}:{port}/cgi-bin/who?x=1"
    assert tool("curl", "-sS", url).stdout == "GET x=1\n"
    assert tool("curl", "-sS", "-d", "a=2", url).stdout == "POST x=1\na=2"


# nc ---------------------------------------------------------------------------------------------


def test_nc_connects(guest, peers):
    server = peers.start("/usr/bin/nc.openbsd", "-l", "-N", "0.0.0.0", "4444")
    server.wait_until(lambda: "LISTEN" in tool("ss", "-ltnH", "sport = :4444").stdout, "does not listen")
    guest.check(f"echo to the host | nc {guest.host} 4444")
    assert server.wait() == 0 and server.log() == "to the host\n"


def test_nc_listens(guest):
    process = guest.background("nc -l -p 5555 < /dev/null > /tmp/heard")
    guest.wait_for_port(5555)
    with connect(*guest.reach(5555)) as connection:
        connection.sendall(b"to the guest\n")
    guest.check(f"wait {process}")
    assert guest.check("cat /tmp/heard") == "to the guest\n"


def test_nc_with_a_program(guest):
    """inetd in one line: what comes in goes through the program."""
    process = guest.background("nc -ll -p 5556 -e tr a-z A-Z")
    guest.wait_for_port(5556)
    for _ in range(2):
        with connect(*guest.reach(5556)) as connection:
            connection.sendall(b"shout\n")
            connection.shutdown(1)
            assert receive_all(connection) == b"SHOUT\n"
    guest.check(f"kill {process}; wait {process}; true")


# Files by FTP and TFTP --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ftp(peers):
    directory = peers.directory("ftp")
    (directory / "file").write_bytes(secrets.token_bytes(300_000))
    peers.start("/usr/bin/python3", "-m", "pyftpdlib", "-i", "0.0.0.0", "-p", str(FTP_PORT), "-w", "-d", directory,
                port=FTP_PORT)
    return directory


def test_ftp(guest, ftp):
    guest.check(f"ftpget -P {FTP_PORT} {guest.host} /tmp/got file")
    assert guest.sha256("/tmp/got") == hashlib.sha256((ftp / "file").read_bytes()).hexdigest()
    guest.check(f"ftpput -P {FTP_PORT} {guest.host} back /tmp/got")
    assert (ftp / "back").read_bytes() == (ftp / "file").read_bytes()
    assert guest.run(f"ftpget -P {FTP_PORT} {guest.host} /tmp/got nothing").status != 0


@pytest.fixture(scope="module")
def tftp(peers):
    directory = peers.directory("tftp")
    (directory / "file").write_bytes(secrets.token_bytes(100_000))
    (directory / "back").write_bytes(b"")
    (directory / "back").chmod(0o666)
    peers.start("/usr/sbin/in.tftpd", "--listen", "--foreground", "--address", f"0.0.0.0:{TFTP_PORT}", "--user", "root",
                "--secure", directory)
    return directory


def test_tftp(guest, tftp):
    guest.check(f"tftp -g -l /tmp/got -r file {guest.host} {TFTP_PORT}", 60)
    assert guest.sha256("/tmp/got") == hashlib.sha256((tftp / "file").read_bytes()).hexdigest()
    guest.check(f"tftp -b 1400 -p -l /tmp/got -r back {guest.host} {TFTP_PORT}", 60)
    assert (tftp / "back").read_bytes() == (tftp / "file").read_bytes()
    assert guest.run(f"tftp -g -l /tmp/got -r nothing {guest.host} {TFTP_PORT}").status != 0


# telnet -----------------------------------------------------------------------------------------


def test_telnet(guest, peers):
    """Into a shell of this machine, under busybox's telnetd."""
    server = peers.start("/usr/bin/busybox", "telnetd", "-F", "-K", "-l", "/bin/sh", "-p", str(TELNET_PORT),
                         port=TELNET_PORT)
    since = guest.mark()
    guest.send(f"telnet {guest.host} {TELNET_PORT}\n")
    guest.wait_for(r"[#$] $", since=guest.wait_for(r"Connected to", since=since).end())
    guest.send("echo sum $((40 + 2))\n")
    guest.wait_for(r"sum 42", since=since)
    guest.send("exit\n")
    guest.wait_for(r"Connection closed", since=since)
    server.stop()


@pytest.mark.fast
def test_telnetd(guest):
    """A session with a terminal: job control, Ctrl-C, and nothing left when it ends."""
    process = guest.background("telnetd -F -K -l /bin/sh -p 23")
    guest.wait_for_port(23)
    address, port = guest.reach(23)
    with telnetlib.Telnet(address, port, PATIENCE_S) as session:
        wait_for_text(session, "# ")
        session.write(b"tty; echo sum $((40 + 2))\n")
        wait_for_text(session, "/dev/pts/")
        wait_for_text(session, "sum 42")
        session.write(b"sleep 1000\n")
        guest.wait_until("ps | grep -v grep | grep -q 'sleep 1000'")
        session.write(b"\x03echo status $?\n")
        wait_for_text(session, "status 130")
        session.write(b"exit\n")
        session.read_all()
    guest.check(f"kill {process}; wait {process}; true")
    guest.wait_until("! ps | grep -v grep | grep -q 'sleep 1000'")


# What shows ------------------------------------------------------------------------------------


def test_netstat(guest, peers):
    peers.start("/usr/bin/nc.openbsd", "-l", "-k", "0.0.0.0", "4445", port=4445)
    client = guest.background(f"sleep 1000 | nc {guest.host} 4445")
    server = guest.background("nc -l -p 5557 < /dev/null > /dev/null")
    guest.wait_for_port(5557)
    guest.wait_until(f"netstat -tn | grep -q '{guest.host}:4445 *ESTABLISHED'")
    table = guest.check("netstat -tan")
    assert re.search(rf"tcp .*{re.escape(guest.address)}:\d+ +{guest.host}:4445 +ESTABLISHED", table), table
    assert re.search(r"0\.0\.0\.0:5557|:::5557", table), table
    assert re.search(r"^0\.0\.0\.0 +[\d.]+ +0\.0\.0\.0 +UG", guest.check("netstat -rn"), re.MULTILINE)
    assert "eth0" in guest.check("netstat -i 2> /dev/null || ifconfig")
    guest.check(f"kill {client} {server}; killall sleep nc; wait; true")


def test_nslookup(guest, peers):
    if guest.network == "user":
        pytest.skip("QEMU's resolver asks the network outside, which is not there")
    peers.start("/usr/sbin/dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
                "--listen-address=10.77.0.1", "--bind-interfaces", "--host-record=web.test,10.77.0.9",
                "--local=/web.test/", "--pid-file=").wait_for_log("started")
    assert "10.77.0.9" in guest.check(f"nslookup web.test {guest.host}")
    guest.check(f"cp /etc/resolv.conf /tmp/resolv.conf; echo nameserver {guest.host} > /etc/resolv.conf")
    assert "10.77.0.9" in guest.run("busybox ping -c 1 -W 1 web.test").output
    guest.check("cp /tmp/resolv.conf /etc/resolv.conf")


def test_ping(guest):
    output = guest.check(f"busybox ping -c 3 -i 0.2 {guest.host}")
    assert "3 packets transmitted, 3 packets received" in output
    assert guest.run("busybox ping -c 1 -W 1 127.0.0.1").status == 0


def test_top(guest):
    """A full screen that is drawn again each second until q is typed."""
    since = guest.mark()
    guest.send("top -d 1\n")
    guest.wait_for(r"Mem: \d+K used, \d+K free[\s\S]*PID +PPID[\s\S]*Mem: ", since=since)
    guest.send("q")
    assert guest.check("echo back") == "back\n"
    assert re.search(r"^ *\d+ +\d+ root .*top", guest.check("top -b -n 1"), re.MULTILINE)


def type_in_vi(guest, keys, status):
    """Waits until the last line of the screen says so: an Escape must not run into the next key."""
    since = guest.mark()
    guest.send(keys)
    guest.wait_for(re.escape(status), since=since)


def test_vi(guest):
    """Types a line, changes a word, saves; then leaves without saving."""
    guest.check("rm -f /tmp/text")
    type_in_vi(guest, "vi /tmp/text\n", "- /tmp/text 1/1 100%")
    type_in_vi(guest, "ione two three\x1b", "- /tmp/text [Modified] 1/1 100%")
    type_in_vi(guest, "0wcw2", "I /tmp/text [Modified]")
    type_in_vi(guest, "\x1b", "- /tmp/text [Modified]")
    type_in_vi(guest, ":wq\n", "'/tmp/text' 1L, 12C")
    assert guest.check("cat /tmp/text") == "one 2 three\n"
    type_in_vi(guest, "vi /tmp/text\n", "- /tmp/text 1/1 100%")
    type_in_vi(guest, "x", "[Modified]")
    type_in_vi(guest, ":q!\n", "\x1b[?1049l")
    assert guest.check("cat /tmp/text") == "one 2 three\n"


def test_nothing_is_left_open(guest):
    guest.wait_until("! netstat -tan | grep -E 'ESTABLISHED|FIN_WAIT|CLOSE_WAIT|LAST_ACK|LISTEN.*:(5555|5556|5557) '", 90)
