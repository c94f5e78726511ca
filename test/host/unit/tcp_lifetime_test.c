/*
 * How connections end by themselves: keepalive in every state, the user's timeout, orphans, resets
 * in TIME-WAIT (RFC 9293 3.8.3, 3.8.4; RFC 1122 4.2.2.13; RFC 1337; RFC 5482).
 */
#include <string.h>

#include "kernel/errno.h"
#include "test/host/unit/stranger.h"

static struct fixture f;
static struct socket *listener, *socket;
static struct stranger stranger;

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	stranger_init(&stranger, &f);
	socket = NULL;
	return 0;
}

static int tear_down(void **state __unused)
{
	if (socket)
		socket_close(socket);
	tcp_fixture_destroy(&f, listener);
	return 0;
}

static struct tcp_settings *settings(void)
{
	return &tcp_fixture_state(&f)->settings;
}

static uint64_t counted(enum tcp_extra_statistic which)
{
	return tcp_fixture_state(&f)->extra[which];
}

static struct tcp_socket *tcp(void)
{
	return tcp_socket(socket);
}

static void give(const char *text)
{
	assert_int_equal(socket_give(socket, text, strlen(text), 0), strlen(text));
	fixture_run(&f);
}

/* ---- Keepalive: 3.8.4 ---- */

static void want_keepalive(void)
{
	set_option(socket, SOL_TCP, TCP_KEEPIDLE, 10);
	set_option(socket, SOL_TCP, TCP_KEEPINTVL, 5);
	set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
}

/* In every state in which the peer may still talk; MUST-26: the stack's default otherwise. */
static void test_keepalive_in_each_state(void **state __unused)
{
	for (int which = 0; which < 4; which++) {
		stranger_init(&stranger, &f);
		socket = stranger_connects(&stranger, listener);
		if (which == 1)
			stranger_flags(&stranger, TCP_ACK | TCP_FIN);
		if (which > 1)
			socket_shutdown(socket, SHUT_WR);
		fixture_run(&f);
		if (which == 3)
			stranger_acknowledges(&stranger);
		fixture_clear_sent(&f);
		want_keepalive();
		settings()->tcp_keepalive_probes = 2;
		settings()->tcp_retries2 = 3;
		fixture_advance(&f, 200 * USEC_PER_SEC);
		assert_int_equal(tcp()->state, TCP_CLOSE);
		assert_int_equal(get_option(socket, SOL_SOCKET, SO_ERROR), ETIMEDOUT);
		fixture_clear_sent(&f);
		socket_close(socket);
		socket = NULL;
	}
}

/* Switched off again, the timer that was armed does nothing. MUST-25 */
static void test_keepalive_is_switched_off(void **state __unused)
{
	socket = stranger_connects(&stranger, listener);
	want_keepalive();
	set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 0);
	fixture_advance(&f, 100 * USEC_PER_SEC);
	stranger_sees_nothing(&stranger);
	assert_int_equal(tcp()->state, TCP_ESTABLISHED);
}

/* RFC 5482: the user's time counts instead of the number of probes. MUST-21 */
static void test_keepalive_with_user_timeout(void **state __unused)
{
	socket = stranger_connects(&stranger, listener);
	want_keepalive();
	set_option(socket, SOL_TCP, TCP_KEEPCNT, 1);
	set_option(socket, SOL_TCP, TCP_USER_TIMEOUT, 30000);
	fixture_advance(&f, 29 * USEC_PER_SEC);
	assert_int_equal(tcp()->state, TCP_ESTABLISHED);
	assert_in_range(f.sent_count, 3, 4);
	fixture_clear_sent(&f);
	fixture_advance(&f, 10 * USEC_PER_SEC);
	assert_int_equal(tcp()->state, TCP_CLOSE);
	fixture_clear_sent(&f);
}

/*
 * Data that waits for the peer's window needs no probe of its own, and the peer's silence is
 * counted all the same.
 */
static void test_keepalive_before_a_closed_window(void **state __unused)
{
	settings()->tcp_retries2 = 4;
	socket = stranger_connects(&stranger, listener);
	stranger.window = 0;
	stranger_flags(&stranger, TCP_ACK);
	give("data");
	set_option(socket, SOL_TCP, TCP_KEEPIDLE, 1);
	set_option(socket, SOL_TCP, TCP_KEEPINTVL, 1);
	set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
	fixture_clear_sent(&f);
	fixture_advance(&f, 60 * USEC_PER_SEC);
	assert_int_equal(counted(TCP_EXTRA_KEEPALIVES), 0);
	assert_int_equal(counted(TCP_EXTRA_WINDOW_PROBES), 4);
	assert_int_equal(tcp()->state, TCP_CLOSE);
	fixture_clear_sent(&f);
}

/* ---- Orphans ---- */

/* tcp_orphan_retries, where it is set. */
static void test_orphan_retries(void **state __unused)
{
	settings()->tcp_orphan_retries = 2;
	socket = stranger_connects(&stranger, listener);
	give("data");
	socket_close(socket);
	socket = NULL;
	fixture_advance(&f, 10 * USEC_PER_SEC);
	assert_int_equal(tcp_fixture_state(&f)->orphans, 0);
	fixture_clear_sent(&f);
}

/* TCP_LINGER2 below 0: there is no FIN_WAIT_2 for an orphan. */
static void test_no_linger2(void **state __unused)
{
	socket = stranger_connects(&stranger, listener);
	set_option(socket, SOL_TCP, TCP_LINGER2, -1);
	socket_close(socket);
	socket = NULL;
	stranger_acknowledges(&stranger);
	assert_int_equal(stranger_sees(&stranger, 0).header.flags & TCP_RST, TCP_RST);
	assert_int_equal(counted(TCP_EXTRA_ABORTS_ON_LINGER), 1);
	assert_int_equal(tcp_fixture_state(&f)->orphans, 0);
	fixture_clear_sent(&f);
}

/* ---- TIME-WAIT ---- */

/* tcp_rfc1337 off: a right reset ends it, as RFC 9293 has it. */
static void test_reset_in_time_wait(void **state __unused)
{
	for (int protect = 0; protect <= 1; protect++) {
		stranger_init(&stranger, &f);
		socket = stranger_connects(&stranger, listener);
		socket_close(socket);
		socket = NULL;
		stranger_acknowledges(&stranger);
		stranger_flags(&stranger, TCP_ACK | TCP_FIN);
		stranger.seq++;
		fixture_clear_sent(&f);
		settings()->tcp_rfc1337 = protect;
		stranger.seq++;
		stranger_flags(&stranger, TCP_RST);
		assert_int_equal(tcp_fixture_state(&f)->timewaits.count, 1);
		stranger.seq--;
		stranger_flags(&stranger, TCP_RST);
		assert_int_equal(tcp_fixture_state(&f)->timewaits.count, protect);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_keepalive_in_each_state),
		TEST(test_keepalive_is_switched_off),
		TEST(test_keepalive_with_user_timeout),
		TEST(test_keepalive_before_a_closed_window),
		TEST(test_orphan_retries),
		TEST(test_no_linger2),
		TEST(test_reset_in_time_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
