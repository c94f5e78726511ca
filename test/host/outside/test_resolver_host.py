"""The machine's resolver, built for this machine with the sanitizers, between a client and name servers that
do what each test tells them."""

import collections
import concurrent.futures
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from vitrine import program  # first: it makes the modules below known

from conftest import net_namespace  # noqa: F401 (a fixture)
from test_hostile_dns import BEFORE, CLASS_IN, Query, QUESTION, TYPE_A, TYPE_CNAME, TYPE_TEXT, address, record

ADDRESS = "127.0.0.1"
SERVER, SECOND_SERVER = "127.0.0.2", "127.0.0.3"
PORT = 53
RIGHT, WRONG = "10.1.2.3", "10.6.6.6"
NO_ERROR, FORMAT_ERROR, SERVER_FAILURE, NO_NAME, NOT_IMPLEMENTED, REFUSED, BAD_VERSION = 0, 1, 2, 3, 4, 5, 16
TYPE_SOA, TYPE_PTR, TYPE_AAAA, TYPE_OPT, TYPE_AXFR = 6, 12, 28, 41, 252
TRUNCATED = 0x0200
PATIENCE_S = 15
POLL_S = 0.1


def name_bytes(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def edns(size, version=0):
    return b"\0" + struct.pack("!HHIH", TYPE_OPT, size, version << 16, 0)


def query_bytes(name, kind=TYPE_A, ident=0x4242, flags=0x0100, size=None, klass=CLASS_IN, version=0):
    header = struct.pack("!HHHHHH", ident, flags, 1, 0, 0, 0 if size is None else 1)
    return header + name_bytes(name) + struct.pack("!HH", kind, klass) + (b"" if size is None else edns(size, version))


class Asked(Query):
    """A query as a server sees it."""

    def __init__(self, data, by_tcp):
        super().__init__(data)
        self.kind = struct.unpack("!H", self.question[-4:-2])[0]
        self.edns = len(data) > self.end
        self.by_tcp = by_tcp

    def reply(self, *answers, code=NO_ERROR, authority=(), flags=0):
        header = self.id + struct.pack("!HHHHH", 0x8180 | code | flags, 1, len(answers), len(authority), 0)
        return header + self.question + b"".join(answers) + b"".join(authority)

    def right(self):
        return self.reply(address(QUESTION, RIGHT))


def soa(ttl, minimum):
    data = b"\0\0" + struct.pack("!IIIII", 1, 2, 3, 4, minimum)
    return QUESTION + struct.pack("!HHIH", TYPE_SOA, CLASS_IN, ttl, len(data)) + data


class NameServer:
    """Answers by `behaviour`, a function from Asked to a list of messages."""

    def __init__(self, at):
        self.asked = []
        self.behaviour = lambda query: [query.right()]
        self._closing = False
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for each in (self._udp, self._tcp):
            each.bind((at, PORT))
            each.settimeout(POLL_S)
        self._tcp.listen()
        self._threads = [threading.Thread(target=work) for work in (self._serve_udp, self._serve_tcp)]
        for thread in self._threads:
            thread.start()

    def close(self):
        self._closing = True
        for thread in self._threads:
            thread.join()
        self._udp.close()
        self._tcp.close()

    def _answers(self, data, by_tcp):
        query = Asked(data, by_tcp)
        self.asked.append(query)
        return self.behaviour(query)

    def _serve_udp(self):
        while not self._closing:
            try:
                data, client = self._udp.recvfrom(2000)
            except TimeoutError:
                continue
            for message in self._answers(data, False):
                self._udp.sendto(message, client)

    def _serve_tcp(self):
        while not self._closing:
            try:
                client, _ = self._tcp.accept()
            except TimeoutError:
                continue
            with client, client.makefile("rb") as file:
                client.settimeout(PATIENCE_S)
                length = struct.unpack("!H", file.read(2))[0]
                for message in self._answers(file.read(length), True):
                    client.sendall(struct.pack("!H", len(message)) + message)


class Reply:
    def __init__(self, data):
        self.data = data
        self.id, self.flags, _, self.answer_count, self.authority_count, self.extra_count = \
            struct.unpack("!HHHHHH", data[:12])
        self.code = self.flags & 15
        self.truncated = bool(self.flags & TRUNCATED)
        self._at = data.index(0, 12) + 5 if len(data) > 12 else 12
        self.name = data[12:self._at - 4]
        self.records = [self._record() for _ in range(self.answer_count + self.authority_count + self.extra_count)]
        assert self._at == len(data), "bytes behind the last record"

    def _record(self):
        at = self._at
        while self.data[at] not in (0, *range(0xc0, 0x100)):
            at += 1 + self.data[at]
        at += 1 if self.data[at] == 0 else 2
        kind, klass, ttl, length = struct.unpack("!HHIH", self.data[at:at + 10])
        self._at = at + 10 + length
        return collections.namedtuple("Record", "kind klass ttl data")(kind, klass, ttl, self.data[at + 10:self._at])

    @property
    def addresses(self):
        return [socket.inet_ntoa(record.data) for record in self.records if record.kind == TYPE_A]

    @property
    def edns(self):
        return [record for record in self.records if record.kind == TYPE_OPT]


class Resolver:
    """The running program."""

    def __init__(self, directory):
        self.servers, self.hosts = directory / "name-servers", directory / "hosts"
        self.use_servers(SERVER)
        self.hosts.write_text("10.9.9.9 listed.test also\n")
        ready, ready_write = os.pipe()
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=1")
        self._process = subprocess.Popen(
            [os.path.join(os.path.dirname(program("check")), "resolver"), "--servers", str(self.servers),
             "--hosts", str(self.hosts), "--ready-fd", str(ready_write)],
            pass_fds=[ready_write], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment)
        os.close(ready_write)
        assert os.read(ready, 1) == b""
        os.close(ready)

    def use_servers(self, *addresses):
        new = self.servers.with_suffix(".new")
        new.write_text("".join(f"nameserver {each}\n" for each in addresses))
        new.rename(self.servers)

    def statistics(self):
        self._process.send_signal(signal.SIGUSR1)
        found = {}
        while "evicted" not in found:
            name, value = re.fullmatch(rb"resolver: (\S+) (\d+)\n", self._process.stderr.readline()).groups()
            found[name.decode()] = int(value)
        return found

    def end(self):
        self._process.terminate()
        assert self._process.wait(PATIENCE_S) == 0, self._process.stderr.read().decode()

    def exchange(self, message, patience=PATIENCE_S):
        """Over UDP."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(patience)
            client.connect((ADDRESS, PORT))
            client.send(message)
            return Reply(client.recv(65535))

    def ask(self, name, kind=TYPE_A, **options):
        return self.exchange(query_bytes(name, kind, **options))

    def connect(self):
        client = socket.create_connection((ADDRESS, PORT), PATIENCE_S)
        client.settimeout(PATIENCE_S)
        return client

    def ask_by_tcp(self, name, kind=TYPE_A, **options):
        with self.connect() as client:
            send_by_tcp(client, query_bytes(name, kind, **options))
            return receive_by_tcp(client)


def send_by_tcp(client, message):
    client.sendall(struct.pack("!H", len(message)) + message)


def receive_exactly(client, length):
    data = b""
    while len(data) < length:
        piece = client.recv(length - len(data))
        assert piece, "the connection was closed"
        data += piece
    return data


def receive_by_tcp(client):
    return Reply(receive_exactly(client, struct.unpack("!H", receive_exactly(client, 2))[0]))


@pytest.fixture
def server(net_namespace):  # noqa: F811
    server = NameServer(SERVER)
    yield server
    server.close()


@pytest.fixture
def second_server(server):
    second = NameServer(SECOND_SERVER)
    yield second
    second.close()


@pytest.fixture
def resolver(server, tmp_path):
    resolver = Resolver(tmp_path)
    yield resolver
    resolver.end()


# What is asked, and what is kept ------------------------------------------------------------------


def test_answer_is_kept_and_ages(resolver, server):
    first = resolver.ask("www.test")
    assert first.addresses == [RIGHT] and first.records[0].ttl == 60
    deadline = time.monotonic() + PATIENCE_S
    while resolver.ask("www.test").records[0].ttl >= 59:
        assert time.monotonic() < deadline
        time.sleep(POLL_S)
    assert len(server.asked) == 1
    assert resolver.statistics()["from-cache"] >= 1


def test_client_gets_its_own_id_and_spelling(resolver, server):
    resolver.ask("www.test")
    reply = resolver.ask("WwW.tEsT", ident=7)
    assert reply.id == 7 and reply.name == name_bytes("WwW.tEsT") and reply.addresses == [RIGHT]
    assert len(server.asked) == 1


def test_answer_without_time_is_not_kept(resolver, server):
    server.behaviour = lambda query: [query.reply(QUESTION + struct.pack("!HHIH", TYPE_A, CLASS_IN, 0, 4) + bytes(4))]
    resolver.ask("www.test")
    resolver.ask("www.test")
    assert len(server.asked) == 2


@pytest.mark.parametrize("code", [NO_NAME, NO_ERROR])
def test_no_is_kept_for_the_minimum_of_the_zone(resolver, server, code):
    server.behaviour = lambda query: [query.reply(code=code, authority=[soa(3600, 2)])]
    began = time.monotonic()
    assert resolver.ask("no.test").code == code
    reply = resolver.ask("no.test")
    assert reply.code == code and reply.authority_count == 1
    if time.monotonic() - began < 1.5:
        assert len(server.asked) == 1
    while len(server.asked) == 1:  # until the two seconds are over
        assert time.monotonic() < began + PATIENCE_S
        resolver.ask("no.test")
        time.sleep(POLL_S)
    assert time.monotonic() - began >= 1.9


def test_no_without_a_zone_is_not_kept(resolver, server):
    server.behaviour = lambda query: [query.reply(code=NO_NAME)]
    resolver.ask("no.test")
    resolver.ask("no.test")
    assert len(server.asked) == 2


def test_unknown_types_pass(resolver, server):
    server.behaviour = lambda query: [query.reply(record(QUESTION, query.kind, b"\x03abc"))]
    assert resolver.ask("text.test", TYPE_TEXT).records[0].data == b"\x03abc"
    assert resolver.ask("text.test", 65280).records[0].data == b"\x03abc"
    assert len(server.asked) == 2


def test_advice_that_nobody_asked_for_is_cut(resolver, server):
    extra = address(name_bytes("bank.test"), WRONG)

    def advise(query):
        reply = query.reply(address(QUESTION, RIGHT), authority=[extra])
        return [reply[:10] + b"\0\1" + reply[12:] + extra]

    server.behaviour = advise
    reply = resolver.ask("www.test")
    assert reply.addresses == [RIGHT] and (reply.authority_count, reply.extra_count) == (0, 0)
    server.behaviour = lambda query: [query.right()]
    assert resolver.ask("bank.test").addresses == [RIGHT]


def test_cache_is_bounded(resolver, server):
    for i in range(300):
        resolver.ask(f"n{i}.test")
    statistics = resolver.statistics()
    assert statistics["cached"] == 256 and statistics["evicted"] == 44
    resolver.ask("n299.test")
    assert len(server.asked) == 300
    resolver.ask("n0.test")  # asked for longest ago, so it went first
    assert len(server.asked) == 301


def test_same_question_is_joined(resolver, server):
    release = threading.Event()

    def wait(query):
        release.wait(PATIENCE_S)
        return [query.right()]

    server.behaviour = wait
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        replies = [pool.submit(resolver.ask, "WWW.test" if i % 2 else "www.test", ident=i) for i in range(10)]
        while resolver.statistics()["joined"] < 9:
            pass
        release.set()
        assert [reply.result().id for reply in replies] == list(range(10))
    assert len(server.asked) == 1


def test_many_names_at_once(resolver, server):
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        replies = list(pool.map(lambda i: resolver.ask(f"many{i}.test", ident=i), range(200)))
    assert [reply.id for reply in replies] == list(range(200))
    assert all(reply.addresses == [RIGHT] for reply in replies)


def test_too_many_at_once_are_refused(resolver, server):
    server.behaviour = lambda query: []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((ADDRESS, PORT))
        client.settimeout(PATIENCE_S)
        for i in range(65):
            client.send(query_bytes(f"many{i}.test", ident=i))
        assert Reply(client.recv(2000)).code == SERVER_FAILURE
    assert resolver.statistics()["busy"] == 1


# Servers ------------------------------------------------------------------------------------------


def test_second_server_when_the_first_is_silent(resolver, server, second_server):
    server.behaviour = lambda query: []
    resolver.use_servers(SERVER, SECOND_SERVER)
    assert resolver.ask("www.test").addresses == [RIGHT]
    assert len(server.asked) == 1
    resolver.ask("another.test")  # the one that answered is asked first from now on
    assert len(server.asked) == 1 and len(second_server.asked) == 2


@pytest.mark.parametrize("code", [SERVER_FAILURE, REFUSED])
def test_second_server_when_the_first_cannot_tell(resolver, server, second_server, code):
    server.behaviour = lambda query: [query.reply(code=code)]
    resolver.use_servers(SERVER, SECOND_SERVER)
    assert resolver.ask("www.test").addresses == [RIGHT]
    server.behaviour = second_server.behaviour
    second_server.behaviour = lambda query: [query.reply(code=code)]
    assert resolver.ask("another.test").addresses == [RIGHT]


def test_nobody_can_tell(resolver, server):
    server.behaviour = lambda query: [query.reply(code=SERVER_FAILURE)]
    assert resolver.ask("www.test").code == SERVER_FAILURE
    assert len(server.asked) == 3
    assert resolver.statistics()["failed"] == 1


def test_a_lost_question_is_asked_again(resolver, server):
    server.behaviour = lambda query: [query.right()] if len(server.asked) > 1 else []
    assert resolver.ask("www.test").addresses == [RIGHT]
    first, second = server.asked
    assert first.id != second.id


def test_no_server(resolver, server):
    resolver.use_servers()
    assert resolver.ask("www.test").code == SERVER_FAILURE
    resolver.use_servers(ADDRESS)  # itself
    assert resolver.ask("www.test").code == SERVER_FAILURE
    assert not server.asked


def test_nobody_at_the_server(resolver, server):
    resolver.use_servers("127.0.0.77")
    assert resolver.ask("www.test").code == SERVER_FAILURE


def test_other_servers_say_other_things(resolver, server, second_server):
    second_server.behaviour = lambda query: [query.reply(address(QUESTION, "10.2.2.2"))]
    assert resolver.ask("www.test").addresses == [RIGHT]
    resolver.use_servers(SECOND_SERVER)
    assert resolver.ask("www.test").addresses == ["10.2.2.2"]


def test_server_without_edns(resolver, server):
    """It is asked again without, and never with it any more."""
    server.behaviour = lambda query: [query.reply(code=FORMAT_ERROR) if query.edns else query.right()]
    assert resolver.ask("www.test").addresses == [RIGHT]
    assert [query.edns for query in server.asked] == [True, False]
    resolver.ask("another.test")
    assert not server.asked[-1].edns


def test_server_that_refuses_edns_without_a_word(resolver, server):
    server.behaviour = lambda query: [query.reply(code=FORMAT_ERROR)[:4] + bytes(8) if query.edns else query.right()]
    assert resolver.ask("www.test").addresses == [RIGHT]
    assert [query.edns for query in server.asked] == [True, False]


# Long answers -------------------------------------------------------------------------------------


def many_addresses(query, count=60):
    return query.reply(*(address(QUESTION, f"10.1.{i // 200}.{i % 200}") for i in range(count)))


def test_long_answer_comes_by_tcp(resolver, server):
    server.behaviour = lambda query: [many_addresses(query, 2000) if query.by_tcp else query.reply(flags=TRUNCATED)]
    reply = resolver.ask_by_tcp("long.test")
    assert len(reply.addresses) == 2000 and not reply.truncated
    assert [query.by_tcp for query in server.asked] == [False, True]
    assert resolver.statistics()["sent-by-tcp"] == 1


def test_long_answer_is_truncated_for_those_who_take_less(resolver, server):
    server.behaviour = lambda query: [many_addresses(query)]  # 60 * 16 bytes and the question
    plain = resolver.ask("long.test")
    assert plain.truncated and not plain.records and len(plain.data) <= 512
    small = resolver.ask("long.test", size=600)
    assert small.truncated and len(small.edns) == 1
    big = resolver.ask("long.test", size=4096)
    assert not big.truncated and len(big.addresses) == 60 and len(big.edns) == 1
    assert len(resolver.ask_by_tcp("long.test").addresses) == 60
    assert len(server.asked) == 1


def test_server_that_has_no_tcp(resolver, server):
    server.behaviour = lambda query: [] if query.by_tcp else [query.reply(flags=TRUNCATED)]
    assert resolver.ask("long.test").code == SERVER_FAILURE


@pytest.mark.parametrize("wrong", [lambda query: b"", lambda query: query.reply(flags=TRUNCATED),
                                   lambda query: b"xx" + query.right()[2:]])
def test_server_that_lies_by_tcp(resolver, server, wrong):
    server.behaviour = lambda query: [wrong(query)] if query.by_tcp else [query.reply(flags=TRUNCATED)]
    assert resolver.ask("long.test").code == SERVER_FAILURE


# Clients that speak TCP ---------------------------------------------------------------------------


def test_questions_one_after_the_other(resolver, server):
    with resolver.connect() as client:
        for name in ("one.test", "two.test", "localhost"):
            send_by_tcp(client, query_bytes(name))
            assert receive_by_tcp(client).name == name_bytes(name)


def test_questions_all_at_once(resolver, server):
    names = ["one.test", "localhost", "two.test", "one.test", "localhost"]
    with resolver.connect() as client:
        client.sendall(b"".join(struct.pack("!H", len(query_bytes(name))) + query_bytes(name) for name in names))
        assert [receive_by_tcp(client).name for _ in names] == [name_bytes(name) for name in names]


def test_question_byte_by_byte(resolver, server):
    message = query_bytes("www.test")
    with resolver.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in struct.pack("!H", len(message)) + message:
            client.send(bytes([byte]))
        assert receive_by_tcp(client).addresses == [RIGHT]


def test_client_that_goes_before_its_answer(resolver, server):
    release = threading.Event()

    def wait(query):
        release.wait(PATIENCE_S)
        return [query.right()]

    server.behaviour = wait
    with resolver.connect() as client:
        send_by_tcp(client, query_bytes("www.test"))
        while resolver.statistics()["sent"] == 0:
            pass
    release.set()
    assert resolver.ask("www.test").addresses == [RIGHT]


def test_more_connections_than_places(resolver, server):
    """The one that has been idle for longest makes room."""
    clients = [resolver.connect() for _ in range(17)]
    try:
        send_by_tcp(clients[16], query_bytes("www.test"))
        assert receive_by_tcp(clients[16]).addresses == [RIGHT]
        assert clients[0].recv(1) == b""
        send_by_tcp(clients[1], query_bytes("www.test"))
        assert receive_by_tcp(clients[1]).addresses == [RIGHT]
    finally:
        for client in clients:
            client.close()


@pytest.mark.parametrize("message", [struct.pack("!H", 65535) + b"x", struct.pack("!H", 3) + b"abc", struct.pack("!H", 0)])
def test_connection_with_nonsense_is_closed(resolver, server, message):
    with resolver.connect() as client:
        client.sendall(message)
        assert client.recv(1) == b""
    assert resolver.ask("www.test").addresses == [RIGHT]


# Names that need no server ------------------------------------------------------------------------


def test_names_that_need_no_server(resolver, server):
    assert resolver.ask("listed.test").addresses == ["10.9.9.9"]
    assert resolver.ask("ALSO").addresses == ["10.9.9.9"]
    none = resolver.ask("listed.test", TYPE_AAAA)
    assert none.code == NO_ERROR and not none.records
    assert name_bytes("listed.test") in resolver.ask("9.9.9.10.in-addr.arpa", TYPE_PTR).data
    assert resolver.ask("localhost").addresses == ["127.0.0.1"]
    assert resolver.ask("deep.LocalHost").addresses == ["127.0.0.1"]
    assert not resolver.ask("localhost", TYPE_AAAA).records
    assert name_bytes("localhost") in resolver.ask("1.0.0.127.in-addr.arpa", TYPE_PTR).data
    assert resolver.ask("www.invalid").code == NO_NAME
    assert not server.asked
    resolver.ask("notlocalhost")
    assert len(server.asked) == 1


def test_hosts_may_change(resolver, server):
    resolver.hosts.write_text("10.8.8.8 listed.test\n")
    assert resolver.ask("listed.test").addresses == ["10.8.8.8"]


# Questions that get no answer ---------------------------------------------------------------------


def test_questions_of_other_kinds(resolver, server):
    other_class = resolver.ask("version.bind", TYPE_TEXT, klass=3)
    assert other_class.code == REFUSED and other_class.data.endswith(struct.pack("!HH", TYPE_TEXT, 3))
    assert resolver.ask("www.test", TYPE_AXFR).code == REFUSED
    assert resolver.ask("www.test", flags=0).code == REFUSED  # no recursion desired, and nothing known
    update = resolver.ask("www.test", flags=0x2900)
    assert update.code == NOT_IMPLEMENTED and update.flags & 0x7800 == 0x2800
    bad = resolver.ask("www.test", size=1232, version=1)
    assert bad.edns[0].ttl >> 24 << 4 | bad.code == BAD_VERSION
    assert not server.asked


def test_malformed_questions(resolver, server):
    good = query_bytes("www.test", size=1232)
    none = good[:4] + b"\0\0" + good[6:]
    two = good[:4] + b"\0\2" + good[6:]
    short = good[:20]
    two_opts = good[:10] + b"\0\2" + good[12:] + edns(1232)
    pointer = good[:12] + b"\xc0\x0c\0\1\0\1"
    for message in (none, two, short, two_opts, pointer):
        assert resolver.exchange(message).code == FORMAT_ERROR, message
    assert resolver.statistics()["malformed"] == 5
    assert not server.asked


def test_no_reply_to_replies(resolver, server):
    for message in (b"", b"x", bytes(11), query_bytes("www.test", flags=0x8180)):
        with pytest.raises(TimeoutError):
            resolver.exchange(message, patience=POLL_S)
    assert resolver.ask("www.test").addresses == [RIGHT]


# Servers that lie ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BEFORE)
def test_lie_before_the_answer(resolver, server, name):
    server.behaviour = lambda query: [BEFORE[name](query), query.right()]
    reply = resolver.ask(f"{name}.test")
    assert reply.addresses == [RIGHT]
    assert len(server.asked) == 1
    assert resolver.statistics()["bogus"] == 1


def test_alias_loop(resolver, server):
    server.behaviour = lambda query: [query.reply(record(QUESTION, TYPE_CNAME, QUESTION))]
    assert resolver.ask("loop.test").code == SERVER_FAILURE
    assert resolver.statistics()["bogus"] == 3
    assert resolver.statistics()["cached"] == 0


def test_guesses(resolver, server):
    """After sixteen of them the question is asked anew, with another id from another port."""

    def guess(query):
        if len(server.asked) > 1:
            return [query.right()]
        ident = struct.unpack("!H", query.id)[0]
        wrong = query.reply(address(QUESTION, WRONG))
        return [struct.pack("!H", (ident + i) & 0xffff) + wrong[2:] for i in range(1, 101)]

    server.behaviour = guess
    assert resolver.ask("www.test").addresses == [RIGHT]
    assert resolver.statistics()["bogus"] == 16
    assert len(server.asked) == 2


def test_extended_code_is_no_answer(resolver, server):
    def extended(query):
        reply = query.reply()
        return [reply[:10] + b"\0\1" + reply[12:] + b"\0" + struct.pack("!HHIH", TYPE_OPT, 1232, 1 << 24, 0)]

    server.behaviour = extended
    assert resolver.ask("www.test").code == SERVER_FAILURE
