"""The room in which Debian's programs meet their peers.

A test file says which packages its guest has, and gets it over a TAP and over QEMU's user networking:

    PACKAGES = ["curl"]

    def test_fetch(guest, web):
        guest.check(f"curl -s http://{guest.host}:{web.port}/")

It may also say MEMORY = "512M", or OPTIONS = [...] for tools/vm, and have a module-scoped fixture `share`
of its own, which returns a folder whose files the guest sees in /share.  `@pytest.mark.fast` puts a test
among those of `ninja test`.
"""

import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "qemu"))

import pytest

from harness import namespace
from harness.guest import TOP, VM
from room.certificates import Authority
from room.guest import HOST, USER_HOST, ProgramGuest
from room.peers import Peers
from room.web import Web

HOST_MAC = "02:00:0a:4d:00:01"

# For the first fetch of a set of packages.
FETCH_LIMIT_S = 600

# Sets of packages, and what apt says about them.
not_to_be_had = {}


def pytest_configure(config):
    config.addinivalue_line("markers", "fast: runs in `ninja test` too; few and short")


@pytest.fixture(scope="session")
def net_namespace():
    """This process is in a network namespace of its own; otherwise the test is skipped."""
    reason = namespace.enter()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def tap(net_namespace):
    """tap0, 10.77.0.1/24."""
    interface = namespace.Tap("tap0", f"{HOST}/24", HOST_MAC)
    yield interface
    interface.remove()


def packages_of(module):
    return tuple(getattr(module, "PACKAGES", ()))


def fetch(names):
    """Returns why the packages cannot be had now, or None."""
    result = subprocess.run([VM, "--fetch", "--with", ",".join(names)], check=False, stderr=subprocess.PIPE, text=True,
                            timeout=FETCH_LIMIT_S)
    assert result.returncode != 2, result.stderr
    return result.stderr.strip() if result.returncode != 0 else None


def pytest_collection_finish(session):
    """Packages come from the network that the tests are about to leave."""
    for names in sorted({packages_of(item.module) for item in session.items} - {()}):
        not_to_be_had[names] = fetch(names)


@pytest.fixture(scope="module")
def packages(request):
    names = packages_of(request.module)
    if not_to_be_had.get(names):
        pytest.skip(not_to_be_had[names])
    return names


@pytest.fixture(scope="module")
def share():
    """No folder; a test file may have a fixture of this name that returns one."""
    return None


@pytest.fixture(scope="module", params=["tap", "user"])
def network(request):
    return request.param


@pytest.fixture(scope="module")
def shared_guest(request, tap, packages, share, network, tmp_path_factory):
    options = ["--with", ",".join(packages)] if packages else []
    if share:
        options += ["--share", str(share)]
    if hasattr(request.module, "MEMORY"):
        options += ["--memory", request.module.MEMORY]
    options += getattr(request.module, "OPTIONS", [])
    shared = Shared(network, tmp_path_factory, options)
    yield shared
    shared.stop()


class Shared:
    """One guest for all tests of a module and network; after a hang the next test gets a fresh one."""

    def __init__(self, network, directories, options):
        self._network, self._directories, self._options = network, directories, options
        self._guest = None

    def get(self):
        if self._guest is None or not self._guest.alive:
            self._guest = ProgramGuest(self._network, self._directories.mktemp("guest"), self._options).start()
        return self._guest

    def stop(self):
        if self._guest is not None:
            self._guest.stop()


@pytest.fixture
def guest(shared_guest):
    """The module's guest, its network up (room/guest.py)."""
    return shared_guest.get()


@pytest.fixture(scope="module")
def peers(net_namespace, tmp_path_factory):
    """Starts programs of this machine and ends them after the module (room/peers.py)."""
    peers = Peers(tmp_path_factory)
    yield peers
    peers.stop()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """An authority of the tests' own, and certificates that it signs (room/certificates.py)."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def web(peers, authority):
    """nginx on this machine, at port HTTP_PORT and, for the name and both addresses, HTTPS_PORT (room/web.py)."""
    return Web(peers, authority, HOST, USER_HOST)
