"""Seeds of the parsers of net/. The format of each input stands in the target's source."""

import struct

from seeds.files import hexadecimal, write, write_dictionary


def arp(operation):
    return (
        hexadecimal("0001 0800 06 04")
        + struct.pack(">H", operation)
        + hexadecimal("020000000002 0a000002 000000000000 0a000001")
    )


def ip4(options=b"", total=None, fragment=0x4000, protocol=17):
    length = 20 + len(options)
    return (
        struct.pack(">BBHHHBBH", 0x40 | length // 4, 0, total or length + 8, 7, fragment, 64, protocol, 0)
        + bytes((10, 0, 0, 2, 10, 0, 0, 1))
        + options
    )


def bpf(packet, *program, start=0, how=0):
    """A packet, and instructions (code, jt, jf, k)."""
    instructions = b"".join(struct.pack(">HBBI", *at) for at in program)
    return bytes((len(packet) | how,)) + packet + bytes((start,)) + instructions


def write_bpf():
    frame = bytes(12) + b"\x08\0" + ip4()
    icmp = ((0x28, 0, 0, 12), (0x15, 0, 3, 0x800), (0x30, 0, 0, 23), (0x15, 0, 1, 1), (0x6, 0, 0, 0x40000), (0x6, 0, 0, 0))
    ports = ((0xB1, 0, 0, 14), (0x48, 0, 0, 14), (0x45, 1, 0, 0x1FFF), (0x15, 0, 1, 53), (0x16, 0, 0, 0), (0x6, 0, 0, 0))
    memory = ((0x80, 0, 0, 0), (0x02, 0, 0, 3), (0x61, 0, 0, 3), (0x3C, 0, 0, 0), (0x9C, 0, 0, 0), (0x16, 0, 0, 0))
    extensions = tuple((0x20, 0, 0, 0xFFFFF000 + which) for which in (0, 4, 8, 20, 40, 44, 48, 56, 60)) + ((0x16, 0, 0, 0),)
    headers = ((0x30, 0, 0, 0xFFF00009), (0x20, 0, 0, 0xFFE00000), (0x16, 0, 0, 0))
    write(
        "bpf",
        icmp=bpf(frame, *icmp),
        ports=bpf(frame, *ports),
        halves=bpf(frame, *ports, how=0x40),
        with_front=bpf(frame[14:], *icmp, how=0x80),
        both=bpf(frame, *ports, how=0xC0),
        memory=bpf(frame, *memory),
        extensions=bpf(frame, *extensions),
        headers=bpf(frame, *headers, start=14),
        behind_the_end=bpf(b"", (0x30, 0, 0, 0), (0x6, 0, 0, 1)),
        no_end=bpf(frame, (0x0, 0, 0, 1)),
        far_jump=bpf(frame, (0x5, 0, 0, 0xFFFFFFFF), (0x6, 0, 0, 1)),
    )


def write_small_parsers():
    write(
        "arp_wire",
        request=arp(1),
        reply=arp(2),
        padded=arp(1) + bytes(18),
        cut=arp(1)[:27],
        other_operation=arp(3),
    )
    right = b"\x01\0\x08"
    write(
        "ipv4_wire",
        plain=right + ip4(),
        options=right + ip4(hexadecimal("94040000")),
        longest=right + ip4(b"\x01" * 40),
        fragment=right + ip4(fragment=0x2001),
        wrong_checksum=b"\0\0\x08" + ip4(),
        cut=b"\x01\0\0" + ip4()[:19],
        total_length_below_header=right + ip4(total=19),
        version_6=right + b"\x65" + ip4()[1:],
    )
    write(
        "ipv4_options",
        router_alert=hexadecimal("94040000"),
        record_route=hexadecimal("07070400000000 00"),
        timestamp=hexadecimal("440c0500") + bytes(8),
        source_route=hexadecimal("8307040a000001 00"),
        nops=b"\x01" * 40,
        length_0=hexadecimal("07000000"),
        length_beyond=hexadecimal("07290000"),
        unknown=hexadecimal("9e0400000b0400 00"),
    )
    quoted = b"\x05\xdc"
    write(
        "icmp_wire",
        echo=quoted + hexadecimal("0800000012340001"),
        port_unreachable=quoted + hexadecimal("0303000000000000"),
        needs_fragments=quoted + hexadecimal("0304000000000240"),
        needs_fragments_mtu_0=quoted + hexadecimal("0304000000000000"),
        parameter_problem=quoted + hexadecimal("0c00000014000000"),
        unknown=quoted + hexadecimal("ff00000000000000"),
    )
    write(
        "igmp_wire",
        v1_query=hexadecimal("01 11000000 00000000"),
        v2_query=hexadecimal("01 11640000 ef010203"),
        v3_query=hexadecimal("01 11ff0000 00000000 027d0000"),
        v2_report=hexadecimal("01 16000000 ef010203"),
        leave=hexadecimal("01 17000000 ef010203"),
        wrong_checksum=hexadecimal("00 1164ffff 00000000"),
        nine_bytes=hexadecimal("01 11640000 ef010203 00"),
    )
    write(
        "udp_wire",
        empty=hexadecimal("0000 03e80007 0008 1234"),
        payload=hexadecimal("0000 03e80007 000c 0000 61626364"),
        beyond=hexadecimal("0100 03e80007 0108 ffff"),
        length_7=hexadecimal("0000 03e80007 0007 1234"),
        length_beyond=hexadecimal("0000 03e80007 0009 1234"),
        lite_whole=hexadecimal("0000 03e80007 0000 1234 61626364"),
        lite_header=hexadecimal("0000 03e80007 0008 1234 61626364"),
    )


def tcp(flags, options=b"", syn=False, header=None):
    length = header if header is not None else 20 + len(options)
    return (
        bytes((1 if syn else 0, 0, 0))
        + struct.pack(">HHIIBBHHH", 1000, 80, 1, 2, length // 4 << 4, flags, 65535, 0, 0)
        + options
    )


def write_tcp():
    timestamps = hexadecimal("0101080a0000000100000002")
    write(
        "tcp_wire",
        syn=tcp(2, hexadecimal("020405b4 0402") + timestamps[2:] + hexadecimal("01 030307"), True),
        ack=tcp(16, timestamps),
        sack=tcp(16, timestamps + hexadecimal("0101051a") + struct.pack(">6I", 10, 20, 30, 40, 50, 60)),
        four_sacks=tcp(16, hexadecimal("01010522") + struct.pack(">8I", *range(10, 90, 10))),
        cookie=tcp(2, hexadecimal("220a0102030405060708 0101"), True),
        cookie_request=tcp(2, hexadecimal("22020101"), True),
        experimental_cookie=tcp(2, hexadecimal("fe0cf9890102030405060708"), True),
        no_options=tcp(4),
        scale_of_15=tcp(2, hexadecimal("03030f00"), True),
        offset_4=tcp(16, header=16),
        offset_15=tcp(16, header=60),
        length_0=tcp(16, hexadecimal("08000000")),
        length_beyond=tcp(16, hexadecimal("08200000")),
    )
    write_dictionary(
        "tcp_wire",
        mss=hexadecimal("020405b4"),
        scale=hexadecimal("030307"),
        sack_ok=hexadecimal("0402"),
        timestamps=hexadecimal("080a"),
        sack=hexadecimal("050a"),
        cookie=hexadecimal("220a"),
        experiment=hexadecimal("fe0cf989"),
    )


def netlink(kind, payload, length=None):
    body = struct.pack("<IHHII", length or 16 + len(payload), kind, 0x301, 1, 0) + payload
    return body + bytes(-len(body) % 4)


def attribute(kind, value, length=None):
    body = struct.pack("<HH", length if length is not None else 4 + len(value), kind) + value
    return body + bytes(-len(body) % 4)


def write_netlink():
    fixed = bytes(4)
    nest = attribute(1, attribute(2, b"abcd") + attribute(3, b"x"))
    write(
        "netlink_wire",
        bare=netlink(18, fixed),
        name=netlink(18, fixed + attribute(3, b"eth0\0")),
        two=netlink(18, fixed) + netlink(22, fixed + attribute(2, b"abcd")),
        nested=netlink(26, fixed + nest),
        length_0=netlink(18, fixed, 0) + bytes(16),
        length_15=netlink(18, fixed, 15),
        length_beyond=netlink(18, fixed, 400),
        attribute_length_0=netlink(18, fixed + attribute(1, b"", 0)),
        attribute_length_3=netlink(18, fixed + attribute(1, b"", 3)),
        attribute_beyond=netlink(18, fixed + attribute(1, b"abcd", 200)),
        value_short=netlink(18, fixed + attribute(2, b"abc")),
        unknown=netlink(18, fixed + attribute(99, b"abcd")),
        nest_beyond=netlink(26, fixed + attribute(1, attribute(2, b"abcd", 60))),
    )
    write_dictionary("netlink_wire", header=netlink(18, fixed), word=attribute(2, b"abcd"), nested=b"\1\x80")
    address = hexadecimal("07101400 02200000 ffffffff 0a000001")
    write(
        "diag_filter",
        port=hexadecimal("0b080c00 00005000"),
        address=address,
        either=hexadecimal("0b080c00 00005000 01040c00 0c080c00 00005100"),
        device=hexadecimal("09080c00 02000000"),
        mark=hexadecimal("0a0c1000 05000000 0f000000"),
        automatic=hexadecimal("06040800"),
        jump_0=hexadecimal("01040000"),
        jump_back=hexadecimal("0004fcff 0104fcff"),
        jump_into_argument=hexadecimal("01040800 0b080c00 00005000"),
        cut=address[:11],
    )
    write_dictionary("diag_filter", port=hexadecimal("0b080c00"), host=hexadecimal("07101400"),
                     jump=hexadecimal("01040800"))


def write_words():
    write_dictionary("arp_wire", request=arp(1)[:8], reply=arp(2)[:8])
    write_dictionary("ipv4_wire", header=b"\x45\0", longest=b"\x4f\0", fragment=b"\x20\0", dont=b"\x40\0")
    write_dictionary(
        "ipv4_options",
        router_alert=hexadecimal("94040000"),
        record_route=hexadecimal("070704"),
        timestamp=hexadecimal("440c05"),
        loose_route=hexadecimal("8307"),
        strict_route=hexadecimal("8907"),
        copied=hexadecimal("9e04"),
    )
    write_dictionary(
        "icmp_wire", echo=b"\x08\0", unreachable=b"\3\3", needs_fragments=b"\3\4", exceeded=b"\x0b\0"
    )
    write_dictionary(
        "igmp_wire", query=b"\1\x11", report=b"\1\x16", leave=b"\1\x17", group=bytes((239, 1, 2, 3))
    )
    write_dictionary("udp_wire", length_8=b"\0\x08", length_7=b"\0\x07", longest=b"\xff\xff")


def write_all():
    write_small_parsers()
    write_bpf()
    write_tcp()
    write_netlink()
    write_words()
