"""dig, as a client in the guest and as a client of the guest's resolver; getent and nslookup beside it."""

import re
import subprocess

import pytest

from room.guest import HOST

PACKAGES = ["bind9-dnsutils", "libc-bin"]

PORT = 5300     # dnsmasq's on this machine
SERVED = 5353   # a second resolver of the guest, for this machine
ADDRESSES = 50  # of many.test: more than 512 bytes, fewer than 1232
TEXTS = 20      # of long.test: more than 1232


@pytest.fixture(scope="module")
def names(peers):
    """dnsmasq with names of its own. Where the guest's resolver asks it, that is at port 53."""
    records = [f"--host-record=many.test,10.1.2.{i}" for i in range(ADDRESSES)]
    records += [f"--txt-record=long.test,{chr(97 + i) * 90}" for i in range(TEXTS)]
    options = ["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--log-queries",
               "--log-facility=-", "--local=/test/", "--local-ttl=60", "--cname=alias.test,www.test",
               "--host-record=www.test,10.1.2.3", "--mx-host=test,www.test,10", *records]
    peers.start("dnsmasq", *options, "--bind-interfaces", "--listen-address=127.0.0.1", f"--port={PORT}", port=PORT)
    peers.start("dnsmasq", *options, "--bind-interfaces", f"--listen-address={HOST}", f"--port={PORT}").wait_for_port(
        PORT, HOST)
    return peers.start("dnsmasq", *options, "--bind-interfaces", f"--listen-address={HOST},127.0.0.1", "--port=53", port=53)


@pytest.fixture
def asking(guest, names):
    """The guest, whose resolver asks this machine; QEMU's user network knows only its own way to port 53."""
    guest.check(f"echo nameserver {guest.host} > /run/name-servers")
    return guest


def dig(guest, arguments, seconds=30):
    return guest.check(f"/usr/bin/dig {arguments}", seconds)


def direct(guest, arguments):
    return dig(guest, f"@{guest.host} -p {PORT} {arguments}")


def status(output):
    return re.search(r"status: (\w+)", output).group(1)


# Against this machine's dnsmasq -------------------------------------------------------------------


def test_udp(guest, names):
    assert direct(guest, "+short www.test") == "10.1.2.3\n"
    assert direct(guest, "+short alias.test").split() == ["www.test.", "10.1.2.3"]
    assert direct(guest, "+short test MX") == "10 www.test.\n"
    assert direct(guest, "+short -x 10.1.2.3") == "www.test.\n"
    assert status(direct(guest, "nobody.test")) == "NXDOMAIN"


def test_tcp(guest, names):
    output = direct(guest, "+tcp many.test")
    assert output.count("10.1.2.") == ADDRESSES and "(TCP)" in output


def test_buffer_size(guest, names):
    """What does not fit is truncated, and dig asks again over TCP."""
    small = direct(guest, "+bufsize=512 many.test")
    assert "Truncated, retrying in TCP mode" in small and small.count("10.1.2.") == ADDRESSES
    big = direct(guest, "+bufsize=4096 many.test")
    assert "Truncated" not in big and big.count("10.1.2.") == ADDRESSES
    ignored = direct(guest, "+bufsize=512 +ignore many.test")
    assert re.search(r"flags: [a-z ]*tc", ignored)


def test_nobody_there(guest, names):
    result = guest.run(f"/usr/bin/dig @{guest.host} -p 9 +tries=1 +timeout=1 www.test", 30)
    assert result.status == 9 and re.search("refused|timed out|no servers could be reached", result.output)


def test_many_at_once(guest, names):
    guest.check("for i in $(seq 200); do echo www.test; done > /tmp/many")
    output = direct(guest, "+short -f /tmp/many")
    assert output.split() == ["10.1.2.3"] * 200
    guest.check(f"for i in $(seq 20); do /usr/bin/dig @{guest.host} -p {PORT} +short www.test > /tmp/dig.$i & done; wait", 60)
    assert guest.check("cat /tmp/dig.*").split() == ["10.1.2.3"] * 20


# Through the guest's resolver ---------------------------------------------------------------------


def test_resolver_is_asked(asking):
    output = dig(asking, "www.test")
    assert "10.1.2.3" in output and "SERVER: 127.0.0.1#53" in output
    assert dig(asking, "+tcp +short www.test") == "10.1.2.3\n"
    assert dig(asking, "+short localhost") == "127.0.0.1\n"
    assert status(dig(asking, "www.invalid")) == "NXDOMAIN"


def test_resolver_and_long_answers(asking):
    """Of 1900 bytes: by TCP from the server, and by TCP to dig."""
    output = dig(asking, "long.test TXT")
    assert "retrying in TCP mode" in output and len(re.findall(r'"[a-z]{90}"', output)) == TEXTS
    assert dig(asking, "+bufsize=512 many.test").count("10.1.2.") == ADDRESSES


def test_resolver_says_no(asking):
    assert status(dig(asking, "nobody.test")) == "NXDOMAIN"
    none = dig(asking, "www.test AAAA")
    assert status(none) == "NOERROR" and "ANSWER: 0" in none


def test_resolver_understands_what_dig_may_send(asking):
    assert status(dig(asking, "+edns=1 +noednsnegotiation www.test")) == "BADVERS"
    assert status(dig(asking, "+noedns www.test")) == "NOERROR"
    assert status(dig(asking, "+dnssec +cookie www.test")) == "NOERROR"
    assert status(dig(asking, "version.bind CH TXT")) == "REFUSED"
    assert status(dig(asking, "+opcode=UPDATE www.test")) == "NOTIMP"


def test_other_programs_profit(asking):
    assert asking.check("/usr/bin/getent hosts www.test").split() == ["10.1.2.3", "www.test"]
    assert asking.check("/usr/bin/getent ahostsv4 alias.test").startswith("10.1.2.3")
    assert asking.run("/usr/bin/getent hosts nobody.test").status == 2
    assert "10.1.2.3" in asking.check("busybox nslookup -type=a www.test")
    assert "Server:\t\t127.0.0.1" in asking.check("busybox nslookup -type=a www.test")


# This machine's dig and the guest's resolver ------------------------------------------------------


@pytest.fixture
def served(asking):
    """A resolver of the guest that hears this machine."""
    process = asking.background(f"resolver --listen {asking.address} --port {SERVED}")
    asking.wait_for_port(SERVED)
    yield asking
    asking.check(f"kill {process}")


def dig_here(guest, protocol, *arguments):
    address, port = guest.reach(SERVED, protocol)
    return subprocess.run(["dig", f"@{address}", "-p", str(port), "+timeout=5", *arguments], check=True,
                          stdout=subprocess.PIPE, text=True, timeout=60).stdout


def test_from_this_machine(served):
    assert dig_here(served, "udp", "+short", "www.test") == "10.1.2.3\n"
    assert dig_here(served, "tcp", "+tcp", "+short", "long.test", "TXT").count("\n") == TEXTS
    assert "TCP mode" not in dig_here(served, "udp", "+bufsize=1232", "many.test")


def test_many_from_this_machine(served, tmp_path):
    questions = tmp_path / "questions"
    questions.write_text("www.test\n" * 300)
    assert dig_here(served, "udp", "+short", "-f", str(questions)).split() == ["10.1.2.3"] * 300
    assert dig_here(served, "tcp", "+tcp", "+short", "-f", str(questions)).split() == ["10.1.2.3"] * 300
