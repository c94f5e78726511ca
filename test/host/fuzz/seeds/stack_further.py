"""Seeds of the stateful target: AF_UNIX, netlink, filters and rings, in the words of seeds/stack.py."""

from seeds.files import write
from seeds.stack import *  # the words are many

DUMP, ACK = b"\3\0", b"\0\4"
GET_LINK, NEW_ADDRESS, NEW_ROUTE, GET_ROUTE, NEW_NEIGHBOUR, BY_FAMILY = 18, 20, 24, 26, 28, 20


def local(letter, in_files=False):
    return bytes((0x50, ord(letter) - ord("a") | in_files << 3))


def request(fd, kind, flags, fixed, *attributes):
    """Attributes: (type, value), a value being bytes, or one of the language's addresses."""
    body = b"".join(
        bytes((which, 64, value)) if isinstance(value, int) else bytes((which, len(value))) + value
        for which, value in attributes
    )
    return further(REQUEST, fd, kind, flags, len(attributes), len(fixed), fixed, body)


def write_local():
    pair = further(PAIR, 4 | STREAM)
    datagrams = further(PAIR, 4 | DATAGRAM)
    named = socket(KIND_UNIX_STREAM) + op(BIND, 0, local("a")) + op(LISTEN, 0, 3)
    in_files = socket(KIND_UNIX_DATAGRAM) + op(BIND, 0, local("b", True))
    write(
        "stack",
        unix_pair=pair + send(0) + receive(1) + op(SHUTDOWN, 1, 1) + receive(0) + op(CLOSE, 0) + receive(1),
        unix_connection=named
        + socket(KIND_UNIX_STREAM)
        + op(CONNECT, 1, local("a"))
        + send(1)
        + op(ACCEPT, 0, 16)
        + receive(2)
        + op(NAME, 2, 100)
        + op(CLOSE, 0),
        unix_not_accepted=named + socket(KIND_UNIX_STREAM) + op(CONNECT, 1, local("a")) + send(1) + op(CLOSE, 0),
        unix_datagrams=in_files
        + socket(KIND_UNIX_DATAGRAM)
        + send(1, to=local("b", True))
        + receive(0)
        + op(CONNECT, 1, local("b", True))
        + send(1)
        + op(CLOSE, 0)
        + send(1)
        + further(UNLINK, 1),
        unix_messages=further(PAIR, 4 | SEQPACKET) + op(SEND, 0, 0, 18, 0) + receive(1, 3) + receive(1),
        unix_full=datagrams + op(SEND, 0, 1, 18, 0) * 20 + op(POLL, 0) + receive(1) * 3,
        unix_files=pair + socket(KIND_UDP) + further(PASS, 0, 4, 5) + op(CLOSE, 2) + receive(1),
        unix_files_not_taken=pair + datagrams + further(PASS, 0, 12, 5) + op(CLOSE, 2) + op(CLOSE, 3),
        unix_files_in_a_ring=pair + further(PASS, 0, 3, 1) + further(PASS, 1, 3, 1) + op(CLOSE, 0) + op(CLOSE, 1),
        unix_listener_in_itself=named
        + socket(KIND_UNIX_STREAM)
        + op(CONNECT, 1, local("a"))
        + further(PASS, 1, 1, 1)
        + op(CLOSE, 1)
        + op(CLOSE, 0),
        unix_credentials=pair + option(1, PASS_CREDENTIALS) + send(0) + receive(1) + op(GET_OPTION, 0, 19, 12),
    )


def write_requests():
    route, diag = socket(KIND_ROUTE), socket(KIND_DIAG)
    asked = op(RECEIVE, 0, 1, 18, 0)
    everywhere = b"\xff" * 4
    write(
        "stack",
        netlink_dumps=route
        + b"".join(
            request(0, kind, DUMP, bytes(16)) + asked * 2 for kind in (18, 22, 26, 30, 34, 38, 42, 66, 82, 106)
        )
        + request(0, 94, DUMP, bytes(8) + b"\1\0\0\0")
        + asked,
        netlink_link=route + request(0, GET_LINK, ACK, bytes(4) + b"\2\0\0\0" + bytes(8)) + asked,
        netlink_address=route
        + op(BIND, 0, b"\x60\0\x51")
        + request(0, NEW_ADDRESS, b"\6\4", b"\2\x18\0\0\2\0\0\0", (1, NEIGHBOUR), (2, NEIGHBOUR))
        + asked * 4
        + request(0, NEW_ADDRESS + 1, ACK, b"\2\x18\0\0\2\0\0\0", (2, NEIGHBOUR))
        + asked * 4,
        netlink_route=route
        + op(BIND, 0, b"\x60\0\x40")
        + request(0, NEW_ROUTE, b"\6\4", b"\2\x20\0\0\xfe\3\0\1\0\0\0\0", (1, FAR), (5, PEER), (4, b"\2\0\0\0"))
        + asked * 2
        + request(0, GET_ROUTE, ACK, b"\2\x20\0\0\0\0\0\0\0\0\0\0", (1, FAR))
        + asked
        + request(0, NEW_ROUTE + 1, ACK, b"\2\x20\0\0\xfe\3\0\1\0\0\0\0", (1, FAR))
        + asked,
        netlink_neighbour=route
        + request(
            0, NEW_NEIGHBOUR, b"\5\4", b"\2\0\0\0\2\0\0\0\x80\0\0\0", (1, NEIGHBOUR), (2, b"\2\0\0\0\0\7")
        )
        + asked
        + request(0, NEW_NEIGHBOUR + 1, ACK, b"\2\0\0\0\2\0\0\0\0\0\0\0", (1, NEIGHBOUR))
        + asked,
        netlink_no_memory=route + op(MEMORY, 2, 0) + request(0, GET_LINK, DUMP, bytes(16)) + asked,
        diag_inet=diag
        + socket(KIND_UDP)
        + op(BIND, 1, name(ANY, PORT_7))
        + request(0, BY_FAMILY, DUMP, b"\2\x11\xff\0" + everywhere + bytes(48))
        + asked
        + request(0, BY_FAMILY, DUMP, b"\2\6\xff\0" + everywhere + bytes(48))
        + asked,
        diag_unix=diag
        + further(PAIR, 4 | STREAM)
        + send(1)
        + socket(KIND_UNIX_STREAM)
        + op(BIND, 3, local("c", True))
        + op(LISTEN, 3, 1)
        + socket(KIND_UNIX_STREAM)
        + op(CONNECT, 4, local("c", True))
        + request(0, BY_FAMILY, DUMP, b"\1\0\0\0" + everywhere + bytes(4) + b"\xff\0\0\0" + bytes(8))
        + asked
        + request(0, BY_FAMILY, ACK, b"\1\0\0\0" + everywhere + b"\2\0\0\0\xff\0\0\0" + everywhere * 2)
        + asked,
        diag_packet=diag
        + socket(KIND_PACKET)
        + op(SET_OPTION, 1, 38, bytes((6, 2, 1, 0)))
        + further(RING, 1, 0x16, 15, 10, 0)
        + further(FILTER, 1, 1, 8, 0, 0, 9)
        + request(0, BY_FAMILY, DUMP, b"\x11\0\0\0" + bytes(4) + b"\xff\0\0\0" + bytes(8))
        + asked,
        diag_netlink=diag + request(0, BY_FAMILY, DUMP, b"\x10\xff\0\0" + bytes(4) + b"\xff\0\0\0" + bytes(8)) + asked,
    )


def write_capture():
    echo = op(ICMP, 0, PEER, OURS, bytes((8, 0, 0x12, 0x34, 0, 1)), n(40), PLAIN)
    is_ip = further(FILTER, 0, 3, 1, 0, 12, 25, 0x10, 8, 28, 0, 0, 200)
    write(
        "stack",
        filter_packet=socket(KIND_PACKET) + is_ip + echo + receive(0),
        filter_udp=socket(KIND_UDP)
        + op(BIND, 0, name(ANY, PORT_7))
        + further(FILTER, 0, 1, 0xC1, 0, 9, 40)
        + udp(PEER, OURS, PORT_1000, PORT_7)
        + receive(0),
        filter_cuts=socket(KIND_PACKET_IP) + further(FILTER, 0, 0, 20) + echo + receive(0),
        ring_of_frames=socket(KIND_PACKET) + further(RING, 0, 0x15, 15, 0, 0) + echo * 3 + op(POLL, 0) + op(CLOSE, 0),
        ring_of_blocks=socket(KIND_PACKET)
        + further(RING, 0, 0x1A, 15, 20, 8)
        + echo * 5
        + op(TIME, 2)
        + op(POLL, 0)
        + further(SCRIBBLE, 0, 0, 0, 1, 0)
        + echo
        + op(GET_OPTION, 0, 41, 12),
        ring_ends=socket(KIND_PACKET) + further(RING, 0, 0x15, 15, 0, 0) + echo + further(RING, 0, 0x11, 0, 0, 0) + echo,
    )


def write_all():
    write_local()
    write_requests()
    write_capture()
