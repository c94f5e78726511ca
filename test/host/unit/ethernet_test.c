/* Ethernet framing: every check on the way in, with its named counter, and the way out. */
#include "test/host/unit/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/byteorder.h"
#include "kernel/mm/page.h"
#include "net/ethernet/ethernet.h"

static struct fixture f;
static uint32_t taken;
static uint32_t taken_length;
static uint8_t taken_type;

#define TEST_TYPE 0x9999

/*
 * The protocol that stands for all above: proves after each bad frame that the stack still
 * receives.
 */
static void take(struct net_device *dev __unused, struct sk_buff *skb)
{
	taken++;
	taken_length = skb->len;
	taken_type = skb->packet_type;
	assert_ptr_equal(skb_link_header(skb) + ETHERNET_HEADER_LENGTH, skb->data);
	skb_free(skb);
}

static struct link_protocol taker = {.ethertype = TEST_TYPE, .receive = take};

static int set_up(void **state __unused)
{
	fixture_init(&f);
	link_protocol_register(&f.net, &taker);
	taken = 0;
	return 0;
}

static int tear_down(void **state __unused)
{
	list_remove(&taker.link);
	fixture_destroy(&f);
	return 0;
}

static void assert_still_alive(void)
{
	uint32_t before = taken;

	fixture_receive_ethernet(&f, FIXTURE_MAC, FIXTURE_PEER, TEST_TYPE, "ping", 4);
	assert_int_equal(taken, before + 1);
	assert_int_equal(taken_length, 4);
}

/* A frame of n bytes to us. */
static void receive_of_length(size_t n, uint16_t type)
{
	uint8_t *frame = calloc(1, MAX(n, (size_t)ETHERNET_HEADER_LENGTH));

	memcpy(frame, FIXTURE_MAC.bytes, 6);
	memcpy(frame + 6, FIXTURE_PEER.bytes, 6);
	put_be16(frame + 12, type);
	fixture_receive(&f, frame, n);
	free(frame);
}

static void frames_too_short(void **state __unused)
{
	const size_t lengths[] = {0, 1, 13};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		receive_of_length(lengths[i], TEST_TYPE);
		assert_int_equal(fixture_drops(&f, DROP_ETH_SHORT), i + 1);
		assert_still_alive();
	}
	assert_int_equal(f.dev.statistics.rx_frame, 3);
}

static void shortest_and_longest(void **state __unused)
{
	receive_of_length(14, TEST_TYPE);
	assert_int_equal(taken, 1);
	assert_int_equal(taken_length, 0);
	receive_of_length(1514, TEST_TYPE);
	assert_int_equal(taken, 2);
	assert_int_equal(taken_length, 1500);
}

static void frames_too_long(void **state __unused)
{
	const size_t lengths[] = {1515, 9000, 65535};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		receive_of_length(lengths[i], TEST_TYPE);
		assert_int_equal(fixture_drops(&f, DROP_FRAME_TOO_LONG), i + 1);
		assert_still_alive();
	}
}

static void large_receive_offload_may_be_long(void **state __unused)
{
	struct sk_buff *skb = skb_alloc(&f.net, 9000);

	memset(skb_put(skb, 9000), 0, 9000);
	memcpy(skb->data, FIXTURE_MAC.bytes, 6);
	memcpy(skb->data + 6, FIXTURE_PEER.bytes, 6);
	put_be16(skb->data + 12, TEST_TYPE);
	skb->gso_size = 1448;
	net_lock(&f.net);
	netif_receive(&f.dev, skb);
	net_unlock(&f.net);
	assert_int_equal(taken_length, 8986);
}

static void lengths_of_802_3(void **state __unused)
{
	const uint16_t types[] = {0, 46, 1500, 0x05ff};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		receive_of_length(60, types[i]); /* most are beyond the frame, too */
		assert_int_equal(fixture_drops(&f, DROP_ETH_LENGTH), i + 1);
		assert_still_alive();
	}
}

static void vlan_tags_whole_and_cut(void **state __unused)
{
	for (size_t n = 14; n <= 18; n++) {
		receive_of_length(n, ETHERTYPE_VLAN);
		assert_int_equal(fixture_drops(&f, DROP_ETH_VLAN), n - 13);
		assert_still_alive();
	}
}

static void source_addresses_that_cannot_be(void **state __unused)
{
	const struct mac multicast = {{0x01, 0, 0x5e, 0, 0, 1}};

	fixture_receive_ethernet(&f, FIXTURE_MAC, MAC_BROADCAST, TEST_TYPE, "x", 1);
	fixture_receive_ethernet(&f, FIXTURE_MAC, multicast, TEST_TYPE, "x", 1);
	assert_int_equal(fixture_drops(&f, DROP_ETH_BAD_SOURCE), 2);
	assert_still_alive();
}

static void destinations(void **state __unused)
{
	const struct mac group = {{0x01, 0, 0x5e, 0, 0, 7}}, other = {{2, 2, 2, 2, 2, 2}};

	fixture_receive_ethernet(&f, other, FIXTURE_PEER, TEST_TYPE, "x", 1);
	assert_int_equal(fixture_drops(&f, DROP_ETH_OTHER_HOST), 1);
	fixture_receive_ethernet(&f, MAC_BROADCAST, FIXTURE_PEER, TEST_TYPE, "x", 1);
	assert_int_equal(taken_type, SKB_BROADCAST);
	assert_int_equal(taken, 1);
	fixture_receive_ethernet(&f, group, FIXTURE_PEER, TEST_TYPE, "x", 1);
	assert_int_equal(fixture_drops(&f, DROP_ETH_OTHER_HOST), 2);
	net_lock(&f.net);
	assert_int_equal(netdev_multicast_join(&f.dev, group), 0);
	net_unlock(&f.net);
	fixture_receive_ethernet(&f, group, FIXTURE_PEER, TEST_TYPE, "x", 1);
	assert_int_equal(taken_type, SKB_MULTICAST);
	assert_int_equal(taken, 2);
	assert_int_equal(f.dev.statistics.rx_multicast, 2);
	net_lock(&f.net);
	netdev_multicast_leave(&f.dev, group);
	netdev_all_multicast(&f.dev, 1);
	net_unlock(&f.net);
	fixture_receive_ethernet(&f, group, FIXTURE_PEER, TEST_TYPE, "x", 1);
	assert_int_equal(taken, 3);
	net_lock(&f.net);
	netdev_all_multicast(&f.dev, -1);
	netdev_promiscuous(&f.dev, 1);
	net_unlock(&f.net);
	fixture_receive_ethernet(&f, group, FIXTURE_PEER, TEST_TYPE, "x", 1);
	assert_int_equal(taken, 4);
	fixture_receive_ethernet(&f, other, FIXTURE_PEER, TEST_TYPE, "x", 1); /* for taps only */
	assert_int_equal(fixture_drops(&f, DROP_ETH_OTHER_HOST), 3);
	assert_still_alive();
}

static void unknown_types(void **state __unused)
{
	fixture_receive_ethernet(&f, FIXTURE_MAC, FIXTURE_PEER, 0x0600, "x", 1);
	fixture_receive_ethernet(&f, FIXTURE_MAC, FIXTURE_PEER, 0xffff, "x", 1);
	assert_int_equal(fixture_drops(&f, DROP_ETH_UNKNOWN_TYPE), 2);
	assert_still_alive();
}

static void sending_puts_the_header_in_front(void **state __unused)
{
	struct sk_buff *skb = skb_alloc(&f.net, 3); /* no headroom at all */

	memcpy(skb_put(skb, 3), "abc", 3);
	net_lock(&f.net);
	ethernet_send(&f.dev, skb, FIXTURE_PEER, TEST_TYPE);
	net_unlock(&f.net);

	const struct fixture_frame *frame = fixture_sent(&f, 0);

	assert_int_equal(frame->length, 17);
	assert_memory_equal(frame->bytes, FIXTURE_PEER.bytes, 6);
	assert_memory_equal(frame->bytes + 6, FIXTURE_MAC.bytes, 6);
	assert_int_equal(get_be16(frame->bytes + 12), TEST_TYPE);
	assert_memory_equal(frame->bytes + 14, "abc", 3);
}

static void sending_without_memory(void **state __unused)
{
	struct sk_buff *skb = skb_alloc(&f.net, 3);

	host_fail_allocation(1);
	net_lock(&f.net);
	ethernet_send(&f.dev, skb, FIXTURE_PEER, TEST_TYPE);
	net_unlock(&f.net);
	host_fail_allocation(0);
	assert_int_equal(fixture_drops(&f, DROP_NO_MEMORY), 1);
	assert_int_equal(f.sent_count, 0);
	assert_still_alive();
}

static void header_in_a_fragment(void **state __unused)
{
	struct sk_buff *skb = skb_alloc(&f.net, 0);
	struct page *page = page_alloc_zeroed();
	uint8_t *bytes = page_address(page);

	memcpy(bytes, FIXTURE_MAC.bytes, 6);
	memcpy(bytes + 6, FIXTURE_PEER.bytes, 6);
	put_be16(bytes + 12, TEST_TYPE);
	assert_int_equal(skb_add_fragment(skb, page, 0, 100), 0);
	net_lock(&f.net);
	netif_receive(&f.dev, skb);
	net_unlock(&f.net);
	assert_int_equal(taken_length, 86);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(frames_too_short),
		TEST(shortest_and_longest),
		TEST(frames_too_long),
		TEST(large_receive_offload_may_be_long),
		TEST(lengths_of_802_3),
		TEST(vlan_tags_whole_and_cut),
		TEST(source_addresses_that_cannot_be),
		TEST(destinations),
		TEST(unknown_types),
		TEST(sending_puts_the_header_in_front),
		TEST(sending_without_memory),
		TEST(header_in_a_fragment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
