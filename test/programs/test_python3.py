"""python3: its own web server for this machine's curl, urllib by name, asyncio on both sides, sockets and threads;
and what else fetches by name through the guest's resolver."""

import hashlib
import json
import re
import secrets
import socket
import subprocess

import pytest

from room.guest import HOST
from room.web import HTTP_PORT, NAME

PACKAGES = ["libpython3.11-stdlib", "python3", "python3-minimal", "wget"]
MEMORY = "256M"

PYTHON = "/usr/bin/python3"
SERVED = 8000
ECHO = 7007
MIB = 1 << 20

ECHO_SERVER = """\
import asyncio

async def serve(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "0.0.0.0", {port})
    print("listening", flush=True)
    await server.serve_forever()

asyncio.run(main())
"""

ECHO_CLIENT = """\
import asyncio, hashlib, os, sys

async def one(host, port, size):
    reader, writer = await asyncio.open_connection(host, port)
    data = os.urandom(size)

    async def send():
        writer.write(data)
        await writer.drain()
        writer.write_eof()

    sending = asyncio.create_task(send())
    back = await reader.read(-1)
    await sending
    writer.close()
    assert back == data, (len(back), len(data))

async def main():
    host, port, count, size = sys.argv[1], *map(int, sys.argv[2:])
    await asyncio.gather(*(one(host, port, size) for _ in range(count)))
    print("all came back", flush=True)

asyncio.run(main())
"""

DATAGRAMS = """\
import asyncio, sys

class Client(asyncio.DatagramProtocol):
    def __init__(self, count):
        self.left, self.done = set(range(count)), asyncio.get_running_loop().create_future()

    def datagram_received(self, data, address):
        self.left.discard(int(data))
        if not self.left and not self.done.done():
            self.done.set_result(None)

async def main():
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_datagram_endpoint(lambda: Client(50), remote_addr=(sys.argv[1], int(sys.argv[2])))
    while not client.done.done():  # what was lost is sent again
        for number in sorted(client.left):
            transport.sendto(b"%d" % number)
        await asyncio.wait([client.done], timeout=1)
    print("all came back")

asyncio.run(main())
"""

PROGRAMS = """\
import asyncio, multiprocessing, subprocess, threading

async def program():
    process = await asyncio.create_subprocess_exec("/bin/busybox", "cat", stdin=-1, stdout=-1)
    return (await process.communicate(b"through a program"))[0]

def square(number):
    return number * number

if __name__ == "__main__":
    assert asyncio.run(program()) == b"through a program"
    assert subprocess.run(["/bin/busybox", "false"]).returncode == 1
    with multiprocessing.Pool(4) as pool:
        assert pool.map(square, range(100)) == [n * n for n in range(100)]
    found = []
    threads = [threading.Thread(target=found.append, args=(n,)) for n in range(50)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(found) == list(range(50))
    print("all well")
"""


@pytest.fixture(scope="module")
def share(tmp_path_factory):
    directory = tmp_path_factory.mktemp("share")
    (directory / "site").mkdir()
    (directory / "site" / "noise").write_bytes(bytes(range(256)) * 4096 * 4)
    (directory / "site" / "small").write_text("hello from the guest\n")
    (directory / "server.py").write_text(ECHO_SERVER.format(port=ECHO))
    (directory / "client.py").write_text(ECHO_CLIENT)
    (directory / "datagrams.py").write_text(DATAGRAMS)
    (directory / "programs.py").write_text(PROGRAMS)
    return directory


@pytest.fixture
def named(guest, peers, web):
    """The guest, whose resolver knows this machine as NAME."""
    port = 53
    if not getattr(peers, "named", False):
        peers.start("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
                    "--log-facility=-", "--local=/test/", f"--address=/tap.{NAME}/{HOST}", f"--address=/user.{NAME}/10.0.2.2",
                    "--bind-interfaces", f"--listen-address={HOST},127.0.0.1", f"--port={port}", port=port)
        peers.named = True
    guest.check(f"echo nameserver {guest.host} > /run/name-servers")
    guest.name = f"{guest.network}.{NAME}"
    return guest


def python(guest, code, seconds=30):
    guest.write_file("/tmp/code.py", code)
    return guest.check(f"{PYTHON} /tmp/code.py", seconds)


# A web server in the guest ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(shared_guest):
    guest = shared_guest.get()
    process = guest.background(f"{PYTHON} -m http.server -d /share/site {SERVED} > /tmp/site.log 2>&1")
    guest.wait_for_port(SERVED, 60)
    yield guest
    guest.check(f"kill {process}")


def curl(guest, path, *options):
    address, port = guest.reach(SERVED)
    return subprocess.run(["curl", "-sS", "--max-time", "60", *options, f"http://{address}:{port}/{path}"], check=True,
                          stdout=subprocess.PIPE).stdout


def test_http_server(site, share):
    assert curl(site, "small") == b"hello from the guest\n"
    assert b"noise" in curl(site, "")
    data = (share / "site" / "noise").read_bytes()
    assert hashlib.sha256(curl(site, "noise")).digest() == hashlib.sha256(data).digest()
    assert b"404" in curl(site, "nothing", "-o", "/dev/null", "-w", "%{http_code}")


def test_http_server_parallel(site):
    """It has a thread for each."""
    address, port = site.reach(SERVED)
    urls = [f"http://{address}:{port}/small"] * 30
    output = subprocess.run(["curl", "-sS", "--max-time", "60", "-Z", "--parallel-max", "10", *urls], check=True,
                            stdout=subprocess.PIPE).stdout
    assert output == b"hello from the guest\n" * 30


# urllib by name -----------------------------------------------------------------------------------


def test_urllib_by_name(named, web):
    data = web.random_file("python", MIB)
    output = python(named, f"""\
import hashlib, urllib.request
data = urllib.request.urlopen("http://{named.name}:{HTTP_PORT}/python").read()
print(hashlib.sha256(data).hexdigest())""")
    assert output.strip() == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("program", ["/usr/bin/wget", "busybox wget"])
def test_wget_by_name(named, web, program):
    data = web.random_file("wget", MIB)
    named.check(f"{program} -q -O /tmp/got http://{named.name}:{HTTP_PORT}/wget", 60)
    assert named.sha256("/tmp/got") == hashlib.sha256(data).hexdigest()


def test_upload(named, web):
    word = secrets.token_hex(8)
    python(named, f"""\
import urllib.request
url = "http://{named.name}:{HTTP_PORT}/upload/python"
urllib.request.urlopen(urllib.request.Request(url, b"{word}" * 10000, method="PUT"))""")
    assert (web.uploads / "python").read_text() == word * 10000


def test_name_that_is_not_there(named):
    output = python(named, """\
import socket
try:
    socket.getaddrinfo("nobody.test", 80)
except socket.gaierror as error:
    print(error.errno == socket.EAI_NONAME, error)""")
    assert output.startswith("True")


def test_names_of_addresses(named):
    output = python(named, f"""\
import socket
print(socket.gethostbyname("localhost"), socket.gethostbyname("{named.name}"), socket.getservbyname("http"))
print(sorted({{entry[4][0] for entry in socket.getaddrinfo("{named.name}", 80, socket.AF_INET)}}))""")
    assert output == f"127.0.0.1 {named.host} 80\n['{named.host}']\n"


# asyncio ------------------------------------------------------------------------------------------


def test_asyncio_server(guest):
    process = guest.background(f"{PYTHON} /share/server.py > /tmp/server.log 2>&1")
    guest.wait_for_port(ECHO, 60)
    address, port = guest.reach(ECHO)
    data = secrets.token_bytes(MIB // 2)
    clients = [socket.create_connection((address, port), 30) for _ in range(20)]
    for number, client in enumerate(clients):
        client.sendall(b"%d\n" % number)
    for number, client in enumerate(clients):
        assert client.makefile("rb").readline() == b"%d\n" % number
        client.close()
    with socket.create_connection((address, port), 30) as client:
        client.sendall(data[:60000])
        client.shutdown(socket.SHUT_WR)
        assert client.makefile("rb").read() == data[:60000]
    assert "all came back" in guest.check(f"{PYTHON} /share/client.py 127.0.0.1 {ECHO} 20 100000", 60)
    guest.check(f"kill {process}")


def test_asyncio_client(guest, peers, share):
    if not getattr(peers, "echo", None):
        peers.echo = peers.start("python3", share / "server.py", port=ECHO)
    assert "all came back" in guest.check(f"{PYTHON} /share/client.py {guest.host} {ECHO} 20 100000", 60)


def test_asyncio_datagrams(guest):
    process = guest.background("udpecho -p 7008 > /dev/null 2>&1")
    guest.wait_until("netstat -lun | grep -q ':7008 '")
    assert "all came back" in guest.check(f"{PYTHON} /share/datagrams.py 127.0.0.1 7008", 60)
    guest.check(f"kill {process}")


def test_programs_processes_and_threads(guest):
    assert guest.check(f"{PYTHON} /share/programs.py", 60) == "all well\n"


def test_what_python_sees(guest):
    output = python(guest, """\
import json, os, platform, socket, time
print(json.dumps({"system": platform.system(), "machine": platform.machine(), "processors": os.cpu_count(),
                  "host": socket.gethostname(), "interfaces": [name for _, name in socket.if_nameindex()],
                  "epoll": hasattr(__import__("select"), "epoll"), "sane": time.time() > 1e9}))""")
    seen = json.loads(re.search(r"\{.*\}", output).group())
    assert seen == {"system": "Linux", "machine": "aarch64", "processors": 1, "host": "vitrine",
                    "interfaces": ["lo", "eth0"], "epoll": True, "sane": True}
