/*
 * Hostile data: overlaps with other bytes, single bytes in and out of order by the ten thousand,
 * ends that are none. Named in docs/hostile-inputs.md.
 */
#include <stdlib.h>
#include <string.h>

#include "net/tcp/tcp_reassembly.h"
#include "test/host/unit/stranger.h"

static struct fixture f;
static struct socket *listener, *socket;
static struct stranger stranger;
static char bytes[1 << 18]; /* what the process read */

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	stranger_init(&stranger, &f);
	stranger.sack = true;
	stranger.wscale = 0;
	socket = stranger_connects(&stranger, listener);
	drops_watch(&f);
	return 0;
}

static int tear_down(void **state __unused)
{
	assert_still_serves(&f, listener);
	socket_close(socket);
	tcp_fixture_destroy(&f, listener);
	return 0;
}

/* Data at `offset` from the next byte in order; the stranger's numbers stay. */
static void says_at(uint32_t offset, const char *data, size_t length, uint8_t flags)
{
	struct crafted segment = stranger_segment(&stranger, TCP_ACK | flags);

	segment.seq += offset;
	segment.data = data;
	segment.length = length;
	stranger_sends(&stranger, &segment);
	fixture_clear_sent(&f);
}

static void text_at(uint32_t offset, const char *text)
{
	says_at(offset, text, strlen(text), 0);
}

static void assert_reads(const char *text)
{
	int64_t length = socket_take(socket, bytes, sizeof(bytes), 0);

	assert_int_equal(length, strlen(text));
	assert_memory_equal(bytes, text, strlen(text));
}

/* ---- Overlaps: the first to arrive counts ---- */

static void overlap_of_what_was_received(void **state __unused)
{
	text_at(0, "aaaaa");
	text_at(0, "BBBBB");
	assert_dropped(&f, DROP_TCP_DUPLICATE, 1);
	text_at(0, "CCCCCccc");
	text_at(6, "DDd");
	assert_reads("aaaaacccd");
	assert_dropped(&f, DROP_NONE, 0);
}

static void overlap_of_what_is_kept(void **state __unused)
{
	text_at(4, "aaaa");
	text_at(2, "BBBBBBBB"); /* on both sides of it */
	text_at(4, "CCCC");     /* the same */
	assert_dropped(&f, DROP_TCP_DUPLICATE, 1);
	text_at(0, "dDDDDDDDDDDd"); /* all of it, in order */
	assert_reads("dDBBaaaaBBDd");
	assert_int_equal(tcp_socket(socket)->out_of_order_segments, 0);
}

static void overlap_of_several_runs(void **state __unused)
{
	text_at(2, "aa");
	text_at(6, "bb");
	text_at(10, "cc");
	text_at(1, "DDDDDDDDDDDD"); /* around all three */
	assert_int_equal(tcp_socket(socket)->out_of_order_segments, 7);
	text_at(0, "EEEEE");
	assert_reads("EDaaDDbbDDccD");
}

/* Each byte's first arrival, in any order, is what is read; and no more is kept than there is. */
static void random_overlaps(void **state __unused)
{
	enum { SPACE = 400 };
	char expected[SPACE], data[SPACE];
	uint32_t seed = 1;

	for (uint32_t round = 0; round < 200; round++) {
		bool filled[SPACE] = {false};
		uint32_t missing = SPACE, n = 0;

		while (missing) {
			seed = seed * 1664525 + 1013904223;
			uint32_t from = (seed >> 8) % SPACE;
			uint32_t to = MIN(from + 1 + (seed >> 20) % 40, SPACE);

			if (++n > 2 * SPACE) { /* what chance left out */
				from = 0;
				to = SPACE;
			}
			memset(data, 'A' + (int)(n % 26), SPACE);
			for (uint32_t i = from; i < to; i++) {
				if (filled[i])
					continue;
				filled[i] = true;
				missing--;
				expected[i] = data[i];
			}
			says_at(from, data, to - from, 0);
			assert_true(tcp_socket(socket)->out_of_order_segments <= SPACE / 2);
		}
		assert_int_equal(socket_take(socket, bytes, sizeof(bytes), 0), SPACE);
		assert_memory_equal(bytes, expected, SPACE);
		assert_int_equal(tcp_socket(socket)->out_of_order_segments, 0);
		stranger.seq += SPACE;
	}
}

/* ---- FIN ---- */

static void data_behind_a_fin(void **state __unused)
{
	text_at(11, "beyond");
	says_at(0, "0123456789", 10, TCP_FIN);
	assert_int_equal(tcp_socket(socket)->state, TCP_CLOSE_WAIT);
	assert_int_equal(tcp_socket(socket)->out_of_order_segments, 0);
	text_at(11, "and more");
	assert_reads("0123456789");
	assert_int_equal(socket_take(socket, bytes, 1, 0), 0);
}

/* Two ends: the first that is in order counts. */
static void two_fins(void **state __unused)
{
	says_at(5, "56789", 5, TCP_FIN);
	says_at(12, "x", 1, TCP_FIN);
	says_at(0, "01234", 5, 0);
	assert_int_equal(tcp_socket(socket)->state, TCP_CLOSE_WAIT);
	assert_int_equal(tcp_socket(socket)->rcv_nxt, stranger.seq + 11);
	assert_reads("0123456789");
	assert_int_equal(socket_take(socket, bytes, 1, 0), 0);
}

/* The end comes with bytes that are kept already: it is not lost with them. */
static void fin_behind_what_is_kept(void **state __unused)
{
	text_at(5, "56789");
	says_at(0, "0123401234", 10, TCP_FIN);
	assert_int_equal(tcp_socket(socket)->state, TCP_CLOSE_WAIT);
	assert_reads("0123456789");
}

static void many_fins_out_of_order(void **state __unused)
{
	for (uint32_t i = 0; i < 20000; i++)
		says_at(5 + i % 3, "", 0, TCP_FIN);
	assert_in_range(tcp_socket(socket)->out_of_order_bytes, 0, socket->receive_buffer + 1024);
	text_at(0, "01234");
	assert_int_equal(tcp_socket(socket)->state, TCP_CLOSE_WAIT);
	assert_reads("01234");
}

/* ---- Single bytes ---- */

static uint32_t height(const struct tree_node *node)
{
	return node ? 1 + MAX(height(node->left), height(node->right)) : 0;
}

/* Steps from the root for whatever number comes next: logarithmic, whoever chose the order. */
static void assert_shallow(const struct tcp_socket *tcp)
{
	uint32_t bits = 0;

	while ((tcp->out_of_order_segments + 1) >> bits)
		bits++;
	assert_true(height(tcp->out_of_order.root) <= 2 * bits);
}

/* Every second byte of 200,000: so many runs as are allowed, and no more memory. */
static void every_second_byte(int32_t buffer, uint32_t segments_most)
{
	struct tcp_socket *tcp = tcp_socket(socket);
	uint64_t allocated = host_allocations_live();

	socket->receive_buffer = buffer;
	tcp->rcv_edge = tcp->rcv_nxt + 250000;
	for (uint32_t i = 0; i < 100000; i++) {
		says_at(2 * i + 1, "x", 1, 0);
		assert_true(tcp->out_of_order_segments <= segments_most);
		assert_true(tcp->out_of_order_bytes <= (uint32_t)buffer);
		if (i % 1000 == 0)
			assert_shallow(tcp);
	}
	assert_true(host_allocations_live() - allocated <= segments_most);
	assert_int_equal(tcp_fixture_state(&f)->memory_used, tcp->out_of_order_bytes);
	assert_int_equal(tcp->out_of_order_segments +
				 tcp_fixture_state(&f)->extra[TCP_EXTRA_OUT_OF_ORDER_DROPPED],
			 100000);
	assert_dropped(&f, DROP_TCP_REASSEMBLY_FULL, 100000 - tcp->out_of_order_segments);
}

/* The bytes between them: everything is there, each byte once. */
static void fill_every_second_byte(void)
{
	struct tcp_socket *tcp = tcp_socket(socket);
	uint32_t kept = tcp->out_of_order_segments;

	for (uint32_t i = 0; i < kept; i++) {
		says_at(0, "y", 1, 0);
		stranger.seq += 2;
	}
	assert_int_equal(tcp->out_of_order_segments, 0);
	assert_int_equal(tcp_fixture_state(&f)->memory_used, socket->receive_queue.truesize);
	assert_int_equal(socket_take(socket, bytes, sizeof(bytes), 0), 2 * kept);
	for (uint32_t i = 0; i < 2 * kept; i++)
		assert_int_equal(bytes[i], i % 2 ? 'x' : 'y');
}

static void every_second_byte_within_the_buffer(void **state __unused)
{
	every_second_byte(131072, 131072 / 432);
	assert_in_range(tcp_socket(socket)->out_of_order_segments, 100, 300);
	fill_every_second_byte();
}

static void every_second_byte_within_the_count(void **state __unused)
{
	every_second_byte(64 << 20, TCP_OUT_OF_ORDER_MAX);
	assert_int_equal(tcp_socket(socket)->out_of_order_segments, TCP_OUT_OF_ORDER_MAX);
	fill_every_second_byte();
}

/* From the far end to the near one: each is the first of the tree. */
static void every_second_byte_backwards(void **state __unused)
{
	struct tcp_socket *tcp = tcp_socket(socket);

	for (uint32_t i = 30000; i > 0; i--)
		says_at(2 * i - 1, "x", 1, 0);
	assert_shallow(tcp);
	assert_true(tcp->out_of_order_bytes <= (uint32_t)socket->receive_buffer);
	assert_int_equal(tcp_fixture_state(&f)->memory_used, tcp->out_of_order_bytes);
}

/* A whole window of single bytes in order, that nobody reads: it weighs what its bytes do. */
static void a_window_of_single_bytes(void **state __unused)
{
	struct tcp_socket *tcp = tcp_socket(socket);
	uint32_t n = 0;

	while (tcp->rcv_nxt != tcp->rcv_edge) {
		char byte = (char)n++;

		stranger_says(&stranger, &byte, 1);
		fixture_clear_sent(&f);
		assert_true(socket->receive_queue.truesize <= 2 * (uint32_t)socket->receive_buffer);
	}
	assert_true(n >= 60000);
	assert_int_equal(tcp_fixture_state(&f)->memory_used, socket->receive_queue.truesize);
	assert_int_equal(socket_take(socket, bytes, sizeof(bytes), 0), n);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(bytes[i], (char)i);
}

/* The sizes that pack worst. */
static void a_window_of_segments_that_pack_badly(void **state __unused)
{
	static const uint32_t sizes[] = {257, 540, 700, 809};
	static char data[SEGMENT_MAX];

	for (uint32_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct tcp_socket *tcp = tcp_socket(socket);

		while (tcp->rcv_edge - tcp->rcv_nxt >= sizes[i]) {
			stranger_says(&stranger, data, sizes[i]);
			fixture_clear_sent(&f);
		}
		assert_true(socket->receive_queue.truesize <= 2 * (uint32_t)socket->receive_buffer);
		while (socket_take(socket, bytes, sizeof(bytes), 0) > 0)
			;
		fixture_clear_sent(&f);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(overlap_of_what_was_received),
		TEST(overlap_of_what_is_kept),
		TEST(overlap_of_several_runs),
		TEST(random_overlaps),
		TEST(data_behind_a_fin),
		TEST(two_fins),
		TEST(fin_behind_what_is_kept),
		TEST(many_fins_out_of_order),
		TEST(every_second_byte_within_the_buffer),
		TEST(every_second_byte_within_the_count),
		TEST(every_second_byte_backwards),
		TEST(a_window_of_single_bytes),
		TEST(a_window_of_segments_that_pack_badly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
