/* ARP: the wire, asking, the life of an entry, administration. */
#include "test/host/unit/arp_fixture.h"

#include <string.h>

#include "include/uapi/if_arp.h"
#include "kernel/byteorder.h"
#include "net/ethernet/ethernet.h"

/* --- the wire --- */

static void wire_round_trip(void **state __unused)
{
	const struct arp_packet packet = {
		.operation = ARP_REPLY,
		.sender_mac = FIXTURE_PEER,
		.target_mac = FIXTURE_MAC,
		.sender = PEER,
		.target = OURS,
	};
	const uint8_t expected[ARP_PACKET_LENGTH] = {0,  1, 8, 0, 6, 4, 0, 2, 2, 0, 0,  0, 0, 2,
						     10, 0, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1};
	uint8_t bytes[ARP_PACKET_LENGTH];
	struct arp_packet parsed = {0};

	arp_emit(&packet, bytes);
	assert_memory_equal(bytes, expected, sizeof(bytes));
	assert_int_equal(arp_parse(bytes, sizeof(bytes), &parsed), DROP_NONE);
	assert_memory_equal(&parsed, &packet, sizeof(packet));
}

static void wire_refuses(void **state __unused)
{
	const uint8_t good[ARP_PACKET_LENGTH] = {0, 1, 8, 0, 6, 4, 0, 1};
	const struct {
		size_t at;
		uint8_t value;
	} changes[] = {{0, 1},   {1, 6},  {2, 0x86}, {3, 1}, {4, 255}, {4, 0},
		       {5, 255}, {5, 16}, {6, 0xff}, {7, 0}, {7, 3},   {7, 8}};
	uint8_t bytes[ARP_PACKET_LENGTH];
	struct arp_packet parsed;

	assert_int_equal(arp_parse(good, sizeof(good), &parsed), DROP_NONE);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		memcpy(bytes, good, sizeof(bytes));
		bytes[changes[i].at] = changes[i].value;
		assert_int_equal(arp_parse(bytes, sizeof(bytes), &parsed), DROP_ARP_MALFORMED);
	}
	for (size_t n = 0; n < ARP_PACKET_LENGTH; n++)
		assert_int_equal(arp_parse(good, n, &parsed), DROP_ARP_MALFORMED);
}

/* --- asking --- */

static void the_first_packet_and_the_second_are_sent(void **state __unused)
{
	packet_leaves(PEER, 1);
	assert_int_equal(arp_stack.sent_count, 1);
	assert_request(0, MAC_BROADCAST, PEER);
	assert_true(mac_equal(sent_arp(0, MAC_BROADCAST).target_mac, MAC_ZERO));
	packet_leaves(PEER, 2);
	assert_int_equal(arp_stack.sent_count, 1);
	arp_arrives(ARP_REPLY, FIXTURE_PEER, PEER, OURS);
	assert_int_equal(arp_stack.sent_count, 3);
	assert_packet(1, FIXTURE_PEER, 1);
	assert_packet(2, FIXTURE_PEER, 2);
	packet_leaves(PEER, 3);
	assert_packet(3, FIXTURE_PEER, 3);
}

static void latest_packets_wait_and_the_oldest_go(void **state __unused)
{
	for (uint8_t mark = 1; mark <= ARP_QUEUE_MAX + 2; mark++)
		packet_leaves(PEER, mark);
	assert_int_equal(fixture_drops(&arp_stack, DROP_ARP_QUEUE_FULL), 2);
	assert_int_equal(arp_stack.net.live_skbs, ARP_QUEUE_MAX);
	fixture_clear_sent(&arp_stack);
	arp_arrives(ARP_REPLY, FIXTURE_PEER, PEER, OURS);
	assert_int_equal(arp_stack.sent_count, ARP_QUEUE_MAX);
	for (uint8_t i = 0; i < ARP_QUEUE_MAX; i++)
		assert_packet(i, FIXTURE_PEER, i + 3);
}

/* Also when they are long: then fewer wait, but always the latest. */
static void bytes_that_wait_are_bounded(void **state __unused)
{
	for (int i = 0; i < 5; i++) {
		struct sk_buff *skb = skb_alloc(&arp_stack.net, SKB_HEADROOM + 30000);

		assert_non_null(skb);
		skb_reserve(skb, SKB_HEADROOM);
		memset(skb_put(skb, 30000), 0, 30000);
		net_lock(&arp_stack.net);
		arp_send(&arp_stack.dev, skb, PEER);
		net_unlock(&arp_stack.net);
	}
	assert_in_range(arp_stack.net.live_skbs, 1, 2);
	assert_true(fixture_drops(&arp_stack, DROP_ARP_QUEUE_FULL) >= 3);
}

static void three_tries_one_second_apart_then_unreachable(void **state __unused)
{
	packet_leaves(PEER, 1);
	packet_leaves(PEER, 2);
	for (uint32_t tries = 1; tries <= 3; tries++) {
		assert_int_equal(arp_stack.sent_count, tries);
		assert_request(tries - 1, MAC_BROADCAST, PEER);
		fixture_advance(&arp_stack, SECOND - 1);
		assert_int_equal(arp_stack.sent_count, tries);
		assert_int_equal(arp_unreachable_count, 0);
		fixture_advance(&arp_stack, 1);
	}
	assert_int_equal(arp_stack.sent_count, 3);
	assert_int_equal(arp_unreachable_count, 2);
	assert_int_equal(fixture_drops(&arp_stack, DROP_ARP_UNRESOLVED), 2);
	assert_null(entry_of(PEER));
	packet_leaves(PEER, 3); /* begins anew */
	assert_int_equal(arp_stack.sent_count, 4);
	assert_still_alive();
}

static void an_answer_to_the_third_try_counts(void **state __unused)
{
	packet_leaves(PEER, 1);
	fixture_advance(&arp_stack, 2 * SECOND + SECOND / 2);
	assert_int_equal(arp_stack.sent_count, 3);
	arp_arrives(ARP_REPLY, FIXTURE_PEER, PEER, OURS);
	assert_packet(3, FIXTURE_PEER, 1);
	assert_int_equal(arp_unreachable_count, 0);
}

static void no_answer_before_ip_exists(void **state __unused)
{
	arp_set_address_operations(&arp_stack.net, NULL);
	arp_arrives(ARP_REQUEST, FIXTURE_PEER, PEER, OURS);
	assert_int_equal(fixture_drops(&arp_stack, DROP_ARP_NOT_FOR_US), 1);
	packet_leaves(PEER, 1);
	assert_int_equal(sent_arp(0, MAC_BROADCAST).sender, IP4_ANY);
	fixture_advance(&arp_stack, 3 * SECOND);
	assert_int_equal(fixture_drops(&arp_stack, DROP_ARP_UNRESOLVED), 1);
}

/* --- the life of an entry --- */

static void after_sixty_seconds_a_unicast_request_and_the_old_address_serves(void **state __unused)
{
	make_known(PEER, FIXTURE_PEER);
	fixture_advance(&arp_stack, 60 * SECOND - 1);
	assert_int_equal(arp_stack.sent_count, 0);
	fixture_advance(&arp_stack, 1);
	assert_int_equal(arp_stack.sent_count, 1);
	assert_request(0, FIXTURE_PEER, PEER);
	assert_int_equal(entry_of(PEER)->state, ARP_STALE);
	packet_leaves(PEER, 7);
	assert_packet(1, FIXTURE_PEER, 7);
	fixture_advance(&arp_stack, SECOND);
	assert_request(2, MAC_BROADCAST, PEER);
	arp_arrives(ARP_REPLY, FIXTURE_PEER, PEER, OURS);
	assert_int_equal(entry_of(PEER)->state, ARP_REACHABLE);
	assert_int_equal(arp_stack.sent_count, 3);
	fixture_advance(&arp_stack, 60 * SECOND); /* it was used: asked again */
	assert_int_equal(arp_stack.sent_count, 4);
}

static void a_stale_neighbour_that_is_silent_goes(void **state __unused)
{
	make_known(PEER, FIXTURE_PEER);
	fixture_advance(&arp_stack, 62 * SECOND);
	assert_int_equal(arp_stack.sent_count, 3);
	assert_non_null(entry_of(PEER));
	fixture_advance(&arp_stack, SECOND);
	assert_null(entry_of(PEER));
	assert_int_equal(arp_stack.sent_count, 3);
	assert_int_equal(arp_unreachable_count, 0); /* nobody waited */
}

static void an_unused_entry_goes_silently(void **state __unused)
{
	arp_arrives(ARP_REQUEST, FIXTURE_PEER, PEER, OURS);
	assert_int_equal(entry_of(PEER)->state, ARP_REACHABLE);
	fixture_clear_sent(&arp_stack);
	fixture_advance(&arp_stack, 60 * SECOND);
	assert_null(entry_of(PEER));
	assert_int_equal(arp_stack.sent_count, 0);
}

static void a_neighbour_that_moved_is_found(void **state __unused)
{
	make_known(PEER, FIXTURE_PEER);
	fixture_advance(&arp_stack, 60 * SECOND);
	arp_arrives(ARP_REPLY, STRANGER_MAC, PEER, OURS);
	fixture_clear_sent(&arp_stack);
	packet_leaves(PEER, 1);
	assert_packet(0, STRANGER_MAC, 1);
}

static void a_neighbour_in_doubt_is_asked_at_once(void **state __unused)
{
	make_known(PEER, FIXTURE_PEER);
	net_lock(&arp_stack.net);
	arp_doubt(&arp_stack.dev, PEER);
	arp_doubt(&arp_stack.dev, PEER);     /* once is enough */
	arp_doubt(&arp_stack.dev, STRANGER); /* unknown: harmless */
	net_unlock(&arp_stack.net);
	assert_int_equal(arp_stack.sent_count, 1);
	assert_int_equal(entry_of(PEER)->state, ARP_STALE);
	fixture_advance(&arp_stack, ARP_TRIES * SECOND);
	assert_null(entry_of(PEER)); /* it did not answer */
}

static void who_asks_us_is_learned(void **state __unused)
{
	arp_arrives(ARP_REQUEST, FIXTURE_PEER, PEER, OURS);
	assert_int_equal(arp_stack.sent_count, 1);
	packet_leaves(PEER, 1);
	assert_packet(1, FIXTURE_PEER, 1);
	arp_arrives(ARP_REQUEST, STRANGER_MAC, IP4(11, 0, 0, 9),
		    OURS); /* not of this link: answered, not learned */
	assert_int_equal(arp_stack.sent_count, 3);
	assert_null(entry_of(IP4(11, 0, 0, 9)));
}

static void a_request_resolves_what_we_ask(void **state __unused)
{
	packet_leaves(PEER, 1);
	arp_arrives(ARP_REQUEST, FIXTURE_PEER, PEER, STRANGER);
	assert_packet(1, FIXTURE_PEER, 1);
}

/* --- administration --- */

static void permanent_entries(void **state __unused)
{
	struct mac mac;
	uint32_t flags;

	packet_leaves(PEER, 1);
	fixture_clear_sent(&arp_stack);
	assert_int_equal(set_entry(PEER, FIXTURE_PEER, true), 0);
	assert_packet(0, FIXTURE_PEER, 1); /* it waited */
	arp_arrives(ARP_REQUEST, STRANGER_MAC, PEER, PEER);
	arp_arrives(ARP_REPLY, STRANGER_MAC, PEER, OURS);
	fixture_advance(&arp_stack, 1000 * SECOND);
	fixture_clear_sent(&arp_stack);
	packet_leaves(PEER, 2);
	assert_int_equal(arp_stack.sent_count, 1);
	assert_packet(0, FIXTURE_PEER, 2);
	net_lock(&arp_stack.net);
	assert_int_equal(arp_lookup(&arp_stack.dev, PEER, &mac, &flags), 0);
	assert_true(mac_equal(mac, FIXTURE_PEER));
	assert_int_equal(flags, ATF_COM | ATF_PERM);
	arp_flush(&arp_stack.dev);
	assert_int_equal(arp_lookup(&arp_stack.dev, PEER, &mac, &flags), 0);
	assert_int_equal(arp_delete(&arp_stack.dev, PEER), 0);
	assert_int_equal(arp_delete(&arp_stack.dev, PEER), -ENXIO);
	assert_int_equal(arp_lookup(&arp_stack.dev, PEER, &mac, &flags), -ENXIO);
	net_unlock(&arp_stack.net);
	assert_int_equal(set_entry(PEER, FIXTURE_PEER, true), 0);
	assert_int_equal(set_entry(PEER, FIXTURE_PEER, false), 0); /* from now on it ages */
	fixture_advance(&arp_stack, 64 * SECOND);
	assert_null(entry_of(PEER));
	host_fail_allocation(1);
	assert_int_equal(set_entry(PEER, FIXTURE_PEER, true), -ENOMEM);
	host_fail_allocation(0);
}

static void a_table_full_of_permanent_entries(void **state __unused)
{
	for (uint32_t i = 0; i < ARP_ENTRIES_MAX; i++)
		assert_int_equal(set_entry(IP4(10, 1, 0, 0) + i, numbered_mac(i), true), 0);
	assert_int_equal(set_entry(PEER, FIXTURE_PEER, true), -ENOMEM);
	packet_leaves(PEER, 1);
	assert_int_equal(fixture_drops(&arp_stack, DROP_NO_MEMORY), 1);
	arp_arrives(ARP_REQUEST, FIXTURE_PEER, PEER, OURS);
	assert_int_equal(arp_stack.sent_count, 1);
}

static void the_device_loses_its_wire(void **state __unused)
{
	make_known(PEER, FIXTURE_PEER);
	packet_leaves(STRANGER, 1);
	assert_int_equal(set_entry(GATEWAY, GATEWAY_MAC, true), 0);
	net_lock(&arp_stack.net);
	netdev_set_carrier(&arp_stack.dev, false);
	net_unlock(&arp_stack.net);
	assert_null(entry_of(PEER));
	assert_null(entry_of(STRANGER));
	assert_non_null(entry_of(GATEWAY));
	assert_int_equal(arp_stack.net.live_skbs, 0);
	net_lock(&arp_stack.net);
	netdev_set_carrier(&arp_stack.dev, true);
	netdev_down(&arp_stack.dev);
	netdev_up(&arp_stack.dev);
	net_unlock(&arp_stack.net);
	assert_non_null(entry_of(GATEWAY));
	assert_still_alive();
}

static void proc_net_arp(void **state __unused)
{
	char text[2048];

	assert_int_equal(ethernet_proc_init(&arp_stack.net), 0);
	make_known(PEER, FIXTURE_PEER);
	packet_leaves(STRANGER, 1);
	assert_int_equal(set_entry(GATEWAY, GATEWAY_MAC, true), 0);
	assert_true(host_proc_read("net/arp", text, sizeof(text)) > 0);
	assert_non_null(strstr(text,
			       "IP address       HW type     Flags       HW address            "
			       "Mask     Device\n"));
	assert_non_null(strstr(
		text,
		"10.0.0.2         0x1         0x2         02:00:00:00:00:02     *        eth0\n"));
	assert_non_null(strstr(
		text,
		"10.0.0.3         0x1         0x0         00:00:00:00:00:00     *        eth0\n"));
	assert_non_null(strstr(
		text,
		"10.0.0.254       0x1         0x6         02:00:00:00:00:fe     *        eth0\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, arp_set_up, arp_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(wire_round_trip),
		TEST(wire_refuses),
		TEST(the_first_packet_and_the_second_are_sent),
		TEST(latest_packets_wait_and_the_oldest_go),
		TEST(bytes_that_wait_are_bounded),
		TEST(three_tries_one_second_apart_then_unreachable),
		TEST(an_answer_to_the_third_try_counts),
		TEST(no_answer_before_ip_exists),
		TEST(after_sixty_seconds_a_unicast_request_and_the_old_address_serves),
		TEST(a_stale_neighbour_that_is_silent_goes),
		TEST(an_unused_entry_goes_silently),
		TEST(a_neighbour_that_moved_is_found),
		TEST(a_neighbour_in_doubt_is_asked_at_once),
		TEST(who_asks_us_is_learned),
		TEST(a_request_resolves_what_we_ask),
		TEST(permanent_entries),
		TEST(a_table_full_of_permanent_entries),
		TEST(the_device_loses_its_wire),
		TEST(proc_net_arp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
