/*
 * Hostile SACK: options of odd lengths, blocks that lie or overlap, and a peer whose segments are
 * as small as it may ask for, with holes across a full queue. Named in docs/hostile-inputs.md.
 */
#include <string.h>

#include "kernel/byteorder.h"
#include "net/tcp/tcp_scoreboard.h"
#include "test/host/unit/stranger.h"

#define SENT 5000 /* bytes under way at the beginning of each test */

static struct fixture f;
static struct socket *listener, *socket;
static struct stranger stranger;
static char data[1 << 20];

static struct tcp_socket *tcp(void)
{
	return tcp_socket(socket);
}

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	stranger_init(&stranger, &f);
	stranger.sack = true;
	stranger.mss = 500;
	socket = stranger_connects(&stranger, listener);
	assert_int_equal(socket_give(socket, data, SENT, 0), SENT);
	assert_int_equal(tcp()->snd_nxt - tcp()->snd_una, SENT);
	fixture_clear_sent(&f);
	drops_watch(&f);
	return 0;
}

static int tear_down(void **state __unused)
{
	assert_still_serves(&f, listener);
	stranger_flags(&stranger, TCP_RST);
	socket_close(socket);
	tcp_fixture_destroy(&f, listener);
	return 0;
}

static uint64_t counted(enum tcp_extra_statistic which)
{
	return tcp_fixture_state(&f)->extra[which];
}

static void add_block(struct crafted *segment, uint32_t start, uint32_t end)
{
	if (segment->options_length == 0) {
		memset(segment->options, 1, 2);
		segment->options[2] = 5;
		segment->options[3] = 2;
		segment->options_length = 4;
	}
	put_be32(segment->options + segment->options_length, start);
	put_be32(segment->options + segment->options_length + 4, end);
	segment->options_length += 8;
	segment->options[3] += 8;
}

/* A bare acknowledgement of snd_una with one block, by offsets from it. */
static void sacks(uint32_t start, uint32_t end)
{
	struct crafted segment = stranger_segment(&stranger, TCP_ACK);

	add_block(&segment, tcp()->snd_una + start, tcp()->snd_una + end);
	stranger_sends(&stranger, &segment);
}

static void nothing_is_sacked(void)
{
	assert_int_equal(tcp()->scoreboard.sacked_bytes, 0);
	assert_int_equal(tcp()->scoreboard.lost_bytes, 0);
	stranger_sees_nothing(&stranger);
	assert_dropped(&f, DROP_NONE, 0);
}

/* ---- The option's length ---- */

static void length_not_8n_plus_2(void **state __unused)
{
	for (uint32_t length = 0; length <= 40; length++) {
		struct crafted segment = stranger_segment(&stranger, TCP_ACK);

		if (length == 10 || length == 18 || length == 26 || length == 34)
			continue;
		for (uint32_t i = 0; i < 4; i++)
			add_block(&segment, tcp()->snd_una + 1000 * i + 500,
				  tcp()->snd_una + 1000 * i + 1000);
		memmove(segment.options, segment.options + 2, 34);
		segment.options[1] = (uint8_t)length;
		segment.options_length = TCP_OPTIONS_MAX;
		stranger_sends(&stranger, &segment);
		nothing_is_sacked();
	}
	assert_int_equal(counted(TCP_EXTRA_SACKS_DISCARDED), 0); /* there was no block at all */
}

/* In a connection that did not agree on it: RFC 2018 2. */
static void sack_without_permission(void **state __unused)
{
	tcp()->has_sack = false;
	sacks(500, 1000);
	nothing_is_sacked();
}

/* ---- Edges ---- */

static void edges_reversed(void **state __unused)
{
	sacks(1000, 500);
	sacks(4999, 1);
	sacks(500, 500); /* empty */
	nothing_is_sacked();
	assert_int_equal(counted(TCP_EXTRA_SACKS_DISCARDED), 3);
}

static void edges_outside_the_window(void **state __unused)
{
	sacks(SENT, SENT + 500);           /* never sent */
	sacks(500, SENT + 1);              /* one byte of it never sent */
	sacks(0, 500);                     /* the byte that is asked for */
	sacks(0x40000000u, 0x40000500u);   /* far beyond */
	sacks((uint32_t)-500, SENT + 500); /* more than everything */
	sacks(500, 0x80000400u);           /* more than half of the numbers there are */
	nothing_is_sacked();
	assert_int_equal(counted(TCP_EXTRA_SACKS_DISCARDED), 6);
}

/* Below the acknowledgement: D-SACK, or from long ago. Nothing was sent twice. */
static void edges_in_the_past(void **state __unused)
{
	sacks((uint32_t)-500, 0);
	sacks((uint32_t)-0x3fffffff, (uint32_t)-0x3ffffff0);
	sacks((uint32_t)-0x70000000, (uint32_t)-0x6fffff00);
	nothing_is_sacked();
	assert_int_equal(tcp()->recovery.state, TCP_CA_OPEN);
}

/* Blocks of less than a segment say nothing of it: no window is cut into bytes. */
static void blocks_of_single_bytes(void **state __unused)
{
	for (uint32_t i = 1; i < SENT; i++)
		sacks(i, i + 1);
	assert_int_equal(tcp()->scoreboard.sacked_bytes, 0);
	assert_true(tcp()->scoreboard.records <= SENT / 488 + 1);
}

/* Four blocks one within another, each known already. */
static void blocks_within_blocks(void **state __unused)
{
	for (uint32_t round = 0; round < 1000; round++) {
		struct crafted segment = stranger_segment(&stranger, TCP_ACK);

		for (uint32_t i = 0; i < 4; i++)
			add_block(&segment, tcp()->snd_una + 500 * (i + 1),
				  tcp()->snd_una + SENT - 500 * i);
		stranger_sends(&stranger, &segment);
		fixture_clear_sent(&f);
	}
	assert_int_equal(tcp()->scoreboard.sacked_bytes, SENT - 500);
	assert_int_equal(tcp()->scoreboard.records, 2);
}

/* It takes back what it said (RFC 2018 8): everything is sent again all the same. */
static void sacks_taken_back(void **state __unused)
{
	sacks(500, SENT);
	assert_int_equal(tcp()->scoreboard.sacked_bytes, SENT - 500);
	fixture_clear_sent(&f);
	/* The first byte arrived, and none of the others, it says now. */
	stranger.ack += 500;
	stranger_flags(&stranger, TCP_ACK);
	fixture_advance(&f, 20 * USEC_PER_SEC);
	assert_true(counted(TCP_EXTRA_SACK_RENEGING) > 0);
	for (uint32_t i = 0; i < 100 && tcp()->snd_una != tcp()->snd_nxt; i++) {
		stranger_acknowledges(&stranger);
		fixture_advance(&f, USEC_PER_SEC);
	}
	assert_int_equal(tcp()->snd_una, tcp()->snd_nxt);
}

/* ---- A peer MSS of 48, with SACK holes across a full queue ---- */

/* Sends all that may be sent, as the stranger acknowledges nothing but by SACK. */
static uint32_t fill_the_queue(void)
{
	int64_t given;
	uint32_t all = 0;

	tcp()->snd_wnd = sizeof(data);
	tcp()->congestion.cwnd = sizeof(data);
	while ((given = socket_give(socket, data, sizeof(data), 0)) > 0) {
		all += (uint32_t)given;
		fixture_clear_sent(&f);
	}
	return all;
}

#define SEGMENTS_MOST 4096

/* Where each segment under way begins, and at last where they end; returns how many there are. */
static uint32_t segments_under_way(uint32_t starts[SEGMENTS_MOST + 1])
{
	const struct tcp_sent *sent = tcp_scoreboard_first(&tcp()->scoreboard);
	uint32_t count = 0;

	for (; sent; sent = tcp_scoreboard_next(sent)) {
		for (uint32_t at = sent->seq; seq_before(at, sent->end); at += tcp()->mss) {
			assert_true(count < SEGMENTS_MOST);
			starts[count++] = at;
		}
		starts[count] = sent->end;
	}
	return count;
}

/* Every second segment, from the far end to the near one, four in each acknowledgement. */
static void sack_every_second(struct stranger *small, const uint32_t starts[], uint32_t count)
{
	struct crafted segment = stranger_segment(small, TCP_ACK);

	for (uint32_t i = count - 1; i > 1; i -= 2) {
		add_block(&segment, starts[i], starts[i + 1]);
		if (i > 3 && segment.options_length < 36)
			continue;
		stranger_sends(small, &segment);
		fixture_clear_sent(&f);
		assert_true(tcp()->scoreboard.records <= count);
		segment = stranger_segment(small, TCP_ACK);
	}
}

static void mss_48_with_holes(void **state __unused)
{
	static uint32_t starts[SEGMENTS_MOST + 1];
	struct stranger small;
	struct socket *first = socket;
	uint64_t allocated;
	uint32_t queued, count;

	stranger_init(&small, &f);
	small.mss = 48;
	small.sack = true;
	socket = stranger_connects(&small, listener);
	assert_int_equal(tcp()->mss, TCP_MSS_FLOOR);
	socket->send_buffer = sizeof(data) / 2;
	socket->send_buffer_chosen = true;
	allocated = host_allocations_live();
	queued = fill_the_queue();
	count = segments_under_way(starts);
	assert_true(queued >= (uint32_t)socket->send_buffer / 2);
	assert_in_range(count, 1000, queued / TCP_MSS_FLOOR + 100);
	sack_every_second(&small, starts, count);
	assert_in_range(tcp()->scoreboard.sacked_segments, count / 2 - 2, count / 2);
	assert_true(host_allocations_live() - allocated <= 3ull * count);
	/* Timeouts upon it, and then all is acknowledged. */
	for (uint32_t i = 0; i < 10; i++) {
		fixture_advance(&f, 2 * USEC_PER_SEC);
		fixture_clear_sent(&f);
	}
	assert_true(tcp()->scoreboard.records <= count);
	small.ack = tcp()->snd_nxt;
	stranger_flags(&small, TCP_ACK);
	assert_int_equal(tcp()->scoreboard.records, 0);
	assert_int_equal(tcp()->state, TCP_ESTABLISHED);
	stranger_flags(&small, TCP_RST);
	socket_close(socket);
	socket = first;
}

/* No option at all, 0, and 1: RFC 9293 3.7.1, MUST-15; and the floor. */
static void mss_of_nothing(void **state __unused)
{
	static const uint16_t sizes[] = {0, 1, 215, 216, 65535};
	static const uint16_t expected[] = {TCP_MSS_DEFAULT, TCP_MSS_FLOOR, TCP_MSS_FLOOR, 216,
					    65535};
	struct stranger other;

	for (uint32_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct socket *made;

		stranger_init(&other, &f);
		other.mss = sizes[i];
		made = stranger_connects(&other, listener);
		assert_int_equal(tcp_socket(made)->peer_mss, expected[i]);
		assert_true(tcp_socket(made)->mss <= 1460);
		stranger_flags(&other, TCP_RST);
		socket_close(made);
	}
	/* The same of the one that answers our SYN. */
	stranger_init(&other, &f);
	other.mss = 48;

	struct socket *made = stranger_is_connected(&other);

	assert_int_equal(tcp_socket(made)->mss, TCP_MSS_FLOOR);
	stranger_flags(&other, TCP_RST);
	socket_close(made);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(length_not_8n_plus_2), TEST(sack_without_permission),
		TEST(edges_reversed),       TEST(edges_outside_the_window),
		TEST(edges_in_the_past),    TEST(blocks_of_single_bytes),
		TEST(blocks_within_blocks), TEST(sacks_taken_back),
		TEST(mss_48_with_holes),    TEST(mss_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
