"""Debian's tcpdump in the guest: what it sees, what its filters let through, and files that this machine's reads."""

import base64
import re
import subprocess

import pytest

PACKAGES = ["tcpdump"]

# The guest's shell has busybox's applets; this is what the package installed.
TCPDUMP = "/usr/bin/tcpdump"
PORT = 8080


@pytest.fixture
def served(guest):
    """busybox's web server in the guest, at PORT."""
    guest.run(f"busybox httpd -p {PORT} -h /etc")
    guest.wait_for_port(PORT)
    yield guest
    guest.run("killall busybox")


def start(guest, options, file):
    """Starts tcpdump, and returns when it listens. What it prints goes to `file`."""
    guest.check(f"rm -f {file} {file}.err; {TCPDUMP} -n -l {options} > {file} 2> {file}.err & "
                f"until grep -q 'listening on' {file}.err; do sleep 0.05; done", 30)


def finish(guest, file):
    """Waits until it has its packets (-c), and returns what it printed."""
    guest.wait_until(f"grep -q 'dropped by kernel' {file}.err", 30)
    text = guest.check(f"cat {file}.err {file}")
    assert "0 packets dropped by kernel" in text, text
    return text


def capture(guest, options, traffic):
    start(guest, options, "/tmp/out")
    guest.check(traffic, 30)
    return finish(guest, "/tmp/out")


def packets(text):
    return [line for line in text.splitlines() if re.match(r"\d\d:\d\d:\d\d\.\d{6} ", line)]


@pytest.mark.fast
def test_live_on_eth0_with_a_filter(guest):
    """Requests out and replies in, each once; the web server's segments are not of interest."""
    text = capture(guest, f"-i eth0 -c 4 icmp and host {guest.host}",
                   f"wget -qO /dev/null -T 2 http://{guest.host}:9/; busybox ping -c 2 {guest.host}")
    lines = packets(text)
    assert len(lines) == 4, text
    for number, line in enumerate(lines):
        way = (guest.address, guest.host) if number % 2 == 0 else (guest.host, guest.address)
        what = "request" if number % 2 == 0 else "reply"
        assert f"IP {way[0]} > {way[1]}: ICMP echo {what}" in line and f"seq {number // 2}" in line, text


def test_live_on_lo(served):
    """A connection to oneself. libpcap leaves out the outgoing copies on lo, which it knows by their type."""
    text = capture(served, f"-i lo -c 3 'tcp[tcpflags] & tcp-syn != 0 or (tcp dst port {PORT} and tcp[tcpflags] & tcp-push != 0)'",
                   f"wget -qO /dev/null http://127.0.0.1:{PORT}/passwd")
    lines = packets(text)
    assert len(lines) == 3 and "Flags [S]," in lines[0] and "Flags [S.]," in lines[1] and "GET /passwd" in lines[2], text


def test_any_tells_the_interface_and_the_way(served):
    text = capture(served, "-i any -c 4 icmp", f"busybox ping -c 1 {served.host}; busybox ping -c 1 127.0.0.1")
    ways = [" ".join(line.split()[1:3]) for line in packets(text)]
    assert ways == ["eth0 Out", "eth0 In", "lo In", "lo In"], text


FILTERS = {
    "udp port 7": "UDP, length",
    "ip proto 1": "ICMP echo request",
    "dst host 10.1.2.3": "10.1.2.3",
    "icmp[icmptype] == 0": "ICMP echo reply",
    "ip[8] < 9": "> 10.1.2.3: ICMP echo request",
    "ip[6:2] & 0x2000 != 0": "ICMP echo request",
    "less 60 and udp": "UDP, length",
    "inbound and icmp": "echo reply",
    "outbound and icmp": "echo request",
    "not (tcp or arp or icmp)": "UDP",
    "arp[6:2] == 1": "ARP, Request",
    "ether src {mac} and udp": "UDP",
}


def test_many_filters_at_once(guest):
    """Of the same traffic each tcpdump sees the first packet that its filter lets through."""
    mac = re.search(r"HWaddr (\S+)", guest.check("ifconfig eth0"))[1]
    for number, expression in enumerate(FILTERS):
        start(guest, f"-i eth0 -c 1 '{expression.format(mac=mac)}'", f"/tmp/out{number}")
    guest.check(f"busybox ping -c 1 {guest.host}; busybox ping -c 1 -t 3 -W 1 10.1.2.3; busybox ping -c 1 -s 3000 {guest.host}; "
                f"timeout 1 busybox tftp -g -r x {guest.host} 7; arp -d {guest.host}; busybox ping -c 1 {guest.host}", 30)
    for number, (expression, seen) in enumerate(FILTERS.items()):
        lines = packets(finish(guest, f"/tmp/out{number}"))
        assert len(lines) == 1 and seen in lines[0], (expression, lines)


def test_a_wrong_expression_and_a_wrong_interface(guest):
    wrong = guest.run(f"{TCPDUMP} -i eth0 'ip and and'")
    assert wrong.status == 1 and "syntax error" in wrong.output
    absent = guest.run(f"{TCPDUMP} -i eth7")
    assert absent.status == 1 and "No such device" in absent.output


def test_promiscuous_while_it_listens(guest):
    """PROMISC stands in the interface's flags while somebody asks for it, and without -p only."""
    for option, expected in (("", 1), ("-p", 0)):
        guest.check(f"{TCPDUMP} -n {option} -i eth0 > /dev/null 2> /tmp/err & "
                    "until grep -q listening /tmp/err; do sleep 0.05; done")
        flags = guest.run("ifconfig eth0").output
        guest.run("killall -INT tcpdump; wait")
        assert ("PROMISC" in flags) == bool(expected), flags
    assert "PROMISC" not in guest.run("ifconfig eth0").output


def test_file_is_read_on_this_machine(served, tmp_path):
    """-w: a capture file with whole frames, read by this machine's tcpdump."""
    capture(served, "-i lo -U -c 9 -w /tmp/lo.pcap tcp", f"wget -qO /dev/null http://127.0.0.1:{PORT}/services")
    encoded = served.check("base64 /tmp/lo.pcap", 30)
    (tmp_path / "lo.pcap").write_bytes(base64.b64decode(encoded))
    result = subprocess.run(["tcpdump", "-n", "-v", "-r", str(tmp_path / "lo.pcap")], check=True, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert result.stdout.count("127.0.0.1") >= 9 and "GET /services HTTP/1.1" in result.stdout
    assert "Flags [S]" in result.stdout, result.stdout


def test_snapshot_length(guest):
    text = capture(guest, "-i eth0 -s 60 -e -c 1 icmp", f"busybox ping -c 1 -s 500 {guest.host}")
    assert "[|icmp]" in text or "length 542" in text, text


def test_packets_that_nobody_takes_are_counted(guest):
    """A ring of the smallest size and a stopped reader: the kernel counts what was lost, and goes on."""
    guest.check(f"{TCPDUMP} -n -B 64 -i lo > /dev/null 2> /tmp/err & until grep -q listening /tmp/err; do sleep 0.05; done")
    guest.check("killall -STOP tcpdump; busybox ping -q -c 300 -A -s 1400 127.0.0.1 > /dev/null; killall -CONT tcpdump", 60)
    guest.run("killall -INT tcpdump; wait")
    text = guest.check("cat /tmp/err")
    captured, received, dropped = (int(number) for number in re.findall(r"^(\d+) packets", text, re.MULTILINE))
    assert dropped > 0 and received >= captured, text


def test_ctrl_c_and_kill_leave_nothing(guest):
    since = guest.mark()
    guest.send(f"{TCPDUMP} -n -i eth0\n")
    guest.wait_for("listening on eth0", since=since)
    guest.send(b"\x03")
    guest.send("echo status $?\n")
    assert guest.wait_for(r"status (\d+)\s", since=since)[1] == "0"
    guest.check(f"{TCPDUMP} -n -i any -w /dev/null 2> /tmp/err & until grep -q listening /tmp/err; do sleep 0.05; done")
    assert len(guest.check("cat /proc/net/packet").splitlines()) == 2
    guest.run("killall -KILL tcpdump; wait")
    assert len(guest.check("cat /proc/net/packet").splitlines()) == 1
    assert "PROMISC" not in guest.run("ifconfig eth0").output
