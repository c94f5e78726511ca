"""Debian's iproute2: ip lists, changes and watches the interfaces, ss shows and ends sockets."""

import json
import re
import socket
import threading

import pytest

PACKAGES = ["iproute2", "socat", "tcpdump"]


@pytest.fixture
def echo(peers):
    """A TCP server of this machine that answers each byte with itself; its port."""
    listener = socket.create_server(("0.0.0.0", 0))
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def serve(listener):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


def answer(connection):
    with connection:
        try:
            while data := connection.recv(4096):
                connection.sendall(data)
        except OSError:
            pass


def json_of(guest, command):
    return json.loads(guest.check(command))


def test_links_and_addresses(guest):
    lo, eth0 = json_of(guest, "ip -json addr")
    assert lo["ifname"] == "lo" and "LOOPBACK" in lo["flags"] and lo["mtu"] == 65536
    assert eth0["link_type"] == "ether" and eth0["address"] == "52:54:00:12:34:56"
    assert eth0["operstate"] == "UP" and "LOWER_UP" in eth0["flags"]
    [address] = eth0["addr_info"]
    assert (address["local"], address["prefixlen"]) == (guest.address, 24)


def test_statistics_count_what_passes(guest):
    def packets():
        [link] = json_of(guest, "ip -json -stats link show dev eth0")
        return link["stats64"]["tx"]["packets"], link["stats64"]["rx"]["packets"]

    before = packets()
    guest.check(f"ping -c 3 -i 0.1 {guest.host}")
    after = packets()
    assert after[0] >= before[0] + 3 and after[1] >= before[1] + 3


def test_changing_a_link(guest):
    try:
        guest.check("ip link set dev eth0 mtu 1400 txqueuelen 77")
        [link] = json_of(guest, "ip -json link show dev eth0")
        assert (link["mtu"], link["txqlen"]) == (1400, 77)
        assert guest.check("cat /sys/class/net/eth0/mtu") == "1400\n"
        guest.check("ip link set dev eth0 promisc on")
        assert "PROMISC" in guest.check("ip link show dev eth0")
    finally:
        guest.check("ip link set dev eth0 mtu 1500 promisc off txqueuelen 1000")
    assert "PROMISC" not in guest.check("ip link show dev eth0")


def test_what_cannot_be_made_is_refused(guest):
    for command, words in (("ip link add dummy0 type dummy", "Operation not supported"),
                           ("ip link set dev eth0 name wan", "Operation not supported"),
                           ("ip link set dev eth0 mtu 20", "Invalid argument"),
                           ("ip link show dev eth7", "does not exist"),
                           ("ip route add blackhole 192.0.2.0/24", "Operation not supported"),
                           ("ip route add 192.0.2.0/24 via 203.0.113.1", "invalid gateway"),
                           ("ip rule add from 10.0.0.1 lookup 100", "Operation not supported"),
                           ("ip addr del 192.0.2.1/24 dev eth0", "Address not found")):
        result = guest.run(command)
        assert result.status != 0 and words in result.output, (command, result)


def test_adding_and_removing_an_address(guest):
    guest.check("ip addr add 192.0.2.1/24 dev eth0")
    assert "192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.1" in guest.check("ip route")
    assert guest.check("ping -c 1 192.0.2.1")
    assert "already assigned" in guest.run("ip addr add 192.0.2.1/24 dev eth0").output
    guest.check("ip addr del 192.0.2.1/24 dev eth0")
    assert "192.0.2" not in guest.check("ip route; ip addr")


def test_routes(guest):
    guest.check(f"ip route add 198.51.100.0/24 via {guest.host} metric 5 mtu 1300")
    assert f"198.51.100.0/24 via {guest.host} dev eth0 metric 5 mtu 1300" in guest.check("ip route")
    [way] = json_of(guest, "ip -json route get 198.51.100.7")
    assert (way["gateway"], way["dev"], way["prefsrc"]) == (guest.host, "eth0", guest.address)
    assert way["metrics"] == [{"mtu": 1300}]
    assert "File exists" in guest.run(f"ip route add 198.51.100.0/24 via {guest.host} metric 5").output
    guest.check("ip route replace unreachable 198.51.100.0/24 metric 5")
    assert "No route to host" in guest.run("ip route get 198.51.100.7").output
    guest.check("ip route del 198.51.100.0/24")
    assert "198.51.100" not in guest.check("ip route")
    local = guest.check("ip route show table local")
    assert f"local {guest.address} dev eth0 proto kernel scope host" in local


def test_neighbours(guest):
    guest.check(f"ping -c 1 {guest.host}")
    assert re.search(rf"^{guest.host} dev eth0 lladdr [0-9a-f:]+ (REACHABLE|STALE|PROBE)", guest.check("ip neigh"), re.M)
    other = guest.host.rsplit(".", 1)[0] + ".77"
    guest.check(f"ip neigh add {other} lladdr 02:00:00:00:00:77 dev eth0")
    assert f"{other} dev eth0 lladdr 02:00:00:00:00:77 PERMANENT" in guest.check("ip neigh")
    assert "02:00:00:00:00:77" in guest.check("cat /proc/net/arp")
    guest.check(f"ip neigh del {other} dev eth0")
    assert other not in guest.check("ip neigh")


def test_monitor_tells_of_changes(guest):
    process = guest.background("ip monitor > /tmp/seen")
    guest.wait_until(f"grep -q ' {process} ' /proc/net/netlink")
    guest.check("ip addr add 192.0.2.9/24 dev eth0; ip neigh add 192.0.2.10 lladdr 02:00:00:00:00:10 dev eth0")
    guest.check("ip link set dev eth0 mtu 1450; ip link set dev eth0 mtu 1500; ip addr del 192.0.2.9/24 dev eth0")
    guest.wait_until("grep -q 'Deleted.*192.0.2.9/24' /tmp/seen")
    seen = guest.check(f"kill {process}; cat /tmp/seen; ip neigh del 192.0.2.10 dev eth0")
    for line in (r"inet 192\.0\.2\.9/24", r"192\.0\.2\.0/24 dev eth0 proto kernel", r"mtu 1450",
                 r"192\.0\.2\.10 dev eth0 lladdr 02:00:00:00:00:10 PERMANENT",
                 r"Deleted 192\.0\.2\.0/24 dev eth0"):
        assert re.search(line, seen), (line, seen)


def test_the_interface_goes_down_and_comes_back(guest):
    guest.check("ip link set dev eth0 down")
    assert "state DOWN" in guest.check("ip link show dev eth0")
    assert "eth0" not in guest.check("ip route")
    guest.check("ip link set dev eth0 up")
    guest.check(f"ip route add default via {guest.host}")
    assert guest.check(f"ping -c 1 {guest.host}")


def test_ss_shows_listeners_and_their_processes(guest):
    process = guest.background("nc -l -p 4321 > /dev/null")
    guest.wait_for_port(4321)
    lines = guest.check("ss -lntp")
    assert re.search(rf"LISTEN.*0\.0\.0\.0:4321.*\(\(\"(nc|busybox)\",pid={process},fd=\d+\)\)", lines), lines
    assert ":4321" in guest.check("ss -tln 'sport = :4321'")
    assert ":4321" not in guest.check("ss -tln 'sport = :4322'")
    guest.check(f"kill {process}")


def test_ss_shows_connections_and_ends_one(guest, echo):
    process = guest.background(f"nc {guest.host} {echo} < /dev/zero > /dev/null")
    guest.wait_until(f"ss -tn state established 'dport = :{echo}' | grep -q :{echo}")
    text = guest.check(f"ss -tinmo 'dport = :{echo}'")
    assert re.search(r"cubic .*rto:\d+.* rtt:[\d.]+/[\d.]+ .*bytes_acked:\d+", text), text
    assert re.search(r"skmem:\(r\d+,rb\d+,t\d+,tb\d+,", text), text
    guest.check(f"ss -K 'dport = :{echo}'")
    guest.wait_until(f"! kill -0 {process} 2> /dev/null")
    assert f":{echo}" not in guest.check(f"ss -tn state established 'dport = :{echo}'")


def test_ss_shows_datagram_sockets_and_sums(guest):
    process = guest.background("udpecho")
    guest.wait_until("ss -uan | grep -q '0.0.0.0:7 '")
    summary = guest.check("ss -s")
    assert re.search(r"^UDP\s+[1-9]", summary, re.M) and re.search(r"^TCP:\s+\d+", summary, re.M), summary
    assert " closed -" not in summary
    guest.check(f"kill {process}")


def test_ss_shows_unix_sockets_and_their_processes(guest):
    server = guest.background("socat ABSTRACT-LISTEN:hidden,fork EXEC:cat")
    path = guest.background("socat UNIX-LISTEN:/tmp/named.sock -")
    guest.wait_until("ss -xl | grep -q @hidden && ss -xl | grep -q /tmp/named.sock")
    listeners = guest.check("ss -xlp")
    assert re.search(rf"u_str +LISTEN +0 +\d+ +@hidden +\d+ .*\(\"socat\",pid={server},fd=\d+\)", listeners), listeners
    assert re.search(rf"/tmp/named.sock +\d+ .*pid={path},", listeners), listeners
    inode = guest.check("ls -i /tmp/named.sock").split()[0]
    assert f"ino:{inode} dev:" in guest.check("ss -xle src /tmp/named.sock")
    client = guest.background("sleep 60 | socat - ABSTRACT-CONNECT:hidden")
    guest.wait_until("ss -x state connected | grep -q @hidden")
    lines = guest.check("ss -xH state established")
    own, peer = re.search(r"@hidden +(\d+) +\* +(\d+)", lines).groups()
    assert re.search(rf"\* {peer} +\* {own}\b", lines), lines
    guest.check(f"kill {client} {path} {server}; rm -f /tmp/named.sock")


def test_ss_shows_packet_sockets(guest):
    process = guest.background("tcpdump -i eth0 -w /dev/null udp port 9999 2> /dev/null")
    guest.wait_until("ss -0H | grep -q eth0")
    lines = guest.check("ss -0ape --bpf")
    assert re.search(rf"^p_raw +UNCONN +0 +0 +\*:eth0 .*pid={process},", lines, re.M), lines
    assert "ring_rx(blk_size:" in lines and "running" in lines and "bpf filter" in lines, lines
    guest.check(f"kill {process}")
    guest.wait_until("! ss -0H | grep -q eth0")


def test_ss_shows_netlink_sockets(guest):
    process = guest.background("ip monitor link > /dev/null")
    guest.wait_until(f"ss -f netlink | grep -q 'rtnl:ip/{process}'")
    guest.check(f"kill {process}")


def test_what_is_asked_less_often(guest):
    [table] = json_of(guest, "ip -json ntable")
    assert table["name"] == "arp_cache" and table["reachable"] == 60000
    settings = {entry["interface"]: entry for entry in json_of(guest, "ip -json netconf")}
    assert set(settings) == {"lo", "eth0", "all", "default"} and settings["eth0"]["forwarding"] is False
    [counted] = json_of(guest, "ip -json stats show dev eth0 group link")
    assert counted["ifname"] == "eth0" and counted["stats64"]["tx"]["packets"] > 0
    assert "qdisc noqueue 0: dev eth0 root" in guest.check("/sbin/tc qdisc")
    assert guest.check("ip tunnel; ip mroute; /sbin/tc filter show dev eth0") == ""
    for command in ("ip addrlabel", "ip nexthop", "ip nexthop add id 1 dev eth0", "/sbin/tc qdisc add dev eth0 root pfifo",
                    "ip ntable change name arp_cache dev eth0 queue 5"):
        result = guest.run(command)
        assert result.status != 0 and "Operation not supported" in result.output, (command, result)
