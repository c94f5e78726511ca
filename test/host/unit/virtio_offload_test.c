/*
 * virtio-net with large packets, over the device model: sent whole, received whole, in whichever
 * way the device has it; and a device that lies about them.
 */
#include "test/host/unit/large_packet.h"
#include "test/host/unit/rig.h"

#include <string.h>

#include "kernel/byteorder.h"
#include "kernel/mm/page.h"
#include "kernel/string.h"

#define RX VIRTIO_NET_QUEUE_RX
#define CSUM_START (ETHERNET_HEADER_LENGTH + IP_LENGTH)
#define CSUM_OFFSET 16

/* The longest that IP can say. */
#define PAYLOAD_MAX (65535 - IP_LENGTH - TCP_LENGTH)

static const struct large_packet USUAL = {
	.length = 60000, .linear = 0, .piece = PAGE_SIZE, .gso_size = 1448, .flags = ACK | PSH};

/* What devices there are. */
static const struct kind {
	bool legacy;
	uint64_t features;
} kinds[] = {
	{false, RIG_FEATURES_ALL},
	{false, RIG_FEATURES_ALL & ~VIRTIO_F_INDIRECT_DESC},
	{false, RIG_FEATURES_ALL & ~VIRTIO_NET_F_MRG_RXBUF},
	{false, RIG_FEATURES_ALL & ~(VIRTIO_NET_F_MRG_RXBUF | VIRTIO_F_INDIRECT_DESC)},
	{true, RIG_FEATURES_ALL},
	{true, RIG_FEATURES_ALL | VIRTIO_F_ANY_LAYOUT},
	{true, RIG_FEATURES_ALL & ~VIRTIO_NET_F_MRG_RXBUF},
	{true, RIG_FEATURES_ALL & ~(VIRTIO_NET_F_MRG_RXBUF | VIRTIO_F_INDIRECT_DESC)},
};

static void start(struct rig *rig, bool legacy, uint64_t features)
{
	struct model_options options = rig_options(legacy, features);

	rig_start(rig, &options);
	assert_non_null(rig->dev);
	rig->no_pattern = true;
}

/* Compares the frame that came last, sent or received, with `large` as one frame. */
static void check_last(const struct rig *rig, const struct large_packet *large)
{
	static uint8_t expected[MODEL_FRAME_MAX];
	size_t length = large_packet_write(expected, large);

	assert_memory_equal(rig->last_frame, expected, length);
}

/* Sending */

static void transmit(struct rig *rig, const struct large_packet *large)
{
	net_lock(&rig->net);
	dev_xmit(rig->dev, large_packet_make(&rig->net, large));
	net_unlock(&rig->net);
	rig_run(rig);
}

static void test_send(void **state __unused)
{
	static struct rig rig;
	struct large_packet large = USUAL;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		start(&rig, kinds[i].legacy, kinds[i].features);
		assert_int_equal(rig.dev->features,
				 NETDEV_CHECKSUM_OFFLOAD | NETDEV_TSO4 | NETDEV_TSO_ECN);
		large.length = PAYLOAD_MAX;
		large.linear = 10;
		transmit(&rig, &large);
		assert_int_equal(rig.sent, 1);
		assert_int_equal(rig.sent_bytes, HEADERS + PAYLOAD_MAX);
		check_last(&rig, &large);
		assert_int_equal(rig.last_header.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
		assert_int_equal(rig.last_header.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
		assert_int_equal(rig.last_header.gso_size, 1448);
		assert_int_equal(rig.last_header.header_length, HEADERS);
		assert_int_equal(rig.last_header.csum_start, CSUM_START);
		assert_int_equal(rig.last_header.csum_offset, CSUM_OFFSET);
		rig_stop(&rig);
	}
}

static void test_send_with_ecn(void **state __unused)
{
	static struct rig rig;
	struct large_packet large = USUAL;

	large.gso_type = SKB_GSO_TCP4 | SKB_GSO_ECN;
	large.flags = ACK | CWR;
	start(&rig, false, RIG_FEATURES_ALL);
	transmit(&rig, &large);
	assert_int_equal(rig.sent, 1);
	assert_int_equal(rig.last_header.gso_type, large.gso_type);
	rig_stop(&rig);

	start(&rig, false, RIG_FEATURES_ALL & ~VIRTIO_NET_F_HOST_ECN);
	transmit(&rig, &large);
	assert_int_equal(rig.sent, (60000 + 1447) / 1448);
	assert_int_equal(rig.last_header.gso_type, VIRTIO_NET_HDR_GSO_NONE);
	rig_stop(&rig);
}

/* In each case the stack has to cut, and leaves the checksums to whoever can do them. */
static void test_send_without_the_feature(void **state __unused)
{
	static const struct {
		uint64_t without;
		bool checksum; /* is the device's */
	} rows[] = {
		{VIRTIO_NET_F_HOST_TSO4, true},
		{VIRTIO_NET_F_CSUM, false}, /* 5.1.3.1: then no segmentation either */
		{VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_ECN, false},
	};
	static struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(&rig, false, RIG_FEATURES_ALL & ~rows[i].without);
		transmit(&rig, &USUAL);
		assert_int_equal(rig.sent, (60000 + 1447) / 1448);
		assert_int_equal(rig.last_header.gso_type, VIRTIO_NET_HDR_GSO_NONE);
		assert_int_equal(rig.last_header.flags,
				 rows[i].checksum ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0);
		rig_stop(&rig);
	}
}

/* A chain may not be longer than the queue, even if indirect. */
static void test_send_through_a_short_queue(void **state __unused)
{
	static struct rig rig;
	struct model_options options = rig_options(false, RIG_FEATURES_ALL);
	struct large_packet large = USUAL;

	options.queue_size = 16;
	rig_start(&rig, &options);
	rig.no_pattern = true;
	assert_false(rig.dev->features & NETDEV_TSO4);
	large.length = 10000;
	transmit(&rig, &large);
	assert_int_equal(rig.sent, 7);
	rig_stop(&rig);
}

/* Receiving */

static const struct virtio_net_header LARGE_HEADER = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
						      .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
						      .header_length = HEADERS,
						      .gso_size = 1448,
						      .csum_start = CSUM_START,
						      .csum_offset = CSUM_OFFSET};

static bool deliver(struct rig *rig, const struct virtio_net_header *header,
		    const struct large_packet *large)
{
	static uint8_t frame[MODEL_FRAME_MAX];
	bool taken = model_receive(&rig->model, header, frame, large_packet_write(frame, large));

	rig_run(rig);
	return taken;
}

static void test_receive(void **state __unused)
{
	static const uint32_t lengths[] = {1449, 4000, 8192, 60000, PAYLOAD_MAX};
	static struct rig rig;
	struct large_packet large = USUAL;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		start(&rig, kinds[i].legacy, kinds[i].features);
		for (size_t j = 0; j < ARRAY_SIZE(lengths); j++) {
			large.length = lengths[j];
			assert_true(deliver(&rig, &LARGE_HEADER, &large));
			assert_int_equal(rig.received, j + 1);
			check_last(&rig, &large);
			assert_int_equal(rig.last_gso_size, 1448);
			assert_int_equal(rig.last_gso_type, SKB_GSO_TCP4);
			assert_int_equal(rig.last_checksum, SKB_CHECKSUM_PARTIAL);
			assert_int_equal(rig.last_csum_start, CSUM_START);
			assert_int_equal(rig.last_csum_offset, CSUM_OFFSET);
		}
		rig_stop(&rig);
	}
}

/* More of them than buffers, so that each place of the ring has its turn. */
static void test_receive_many(void **state __unused)
{
	static struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		start(&rig, kinds[i].legacy, kinds[i].features);
		for (uint32_t n = 0; n < 300; n++) {
			struct large_packet large = USUAL;

			large.length = 1 + n * 211;
			assert_true(deliver(&rig, &LARGE_HEADER, &large));
			check_last(&rig, &large);
		}
		assert_int_equal(rig.received, 300);
		rig_stop(&rig);
	}
}

static void test_receive_verified(void **state __unused)
{
	static struct rig rig;
	struct virtio_net_header header = LARGE_HEADER;

	header.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	header.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	start(&rig, false, RIG_FEATURES_ALL);
	assert_true(deliver(&rig, &header, &USUAL));
	assert_int_equal(rig.received, 1);
	assert_int_equal(rig.last_checksum, SKB_CHECKSUM_VERIFIED);
	assert_int_equal(rig.last_gso_type, SKB_GSO_TCP4 | SKB_GSO_ECN);
	rig_stop(&rig);
}

/* Where the bytes are: what is short is linear, what is long stays in the device's pages. */
static void test_where_a_frame_lies(void **state __unused)
{
	static struct rig rig;
	static const struct {
		uint64_t without;
		uint32_t length; /* of the frame */
		uint8_t fragments;
	} rows[] = {
		{0, 80, 0},
		{0, 200, 0},
		{0, 1600, 0},
		{0, 1601, 1},
		{0, HEADERS + PAYLOAD_MAX, 5},
		{VIRTIO_NET_F_MRG_RXBUF, 80, 0},
		{VIRTIO_NET_F_MRG_RXBUF, 1500, 0},
		{VIRTIO_NET_F_MRG_RXBUF, 3000, 1},
		{VIRTIO_NET_F_MRG_RXBUF, HEADERS + PAYLOAD_MAX, 16},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct large_packet large = USUAL;

		large.length = rows[i].length - HEADERS;
		start(&rig, false, RIG_FEATURES_ALL & ~rows[i].without);
		if (large.length > 1448)
			assert_true(deliver(&rig, &LARGE_HEADER, &large));
		else
			assert_true(deliver(&rig, NULL, &large));
		assert_int_equal(rig.received, 1);
		assert_int_equal(rig.last_fragments, rows[i].fragments);
		rig_stop(&rig);
	}
}

/* A short frame in a buffer for a large one is charged what it keeps. */
static void test_charge_of_a_short_frame(void **state __unused)
{
	static struct rig rig;

	start(&rig, false, RIG_FEATURES_ALL & ~VIRTIO_NET_F_MRG_RXBUF);
	assert_true(rig_deliver(&rig, 100));
	assert_true(rig.last_truesize < 2 * PAGE_SIZE);
	rig_stop(&rig);
}

/* Only 64 buffers of 64 KiB wait, however long the queue is. */
static void test_large_buffers_are_few(void **state __unused)
{
	static struct rig rig;

	start(&rig, false, RIG_FEATURES_ALL & ~VIRTIO_NET_F_MRG_RXBUF);
	assert_int_equal(model_available(&rig.model, RX), 64);
	rig_stop(&rig);
}

static void test_receive_without_memory(void **state __unused)
{
	static struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (uint64_t nth = 1; nth <= 40; nth++) {
			start(&rig, kinds[i].legacy, kinds[i].features);
			host_fail_allocation(nth);
			assert_true(deliver(&rig, &LARGE_HEADER, &USUAL));
			host_fail_allocation(0);
			assert_int_equal(rig.received + rig.net.drops[DROP_NO_MEMORY], 1);
			rig_wait(&rig, VIRTIO_NET_RETRY_US);
			rig.no_pattern = false;
			rig_check_traffic(&rig);
			rig_stop(&rig);
		}
	}
}

/* A device that lies */

/* One change to the header, or to a byte of the frame; without these features. */
struct lie {
	uint64_t without;
	struct virtio_net_header header;
	uint32_t at;
	uint8_t value;
};

#define SAYS(...)                                                                                 \
	{                                                                                         \
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .header_length = HEADERS,                   \
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1448, .csum_start = CSUM_START, \
		.csum_offset = CSUM_OFFSET, ##__VA_ARGS__                                         \
	}

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winitializer-overrides"

static const struct lie lies[] = {
	{.header = SAYS(), .without = VIRTIO_NET_F_GUEST_TSO4},
	{.header = SAYS(), .without = VIRTIO_NET_F_GUEST_CSUM},
	{.header = SAYS(.gso_type = 0x81), .without = VIRTIO_NET_F_GUEST_ECN},
	{.header = SAYS(.gso_type = VIRTIO_NET_HDR_GSO_TCPV6)},
	{.header = SAYS(.gso_type = VIRTIO_NET_HDR_GSO_ECN)},
	{.header = SAYS(.gso_type = 3)},
	{.header = SAYS(.gso_type = 255)},
	{.header = SAYS(.gso_size = 0)},
	{.header = SAYS(.gso_size = GSO_SIZE_MIN - 1)},
	{.header = SAYS(.flags = 0)},
	{.header = SAYS(.header_length = 65535)},
	{.header = SAYS(.csum_start = 0)},
	{.header = SAYS(.csum_start = CSUM_START + 2)},
	{.header = SAYS(.csum_start = 65535)},
	{.header = SAYS(.csum_offset = 6)},
	{.header = SAYS(.csum_offset = 65535)},
	{.header = SAYS(), .at = 12, .value = 0x86},     /* IPv6 */
	{.header = SAYS(), .at = 14, .value = 0x4f},     /* options */
	{.header = SAYS(), .at = 14 + 6, .value = 0x20}, /* fragment */
	{.header = SAYS(), .at = 14 + 9, .value = IPPROTO_UDP},
	{.header = SAYS(), .at = 14 + 2, .value = 1},          /* length */
	{.header = SAYS(), .at = CSUM_START + 12, .value = 0}, /* no header */
	{.header = SAYS(), .at = CSUM_START + 13, .value = SYN},
};

#pragma clang diagnostic pop

static void test_lies(void **state __unused)
{
	static uint8_t frame[MODEL_FRAME_MAX];
	static struct rig rig;
	size_t length = large_packet_write(frame, &USUAL);

	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		const struct lie *lie = &lies[i];
		uint8_t right = frame[lie->at];

		start(&rig, false, RIG_FEATURES_ALL & ~lie->without);
		if (lie->value || lie->at)
			frame[lie->at] = lie->value;
		assert_true(model_receive(&rig.model, &lie->header, frame, length));
		rig_run(&rig);
		frame[lie->at] = right;
		assert_int_equal(rig.received, 0);
		assert_int_equal(rig.net.drops[DROP_RX_DEVICE_ERROR], 1);
		rig.no_pattern = false;
		rig_check_traffic(&rig);
		rig_stop(&rig);
	}
}

/* Cut anywhere among its headers, a large packet is refused. */
static void test_cut_frames(void **state __unused)
{
	static uint8_t frame[MODEL_FRAME_MAX];
	static struct rig rig;

	large_packet_write(frame, &USUAL);
	start(&rig, false, RIG_FEATURES_ALL);
	for (uint32_t n = 0; n <= HEADERS; n++) {
		assert_true(model_receive(&rig.model, &LARGE_HEADER, frame, n));
		rig_run(&rig);
		assert_int_equal(rig.net.drops[DROP_RX_DEVICE_ERROR], n + 1);
	}
	assert_int_equal(rig.received, 0);
	rig_stop(&rig);
}

/* Buffers that are not filled: more pieces than a packet has fragments. */
static void test_many_small_pieces(void **state __unused)
{
	struct virtio_net_header header = {.num_buffers = 30};
	static struct rig rig;
	struct model_chain chain;

	start(&rig, false, RIG_FEATURES_ALL);
	for (uint32_t i = 0; i < 30; i++) {
		assert_true(model_take(&rig.model, RX, &chain));
		if (i == 0)
			memcpy(chain.segments[0].bytes, &header, sizeof(header));
		model_put_used(&rig.model, RX, chain.head, 300);
	}
	model_publish_used(&rig.model, RX);
	rig_run(&rig);
	assert_int_equal(rig.received, 0);
	assert_int_equal(rig.net.drops[DROP_FRAME_TOO_LONG], 1);
	rig.no_pattern = false;
	rig_check_traffic(&rig);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_send_with_ecn),
		cmocka_unit_test(test_send_without_the_feature),
		cmocka_unit_test(test_send_through_a_short_queue),
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_receive_many),
		cmocka_unit_test(test_receive_verified),
		cmocka_unit_test(test_where_a_frame_lies),
		cmocka_unit_test(test_charge_of_a_short_frame),
		cmocka_unit_test(test_large_buffers_are_few),
		cmocka_unit_test(test_receive_without_memory),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_cut_frames),
		cmocka_unit_test(test_many_small_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
