"""Fixtures: the namespace, and guests that several tests share because booting costs a second."""

import sys

sys.dont_write_bytecode = True

import pytest

from harness import namespace
from harness.dnsmasq import Dnsmasq
from harness.guest import Guest
from harness.wire import Wire

HOST_MAC = "02:00:0a:4d:00:01"
GUEST_MAC = "52:54:00:12:34:56"
HOST = "10.77.0.1"
GUEST = "10.77.0.2"


@pytest.fixture(scope="session")
def net_namespace():
    """This process is in a network namespace of its own; otherwise the test is skipped."""
    reason = namespace.enter()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="module")
def tap(net_namespace):
    """tap0, 10.77.0.1/24."""
    interface = namespace.Tap("tap0", f"{HOST}/24", HOST_MAC)
    yield interface
    interface.remove()


@pytest.fixture(scope="module")
def dnsmasq(tap, tmp_path_factory):
    tftp_root = tmp_path_factory.mktemp("tftp")
    tftp_root.chmod(0o755)
    (tftp_root / "file").write_bytes(bytes(range(256)) * 200)
    server = Dnsmasq(tftp_root)
    yield server
    server.stop()


class Shared:
    """A guest for all tests of a module; after a hang the next test gets a fresh one."""

    def __init__(self, *options):
        self._options = options
        self._guest = None

    def get(self):
        if self._guest is None or not self._guest.alive:
            self._guest = Guest(*self._options).start()
        return self._guest

    def stop(self):
        if self._guest is not None:
            self._guest.stop()


@pytest.fixture(scope="module")
def shared_plain_guest():
    shared = Shared("--net", "none")
    yield shared
    shared.stop()


@pytest.fixture
def plain_guest(shared_plain_guest):
    """A guest without a network card."""
    return shared_plain_guest.get()


@pytest.fixture(scope="module")
def shared_static_guest(tap):
    shared = Shared("--net", f"tap={tap.name}", "--ip", f"{GUEST}/24,{HOST}", "--mac", GUEST_MAC)
    yield shared
    shared.stop()


@pytest.fixture
def guest(shared_static_guest, tap):
    """A guest on tap0 with the address 10.77.0.2, whose network is up."""
    guest = shared_static_guest.get()
    guest.wait_for(r"net: eth0 10\.77\.0\.2/24 gateway 10\.77\.0\.1 .*\(static\)")
    return guest


@pytest.fixture
def wire(tap):
    wire = Wire(tap)
    yield wire
    wire.close()


def pytest_terminal_summary(terminalreporter):
    """Shows what tests measured: record_property("report", TEXT)."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "report":
                terminalreporter.write_line(f"measured: {value}")
