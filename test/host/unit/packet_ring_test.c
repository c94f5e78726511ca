/* PACKET_RX_RING: the memory as a process that maps it sees it. */
#include "test/host/unit/packet_ring_fixture.h"

#include <string.h>

#include "include/uapi/if_arp.h"
#include "include/uapi/syscall.h"

#define BLOCK 8192u
#define FRAME 2048u

static struct tpacket_req3 usual(uint32_t blocks)
{
	return (struct tpacket_req3){
		.tp_block_size = BLOCK,
		.tp_block_nr = blocks,
		.tp_frame_size = FRAME,
		.tp_frame_nr = blocks * (BLOCK / FRAME),
		.tp_retire_blk_tov = 100,
	};
}

static void open_socket(int type, int version)
{
	open_packet_socket(type);
	assert_int_equal(set_number(PACKET_VERSION, version), 0);
}

static void make_ring(int type, int version, uint32_t blocks)
{
	const struct tpacket_req3 request = usual(blocks);

	open_socket(type, version);
	assert_int_equal(set_ring(&request, version), 0);
}

static bool readable(void)
{
	return socket_poll(made, NULL) & POLLIN;
}

static struct tpacket_stats_v3 statistics(void)
{
	struct tpacket_stats_v3 result = {0};
	uint32_t length = sizeof(result);

	assert_int_equal(socket_getsockopt(made, SOL_PACKET, PACKET_STATISTICS, &result, &length),
			 0);
	return result;
}

static int32_t header_length(int32_t version)
{
	uint32_t length = sizeof(version);
	int error = socket_getsockopt(made, SOL_PACKET, PACKET_HDRLEN, &version, &length);

	return error ? error : version;
}

/* ---- Version 2 ---- */

static void frames_are_filled_in_turn(void **state __unused)
{
	make_ring(SOCK_RAW, TPACKET_V2, 1);
	assert_false(readable());
	frame_comes("hello", 5);
	assert_true(readable());
	const struct tpacket2_hdr *header = seen(0);
	const struct sockaddr_ll *from = seen(TPACKET_ALIGN(sizeof(*header)));

	assert_int_equal(header->tp_status & TP_STATUS_USER, TP_STATUS_USER);
	assert_int_equal(header->tp_len, 19);
	assert_int_equal(header->tp_snaplen, 19);
	assert_int_equal(header->tp_net - header->tp_mac, 14);
	assert_int_equal(header->tp_net % TPACKET_ALIGNMENT, 0);
	assert_memory_equal(seen(header->tp_mac), FIXTURE_MAC.bytes, 6);
	assert_memory_equal(seen(header->tp_net), "hello", 5);
	assert_int_equal(from->sll_ifindex, f.dev.ifindex);
	assert_memory_equal(from->sll_addr, FIXTURE_PEER.bytes, 6);
	frame_comes("again", 5);
	header = seen(FRAME);
	assert_int_equal(header->tp_status & TP_STATUS_USER, TP_STATUS_USER);
	assert_memory_equal(seen(FRAME + header->tp_net), "again", 5);
	assert_int_equal(statistics().tp_packets, 2);
}

static void full_ring_loses_and_says_so(void **state __unused)
{
	struct tpacket2_hdr *header;

	make_ring(SOCK_RAW, TPACKET_V2, 1);
	for (uint32_t i = 0; i < BLOCK / FRAME + 3; i++)
		frame_comes("x", 1);
	header = seen(0);
	assert_int_equal(header->tp_status & TP_STATUS_LOSING, 0);
	header->tp_status = TP_STATUS_KERNEL; /* read */
	frame_comes("y", 1);
	assert_int_equal(header->tp_status & TP_STATUS_LOSING, TP_STATUS_LOSING);
	assert_memory_equal(seen(header->tp_net), "y", 1);
	const struct tpacket_stats_v3 counted = statistics();

	assert_int_equal(counted.tp_packets, BLOCK / FRAME + 4);
	assert_int_equal(counted.tp_drops, 3);
	assert_int_equal(statistics().tp_packets, 0);
	for (uint32_t i = 0; i < BLOCK / FRAME; i++)
		((struct tpacket2_hdr *)seen((uint64_t)i * FRAME))->tp_status = TP_STATUS_KERNEL;
	assert_false(readable());
}

static void long_packets_are_cut(void **state __unused)
{
	struct tpacket_req3 request = {
		.tp_block_size = BLOCK, .tp_block_nr = 1, .tp_frame_size = 128, .tp_frame_nr = 64};
	uint8_t payload[1000];

	memset(payload, 7, sizeof(payload));
	open_socket(SOCK_DGRAM, TPACKET_V2);
	assert_int_equal(set_number(PACKET_RESERVE, 4), 0);
	assert_int_equal(set_ring(&request, TPACKET_V2), 0);
	frame_comes(payload, sizeof(payload));
	const struct tpacket2_hdr *header = seen(0), *next = seen(128);

	assert_int_equal(header->tp_len, 1000);
	assert_int_equal(header->tp_mac, header->tp_net);
	assert_int_equal(header->tp_snaplen, 128 - header->tp_mac);
	assert_int_equal(next->tp_status, 0);
	assert_int_equal(next->tp_len, 0);
}

/* Blocks of several frames, and frames that cross pages. */
static void every_byte_is_where_it_belongs(void **state __unused)
{
	struct tpacket_req3 request = {
		.tp_block_size = BLOCK, .tp_block_nr = 2, .tp_frame_size = 2720, .tp_frame_nr = 6};
	uint8_t payload[1400];

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
	open_socket(SOCK_RAW, TPACKET_V2);
	assert_int_equal(set_ring(&request, TPACKET_V2), 0);
	for (uint32_t frame = 0; frame < 6; frame++) {
		uint64_t at = frame / 3 * BLOCK + frame % 3 * 2720;

		frame_comes(payload, sizeof(payload));
		const struct tpacket2_hdr *header = seen(at);

		assert_int_equal(header->tp_snaplen, 1414);
		for (size_t i = 0; i < sizeof(payload); i++)
			assert_int_equal(*(uint8_t *)seen(at + header->tp_net + i), payload[i]);
	}
}

/* ---- Version 3 ---- */

static const struct tpacket_block_desc *block(uint32_t i)
{
	return seen((uint64_t)i * BLOCK);
}

static void block_is_handed_over_in_time(void **state __unused)
{
	make_ring(SOCK_RAW, TPACKET_V3, 2);
	frame_comes("one", 3);
	frame_comes("three", 5);
	assert_false(readable());
	assert_int_equal(block(0)->hdr.block_status, TP_STATUS_KERNEL);
	fixture_advance(&f, 100 * USEC_PER_MSEC);
	assert_true(readable());
	const struct tpacket_hdr_v1 *header = &block(0)->hdr;

	assert_int_equal(block(0)->version, TPACKET_V3);
	assert_int_equal(header->block_status, TP_STATUS_USER | TP_STATUS_BLK_TMO);
	assert_int_equal(header->num_pkts, 2);
	assert_int_equal(header->seq_num, 1);
	const struct tpacket3_hdr *first = seen(header->offset_to_first_pkt);
	uint64_t at = header->offset_to_first_pkt + first->tp_next_offset;
	const struct tpacket3_hdr *second = seen(at);

	assert_int_equal(first->tp_len, 17);
	assert_memory_equal(seen(header->offset_to_first_pkt + first->tp_net), "one", 3);
	assert_int_equal(second->tp_snaplen, 19);
	assert_int_equal(second->tp_next_offset, 0);
	assert_memory_equal(seen(at + second->tp_net), "three", 5);
	assert_true(header->blk_len >= at + second->tp_net + 5);
	assert_int_equal(block(1)->hdr.block_status, TP_STATUS_KERNEL);
	fixture_advance(&f, USEC_PER_SEC); /* an empty block is not handed over */
	assert_int_equal(block(1)->hdr.block_status, TP_STATUS_KERNEL);
}

static void full_block_is_handed_over_at_once(void **state __unused)
{
	uint8_t payload[1400] = {0};

	make_ring(SOCK_RAW, TPACKET_V3, 2);
	for (int i = 0; i < 6; i++)
		frame_comes(payload, sizeof(payload));
	assert_int_equal(block(0)->hdr.block_status, TP_STATUS_USER);
	assert_int_equal(block(0)->hdr.num_pkts, 5);
	fixture_advance(&f, 100 * USEC_PER_MSEC);
	assert_int_equal(block(1)->hdr.num_pkts, 1);
	assert_int_equal(block(1)->hdr.seq_num, 2);
}

static void frozen_until_a_block_comes_back(void **state __unused)
{
	uint8_t payload[1400] = {0};

	make_ring(SOCK_RAW, TPACKET_V3, 1);
	for (int i = 0; i < 7; i++)
		frame_comes(payload, sizeof(payload));
	struct tpacket_stats_v3 counted = statistics();

	assert_int_equal(counted.tp_packets, 7);
	assert_int_equal(counted.tp_drops, 2);
	assert_int_equal(counted.tp_freeze_q_cnt, 1);
	fixture_advance(&f, 100 * USEC_PER_MSEC);
	assert_int_equal(block(0)->hdr.num_pkts, 5); /* the process's: nobody writes to it */
	((struct tpacket_block_desc *)seen(0))->hdr.block_status = TP_STATUS_KERNEL;
	assert_false(readable());
	frame_comes("thawed", 6);
	fixture_advance(&f, 100 * USEC_PER_MSEC);
	assert_int_equal(block(0)->hdr.num_pkts, 1);
	assert_int_equal(statistics().tp_drops, 0);
}

/* Between the block's description and its first packet the process has bytes of its own. */
static void private_bytes_are_left_alone(void **state __unused)
{
	struct tpacket_req3 request = usual(1);

	request.tp_sizeof_priv = 13;
	open_socket(SOCK_RAW, TPACKET_V3);
	assert_int_equal(set_ring(&request, TPACKET_V3), 0);
	memset(seen(sizeof(struct tpacket_block_desc)), 0xab, 13);
	frame_comes("x", 1);
	fixture_advance(&f, 100 * USEC_PER_MSEC);
	const uint8_t *own = seen(block(0)->offset_to_priv);

	for (int i = 0; i < 13; i++)
		assert_int_equal(own[i], 0xab);
	assert_int_equal(block(0)->hdr.offset_to_first_pkt, block(0)->offset_to_priv + 16);
}

/* ---- What both share ---- */

static void impossible_rings_are_refused(void **state __unused)
{
	const struct {
		const char *why;
		uint32_t block_size, blocks, frame_size, frames, private, features;
		int error;
	} cases[] = {
		{"no block size", 0, 1, FRAME, 4, 0, 0, -EINVAL},
		{"no whole pages", BLOCK + 16, 1, FRAME, 4, 0, 0, -EINVAL},
		{"frames that are not aligned", BLOCK, 1, FRAME - 8, 4, 0, 0, -EINVAL},
		{"frames without room", BLOCK, 1, 48, 170, 0, 0, -EINVAL},
		{"frames larger than blocks", BLOCK, 1, 2 * BLOCK, 1, 0, 0, -EINVAL},
		{"too few frames", BLOCK, 1, FRAME, 3, 0, 0, -EINVAL},
		{"too many frames", BLOCK, 1, FRAME, 5, 0, 0, -EINVAL},
		{"frames of no blocks", BLOCK, 0, FRAME, 4, 0, 0, -EINVAL},
		{"a count that wraps", 1u << 30, 1u << 31, 1u << 30, 1u << 31, 0, 0, -ENOMEM},
		{"more than memory", 1u << 22, 1u << 12, 1u << 22, 1u << 12, 0, 0, -ENOMEM},
		{"a block of its own", BLOCK, 1, FRAME, 4, BLOCK, 0, -EINVAL},
		{"a private part that wraps", BLOCK, 1, FRAME, 4, UINT32_MAX, 0, -EINVAL},
		{"features", BLOCK, 1, FRAME, 4, 0, 1, -EOPNOTSUPP},
	};

	open_socket(SOCK_RAW, TPACKET_V3);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct tpacket_req3 request = {
			.tp_block_size = cases[i].block_size,
			.tp_block_nr = cases[i].blocks,
			.tp_frame_size = cases[i].frame_size,
			.tp_frame_nr = cases[i].frames,
			.tp_sizeof_priv = cases[i].private,
			.tp_feature_req_word = cases[i].features,
		};
		int error = set_ring(&request, TPACKET_V3);

		if (error != cases[i].error)
			fail_msg("%s: %d", cases[i].why, error);
	}
	assert_int_equal(set_ring(&(struct tpacket_req3){0}, TPACKET_V2), -EINVAL); /* too short */
}

static void options_around_a_ring(void **state __unused)
{
	const struct tpacket_req3 request = usual(1), end = {0};

	open_socket(SOCK_RAW, TPACKET_V1);
	assert_int_equal(set_ring(&request, TPACKET_V2), -EINVAL);
	assert_int_equal(set_number(PACKET_VERSION, 3), -EINVAL);
	assert_int_equal(set_number(PACKET_VERSION, TPACKET_V2), 0);
	assert_int_equal(set_number(PACKET_RESERVE, -1), -EINVAL);
	assert_int_equal(set_number(PACKET_RESERVE, 1 << 20), -EINVAL);
	assert_int_equal(set_number(PACKET_TIMESTAMP, 64), -EOPNOTSUPP);
	assert_int_equal(set_number(PACKET_TIMESTAMP, 0), 0);
	assert_int_equal(header_length(TPACKET_V2), sizeof(struct tpacket2_hdr));
	assert_int_equal(header_length(TPACKET_V3), sizeof(struct tpacket3_hdr));
	assert_int_equal(header_length(3), -EINVAL);
	assert_int_equal(set_ring(&request, TPACKET_V2), 0);
	assert_int_equal(set_ring(&request, TPACKET_V2), -EBUSY);
	assert_int_equal(set_number(PACKET_VERSION, TPACKET_V3), -EBUSY);
	assert_int_equal(set_number(PACKET_RESERVE, 4), -EBUSY);
	assert_int_equal(set_ring(&end, TPACKET_V2), 0);
	assert_int_equal(set_number(PACKET_VERSION, TPACKET_V3), 0);
	assert_int_equal(set_ring(&request, TPACKET_V3), 0);
}

static void without_memory_there_is_no_ring(void **state __unused)
{
	const struct tpacket_req3 request = usual(2);

	open_socket(SOCK_RAW, TPACKET_V3);
	for (uint64_t nth = 1; nth <= 5; nth++) { /* itself and its pages */
		host_fail_allocation(nth);
		assert_int_equal(set_ring(&request, TPACKET_V3), -ENOMEM);
	}
	host_fail_allocation(0);
	assert_int_equal(set_ring(&request, TPACKET_V3), 0);
}

static void memory_is_mapped_whole_only(void **state __unused)
{
	struct page *const *pages;
	uint64_t count;

	open_socket(SOCK_RAW, TPACKET_V3);
	assert_int_equal(made->ops->memory(made, 2ull * BLOCK, &pages, &count), -EINVAL);
	socket_close(made);
	make_ring(SOCK_RAW, TPACKET_V3, 2);
	assert_int_equal(made->ops->memory(made, BLOCK, &pages, &count), -EINVAL);
	assert_int_equal(made->ops->memory(made, 2ull * BLOCK, &pages, &count), 0);
	assert_int_equal(count, 4);
}

/* The tail of a socket's life while a block is open: its timer must not outlive it. */
static void closed_while_a_block_is_open(void **state __unused)
{
	make_ring(SOCK_RAW, TPACKET_V3, 2);
	frame_comes("x", 1);
	socket_close(made);
	made = NULL;
	fixture_advance(&f, USEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_are_filled_in_turn),
		TEST(full_ring_loses_and_says_so),
		TEST(long_packets_are_cut),
		TEST(every_byte_is_where_it_belongs),
		TEST(block_is_handed_over_in_time),
		TEST(full_block_is_handed_over_at_once),
		TEST(frozen_until_a_block_comes_back),
		TEST(private_bytes_are_left_alone),
		TEST(impossible_rings_are_refused),
		TEST(options_around_a_ring),
		TEST(without_memory_there_is_no_ring),
		TEST(memory_is_mapped_whole_only),
		TEST(closed_while_a_block_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
