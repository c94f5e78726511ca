/*
 * What a SYN cookie keeps and what it does not, beside the tests of tcp_hostile_open_test.c
 * (RFC 4987 3.6): options that are switched off, ECN, no memory.
 */
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

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	stranger_init(&stranger, &f);
	stranger.timestamps = stranger.sack = true;
	stranger.wscale = 7;
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

/* The table itself is made with the first request. */
static void no_memory_for_the_table(void **state __unused)
{
	struct crafted syn = stranger_syn(&stranger);

	host_fail_allocation(3); /* behind the packet's and the request's */
	stranger_sends(&stranger, &syn);
	host_fail_allocation(0);
	assert_int_equal(requests(), 0);
	assert_int_equal(counted(TCP_EXTRA_SYNCOOKIES_SENT), 1);
	fixture_clear_sent(&f);
}

/* What the stack's settings switch off is not agreed on, with a cookie or without. */
static void options_that_are_switched_off(void **state __unused)
{
	struct tcp_settings *settings = &tcp_fixture_state(&f)->settings;

	for (uint32_t off = 0; off < 6; off++) {
		struct crafted syn = stranger_syn(&stranger);
		struct seen answer;
		struct socket *socket;

		settings->tcp_syncookies = off < 3 ? 1 : 2;
		settings->tcp_sack = off % 3 != 0;
		settings->tcp_window_scaling = off % 3 != 1;
		settings->tcp_timestamps = off % 3 != 2;
		stranger_sends(&stranger, &syn);
		answer = stranger_sees_only(&stranger, TCP_SYN | TCP_ACK);
		assert_int_equal(answer.options.sack_permitted, off < 5 && off % 3 != 0);
		assert_int_equal(answer.options.has_window_scale, off < 5 && off % 3 != 1);
		assert_int_equal(answer.options.has_timestamps, off % 3 != 2);
		stranger.seq++;
		stranger.ack = answer.header.seq + 1;
		/* A client that lies about what it was told: all bits of the options set. */
		stranger.ts_echo = answer.options.ts_value | 0x1f;
		stranger_flags(&stranger, TCP_ACK);
		socket = accept_one();
		if (off % 3 == 0)
			assert_false(tcp_socket(socket)->has_sack);
		if (off % 3 == 1)
			assert_false(tcp_socket(socket)->has_wscale);
		if (off % 3 == 2)
			assert_false(tcp_socket(socket)->has_timestamps);
		end(socket);
		stranger.port++;
	}
}

/* A cookie remembers ECN too, in our timestamp. RFC 3168 6.1.1 */
static void a_cookie_with_ecn(void **state __unused)
{
	for (uint32_t ecn = 0; ecn <= 1; ecn++) {
		struct crafted syn = stranger_syn(&stranger);
		struct seen answer;
		struct socket *socket;

		tcp_fixture_state(&f)->settings.tcp_syncookies = 2;
		tcp_fixture_state(&f)->settings.tcp_ecn = (int32_t)ecn;
		syn.flags |= TCP_ECE | TCP_CWR;
		stranger_sends(&stranger, &syn);
		answer = stranger_sees(&stranger, 0);
		assert_int_equal(answer.header.flags & TCP_ECE, ecn ? TCP_ECE : 0);
		stranger.seq++;
		stranger.ack = answer.header.seq + 1;
		stranger.ts_echo = answer.options.ts_value;
		fixture_clear_sent(&f);
		stranger_flags(&stranger, TCP_ACK);
		socket = accept_one();
		assert_int_equal(tcp_socket(socket)->has_ecn, ecn);
		end(socket);
		stranger.port++;
	}
}

/* A right cookie without memory for its connection: the client's data will ask again. */
static void a_cookie_without_memory(void **state __unused)
{
	struct crafted syn = stranger_syn(&stranger);

	tcp_fixture_state(&f)->settings.tcp_syncookies = 2;
	stranger_sends(&stranger, &syn);
	stranger.ack = stranger_sees_only(&stranger, TCP_SYN | TCP_ACK).header.seq + 1;
	stranger.seq++;
	drops_watch(&f);
	host_fail_allocation(2);
	stranger_flags(&stranger, TCP_ACK);
	host_fail_allocation(0);
	stranger_sees_nothing(&stranger);
	assert_dropped(&f, DROP_NO_MEMORY, 1);
	stranger_flags(&stranger, TCP_ACK);
	end(accept_one());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_memory_for_the_table),
		TEST(options_that_are_switched_off),
		TEST(a_cookie_with_ecn),
		TEST(a_cookie_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
