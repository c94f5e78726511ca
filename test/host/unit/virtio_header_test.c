/*
 * virtio-net over a device that lies in the header of a frame: how many buffers it fills, where
 * its checksum is, what was joined.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/string.h"
#include "test/host/services/host.h"
#include "test/host/unit/rig.h"

#define RX VIRTIO_NET_QUEUE_RX
#define HEADER VIRTIO_NET_HEADER_LENGTH

static void start(struct rig *rig, uint64_t features)
{
	struct model_options options = rig_options(false, features);

	rig_start(rig, &options);
	assert_non_null(rig->dev);
}

/* The receive queue broke, with one line in the log. */
static void check_broken(struct rig *rig, uint64_t lines_before)
{
	rig_run(rig);
	assert_int_equal(host_log_lines(), lines_before + 1);
	assert_non_null(strstr(host_log_last(), "broken"));
	assert_false(rig->dev->carrier);
	assert_int_equal(rig->received, 0);
}

/* Frames that name too many buffers, or none */

static void deliver_header(struct rig *rig, const struct virtio_net_header *header)
{
	static uint8_t frame[100];

	rig_frame(frame, sizeof(frame), 3);
	assert_true(model_receive(&rig->model, header, frame, sizeof(frame)));
	rig_run(rig);
}

static void deliver_num_buffers(struct rig *rig, uint16_t count)
{
	struct virtio_net_header header = {.num_buffers = count};

	deliver_header(rig, &header);
}

static void test_num_buffers_zero(void **state __unused)
{
	struct model_chain chain;
	struct rig rig;

	start(&rig, RIG_FEATURES_ALL);
	/* The model fills in what is 0, so this one is written by hand. */
	assert_true(model_take(&rig.model, RX, &chain));
	memset(chain.segments[0].bytes, 0, HEADER + 60);
	model_put_used(&rig.model, RX, chain.head, HEADER + 60);
	model_publish_used(&rig.model, RX);
	rig_run(&rig);
	assert_int_equal(rig.received, 0);
	assert_int_equal(rig.net.drops[DROP_RX_DEVICE_ERROR], 1);
	rig_check_traffic(&rig);
	rig_stop(&rig);
}

static void test_num_buffers_too_many(void **state __unused)
{
	static const uint16_t counts[] = {2, 255, 257, 65535};
	struct rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		start(&rig, RIG_FEATURES_ALL);
		uint64_t lines = host_log_lines();

		deliver_num_buffers(&rig, counts[i]);
		assert_int_equal(rig.net.drops[DROP_RX_DEVICE_ERROR], 1);
		check_broken(&rig, lines);
		rig_stop(&rig);
	}
}

/* Where MRG_RXBUF was not negotiated the field means nothing. */
static void test_num_buffers_ignored(void **state __unused)
{
	struct rig rig;

	start(&rig, 0);
	deliver_num_buffers(&rig, 65535);
	assert_int_equal(rig.received, 1);
	rig_stop(&rig);
}

/* Each buffer of a frame is sound, the whole is longer than any frame. */
static void test_merged_frame_too_long(void **state __unused)
{
	struct virtio_net_header header = {.num_buffers = 40};
	struct model_chain chain;
	struct rig rig;

	start(&rig, RIG_FEATURES_ALL);
	for (uint32_t i = 0; i < 40; i++) {
		assert_true(model_take(&rig.model, RX, &chain));
		if (i == 0)
			memcpy(chain.segments[0].bytes, &header, sizeof(header));
		model_put_used(&rig.model, RX, chain.head, chain.writable);
	}
	model_publish_used(&rig.model, RX);
	rig_run(&rig);
	assert_int_equal(rig.received, 0);
	assert_int_equal(rig.net.drops[DROP_FRAME_TOO_LONG], 1);
	rig_check_traffic(&rig);
	rig_stop(&rig);
}

/* A lie within a merged frame: the second buffer's id. */
static void test_merged_frame_with_bad_id(void **state __unused)
{
	struct virtio_net_header header = {.num_buffers = 2};
	struct model_chain chain;
	struct rig rig;

	start(&rig, RIG_FEATURES_ALL);
	uint64_t lines = host_log_lines();

	assert_true(model_take(&rig.model, RX, &chain));
	memcpy(chain.segments[0].bytes, &header, sizeof(header));
	model_put_used(&rig.model, RX, chain.head, chain.writable);
	model_put_used(&rig.model, RX, chain.head, 100);
	model_publish_used(&rig.model, RX);
	check_broken(&rig, lines);
	assert_int_equal(rig.net.drops[DROP_RX_DEVICE_ERROR], 1);
	rig_stop(&rig);
}

/* Buffers of a frame that hold nothing of it: odd, but the frame is whole. */
static void test_merged_frame_with_empty_buffers(void **state __unused)
{
	struct virtio_net_header header = {.num_buffers = 3};
	struct model_chain first, other;
	struct rig rig;

	start(&rig, RIG_FEATURES_ALL);
	assert_true(model_take(&rig.model, RX, &first));
	memcpy(first.segments[0].bytes, &header, sizeof(header));
	rig_frame(first.segments[0].bytes + HEADER, 100, 1);
	model_put_used(&rig.model, RX, first.head, HEADER + 100);
	for (uint32_t i = 0; i < 2; i++) {
		assert_true(model_take(&rig.model, RX, &other));
		model_put_used(&rig.model, RX, other.head, 0);
	}
	model_publish_used(&rig.model, RX);
	rig_run(&rig);
	assert_int_equal(rig.received, 1);
	assert_int_equal(rig.received_bytes, 100);
	rig_check_traffic(&rig);
	rig_stop(&rig);
}

/* No memory for the frame, and a lie in the buffers that are skipped for that. */
static void test_merged_frame_with_bad_id_and_no_memory(void **state __unused)
{
	struct virtio_net_header header = {.num_buffers = 2};
	struct model_chain chain;
	struct rig rig;

	start(&rig, RIG_FEATURES_ALL);
	uint64_t lines = host_log_lines();

	assert_true(model_take(&rig.model, RX, &chain));
	memcpy(chain.segments[0].bytes, &header, sizeof(header));
	model_put_used(&rig.model, RX, chain.head, chain.writable);
	model_put_used(&rig.model, RX, chain.head, 100);
	model_publish_used(&rig.model, RX);
	host_fail_allocations_from(1);
	rig_run(&rig);
	host_fail_allocation(0);
	check_broken(&rig, lines);
	rig_stop(&rig);
}

static void test_merge_without_memory(void **state __unused)
{
	static uint8_t frame[5000];
	struct rig rig;

	start(&rig, RIG_FEATURES_ALL);
	rig_frame(frame, sizeof(frame), 1);
	assert_true(model_receive(&rig.model, NULL, frame, sizeof(frame)));
	host_fail_allocation(1);
	rig_run(&rig);
	host_fail_allocation(0);
	assert_int_equal(rig.received, 0);
	rig_check_traffic(&rig);
	rig_stop(&rig);
}

/* The header's other fields */

static void test_nonsense_headers(void **state __unused)
{
	static const struct virtio_net_header headers[] = {
		{.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1460},
		{.gso_type = VIRTIO_NET_HDR_GSO_TCPV6, .gso_size = 0},
		{.gso_type = VIRTIO_NET_HDR_GSO_ECN},
		{.gso_type = 2},
		{.gso_type = 255},
		{.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 0},
		{.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 13},
		{.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 99},
		{.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 65},
		{.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 65535},
		{.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 65535, .csum_offset = 65535},
	};
	struct rig rig;

	start(&rig, RIG_FEATURES_ALL);
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		deliver_header(&rig, &headers[i]);
	assert_int_equal(rig.received, 0);
	assert_int_equal(rig.net.drops[DROP_RX_DEVICE_ERROR], ARRAY_SIZE(headers));
	rig_check_traffic(&rig);
	rig_stop(&rig);
}

/* Checksum flags that nobody negotiated prove nothing. */
static void test_checksum_flags_not_negotiated(void **state __unused)
{
	struct virtio_net_header header = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM |
						    VIRTIO_NET_HDR_F_DATA_VALID,
					   .csum_start = 9999};
	struct rig rig;

	start(&rig, 0);
	deliver_header(&rig, &header);
	assert_int_equal(rig.received, 1);
	assert_int_equal(rig.last_checksum, SKB_CHECKSUM_NONE);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_num_buffers_zero),
		cmocka_unit_test(test_num_buffers_too_many),
		cmocka_unit_test(test_num_buffers_ignored),
		cmocka_unit_test(test_merged_frame_too_long),
		cmocka_unit_test(test_merged_frame_with_bad_id),
		cmocka_unit_test(test_merged_frame_with_empty_buffers),
		cmocka_unit_test(test_merged_frame_with_bad_id_and_no_memory),
		cmocka_unit_test(test_merge_without_memory),
		cmocka_unit_test(test_nonsense_headers),
		cmocka_unit_test(test_checksum_flags_not_negotiated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
