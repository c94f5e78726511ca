"""The DHCP client and a server that lies: it is not believed, and a right server behind it is.

docs/hostile-inputs.md has the list. The guest has a fixed address and runs `dhcpc` once for each test; the
tests are the server, and lease it the address that it has. test/host/outside/test_hostile_dhcp_host.py has the
same tests for the same client in vitrine-host.
"""

import re
import socket
import struct

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether

from conftest import GUEST, HOST, HOST_MAC
from harness.frames import BROADCAST_MAC, answers_echo

SERVER, OTHER_SERVER, OTHER_LEASE = HOST, "10.77.0.9", "10.77.0.55"
COOKIE = 0x63825363
DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6
NETMASK, ROUTER, DNS, LEASE, OVERLOAD, TYPE, SERVER_ID, RENEW, REBIND, END = 1, 3, 6, 51, 52, 53, 54, 58, 59, 255
FOREVER = 0xffffffff
FILE_AT, OPTIONS_AT = 108, 240
LENGTHS = [0, 1, 3, 5, 255]


def option(code, value):
    return bytes([code, len(value)]) + value


def number(code, value):
    return option(code, struct.pack("!I", value))


def address(code, text):
    return option(code, socket.inet_aton(text))


def reply_to(query, offered, options, cookie=COOKIE, transaction=None, hardware=None):
    """A server's message, with these option bytes and no others."""
    fixed = struct.pack("!BBBB4s4s4s4s4s4s16s64s128sI", 2, 1, 6, 0, transaction or query[4:8], query[8:12], bytes(4),
                        socket.inet_aton(offered), socket.inet_aton(SERVER), bytes(4), hardware or query[28:44],
                        b"", b"", cookie)
    return fixed + options


def options(kind, *others, server=SERVER, without=()):
    """What a sound offer or ACK has, but those codes that are left out, and what is added to it."""
    sound = {TYPE: option(TYPE, bytes([kind])), SERVER_ID: address(SERVER_ID, server), LEASE: number(LEASE, 120),
             NETMASK: address(NETMASK, "255.255.255.0"), ROUTER: address(ROUTER, HOST)}
    if kind == NAK:
        sound = {code: sound[code] for code in (TYPE, SERVER_ID)}
    return b"".join(value for code, value in sound.items() if code not in without) + b"".join(others)


def sound(query, kind, **fields):
    return reply_to(query, GUEST, options(kind, bytes([END])), **fields)


def with_length(query, kind, code, length):
    """One of the options that matter has a length that it cannot have."""
    wrong = option(code, bytes(range(1, length + 1)))
    return reply_to(query, GUEST, options(kind, wrong, bytes([END]), without=[code]))


def overloaded(query, kind):
    """The options go on in the file field, and there they run into their end."""
    message = bytearray(reply_to(query, GUEST, options(kind, option(OVERLOAD, b"\1"), bytes([END]))))
    message[FILE_AT + 120:FILE_AT + 122] = bytes([DNS, 8])
    return bytes(message)


def leased_for(query, kind, seconds):
    return reply_to(query, GUEST, options(kind, number(LEASE, seconds), bytes([END]), without=[LEASE]))


def other_hardware(query):
    return bytes([query[28] ^ 2]) + query[29:44]


# name: a message that must change nothing, made from the client's and the type it would be
REFUSED = {
    "option-without-length": lambda query, kind: reply_to(query, GUEST, options(kind, bytes([DNS]))),
    "option-length-past-the-end": lambda query, kind: reply_to(query, GUEST, options(kind, bytes([DNS, 8, 1, 2, 3]))),
    "no-end-mark": lambda query, kind: reply_to(query, GUEST, options(kind)),
    "overload-without-an-end": overloaded,
    "wrong-transaction": lambda query, kind: sound(query, kind, transaction=bytes([query[4] ^ 1]) + query[5:8]),
    "wrong-hardware": lambda query, kind: sound(query, kind, hardware=other_hardware(query)),
    "wrong-cookie": lambda query, kind: sound(query, kind, cookie=COOKIE ^ 1),
    "lease-of-0": lambda query, kind: leased_for(query, kind, 0),
    "multicast-offered": lambda query, kind: reply_to(query, "224.0.0.1", options(kind, bytes([END]))),
    "broadcast-offered": lambda query, kind: reply_to(query, "255.255.255.255", options(kind, bytes([END]))),
    "subnet-broadcast-offered": lambda query, kind: reply_to(query, "10.77.0.255", options(kind, bytes([END]))),
}


class Conversation:
    """With a client that has just been started, as its server has it."""

    def __init__(self, wire):
        self.wire = wire
        self.query = self.heard(DISCOVER)
        assert self.query is not None, "no DISCOVER"

    def heard(self, kind, seconds=6):
        """The client's next message of this type, or None."""
        frame = self.wire.expect(lambda frame: UDP in frame and frame[UDP].dport == 67
                                 and bytes(frame[UDP].payload)[OPTIONS_AT:].startswith(bytes([TYPE, 1, kind])), seconds)
        return frame and bytes(frame[UDP].payload)

    def checks_an_address(self, seconds):
        """Does it probe (RFC 5227) for an address that it has been given?"""
        return self.wire.expect(lambda frame: ARP in frame and frame[ARP].psrc == "0.0.0.0", seconds) is not None

    def say(self, message, server=SERVER, times=1):
        frame = bytes(Ether(src=HOST_MAC, dst=BROADCAST_MAC) / IP(src=server, dst="255.255.255.255")
                      / UDP(sport=67, dport=68) / message)
        for _ in range(times):
            self.wire.send(frame)

    def offer(self):
        """A sound offer, which the client must take."""
        self.say(sound(self.query, OFFER))
        self.query = self.heard(REQUEST, 2)
        assert self.query is not None, "the sound offer was not taken"

    def acknowledge(self, *others, **fields):
        """A sound ACK, which the client must take; and before it had no address to check."""
        assert not self.checks_an_address(0.1)
        self.say(reply_to(self.query, GUEST, options(ACK, *others, bytes([END]), **fields)))
        assert self.checks_an_address(2)


@pytest.fixture
def client(guest, wire):
    """dhcpc on the guest; when the test is over it has its lease, and the guest that address."""
    wire.drain()
    command = guest.start_command("dhcpc -i eth0 -q -t 20")
    yield Conversation(wire)
    result = guest.finish(command)
    assert result.status == 0, result
    assert re.search(rf"inet addr:{GUEST} ", guest.check("ifconfig eth0"))
    assert answers_echo(wire)


@pytest.mark.parametrize("name", REFUSED)
def test_offer_is_refused(client, name):
    client.say(REFUSED[name](client.query, OFFER))
    assert client.heard(REQUEST, 0.2) is None
    client.offer()
    client.acknowledge()


@pytest.mark.parametrize("name", REFUSED)
def test_acknowledgement_is_refused(client, name):
    client.offer()
    client.say(REFUSED[name](client.query, ACK))
    client.acknowledge()


@pytest.mark.parametrize("code", [NETMASK, ROUTER, DNS, LEASE, SERVER_ID])
def test_option_of_impossible_length(client, code):
    """0, 1, 3, 5 and 255 bytes of what should be one address or number."""
    for length in LENGTHS:
        client.say(with_length(client.query, OFFER, code, length))
    assert client.heard(REQUEST, 0.2) is None
    client.offer()
    for length in LENGTHS:
        client.say(with_length(client.query, ACK, code, length))
    client.acknowledge()


def test_lease_for_ever(client):
    client.offer()
    client.acknowledge(number(LEASE, FOREVER), without=[LEASE])


def test_t1_after_t2(client):
    client.offer()
    client.acknowledge(number(RENEW, 100), number(REBIND, 50))


def test_flood_of_naks(client):
    """A thousand of them count as one: the client begins again, after its pause, and is not in a hurry."""
    client.offer()
    client.say(reply_to(client.query, GUEST, options(NAK, bytes([END]))), times=1000)
    client.query = client.heard(DISCOVER, 10)
    assert client.query is not None
    assert client.heard(DISCOVER, 0.5) is None
    client.offer()
    client.acknowledge()


def test_offer_from_a_second_server(client):
    """Once one is asked, nothing that another says counts: neither offer, nor ACK, nor NAK."""
    client.offer()
    for kind in (OFFER, ACK, NAK):
        client.say(reply_to(client.query, OTHER_LEASE, options(kind, bytes([END]), server=OTHER_SERVER)), OTHER_SERVER)
    client.acknowledge()
