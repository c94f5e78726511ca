"""The tools of the image's busybox that show and change the network: ip, ifconfig, route, arp, netstat."""

import re


def test_ip_shows(guest):
    links = guest.check("busybox ip link")
    assert re.search(r"^1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536", links, re.M), links
    assert re.search(r"^2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 .*qlen 1000", links, re.M), links
    assert f"inet {guest.address}/24 brd" in guest.check("busybox ip addr show dev eth0")
    assert f"default via {guest.host} dev eth0" in guest.check("busybox ip route")
    assert f"dev eth0" in guest.check(f"busybox ip route get {guest.host}")
    assert "lookup local" in guest.check("busybox ip rule")


def test_ip_changes(guest):
    guest.check("busybox ip addr add 192.0.2.1/24 dev eth0")
    guest.check(f"busybox ip route add 198.51.100.0/24 via {guest.host}")
    routes = guest.check("busybox ip route")
    assert "192.0.2.0/24 dev eth0" in routes and f"198.51.100.0/24 via {guest.host}" in routes
    assert "File exists" in guest.run(f"busybox ip route add 198.51.100.0/24 via {guest.host}").output
    guest.check("busybox ip route del 198.51.100.0/24; busybox ip addr del 192.0.2.1/24 dev eth0")
    assert "192.0.2" not in guest.check("busybox ip addr; busybox ip route")
    assert "No such process" in guest.run("busybox ip route del 198.51.100.0/24").output


def test_ip_link_set(guest):
    guest.check("busybox ip link set dev eth0 mtu 1400")
    assert "mtu 1400" in guest.check("busybox ip link show dev eth0")
    guest.check("busybox ip link set dev eth0 mtu 1500")


def test_ip_neigh(guest):
    guest.check(f"ping -c 1 {guest.host}")
    assert re.search(rf"^{guest.host} dev eth0 lladdr", guest.check("busybox ip neigh"), re.M)


def test_ifconfig_and_route_see_the_same(guest):
    output = guest.check("ifconfig eth0")
    assert f"inet addr:{guest.address}" in output and "UP BROADCAST RUNNING MULTICAST" in output
    guest.check("ifconfig eth0 mtu 1450")
    assert guest.check("cat /sys/class/net/eth0/mtu") == "1450\n"
    guest.check("ifconfig eth0 mtu 1500")
    guest.check(f"route add -net 198.51.100.0 netmask 255.255.255.0 gw {guest.host}")
    assert "198.51.100.0/24" in guest.check("busybox ip route")
    guest.check("route del -net 198.51.100.0 netmask 255.255.255.0")
    assert guest.host in guest.check("route -n")


def test_arp(guest):
    other = guest.host.rsplit(".", 1)[0] + ".78"
    guest.check(f"arp -s {other} 02:00:00:00:00:78")
    assert f"{other} dev eth0 lladdr 02:00:00:00:00:78" in guest.check("busybox ip neigh")
    guest.check(f"arp -d {other}")


def test_netstat_has_nothing_to_complain_of(guest):
    output = guest.check("netstat -tuwan")
    assert "No such file" not in output
    assert guest.host in guest.check("netstat -rn")


def test_sysfs(guest):
    assert guest.check("ls /sys/class/net").split() == ["eth0", "lo"]
    files = guest.check("cd /sys/class/net/eth0 && cat address operstate carrier type ifindex flags")
    assert files.split() == ["52:54:00:12:34:56", "up", "1", "1", "2", "0x1003"]
    sent = int(guest.check("cat /sys/class/net/eth0/statistics/tx_packets"))
    guest.check(f"ping -c 2 -i 0.1 {guest.host}")
    assert int(guest.check("cat /sys/class/net/eth0/statistics/tx_packets")) >= sent + 2
    assert guest.run("cat /sys/class/net/eth9/mtu").status != 0
    assert guest.run("echo 1 > /sys/class/net/eth0/ifindex").status != 0
    assert guest.check("cat /sys/devices/system/cpu/online") == "0\n"
