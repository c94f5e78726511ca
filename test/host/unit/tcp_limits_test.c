/*
 * What TCP may cost: an idle connection, a half-open one, TIME-WAIT; and the limit of all
 * connections together (tcp_mem), which holds back senders, refuses what is out of order, and loses
 * nothing that was acknowledged.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/fs/file.h"
#include "test/host/unit/stranger.h"

#define CONNECTIONS 1000
#define IDLE_MOST 2048 /* bytes of an idle connection, in all */
#define SMALL_MOST 128 /* of a half-open one, and in TIME-WAIT */
#define DESCRIPTOR 16  /* of a process's table: struct descriptor */
#define TABLES 3       /* hash tables that hold the first of something */

static struct fixture f;
static struct socket *listener;

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	assert_int_equal(socket_listen(listener, 4096), 0);
	return 0;
}

static int tear_down(void **state __unused)
{
	assert_still_serves(&f, listener);
	tcp_fixture_destroy(&f, listener);
	return 0;
}

static struct tcp_state_of_net *state_of_net(void)
{
	return tcp_fixture_state(&f);
}

static uint64_t counted(enum tcp_extra_statistic which)
{
	return state_of_net()->extra[which];
}

/* ---- What one costs ---- */

/* Connections that have talked both ways, and are idle now. */
static void make_idle(struct stranger *stranger, struct socket **socket)
{
	char bytes[8];

	stranger_init(stranger, &f);
	stranger->sack = stranger->timestamps = true;
	stranger->wscale = 7;
	*socket = stranger_connects(stranger, listener);
	stranger_says(stranger, "question", 8);
	assert_int_equal(socket_take(*socket, bytes, sizeof(bytes), 0), 8);
	fixture_clear_sent(&f);
	assert_int_equal(socket_give(*socket, "answer", 6, 0), 6);
	fixture_run(&f);
	stranger_acknowledges(stranger);
	fixture_clear_sent(&f);
}

static void an_idle_connection(void **state __unused)
{
	static struct stranger strangers[CONNECTIONS];
	static struct socket *sockets[CONNECTIONS];
	uint64_t bytes = host_bytes_live(), each;

	for (uint32_t i = 0; i < CONNECTIONS; i++)
		make_idle(&strangers[i], &sockets[i]);
	fixture_advance(&f, 10 * USEC_PER_SEC);
	each = (host_bytes_live() - bytes) / CONNECTIONS;
	/* What it would be on the machine, with its file and the kernel's size classes. */
	each += 1792 - sizeof(struct tcp_socket) + sizeof(struct file) + 16 + DESCRIPTOR;
	print_message("an idle connection: %lu bytes\n", (unsigned long)each);
	assert_true(each <= IDLE_MOST);
	assert_int_equal(state_of_net()->memory_used, 0);
	for (uint32_t i = 0; i < CONNECTIONS; i++) {
		stranger_flags(&strangers[i], TCP_RST);
		socket_close(sockets[i]);
	}
}

_Static_assert(sizeof(struct tcp_request) <= SMALL_MOST &&
		       sizeof(struct tcp_timewait) <= SMALL_MOST,
	       "one allocation of this size each");

static void a_half_open_one(void **state __unused)
{
	uint64_t allocated = host_allocations_live();
	struct stranger stranger;

	state_of_net()->settings.tcp_max_syn_backlog = 2 * CONNECTIONS;
	stranger_init(&stranger, &f);
	for (uint32_t i = 0; i < CONNECTIONS; i++) {
		struct crafted syn;

		stranger.port = (uint16_t)(2000 + i);
		syn = stranger_syn(&stranger);
		stranger_sends(&stranger, &syn);
	}
	fixture_clear_sent(&f);
	assert_int_equal(state_of_net()->requests.table.count, CONNECTIONS);
	assert_in_range(host_allocations_live() - allocated, CONNECTIONS, CONNECTIONS + TABLES);
	fixture_advance(&f, 70 * USEC_PER_SEC);
	fixture_clear_sent(&f);
}

static void one_in_time_wait(void **state __unused)
{
	uint64_t allocated = host_allocations_live();

	for (uint32_t i = 0; i < CONNECTIONS; i++) {
		struct stranger stranger;
		struct socket *socket;

		stranger_init(&stranger, &f);
		socket = stranger_connects(&stranger, listener);
		socket_close(socket);
		stranger.ack++;
		stranger_flags(&stranger, TCP_ACK);
		stranger_flags(&stranger, TCP_FIN | TCP_ACK);
		fixture_clear_sent(&f);
	}
	assert_int_equal(state_of_net()->timewaits.count, CONNECTIONS);
	assert_in_range(host_allocations_live() - allocated, CONNECTIONS, CONNECTIONS + TABLES);
}

/* ---- All together: tcp_mem ---- */

static void set_limit(uint32_t pages)
{
	int32_t *limits = state_of_net()->settings.tcp_mem;

	limits[0] = (int32_t)pages / 2;
	limits[1] = (int32_t)pages * 3 / 4;
	limits[2] = (int32_t)pages;
}

#define FLOODERS 64
#define LIMIT_PAGES 256
#define LIMIT (LIMIT_PAGES * 4096ull)
#define PACKET_MOST 4096 /* one packet more than the limit, since it is asked before */

static struct stranger strangers[FLOODERS];
static struct socket *sockets[FLOODERS];

static void connect_all(void)
{
	for (uint32_t i = 0; i < FLOODERS; i++) {
		stranger_init(&strangers[i], &f);
		strangers[i].sack = true;
		sockets[i] = stranger_connects(&strangers[i], listener);
	}
	drops_watch(&f);
}

static void end_all(void)
{
	for (uint32_t i = 0; i < FLOODERS; i++) {
		stranger_flags(&strangers[i], TCP_RST);
		socket_close(sockets[i]);
	}
	fixture_clear_sent(&f);
	assert_int_equal(state_of_net()->memory_used, 0);
}

/* Data out of order on all connections, until there is no more room for any. */
static void out_of_order_up_to_the_limit(void **state __unused)
{
	static char data[1000];
	uint64_t most = 0, bytes;

	set_limit(LIMIT_PAGES);
	connect_all();
	bytes = host_bytes_live();
	for (uint32_t round = 0; round < 30; round++) {
		for (uint32_t i = 0; i < FLOODERS; i++) {
			struct crafted segment = stranger_segment(&strangers[i], TCP_ACK);

			segment.seq += 1 + round * 2000;
			segment.data = data;
			segment.length = sizeof(data);
			stranger_sends(&strangers[i], &segment);
			fixture_clear_sent(&f);
			most = MAX(most, state_of_net()->memory_used);
		}
	}
	assert_in_range(most, LIMIT, LIMIT + PACKET_MOST);
	assert_true(host_bytes_live() - bytes <= LIMIT + PACKET_MOST);
	assert_true(counted(TCP_EXTRA_OUT_OF_ORDER_DROPPED) > 0);
	assert_true(counted(TCP_EXTRA_MEMORY_PRESSURES) > 0);
	end_all();
}

/*
 * Data in order that nobody reads, on all: as much as the limit allows and a packet for each, the
 * rest is not acknowledged; and in the end each process reads exactly what was.
 */
static void in_order_up_to_the_limit(void **state __unused)
{
	static char data[1000], got[1 << 17];
	uint32_t first[FLOODERS];
	uint64_t most = 0;

	set_limit(LIMIT_PAGES);
	connect_all();
	for (uint32_t i = 0; i < FLOODERS; i++)
		first[i] = strangers[i].seq;
	for (uint32_t round = 0; round < 60; round++) {
		memset(data, (int)round, sizeof(data));
		for (uint32_t i = 0; i < FLOODERS; i++) {
			struct crafted segment = stranger_segment(&strangers[i], TCP_ACK);

			segment.seq = first[i] + round * (uint32_t)sizeof(data);
			segment.data = data;
			segment.length = sizeof(data);
			stranger_sends(&strangers[i], &segment);
			fixture_clear_sent(&f);
			most = MAX(most, state_of_net()->memory_used);
		}
	}
	assert_in_range(most, LIMIT, LIMIT + (uint64_t)FLOODERS * PACKET_MOST);
	assert_true(counted(TCP_EXTRA_RECEIVE_QUEUE_DROPS) > 0);
	assert_true(f.net.drops[DROP_TCP_MEMORY] > 0);
	for (uint32_t i = 0; i < FLOODERS; i++) {
		uint32_t acknowledged = tcp_socket(sockets[i])->rcv_nxt - first[i];

		assert_in_range(acknowledged, sizeof(data), 60 * sizeof(data));
		assert_int_equal(socket_take(sockets[i], got, sizeof(got), 0), acknowledged);
		for (uint32_t at = 0; at < acknowledged; at++)
			assert_int_equal(got[at], at / sizeof(data));
	}
	fixture_clear_sent(&f);
	end_all();
}

/* What is kept out of order gives way to what comes in order. */
static void in_order_before_out_of_order(void **state __unused)
{
	static char data[1400], got[8];
	struct tcp_socket *tcp;

	connect_all();
	tcp = tcp_socket(sockets[0]);
	for (uint32_t i = 0; i < 20; i++) {
		struct crafted segment = stranger_segment(&strangers[0], TCP_ACK);

		segment.seq += 2000 * (i + 1);
		segment.data = data;
		segment.length = sizeof(data);
		stranger_sends(&strangers[0], &segment);
	}
	assert_int_equal(tcp->out_of_order_segments, 20);
	stranger_says(&strangers[0], "a", 1);
	set_limit(1); /* nothing is left */
	stranger_says(&strangers[0], "b", 1);
	assert_int_equal(tcp->out_of_order_segments, 0);
	assert_int_equal(counted(TCP_EXTRA_OUT_OF_ORDER_PRUNED), 1);
	assert_dropped(&f, DROP_TCP_MEMORY, 20);
	assert_int_equal(socket_take(sockets[0], got, sizeof(got), 0), 2);
	assert_memory_equal(got, "ab", 2);
	set_limit(LIMIT_PAGES);
	fixture_clear_sent(&f);
	end_all();
}

/* Where that makes room, what comes in order is taken though the queue is not empty. */
static void pruning_makes_room(void **state __unused)
{
	static char data[1400], got[8];

	connect_all();
	for (uint32_t i = 0; i < 30; i++) {
		struct crafted segment = stranger_segment(&strangers[0], TCP_ACK);

		segment.seq += 2000 * (i + 1);
		segment.data = data;
		segment.length = sizeof(data);
		stranger_sends(&strangers[0], &segment);
	}
	stranger_says(&strangers[0], "a", 1);
	set_limit(4);
	stranger_says(&strangers[0], "b", 1);
	assert_int_equal(counted(TCP_EXTRA_OUT_OF_ORDER_PRUNED), 1);
	assert_int_equal(counted(TCP_EXTRA_RECEIVE_QUEUE_DROPS), 0);
	assert_int_equal(socket_take(sockets[0], got, sizeof(got), 0), 2);
	set_limit(LIMIT_PAGES);
	fixture_clear_sent(&f);
	end_all();
}

/* However full the memory is, a connection whose process has read everything goes on. */
static void an_empty_queue_takes_one(void **state __unused)
{
	char got[8];

	connect_all();
	stranger_says(&strangers[0], "a", 1);
	set_limit(0);
	stranger_says(&strangers[1], "b", 1);
	assert_int_equal(socket_take(sockets[1], got, sizeof(got), 0), 1);
	stranger_says(&strangers[0], "c", 1);
	assert_int_equal(socket_take(sockets[0], got, sizeof(got), 0), 1);
	assert_dropped(&f, DROP_TCP_MEMORY, 1);
	set_limit(LIMIT_PAGES);
	fixture_clear_sent(&f);
	end_all();
}

/* Senders wait: each has one piece, and goes on when that was acknowledged. */
static void senders_wait(void **state __unused)
{
	static char data[65536];
	uint64_t most = 0;

	set_limit(LIMIT_PAGES);
	connect_all();
	for (uint32_t i = 0; i < FLOODERS; i++) {
		while (socket_give(sockets[i], data, sizeof(data), 0) > 0)
			fixture_clear_sent(&f);
		most = MAX(most, state_of_net()->memory_used);
		fixture_clear_sent(&f);
	}
	assert_in_range(most, LIMIT, LIMIT + FLOODERS * 2ull * sizeof(data));
	assert_int_equal(socket_give(sockets[0], data, 1, 0), -EAGAIN);
	assert_false(socket_poll(sockets[0], NULL) & POLLOUT);
	/* All of it is acknowledged, a window at a time; then there is room again. */
	for (uint32_t i = 0; i < FLOODERS; i++) {
		for (uint32_t n = 0; n < 100 && tcp_socket(sockets[i])->stream.charged; n++) {
			strangers[i].ack = tcp_socket(sockets[i])->snd_nxt;
			stranger_flags(&strangers[i], TCP_ACK);
			fixture_advance(&f, USEC_PER_MSEC);
			fixture_clear_sent(&f);
		}
		assert_int_equal(tcp_socket(sockets[i])->stream.charged, 0);
	}
	assert_true(socket_poll(sockets[0], NULL) & POLLOUT);
	assert_int_equal(socket_give(sockets[0], data, 1, 0), 1);
	fixture_clear_sent(&f);
	end_all();
}

/* ---- None at all ---- */

/* Nothing is packed, and nothing is lost. */
static void no_memory_to_pack(void **state __unused)
{
	static char got[1000];
	uint32_t n = 0;

	connect_all();
	while (sockets[0]->receive_queue.truesize <= (uint32_t)sockets[0]->receive_buffer / 8) {
		stranger_says(&strangers[0], "x", 1);
		n++;
	}
	for (uint32_t i = 0; i < 10; i++, n++) {
		host_fail_allocation(2); /* behind the packet's own */
		stranger_says(&strangers[0], "x", 1);
		host_fail_allocation(0);
	}
	assert_int_equal(counted(TCP_EXTRA_RECEIVE_COLLAPSED), 0);
	assert_int_equal(socket_take(sockets[0], got, sizeof(got), 0), n);
	fixture_clear_sent(&f);
	end_all();
}

/* An answer that cannot be made is as one that got lost. */
static void no_memory_to_answer(void **state __unused)
{
	struct stranger stranger;

	stranger_init(&stranger, &f);
	stranger.ours = TCP_FIXTURE_PORT + 1;
	drops_watch(&f);
	host_fail_allocation(2);
	stranger_flags(&stranger, TCP_SYN);
	host_fail_allocation(0);
	stranger_sees_nothing(&stranger);
	assert_dropped(&f, DROP_TCP_NO_SOCKET, 1);
}

static void no_memory_to_listen(void **state __unused)
{
	struct socket *second = make_socket(&f, SOCK_STREAM, 0);

	assert_int_equal(do_bind(second, IP4_ANY, TCP_FIXTURE_PORT + 1), 0);
	for (uint64_t nth = 1; nth <= 2; nth++) {
		host_fail_allocation(nth);
		assert_int_equal(socket_listen(second, 16), -ENOMEM);
		host_fail_allocation(0);
	}
	assert_int_equal(socket_listen(second, 16), 0);
	socket_close(second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_idle_connection),       TEST(a_half_open_one),
		TEST(one_in_time_wait),         TEST(out_of_order_up_to_the_limit),
		TEST(in_order_up_to_the_limit), TEST(in_order_before_out_of_order),
		TEST(pruning_makes_room),       TEST(senders_wait),
		TEST(an_empty_queue_takes_one), TEST(no_memory_to_pack),
		TEST(no_memory_to_answer),      TEST(no_memory_to_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
