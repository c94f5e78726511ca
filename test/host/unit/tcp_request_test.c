/*
 * Half-open connections: how long and how often a SYN-ACK is sent, and what else may come (RFC 9293
 * 3.10.7.4 in SYN-RECEIVED, RFC 4987, RFC 5961).
 */
#include <string.h>

#include "test/host/unit/stranger.h"

static struct fixture f;
static struct socket *listener;
static struct stranger stranger;

static uint32_t requests(void)
{
	return tcp_fixture_state(&f)->requests.table.count;
}

static uint64_t counted(enum tcp_extra_statistic which)
{
	return tcp_fixture_state(&f)->extra[which];
}

/* The stranger's SYN was answered. */
static void half_open(void)
{
	struct crafted syn = stranger_syn(&stranger);
	struct seen answer;

	stranger_sends(&stranger, &syn);
	answer = stranger_sees_only(&stranger, TCP_SYN | TCP_ACK);
	stranger.seq++;
	stranger.irs = answer.header.seq;
	stranger.ack = answer.header.seq + 1;
	stranger.ts_echo = answer.options.ts_value;
	assert_int_equal(requests(), 1);
	drops_watch(&f);
}

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	stranger_init(&stranger, &f);
	stranger.timestamps = stranger.sack = true;
	stranger.wscale = 7;
	half_open();
	return 0;
}

static int tear_down(void **state __unused)
{
	assert_still_serves(&f, listener);
	tcp_fixture_destroy(&f, listener);
	return 0;
}

/* The connection that the stranger's ACK makes, and its end. */
static struct socket *accept_one(void)
{
	struct socket *socket;

	assert_int_equal(socket_accept(listener, &socket, true), 0);
	return socket;
}

static void end(struct socket *socket)
{
	stranger_flags(&stranger, TCP_RST);
	socket_close(socket);
	fixture_clear_sent(&f);
}

/* Still half open, and the right ACK makes a connection of it. */
static void can_be_completed(void)
{
	assert_int_equal(requests(), 1);
	fixture_clear_sent(&f);
	stranger_flags(&stranger, TCP_ACK);
	assert_int_equal(requests(), 0);
	end(accept_one());
}

/* ---- The SYN-ACK ---- */

/* After 1, 2, 4, 8 and 16 s more, each time the same; then it is given up. */
static void the_syn_ack_is_repeated(void **state __unused)
{
	uint64_t began_us = f.now_us;

	for (uint32_t i = 0; i < 5; i++) {
		struct seen again;

		fixture_advance(&f, ((1ull << i) * USEC_PER_SEC) - 1);
		stranger_sees_nothing(&stranger);
		fixture_advance(&f, 1);
		again = stranger_sees_only(&stranger, TCP_SYN | TCP_ACK);
		assert_int_equal(again.header.seq, stranger.irs);
		assert_int_equal(again.header.ack, stranger.seq);
		assert_true(again.options.has_window_scale && again.options.sack_permitted);
	}
	fixture_advance(&f, 33 * USEC_PER_SEC);
	stranger_sees_nothing(&stranger);
	assert_int_equal(requests(), 0);
	assert_int_equal(f.now_us - began_us, 64 * USEC_PER_SEC);
	assert_int_equal(counted(TCP_EXTRA_SYN_RETRANSMITS), 5);
	assert_int_equal(tcp_fixture_state(&f)->statistics[TCP_STAT_ATTEMPT_FAILS], 1);
}

/* Requests of every age, whose timer is one. */
static void many_of_every_age(void **state __unused)
{
	for (uint32_t i = 0; i < 15; i++) {
		struct stranger other;
		struct crafted syn;

		stranger_init(&other, &f);
		syn = stranger_syn(&other);
		stranger_sends(&other, &syn);
		fixture_advance(&f, 700 * USEC_PER_MSEC);
	}
	assert_int_equal(requests(), 16);
	fixture_advance(&f, 53 * USEC_PER_SEC);
	assert_in_range(requests(), 13, 16);
	fixture_advance(&f, 12 * USEC_PER_SEC);
	assert_int_equal(requests(), 0);
	assert_int_equal(counted(TCP_EXTRA_SYN_RETRANSMITS), 16 * 5);
	fixture_clear_sent(&f);
}

/* A SYN once more brings a SYN-ACK at once, but not each of a thousand. */
static void a_syn_again(void **state __unused)
{
	struct stranger again = stranger;
	struct crafted syn;

	again.seq--;
	syn = stranger_syn(&again);
	for (uint32_t i = 0; i < 1000; i++)
		stranger_sends(&again, &syn);
	assert_int_equal(stranger_sees_only(&again, TCP_SYN | TCP_ACK).header.seq, stranger.irs);
	assert_dropped(&f, DROP_TCP_DUPLICATE, 1000);
	assert_int_equal(counted(TCP_EXTRA_ACK_SKIPPED_SYN_RECEIVED), 999);
	can_be_completed();
}

/* ---- Other segments ---- */

/* What is answered by an acknowledgement, once in half a second. */
static void is_questioned(const struct crafted *segment, enum drop_reason reason)
{
	struct seen answer;

	fixture_advance(&f, USEC_PER_SEC / 2);
	fixture_clear_sent(&f);
	drops_watch(&f);
	for (uint32_t i = 0; i < 10; i++)
		stranger_sends(&stranger, segment);
	answer = stranger_sees_only(&stranger, TCP_ACK);
	assert_int_equal(answer.header.seq, stranger.ack);
	assert_int_equal(answer.header.ack, stranger.seq);
	assert_true(answer.options.has_timestamps && answer.header.window);
	assert_dropped(&f, reason, 10);
}

static void old_timestamps(void **state __unused)
{
	struct crafted segment;

	stranger.ts_value--;
	segment = stranger_segment(&stranger, TCP_ACK);
	stranger.ts_value++;
	is_questioned(&segment, DROP_TCP_OLD_TIMESTAMP);
	can_be_completed();
}

static void outside_of_the_window(void **state __unused)
{
	struct crafted segment = stranger_segment(&stranger, TCP_ACK);

	segment.seq += 70000;
	is_questioned(&segment, DROP_TCP_OUTSIDE_WINDOW);
	segment.seq = stranger.seq - 10;
	is_questioned(&segment, DROP_TCP_DUPLICATE);
	segment = stranger_syn(&stranger);
	segment.seq += 70000;
	is_questioned(&segment, DROP_TCP_BAD_SYN);
	can_be_completed();
}

static void resets(void **state __unused)
{
	struct crafted segment = stranger_segment(&stranger, TCP_RST);

	segment.seq = stranger.seq + 100;
	is_questioned(&segment, DROP_TCP_BAD_RESET);
	segment.seq = stranger.seq + 70000;
	drops_watch(&f);
	stranger_sends(&stranger, &segment);
	stranger_sees_nothing(&stranger);
	assert_dropped(&f, DROP_TCP_BAD_RESET, 1);
	assert_int_equal(requests(), 1);
	stranger_flags(&stranger, TCP_RST);
	assert_dropped(&f, DROP_TCP_RESET, 1);
	assert_int_equal(requests(), 0);
}

static void wrong_acknowledgements(void **state __unused)
{
	static const uint32_t off[] = {(uint32_t)-1, 1, 0x80000000u};
	uint32_t right = stranger.ack;

	for (uint32_t i = 0; i < ARRAY_SIZE(off); i++) {
		stranger.ack = right + off[i];
		stranger_flags(&stranger, TCP_ACK);
		assert_int_equal(stranger_sees_only(&stranger, TCP_RST).header.seq, stranger.ack);
		assert_dropped(&f, DROP_TCP_BAD_ACK, 1);
	}
	stranger_flags(&stranger, TCP_FIN);
	stranger_sees_nothing(&stranger);
	assert_dropped(&f, DROP_TCP_BAD_FLAGS, 1);
	stranger.ack = right;
	can_be_completed();
}

/* Another SYN in the window: the peer begins anew, and so do we at its next one. */
static void another_syn_in_the_window(void **state __unused)
{
	struct crafted syn = stranger_syn(&stranger);

	syn.seq += 1000;
	stranger_sends(&stranger, &syn);
	assert_int_equal(requests(), 0);
	assert_dropped(&f, DROP_TCP_BAD_SYN, 1);
	fixture_clear_sent(&f);
	stranger_sends(&stranger, &syn);
	stranger_sees_only(&stranger, TCP_SYN | TCP_ACK);
	assert_int_equal(requests(), 1);
	stranger.seq += 1001;
	stranger_flags(&stranger, TCP_RST);
}

/* The third segment brings data, and a FIN: nothing of it is lost. */
static void data_with_the_third_segment(void **state __unused)
{
	struct crafted segment = stranger_segment(&stranger, TCP_ACK | TCP_FIN);
	struct socket *socket;
	char bytes[8];

	segment.data = "early";
	segment.length = 5;
	stranger_sends(&stranger, &segment);
	stranger.seq += 6;
	socket = accept_one();
	assert_int_equal(socket_take(socket, bytes, sizeof(bytes), 0), 5);
	assert_memory_equal(bytes, "early", 5);
	assert_int_equal(socket_take(socket, bytes, sizeof(bytes), 0), 0);
	assert_int_equal(tcp_socket(socket)->state, TCP_CLOSE_WAIT);
	end(socket);
}

/* ---- No room, no memory ---- */

/* tcp_abort_on_overflow: the client hears of it at once. */
static void a_full_queue_that_resets(void **state __unused)
{
	struct stranger others[17];

	tcp_fixture_state(&f)->settings.tcp_abort_on_overflow = 1;
	for (uint32_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct crafted syn;

		stranger_init(&others[i], &f);
		syn = stranger_syn(&others[i]);
		stranger_sends(&others[i], &syn);
		others[i].ack = stranger_sees_only(&others[i], TCP_SYN | TCP_ACK).header.seq + 1;
		others[i].seq++;
		stranger_flags(&others[i], TCP_ACK);
	}
	drops_watch(&f);
	fixture_clear_sent(&f);
	stranger_flags(&stranger, TCP_ACK);
	stranger_sees_only(&stranger, TCP_RST);
	assert_dropped(&f, DROP_TCP_ACCEPT_FULL, 1);
	assert_int_equal(requests(), 0);
	for (uint32_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct socket *socket = accept_one();

		stranger_flags(&others[i], TCP_RST);
		socket_close(socket);
	}
}

/* Otherwise the SYN-ACK goes on asking, until there is a place. */
static void a_full_queue_that_waits(void **state __unused)
{
	struct stranger others[17];

	for (uint32_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct crafted syn;

		stranger_init(&others[i], &f);
		syn = stranger_syn(&others[i]);
		stranger_sends(&others[i], &syn);
		others[i].ack = stranger_sees_only(&others[i], TCP_SYN | TCP_ACK).header.seq + 1;
		others[i].seq++;
		stranger_flags(&others[i], TCP_ACK);
	}
	drops_watch(&f);
	fixture_clear_sent(&f);
	stranger_flags(&stranger, TCP_ACK);
	stranger_sees_nothing(&stranger);
	assert_dropped(&f, DROP_TCP_ACCEPT_FULL, 1);
	fixture_advance(&f, USEC_PER_SEC);
	stranger_sees_only(&stranger, TCP_SYN | TCP_ACK);
	for (uint32_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct socket *socket = accept_one();

		stranger_flags(&others[i], TCP_RST);
		socket_close(socket);
	}
	can_be_completed();
}

/* It stays half open until there is memory for a connection. */
static void no_memory_for_a_connection(void **state __unused)
{
	for (uint64_t nth = 2; nth <= 3; nth++) {
		host_fail_allocation(nth); /* behind the packet's own */
		stranger_flags(&stranger, TCP_ACK);
		host_fail_allocation(0);
		if (requests() == 0)
			break;
		assert_true(counted(TCP_EXTRA_LISTEN_DROPS) > 0);
		assert_true(f.net.drops[DROP_NO_MEMORY] > 0);
	}
	if (requests())
		stranger_flags(&stranger, TCP_ACK);
	assert_int_equal(requests(), 0);
	end(accept_one());
}

/* Without memory for a request a cookie does. */
static void no_memory_for_a_request(void **state __unused)
{
	struct stranger other;
	struct crafted syn;

	stranger_init(&other, &f);
	syn = stranger_syn(&other);
	host_fail_allocation(2);
	stranger_sends(&other, &syn);
	host_fail_allocation(0);
	assert_int_equal(requests(), 1);
	assert_int_equal(counted(TCP_EXTRA_SYNCOOKIES_SENT), 1);
	other.ack = stranger_sees_only(&other, TCP_SYN | TCP_ACK).header.seq + 1;
	other.seq++;
	stranger_flags(&other, TCP_ACK);
	stranger = other;
	end(accept_one());
}

/* The listener goes, and its requests with it; not those of another. */
static void the_listener_closes(void **state __unused)
{
	struct socket *second = make_socket(&f, SOCK_STREAM, 0);
	struct stranger other;
	struct crafted syn;

	assert_int_equal(do_bind(second, IP4_ANY, TCP_FIXTURE_PORT + 1), 0);
	assert_int_equal(socket_listen(second, 16), 0);
	stranger_init(&other, &f);
	other.ours++;
	syn = stranger_syn(&other);
	stranger_sends(&other, &syn);
	fixture_clear_sent(&f);
	assert_int_equal(requests(), 2);
	socket_close(listener);
	assert_int_equal(requests(), 1);
	socket_close(second);
	assert_int_equal(requests(), 0);
	fixture_advance(&f, 70 * USEC_PER_SEC);
	stranger_sees_nothing(&stranger);
	stranger_flags(&stranger, TCP_ACK);
	stranger_sees_only(&stranger, TCP_RST);
	listener = make_socket(&f, SOCK_STREAM, 0);
	assert_int_equal(do_bind(listener, IP4_ANY, TCP_FIXTURE_PORT), 0);
	assert_int_equal(socket_listen(listener, 16), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_syn_ack_is_repeated),
		TEST(many_of_every_age),
		TEST(a_syn_again),
		TEST(old_timestamps),
		TEST(outside_of_the_window),
		TEST(resets),
		TEST(wrong_acknowledgements),
		TEST(another_syn_in_the_window),
		TEST(data_with_the_third_segment),
		TEST(a_full_queue_that_resets),
		TEST(a_full_queue_that_waits),
		TEST(no_memory_for_a_connection),
		TEST(no_memory_for_a_request),
		TEST(the_listener_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
