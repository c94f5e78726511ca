/* The stack of the ARP tests; see arp_fixture.h. */
#include "test/host/unit/arp_fixture.h"

#include <string.h>

#include "include/uapi/if_arp.h"
#include "kernel/byteorder.h"
#include "net/ethernet/ethernet.h"

struct fixture arp_stack;
ip4_t arp_our_address;
uint32_t arp_unreachable_count, arp_conflict_count;
ip4_t arp_conflict_address;

static bool is_ours(struct net_device *dev __unused, ip4_t address)
{
	return address == arp_our_address;
}

static ip4_t source_for(struct net_device *dev __unused, ip4_t target __unused)
{
	return arp_our_address;
}

static void unreachable(struct net_device *dev __unused, struct sk_buff *skb)
{
	arp_unreachable_count++;
	skb_drop(skb, DROP_ARP_UNRESOLVED);
}

static void conflict(struct net_device *dev __unused, ip4_t address, struct mac other __unused)
{
	arp_conflict_count++;
	arp_conflict_address = address;
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

int arp_set_up(void **state __unused)
{
	fixture_init(&arp_stack);
	arp_set_address_operations(&arp_stack.net, &operations);
	arp_our_address = OURS;
	arp_unreachable_count = arp_conflict_count = 0;
	return 0;
}

int arp_tear_down(void **state __unused)
{
	host_fail_allocation(0);
	fixture_destroy(&arp_stack);
	return 0;
}

static void arp_arrives_in(struct mac destination, const struct arp_packet *packet)
{
	uint8_t bytes[ARP_PACKET_LENGTH];

	arp_emit(packet, bytes);
	fixture_receive_ethernet(&arp_stack, destination, packet->sender_mac, ETHERTYPE_ARP, bytes,
				 sizeof(bytes));
}

void arp_arrives(uint16_t operation, struct mac mac, ip4_t sender, ip4_t target)
{
	const struct arp_packet packet = {
		.operation = operation,
		.sender_mac = mac,
		.sender = sender,
		.target_mac = operation == ARP_REPLY ? FIXTURE_MAC : MAC_ZERO,
		.target = target,
	};

	arp_arrives_in(operation == ARP_REPLY ? FIXTURE_MAC : MAC_BROADCAST, &packet);
}

void packet_leaves(ip4_t next_hop, uint8_t mark)
{
	struct sk_buff *skb = skb_alloc(&arp_stack.net, SKB_HEADROOM + 1);

	skb_reserve(skb, SKB_HEADROOM);
	*(uint8_t *)skb_put(skb, 1) = mark;
	net_lock(&arp_stack.net);
	arp_send(&arp_stack.dev, skb, next_hop);
	net_unlock(&arp_stack.net);
}

struct arp_packet sent_arp(uint32_t i, struct mac destination)
{
	const struct fixture_frame *frame = fixture_sent(&arp_stack, i);
	struct arp_packet packet;

	assert_int_equal(frame->length, ETHERNET_HEADER_LENGTH + ARP_PACKET_LENGTH);
	assert_int_equal(get_be16(frame->bytes + 12), ETHERTYPE_ARP);
	assert_memory_equal(frame->bytes, destination.bytes, MAC_LENGTH);
	assert_int_equal(
		arp_parse(frame->bytes + ETHERNET_HEADER_LENGTH, ARP_PACKET_LENGTH, &packet),
		DROP_NONE);
	assert_true(mac_equal(packet.sender_mac, FIXTURE_MAC));
	return packet;
}

void assert_request(uint32_t i, struct mac destination, ip4_t target)
{
	struct arp_packet packet = sent_arp(i, destination);

	assert_int_equal(packet.operation, ARP_REQUEST);
	assert_int_equal(packet.sender, OURS);
	assert_int_equal(packet.target, target);
}

void assert_packet(uint32_t i, struct mac destination, uint8_t mark)
{
	const struct fixture_frame *frame = fixture_sent(&arp_stack, i);

	assert_int_equal(get_be16(frame->bytes + 12), ETHERTYPE_IP4);
	assert_memory_equal(frame->bytes, destination.bytes, MAC_LENGTH);
	assert_int_equal(frame->bytes[ETHERNET_HEADER_LENGTH], mark);
}

struct arp_entry *entry_of(ip4_t address)
{
	net_lock(&arp_stack.net);
	struct arp_entry *entry = arp_find(arp_table_of(&arp_stack.dev), &arp_stack.dev, address);

	net_unlock(&arp_stack.net);
	return entry;
}

void make_known(ip4_t address, struct mac mac)
{
	packet_leaves(address, 0);
	arp_arrives(ARP_REPLY, mac, address, OURS);
	assert_int_equal(entry_of(address)->state, ARP_REACHABLE);
	fixture_clear_sent(&arp_stack);
}

void assert_still_alive(void)
{
	fixture_clear_sent(&arp_stack);
	arp_arrives(ARP_REQUEST, FIXTURE_PEER, PEER, OURS);

	struct arp_packet reply = sent_arp(arp_stack.sent_count - 1, FIXTURE_PEER);

	assert_int_equal(reply.operation, ARP_REPLY);
	assert_int_equal(reply.sender, OURS);
	assert_int_equal(reply.target, PEER);
	assert_true(mac_equal(reply.target_mac, FIXTURE_PEER));
	fixture_clear_sent(&arp_stack);
}

struct mac numbered_mac(uint32_t i)
{
	return (struct mac){{0x06, 0, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
}

int set_entry(ip4_t address, struct mac mac, bool permanent)
{
	net_lock(&arp_stack.net);
	int error = arp_set_permanent(&arp_stack.dev, address, mac, permanent);

	net_unlock(&arp_stack.net);
	return error;
}
