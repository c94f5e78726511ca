"""Twenty-four programs that work in the guest at once, and their peers on this machine.

A server of the guest is worked on from here by a thread each; a client of the guest runs in a loop of the
guest's shell, which writes its number of rounds to /tmp/rounds/NAME.
"""

import http.client
import os
import re
import secrets
import socket
import subprocess
import threading
import time
import urllib.request

from harness.tcp import tool
from room.guest import GUEST, HOST

MIB = 1 << 20
PATIENCE_S = 100  # with two dozen others on an emulated processor

PACKAGES = ["bind9-dnsutils", "curl", "dnsmasq", "dropbear-bin", "haproxy", "iperf3", "iproute2", "iputils-ping",
            "lighttpd", "memcached", "mtr-tiny", "netcat-openbsd", "nginx", "nmap", "openssh-server", "python3",
            "redis-server", "redis-tools", "socat", "tcpdump", "wget"]

FILES = {
    "nginx.conf": """\
worker_processes 2;
user root;
error_log /tmp/nginx-error.log;
pid /run/nginx.pid;
events { worker_connections 512; }
http {
    access_log off;
    sendfile on;
    server { listen 80; root /share; }
}
""",
    "lighttpd.conf": """\
server.port = 81
server.document-root = "/share"
""",
    "haproxy.cfg": """\
global
    maxconn 256
defaults
    mode http
    timeout connect 20s
    timeout client 60s
    timeout server 60s
listen web
    bind :82
    server nginx 127.0.0.1:80
    server lighttpd 127.0.0.1:81
""",
    "dnsmasq.conf": """\
port=5300
no-resolv
no-hosts
user=root
pid-file=/run/dnsmasq.pid
address=/test/192.0.2.7
""",
    "sshd.conf": """\
Port 2222
AddressFamily inet
HostKey /share/host_key
AuthorizedKeysFile /share/client_key.pub
StrictModes no
PermitRootLogin yes
PidFile none
""",
}

# Where the guest's clients find this machine.
WEB_PORT = 8080
IPERF_PORT = 5202


# iperf3's server takes one client, and closes its listening socket after each.
BETWEEN_TESTS = re.compile(r"server is busy|Connection (reset|refused)")


class Trouble(Exception):
    """A program did not do its work."""


class Later(Exception):
    """The program has no time for this client now."""


def expect(condition, what):
    if not condition:
        raise Trouble(what)


# What is done to the guest's servers, once -------------------------------------------------------


def fetch(port, size):
    with urllib.request.urlopen(f"http://{GUEST}:{port}/payload", timeout=PATIENCE_S) as answer:
        data = answer.read()
    expect(len(data) == size, f"port {port}: {len(data)} bytes of {size}")


def converse(port, request, wanted):
    """Sends the request and reads until the answer is there."""
    with socket.create_connection((GUEST, port), timeout=PATIENCE_S) as connection:
        connection.sendall(request)
        answer = b""
        while wanted not in answer:
            data = connection.recv(65536)
            expect(data, f"port {port} closed after {answer[-100:]!r}")
            answer += data


def echo(port):
    data = secrets.token_bytes(100_000)
    with socket.create_connection((GUEST, port), timeout=PATIENCE_S) as connection:
        sender = threading.Thread(target=connection.sendall, args=(data,))
        sender.start()
        back = b""
        while len(back) < len(data):
            part = connection.recv(65536)
            expect(part, f"port {port} closed early")
            back += part
        sender.join()
    expect(back == data, f"port {port}: the echo is different")


def send_only(port):
    with socket.create_connection((GUEST, port), timeout=PATIENCE_S) as connection:
        connection.sendall(bytes(100_000))


def redis_set_and_get():
    value = secrets.token_hex(2000).encode()
    key = b"key%d" % secrets.randbelow(100)
    request = b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(key), key, len(value), value)
    converse(6379, request + b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(key), key), value)


def memcached_set_and_get():
    value = secrets.token_hex(2000).encode()
    converse(11211, b"set key 0 0 %d\r\n%s\r\nget key\r\n" % (len(value), value), value)


def ask_name():
    query = bytes.fromhex("12340100000100000000000001610474657374") + b"\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(PATIENCE_S)
        udp.sendto(query, (GUEST, 5300))
        expect(socket.inet_aton("192.0.2.7") in udp.recv(1500), "no address in dnsmasq's answer")


def iperf_to_guest():
    result = tool("iperf3", "-c", GUEST, "-t", "1", "-b", "40M")
    if result.returncode != 0 and BETWEEN_TESTS.search(result.stdout):
        raise Later(result.stdout)
    expect(result.returncode == 0, f"iperf3: {result.stdout}")


def log_in(directory, port):
    result = subprocess.run(
        ["ssh", "-F", "none", "-i", directory / "client_key", "-p", str(port), "-o", "StrictHostKeyChecking=no", "-o",
         "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", f"root@{GUEST}", "seq 1000 | tail -n 1"],
        check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=3 * PATIENCE_S)
    expect(result.stdout == b"1000\n", f"ssh to port {port}: {result}")


# The crowd -----------------------------------------------------------------------------------------


class Program:
    """`command` starts it in the guest; `port` is where it listens then; `work` is done to it from here, over
    and over.  Without `work` the command is a client's, which the guest repeats."""

    def __init__(self, name, command, port=None, work=None):
        self.name, self.command, self.port, self.work = name, command, port, work
        self.rounds, self.failures = 0, []

    def start(self, guest):
        command = self.command
        if not self.work:
            command = f"n=0; while {self.command}; do n=$((n+1)); echo $n > /tmp/rounds/{self.name}; done"
        guest.background(f"( {command} ) > /tmp/log/{self.name} 2>&1 < /dev/null")
        if self.port:
            guest.wait_for_port(self.port, 60)

    def count(self, guest):
        """Rounds so far."""
        if self.work:
            return self.rounds
        return int(guest.run(f"cat /tmp/rounds/{self.name}").output.split()[0] or 0) if self.started(guest) else 0

    def started(self, guest):
        return guest.run(f"test -s /tmp/rounds/{self.name}").status == 0


def crowd(directory):
    """`directory`: the share, with a payload, keys and FILES."""
    size = (directory / "payload").stat().st_size
    return [
        Program("nginx", "exec nginx -g 'daemon off;' -c /share/nginx.conf", 80, lambda: fetch(80, size)),
        Program("lighttpd", "exec lighttpd -D -f /share/lighttpd.conf", 81, lambda: fetch(81, size)),
        Program("haproxy", "exec haproxy -db -f /share/haproxy.cfg", 82, lambda: fetch(82, size)),
        Program("python3", "exec python3 -B -m http.server -d /share 8000", 8000, lambda: fetch(8000, size)),
        Program("httpd", "exec busybox httpd -f -p 8001 -h /share", 8001, lambda: fetch(8001, size)),
        Program("redis-server", "exec redis-server --bind 0.0.0.0 --protected-mode no --save '' --dir /tmp", 6379,
                redis_set_and_get),
        Program("memcached", "exec memcached -u root -l 0.0.0.0", 11211, memcached_set_and_get),
        Program("iperf3-server", "exec iperf3 -s", 5201, iperf_to_guest),
        Program("socat", "exec socat TCP-LISTEN:7001,fork,reuseaddr EXEC:/bin/cat", 7001, lambda: echo(7001)),
        Program("nc", "exec nc.openbsd -l -k 7002 > /dev/null", 7002, lambda: send_only(7002)),
        Program("sshd", "exec /usr/sbin/sshd -D -f /share/sshd.conf", 2222, lambda: log_in(directory, 2222)),
        Program("dropbear", "exec dropbear -F -p 2223 -r /tmp/dropbear_key", 2223, lambda: log_in(directory, 2223)),
        Program("dnsmasq", "exec dnsmasq -k -C /share/dnsmasq.conf", 5300, ask_name),
        Program("telnetd", "exec busybox telnetd -F -p 2323 -l /bin/sh", 2323,
                lambda: converse(2323, b"echo a$((1+1))b\r\nexit\r\n", b"a2b")),
        Program("curl", f"curl -sSf -o /dev/null http://{HOST}:{WEB_PORT}/payload"),
        Program("wget", f"/usr/bin/wget -q -O /dev/null http://{HOST}:{WEB_PORT}/payload"),
        Program("redis-benchmark", "redis-benchmark -q -n 500 -c 10 -t get,set > /dev/null"),
        Program("iperf3", f"iperf3 -c {HOST} -p {IPERF_PORT} -t 1 -P 2 -b 20M > /dev/null"),
        Program("dig", "dig @127.0.0.1 -p 5300 a.test > /dev/null"),
        Program("ping", f"ping -c 5 -i 0.1 {HOST} > /dev/null"),
        Program("tcpdump", "timeout 20 tcpdump -i eth0 -n -c 20 -w /tmp/captured tcp 2> /dev/null"),
        Program("ss", "ss -tan > /dev/null && ip address > /dev/null && ip route > /dev/null"),
        Program("mtr", f"mtr -r -n -c 2 -i 0.5 {HOST} > /dev/null"),
        Program("nmap", f"nmap -n -Pn -sT -p 1-50 {HOST} > /dev/null"),
    ]


def fill_share(directory):
    (directory / "payload").write_bytes(secrets.token_bytes(MIB))
    for name, text in FILES.items():
        (directory / name).write_text(text)
    for name in ("host_key", "client_key"):
        result = tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name))
        assert result.returncode == 0, result.stdout


def prepare_guest(guest):
    """What the programs need besides the share."""
    guest.check("mkdir -p /tmp/rounds /tmp/log /root/.ssh; cp /share/client_key.pub /root/.ssh/authorized_keys")
    guest.check("chmod 700 /root/.ssh; chmod 600 /root/.ssh/authorized_keys")
    guest.check("dropbearkey -t ed25519 -f /tmp/dropbear_key > /dev/null", 60)


class Workers:
    """A thread for each program that is worked on from here."""

    def __init__(self, programs):
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(program,), daemon=True)
                         for program in programs if program.work]
        for thread in self._threads:
            thread.start()

    def _work(self, program):
        while not self._over.is_set():
            try:
                program.work()
                program.rounds += 1
            except Later:
                time.sleep(0.2)
            except (OSError, Trouble, http.client.HTTPException, subprocess.TimeoutExpired) as error:
                if not self._over.is_set():
                    program.failures.append(str(error))

    def failures_are_expected(self):
        """From now on: the servers are about to be killed."""
        self._over.set()

    def join(self):
        for thread in self._threads:
            thread.join(4 * PATIENCE_S)
            assert not thread.is_alive(), "a peer's work does not end"


def seconds():
    return float(os.environ.get("VITRINE_LOAD_SECONDS", "30"))
