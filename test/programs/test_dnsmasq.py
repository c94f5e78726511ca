"""Debian's dnsmasq in the guest: it answers this machine's questions, and gives it an address."""

import contextlib
import random
import socket

import pytest

from room.guest import GUEST

PACKAGES = ["dnsmasq-base"]

RECORDS = "--host-record=box.test,10.77.0.9 --txt-record=words.test,hello --cname=alias.test,box.test --local=/test/"
QUIET = "--no-resolv --no-hosts --user=root --bind-interfaces --interface=eth0 --except-interface=lo"
DNS_PORT = 53

ANSWER_LIMIT_S = 20
RETRY_S = 2
TRIES = 10


@pytest.fixture
def dnsmasq(guest):
    """Serves names on eth0, and addresses to who asks."""
    ranges = "--dhcp-range=10.77.0.50,10.77.0.60,255.255.255.0,1h --dhcp-authoritative" if guest.network == "tap" else ""
    process = guest.background(f"/usr/sbin/dnsmasq --keep-in-foreground --log-facility=/tmp/dnsmasq.log {QUIET} {RECORDS} {ranges}")
    guest.wait_for_port(DNS_PORT)
    guest.wait_until(f"netstat -lun | grep -q '{guest.address}:{DNS_PORT} '")
    yield guest
    guest.check(f"kill {process}; while kill -0 {process} 2> /dev/null; do sleep 0.05; done")


def ask(where, name, kind, tcp=False):
    """The answer as scapy reads it."""
    from scapy.layers.dns import DNS, DNSQR

    question = bytes(DNS(id=random.randrange(65536), rd=1, qd=DNSQR(qname=name, qtype=kind)))
    if tcp:
        with socket.create_connection(where, timeout=ANSWER_LIMIT_S) as connection:
            connection.sendall(len(question).to_bytes(2, "big") + question)
            with connection.makefile("rb") as stream:
                answer = stream.read(int.from_bytes(stream.read(2), "big"))
    else:
        answer = ask_until_answered(question, where)
    return DNS(answer)


def ask_until_answered(question, where):
    """As every resolver does: a datagram may be lost."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(RETRY_S)
        for _ in range(TRIES):
            client.sendto(question, where)
            with contextlib.suppress(TimeoutError):
                return client.recv(4096)
    raise TimeoutError(f"no answer from {where}")


@pytest.mark.parametrize("tcp", [False, True])
def test_names(dnsmasq, tcp):
    where = dnsmasq.reach(DNS_PORT, "tcp" if tcp else "udp")
    assert ask(where, "box.test", "A", tcp).an.rdata == "10.77.0.9"
    assert ask(where, "words.test", "TXT", tcp).an.rdata == [b"hello"]
    alias = ask(where, "alias.test", "A", tcp)
    assert alias.ancount == 2 and alias.an.rdata == b"box.test."
    refused = ask(where, "elsewhere.example", "A", tcp)
    assert refused.rcode == 5  # it has nobody to ask


def test_the_guest_asks_itself(dnsmasq):
    output = dnsmasq.check(f"nslookup box.test {dnsmasq.address}")
    assert "10.77.0.9" in output


def exchange(client, kind, transaction, mac, options):
    """Sends one message of DHCP by broadcast; the answer's options, and its address for us."""
    from scapy.layers.dhcp import BOOTP, DHCP

    fields = [("message-type", kind), *options, "end"]
    client.sendto(bytes(BOOTP(op=1, xid=transaction, chaddr=mac + bytes(10), flags=0x8000) / DHCP(options=fields)),
                  ("255.255.255.255", 67))
    while True:
        answer = BOOTP(client.recv(4096))
        if answer.op == 2 and answer.xid == transaction:
            return {option[0]: option[1] for option in answer[DHCP].options if isinstance(option, tuple)}, answer.yiaddr


def test_an_address_for_this_machine(dnsmasq):
    """DISCOVER, OFFER, REQUEST, ACK, as a client without an address of its own."""
    if dnsmasq.network != "tap":
        pytest.skip("QEMU's user networking gives out addresses itself")
    mac, transaction = bytes((2, 0, 10, 77, 0, 99)), random.getrandbits(32)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"tap0")
        client.settimeout(ANSWER_LIMIT_S)
        client.bind(("", 68))
        offer, address = exchange(client, "discover", transaction, mac, [])
        assert offer["message-type"] == 2 and offer["server_id"] == GUEST
        assert 50 <= int(address.rsplit(".", 1)[1]) <= 60
        wanted = [("requested_addr", address), ("server_id", GUEST)]
        acknowledged, given = exchange(client, "request", transaction, mac, wanted)
        assert acknowledged["message-type"] == 5 and given == address
        assert acknowledged["lease_time"] == 3600 and acknowledged["subnet_mask"] == "255.255.255.0"
    dnsmasq.wait_until(f"grep -q 'DHCPACK(eth0) {address}' /tmp/dnsmasq.log")
