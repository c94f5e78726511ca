"""Debian's bird2: it trades routes with this machine's bird by OSPF, RIP and BGP, and keeps the kernel's table."""

import shutil
import subprocess

import pytest

PACKAGES = ["bird2", "iproute2"]

# 203.0.113.0/24 is the peer's; 192.0.2.0/24 is added to the guest's kernel by hand, through a third router.
THIRD = "10.77.0.77"

CONFIGURATION = """\
log stderr all;
router id {address};
protocol device {{ scan time 1; }}
protocol static {{ ipv4; {static} }}
{kernel}
{protocol}
"""

KERNEL = "protocol kernel { learn; scan time 1; ipv4 { import all; export where source != RTS_DEVICE; }; }"

ROUTES = "ipv4 { import all; export where source = RTS_STATIC || source = RTS_INHERIT; };"
PROTOCOLS = {
    "ospf": 'protocol ospf v2 {{ {routes} area 0 {{ interface "{interface}" {{ type ptp; hello 1; }}; }}; }}',
    "rip": 'protocol rip {{ {routes} interface "{interface}" {{ update time 1; }}; }}',
    "bgp": "protocol bgp {{ {routes} local as {own_as}; neighbor {peer} as {peer_as};"
           " connect delay time 1; connect retry time 1; }}",
}


@pytest.fixture(scope="module", params=["tap"])
def network(request):
    """Routers find each other by multicast, on a wire of their own."""
    return request.param


def settings(name, **words):
    return CONFIGURATION.format(protocol=PROTOCOLS[name].format(routes=ROUTES, **words), **words)


class Neighbour:
    """bird on this machine, which leaves this machine's own table alone."""

    def __init__(self, peers, name):
        program = shutil.which("bird", path="/usr/sbin")
        if not program:
            pytest.skip("this machine has no bird")
        self._control = peers.directory("bird") / "control"
        directory = self._control.parent
        (directory / "conf").write_text(settings(
            name, address="10.77.0.1", peer="10.77.0.2", own_as=65001, peer_as=65002, interface="tap0", kernel="",
            static="route 203.0.113.0/24 via 10.77.0.1;"))
        self._peer = peers.start(program, "-f", "-c", "conf", "-s", "control", "-P", "pid", directory=directory)
        self._peer.wait_for_log("Started")

    def routes(self):
        return subprocess.run(["/usr/sbin/birdc", "-s", self._control, "show", "route"], check=True,
                              stdout=subprocess.PIPE, text=True).stdout

    def wait_for_route(self, prefix, there=True):
        self._peer.wait_until(lambda: (prefix in self.routes()) == there, f"route to {prefix}: not {there}")

    def stop(self):
        self._peer.stop()


@pytest.fixture(params=PROTOCOLS)
def neighbour(request, guest, peers):
    """It and the guest's bird run and speak one protocol."""
    neighbour = Neighbour(peers, request.param)
    guest.write_file("/tmp/bird.conf", settings(
        request.param, address=guest.address, peer=guest.host, own_as=65002, peer_as=65001, interface="eth0",
        kernel=KERNEL, static=""))
    guest.check("mkdir -p /run/bird; bird -c /tmp/bird.conf -P /run/bird.pid -D /tmp/bird.debug")
    yield neighbour
    guest.run("killall -9 bird; ip route flush proto bird; ip route flush 192.0.2.0/24")
    neighbour.stop()


def test_routes_come_and_go(guest, neighbour):
    """Into the table by netlink; what changes there by hand is noticed, and told to the neighbour."""
    guest.wait_until("ip route show proto bird | grep -q '^203.0.113.0/24 via 10.77.0.1 dev eth0'", 40)
    guest.check(f"ip route add 192.0.2.0/24 via {THIRD}")
    neighbour.wait_for_route("192.0.2.0/24")
    guest.check("ip route del 192.0.2.0/24")
    neighbour.wait_for_route("192.0.2.0/24", there=False)
    guest.check("birdc down")
    guest.wait_until("! pidof bird > /dev/null")
    assert guest.check("ip route show proto bird") == ""
    guest.wait_until("test $(awk 'NF == 4' /proc/net/igmp | wc -l) = 1")  # the group of all hosts
