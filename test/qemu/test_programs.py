"""The programs of TCP: their help, their complaints, the tutorial's two, and the examples of docs/programs.md."""

import os
import re
import shutil

import pytest

from conftest import GUEST, HOST
from harness.guest import TOP, Guest
from harness.tcp import Answers, Server, connect, receive_all, tool

HANDBOOK = f"{TOP}/docs/programs.md"
EXAMPLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROMPT = "vitrine:~# "


# Help and complaints ----------------------------------------------------------------------------


@pytest.mark.parametrize("program, options", [
    ("httpget", ["-o FILE", "-I", "-v", "-q", "--help", "URL"]),
    ("httpd", ["-p PORT", "-v", "DIR", "--help"]),
    ("tcpecho", ["-p PORT", "--help"]),
    ("udpecho", ["-p PORT", "--help"]),
    ("ping", ["-c COUNT", "-i SECONDS", "-W SECONDS", "-s BYTES", "-I FROM", "-q", "--help", "HOST"]),
    ("resolve", ["-t TYPE", "-s SERVER", "-p PORT", "-v", "--help", "NAME|ADDRESS"]),
    ("dhcpc", ["-i INTERFACE", "-f", "-q", "-r ADDRESS", "-H NAME", "-t SECONDS", "--fallback", "-R", "--ready-fd",
               "--help"]),
    ("resolver", ["--listen ADDRESS", "--port PORT", "--servers FILE", "--hosts FILE", "--ready-fd FD", "--help"]),
    ("tput", ["-s", "-p PORT", "-t SECONDS", "-n BYTES", "-r", "-c", "--help", "HOST"]),
])
def test_help(guest, program, options):
    output = guest.check(f"{program} --help 2> /dev/null")
    assert output.startswith(f"usage: {program} ")
    for option in options:
        assert option in output


@pytest.mark.parametrize("command, complaint", [
    ("httpget", "no URL"),
    ("httpget a b", "one URL at a time: b"),
    ("httpget -x http://a/", "option"),
    ("httpget -o", "argument"),
    ("httpd -p 0", "not a port: 0"),
    ("httpd -p 8x", "not a port: 8x"),
    ("httpd a b", "one folder is enough: b"),
    ("httpd --frobnicate", "frobnicate"),
    ("tcpecho -p 65536", "not a port: 65536"),
    ("tcpecho 7", "not an option: 7"),
    ("udpecho -p 0", "not a port: 0"),
    ("udpecho -q", "option"),
    ("udpecho 7", "not an option: 7"),
    ("ping", "no HOST"),
    ("ping -c 0 127.0.0.1", "bad value: 0"),
    ("ping -Z 127.0.0.1", "option"),
    ("ping 127.0.0.1 127.0.0.2", "one HOST at a time: 127.0.0.2"),
    ("resolve", "no NAME"),
    ("resolve -t MX localhost", "bad value: MX"),
    ("dhcpc", "no -i INTERFACE"),
    ("dhcpc eth0", "one too many: eth0"),
    ("dhcpc -i eth0 -r ten", "bad value: ten"),
    ("resolver 53", "what is this: 53"),
    ("tput", "no HOST"),
    ("tput -p x host", "not a port: x"),
    ("tput -t soon host", "not a number of seconds: soon"),
    ("tput -n 10X host", "not a number of bytes: 10X"),
    ("tput -n 99999999999G host", "not a number of bytes"),
    ("tput -r -n 1 host", "does not go together"),
    ("tput a b", "one too many: b"),
    ("tput -s b", "one too many: b"),
])
def test_wrong_command_line_is_one_clear_line(guest, command, complaint):
    program = command.split()[0]
    result = guest.run(command)
    first, second = result.output.splitlines()
    assert result.status == 2 and complaint in first and re.match(rf"(/bin/)?{program}: ", first)
    assert second == f"Try `{program} --help`."


@pytest.mark.parametrize("command, complaint", [
    ("httpd /nowhere", "httpd: /nowhere: No such file or directory"),
    ("httpd /etc/passwd", "httpd: /etc/passwd: Not a directory"),
    ("tput nobody.invalid", "tput: nobody.invalid: "),
    (f"tput -p 9 {HOST}", f"tput: {HOST}:9: Connection refused"),
    ("httpget http://127.0.0.1:9/", "httpget: 127.0.0.1:9: Connection refused"),
])
def test_errors_are_one_clear_line(guest, command, complaint):
    result = guest.run(command)
    assert result.status in (1, 2) and complaint in result.output and result.output.count("\n") == 1


@pytest.mark.parametrize("program", ["httpd", "tcpecho", "tput -s"])
def test_port_that_is_taken(guest, program):
    name = program.split()[0]
    with Server(guest, "tcpecho -p 7007", 7007):
        result = guest.run(f"{program} -p 7007")
    assert result.status == 1 and result.output == f"{name}: port 7007: Address in use\n"


# The tutorial -----------------------------------------------------------------------------------


ANSWER = b"HTTP/1.0 200 OK\r\n\r\nthe tutorial works\n"


def test_tutorial_client(guest):
    server = Answers(HOST, ANSWER)
    assert "the tutorial works" in guest.check(f"tutorial_client {HOST} {server.port}")
    assert server.requests[0].startswith(b"GET / HTTP/1.0\r\n")


def test_tutorial_client_by_name(guest, dnsmasq):
    """musl's own getaddrinfo, which asks for IPv6 as well."""
    server = Answers(HOST, ANSWER)
    guest.check(f"echo 'nameserver {HOST}' > /run/name-servers")
    assert "the tutorial works" in guest.check(f"tutorial_client web.test {server.port}")


def test_tutorial_client_is_refused(guest):
    result = guest.run(f"tutorial_client {HOST} 9")
    assert result.status == 1 and result.output == "connect: Connection refused\n"


@pytest.mark.parametrize("command", ["tutorial_client", "tutorial_client --help", "tutorial_server --help",
                                     "tutorial_server 65536"])
def test_tutorial_says_its_usage(guest, command):
    result = guest.run(command)
    assert result.status == 2 and result.output.startswith("usage: ") and result.output.count("\n") == 1


def test_tutorial_server(guest):
    with Server(guest, "tutorial_server 8000", 8000):
        for _ in range(3):
            with connect(GUEST, 8000) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert receive_all(connection).endswith(b"\r\n\r\nHello, world!\n")
        assert tool("curl", "-sS", f"http://{GUEST}:8000/").stdout == "Hello, world!\n"
        assert "Hello, world!" in guest.check("tutorial_client 127.0.0.1 8000")


@pytest.mark.parametrize("name", ["tutorial_client", "tutorial_server"])
def test_tutorial_is_an_ordinary_program(name, tmp_path):
    """The same file, compiled for this machine by its own compiler, with nothing but itself."""
    shutil.copy(f"{TOP}/userland/{name}.c", tmp_path)
    result = tool("clang", "-Wall", "-Werror", "-o", name, f"{name}.c", cwd=tmp_path)
    assert result.returncode == 0, result.stdout


def test_tutorial_client_of_this_machine(guest, tmp_path):
    tool("clang", "-o", tmp_path / "client", f"{TOP}/userland/tutorial_client.c").check_returncode()
    with Server(guest, "tutorial_server 8000", 8000):
        assert "Hello, world!" in tool(tmp_path / "client", GUEST, 8000).stdout


# The handbook's examples ------------------------------------------------------------------------


def examples():
    """[(command, expected lines)] of each ```console block of docs/programs.md."""
    with open(HANDBOOK, encoding="utf-8") as file:
        blocks = EXAMPLE.findall(file.read())
    sessions = []
    for block in blocks:
        session = []
        for line in block.splitlines():
            if line.startswith(PROMPT):
                session.append((line[len(PROMPT):], []))
            else:
                session[-1][1].append(line)
        sessions.append(session)
    return sessions


def as_pattern(line):
    """Numbers differ from run to run; "..." stands for anything."""
    pieces = [re.sub(r"\d+", r"\\d+", re.escape(piece)) for piece in line.split("...")]
    return ".*".join(pieces)


@pytest.fixture(scope="module")
def example_guest(net_namespace):
    """As the handbook has it: `tools/vm`, with QEMU's user networking."""
    with Guest() as guest:
        guest.wait_for(r"net: eth0 10\.0\.2\.15/24")
        yield guest


@pytest.mark.parametrize("session", examples(), ids=lambda session: session[0][0])
def test_example_of_the_handbook(example_guest, session):
    """Each command prints the lines that stand below it, in that order."""
    for command, lines in session:
        output = example_guest.check(command, 60)
        for line in lines:
            found = re.search(as_pattern(line), output)
            assert found, f"`{command}` did not print `{line}`, but:\n{output}"
            output = output[found.end():]


def test_handbook_shows_the_tutorial():
    with open(HANDBOOK, encoding="utf-8") as file:
        text = file.read()
    assert os.path.exists(f"{TOP}/userland/tutorial_client.c")
    assert "userland/tutorial_client.c" in text and "userland/tutorial_server.c" in text
