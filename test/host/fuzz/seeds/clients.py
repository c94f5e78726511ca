"""Seeds of the DHCP and DNS clients, and of their parsers."""

import struct

from seeds.files import hexadecimal, write, write_dictionary


def dhcp(message_type, options=b"", lease=600, end=b"\xff"):
    """As the target takes it with bit 0 set: the address offered, then the options."""
    server = hexadecimal("3604 0a000001")
    return (
        b"\x01"
        + bytes((10, 0, 0, 100))
        + bytes((53, 1, message_type))
        + server
        + b"\x33\x04"
        + struct.pack(">I", lease)
        + options
        + end
    )


def write_dhcp():
    usual = hexadecimal(
        "0104ffffff00 03040a000001 06080a0000010a000003 0f076578616d706c65 1a0205dc 1c040a0000ff 3a0400000064 3b0400000096"
    )
    routes = hexadecimal("790c 180a01000a000002 000a0000")
    whole = (
        bytes((2, 1, 6, 0))
        + bytes(12)
        + bytes((10, 0, 0, 100))
        + bytes(8)
        + bytes((2, 0, 0, 0, 0, 1))
        + bytes(202)
        + hexadecimal("63825363")
        + dhcp(2, usual)[5:]
    )
    write(
        "dhcp_wire",
        offer=dhcp(2, usual),
        ack=dhcp(5, usual),
        nak=dhcp(6),
        whole=b"\0" + whole,
        routes=dhcp(5, routes + b"\1\2"),
        no_end=dhcp(2, usual, end=b""),
        option_without_length=dhcp(2, b"\x01", end=b""),
        length_beyond=dhcp(2, b"\x01\x80"),
        forever=dhcp(5, lease=0xFFFFFFFF),
        no_lease=dhcp(5, lease=0),
        split=dhcp(2, hexadecimal("0102ffff 0102ff00")),
        overload=b"\x07"
        + bytes((10, 0, 0, 100))
        + hexadecimal("0104ffffff00ff")
        + bytes(57)
        + hexadecimal("06040a000001ff")
        + bytes(121)
        + dhcp(5, hexadecimal("340103"))[5:],
    )
    start, to_deadline = b"\0", b"\1"
    write_dictionary(
        "dhcp_client", bind=b"\0\1\3\0\2\3\0\5\1\1", offer=b"\3\0\2", ack=b"\3\0\5", nak=b"\3\0\6"
    )
    offer, ack, nak = b"\3\0\2", b"\3\0\5", b"\3\0\6"
    bind = start + to_deadline + offer + ack + to_deadline * 2
    write(
        "dhcp_client",
        bind=bind,
        renew=bind + to_deadline + ack,
        expire=bind + b"\2\xff\xff",
        conflict=start + to_deadline + offer + ack + b"\5\0",
        refused=start + to_deadline + offer + nak + to_deadline,
        rebind=bind + b"\2\2\x08" + b"\3\4\5",
        release=bind + b"\6",
        refused_in_use=bind + to_deadline + nak,
        retries=start + to_deadline * 6,
        second_server=start + to_deadline + offer + b"\3\4\5" + ack,
        times=start + to_deadline + offer + b"\3\x10\5" + struct.pack(">II", 10, 20) + to_deadline * 3,
        short_lease=start + to_deadline + offer + b"\3\x20\5" + struct.pack(">I", 1) + to_deadline * 4,
    )
    write_dictionary(
        "dhcp_wire",
        cookie=hexadecimal("63825363"),
        type=hexadecimal("350105"),
        lease=hexadecimal("330400000258"),
        server=hexadecimal("36040a000001"),
        overload=hexadecimal("340103"),
        routes=hexadecimal("7905000a000001"),
        end=hexadecimal("ff"),
    )


def dns_record(kind, data, name=b"\xc0\x0c", ttl=300):
    return name + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def dns(flags, answers, records):
    header = struct.pack(">HHHHHH", 1, flags, 1, answers, 0, 0)
    return b"\0" + header + b"\3www\7example\3org\0" + struct.pack(">HH", 1, 1) + records


def write_dns():
    a, alias = dns_record(1, bytes((192, 0, 2, 1))), dns_record(5, b"\1b\xc0\x0c")
    write(
        "dns_wire",
        address=dns(0x8180, 1, a),
        alias=dns(0x8180, 2, alias + dns_record(1, bytes(4), b"\1b\xc0\x0c")),
        no_name=dns(0x8183, 0, b""),
        truncated=dns(0x8380, 0, b""),
        query=dns(0x0100, 0, b""),
        pointer_to_itself=dns(0x8180, 1, dns_record(1, bytes(4), b"\xc0\x21")),
        pointer_forward=dns(0x8180, 1, dns_record(1, bytes(4), b"\xc0\x40")),
        pointer_to_header=dns(0x8180, 1, dns_record(1, bytes(4), b"\xc0\x02")),
        label_0x40=dns(0x8180, 1, dns_record(1, bytes(4), b"\x41a\0")),
        records=b"\1\2\0\1\1\x80" + a + dns_record(28, bytes(16)) + dns_record(12, b"\xc0\x0c"),
        many_announced=b"\1\xff\0\0\1\x80" + a,
        text=b"\2www.example.org",
        text_escaped=b"\2a\\.b\\000\\255.c.",
        text_long_label=b"\2" + b"a" * 64,
        text_long_name=b"\2" + b"abc." * 64,
        reverse4=b"\3\1\1\2\3\4",
        reverse6=b"\3\0" + bytes(range(16)),
    )

    def reply(code, answers, records):
        return bytes((1, code, answers, 0, len(records))) + records

    def from_client(message):
        return bytes((6, len(message))) + message

    ask = b"\0\0\0"
    query, opt = dns(0x0100, 0, b"")[1:], b"\0\0\x29\4\xd0\0\0\0\0\0\0"
    write_dictionary(
        "dns_client", asked=b"\xc0\x0c", address=reply(0, 1, a), alias=reply(0, 1, alias), ask=ask
    )
    write(
        "dns_client",
        address=ask + reply(0, 1, a) + ask,
        expired=ask + reply(0, 1, a) + b"\3\xff\xff" + ask,
        no_name=ask + reply(3, 0, b""),
        alias=ask + reply(0, 1, alias) + reply(0, 1, a),
        alias_within=ask + reply(0, 2, alias + dns_record(1, bytes(4), b"\1b\xc0\x0c")),
        alias_loop=ask + reply(0, 1, dns_record(5, b"\xc0\x0c")) * 3,
        truncated=ask + reply(16, 0, b""),
        client=from_client(query) + ask + reply(0, 1, a) + ask,
        client_edns=from_client(query[:10] + b"\0\1" + query[12:] + opt) + ask + reply(0, 1, a) + ask,
        garbage=ask + b"\2\0\3abc" * 20,
        resolv_conf=b"\4\x36nameserver 10.0.0.1\nsearch example.org a\n# comment\ndomain",
        hosts=ask + b"\5\x2a10.0.0.1 a www.example.org\n127.0.0.1 localhost",
    )
    write_dictionary(
        "dns_wire",
        name_asked=hexadecimal("c00c"),
        record_a=hexadecimal("00010001"),
        record_alias=hexadecimal("00050001"),
        record_aaaa=hexadecimal("001c0001"),
        response=hexadecimal("8180"),
        long_label=hexadecimal("3f"),
    )


def write_all():
    write_dhcp()
    write_dns()
