/* Reassembly: every order, the caps, the lifetime, and hostile fragments by name. */
#include "test/host/unit/ip4_fixture.h"

#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/ipv4_options.h"

static struct fixture f;
static uint8_t packet[70000];
static uint8_t datagram[66000]; /* an ICMP echo request, header and all */
static uint16_t next_id;

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

/* An echo request of n bytes of ICMP in all, to be cut. */
static void make_datagram(size_t n)
{
	uint8_t payload[66000];

	for (size_t i = 0; i < n - 8; i++)
		payload[i] = (uint8_t)(i * 13);
	icmp_make(datagram, ICMP_ECHO, 0, 0x00070001, payload, n - 8);
	next_id++;
}

static void fragment_of(uint16_t id, size_t offset, size_t length, bool more)
{
	const struct ip4_spec spec = {
		.protocol = IPPROTO_ICMP,
		.id = id,
		.fragment = (uint16_t)(offset / 8 | (more ? FRAGMENT_MORE : 0))};

	ip4_arrives(&f, packet, ip4_make(packet, &spec, datagram + offset, length));
}

static void fragment(size_t offset, size_t length, bool more)
{
	fragment_of(next_id, offset, length, more);
}

static uint64_t replies(void)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < f.sent_count; i++) {
		struct ip4_header header;
		const uint8_t *sent = ip4_sent(&f, i, &header);

		count += header.protocol == IPPROTO_ICMP && header.fragment_offset == 0 &&
			 sent[20] == ICMP_ECHOREPLY;
	}
	return count;
}

static uint32_t waiting(void)
{
	return ip4_stack(&f.net)->reassembly.table.count;
}

static void assert_nothing_waits(void)
{
	assert_int_equal(waiting(), 0);
	assert_int_equal(ip4_stack(&f.net)->reassembly.bytes, 0);
	assert_still_answers(&f);
}

static void test_in_order_and_every_other_order(void **state __unused)
{
	static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		make_datagram(1000);
		fixture_clear_sent(&f);
		for (size_t j = 0; j < 3; j++) {
			assert_int_equal(f.sent_count, 0);
			fragment(orders[i][j] * 400u, orders[i][j] == 2 ? 200 : 400,
				 orders[i][j] < 2);
		}
		assert_int_equal(replies(), 1);
		assert_memory_equal(fixture_sent(&f, 0)->bytes + 14 + 20 + 8, datagram + 8, 992);
	}
	assert_nothing_waits();
}

static void test_exact_repetition_is_tolerated(void **state __unused)
{
	make_datagram(1000);
	fragment(0, 400, true);
	fragment(0, 400, true);
	fragment(800, 200, false);
	fragment(800, 200, false);
	fragment(400, 400, true);
	assert_int_equal(replies(), 1);
	assert_nothing_waits();
}

static void test_overlap_discards_the_datagram(void **state __unused)
{
	make_datagram(1000);
	fragment(0, 400, true);
	fragment(392, 408, true);
	assert_int_equal(fixture_drops(&f, DROP_FRAGMENT_OVERLAP), 2);
	assert_nothing_waits();
	make_datagram(1000);
	fragment(392, 408, true);
	fragment(0, 400, true);
	assert_int_equal(fixture_drops(&f, DROP_FRAGMENT_OVERLAP), 4);
	make_datagram(1000);
	fragment(0, 800, true);
	fragment(400, 200, true); /* within */
	assert_int_equal(fixture_drops(&f, DROP_FRAGMENT_OVERLAP), 6);
	assert_nothing_waits();
}

static void test_teardrop(void **state __unused)
{
	make_datagram(1000);
	fragment(0, 40, true);
	fragment(24, 4, false);
	assert_int_equal(f.sent_count, 0);
	assert_int_equal(fixture_drops(&f, DROP_FRAGMENT_MALFORMED), 2); /* the end lies inside */
	assert_nothing_waits();
}

static void test_ping_of_death(void **state __unused)
{
	make_datagram(65000);
	for (size_t offset = 0; offset < 65000; offset += 1000)
		fragment(offset, 1000, true);
	fragment(65528, 100, false);
	assert_int_equal(fixture_drops(&f, DROP_FRAGMENT_MALFORMED), 1);
	assert_int_equal(replies(), 0);
	fixture_advance(&f, 31 * USEC_PER_SEC);
	assert_nothing_waits();
}

/* 65512 bytes are not too long, but with the first header's options they are. */
static void test_options_make_it_too_long(void **state __unused)
{
	static const uint8_t options[40] = {IP4_OPTION_NOP};
	const struct ip4_spec first = {.protocol = IPPROTO_ICMP,
				       .id = next_id + 1,
				       .fragment = FRAGMENT_MORE,
				       .options = options,
				       .options_length = sizeof(options)};

	make_datagram(65512);
	ip4_arrives(&f, packet, ip4_make(packet, &first, datagram, 1000));
	for (size_t offset = 1000; offset < 65512; offset += 1000)
		fragment(offset, MIN(1000u, 65512 - offset), offset + 1000 < 65512);
	assert_int_equal(fixture_drops(&f, DROP_FRAGMENT_MALFORMED), 66);
	assert_int_equal(replies(), 0);
	assert_nothing_waits();
}

static void test_largest_datagram(void **state __unused)
{
	make_datagram(65515);
	for (size_t offset = 0; offset < 65515; offset += 1480)
		fragment(offset, MIN(1480u, 65515 - offset), offset + 1480 < 65515);
	assert_int_equal(replies(), 1);
	assert_int_equal(f.sent_count, 45);
	assert_nothing_waits();
}

static void test_one_byte_last_fragment(void **state __unused)
{
	make_datagram(1001);
	fragment(0, 1000, true);
	fragment(1000, 1, false);
	assert_int_equal(replies(), 1);
	assert_nothing_waits();
}

static void test_middle_fragment_not_a_multiple_of_8(void **state __unused)
{
	make_datagram(1000);
	fragment(0, 401, true);
	assert_int_equal(fixture_drops(&f, DROP_FRAGMENT_MALFORMED), 1);
	assert_nothing_waits();
}

static void test_zero_length_fragment(void **state __unused)
{
	make_datagram(1000);
	fragment(400, 0, true);
	fragment(400, 0, false);
	assert_int_equal(fixture_drops(&f, DROP_FRAGMENT_MALFORMED), 2);
	assert_nothing_waits();
}

static void test_two_last_fragments_with_different_ends(void **state __unused)
{
	make_datagram(1000);
	fragment(800, 200, false);
	fragment(800, 100, false);
	assert_int_equal(fixture_drops(&f, DROP_FRAGMENT_MALFORMED), 2);
	assert_nothing_waits();
	make_datagram(1000);
	fragment(400, 200, false);
	fragment(800, 200, true); /* beyond the end */
	assert_int_equal(fixture_drops(&f, DROP_FRAGMENT_MALFORMED), 4);
	assert_nothing_waits();
}

static void test_first_fragment_of_8_bytes(void **state __unused)
{
	make_datagram(1000);
	fragment(0, 8, true);
	fragment(8, 992, false);
	assert_int_equal(replies(), 1);
	assert_nothing_waits();
}

static void test_lifetime_and_time_exceeded(void **state __unused)
{
	struct ip4_header header;

	make_datagram(1000);
	fragment(0, 400, true);
	make_datagram(1000);
	fragment(400, 400, true); /* another, without its first */
	fixture_advance(&f, 29 * USEC_PER_SEC);
	assert_int_equal(waiting(), 2);
	assert_int_equal(f.sent_count, 0);
	fixture_advance(&f, 2 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 1);
	const uint8_t *sent = ip4_sent(&f, 0, &header);

	assert_int_equal(sent[20], ICMP_TIME_EXCEEDED);
	assert_int_equal(sent[21], ICMP_EXC_FRAGTIME);
	assert_int_equal(fixture_drops(&f, DROP_FRAGMENT_TIMEOUT), 2);
	assert_nothing_waits();
}

static void test_incomplete_datagrams_4096(void **state __unused)
{
	make_datagram(1000);
	for (uint32_t id = 0; id < 4096; id++)
		fragment_of((uint16_t)id, 400, 400, true);
	assert_int_equal(waiting(), REASSEMBLY_DATAGRAMS_MAX);
	assert_int_equal(fixture_drops(&f, DROP_FRAGMENT_LIMIT), 4096 - REASSEMBLY_DATAGRAMS_MAX);
	assert_still_answers(&f);
	/* The newest are the ones that are kept. */
	fragment_of(4095, 0, 400, true);
	fragment_of(4095, 800, 200, false);
	assert_int_equal(replies(), 1);
	fixture_advance(&f, 31 * USEC_PER_SEC);
	assert_nothing_waits();
}

static void test_memory_cap(void **state __unused)
{
	ip4_stack(&f.net)->settings.ipfrag_high_thresh = 20000;
	make_datagram(1000);
	for (uint32_t id = 0; id < 100; id++) {
		fragment_of((uint16_t)id, 0, 400, true);
		assert_true(ip4_stack(&f.net)->reassembly.bytes <= 20000);
	}
	assert_true(waiting() < 30);
	fixture_advance(&f, 31 * USEC_PER_SEC);
	assert_nothing_waits();
}

static void test_one_datagram_in_8_byte_fragments(void **state __unused)
{
	make_datagram(60000);
	for (size_t offset = 60000 - 8; offset > 0;
	     offset -= 8) /* the worst order is from behind */
		fragment(offset, 8, true);
	assert_true(waiting() <= 1);
	assert_true(fixture_drops(&f, DROP_FRAGMENT_LIMIT) > 0);
	assert_true(ip4_stack(&f.net)->reassembly.bytes < 1 << 20);
	fixture_advance(&f, 31 * USEC_PER_SEC);
	assert_nothing_waits();
}

/* No room even for one: the fragment itself is what goes. */
static void test_no_room_at_all(void **state __unused)
{
	ip4_stack(&f.net)->settings.ipfrag_high_thresh = 0;
	make_datagram(1000);
	fragment(0, 400, true);
	assert_int_equal(fixture_drops(&f, DROP_FRAGMENT_LIMIT), 1);
	assert_nothing_waits();
}

/* A datagram that alone is more than the room that there is goes as a whole. */
static void test_one_datagram_beyond_the_room(void **state __unused)
{
	ip4_stack(&f.net)->settings.ipfrag_high_thresh = 5000;
	make_datagram(60000);
	for (size_t offset = 0; fixture_drops(&f, DROP_FRAGMENT_LIMIT) == 0; offset += 1000)
		fragment(offset, 1000, true);
	assert_nothing_waits();
}

/* Like its predecessor, but for the end: not a repetition. */
static void test_same_start_and_another_end(void **state __unused)
{
	make_datagram(1000);
	fragment(400, 200, true);
	fragment(400, 208, true);
	assert_int_equal(fixture_drops(&f, DROP_FRAGMENT_OVERLAP), 2);
	assert_nothing_waits();
}

/* The stack is taken down: the test's end finds nothing left. */
static void test_fragments_wait_at_the_end(void **state __unused)
{
	make_datagram(1000);
	fragment(0, 400, true);
	make_datagram(1000);
	fragment(400, 400, true);
	assert_int_equal(waiting(), 2);
}

static void test_no_memory_for_the_whole(void **state __unused)
{
	static uint8_t frame[1500];
	const struct ip4_spec spec = {.protocol = IPPROTO_ICMP, .id = 77, .fragment = 1};
	struct sk_buff *skb;

	make_datagram(1000);
	next_id = 77;
	fragment(0, 8, true);
	/* The last one is in the driver's own memory, so the next allocation is the whole's. */
	memcpy(frame, FIXTURE_MAC.bytes, MAC_LENGTH);
	memcpy(frame + MAC_LENGTH, FIXTURE_PEER.bytes, MAC_LENGTH);
	put_be16(frame + 12, ETHERTYPE_IP4);
	size_t n = ETHERNET_HEADER_LENGTH +
		   ip4_make(frame + ETHERNET_HEADER_LENGTH, &spec, datagram + 8, 992);

	skb = skb_alloc(&f.net, n);
	memcpy(skb_put(skb, n), frame, n);
	host_fail_allocation(1);
	net_lock(&f.net);
	netif_receive(&f.dev, skb);
	net_unlock(&f.net);
	fixture_run(&f);
	host_fail_allocation(0);
	assert_int_equal(fixture_drops(&f, DROP_NO_MEMORY), 2);
	assert_nothing_waits();
}

static void test_interface_goes_with_fragments_waiting(void **state __unused)
{
	make_datagram(1000);
	fragment(0, 400, true);
	net_lock(&f.net);
	netdev_down(&f.dev);
	assert_int_equal(waiting(), 0);
	assert_int_equal(netdev_up(&f.dev), 0);
	net_unlock(&f.net);
	assert_nothing_waits();
}

/* Not the same datagram: another identification, protocol, source or destination. */
static void test_datagrams_are_kept_apart(void **state __unused)
{
	struct ip4_spec spec = {.protocol = IPPROTO_ICMP, .id = 5, .fragment = FRAGMENT_MORE};

	make_datagram(16);
	ip4_arrives(&f, packet, ip4_make(packet, &spec, datagram, 8));
	spec.fragment = 1;
	spec.source = IP4(10, 0, 0, 3);
	ip4_arrives(&f, packet, ip4_make(packet, &spec, datagram + 8, 8));
	spec.source = PEER;
	spec.protocol = IPPROTO_UDP;
	ip4_arrives(&f, packet, ip4_make(packet, &spec, datagram + 8, 8));
	assert_int_equal(waiting(), 3);
	assert_int_equal(f.sent_count, 0);
	spec.protocol = IPPROTO_ICMP;
	ip4_arrives(&f, packet, ip4_make(packet, &spec, datagram + 8, 8));
	assert_int_equal(replies(), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_in_order_and_every_other_order),
		TEST(test_exact_repetition_is_tolerated),
		TEST(test_overlap_discards_the_datagram),
		TEST(test_teardrop),
		TEST(test_ping_of_death),
		TEST(test_options_make_it_too_long),
		TEST(test_largest_datagram),
		TEST(test_one_byte_last_fragment),
		TEST(test_middle_fragment_not_a_multiple_of_8),
		TEST(test_zero_length_fragment),
		TEST(test_two_last_fragments_with_different_ends),
		TEST(test_first_fragment_of_8_bytes),
		TEST(test_lifetime_and_time_exceeded),
		TEST(test_incomplete_datagrams_4096),
		TEST(test_memory_cap),
		TEST(test_one_datagram_in_8_byte_fragments),
		TEST(test_no_room_at_all),
		TEST(test_one_datagram_beyond_the_room),
		TEST(test_same_start_and_another_end),
		TEST(test_fragments_wait_at_the_end),
		TEST(test_no_memory_for_the_whole),
		TEST(test_interface_goes_with_fragments_waiting),
		TEST(test_datagrams_are_kept_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
