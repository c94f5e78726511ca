/* IPv4: sending, fragmenting, interface addresses, forwarding. */
#include "test/host/unit/ip4_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "net/ethernet/arp.h"
#include "net/ethernet/ethernet.h"

static struct fixture f;
static uint8_t packet[70000];

static int setup(void **state __unused)
{
	ip4_fixture_init(&f);
	return 0;
}

static int teardown(void **state __unused)
{
	ip4_fixture_destroy(&f);
	return 0;
}

static int send_to(ip4_t destination, size_t n, bool dont_fragment)
{
	struct sk_buff *skb = skb_alloc(&f.net, SKB_HEADROOM + n);
	const struct ip4_send how = {
		.destination = destination, .protocol = 200, .dont_fragment = dont_fragment};

	assert_non_null(skb);
	skb_reserve(skb, SKB_HEADROOM);
	uint8_t *bytes = skb_put(skb, n);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(i * 7);
	net_lock(&f.net);
	int error = ip4_send(&f.net, skb, &how);

	net_unlock(&f.net);
	fixture_run(&f);
	return error;
}

static void test_send_on_the_link_and_by_the_gateway(void **state __unused)
{
	struct ip4_header header;

	assert_int_equal(send_to(PEER, 10, false), 0);
	assert_int_equal(send_to(FAR, 10, false), 0);
	ip4_sent(&f, 0, &header);
	assert_int_equal(header.source, OURS);
	assert_int_equal(header.ttl, 64);
	assert_memory_equal(fixture_sent(&f, 0)->bytes, FIXTURE_PEER.bytes, 6);
	ip4_sent(&f, 1, &header);
	assert_int_equal(header.destination, FAR);
	assert_memory_equal(fixture_sent(&f, 1)->bytes, GATEWAY_MAC.bytes, 6);
}

static void test_send_fragments_that_join_again(void **state __unused)
{
	uint8_t whole[4000];
	size_t at = 0;
	struct ip4_header header;

	assert_int_equal(send_to(PEER, sizeof(whole), false), 0);
	assert_int_equal(f.sent_count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		const uint8_t *sent = ip4_sent(&f, i, &header);

		assert_int_equal(header.fragment_offset, at);
		assert_int_equal(header.more_fragments, i < 2);
		memcpy(whole + at, sent + 20, header.total_length - 20u);
		at += header.total_length - 20u;
	}
	assert_int_equal(at, sizeof(whole));
	for (size_t i = 0; i < sizeof(whole); i++)
		assert_int_equal(whole[i], (uint8_t)(i * 7));
}

static void test_send_with_df_says_emsgsize(void **state __unused)
{
	assert_int_equal(send_to(PEER, 1480, true), 0);
	assert_int_equal(send_to(PEER, 1481, true), -EMSGSIZE);
	assert_int_equal(f.sent_count, 1);
	assert_int_equal(send_to(PEER, 65516, false), -EMSGSIZE);
}

static void test_send_without_route(void **state __unused)
{
	const struct route route = {0};

	net_lock(&f.net);
	assert_int_equal(route_delete(&f.net, &route), 0);
	net_unlock(&f.net);
	assert_int_equal(send_to(FAR, 10, false), -ENETUNREACH);
	assert_int_equal(fixture_drops(&f, DROP_IP4_NO_ROUTE), 1);
	assert_int_equal(f.sent_count, 0);
}

static void test_send_multicast_and_broadcast_addresses(void **state __unused)
{
	static const uint8_t group_mac[] = {0x01, 0x00, 0x5e, 0x01, 0x02, 0x03};
	struct ip4_header header;

	assert_int_equal(send_to(GROUP, 10, false), 0);
	assert_int_equal(send_to(SUBNET_BROADCAST, 10, false), 0);
	assert_int_equal(send_to(IP4_BROADCAST, 10, false), 0);
	assert_memory_equal(fixture_sent(&f, 0)->bytes, group_mac, 6);
	ip4_sent(&f, 0, &header);
	assert_int_equal(header.ttl, 1);
	assert_memory_equal(fixture_sent(&f, 1)->bytes, MAC_BROADCAST.bytes, 6);
	assert_memory_equal(fixture_sent(&f, 2)->bytes, MAC_BROADCAST.bytes, 6);
}

/* Those on this host hear it too (RFC 1112 6.1); on lo that is the packet itself, and no copy. */
static void test_broadcast_by_lo(void **state __unused)
{
	struct socket *socket = make_bound(&f, 0, 5000), *sender = make_socket(&f, SOCK_DGRAM, 0);
	uint8_t byte;

	assert_int_equal(set_option(sender, SOL_SOCKET, SO_BROADCAST, 1), 0);
	assert_int_equal(socket_setsockopt(sender, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
	assert_int_equal(do_send(sender, IP4_BROADCAST, 5000, "x", 1), 1);
	fixture_run(&f);
	assert_int_equal(do_receive(socket, &byte, 1, NULL), 1);
	assert_int_equal(do_receive(socket, &byte, 1, NULL), -EAGAIN);
	assert_int_equal(f.sent_count, 0);
	socket_close(socket);
	socket_close(sender);
}

/* Each allocation fails in turn: for the headers, for the copy that we hear, for pieces. */
static void test_send_without_memory(void **state __unused)
{
	static const struct {
		ip4_t destination;
		size_t n, headroom;
	} cases[] = {{PEER, 10, 0}, {SUBNET_BROADCAST, 10, 0}, {PEER, 4000, SKB_HEADROOM}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t made = 1;

		for (uint64_t nth = 0; nth <= made; nth++) {
			const struct ip4_send how = {.destination = cases[i].destination,
						     .protocol = 200};
			struct sk_buff *skb = skb_alloc(&f.net, cases[i].headroom + cases[i].n);

			skb_reserve(skb, cases[i].headroom);
			memset(skb_put(skb, cases[i].n), 0, cases[i].n);
			host_fail_allocation(nth);
			net_lock(&f.net);
			int error = ip4_send(&f.net, skb, &how);

			net_unlock(&f.net);
			if (nth == 0)
				made = host_allocations_made();
			host_fail_allocation(0);
			fixture_run(&f);
			assert_true(error == 0 || error == -ENOMEM);
			assert_int_equal(f.net.live_skbs, 0);
		}
		assert_true(made > 0);
		assert_still_answers(&f);
	}
	assert_true(fixture_drops(&f, DROP_NO_MEMORY) > 0);
}

/* What is sent to an unresolved neighbour fails three seconds later, and the sender hears so. */
static void test_unreachable_neighbour(void **state __unused)
{
	assert_int_equal(send_to(IP4(10, 0, 0, 77), 10, false), 0);
	fixture_advance(&f, 10 * USEC_PER_SEC);
	assert_int_equal(fixture_drops(&f, DROP_ARP_UNRESOLVED), 1);
	assert_still_answers(&f);
}

static void test_address_on_lo_by_itself(void **state __unused)
{
	net_lock(&f.net);
	const struct ip4_address *address = ip4_primary_address(f.net.loopback);

	net_unlock(&f.net);
	assert_non_null(address);
	assert_int_equal(address->address, IP4_LOOPBACK);
	assert_int_equal(address->prefix_length, 8);
}

static void test_second_address_of_a_subnet(void **state __unused)
{
	struct route_result route;

	net_lock(&f.net);
	assert_int_equal(ip4_add_address(&f.dev, IP4(10, 0, 0, 9), 24, 0), 0);
	assert_int_equal(ip4_add_address(&f.dev, IP4(10, 0, 0, 9), 24, 0), -EEXIST);
	assert_int_equal(route_lookup(&f.net, PEER, 0, 0, &route), 0);
	assert_int_equal(route.source, OURS);
	assert_int_equal(ip4_remove_address(&f.dev, OURS), 0);
	assert_int_equal(route_lookup(&f.net, PEER, 0, 0, &route), 0);
	assert_int_equal(route.source, IP4(10, 0, 0, 9));
	assert_int_equal(ip4_remove_address(&f.dev, OURS), -EADDRNOTAVAIL);
	net_unlock(&f.net);
}

static void test_impossible_addresses(void **state __unused)
{
	net_lock(&f.net);
	assert_int_equal(ip4_add_address(&f.dev, IP4(127, 0, 0, 2), 8, 0), -EINVAL);
	assert_int_equal(ip4_add_address(&f.dev, GROUP, 8, 0), -EINVAL);
	assert_int_equal(ip4_add_address(&f.dev, 0, 8, 0), -EINVAL);
	assert_int_equal(ip4_add_address(&f.dev, IP4(10, 1, 0, 1), 33, 0), -EINVAL);
	net_unlock(&f.net);
}

static void test_device_down_and_up(void **state __unused)
{
	struct route_result route;

	net_lock(&f.net);
	netdev_down(&f.dev);
	assert_int_equal(route_lookup(&f.net, PEER, 0, 0, &route), -ENETUNREACH);
	assert_int_equal(netdev_up(&f.dev), 0);
	assert_int_equal(route_lookup(&f.net, PEER, 0, 0, &route), 0);
	assert_int_equal(route_lookup(&f.net, FAR, 0, 0, &route), -ENETUNREACH);
	net_unlock(&f.net);
	assert_int_equal(f.sent_count, 1); /* the address is announced again */
	assert_int_equal(get_be16(fixture_sent(&f, 0)->bytes + 12), ETHERTYPE_ARP);
	assert_still_answers(&f);
}

static struct net_device second;
static struct fixture_frame *forwarded[8];
static uint32_t forwarded_count;

static void second_xmit(struct net_device *dev __unused, struct sk_buff *skb)
{
	struct fixture_frame *frame = malloc(sizeof(*frame) + skb->len);

	assert_non_null(frame);
	assert_true(forwarded_count < ARRAY_SIZE(forwarded));
	frame->length = skb->len;
	skb_copy_bits(skb, 0, frame->bytes, skb->len);
	forwarded[forwarded_count++] = frame;
	skb_free(skb);
}

static const struct net_device_ops second_ops = {.xmit = second_xmit};

static int setup_router(void **state)
{
	const struct mac mac = {{0x02, 0, 0, 0, 1, 1}};

	setup(state);
	forwarded_count = 0;
	netdev_init_ethernet(&second, mac, &second_ops, NULL);
	assert_int_equal(netdev_register(&f.net, &second, "eth%d"), 0);
	net_lock(&f.net);
	second.mtu = 600;
	assert_int_equal(netdev_up(&second), 0);
	assert_int_equal(ip4_add_address(&second, IP4(10, 9, 0, 1), 24, 0), 0);
	assert_int_equal(arp_set_permanent(&second, IP4(10, 9, 0, 2), FIXTURE_PEER, true), 0);
	net_unlock(&f.net);
	while (forwarded_count)
		free(forwarded[--forwarded_count]);
	ip4_stack(&f.net)->settings.ip_forward = 1;
	return 0;
}

static int teardown_router(void **state)
{
	while (forwarded_count)
		free(forwarded[--forwarded_count]);
	netdev_unregister(&second);
	return teardown(state);
}

static const uint8_t *arrives_to_be_forwarded(const struct ip4_spec *spec, size_t n,
					      struct ip4_header *header)
{
	uint8_t payload[1400] = {0};

	fixture_advance(&f, 10 * USEC_PER_SEC);
	fixture_clear_sent(&f);
	ip4_arrives(&f, packet, ip4_make(packet, spec, payload, n));
	return f.sent_count ? ip4_sent(&f, 0, header) : NULL;
}

static void test_forwarding(void **state __unused)
{
	const struct ip4_spec spec = {.destination = IP4(10, 9, 0, 2), .ttl = 9};
	struct ip4_header header;

	assert_null(arrives_to_be_forwarded(&spec, 100, &header));
	assert_int_equal(forwarded_count, 1);
	assert_int_equal(ip4_parse(forwarded[0]->bytes + 14, 120, 120, &header), DROP_NONE);
	assert_int_equal(header.ttl, 8);
	assert_int_equal(header.source, PEER);
	assert_still_answers(&f);
}

static void test_forwarding_fragments(void **state __unused)
{
	const struct ip4_spec spec = {.destination = IP4(10, 9, 0, 2)};
	struct ip4_header header;

	arrives_to_be_forwarded(&spec, 1000, &header);
	assert_int_equal(forwarded_count, 2);
	assert_int_equal(forwarded[0]->length, 14 + 20 + 576);
	assert_int_equal(forwarded[1]->length, 14 + 20 + 424);
}

static void test_forwarding_refuses_df_ttl_and_no_route(void **state __unused)
{
	const struct ip4_spec df = {.destination = IP4(10, 9, 0, 2), .fragment = 0x4000};
	const struct ip4_spec last_hop = {.destination = IP4(10, 9, 0, 2), .ttl = 1};
	const struct route route = {.dev = &f.dev};
	struct ip4_header header;
	const uint8_t *sent = arrives_to_be_forwarded(&df, 1000, &header);

	assert_non_null(sent);
	assert_int_equal(sent[20], ICMP_DEST_UNREACH);
	assert_int_equal(sent[21], ICMP_FRAG_NEEDED);
	assert_int_equal(get_be16(sent + 26), 600);
	sent = arrives_to_be_forwarded(&last_hop, 100, &header);
	assert_int_equal(sent[20], ICMP_TIME_EXCEEDED);
	assert_int_equal(fixture_drops(&f, DROP_IP4_TTL_EXPIRED), 1);

	/* RFC 1122 3.2.2: never about a fragment that is not the first. */
	const struct ip4_spec later = {.destination = IP4(10, 9, 0, 2), .ttl = 1, .fragment = 100};

	assert_null(arrives_to_be_forwarded(&later, 100, &header));

	net_lock(&f.net);
	route_delete(&f.net, &route);
	net_unlock(&f.net);
	const struct ip4_spec nowhere = {.destination = FAR};

	sent = arrives_to_be_forwarded(&nowhere, 100, &header);
	assert_int_equal(sent[20], ICMP_DEST_UNREACH);
	assert_int_equal(sent[21], ICMP_NET_UNREACH);
	assert_int_equal(forwarded_count, 0);
}

/* RFC 1812 5.3: what came in a frame to many, from nobody, or is for nobody in particular. */
static void test_forwarding_refuses_what_is_not_one_to_one(void **state __unused)
{
	const struct ip4_spec spec = {.destination = IP4(10, 9, 0, 2)};
	const struct ip4_spec to_all = {.destination = IP4(10, 9, 0, 255)};
	const struct route reject = {
		.destination = FAR, .prefix_length = 32, .type = ROUTE_UNREACHABLE};
	const struct ip4_spec nowhere = {.destination = FAR};
	struct ip4_header header;
	uint8_t payload[8] = {0};
	size_t n = ip4_make(packet, &spec, payload, sizeof(payload));

	ip4_arrives_broadcast(&f, packet, n);
	assert_int_equal(fixture_drops(&f, DROP_IP4_UNICAST_IN_BROADCAST), 1);
	put_be32(packet + 12, 0);
	ip4_fix_checksum(packet);
	ip4_arrives(&f, packet, n);
	assert_int_equal(fixture_drops(&f, DROP_IP4_BAD_SOURCE), 1);
	/* Directed broadcasts of another link of ours are ours: RFC 2644. */
	assert_null(arrives_to_be_forwarded(&to_all, 8, &header));
	net_lock(&f.net);
	assert_int_equal(route_add(&f.net, &reject), 0);
	net_unlock(&f.net);
	const uint8_t *sent = arrives_to_be_forwarded(&nowhere, 8, &header);

	assert_int_equal(sent[20], ICMP_DEST_UNREACH);
	assert_int_equal(sent[21], ICMP_HOST_UNREACH);
	assert_int_equal(forwarded_count, 0);
}

/* IGMP of a host without an address (RFC 3376 4.2.13) is for routers, and not sent on. */
static void test_forwarding_and_igmp_from_nobody(void **state __unused)
{
	const struct ip4_spec spec = {.destination = IP4(10, 9, 0, 2), .protocol = IPPROTO_IGMP};
	size_t n = ip4_make(packet, &spec, "abcdefgh", 8);

	put_be32(packet + 12, 0);
	ip4_fix_checksum(packet);
	ip4_arrives(&f, packet, n);
	assert_int_equal(fixture_drops(&f, DROP_IP4_NOT_FOR_US), 1);
	assert_int_equal(forwarded_count, 0);
	assert_still_answers(&f);
}

/* A promiscuous device brings what was for others: taps see it, IP does not. */
static void test_frames_for_others_are_not_forwarded(void **state __unused)
{
	const struct ip4_spec spec = {.destination = IP4(10, 9, 0, 2)};
	static const struct mac other = {{2, 2, 2, 2, 2, 2}};
	size_t n = ip4_make(packet, &spec, "abcdefgh", 8);

	net_lock(&f.net);
	netdev_promiscuous(&f.dev, 1);
	net_unlock(&f.net);
	fixture_receive_ethernet(&f, other, FIXTURE_PEER, ETHERTYPE_IP4, packet, n);
	assert_int_equal(fixture_drops(&f, DROP_ETH_OTHER_HOST), 1);
	assert_int_equal(forwarded_count, 0);
	net_lock(&f.net);
	netdev_promiscuous(&f.dev, -1);
	net_unlock(&f.net);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define ROUTER_TEST(name) cmocka_unit_test_setup_teardown(name, setup_router, teardown_router)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_send_on_the_link_and_by_the_gateway),
		TEST(test_send_fragments_that_join_again),
		TEST(test_send_with_df_says_emsgsize),
		TEST(test_send_without_route),
		TEST(test_send_multicast_and_broadcast_addresses),
		TEST(test_broadcast_by_lo),
		TEST(test_send_without_memory),
		TEST(test_unreachable_neighbour),
		TEST(test_address_on_lo_by_itself),
		TEST(test_second_address_of_a_subnet),
		TEST(test_impossible_addresses),
		TEST(test_device_down_and_up),
		ROUTER_TEST(test_forwarding),
		ROUTER_TEST(test_forwarding_fragments),
		ROUTER_TEST(test_forwarding_refuses_df_ttl_and_no_route),
		ROUTER_TEST(test_forwarding_refuses_what_is_not_one_to_one),
		ROUTER_TEST(test_forwarding_and_igmp_from_nobody),
		ROUTER_TEST(test_frames_for_others_are_not_forwarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
