"""Seeds of the stateful target, in the words of its language: docs/fuzzing.md."""

from seeds.files import hexadecimal, write, write_dictionary
from seeds.parsers import ip4

(
    SOCKET,
    CLOSE,
    BIND,
    CONNECT,
    SEND,
    RECEIVE,
    SET_OPTION,
    GET_OPTION,
    IOCTL,
    SHUTDOWN,
    LISTEN,
    ACCEPT,
    NAME,
    POLL,
    UDP,
    ICMP,
    ICMP_ERROR,
    ARP,
    IGMP,
    TCP,
    TCP_ANSWER,
    FRAGMENT,
    PIECES,
    FRAME,
    MIRROR,
    TIME,
    DEVICE,
    SETTING,
    MEMORY,
    PROC,
    SENDFILE,
    TCP_SETTING,
) = range(32)
(
    OURS,
    PEER,
    GATEWAY,
    BROADCAST,
    NEIGHBOUR,
    FAR,
    GROUP,
    ALL_HOSTS,
    ANY,
    LIMITED,
    LOOPBACK,
    OURS_BEHIND,
    PEER_BEHIND,
) = range(13)
PORT_1000, PORT_1001, PORT_0, PORT_7, PORT_53, PORT_68, PORT_80 = range(7)
(
    KIND_UDP,
    KIND_TCP,
    KIND_PING,
    KIND_RAW_ICMP,
    KIND_RAW_UDP,
    KIND_RAW_TCP,
    KIND_RAW,
    KIND_PACKET,
    KIND_PACKET_IP,
) = range(9)
(
    KIND_UDP_LITE,
    KIND_UNIX_STREAM,
    KIND_UNIX_DATAGRAM,
    KIND_UNIX_SEQPACKET,
    KIND_ROUTE,
    KIND_DIAG,
) = range(10, 16)
PAIR, PASS, UNLINK, REQUEST, FILTER, RING, SCRIBBLE = range(7)  # further operations
STREAM, DATAGRAM, SEQPACKET = range(3)
SEND_COVERAGE, LEAST_COVERAGE, PASS_CREDENTIALS = 64, 65, 67  # places in options.c
NEXT_TIMER = 7
PLAIN = b"\0\0"  # `finish`: nothing special


def op(operation, bits=0, *arguments):
    return bytes((operation | bits << 5,)) + b"".join(
        a if isinstance(a, bytes) else bytes((a,)) for a in arguments
    )


def further(operation, bits=0, *arguments):
    return op(SOCKET, 6) + op(operation, bits, *arguments)


def socket(kind):
    return op(SOCKET, 1, kind)


def name(address, port):
    return bytes((0, address, port))


def n(length):
    return 0x80 | length


def udp(source, destination, source_port, port, length=n(5), finish=PLAIN):
    return op(UDP, 0, source, destination, source_port, port, length, finish)


def udp_lite(coverage, finish=PLAIN):
    """To port 7 of ours."""
    return op(UDP, 4, PEER, OURS, PORT_1000, PORT_7, n(5), coverage, finish)


def send(fd, length=n(5), to=None):
    return op(SEND, fd, 0, length, *((1, to) if to else (0,)))


def receive(fd, flags=1, how=3):
    return op(RECEIVE, fd, flags, 11, how, *((16, 128) if how == 3 else ()))


def option(fd, which, value=b"\0\1"):
    return op(SET_OPTION, fd, which, value)


def answer(flags=0, with_what=0, *more):
    return op(TCP_ANSWER, 0, flags, 0, 0, with_what, *more, PLAIN)


def write_datagrams():
    bound = socket(KIND_UDP) + op(BIND, 0, name(ANY, PORT_7))
    connected = socket(KIND_UDP) + op(CONNECT, 0, name(PEER, PORT_1000))
    bound_lite = socket(KIND_UDP_LITE) + op(BIND, 0, name(ANY, PORT_7))
    in_group = bound + op(SET_OPTION, 0, 36, bytes((2, GROUP, ANY, 2)))
    echo = bytes((8, 0, 0x12, 0x34, 0, 1))
    unreachable = op(ICMP_ERROR, 0, PEER, 0, 3, b"\0\0", 64, PLAIN)
    write(
        "stack",
        empty=b"",
        udp_received=bound + udp(PEER, OURS, PORT_1000, PORT_7) + receive(0),
        udp_sent=connected + send(0) + op(MIRROR, 0, PLAIN) + receive(0),
        udp_nobody=udp(PEER, OURS, PORT_1000, PORT_53),
        udp_broadcast=bound + udp(PEER, BROADCAST, PORT_1000, PORT_7, finish=b"\1\0") + receive(0),
        udp_loopback=bound
        + send(0, to=name(LOOPBACK, PORT_7))
        + receive(0)
        + send(0, to=name(OURS, PORT_7))
        + receive(0),
        udp_error=connected + option(0, 27) + send(0) + unreachable + receive(0, 8) + receive(0),
        udp_changed=bound + udp(PEER, OURS, PORT_1000, PORT_7, finish=b"\0\1\x16\x20"),
        udp_long=connected + op(SEND, 0, 0, 18, 0),
        udp_options=bound
        + option(0, 25)
        + option(0, 28)
        + option(0, 29)
        + option(0, 10)
        + option(0, 24)
        + udp(PEER, OURS, PORT_1000, PORT_7, finish=b"\0\x08\1\x94\4\0\0")
        + receive(0),
        udp_lite_received=bound_lite + udp_lite(0) + udp_lite(8) + udp_lite(10) + udp_lite(14) + receive(0) * 4,
        udp_lite_refused=bound_lite + option(0, LEAST_COVERAGE, b"\0\x0a") + udp_lite(7) + udp_lite(9) + receive(0),
        udp_lite_changed=bound_lite + udp_lite(8, b"\0\1\x20\x20") + receive(0),
        udp_lite_sent=socket(KIND_UDP_LITE)
        + op(CONNECT, 0, name(PEER, PORT_1000))
        + option(0, SEND_COVERAGE, b"\0\x0a")
        + send(0)
        + op(MIRROR, 0, PLAIN)
        + receive(0),
        udp_control=bound + op(SEND, 0, 0, n(3), 3, name(PEER, PORT_1000), 7, 2, OURS, 9, 8),
        unresolved=connected.replace(name(PEER, PORT_1000), name(NEIGHBOUR, PORT_1000))
        + send(0) * 5
        + op(ARP, 1, NEIGHBOUR, OURS, PLAIN)
        + op(TIME, 4) * 3,
        gateway_silent=connected.replace(name(PEER, PORT_1000), name(FAR, PORT_1000))
        + send(0)
        + op(TIME, 3) * 4
        + receive(0),
        path_mtu_expires=connected
        + option(0, 26, b"\0\2")
        + op(SEND, 0, 0, 14, 0)
        + op(ICMP_ERROR, 0, GATEWAY, 0, 4, b"\2\x40", 28, PLAIN)
        + op(TIME, 6) * 2,
        path_mtu=connected
        + option(0, 26, b"\0\2")
        + op(SEND, 0, 0, 14, 0)
        + op(ICMP_ERROR, 0, GATEWAY, 0, 4, b"\2\x40", 28, PLAIN)
        + op(SEND, 0, 0, 14, 0)
        + op(GET_OPTION, 0, 30, 4),
        echo=op(ICMP, 0, PEER, OURS, echo, n(20), PLAIN),
        echo_broadcast=op(SETTING, 1, 0) + op(ICMP, 0, PEER, BROADCAST, echo, n(4), b"\1\0"),
        ping=socket(KIND_PING)
        + op(SEND, 0, 0, n(8), 1, name(PEER, PORT_0))
        + op(MIRROR, 0, b"\0\1\x14\0")
        + receive(0),
        raw=socket(KIND_RAW_ICMP)
        + op(ICMP, 0, PEER, OURS, echo, n(4), PLAIN)
        + receive(0)
        + op(SEND, 0, 0, n(8), 1, name(PEER, PORT_0)),
        fragments_with_options=connected
        + op(SET_OPTION, 0, 23, bytes((7, 8)) + hexadecimal("94040000 44040500"))
        + op(SEND, 0, 0, 18, 0),
        forward_refused=op(SETTING, 0, 1) + udp(PEER_BEHIND, 13, PORT_1000, PORT_7, finish=b"\0\x10"),
        raw_header=socket(KIND_RAW) + op(SEND, 0, 0, n(28), 65, 20, ip4(total=28), name(PEER, PORT_0)),
        packet=socket(KIND_PACKET) + op(ICMP, 0, PEER, OURS, echo, n(4), PLAIN) + receive(0) + receive(0),
        packet_member=socket(KIND_PACKET_IP)
        + op(SET_OPTION, 0, 38, bytes((6, 2, 1, 0)))
        + op(SEND, 0, 0, n(40), 1, bytes((1, 0, 2))),
        arp=op(ARP, 0, PEER, OURS, PLAIN) + op(ARP, 0, NEIGHBOUR, OURS, b"\1\0"),
        arp_conflict=op(ARP, 1, OURS, OURS, b"\1\0") + op(TIME, 4) + op(ARP, 0, OURS, OURS, b"\1\0"),
        pieces=bound + op(PIECES, 0, PEER, OURS, PORT_1000, PORT_7, 9, 16, PLAIN) + receive(0),
        pieces_backwards=bound + op(PIECES, 6, PEER, OURS, PORT_1000, PORT_7, 17, 60, PLAIN) + receive(0),
        pieces_echo=op(PIECES, 1, PEER, OURS, echo, 17, 92, PLAIN),
        fragment_alone=op(FRAGMENT, 1, 1, 0, 10, 0, OURS, PLAIN) + op(TIME, 5) * 2,
        overlap=op(FRAGMENT, 1, 1, 0, 10, 0, OURS, PLAIN) + op(FRAGMENT, 0, 1, 5, 10, 0, OURS, PLAIN),
        ping_of_death=op(FRAGMENT, 6, 1, 31, 255, 7, OURS, PLAIN),
        group=in_group
        + udp(PEER, GROUP, PORT_1000, PORT_7, finish=b"\2\0")
        + receive(0)
        + op(TIME, NEXT_TIMER) * 3,
        group_query=in_group
        + op(IGMP, 0, 0, 100, ANY, ALL_HOSTS, b"\2\0")
        + op(TIME, NEXT_TIMER) * 3
        + op(IGMP, 1, 0, 100, GROUP, GROUP, b"\2\0")
        + op(TIME, NEXT_TIMER) * 2
        + op(CLOSE, 0),
        forwarded=op(SETTING, 0, 1)
        + udp(PEER_BEHIND, PEER, PORT_1000, PORT_7, finish=b"\0\x10")
        + udp(PEER, PEER_BEHIND, PORT_1000, PORT_7),
        device=connected + op(DEVICE, 0, 0) + send(0) + op(DEVICE, 0, 1) + send(0),
        mtu=connected + op(DEVICE, 4, b"\2\x40") + op(SEND, 0, 0, 11, 0) + op(DEVICE, 4, b"\0\x44"),
        no_memory=bound + op(MEMORY, 2, 0) + udp(PEER, OURS, PORT_1000, PORT_7) + receive(0),
        blocking=op(SOCKET, 0, KIND_UDP) + op(BIND, 0, name(ANY, PORT_7)) + receive(0, 0),
        timeout=op(SOCKET, 0, KIND_UDP)
        + op(SET_OPTION, 0, 5, bytes((3, 1, 0)))
        + op(BIND, 0, name(ANY, PORT_7))
        + receive(0, 0),
        interface_calls=socket(KIND_UDP)
        + op(IOCTL, 0, 11, 0, 0, OURS_BEHIND)
        + op(IOCTL, 0, 17, 0, 0, LIMITED)
        + op(IOCTL, 0, 7, 96)
        + op(IOCTL, 0, 9, 0, 2, b"\1\1")
        + op(IOCTL, 0, 19, 0, 2, b"\2\x40"),
        route_calls=socket(KIND_UDP)
        + op(IOCTL, 0, 4, FAR, PEER, 32, 6, 0)
        + send(0, to=name(FAR, PORT_7))
        + op(IOCTL, 0, 5, FAR, PEER, 32, 6, 0),
        neighbour_calls=socket(KIND_UDP)
        + op(IOCTL, 0, 27, NEIGHBOUR, 9, 4, 0)
        + op(IOCTL, 0, 25, NEIGHBOUR, 9, 4, 0),
        proc=bound + b"".join(op(PROC, 0, which) for which in range(12)),
        names=connected + op(NAME, 0, 16) + op(NAME, 0, 144) + op(POLL, 0),
        sendfile=connected + op(SENDFILE, 0, 1, 20, 0),
        shutdown=connected + op(SHUTDOWN, 0, 0) + receive(0),
        frame=op(FRAME, 0, 5, b"\x45\0\0\x14\0", PLAIN),
        in_page=bound + udp(PEER, OURS, PORT_1000, PORT_7, 11, b"\0\x20\x22") + receive(0),
        device_checksum=bound + udp(PEER, OURS, PORT_1000, PORT_7, finish=b"\0\x80") + receive(0),
    )


def write_tcp():
    connect = socket(KIND_TCP) + op(CONNECT, 0, name(PEER, PORT_80)) + answer(0, 0x0F, b"\5\xb4", 7, 0)
    listen = socket(KIND_TCP) + op(BIND, 0, name(ANY, PORT_80)) + op(LISTEN, 0, 5)
    syn = op(TCP, 0, PEER, OURS, PORT_1000, PORT_80, 2, 9, 0, 0x0F, b"\5\xb4", 7, 0, PLAIN)
    accepted = listen + syn + answer(0, 8, 0) + op(ACCEPT, 0, 16)
    data = answer(0x18, 0x48, 0, n(100))
    write(
        "stack",
        tcp_connect=connect + send(0) + answer(0, 8, 0) + data + receive(0),
        tcp_refused=socket(KIND_TCP) + op(CONNECT, 0, name(PEER, PORT_80)) + answer(0x14) + receive(0),
        tcp_accept=accepted + data + receive(1) + send(1) + answer(0, 8, 0),
        tcp_they_close=accepted + answer(0x11) + receive(1) + op(CLOSE, 1) + answer(0x10) + op(TIME, 6),
        tcp_we_close=connect + op(SHUTDOWN, 0, 1) + answer(0x10) + answer(0x11) + op(TIME, 6),
        tcp_lost=connect + op(SEND, 0, 0, 15, 0) + op(TIME, NEXT_TIMER) * 4 + answer(0, 8, 0),
        tcp_reset=accepted + answer(4) + receive(1),
        tcp_loopback=listen
        + socket(KIND_TCP)
        + op(CONNECT, 1, name(LOOPBACK, PORT_80))
        + op(ACCEPT, 0, 16)
        + send(1)
        + receive(2),
        tcp_sack=connect + op(SEND, 0, 0, 19, 0) + answer(0x10, 0x10, 14, 14) * 3 + op(TIME, NEXT_TIMER),
        tcp_nobody=op(TCP, 0, PEER, OURS, PORT_1000, PORT_80, 2, 9, 0, 0, PLAIN),
        tcp_unreachable=socket(KIND_TCP)
        + op(CONNECT, 0, name(PEER, PORT_80))
        + op(ICMP_ERROR, 0, PEER, 0, 3, b"\0\0", 64, PLAIN)
        + receive(0),
    )


def write_tcp_in_trouble():
    short = socket(KIND_TCP) + op(CONNECT, 0, name(PEER, PORT_80)) + answer(0, 0x0F, b"\3\xf4", 7, 0)
    short += op(SEND, 0, 0, 18, 0)  # 4096 bytes in segments of 1000: what we said last is five frames ago

    def duplicate(start, length):
        return op(TCP_ANSWER, 5, 0x10, 0, 0, 0x18, 0, start, length, PLAIN)

    listen = socket(KIND_TCP) + op(BIND, 0, name(ANY, PORT_80))

    def syn(port, with_what, *more, number=9):
        return op(TCP, 0, PEER, OURS, port, PORT_80, 2, number, 0, with_what, *more, PLAIN)

    accepted = listen + op(LISTEN, 0, 5) + syn(PORT_1000, 0x0F, b"\5\xb4", 7, 0)
    accepted += answer(0, 8, 0) + op(ACCEPT, 0, 16)
    closed_first = accepted + op(CLOSE, 1) + answer(0x10, 8, 0) + answer(0x11, 8, 0)
    cookie = b"\x22\x0a" + bytes(8)
    write(
        "stack",
        tcp_fast_recovery=short + duplicate(10, 10) + duplicate(10, 20) + duplicate(10, 30) + answer(0, 8, 0),
        tcp_dsack=short + duplicate(10, 10) + op(TIME, NEXT_TIMER) * 3 + duplicate(0, 10) + answer(0, 8, 0),
        tcp_no_sack=short.replace(b"\x0f\3\xf4", b"\x0b\3\xf4")
        + op(TCP_ANSWER, 5, 0x10, 0, 0, 8, 0, PLAIN) * 4,
        tcp_timeouts=short + op(TIME, NEXT_TIMER) * 8 + answer(0, 8, 0),
        tcp_gives_up=op(TCP_SETTING, 0, 9, 2) + short + op(TIME, 5) * 8,
        tcp_closed_window=short + answer(0x10, 0x88, 0, b"\0\0") + send(0) + op(TIME, NEXT_TIMER) * 4,
        tcp_out_of_order=accepted
        + op(TCP_ANSWER, 0, 0x18, 100, 0, 0x48, 0, n(50), PLAIN)
        + op(TCP_ANSWER, 0, 0x18, 50, 0, 0x48, 0, n(50), PLAIN)
        + op(TCP_ANSWER, 1, 0x18, 0, 0, 0x48, 0, n(60), PLAIN)
        + receive(1),
        tcp_urgent=accepted + op(TCP_ANSWER, 0, 0x38, 0, 0, 0x48, 0, n(5), b"\0\x01\x27\3") + receive(1, 16),
        tcp_urgent_sent=accepted + op(SEND, 1, 16, n(5), 0) + answer(0, 8, 0),
        tcp_keepalive=accepted
        + op(SET_OPTION, 1, 14, b"\0\1")
        + op(SET_OPTION, 1, 47, b"\0\5")
        + op(SET_OPTION, 1, 48, b"\0\2")
        + op(TIME, 5) * 2,
        tcp_time_wait=closed_first + answer(0x10, 8, 0) + syn(PORT_1000, 0x0F, b"\5\xb4", 7, 0, number=99),
        tcp_syn_cookie=op(TCP_SETTING, 0, 5, 2)
        + listen
        + op(LISTEN, 0, 5)
        + syn(PORT_1000, 0x0F, b"\5\xb4", 7, 0)
        + answer(0, 8, 0)
        + op(ACCEPT, 0, 16),
        tcp_full_backlog=op(TCP_SETTING, 0, 6, 0)
        + listen
        + op(LISTEN, 0, 0)
        + b"".join(syn(port, 0) for port in range(6))
        + answer(),
        tcp_fast_open_server=op(TCP_SETTING, 0, 16, 3)
        + listen
        + op(SET_OPTION, 0, 58, b"\0\5")
        + op(LISTEN, 0, 5)
        + syn(PORT_1000, 0x20, 2, b"\x22\2")
        + syn(PORT_1001, 0x60, 10, cookie, n(5))
        + op(ACCEPT, 0, 16),
        tcp_fast_open_client=op(TCP_SETTING, 0, 16, 1)
        + socket(KIND_TCP)
        + op(SEND, 0, 0, n(5), 129, name(PEER, PORT_80))
        + answer(0, 0x20, 10, cookie)
        + op(CLOSE, 0)
        + socket(KIND_TCP)
        + op(SEND, 0, 0, n(5), 129, name(PEER, PORT_80)),
        tcp_new_reno=socket(KIND_TCP)
        + op(SET_OPTION, 0, 56, b"\7\4reno")
        + op(CONNECT, 0, name(PEER, PORT_80))
        + answer(0, 0x0F, b"\3\xf4", 7, 0)
        + op(SEND, 0, 0, 18, 0)
        + duplicate(10, 30) * 2
        + answer(0, 8, 0),
        tcp_ecn=op(TCP_SETTING, 0, 4, 1)
        + socket(KIND_TCP)
        + op(CONNECT, 0, name(PEER, PORT_80))
        + answer(0x52, 0x0F, b"\3\xf4", 7, 0)
        + op(SEND, 0, 0, 18, 0)
        + answer(0x50, 8, 0),
        tcp_smaller_path=short
        + op(ICMP_ERROR, 0, GATEWAY, 0, 4, b"\2\x40", 64, PLAIN)
        + op(TIME, NEXT_TIMER) * 2,
        tcp_simultaneous=socket(KIND_TCP)
        + op(CONNECT, 0, name(PEER, PORT_80))
        + op(TCP_ANSWER, 0, 2, 0, 0, 0, PLAIN)
        + answer(0x10),
        tcp_options=accepted
        + b"".join(
            op(SET_OPTION, 1, which, b"\0\1") + op(GET_OPTION, 1, which, 104) for which in range(44, 62)
        ),
        tcp_large_sent=socket(KIND_TCP)
        + op(CONNECT, 0, name(PEER_BEHIND, PORT_80))
        + op(TCP_ANSWER, 0, 0, 0, 0, 0x0F, b"\3\xf4", 7, 0, b"\0\x10")
        + op(SEND, 0, 0, 20, 0)
        + op(TCP_ANSWER, 0, 0, 0, 0, 8, 0, b"\0\x10"),
        tcp_large_received=accepted
        + op(TCP_ANSWER, 0, 0x18, 0, 0, 0x48, 0, 18, b"\x40\x40", 124)
        + receive(1),
        tcp_disconnect=accepted + op(CONNECT, 1, b"\2", ANY, PORT_0) + op(CONNECT, 1, name(PEER, PORT_80)),
    )


def write_words():
    write_dictionary(
        "stack/stack",
        bound=socket(KIND_UDP) + op(BIND, 0, name(ANY, PORT_7)),
        udp=udp(PEER, OURS, PORT_1000, PORT_7),
        receive=receive(0),
        mirror=op(MIRROR, 0, PLAIN),
        connect=socket(KIND_TCP) + op(CONNECT, 0, name(PEER, PORT_80)),
        listen=op(LISTEN, 0, 5),
        answer=answer(),
        answer_data=answer(0x18, 0x48, 0, n(100)),
        send=send(0),
        error=op(ICMP_ERROR, 0, PEER, 0, 3, b"\0\0", 64, PLAIN),
        second=op(TIME, 3),
        next_timer=op(TIME, NEXT_TIMER),
        memory=op(MEMORY, 3, 0),
        proc=op(PROC, 0, 4),
        pair=further(PAIR, 4),
        files=further(PASS, 0, 15, 1),
        filter=further(FILTER, 0, 1),
        ring=further(RING, 0, 0x15, 15),
        dump=further(REQUEST, 0, 20, 3, 0, 0, 24),
    )


def write_all():
    write_datagrams()
    write_tcp()
    write_tcp_in_trouble()
    write_words()
