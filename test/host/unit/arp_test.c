/* ARP: asking, answering, the life of an entry, conflicts, the caps, and hostile packets. */
#include "test/host/unit/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "include/uapi/if_arp.h"
#include "kernel/byteorder.h"
#include "net/ethernet/arp.h"
#include "net/ethernet/arp_wire.h"
#include "net/ethernet/ethernet.h"
#include "net/ethernet/ethernet_private.h"

#define OURS IP4(10, 0, 0, 1)
#define PEER IP4(10, 0, 0, 2)
#define STRANGER IP4(10, 0, 0, 3)
#define GATEWAY IP4(10, 0, 0, 254)
#define SECOND USEC_PER_SEC

static struct fixture f;
static const struct mac STRANGER_MAC = {{0x02, 0, 0, 0, 0, 3}};
static const struct mac GATEWAY_MAC = {{0x02, 0, 0, 0, 0, 0xfe}};

static ip4_t our_address;
static uint32_t unreachable_count, conflict_count;
static ip4_t conflict_address;

static bool is_ours(struct net_device *dev __unused, ip4_t address)
{
	return address == our_address;
}

static ip4_t source_for(struct net_device *dev __unused, ip4_t target __unused)
{
	return our_address;
}

static void unreachable(struct net_device *dev __unused, struct sk_buff *skb)
{
	unreachable_count++;
	skb_drop(skb, DROP_ARP_UNRESOLVED);
}

static void conflict(struct net_device *dev __unused, ip4_t address, struct mac other __unused)
{
	conflict_count++;
	conflict_address = address;
}

static bool may_be_neighbour(struct net_device *dev __unused, ip4_t address)
{
	return address >> 24 == 10;
}

static const struct arp_address_operations operations = {
	.is_ours = is_ours,
	.source_for = source_for,
	.unreachable = unreachable,
	.conflict = conflict,
	.may_be_neighbour = may_be_neighbour,
};

static int set_up(void **state __unused)
{
	fixture_init(&f);
	arp_set_address_operations(&f.net, &operations);
	our_address = OURS;
	unreachable_count = conflict_count = 0;
	return 0;
}

static int tear_down(void **state __unused)
{
	host_fail_allocation(0);
	fixture_destroy(&f);
	return 0;
}

static void receive_in(struct mac destination, const struct arp_packet *packet)
{
	uint8_t bytes[ARP_PACKET_LENGTH];

	arp_emit(packet, bytes);
	fixture_receive_ethernet(&f, destination, packet->sender_mac, ETHERTYPE_ARP, bytes, sizeof(bytes));
}

/* An ARP packet from (mac, sender) about `target`. */
static void receive(uint16_t operation, struct mac mac, ip4_t sender, ip4_t target)
{
	const struct arp_packet packet = {
		.operation = operation,
		.sender_mac = mac,
		.sender = sender,
		.target_mac = operation == ARP_REPLY ? FIXTURE_MAC : MAC_ZERO,
		.target = target,
	};

	receive_in(operation == ARP_REPLY ? FIXTURE_MAC : MAC_BROADCAST, &packet);
}

/* One IPv4 packet, of one byte, to `next_hop`. */
static void send(ip4_t next_hop, uint8_t mark)
{
	struct sk_buff *skb = skb_alloc(&f.net, SKB_HEADROOM + 1);

	skb_reserve(skb, SKB_HEADROOM);
	*(uint8_t *)skb_put(skb, 1) = mark;
	net_lock(&f.net);
	arp_send(&f.dev, skb, next_hop);
	net_unlock(&f.net);
}

/* The i-th frame sent must be an ARP packet to `destination`. */
static struct arp_packet sent_arp(uint32_t i, struct mac destination)
{
	const struct fixture_frame *frame = fixture_sent(&f, i);
	struct arp_packet packet;

	assert_int_equal(frame->length, ETHERNET_HEADER_LENGTH + ARP_PACKET_LENGTH);
	assert_int_equal(get_be16(frame->bytes + 12), ETHERTYPE_ARP);
	assert_memory_equal(frame->bytes, destination.bytes, MAC_LENGTH);
	assert_int_equal(arp_parse(frame->bytes + ETHERNET_HEADER_LENGTH, ARP_PACKET_LENGTH, &packet), DROP_NONE);
	assert_true(mac_equal(packet.sender_mac, FIXTURE_MAC));
	return packet;
}

static void assert_request(uint32_t i, struct mac destination, ip4_t target)
{
	struct arp_packet packet = sent_arp(i, destination);

	assert_int_equal(packet.operation, ARP_REQUEST);
	assert_int_equal(packet.sender, OURS);
	assert_int_equal(packet.target, target);
}

/* The i-th frame sent must be the IPv4 packet `mark` to `destination`. */
static void assert_packet(uint32_t i, struct mac destination, uint8_t mark)
{
	const struct fixture_frame *frame = fixture_sent(&f, i);

	assert_int_equal(get_be16(frame->bytes + 12), ETHERTYPE_IP4);
	assert_memory_equal(frame->bytes, destination.bytes, MAC_LENGTH);
	assert_int_equal(frame->bytes[ETHERNET_HEADER_LENGTH], mark);
}

static struct arp_entry *entry_of(ip4_t address)
{
	net_lock(&f.net);
	struct arp_entry *entry = arp_find(arp_table_of(&f.dev), &f.dev, address);

	net_unlock(&f.net);
	return entry;
}

/* The peer becomes known because we sent it something. */
static void resolve(ip4_t address, struct mac mac)
{
	send(address, 0);
	receive(ARP_REPLY, mac, address, OURS);
	assert_int_equal(entry_of(address)->state, ARP_REACHABLE);
	fixture_clear_sent(&f);
}

/* Whatever happened, a request for our address is answered. */
static void assert_still_alive(void)
{
	fixture_clear_sent(&f);
	receive(ARP_REQUEST, FIXTURE_PEER, PEER, OURS);

	struct arp_packet reply = sent_arp(f.sent_count - 1, FIXTURE_PEER);

	assert_int_equal(reply.operation, ARP_REPLY);
	assert_int_equal(reply.sender, OURS);
	assert_int_equal(reply.target, PEER);
	assert_true(mac_equal(reply.target_mac, FIXTURE_PEER));
	fixture_clear_sent(&f);
}

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
	const uint8_t expected[ARP_PACKET_LENGTH] = {0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0,  0, 0, 2, 10,
						     0, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1};
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
	} changes[] = {{0, 1}, {1, 6}, {2, 0x86}, {3, 1}, {4, 255}, {4, 0}, {5, 255}, {5, 16},
		       {6, 0xff}, {7, 0}, {7, 3}, {7, 8}};
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
	send(PEER, 1);
	assert_int_equal(f.sent_count, 1);
	assert_request(0, MAC_BROADCAST, PEER);
	assert_true(mac_equal(sent_arp(0, MAC_BROADCAST).target_mac, MAC_ZERO));
	send(PEER, 2);
	assert_int_equal(f.sent_count, 1);
	receive(ARP_REPLY, FIXTURE_PEER, PEER, OURS);
	assert_int_equal(f.sent_count, 3);
	assert_packet(1, FIXTURE_PEER, 1);
	assert_packet(2, FIXTURE_PEER, 2);
	send(PEER, 3);
	assert_packet(3, FIXTURE_PEER, 3);
}

static void three_packets_wait_and_the_oldest_goes(void **state __unused)
{
	for (uint8_t mark = 1; mark <= 5; mark++)
		send(PEER, mark);
	assert_int_equal(fixture_drops(&f, DROP_ARP_QUEUE_FULL), 2);
	assert_int_equal(f.net.live_skbs, 3);
	fixture_clear_sent(&f);
	receive(ARP_REPLY, FIXTURE_PEER, PEER, OURS);
	assert_int_equal(f.sent_count, 3);
	assert_packet(0, FIXTURE_PEER, 3);
	assert_packet(1, FIXTURE_PEER, 4);
	assert_packet(2, FIXTURE_PEER, 5);
}

static void three_tries_one_second_apart_then_unreachable(void **state __unused)
{
	send(PEER, 1);
	send(PEER, 2);
	for (uint32_t tries = 1; tries <= 3; tries++) {
		assert_int_equal(f.sent_count, tries);
		assert_request(tries - 1, MAC_BROADCAST, PEER);
		fixture_advance(&f, SECOND - 1);
		assert_int_equal(f.sent_count, tries);
		assert_int_equal(unreachable_count, 0);
		fixture_advance(&f, 1);
	}
	assert_int_equal(f.sent_count, 3);
	assert_int_equal(unreachable_count, 2);
	assert_int_equal(fixture_drops(&f, DROP_ARP_UNRESOLVED), 2);
	assert_null(entry_of(PEER));
	send(PEER, 3); /* begins anew */
	assert_int_equal(f.sent_count, 4);
	assert_still_alive();
}

static void an_answer_to_the_third_try_counts(void **state __unused)
{
	send(PEER, 1);
	fixture_advance(&f, 2 * SECOND + SECOND / 2);
	assert_int_equal(f.sent_count, 3);
	receive(ARP_REPLY, FIXTURE_PEER, PEER, OURS);
	assert_packet(3, FIXTURE_PEER, 1);
	assert_int_equal(unreachable_count, 0);
}

static void no_answer_before_ip_exists(void **state __unused)
{
	arp_set_address_operations(&f.net, NULL);
	receive(ARP_REQUEST, FIXTURE_PEER, PEER, OURS);
	assert_int_equal(fixture_drops(&f, DROP_ARP_NOT_FOR_US), 1);
	send(PEER, 1);
	assert_int_equal(sent_arp(0, MAC_BROADCAST).sender, IP4_ANY);
	fixture_advance(&f, 3 * SECOND);
	assert_int_equal(fixture_drops(&f, DROP_ARP_UNRESOLVED), 1);
}

/* --- the life of an entry --- */

static void after_sixty_seconds_a_unicast_request_and_the_old_address_serves(void **state __unused)
{
	resolve(PEER, FIXTURE_PEER);
	fixture_advance(&f, 60 * SECOND - 1);
	assert_int_equal(f.sent_count, 0);
	fixture_advance(&f, 1);
	assert_int_equal(f.sent_count, 1);
	assert_request(0, FIXTURE_PEER, PEER);
	assert_int_equal(entry_of(PEER)->state, ARP_STALE);
	send(PEER, 7);
	assert_packet(1, FIXTURE_PEER, 7);
	fixture_advance(&f, SECOND);
	assert_request(2, MAC_BROADCAST, PEER);
	receive(ARP_REPLY, FIXTURE_PEER, PEER, OURS);
	assert_int_equal(entry_of(PEER)->state, ARP_REACHABLE);
	assert_int_equal(f.sent_count, 3);
	fixture_advance(&f, 60 * SECOND); /* it was used: asked again */
	assert_int_equal(f.sent_count, 4);
}

static void a_stale_neighbour_that_is_silent_goes(void **state __unused)
{
	resolve(PEER, FIXTURE_PEER);
	fixture_advance(&f, 62 * SECOND);
	assert_int_equal(f.sent_count, 3);
	assert_non_null(entry_of(PEER));
	fixture_advance(&f, SECOND);
	assert_null(entry_of(PEER));
	assert_int_equal(f.sent_count, 3);
	assert_int_equal(unreachable_count, 0); /* nobody waited */
}

static void an_unused_entry_goes_silently(void **state __unused)
{
	receive(ARP_REQUEST, FIXTURE_PEER, PEER, OURS);
	assert_int_equal(entry_of(PEER)->state, ARP_REACHABLE);
	fixture_clear_sent(&f);
	fixture_advance(&f, 60 * SECOND);
	assert_null(entry_of(PEER));
	assert_int_equal(f.sent_count, 0);
}

static void a_neighbour_that_moved_is_found(void **state __unused)
{
	resolve(PEER, FIXTURE_PEER);
	fixture_advance(&f, 60 * SECOND);
	receive(ARP_REPLY, STRANGER_MAC, PEER, OURS);
	fixture_clear_sent(&f);
	send(PEER, 1);
	assert_packet(0, STRANGER_MAC, 1);
}

static void upper_layers_save_the_request(void **state __unused)
{
	resolve(PEER, FIXTURE_PEER);
	for (int i = 0; i < 5; i++) {
		fixture_advance(&f, 50 * SECOND);
		net_lock(&f.net);
		arp_confirm(&f.dev, PEER);
		arp_confirm(&f.dev, STRANGER); /* unknown: harmless */
		net_unlock(&f.net);
	}
	assert_int_equal(f.sent_count, 0);
	assert_int_equal(entry_of(PEER)->state, ARP_REACHABLE);
}

static void who_asks_us_is_learned(void **state __unused)
{
	receive(ARP_REQUEST, FIXTURE_PEER, PEER, OURS);
	assert_int_equal(f.sent_count, 1);
	send(PEER, 1);
	assert_packet(1, FIXTURE_PEER, 1);
	receive(ARP_REQUEST, STRANGER_MAC, IP4(11, 0, 0, 9), OURS); /* not of this link: answered, not learned */
	assert_int_equal(f.sent_count, 3);
	assert_null(entry_of(IP4(11, 0, 0, 9)));
}

static void a_request_resolves_what_we_ask(void **state __unused)
{
	send(PEER, 1);
	receive(ARP_REQUEST, FIXTURE_PEER, PEER, STRANGER);
	assert_packet(1, FIXTURE_PEER, 1);
}

/* --- what others say --- */

static void an_unsolicited_reply_makes_no_entry(void **state __unused)
{
	receive(ARP_REPLY, STRANGER_MAC, STRANGER, OURS);
	assert_int_equal(fixture_drops(&f, DROP_ARP_UNSOLICITED), 1);
	assert_null(entry_of(STRANGER));
	assert_still_alive();
}

static void an_unsolicited_reply_for_the_gateway_changes_nothing(void **state __unused)
{
	resolve(GATEWAY, GATEWAY_MAC);
	receive(ARP_REPLY, STRANGER_MAC, GATEWAY, OURS);
	assert_int_equal(fixture_drops(&f, DROP_ARP_UNSOLICITED), 1);
	send(GATEWAY, 1);
	assert_packet(0, GATEWAY_MAC, 1);
	assert_still_alive();
}

static void an_announced_change_is_verified(void **state __unused)
{
	resolve(GATEWAY, GATEWAY_MAC);
	receive(ARP_REQUEST, STRANGER_MAC, GATEWAY, GATEWAY);
	assert_request(0, MAC_BROADCAST, GATEWAY);
	send(GATEWAY, 1);
	assert_packet(1, GATEWAY_MAC, 1);
	receive(ARP_REQUEST, STRANGER_MAC, GATEWAY, GATEWAY); /* again: no second request */
	assert_int_equal(f.sent_count, 2);
	receive(ARP_REPLY, GATEWAY_MAC, GATEWAY, OURS); /* the rightful owner answers */
	send(GATEWAY, 2);
	assert_packet(2, GATEWAY_MAC, 2);

	/* The same as a gratuitous reply, and this time the new one answers. */
	receive(ARP_REPLY, STRANGER_MAC, GATEWAY, GATEWAY);
	assert_request(3, MAC_BROADCAST, GATEWAY);
	receive(ARP_REPLY, STRANGER_MAC, GATEWAY, OURS);
	send(GATEWAY, 3);
	assert_packet(4, STRANGER_MAC, 3);
}

static void an_announcement_of_the_known_address_is_quiet(void **state __unused)
{
	resolve(GATEWAY, GATEWAY_MAC);
	receive(ARP_REQUEST, GATEWAY_MAC, GATEWAY, GATEWAY);
	assert_int_equal(f.sent_count, 0);
	receive(ARP_REQUEST, STRANGER_MAC, STRANGER, STRANGER); /* of nobody we know */
	assert_int_equal(fixture_drops(&f, DROP_ARP_NOT_FOR_US), 1);
	assert_null(entry_of(STRANGER));
}

static void requests_for_others_are_not_answered(void **state __unused)
{
	receive(ARP_REQUEST, FIXTURE_PEER, PEER, STRANGER);
	assert_int_equal(fixture_drops(&f, DROP_ARP_NOT_FOR_US), 1);
	assert_int_equal(f.sent_count, 0);
	assert_null(entry_of(PEER));
}

static void probes_are_answered(void **state __unused)
{
	receive(ARP_REQUEST, FIXTURE_PEER, IP4_ANY, OURS);

	struct arp_packet reply = sent_arp(0, FIXTURE_PEER);

	assert_int_equal(reply.operation, ARP_REPLY);
	assert_int_equal(reply.sender, OURS);
	assert_int_equal(reply.target, IP4_ANY);
	assert_null(entry_of(IP4_ANY));
	receive(ARP_REQUEST, FIXTURE_PEER, IP4_ANY, STRANGER);
	assert_int_equal(f.sent_count, 1);
}

/* --- conflicts (RFC 5227) --- */

static void our_address_is_defended_every_ten_seconds(void **state __unused)
{
	receive(ARP_REPLY, STRANGER_MAC, OURS, PEER);
	assert_int_equal(fixture_drops(&f, DROP_ARP_CONFLICT), 1);
	assert_int_equal(conflict_count, 1);
	assert_int_equal(conflict_address, OURS);

	struct arp_packet defence = sent_arp(0, MAC_BROADCAST);

	assert_int_equal(defence.operation, ARP_REQUEST);
	assert_int_equal(defence.sender, OURS);
	assert_int_equal(defence.target, OURS);
	receive(ARP_REQUEST, STRANGER_MAC, OURS, OURS);
	fixture_advance(&f, 10 * SECOND - 1);
	receive(ARP_REQUEST, STRANGER_MAC, OURS, PEER);
	assert_int_equal(f.sent_count, 1);
	assert_int_equal(conflict_count, 3);
	fixture_advance(&f, 1);
	receive(ARP_REQUEST, STRANGER_MAC, OURS, PEER);
	assert_int_equal(f.sent_count, 2);
	assert_still_alive();
}

static void probing(void **state __unused)
{
	our_address = IP4_ANY;
	net_lock(&f.net);
	arp_probe(&f.dev, STRANGER);
	net_unlock(&f.net);

	struct arp_packet probe = sent_arp(0, MAC_BROADCAST);

	assert_int_equal(probe.operation, ARP_REQUEST);
	assert_int_equal(probe.sender, IP4_ANY);
	assert_int_equal(probe.target, STRANGER);
	receive(ARP_REPLY, FIXTURE_PEER, PEER, IP4_ANY); /* another's affair */
	assert_int_equal(conflict_count, 0);
	receive(ARP_REPLY, FIXTURE_PEER, STRANGER, IP4_ANY); /* taken */
	assert_int_equal(conflict_count, 1);
	assert_int_equal(conflict_address, STRANGER);
	receive(ARP_REQUEST, FIXTURE_PEER, IP4_ANY, STRANGER); /* probed by another, too */
	assert_int_equal(conflict_count, 2);
	receive(ARP_REQUEST, FIXTURE_PEER, PEER, STRANGER); /* only asks */
	assert_int_equal(conflict_count, 2);
	fixture_advance(&f, 2 * SECOND);
	receive(ARP_REPLY, FIXTURE_PEER, STRANGER, IP4_ANY); /* too late: the probe is over */
	assert_int_equal(conflict_count, 2);

	net_lock(&f.net);
	arp_probe(&f.dev, STRANGER);
	arp_announce(&f.dev, STRANGER);
	net_unlock(&f.net);
	receive(ARP_REPLY, FIXTURE_PEER, STRANGER, IP4_ANY); /* is_ours decides from here on */
	assert_int_equal(conflict_count, 2);
}

static void more_disputes_than_slots(void **state __unused)
{
	for (uint32_t i = 0; i < 100; i++) {
		our_address = OURS + i;
		receive(ARP_REPLY, STRANGER_MAC, our_address, PEER);
	}
	assert_int_equal(conflict_count, 100);
	assert_int_equal(f.sent_count, 100); /* a different address each time */
}

/* --- hostile packets --- */

static void cut_packets(void **state __unused)
{
	const size_t lengths[] = {0, 8, 20, 27};
	uint8_t bytes[ARP_PACKET_LENGTH] = {0, 1, 8, 0, 6, 4, 0, 1};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		fixture_receive_ethernet(&f, MAC_BROADCAST, FIXTURE_PEER, ETHERTYPE_ARP, bytes, lengths[i]);
		assert_int_equal(fixture_drops(&f, DROP_ARP_MALFORMED), i + 1);
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
		{"hardware and protocol length 255", 4, 0xffff}, {"hardware type 6", 0, 6},
		{"operation 0", 6, 0},	 {"operation 3", 6, 3},	  {"operation 0xffff", 6, 0xffff},
		{"protocol IPv6", 2, 0x86dd},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t bytes[46] = {0, 1, 8, 0, 6, 4, 0, 1};

		put_be16(bytes + cases[i].at, cases[i].value);
		fixture_receive_ethernet(&f, MAC_BROADCAST, FIXTURE_PEER, ETHERTYPE_ARP, bytes, sizeof(bytes));
		assert_int_equal(fixture_drops(&f, DROP_ARP_MALFORMED), i + 1);
		assert_still_alive();
	}
}

static void receive_with_sender_mac(struct mac sender_mac, uint16_t operation)
{
	const struct arp_packet packet = {
		.operation = operation, .sender_mac = sender_mac, .sender = PEER, .target = OURS};
	uint8_t bytes[ARP_PACKET_LENGTH];

	arp_emit(&packet, bytes);
	fixture_receive_ethernet(&f, FIXTURE_MAC, FIXTURE_PEER, ETHERTYPE_ARP, bytes, sizeof(bytes));
}

static void impossible_sender_macs(void **state __unused)
{
	const struct mac multicast = {{0x01, 0, 0x5e, 0, 0, 1}};
	const struct mac macs[] = {MAC_BROADCAST, multicast, MAC_ZERO, FIXTURE_MAC};

	send(PEER, 1); /* even though we are asking */
	for (size_t i = 0; i < ARRAY_SIZE(macs); i++) {
		receive_with_sender_mac(macs[i], ARP_REPLY);
		receive_with_sender_mac(macs[i], ARP_REQUEST);
		assert_int_equal(fixture_drops(&f, DROP_ARP_BAD_SENDER), 2 * i + 2);
		assert_int_equal(entry_of(PEER)->state, ARP_INCOMPLETE);
	}
	assert_still_alive();
}

static void impossible_sender_addresses(void **state __unused)
{
	const ip4_t addresses[] = {IP4_BROADCAST, IP4(224, 0, 0, 1), IP4(127, 0, 0, 1), IP4(0, 0, 0, 9),
				   IP4(240, 0, 0, 1)};

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		receive(ARP_REQUEST, FIXTURE_PEER, addresses[i], OURS);
		assert_int_equal(fixture_drops(&f, DROP_ARP_BAD_SENDER), i + 1);
		assert_null(entry_of(addresses[i]));
	}
	receive(ARP_REPLY, FIXTURE_PEER, IP4_ANY, OURS); /* only requests may be probes */
	assert_int_equal(fixture_drops(&f, DROP_ARP_BAD_SENDER), ARRAY_SIZE(addresses) + 1);
	assert_int_equal(f.sent_count, 0);
	assert_still_alive();
}

static struct mac numbered_mac(uint32_t i)
{
	return (struct mac){{0x06, 0, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
}

static void ten_thousand_senders_do_not_displace_the_gateway(void **state __unused)
{
	resolve(GATEWAY, GATEWAY_MAC);
	for (uint32_t i = 0; i < 10000; i++)
		receive(ARP_REQUEST, numbered_mac(i), IP4(10, 1, 0, 0) + i, OURS);
	assert_int_equal(arp_table_of(&f.dev)->count, ARP_ENTRIES_MAX);
	assert_int_equal(f.sent_count, 10000); /* all were answered */
	fixture_clear_sent(&f);
	send(GATEWAY, 1);
	assert_int_equal(f.sent_count, 1);
	assert_packet(0, GATEWAY_MAC, 1);
	fixture_advance(&f, 61 * SECOND);
	assert_int_equal(arp_table_of(&f.dev)->count, 1);
	assert_still_alive();
}

static void a_thousand_unresolved_destinations_do_not_displace_the_gateway(void **state __unused)
{
	resolve(GATEWAY, GATEWAY_MAC);
	for (uint32_t i = 0; i < 3000; i++) {
		send(IP4(10, 1, 0, 0) + i, 1);
		send(IP4(10, 1, 0, 0) + i, 2);
	}
	assert_int_equal(arp_table_of(&f.dev)->count, ARP_ENTRIES_MAX);
	assert_int_equal(f.net.live_skbs, 2 * (ARP_ENTRIES_MAX - 1));
	fixture_clear_sent(&f);
	send(GATEWAY, 1);
	assert_packet(0, GATEWAY_MAC, 1);
	fixture_clear_sent(&f);
	fixture_advance(&f, 3 * SECOND);
	assert_int_equal(unreachable_count, 2 * (ARP_ENTRIES_MAX - 1));
	assert_int_equal(f.net.live_skbs, 0);
	assert_int_equal(arp_table_of(&f.dev)->count, 1);
	assert_still_alive();
}

static void strangers_do_not_displace_what_we_ask_for(void **state __unused)
{
	for (uint32_t i = 0; i < ARP_ENTRIES_MAX; i++)
		send(IP4(10, 1, 0, 0) + i, 1);
	receive(ARP_REQUEST, STRANGER_MAC, STRANGER, OURS);
	assert_null(entry_of(STRANGER));
	assert_non_null(entry_of(IP4(10, 1, 0, 0)));
}

static void the_one_unused_for_longest_makes_room(void **state __unused)
{
	for (uint32_t i = 0; i < ARP_ENTRIES_MAX; i++)
		resolve(IP4(10, 1, 0, 0) + i, numbered_mac(i));
	send(GATEWAY, 1); /* a round of second chances; the oldest goes */
	assert_null(entry_of(IP4(10, 1, 0, 0)));
	send(IP4(10, 1, 0, 1), 1); /* used again: the next oldest is another */
	receive(ARP_REPLY, GATEWAY_MAC, GATEWAY, OURS);
	send(STRANGER, 1);
	assert_non_null(entry_of(IP4(10, 1, 0, 1)));
	assert_null(entry_of(IP4(10, 1, 0, 2)));
}

static void no_memory(void **state __unused)
{
	struct sk_buff *skb = skb_alloc(&f.net, 100);

	host_fail_allocation(1);
	net_lock(&f.net);
	arp_send(&f.dev, skb, PEER);
	net_unlock(&f.net);
	assert_int_equal(fixture_drops(&f, DROP_NO_MEMORY), 1);

	skb = skb_alloc(&f.net, 100);
	host_fail_allocation(2); /* the entry is made, the request is not: the next try is */
	net_lock(&f.net);
	arp_send(&f.dev, skb, PEER);
	net_unlock(&f.net);
	host_fail_allocation(0);
	assert_int_equal(f.sent_count, 0);
	fixture_advance(&f, SECOND);
	assert_request(0, MAC_BROADCAST, PEER);
	assert_still_alive();
}

/* --- administration --- */

static int set(ip4_t address, struct mac mac, bool permanent)
{
	net_lock(&f.net);
	int error = arp_set_permanent(&f.dev, address, mac, permanent);

	net_unlock(&f.net);
	return error;
}

static void permanent_entries(void **state __unused)
{
	struct mac mac;
	uint32_t flags;

	send(PEER, 1);
	fixture_clear_sent(&f);
	assert_int_equal(set(PEER, FIXTURE_PEER, true), 0);
	assert_packet(0, FIXTURE_PEER, 1); /* it waited */
	receive(ARP_REQUEST, STRANGER_MAC, PEER, PEER);
	receive(ARP_REPLY, STRANGER_MAC, PEER, OURS);
	fixture_advance(&f, 1000 * SECOND);
	fixture_clear_sent(&f);
	send(PEER, 2);
	assert_int_equal(f.sent_count, 1);
	assert_packet(0, FIXTURE_PEER, 2);
	net_lock(&f.net);
	assert_int_equal(arp_lookup(&f.dev, PEER, &mac, &flags), 0);
	assert_true(mac_equal(mac, FIXTURE_PEER));
	assert_int_equal(flags, ATF_COM | ATF_PERM);
	arp_flush(&f.dev);
	assert_int_equal(arp_lookup(&f.dev, PEER, &mac, &flags), 0);
	assert_int_equal(arp_delete(&f.dev, PEER), 0);
	assert_int_equal(arp_delete(&f.dev, PEER), -ENXIO);
	assert_int_equal(arp_lookup(&f.dev, PEER, &mac, &flags), -ENXIO);
	net_unlock(&f.net);
	assert_int_equal(set(PEER, FIXTURE_PEER, true), 0);
	assert_int_equal(set(PEER, FIXTURE_PEER, false), 0); /* from now on it ages */
	fixture_advance(&f, 64 * SECOND);
	assert_null(entry_of(PEER));
	host_fail_allocation(1);
	assert_int_equal(set(PEER, FIXTURE_PEER, true), -ENOMEM);
	host_fail_allocation(0);
}

static void a_table_full_of_permanent_entries(void **state __unused)
{
	for (uint32_t i = 0; i < ARP_ENTRIES_MAX; i++)
		assert_int_equal(set(IP4(10, 1, 0, 0) + i, numbered_mac(i), true), 0);
	assert_int_equal(set(PEER, FIXTURE_PEER, true), -ENOMEM);
	send(PEER, 1);
	assert_int_equal(fixture_drops(&f, DROP_NO_MEMORY), 1);
	receive(ARP_REQUEST, FIXTURE_PEER, PEER, OURS);
	assert_int_equal(f.sent_count, 1);
}

static void the_device_loses_its_wire(void **state __unused)
{
	resolve(PEER, FIXTURE_PEER);
	send(STRANGER, 1);
	assert_int_equal(set(GATEWAY, GATEWAY_MAC, true), 0);
	net_lock(&f.net);
	netdev_set_carrier(&f.dev, false);
	net_unlock(&f.net);
	assert_null(entry_of(PEER));
	assert_null(entry_of(STRANGER));
	assert_non_null(entry_of(GATEWAY));
	assert_int_equal(f.net.live_skbs, 0);
	net_lock(&f.net);
	netdev_set_carrier(&f.dev, true);
	netdev_down(&f.dev);
	netdev_up(&f.dev);
	net_unlock(&f.net);
	assert_non_null(entry_of(GATEWAY));
	assert_still_alive();
}

static void proc_net_arp(void **state __unused)
{
	char text[2048];

	assert_int_equal(ethernet_proc_init(&f.net), 0);
	resolve(PEER, FIXTURE_PEER);
	send(STRANGER, 1);
	assert_int_equal(set(GATEWAY, GATEWAY_MAC, true), 0);
	assert_true(host_proc_read("net/arp", text, sizeof(text)) > 0);
	assert_non_null(strstr(
		text, "IP address       HW type     Flags       HW address            Mask     Device\n"));
	assert_non_null(strstr(
		text, "10.0.0.2         0x1         0x2         02:00:00:00:00:02     *        eth0\n"));
	assert_non_null(strstr(
		text, "10.0.0.3         0x1         0x0         00:00:00:00:00:00     *        eth0\n"));
	assert_non_null(strstr(
		text, "10.0.0.254       0x1         0x6         02:00:00:00:00:fe     *        eth0\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(wire_round_trip),
		TEST(wire_refuses),
		TEST(the_first_packet_and_the_second_are_sent),
		TEST(three_packets_wait_and_the_oldest_goes),
		TEST(three_tries_one_second_apart_then_unreachable),
		TEST(an_answer_to_the_third_try_counts),
		TEST(no_answer_before_ip_exists),
		TEST(after_sixty_seconds_a_unicast_request_and_the_old_address_serves),
		TEST(a_stale_neighbour_that_is_silent_goes),
		TEST(an_unused_entry_goes_silently),
		TEST(a_neighbour_that_moved_is_found),
		TEST(upper_layers_save_the_request),
		TEST(who_asks_us_is_learned),
		TEST(a_request_resolves_what_we_ask),
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
		TEST(permanent_entries),
		TEST(a_table_full_of_permanent_entries),
		TEST(the_device_loses_its_wire),
		TEST(proc_net_arp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
