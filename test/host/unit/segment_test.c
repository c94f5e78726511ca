/*
 * Large packets: cut in software (net/core/segment.c), and carried whole by those who can. Every
 * segment must be a TCP packet that a receiver would take, and together they must be the whole.
 */
#include "test/host/unit/large_packet.h"

#include <string.h>

#include "kernel/byteorder.h"
#include "kernel/mm/page.h"
#include "net/core/checksum.h"

static struct fixture f;

static int set_up(void **state __unused)
{
	ip4_fixture_init(&f);
	return 0;
}

static int tear_down(void **state __unused)
{
	ip4_fixture_destroy(&f);
	return 0;
}

/* A frame of `n` bytes as a receiver sees it: the next part of the payload, at `offset`. */
static uint32_t check_frame(const uint8_t *frame, size_t n, const struct large_packet *large,
			    uint32_t offset, uint32_t index)
{
	const uint8_t *ip = frame + ETHERNET_HEADER_LENGTH, *tcp = ip + IP_LENGTH;
	uint32_t part = (uint32_t)(n - HEADERS), tcp_length = TCP_LENGTH + part;
	bool last = offset + part == large->length;

	assert_int_equal(part, MIN(large->gso_size, large->length - offset));
	assert_int_equal(get_be16(frame + 12), ETHERTYPE_IP4);
	assert_int_equal(get_be16(ip + 2), n - ETHERNET_HEADER_LENGTH);
	assert_int_equal(get_be16(ip + 4), (uint16_t)(ID + index));
	assert_int_equal(get_be16(ip + 6), 0x4000);
	assert_int_equal(checksum_fold(checksum_add(ip, IP_LENGTH, 0)).raw, 0);
	assert_int_equal(get_be32(tcp + 4), SEQUENCE + offset);
	assert_int_equal(get_be32(tcp + 8), 0x12345678);
	uint32_t sum = checksum_pseudo4(OURS, PEER, IPPROTO_TCP, (uint16_t)tcp_length);

	assert_int_equal(checksum_fold(checksum_add(tcp, tcp_length, sum)).raw, 0);
	uint8_t flags = large->flags;

	flags &= last ? 0xff : (uint8_t) ~(FIN | PSH);
	flags &= offset ? (uint8_t)~CWR : 0xff;
	flags &= offset >= URGENT ? (uint8_t)~URG : 0xff;
	assert_int_equal(tcp[13], flags);
	if (flags & URG)
		assert_int_equal(get_be16(tcp + 18), URGENT - offset);
	for (uint32_t i = 0; i < part; i++)
		assert_int_equal(frame[HEADERS + i], large_packet_byte(offset + i));
	return part;
}

/* What dev_xmit sent is `large` in segments. */
static void check_sent(const struct large_packet *large)
{
	uint32_t offset = 0;

	for (uint32_t i = 0; i < f.sent_count; i++) {
		const struct fixture_frame *frame = fixture_sent(&f, i);

		offset += check_frame(frame->bytes, frame->length, large, offset, i);
	}
	assert_int_equal(offset, large->length);
	fixture_clear_sent(&f);
}

static void transmit(struct sk_buff *skb)
{
	net_lock(&f.net);
	dev_xmit(&f.dev, skb);
	net_unlock(&f.net);
}

static void check_cut(struct large_packet large)
{
	transmit(large_packet_make(&f.net, &large));
	assert_int_equal(f.sent_count, (large.length + large.gso_size - 1) / large.gso_size);
	check_sent(&large);
}

static void test_sizes(void **state __unused)
{
	static const uint32_t lengths[] = {1, 8, 1447, 1448, 1449, 2896, 2897, 10000, 65000};
	static const uint16_t sizes[] = {100, 1447, 1448, 1460, 8948, 65000};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		for (size_t j = 0; j < ARRAY_SIZE(sizes); j++)
			check_cut((struct large_packet){.length = lengths[i],
							.linear = MIN(lengths[i], 3000),
							.piece = PAGE_SIZE,
							.gso_size = sizes[j],
							.flags = ACK | PSH});
}

/* Where the payload lies must not matter. */
static void test_layouts(void **state __unused)
{
	for (uint32_t linear = 0; linear <= 3000; linear += 250)
		for (uint32_t piece = 177; piece <= PAGE_SIZE; piece += 653)
			check_cut((struct large_packet){.length = 3000,
							.linear = linear,
							.piece = piece,
							.gso_size = 536,
							.flags = ACK});
}

static void test_flags(void **state __unused)
{
	static const uint8_t flags[] = {ACK,       ACK | PSH,
					ACK | FIN, ACK | PSH | FIN,
					ACK | CWR, ACK | CWR | ECE | PSH | FIN,
					ACK | URG, ACK | URG | PSH};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		check_cut((struct large_packet){.length = 5000,
						.linear = 100,
						.piece = PAGE_SIZE,
						.gso_size = 1000,
						.flags = flags[i]});
}

/* Cutting shares the pages: only headers, and what was linear, are copied. */
static void test_pages_are_shared(void **state __unused)
{
	const struct large_packet large = {
		.length = 8192, .piece = PAGE_SIZE, .gso_size = 3000, .flags = ACK};
	struct sk_buff *skb = large_packet_make(&f.net, &large), *segment;
	struct page *page = skb->fragments[0].page;
	struct skb_queue segments;

	assert_int_equal(skb_segment(skb, &segments), 0);
	assert_int_equal(segments.length, 3);
	assert_int_equal(page->references, 2);
	segment = skb_queue_first(&segments);
	assert_int_equal(skb_linear_len(segment), HEADERS);
	assert_int_equal(segment->fragment_count, 1);
	assert_ptr_equal(segment->fragments[0].page, page);
	assert_int_equal(segment->gso_size, 0);
	assert_int_equal(segment->checksum, SKB_CHECKSUM_PARTIAL);
	while ((segment = skb_queue_take(&segments)))
		skb_free(segment);
}

/* Refusals */

/* One change to a packet that is right without it. */
struct damage {
	uint32_t at; /* byte of the frame */
	uint8_t value;
};

#define IP_AT ETHERNET_HEADER_LENGTH
#define TCP_AT (ETHERNET_HEADER_LENGTH + IP_LENGTH)

static const struct large_packet USUAL = {
	.length = 3000, .linear = 1000, .piece = PAGE_SIZE, .gso_size = 1000, .flags = ACK};

static void check_refused(struct sk_buff *skb)
{
	struct skb_queue segments;
	uint64_t refused = fixture_drops(&f, DROP_RX_DEVICE_ERROR);

	assert_int_equal(skb_segment(skb, &segments), -EINVAL);
	assert_int_equal(segments.length, 0);
	transmit(skb);
	assert_int_equal(f.sent_count, 0);
	assert_int_equal(fixture_drops(&f, DROP_RX_DEVICE_ERROR), refused + 1);
}

static void test_what_is_no_tcp_packet(void **state __unused)
{
	static const struct damage damages[] = {
		{IP_AT, 0x66},  /* IPv6 */
		{IP_AT, 0x44},  /* header of 16 bytes */
		{IP_AT, 0x4f},  /* TCP would begin elsewhere */
		{IP_AT + 2, 0}, /* total length */
		{IP_AT + 3, 0xff},
		{IP_AT + 6, 0x20}, /* more fragments */
		{IP_AT + 7, 1},    /* a fragment's offset */
		{IP_AT + 9, IPPROTO_UDP},
		{TCP_AT + 12, 0x40}, /* header of 16 bytes */
		{TCP_AT + 13, ACK | SYN},
		{TCP_AT + 13, RST},
	};

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		struct sk_buff *skb = large_packet_make(&f.net, &USUAL);

		skb->data[damages[i].at] = damages[i].value;
		check_refused(skb);
	}
}

static void test_what_is_no_large_packet(void **state __unused)
{
	struct large_packet large = USUAL;
	struct sk_buff *skb;

	large.gso_size = GSO_SIZE_MIN - 1;
	check_refused(large_packet_make(&f.net, &large));
	large = USUAL;
	large.gso_type = 3; /* UDP, virtio's */
	check_refused(large_packet_make(&f.net, &large));
	large.gso_type = SKB_GSO_ECN;
	check_refused(large_packet_make(&f.net, &large));
	large.gso_type = SKB_GSO_TCP6;
	check_refused(large_packet_make(&f.net, &large));
	large = USUAL;
	large.length = large.linear = 0;
	check_refused(large_packet_make(&f.net, &large));
	skb = large_packet_make(&f.net, &USUAL);
	skb->network_offset = 0; /* before the data */
	check_refused(skb);
	skb = large_packet_make(&f.net, &USUAL);
	skb->network_offset = 0xffff; /* not known */
	check_refused(skb);
}

/* Cut anywhere, a header is never read beyond the packet. */
static void test_cut_packets(void **state __unused)
{
	for (uint32_t n = 1; n <= HEADERS; n++) {
		struct sk_buff *skb = large_packet_make(&f.net, &USUAL);

		skb_trim(skb, n);
		check_refused(skb);
	}
}

static void test_no_memory(void **state __unused)
{
	for (uint64_t nth = 1;; nth++) {
		struct sk_buff *skb = large_packet_make(&f.net, &USUAL);
		struct skb_queue segments;

		host_fail_allocation(nth);
		int error = skb_segment(skb, &segments);

		host_fail_allocation(0);
		if (!error) {
			assert_true(nth > 3);
			skb_queue_drop_all(&segments, DROP_DEVICE_DOWN);
			return;
		}
		assert_int_equal(error, -ENOMEM);
		assert_int_equal(segments.length, 0);
		skb_free(skb);
	}
}

/* Who cuts */

static void test_device_that_takes_them_whole(void **state __unused)
{
	f.dev.features = NETDEV_CHECKSUM_OFFLOAD | NETDEV_TSO4;
	transmit(large_packet_make(&f.net, &USUAL));
	assert_int_equal(f.sent_count, 1);
	assert_int_equal(fixture_sent(&f, 0)->length, HEADERS + USUAL.length);
}

static void test_ecn_wants_its_own_feature(void **state __unused)
{
	struct large_packet large = USUAL;

	large.gso_type = SKB_GSO_TCP4 | SKB_GSO_ECN;
	large.flags |= CWR;
	f.dev.features = NETDEV_CHECKSUM_OFFLOAD | NETDEV_TSO4;
	transmit(large_packet_make(&f.net, &large));
	assert_int_equal(f.sent_count, 3);
	fixture_clear_sent(&f);
	f.dev.features |= NETDEV_TSO_ECN;
	transmit(large_packet_make(&f.net, &large));
	assert_int_equal(f.sent_count, 1);
}

/*
 * A device said of a packet that it is good, not where its checksum is. The next device cannot make
 * segments of that; we can.
 */
static void test_verified_packet_is_cut_here(void **state __unused)
{
	struct sk_buff *skb = large_packet_make(&f.net, &USUAL);

	skb->checksum = SKB_CHECKSUM_VERIFIED;
	f.dev.features = NETDEV_CHECKSUM_OFFLOAD | NETDEV_TSO4;
	transmit(skb);
	assert_int_equal(f.sent_count, 3);
}

static void test_interface_that_is_down(void **state __unused)
{
	net_lock(&f.net);
	netdev_down(&f.dev);
	net_unlock(&f.net);
	transmit(large_packet_make(&f.net, &USUAL));
	assert_int_equal(f.sent_count, 0);
	assert_int_equal(fixture_drops(&f, DROP_DEVICE_DOWN), 1);
}

/* IPv4 */

/* The packet without its link header, as IPv4 has it. */
static struct sk_buff *make_packet(const struct large_packet *large)
{
	struct sk_buff *skb = large_packet_make(&f.net, large);

	skb_pull(skb, ETHERNET_HEADER_LENGTH);
	return skb;
}

static void test_length_to_compare_with_the_mtu(void **state __unused)
{
	struct sk_buff *skb = make_packet(&USUAL);

	assert_int_equal(skb_segment_length(skb), IP_LENGTH + TCP_LENGTH + USUAL.gso_size);
	skb->gso_size = 5000;
	assert_int_equal(skb_segment_length(skb), skb->len);
	skb->gso_size = 0;
	assert_int_equal(skb_segment_length(skb), skb->len);
	skb_free(skb);
}

/* Sends a large packet of `gso_size` through IPv4's own header. */
static int send_ip4(uint16_t gso_size, bool dont_fragment)
{
	const struct ip4_send how = {
		.destination = PEER, .protocol = IPPROTO_TCP, .dont_fragment = dont_fragment};
	struct large_packet large = USUAL;

	large.gso_size = gso_size;
	struct sk_buff *skb = large_packet_make(&f.net, &large);

	skb_pull(skb, ETHERNET_HEADER_LENGTH + IP_LENGTH);
	net_lock(&f.net);
	int error = ip4_send(&f.net, skb, &how);

	net_unlock(&f.net);
	return error;
}

static void test_send(void **state __unused)
{
	assert_int_equal(send_ip4(1000, true), 0);
	assert_int_equal(f.sent_count, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(fixture_sent(&f, i)->length,
				 ETHERNET_HEADER_LENGTH + 20 + TCP_LENGTH + 1000);
}

static void test_segments_longer_than_the_mtu(void **state __unused)
{
	assert_int_equal(send_ip4(2000, true), -EMSGSIZE);
	assert_int_equal(f.sent_count, 0);
	/* May be fragmented: the first segment in two, the second fits. */
	assert_int_equal(send_ip4(2000, false), 0);
	assert_int_equal(f.sent_count, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_true(fixture_sent(&f, i)->length <= ETHERNET_HEADER_LENGTH + 1500);
}

/* Cutting it finds no memory, at each allocation in turn: nothing is left. */
static void test_segments_without_memory(void **state __unused)
{
	const struct ip4_send how = {.destination = PEER, .protocol = IPPROTO_TCP};
	struct large_packet large = USUAL;
	uint64_t made = 1;

	large.gso_size = 2000;
	for (uint64_t nth = 0; nth <= made; nth++) {
		struct sk_buff *skb = large_packet_make(&f.net, &large);

		skb_pull(skb, ETHERNET_HEADER_LENGTH + IP_LENGTH);
		fixture_clear_sent(&f);
		host_fail_allocation(nth);
		net_lock(&f.net);
		int error = ip4_send(&f.net, skb, &how);

		net_unlock(&f.net);
		if (nth == 0)
			made = host_allocations_made();
		host_fail_allocation(0);
		fixture_run(&f);
		assert_true(error == 0 || error == -ENOMEM);
		assert_true(f.sent_count <= 3);
		assert_int_equal(f.net.live_skbs, 0);
	}
	assert_true(made > 2);
}

/* A large packet arrives for somebody else behind a device that cannot send it whole. */
static void test_forward(void **state __unused)
{
	struct large_packet large = USUAL;
	struct sk_buff *skb = large_packet_make(&f.net, &large);
	uint8_t *ip = skb->data + ETHERNET_HEADER_LENGTH;

	memcpy(skb->data, FIXTURE_MAC.bytes, MAC_LENGTH);
	memcpy(skb->data + MAC_LENGTH, FIXTURE_PEER.bytes, MAC_LENGTH);
	put_be32(ip + 12, PEER);
	put_be32(ip + 16, FAR);
	ip4_fix_checksum(ip);
	ip4_stack(&f.net)->settings.ip_forward = 1;
	net_lock(&f.net);
	netif_receive(&f.dev, skb);
	net_unlock(&f.net);
	assert_int_equal(f.sent_count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		const struct fixture_frame *frame = fixture_sent(&f, i);

		assert_memory_equal(frame->bytes, GATEWAY_MAC.bytes, MAC_LENGTH);
		assert_int_equal(frame->bytes[ETHERNET_HEADER_LENGTH + 8], 63);
		assert_int_equal(frame->length, HEADERS + 1000);
		assert_int_equal(frame->bytes[HEADERS], large_packet_byte(i * 1000));
	}
}

struct counting_tap {
	struct packet_tap tap;
	uint32_t incoming;
	uint32_t length;
	uint16_t gso_size;
};

static void count_tap(struct packet_tap *tap, struct net_device *dev __unused,
		      const struct sk_buff *skb, bool outgoing)
{
	struct counting_tap *counting = container_of(tap, struct counting_tap, tap);

	if (outgoing)
		return;
	counting->incoming++;
	counting->length = skb->len;
	counting->gso_size = skb->gso_size;
}

static void test_loopback_carries_them_whole(void **state __unused)
{
	struct counting_tap counting = {.tap.frame = count_tap};
	struct sk_buff *skb = make_packet(&USUAL);

	net_lock(&f.net);
	list_append(&f.net.taps, &counting.tap.link);
	dev_xmit(f.net.loopback, skb);
	net_unlock(&f.net);
	fixture_run(&f);
	net_lock(&f.net);
	list_remove(&counting.tap.link);
	net_unlock(&f.net);
	assert_int_equal(counting.incoming, 1);
	assert_int_equal(counting.length, IP_LENGTH + TCP_LENGTH + USUAL.length);
	assert_int_equal(counting.gso_size, USUAL.gso_size);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_sizes),
		TEST(test_layouts),
		TEST(test_flags),
		TEST(test_pages_are_shared),
		TEST(test_what_is_no_tcp_packet),
		TEST(test_what_is_no_large_packet),
		TEST(test_cut_packets),
		TEST(test_no_memory),
		TEST(test_device_that_takes_them_whole),
		TEST(test_ecn_wants_its_own_feature),
		TEST(test_verified_packet_is_cut_here),
		TEST(test_interface_that_is_down),
		TEST(test_length_to_compare_with_the_mtu),
		TEST(test_send),
		TEST(test_segments_longer_than_the_mtu),
		TEST(test_segments_without_memory),
		TEST(test_forward),
		TEST(test_loopback_carries_them_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
