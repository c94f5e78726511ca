"""The resolver and a name server that lies: what is wrong is passed over, what is right is found.

docs/hostile-inputs.md has the list. For each name of BEFORE the server first sends what stands there, then the
right answer; `resolve` must find the latter and only that: when it asks the server itself, and when it asks the
machine's resolver, which asks the server.
"""

import socket
import struct
import threading

import pytest

from conftest import HOST
from harness import namespace
from harness.wire import drops

OTHER_SERVER = "10.77.0.9"
PORT = 53
RIGHT, WRONG = "10.1.2.3", "10.6.6.6"

TYPE_A, TYPE_CNAME, TYPE_TEXT = 1, 5, 16
CLASS_IN = 1
RESPONSE = 0x8180
HEADER_LENGTH = 12
QUESTION = b"\xc0\x0c"  # a pointer to the name asked for


def record(name, kind, data, length=None):
    return name + struct.pack("!HHIH", kind, CLASS_IN, 60, len(data) if length is None else length) + data


def address(name, text):
    return record(name, TYPE_A, socket.inet_aton(text))


class Query:
    """What the guest asked, and makers of responses to it."""

    def __init__(self, data):
        self.end = data.index(0, HEADER_LENGTH) + 5  # where the first answer's name will stand
        self.id = data[:2]
        self.question = data[HEADER_LENGTH:self.end]
        self.name = self.question[:-4]
        self.text = ".".join(label.decode() for label in labels(self.name))

    def response(self, *records, count=None, ident=None, question=None):
        count = len(records) if count is None else count
        header = (ident or self.id) + struct.pack("!HHHHH", RESPONSE, 1, count, 0, 0)
        return header + (question or self.question) + b"".join(records)

    def named(self, name):
        """A response whose answer has this as its name."""
        return self.response(address(name, WRONG))

    def pointing(self, to):
        return self.named(struct.pack("!H", 0xc000 | to))


def labels(name):
    found, at = [], 0
    while name[at]:
        found.append(name[at + 1:at + 1 + name[at]])
        at += 1 + name[at]
    return found


def ping_pong(query):
    """The first answer's name leads to the second's, and that one back."""
    first = struct.pack("!H", 0xc000 | query.end + 16)
    second = struct.pack("!H", 0xc000 | query.end)
    return query.response(address(first, WRONG), address(second, WRONG))


def chain_of_100(query):
    """A hundred pointers in a text record, each to the one before; the answer's name leads to the last."""
    start = query.end + 1 + 10
    chain = b"".join(struct.pack("!H", 0xc000 | (HEADER_LENGTH if i == 0 else start + 2 * (i - 1))) for i in range(100))
    last = struct.pack("!H", 0xc000 | start + 2 * 99)
    return query.response(record(b"\0", TYPE_TEXT, chain), address(last, WRONG))


def name_of_256():
    return (b"\x3f" + b"a" * 63) * 3 + b"\x3e" + b"a" * 62 + b"\0"


def other_id(query):
    return bytes([query.id[0] ^ 0x55, query.id[1]])


def other_question(query):
    return b"\x04bank\x04test\0" + query.question[-4:]


# name: what the server says first
BEFORE = {
    "pointer-to-itself": lambda query: query.pointing(query.end),
    "pointer-forward": lambda query: query.pointing(query.end + 2),
    "pointer-ping-pong": ping_pong,
    "pointer-into-the-header": lambda query: query.pointing(2),
    "pointer-past-the-end": lambda query: query.pointing(0x3fff),
    "pointer-chain-of-100": chain_of_100,
    "label-type-0x40": lambda query: query.named(b"\x40x"),
    "label-type-0x80": lambda query: query.named(b"\x80x"),
    "label-of-64": lambda query: query.named(b"\x40" + b"a" * 64 + b"\0"),
    "name-of-256": lambda query: query.named(name_of_256()),
    "name-without-terminator": lambda query: query.response(b"\x03www\x03foo", count=1),
    "65535-answers-and-one-record": lambda query: query.response(address(QUESTION, WRONG), count=65535),
    "data-length-0": lambda query: query.response(record(QUESTION, TYPE_A, b"")),
    "data-length-3": lambda query: query.response(record(QUESTION, TYPE_A, b"\x0a\x06\x06")),
    "data-length-65535": lambda query: query.response(record(QUESTION, TYPE_A, bytes(4), length=65535)),
    "wrong-id": lambda query: query.response(address(QUESTION, WRONG), ident=other_id(query)),
    "wrong-question": lambda query: query.response(address(QUESTION, WRONG), question=other_question(query)),
    "nothing-at-all": lambda query: b"",
}


POLL_S = 0.2


class Server:
    """Listens at HOST's port 53, and has two more sockets to lie with."""

    def __init__(self):
        self._sockets = [self._open(HOST, PORT), self._open(HOST, PORT + 1), self._open(OTHER_SERVER, PORT)]
        self._sockets[0].settimeout(POLL_S)
        self._closing = False
        self.asked = []  # (name, the guest's port)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        self._closing = True
        self._thread.join()
        for each in self._sockets:
            each.close()

    @staticmethod
    def _open(at, port):
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((at, port))
        return server

    def _serve(self):
        right, other_port, other_server = self._sockets
        while not self._closing:
            try:
                data, guest = right.recvfrom(2000)
            except TimeoutError:
                continue
            query = Query(data)
            self.asked.append((query.text, guest[1]))
            name = query.text.split(".")[0]
            lie = query.response(address(QUESTION, WRONG))
            if name in BEFORE:
                right.sendto(BEFORE[name](query), guest)
            elif name == "wrong-server":
                other_server.sendto(lie, guest)
            elif name == "wrong-port":
                other_port.sendto(lie, guest)
            elif name == "guesses" and len(self.asked) == 1:
                self._guess(query, guest)
                continue
            elif name == "alias-loop":
                right.sendto(query.response(record(QUESTION, TYPE_CNAME, QUESTION)), guest)
                continue
            right.sendto(query.response(address(QUESTION, RIGHT)), guest)

    def _guess(self, query, guest):
        """Ten thousand ids, not the right one; and no answer."""
        ident = struct.unpack("!H", query.id)[0]
        for guess in range(1, 10001):
            wrong = struct.pack("!H", (ident + guess) & 0xffff)
            self._sockets[0].sendto(query.response(address(QUESTION, WRONG), ident=wrong), guest)


@pytest.fixture(scope="module")
def shared_server(tap):
    namespace.ip("addr", "add", f"{OTHER_SERVER}/24", "dev", tap.name)
    server = Server()
    yield server
    server.close()
    namespace.ip("addr", "delete", f"{OTHER_SERVER}/24", "dev", tap.name)


@pytest.fixture
def server(shared_server):
    shared_server.asked.clear()
    return shared_server


class Asking:
    """The guest, and whom its `resolve` asks."""

    def __init__(self, guest, directly):
        self.guest = guest
        self._options = f"-s {HOST}" if directly else ""
        guest.check(f"echo nameserver {HOST} > /run/name-servers")

    def resolve(self, name):
        return self.guest.run(f"resolve {self._options} {name}.test", seconds=40)


@pytest.fixture(params=["resolve", "the machine's resolver"])
def asking(guest, request):
    guest.check(f"ping -c 1 {HOST}")
    yield Asking(guest, request.param == "resolve")
    guest.check(f"ping -c 1 {HOST}")


def finds_the_right_one(asking, name):
    result = asking.resolve(name)
    assert result.status == 0 and RIGHT in result.output, result
    assert WRONG not in result.output


@pytest.mark.parametrize("name", BEFORE)
def test_lie_before_the_answer(asking, server, name):
    finds_the_right_one(asking, name)
    assert len(server.asked) == 1  # the right answer was taken, not a second one


@pytest.mark.parametrize("name", ["wrong-server", "wrong-port"])
def test_lie_from_elsewhere(asking, server, name):
    """The kernel hands a connected socket nothing from anybody else."""
    before = drops(asking.guest)
    finds_the_right_one(asking, name)
    assert drops(asking.guest)["UDP_NO_SOCKET"] == before["UDP_NO_SOCKET"] + 1


def test_alias_loop(asking, server):
    result = asking.resolve("alias-loop")
    assert result.status == 1 and ("alias" in result.output or "cannot answer" in result.output)
    assert len(server.asked) < 10


def test_10000_guesses(asking, server):
    """After sixteen of them the question is asked anew, with another id from another port."""
    before = drops(asking.guest)
    finds_the_right_one(asking, "guesses")
    (_, first), (_, second), *_ = server.asked
    assert first != second
    assert drops(asking.guest)["UDP_NO_SOCKET"] > before["UDP_NO_SOCKET"] + 100
