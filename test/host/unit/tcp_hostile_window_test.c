/*
 * Hostile windows: closed for ever, shrinking, of single bytes; and peers that stop answering when
 * the process has gone. Named in docs/hostile-inputs.md.
 */
#include <string.h>

#include "test/host/unit/stranger.h"

static struct fixture f;
static struct socket *listener, *socket;
static struct stranger stranger;
static char data[100000];

static struct tcp_socket *tcp(void)
{
	return tcp_socket(socket);
}

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	stranger_init(&stranger, &f);
	socket = stranger_connects(&stranger, listener);
	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i % 251);
	drops_watch(&f);
	return 0;
}

static int tear_down(void **state __unused)
{
	assert_still_serves(&f, listener);
	if (socket)
		socket_close(socket);
	tcp_fixture_destroy(&f, listener);
	return 0;
}

static uint64_t counted(enum tcp_extra_statistic which)
{
	return tcp_fixture_state(&f)->extra[which];
}

/* ---- Closed for ever ---- */

/* A day: each probe is answered, so they go on, two minutes apart (RFC 9293 3.8.6.1, MUST-37). */
static void window_0_forever(void **state __unused)
{
	uint32_t probes = 0;

	stranger.window = 0;
	stranger_flags(&stranger, TCP_ACK);
	assert_int_equal(socket_give(socket, data, 1000, 0), 1000);
	stranger_sees_nothing(&stranger);
	for (uint64_t second = 0; second < 24 * 3600; second++) {
		fixture_advance(&f, USEC_PER_SEC);
		probes += f.sent_count;
		if (!f.sent_count)
			continue;
		fixture_clear_sent(&f);
		stranger_flags(&stranger, TCP_ACK);
	}
	assert_in_range(probes, 24 * 30, 24 * 31 + 10);
	assert_int_equal(counted(TCP_EXTRA_WINDOW_PROBES), probes);
	assert_int_equal(tcp()->state, TCP_ESTABLISHED);
	/* It opens after all. */
	stranger.window = 5000;
	stranger_flags(&stranger, TCP_ACK);
	assert_int_equal(stranger_sees(&stranger, 0).length, 1000);
	stranger_acknowledges(&stranger);
	assert_int_equal(tcp()->snd_una, tcp()->snd_nxt);
}

/* Nobody answers the probes: that ends after tcp_retries2 of them. */
static void window_0_and_silence(void **state __unused)
{
	stranger.window = 0;
	stranger_flags(&stranger, TCP_ACK);
	socket_give(socket, data, 1000, 0);
	fixture_advance(&f, 3600 * USEC_PER_SEC);
	assert_int_equal(tcp()->state, TCP_CLOSE);
	assert_int_equal(counted(TCP_EXTRA_WINDOW_PROBES), 15);
	assert_int_equal(counted(TCP_EXTRA_ABORTS_ON_TIMEOUT), 1);
	assert_int_equal(socket_give(socket, "x", 1, 0), -ETIMEDOUT);
	fixture_clear_sent(&f);
}

/* The process has gone: a peer that keeps its window closed does not hold the memory for ever. */
static void window_0_and_an_orphan(void **state __unused)
{
	uint64_t began_us = f.now_us;

	stranger.window = 0;
	stranger_flags(&stranger, TCP_ACK);
	socket_give(socket, data, 1000, 0);
	socket_close(socket);
	socket = NULL;
	assert_int_equal(tcp_fixture_state(&f)->orphans, 1);
	while (tcp_fixture_state(&f)->orphans && f.now_us - began_us < 3 * 3600 * USEC_PER_SEC) {
		fixture_advance(&f, USEC_PER_SEC);
		if (!f.sent_count)
			continue;
		fixture_clear_sent(&f);
		stranger_flags(&stranger, TCP_ACK);
		fixture_clear_sent(&f);
	}
	assert_int_equal(tcp_fixture_state(&f)->orphans, 0);
	assert_int_equal(tcp_fixture_state(&f)->memory_used, 0);
}

/* ---- Shrinking: RFC 9293 3.8.6, SHLD-14, MUST-34 ---- */

/* What was sent beyond the new edge is sent again, and arrives whole when the window opens. */
static void shrinking_window(void **state __unused)
{
	static char got[20000];
	uint32_t base = stranger.ack, received = 0;

	stranger.window = 20000;
	stranger_flags(&stranger, TCP_ACK);
	assert_int_equal(socket_give(socket, data, sizeof(got), 0), sizeof(got));
	assert_true(f.sent_count >= 10);
	stranger.ack += stranger_sees(&stranger, 0).length;
	stranger.window = 100; /* half of what is under way is beyond it now */
	fixture_clear_sent(&f);
	stranger_flags(&stranger, TCP_ACK);
	stranger.window = 0;
	stranger_flags(&stranger, TCP_ACK);
	fixture_clear_sent(&f);
	fixture_advance(&f, 30 * USEC_PER_SEC);
	assert_int_equal(tcp()->state, TCP_ESTABLISHED);
	fixture_clear_sent(&f);
	stranger.window = UINT16_MAX;
	stranger_flags(&stranger, TCP_ACK);
	received = stranger.ack - base;
	memcpy(got, data, received); /* the first segment */
	for (uint32_t round = 0; received < sizeof(got) && round < 100; round++) {
		for (uint32_t i = 0; i < f.sent_count; i++) {
			const struct seen seen = stranger_sees(&stranger, i);
			uint32_t at = seen.header.seq - base;

			assert_true(at + seen.length <= sizeof(got));
			memcpy(got + at, seen.data, seen.length);
			if (at == received)
				received += (uint32_t)seen.length;
		}
		stranger.ack = base + received;
		fixture_clear_sent(&f);
		stranger_flags(&stranger, TCP_ACK);
		if (!f.sent_count)
			fixture_advance(&f, USEC_PER_SEC);
	}
	assert_int_equal(received, sizeof(got));
	assert_memory_equal(got, data, sizeof(got));
	fixture_advance(&f, USEC_PER_SEC);
	assert_int_equal(tcp()->snd_una, tcp()->snd_nxt);
}

/* Up and down a thousand times, and never more under way than was once allowed. */
static void window_that_trembles(void **state __unused)
{
	uint32_t edge = stranger.ack + UINT16_MAX;

	socket_give(socket, data, sizeof(data), 0);
	for (uint32_t i = 0; i < 1000; i++) {
		stranger.window = (uint16_t)(i * 7919);
		edge = seq_max(edge, stranger.ack + stranger.window);
		stranger_flags(&stranger, TCP_ACK);
		fixture_clear_sent(&f);
		fixture_advance(&f, 10 * USEC_PER_MSEC);
		assert_true(seq_upto(tcp()->snd_nxt, edge));
		fixture_clear_sent(&f);
	}
	assert_int_equal(tcp()->state, TCP_ESTABLISHED);
}

/* ---- Silly windows: RFC 9293 3.8.6.2.1, MUST-38 ---- */

/* The window opens by a byte at a time: that brings no segments of a byte. */
static void window_of_single_bytes(void **state __unused)
{
	uint32_t segments = 0;

	stranger.window = 2000;
	stranger_flags(&stranger, TCP_ACK);
	socket_give(socket, data, 50000, 0);
	stranger.window = 0;
	stranger_acknowledges(&stranger);
	for (uint32_t i = 0; i < 900; i++) { /* less than half of the largest window */
		stranger.window++;
		stranger_flags(&stranger, TCP_ACK);
		segments += f.sent_count;
		fixture_clear_sent(&f);
	}
	assert_int_equal(segments, 0);
	stranger.window = 1460;
	stranger_flags(&stranger, TCP_ACK);
	assert_int_equal(f.sent_count, 1);
	assert_int_equal(stranger_sees(&stranger, 0).length, 1460);
	fixture_clear_sent(&f);
}

/* What lies beyond the window that we offered is cut off. */
static void data_beyond_our_window(void **state __unused)
{
	struct crafted segment;
	uint32_t room = tcp()->rcv_edge - tcp()->rcv_nxt;

	while (room > 1000) {
		uint32_t part = MIN(room - 1000, 1000u);

		stranger_says(&stranger, data, part);
		room -= part;
		fixture_clear_sent(&f);
	}
	segment = stranger_segment(&stranger, TCP_ACK | TCP_PSH | TCP_FIN);
	segment.data = data;
	segment.length = 1400;
	stranger_sends(&stranger, &segment);
	assert_int_equal(tcp()->rcv_nxt, stranger.seq + 1000);
	assert_int_equal(tcp()->state, TCP_ESTABLISHED); /* its FIN was cut off too */
	fixture_advance(&f, 50 * USEC_PER_MSEC);
	assert_int_equal(stranger_sees_only(&stranger, TCP_ACK).header.ack, stranger.seq + 1000);
	assert_dropped(&f, DROP_NONE, 0);
	/* All of it beyond. */
	stranger.seq += 1000;
	segment = stranger_segment(&stranger, TCP_ACK | TCP_PSH);
	segment.data = data;
	segment.length = 10;
	stranger_sends(&stranger, &segment);
	assert_int_equal(stranger_sees_only(&stranger, TCP_ACK).header.window, 0);
	assert_dropped(&f, DROP_TCP_WINDOW_CLOSED, 1);
	assert_int_equal(counted(TCP_EXTRA_ZERO_WINDOW_DROPS), 1);
	segment.seq++;
	stranger_sends(&stranger, &segment);
	stranger_sees_only(&stranger, TCP_ACK);
	assert_dropped(&f, DROP_TCP_OUTSIDE_WINDOW, 1);
	segment.seq += 0x80000000u;
	stranger_sends(&stranger, &segment);
	stranger_sees_only(&stranger, TCP_ACK);
	assert_dropped(&f, DROP_TCP_DUPLICATE, 1);
	while (socket_take(socket, data, sizeof(data), 0) > 0)
		;
	fixture_clear_sent(&f);
}

/* ---- Peers that do not close ---- */

/* FIN_WAIT_2 of an orphan: tcp_fin_timeout, or TCP_LINGER2. */
static void fin_wait_2_ends(void **state __unused)
{
	static const int linger2[] = {0, 10};

	for (uint32_t i = 0; i < ARRAY_SIZE(linger2); i++) {
		uint64_t seconds = linger2[i] ? (uint64_t)linger2[i] : 60;

		set_option(socket, SOL_TCP, TCP_LINGER2, linger2[i]);
		socket_close(socket);
		stranger.ack++;
		stranger_flags(&stranger, TCP_ACK);
		assert_int_equal(tcp_fixture_state(&f)->orphans, 1);
		fixture_advance(&f, (seconds - 1) * USEC_PER_SEC);
		assert_int_equal(tcp_fixture_state(&f)->orphans, 1);
		fixture_advance(&f, 2 * USEC_PER_SEC);
		assert_int_equal(tcp_fixture_state(&f)->orphans, 0);
		fixture_clear_sent(&f);
		stranger_init(&stranger, &f);
		socket = stranger_connects(&stranger, listener);
	}
}

/* It keeps on sending to an orphan: answered with a reset, which ends it. */
static void data_for_an_orphan(void **state __unused)
{
	socket_close(socket);
	socket = NULL;
	stranger.ack++;
	stranger_flags(&stranger, TCP_ACK);
	fixture_clear_sent(&f);
	stranger_says(&stranger, "more", 4);
	assert_true(stranger_sees(&stranger, 0).header.flags & TCP_RST);
	assert_dropped(&f, DROP_TCP_AFTER_CLOSE, 1);
	assert_int_equal(tcp_fixture_state(&f)->orphans, 0);
	fixture_clear_sent(&f);
}

/* Our FIN is never acknowledged. */
static void orphan_and_silence(void **state __unused)
{
	socket_give(socket, data, 1000, 0);
	socket_close(socket);
	socket = NULL;
	assert_int_equal(tcp_fixture_state(&f)->orphans, 1);
	fixture_advance(&f, 900 * USEC_PER_SEC);
	assert_int_equal(tcp_fixture_state(&f)->orphans, 0);
	assert_int_equal(counted(TCP_EXTRA_ABORTS_ON_TIMEOUT), 1);
	fixture_clear_sent(&f);
}

/* More orphans than tcp_max_orphans: the newest is reset. */
static void too_many_orphans(void **state __unused)
{
	tcp_fixture_state(&f)->settings.tcp_max_orphans = 2;
	for (uint32_t i = 0; i < 4; i++) {
		socket_close(socket);
		assert_int_equal(tcp_fixture_state(&f)->orphans, MIN(i + 1, 2u));
		stranger_init(&stranger, &f);
		socket = stranger_connects(&stranger, listener);
	}
	assert_int_equal(counted(TCP_EXTRA_ABORTS_ON_MEMORY), 2);
	tcp_fixture_state(&f)->settings.tcp_max_orphans = 100;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(window_0_forever),       TEST(window_0_and_silence),
		TEST(window_0_and_an_orphan), TEST(shrinking_window),
		TEST(window_that_trembles),   TEST(window_of_single_bytes),
		TEST(data_beyond_our_window), TEST(fin_wait_2_ends),
		TEST(data_for_an_orphan),     TEST(orphan_and_silence),
		TEST(too_many_orphans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
