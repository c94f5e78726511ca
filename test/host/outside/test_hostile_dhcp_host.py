"""The DHCP client of vitrine-host, under the sanitizers, and a server that lies: the guest's tests."""

import pytest

from vitrine import VitrineHost

from conftest import GUEST, GUEST_MAC, HOST, net_namespace, tap, wire  # noqa: F401 (fixtures)
from harness.frames import answers_echo
from test_hostile_dhcp import (Conversation, test_acknowledgement_is_refused, test_flood_of_naks,  # noqa: F401 (tests)
                               test_lease_for_ever, test_offer_from_a_second_server, test_offer_is_refused,
                               test_option_of_impossible_length, test_t1_after_t2)


@pytest.fixture
def client(tap, wire):  # noqa: F811
    """A vitrine-host; when the test is over it has its lease."""
    wire.drain()
    with VitrineHost("--ip", "dhcp", "--mac", GUEST_MAC, variant="check") as running:
        yield Conversation(wire)
        running.wait_for(rf"net: eth0 {GUEST}/24 gateway {HOST} \(dhcp\)")
        assert answers_echo(wire)
