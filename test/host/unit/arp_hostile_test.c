/* ARP: what others say, conflicts, the caps, and packets that are wrong. */
#include "test/host/unit/arp_fixture.h"

#include <string.h>

#include "include/uapi/if_arp.h"
#include "kernel/byteorder.h"
#include "net/ethernet/ethernet.h"

/* --- what others say --- */

static void an_unsolicited_reply_makes_no_entry(void **state __unused)
{
	arp_arrives(ARP_REPLY, STRANGER_MAC, STRANGER, OURS);
	assert_int_equal(fixture_drops(&arp_stack, DROP_ARP_UNSOLICITED), 1);
	assert_null(entry_of(STRANGER));
	assert_still_alive();
}

static void an_unsolicited_reply_for_the_gateway_changes_nothing(void **state __unused)
{
	make_known(GATEWAY, GATEWAY_MAC);
	arp_arrives(ARP_REPLY, STRANGER_MAC, GATEWAY, OURS);
	assert_int_equal(fixture_drops(&arp_stack, DROP_ARP_UNSOLICITED), 1);
	packet_leaves(GATEWAY, 1);
	assert_packet(0, GATEWAY_MAC, 1);
	assert_still_alive();
}

static void an_announced_change_is_verified(void **state __unused)
{
	make_known(GATEWAY, GATEWAY_MAC);
	arp_arrives(ARP_REQUEST, STRANGER_MAC, GATEWAY, GATEWAY);
	assert_request(0, MAC_BROADCAST, GATEWAY);
	packet_leaves(GATEWAY, 1);
	assert_packet(1, GATEWAY_MAC, 1);
	arp_arrives(ARP_REQUEST, STRANGER_MAC, GATEWAY, GATEWAY); /* again: no second request */
	assert_int_equal(arp_stack.sent_count, 2);
	arp_arrives(ARP_REPLY, GATEWAY_MAC, GATEWAY, OURS); /* the rightful owner answers */
	packet_leaves(GATEWAY, 2);
	assert_packet(2, GATEWAY_MAC, 2);

	/* The same as a gratuitous reply, and this time the new one answers. */
	arp_arrives(ARP_REPLY, STRANGER_MAC, GATEWAY, GATEWAY);
	assert_request(3, MAC_BROADCAST, GATEWAY);
	arp_arrives(ARP_REPLY, STRANGER_MAC, GATEWAY, OURS);
	packet_leaves(GATEWAY, 3);
	assert_packet(4, STRANGER_MAC, 3);
}

static void an_announcement_of_the_known_address_is_quiet(void **state __unused)
{
	make_known(GATEWAY, GATEWAY_MAC);
	arp_arrives(ARP_REQUEST, GATEWAY_MAC, GATEWAY, GATEWAY);
	assert_int_equal(arp_stack.sent_count, 0);
	arp_arrives(ARP_REQUEST, STRANGER_MAC, STRANGER, STRANGER); /* of nobody we know */
	assert_int_equal(fixture_drops(&arp_stack, DROP_ARP_NOT_FOR_US), 1);
	assert_null(entry_of(STRANGER));
}

static void requests_for_others_are_not_answered(void **state __unused)
{
	arp_arrives(ARP_REQUEST, FIXTURE_PEER, PEER, STRANGER);
	assert_int_equal(fixture_drops(&arp_stack, DROP_ARP_NOT_FOR_US), 1);
	assert_int_equal(arp_stack.sent_count, 0);
	assert_null(entry_of(PEER));
}

static void probes_are_answered(void **state __unused)
{
	arp_arrives(ARP_REQUEST, FIXTURE_PEER, IP4_ANY, OURS);

	struct arp_packet reply = sent_arp(0, FIXTURE_PEER);

	assert_int_equal(reply.operation, ARP_REPLY);
	assert_int_equal(reply.sender, OURS);
	assert_int_equal(reply.target, IP4_ANY);
	assert_null(entry_of(IP4_ANY));
	arp_arrives(ARP_REQUEST, FIXTURE_PEER, IP4_ANY, STRANGER);
	assert_int_equal(arp_stack.sent_count, 1);
}

/* --- conflicts (RFC 5227) --- */

static void our_address_is_defended_every_ten_seconds(void **state __unused)
{
	arp_arrives(ARP_REPLY, STRANGER_MAC, OURS, PEER);
	assert_int_equal(fixture_drops(&arp_stack, DROP_ARP_CONFLICT), 1);
	assert_int_equal(arp_conflict_count, 1);
	assert_int_equal(arp_conflict_address, OURS);

	struct arp_packet defence = sent_arp(0, MAC_BROADCAST);

	assert_int_equal(defence.operation, ARP_REQUEST);
	assert_int_equal(defence.sender, OURS);
	assert_int_equal(defence.target, OURS);
	arp_arrives(ARP_REQUEST, STRANGER_MAC, OURS, OURS);
	fixture_advance(&arp_stack, 10 * SECOND - 1);
	arp_arrives(ARP_REQUEST, STRANGER_MAC, OURS, PEER);
	assert_int_equal(arp_stack.sent_count, 1);
	assert_int_equal(arp_conflict_count, 3);
	fixture_advance(&arp_stack, 1);
	arp_arrives(ARP_REQUEST, STRANGER_MAC, OURS, PEER);
	assert_int_equal(arp_stack.sent_count, 2);
	assert_still_alive();
}

static void probing(void **state __unused)
{
	arp_our_address = IP4_ANY;
	net_lock(&arp_stack.net);
	arp_probe(&arp_stack.dev, STRANGER);
	net_unlock(&arp_stack.net);

	struct arp_packet probe = sent_arp(0, MAC_BROADCAST);

	assert_int_equal(probe.operation, ARP_REQUEST);
	assert_int_equal(probe.sender, IP4_ANY);
	assert_int_equal(probe.target, STRANGER);
	arp_arrives(ARP_REPLY, FIXTURE_PEER, PEER, IP4_ANY); /* another's affair */
	assert_int_equal(arp_conflict_count, 0);
	arp_arrives(ARP_REPLY, FIXTURE_PEER, STRANGER, IP4_ANY); /* taken */
	assert_int_equal(arp_conflict_count, 1);
	assert_int_equal(arp_conflict_address, STRANGER);
	arp_arrives(ARP_REQUEST, FIXTURE_PEER, IP4_ANY, STRANGER); /* probed by another, too */
	assert_int_equal(arp_conflict_count, 2);
	arp_arrives(ARP_REQUEST, FIXTURE_PEER, PEER, STRANGER); /* only asks */
	assert_int_equal(arp_conflict_count, 2);
	fixture_advance(&arp_stack, 2 * SECOND);
	arp_arrives(ARP_REPLY, FIXTURE_PEER, STRANGER, IP4_ANY); /* too late: the probe is over */
	assert_int_equal(arp_conflict_count, 2);

	net_lock(&arp_stack.net);
	arp_probe(&arp_stack.dev, STRANGER);
	arp_announce(&arp_stack.dev, STRANGER);
	net_unlock(&arp_stack.net);
	arp_arrives(ARP_REPLY, FIXTURE_PEER, STRANGER, IP4_ANY); /* is_ours decides from here on */
	assert_int_equal(arp_conflict_count, 2);
}

static void more_disputes_than_slots(void **state __unused)
{
	for (uint32_t i = 0; i < 100; i++) {
		arp_our_address = OURS + i;
		arp_arrives(ARP_REPLY, STRANGER_MAC, arp_our_address, PEER);
	}
	assert_int_equal(arp_conflict_count, 100);
	assert_int_equal(arp_stack.sent_count, 100); /* a different address each time */
}

/* --- hostile packets --- */

static void cut_packets(void **state __unused)
{
	const size_t lengths[] = {0, 8, 20, 27};
	uint8_t bytes[ARP_PACKET_LENGTH] = {0, 1, 8, 0, 6, 4, 0, 1};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		fixture_receive_ethernet(&arp_stack, MAC_BROADCAST, FIXTURE_PEER, ETHERTYPE_ARP,
					 bytes, lengths[i]);
		assert_int_equal(fixture_drops(&arp_stack, DROP_ARP_MALFORMED), i + 1);
		assert_still_alive();
	}
}

static void malformed_packets(void **state __unused)
{
	const struct {
		const char *what;
		size_t at;
		uint16_t value;
	} cases[] = {
		{"hardware length 255", 4, 0xff04},
		{"protocol length 255", 4, 0x06ff},
		{"hardware and protocol length 255", 4, 0xffff},
		{"hardware type 6", 0, 6},
		{"operation 0", 6, 0},
		{"operation 3", 6, 3},
		{"operation 0xffff", 6, 0xffff},
		{"protocol IPv6", 2, 0x86dd},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t bytes[46] = {0, 1, 8, 0, 6, 4, 0, 1};

		put_be16(bytes + cases[i].at, cases[i].value);
		fixture_receive_ethernet(&arp_stack, MAC_BROADCAST, FIXTURE_PEER, ETHERTYPE_ARP,
					 bytes, sizeof(bytes));
		assert_int_equal(fixture_drops(&arp_stack, DROP_ARP_MALFORMED), i + 1);
		assert_still_alive();
	}
}

static void receive_with_sender_mac(struct mac sender_mac, uint16_t operation)
{
	const struct arp_packet packet = {
		.operation = operation, .sender_mac = sender_mac, .sender = PEER, .target = OURS};
	uint8_t bytes[ARP_PACKET_LENGTH];

	arp_emit(&packet, bytes);
	fixture_receive_ethernet(&arp_stack, FIXTURE_MAC, FIXTURE_PEER, ETHERTYPE_ARP, bytes,
				 sizeof(bytes));
}

static void impossible_sender_macs(void **state __unused)
{
	const struct mac multicast = {{0x01, 0, 0x5e, 0, 0, 1}};
	const struct mac macs[] = {MAC_BROADCAST, multicast, MAC_ZERO, FIXTURE_MAC};

	packet_leaves(PEER, 1); /* even though we are asking */
	for (size_t i = 0; i < ARRAY_SIZE(macs); i++) {
		receive_with_sender_mac(macs[i], ARP_REPLY);
		receive_with_sender_mac(macs[i], ARP_REQUEST);
		assert_int_equal(fixture_drops(&arp_stack, DROP_ARP_BAD_SENDER), 2 * i + 2);
		assert_int_equal(entry_of(PEER)->state, ARP_INCOMPLETE);
	}
	assert_still_alive();
}

static void impossible_sender_addresses(void **state __unused)
{
	const ip4_t addresses[] = {IP4_BROADCAST, IP4(224, 0, 0, 1), IP4(127, 0, 0, 1),
				   IP4(0, 0, 0, 9), IP4(240, 0, 0, 1)};

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		arp_arrives(ARP_REQUEST, FIXTURE_PEER, addresses[i], OURS);
		assert_int_equal(fixture_drops(&arp_stack, DROP_ARP_BAD_SENDER), i + 1);
		assert_null(entry_of(addresses[i]));
	}
	arp_arrives(ARP_REPLY, FIXTURE_PEER, IP4_ANY, OURS); /* only requests may be probes */
	assert_int_equal(fixture_drops(&arp_stack, DROP_ARP_BAD_SENDER), ARRAY_SIZE(addresses) + 1);
	assert_int_equal(arp_stack.sent_count, 0);
	assert_still_alive();
}

static void ten_thousand_senders_do_not_displace_the_gateway(void **state __unused)
{
	make_known(GATEWAY, GATEWAY_MAC);
	for (uint32_t i = 0; i < 10000; i++)
		arp_arrives(ARP_REQUEST, numbered_mac(i), IP4(10, 1, 0, 0) + i, OURS);
	assert_int_equal(arp_table_of(&arp_stack.dev)->count, ARP_ENTRIES_MAX);
	assert_int_equal(arp_stack.sent_count, 10000); /* all were answered */
	fixture_clear_sent(&arp_stack);
	packet_leaves(GATEWAY, 1);
	assert_int_equal(arp_stack.sent_count, 1);
	assert_packet(0, GATEWAY_MAC, 1);
	fixture_advance(&arp_stack, 61 * SECOND);
	assert_int_equal(arp_table_of(&arp_stack.dev)->count, 1);
	assert_still_alive();
}

static void a_thousand_unresolved_destinations_do_not_displace_the_gateway(void **state __unused)
{
	make_known(GATEWAY, GATEWAY_MAC);
	for (uint32_t i = 0; i < 3000; i++) {
		packet_leaves(IP4(10, 1, 0, 0) + i, 1);
		packet_leaves(IP4(10, 1, 0, 0) + i, 2);
	}
	assert_int_equal(arp_table_of(&arp_stack.dev)->count, ARP_ENTRIES_MAX);
	assert_int_equal(arp_stack.net.live_skbs, 2 * (ARP_ENTRIES_MAX - 1));
	fixture_clear_sent(&arp_stack);
	packet_leaves(GATEWAY, 1);
	assert_packet(0, GATEWAY_MAC, 1);
	fixture_clear_sent(&arp_stack);
	fixture_advance(&arp_stack, 3 * SECOND);
	assert_int_equal(arp_unreachable_count, 2 * (ARP_ENTRIES_MAX - 1));
	assert_int_equal(arp_stack.net.live_skbs, 0);
	assert_int_equal(arp_table_of(&arp_stack.dev)->count, 1);
	assert_still_alive();
}

static void strangers_do_not_displace_what_we_ask_for(void **state __unused)
{
	for (uint32_t i = 0; i < ARP_ENTRIES_MAX; i++)
		packet_leaves(IP4(10, 1, 0, 0) + i, 1);
	arp_arrives(ARP_REQUEST, STRANGER_MAC, STRANGER, OURS);
	assert_null(entry_of(STRANGER));
	assert_non_null(entry_of(IP4(10, 1, 0, 0)));
}

static void the_one_unused_for_longest_makes_room(void **state __unused)
{
	for (uint32_t i = 0; i < ARP_ENTRIES_MAX; i++)
		make_known(IP4(10, 1, 0, 0) + i, numbered_mac(i));
	packet_leaves(GATEWAY, 1); /* a round of second chances; the oldest goes */
	assert_null(entry_of(IP4(10, 1, 0, 0)));
	packet_leaves(IP4(10, 1, 0, 1), 1); /* used again: the next oldest is another */
	arp_arrives(ARP_REPLY, GATEWAY_MAC, GATEWAY, OURS);
	packet_leaves(STRANGER, 1);
	assert_non_null(entry_of(IP4(10, 1, 0, 1)));
	assert_null(entry_of(IP4(10, 1, 0, 2)));
}

static void no_memory(void **state __unused)
{
	struct sk_buff *skb = skb_alloc(&arp_stack.net, 100);

	host_fail_allocation(1);
	net_lock(&arp_stack.net);
	arp_send(&arp_stack.dev, skb, PEER);
	net_unlock(&arp_stack.net);
	assert_int_equal(fixture_drops(&arp_stack, DROP_NO_MEMORY), 1);

	skb = skb_alloc(&arp_stack.net, 100);
	host_fail_allocation(2); /* the entry is made, the request is not: the next try is */
	net_lock(&arp_stack.net);
	arp_send(&arp_stack.dev, skb, PEER);
	net_unlock(&arp_stack.net);
	host_fail_allocation(0);
	assert_int_equal(arp_stack.sent_count, 0);
	fixture_advance(&arp_stack, SECOND);
	assert_request(0, MAC_BROADCAST, PEER);
	assert_still_alive();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, arp_set_up, arp_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_unsolicited_reply_makes_no_entry),
		TEST(an_unsolicited_reply_for_the_gateway_changes_nothing),
		TEST(an_announced_change_is_verified),
		TEST(an_announcement_of_the_known_address_is_quiet),
		TEST(requests_for_others_are_not_answered),
		TEST(probes_are_answered),
		TEST(our_address_is_defended_every_ten_seconds),
		TEST(probing),
		TEST(more_disputes_than_slots),
		TEST(cut_packets),
		TEST(malformed_packets),
		TEST(impossible_sender_macs),
		TEST(impossible_sender_addresses),
		TEST(ten_thousand_senders_do_not_displace_the_gateway),
		TEST(a_thousand_unresolved_destinations_do_not_displace_the_gateway),
		TEST(strangers_do_not_displace_what_we_ask_for),
		TEST(the_one_unused_for_longest_makes_room),
		TEST(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
