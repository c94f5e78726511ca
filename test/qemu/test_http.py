"""httpd, judged by this machine, and httpget, fed by this machine."""

import email.utils
import hashlib
import re
import socket
import time

import pytest

from conftest import GUEST, HOST
from harness.guest import run_vm
from harness.tcp import Answers, Server, connect, receive_all, receive_exactly

HTTP = 8080
BIG = 3000000

STALLED_CLIENTS = 60
# What these may cost: 60 times 3 MB would be more than the machine has.
STALLED_KIB = 20 * 1024


# httpd ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(shared_static_guest):
    guest = shared_static_guest.get()
    guest.check("mkdir -p /tmp/site/dir /tmp/site/list/deeper; echo hello > /tmp/site/file.txt; "
                f"echo outside > /tmp/outside; head -c {BIG} /dev/urandom > /tmp/site/big; "
                "echo '<b>index</b>' > /tmp/site/dir/index.html; "
                ": > /tmp/site/empty; touch '/tmp/site/list/a \"name\" & <more>' /tmp/site/list/.hidden; "
                "ln -s /tmp/outside /tmp/site/link; ln -s .. /tmp/site/up; mkfifo /tmp/site/fifo")
    with Server(guest, f"httpd -p {HTTP} /tmp/site", HTTP) as server:
        yield server


def split(answer):
    """(status, head, body)"""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode(), body


def http(request, port=HTTP):
    with connect(GUEST, port) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return split(receive_all(connection))


def get(path, *fields):
    lines = [f"GET {path} HTTP/1.1", "Host: x", *fields, "", ""]
    return http("\r\n".join(lines).encode())


def receive_answer(connection):
    """One answer of a connection that is kept: (status, head, body)."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = connection.recv(65536)
        assert part, answer
        answer += part
    length = int(re.search(rb"Content-Length: (\d+)", answer).group(1))
    status, head, body = split(answer)
    return status, head, body + receive_exactly(connection, length - len(body))


def test_serves_files(guest, site):
    status, head, body = get("/file.txt")
    assert status == 200 and body == b"hello\n" and "Content-Type: text/plain" in head
    for path in ("/file.txt?query", "/./file.txt", "//file.txt", "/f%69le.txt", f"http://{GUEST}:{HTTP}/file.txt"):
        assert get(path)[2] == b"hello\n", path
    status, head, body = get("/empty")
    assert status == 200 and body == b"" and "Content-Length: 0" in head


def test_serves_a_large_file(guest, site):
    digest = guest.check("sha256sum /tmp/site/big").split()[0]
    _, _, body = get("/big")
    assert len(body) == BIG and hashlib.sha256(body).hexdigest() == digest


def test_head_has_no_body(guest, site):
    status, head, body = http(b"HEAD /big HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status == 200 and f"Content-Length: {BIG}" in head and body == b""
    for path in ("/", "/missing"):
        assert http(f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())[2] == b""


@pytest.mark.parametrize("asked, first, last", [
    ("0-0", 0, 0), ("1000-1999", 1000, 1999), (f"{BIG - 1}-", BIG - 1, BIG - 1), ("-10", BIG - 10, BIG - 1),
    (f"5-{BIG * 2}", 5, BIG - 1), (f"-{BIG * 2}", 0, BIG - 1),
])
def test_ranges(guest, site, asked, first, last):
    _, _, whole = get("/big")
    status, head, part = get("/big", f"Range: bytes={asked}")
    assert status == 206 and part == whole[first:last + 1]
    assert f"Content-Range: bytes {first}-{last}/{BIG}" in head


def test_ranges_that_are_none(guest, site):
    for asked in (f"{BIG}-", "-0"):
        status, head, _ = get("/big", f"Range: bytes={asked}")
        assert status == 416 and f"Content-Range: bytes */{BIG}" in head
    for ignored in ("bytes=5-1", "bytes=x-", "lines=1-2", "bytes=0-1,5-6"):
        status, _, body = get("/big", f"Range: {ignored}")
        assert status == 200 and len(body) == BIG


def test_not_modified(guest, site):
    _, head, _ = get("/file.txt")
    when = re.search(r"Last-Modified: (.*)\r", head).group(1)
    assert email.utils.parsedate_to_datetime(when)
    assert get("/file.txt", f"If-Modified-Since: {when}")[0] == 304
    assert get("/file.txt", "If-Modified-Since: Thu, 01 Jan 1970 00:00:01 GMT")[0] == 200


def test_keeps_connections(guest, site):
    with connect(GUEST, HTTP) as connection:
        for _ in range(50):
            connection.sendall(b"GET /file.txt HTTP/1.1\r\nHost: x\r\n\r\n")
            status, head, body = receive_answer(connection)
            assert status == 200 and body == b"hello\n" and "Connection: keep-alive" in head
        connection.sendall(b"GET /missing HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n")
        assert receive_answer(connection)[0] == 404
        connection.sendall(b"GET /file.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        status, head, body = split(receive_all(connection))
        assert status == 200 and body == b"hello\n" and "Connection: close" in head


def test_requests_one_behind_the_other(guest, site):
    """Pipelined, and cut anywhere."""
    requests = b"GET /file.txt HTTP/1.1\r\nHost: x\r\n\r\n" * 20
    with connect(GUEST, HTTP) as connection:
        for start in range(0, len(requests), 37):
            connection.sendall(requests[start:start + 37])
        connection.shutdown(socket.SHUT_WR)
        answers = receive_all(connection)
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == answers.count(b"\r\n\r\nhello\n") == 20


def test_old_clients_are_closed(guest, site):
    with connect(GUEST, HTTP) as connection:
        connection.sendall(b"GET /file.txt HTTP/1.0\r\n\r\n")
        status, head, body = split(receive_all(connection))
        assert status == 200 and body == b"hello\n" and "Connection: close" in head


def test_lists_folders(guest, site):
    status, _, body = get("/")
    assert status == 200 and b'href="file.txt"' in body and b'href="dir/"' in body
    assert get("/dir/")[2] == b"<b>index</b>\n"
    status, head, _ = get("/dir")
    assert status == 301 and "Location: /dir/\r" in head
    _, _, body = get("/list/")
    assert b'href="deeper/"' in body and b".hidden" not in body
    assert b'href="a%20%22name%22%20%26%20%3Cmore%3E"' in body and b"<more>" not in body
    assert get("/list/a%20%22name%22%20%26%20%3Cmore%3E")[0] == 200


@pytest.mark.parametrize("path", ["/../etc/passwd", "/dir/../../etc/passwd", "/%2e%2e/etc/passwd", "/..", "//../x",
                                  "/dir/%2e%2e/%2e%2e/etc/passwd", "/..%2fetc/passwd", "/%2e./outside",
                                  "/file.txt%00.html", "/dir\\..\\..", "etc/passwd", "/%zz"])
def test_refuses_to_climb(guest, site, path):
    status, _, body = get(path)
    assert status in (400, 404) and b"root:" not in body and b"outside" not in body
    if ".." in path.replace("%2e", ".").replace("%2f", "/").split("/"):
        assert status == 400


def test_what_is_no_file(guest, site):
    """A FIFO holds nobody up; links, which may lead out of the folder, are not followed."""
    assert get("/fifo")[0] == 403
    assert get("/link")[0] == 403
    assert get("/up/outside")[0] == 404
    assert get("/file.txt/")[0] == 404


@pytest.mark.parametrize("request_bytes, status", [
    (b"nonsense\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde", 405),
    (b"GET /missing HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    (b"GET /file.txt/below HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    (b"GET / HTTP/2.0\r\n\r\n", 505),
    (b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
])
def test_errors(guest, site, request_bytes, status):
    assert http(request_bytes)[0] == status


def test_slow_client_holds_nobody_up(guest, site):
    with connect(GUEST, HTTP) as slow:
        slow.sendall(b"GET /file")
        with connect(GUEST, HTTP) as stalled:
            stalled.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            assert get("/file.txt")[2] == b"hello\n"
        slow.sendall(b".txt HTTP/1.0\r\n\r\n")
        assert split(receive_all(slow))[2] == b"hello\n"


def test_sendfile_shares_the_files_pages(guest, site, record_property):
    """Sixty clients that ask for 3 MB and do not read: their send buffers are the file's own memory."""
    def free_kib():
        return int(re.search(r"MemFree:\s+(\d+)", guest.check("cat /proc/meminfo")).group(1))

    before = free_kib()
    clients = [connect(GUEST, HTTP) for _ in range(STALLED_CLIENTS)]
    for client in clients:
        client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep(0.5)
    used = before - free_kib()
    record_property("report", f"{STALLED_CLIENTS} stalled downloads of {BIG // 1000} kB hold {used} KiB")
    digest = guest.check("sha256sum /tmp/site/big").split()[0]
    for client in clients:
        assert hashlib.sha256(receive_answer(client)[2]).hexdigest() == digest
        client.close()
    assert used < STALLED_KIB


def test_is_found_before_busybox(guest):
    text = "usage: httpd [-p PORT]"
    assert text in guest.check("httpd --help") and text in guest.check("/bin/httpd --help")
    assert text in run_vm("--net", "none", command="httpd --help").stdout


# httpget ----------------------------------------------------------------------------------------


def test_get_to_a_file(guest):
    body = b"a document\n" * 1000
    server = Answers(HOST, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    output = guest.check(f"httpget -o /tmp/got http://{HOST}:{server.port}/a?b; sha256sum /tmp/got")
    assert hashlib.sha256(body).hexdigest() in output
    assert server.requests[0].startswith(b"GET /a?b HTTP/1.1\r\n")
    assert f"\r\nHost: {HOST}:{server.port}\r\n".encode() in server.requests[0]


def test_get_until_the_server_closes(guest):
    server = Answers(HOST, b"HTTP/1.0 200 OK\r\n\r\nas long as it lasts")
    assert guest.check(f"httpget {HOST}:{server.port}") == "as long as it lasts"


def test_get_by_name(guest, dnsmasq):
    server = Answers(HOST, b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nnamed\n")
    guest.check(f"echo 'nameserver {HOST}' > /run/name-servers")
    assert guest.check(f"httpget http://web.vitrine.test:{server.port}/x") == "named\n"
    assert f"\r\nHost: web.vitrine.test:{server.port}\r\n".encode() in server.requests[0]


def test_get_chunks(guest):
    server = Answers(HOST, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                           b"5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\nTrailer: x\r\n\r\n")
    assert guest.check(f"httpget {HOST}:{server.port}") == "hello, world"


def redirect(location, status=b"302 Found"):
    return b"HTTP/1.1 %b\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (status, location)


def test_get_follows_redirects(guest):
    there = Answers(HOST, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")
    elsewhere = f"http://{HOST}:{there.port}/last".encode()
    server = Answers(HOST, redirect(b"/dir/second", b"301 Moved"), redirect(b"third?x", b"307 Temporary"),
                     redirect(elsewhere, b"308 Permanent"))
    assert guest.check(f"httpget {HOST}:{server.port}/first") == "yes"
    assert [request.split()[1] for request in server.requests] == [b"/first", b"/dir/second", b"/dir/third?x"]
    assert there.requests[0].split()[1] == b"/last"


@pytest.mark.parametrize("answers, complaint", [
    ([redirect(b"/again")] * 12, "too many redirects"),
    ([redirect(b"https://10.77.0.1/")], "only http://"),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"], "cut off"),
    ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"], "cut off"),
    ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nhello"], "malformed"),
    ([b"SSH-2.0-x\r\n\r\n"], "not HTTP"),
    ([b""], "without an answer"),
    ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000], "no end"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_get_of_nonsense(guest, answers, complaint):
    server = Answers(HOST, *answers)
    result = guest.run(f"httpget {HOST}:{server.port}/ > /dev/null")
    assert result.status == 2 and complaint in result.output, result


def test_get_of_another_status(guest):
    server = Answers(HOST, b"HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\n\r\nno such\n")
    result = guest.run(f"httpget -o /tmp/none {HOST}:{server.port}/; ls /tmp/none")
    assert "status 404" in result.output and "No such file" in result.output


def test_get_head(guest):
    server = Answers(HOST, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nX-Field: here\r\n\r\n")
    assert "X-Field: here" in guest.check(f"httpget -I {HOST}:{server.port}/")
    assert server.requests[0].startswith(b"HEAD / ")


def test_progress_bar(guest):
    """On a terminal, and only there."""
    body = b"x" * 100000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    server = Answers(HOST, answer, answer, answer)
    url = f"{HOST}:{server.port}/"
    assert re.search(r"\[#{30}\] 100%  100000 of 100000 bytes", guest.check(f"httpget -o /tmp/x {url}"))
    assert guest.check(f"httpget -q -o /tmp/x {url}") == ""
    assert guest.check(f"httpget -o /tmp/x {url} 2> /tmp/err; cat /tmp/err") == ""


@pytest.mark.parametrize("arguments, complaint", [
    (f"http://{HOST}:9/", "Connection refused"),
    ("https://x/", "only http://"),
    ("http://:80/", "no host"),
    ("http://x:99999/", "bad port"),
    ("-o /nowhere/x {url}", "No such file"),
])
def test_get_complaints(guest, arguments, complaint):
    server = Answers(HOST, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
    result = guest.run("httpget " + arguments.format(url=f"{HOST}:{server.port}/"))
    assert result.status == 2 and complaint in result.output and result.output.startswith("httpget: ")


def test_httpget_from_httpd(guest, site):
    guest.check(f"httpget -o /tmp/copy http://127.0.0.1:{HTTP}/big && cmp /tmp/copy /tmp/site/big")
