"""Debian's avahi-daemon: names and services that this machine asks for by multicast DNS (RFC 6762, RFC 6763)."""

import socket
import struct

import pytest

PACKAGES = ["avahi-daemon", "avahi-utils", "dbus"]

GROUP, PORT = "224.0.0.251", 5353
A, PTR, SRV = 1, 12, 33


@pytest.fixture(scope="module", params=["tap"])
def network(request):
    """Multicast needs a wire."""
    return request.param


@pytest.fixture
def avahi(guest):
    """The daemon, which D-Bus's programs command."""
    guest.check("mkdir -p /run/dbus; dbus-uuidgen --ensure; dbus-daemon --system --fork --print-pid > /tmp/dbus.pid")
    guest.check("avahi-daemon --daemonize --no-rlimits")
    guest.wait_until("avahi-resolve -4 -n vitrine.local", 30)
    yield guest
    guest.run("killall -9 avahi-publish avahi-daemon; kill $(cat /tmp/dbus.pid)")
    guest.run("rm -f /run/dbus/pid /run/avahi-daemon/*")


@pytest.fixture
def asker(tap):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(tap.address))
        asker.settimeout(2)
        yield asker


def encode(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def ask(asker, name, kind):
    """The answer's bytes behind its header, to a question by multicast; asked again when that is lost."""
    question = struct.pack(">6H", 7, 0, 1, 0, 0, 0) + encode(name) + struct.pack(">HH", kind, 1)
    for _ in range(10):
        asker.sendto(question, (GROUP, PORT))
        try:
            answer, (source, _) = asker.recvfrom(9000)
        except TimeoutError:
            continue
        assert source == "10.77.0.2" and answer[:2] == question[:2] and struct.unpack(">H", answer[6:8])[0] >= 1
        return answer[12:]
    raise AssertionError(f"nobody answers about {name}")


def test_this_machine_finds_name_and_service(avahi, asker):
    assert socket.inet_aton(avahi.address) in ask(asker, "vitrine.local", A)
    avahi.background("avahi-publish -s exhibit _http._tcp 8080 room=3 > /tmp/publish.log 2>&1")
    avahi.wait_until("grep -q Established /tmp/publish.log")
    assert b"\x07exhibit" in ask(asker, "_http._tcp.local", PTR)
    service = ask(asker, "exhibit._http._tcp.local", SRV)
    assert struct.pack(">H", 8080) + b"\x07vitrine" in service


def test_the_guest_finds_itself_and_ends(avahi):
    """Answers to itself are looped back; the daemon's end leaves the group."""
    avahi.background("avahi-publish -s exhibit _http._tcp 8080 room=3 > /tmp/publish.log 2>&1")
    avahi.wait_until("grep -q Established /tmp/publish.log")
    found = avahi.check("avahi-browse --all --terminate --resolve --parsable", 30)
    assert f'=;eth0;IPv4;exhibit;Web Site;local;vitrine.local;{avahi.address};8080;"room=3"' in found
    avahi.check("avahi-daemon --kill")
    avahi.wait_until("! pidof avahi-daemon > /dev/null")
    avahi.wait_until("test $(awk 'NF == 4' /proc/net/igmp | wc -l) = 1")  # the group of all hosts
