/*
 * TIME-WAIT: what arrives in it, its length, how many there may be, and when the pair of ends may
 * be used again (RFC 9293 3.10.7.4, RFC 1337, RFC 6191).
 */
#include <string.h>

#include "test/host/unit/stranger.h"

static struct fixture f;
static struct socket *listener;
static struct stranger stranger;

/* The stranger's connection is over, and the stack keeps it in TIME-WAIT. */
static void reach_timewait(void)
{
	struct socket *socket = stranger_connects(&stranger, listener);

	socket_close(socket);
	stranger.ack++;
	stranger_flags(&stranger, TCP_ACK);
	stranger.ts_value += 10;
	stranger_flags(&stranger, TCP_FIN | TCP_ACK);
	stranger.seq++;
	fixture_clear_sent(&f);
	drops_watch(&f);
}

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	stranger_init(&stranger, &f);
	stranger.timestamps = true;
	reach_timewait();
	assert_int_equal(tcp_fixture_state(&f)->timewaits.count, 1);
	return 0;
}

static int tear_down(void **state __unused)
{
	assert_still_serves(&f, listener);
	tcp_fixture_destroy(&f, listener);
	return 0;
}

static uint64_t counted(enum tcp_extra_statistic which)
{
	return tcp_fixture_state(&f)->extra[which];
}

static uint32_t waiting(void)
{
	return tcp_fixture_state(&f)->timewaits.count;
}

/* The acknowledgement that TIME-WAIT gives. */
static void sees_answer(void)
{
	struct seen seen = stranger_sees_only(&stranger, TCP_ACK);

	assert_int_equal(seen.header.seq, stranger.ack);
	assert_int_equal(seen.header.ack, stranger.seq);
	assert_true(seen.options.has_timestamps);
	assert_int_equal(seen.options.ts_echo, stranger.ts_value);
}

/* The peer's FIN once more, with a timestamp `later` than the last. */
static void fin_again(int later)
{
	struct stranger again = stranger;

	again.seq--;
	again.ts_value += (uint32_t)later;
	stranger_flags(&again, TCP_FIN | TCP_ACK);
}

/* RFC 9293 3.4.1, MUST-13: 2 MSL, then nothing is left of it. */
static void lasts_60_seconds(void **state __unused)
{
	fixture_advance(&f, 59 * USEC_PER_SEC);
	assert_int_equal(waiting(), 1);
	fixture_advance(&f, 1 * USEC_PER_SEC);
	assert_int_equal(waiting(), 0);
	assert_int_equal(counted(TCP_EXTRA_TIME_WAITS), 1);
	stranger_flags(&stranger, TCP_ACK);
	stranger_sees_only(&stranger, TCP_RST);
	assert_dropped(&f, DROP_TCP_BAD_ACK, 1); /* the listener's */
}

static void a_fin_again_begins_anew(void **state __unused)
{
	fixture_advance(&f, 50 * USEC_PER_SEC);
	fin_again(1);
	sees_answer();
	assert_dropped(&f, DROP_TCP_DUPLICATE, 1);
	fixture_advance(&f, 59 * USEC_PER_SEC);
	assert_int_equal(waiting(), 1);
	fixture_advance(&f, 2 * USEC_PER_SEC);
	assert_int_equal(waiting(), 0);
}

/* ---- Old timestamps ---- */

static void a_fin_with_an_old_timestamp(void **state __unused)
{
	fixture_advance(&f, 50 * USEC_PER_SEC);
	fin_again(-1);
	sees_answer();
	assert_dropped(&f, DROP_TCP_OLD_TIMESTAMP, 1);
	assert_int_equal(counted(TCP_EXTRA_PAWS_REJECTED), 1);
	fixture_advance(&f, 11 * USEC_PER_SEC); /* it did not begin anew */
	assert_int_equal(waiting(), 0);
}

static void a_syn_with_an_old_timestamp(void **state __unused)
{
	struct stranger again = stranger;
	struct crafted syn;

	again.ts_value -= 1;
	again.seq += 1000000; /* however high its number */
	syn = stranger_syn(&again);
	stranger_sends(&stranger, &syn);
	sees_answer();
	assert_dropped(&f, DROP_TCP_OLD_TIMESTAMP, 1);
	assert_int_equal(waiting(), 1);
	assert_int_equal(tcp_fixture_state(&f)->requests.table.count, 0);
}

static void data_with_an_old_timestamp(void **state __unused)
{
	struct crafted segment;

	stranger.ts_value -= 1000;
	segment = stranger_segment(&stranger, TCP_ACK);
	segment.data = "late";
	segment.length = 4;
	stranger_sends(&stranger, &segment);
	stranger.ts_value += 1000;
	sees_answer();
	assert_dropped(&f, DROP_TCP_OLD_TIMESTAMP, 1);
}

/* ---- Other segments ---- */

static void a_fin_elsewhere_does_not_prolong_it(void **state __unused)
{
	fixture_advance(&f, 50 * USEC_PER_SEC);
	stranger.seq += 5000;
	stranger_flags(&stranger, TCP_FIN | TCP_ACK);
	stranger.seq -= 5000;
	sees_answer();
	fixture_advance(&f, 11 * USEC_PER_SEC);
	assert_int_equal(waiting(), 0);
}

/* RFC 1337: not even the exact one. */
static void a_reset_changes_nothing(void **state __unused)
{
	stranger_flags(&stranger, TCP_RST);
	stranger_flags(&stranger, TCP_RST | TCP_ACK);
	stranger_sees_nothing(&stranger);
	assert_dropped(&f, DROP_TCP_BAD_RESET, 2);
	assert_int_equal(waiting(), 1);
}

/* tcp_rfc1337 0: as the RFC found it, the right one ends it. */
static void a_reset_without_that_protection(void **state __unused)
{
	tcp_fixture_state(&f)->settings.tcp_rfc1337 = 0;
	stranger.seq++;
	stranger_flags(&stranger, TCP_RST);
	assert_dropped(&f, DROP_TCP_BAD_RESET, 1);
	stranger.seq--;
	stranger_flags(&stranger, TCP_RST);
	assert_dropped(&f, DROP_TCP_RESET, 1);
	assert_int_equal(waiting(), 0);
}

/* Two ends in TIME-WAIT would answer each other for ever. */
static void bare_acknowledgements(void **state __unused)
{
	stranger_flags(&stranger, TCP_ACK);
	stranger_sees_nothing(&stranger);
	assert_dropped(&f, DROP_TCP_DUPLICATE, 1);
	stranger.seq += 0x100000; /* outside of the window */
	for (uint32_t i = 0; i < 200; i++) {
		stranger_flags(&stranger, TCP_ACK);
		fixture_advance(&f, 5 * USEC_PER_MSEC);
	}
	stranger.seq -= 0x100000;
	assert_in_range(f.sent_count, 2, 3);
	assert_int_equal(counted(TCP_EXTRA_ACK_SKIPPED_TIME_WAIT), 200 - f.sent_count);
	assert_dropped(&f, DROP_TCP_OUTSIDE_WINDOW, 200);
	fixture_clear_sent(&f);
}

/* ---- The same ends again: RFC 6191 ---- */

static void assert_begins_anew(struct stranger *again)
{
	uint32_t last = stranger.ack;
	struct crafted syn = stranger_syn(again);
	struct seen answer;

	stranger_sends(again, &syn);
	answer = stranger_sees_only(again, TCP_SYN | TCP_ACK);
	assert_true(seq_after(answer.header.seq, last));
	assert_int_equal(counted(TCP_EXTRA_TIME_WAITS_RECYCLED), 1);
	assert_int_equal(waiting(), 0);
	again->seq++;
	stranger_flags(again, TCP_RST);
}

static void a_syn_with_a_newer_timestamp(void **state __unused)
{
	struct stranger again = stranger;

	again.ts_value++;
	again.seq -= 1000000; /* however low its number */
	assert_begins_anew(&again);
}

static void a_syn_with_the_same_timestamp(void **state __unused)
{
	struct stranger again = stranger;
	struct crafted syn;

	again.seq -= 1000;
	syn = stranger_syn(&again);
	stranger_sends(&stranger, &syn);
	sees_answer();
	again.seq += 2000;
	assert_begins_anew(&again);
}

static void a_syn_without_timestamps(void **state __unused)
{
	struct stranger again = stranger;
	struct crafted syn;

	again.timestamps = false;
	syn = stranger_syn(&again);
	stranger_sends(&stranger, &syn); /* at rcv_nxt: not above */
	sees_answer();
	again.seq++;
	assert_begins_anew(&again);
}

/* With nobody to take it, it is answered as anything else. */
static void a_syn_without_a_listener(void **state __unused)
{
	struct stranger again = stranger;
	struct crafted syn;

	again.ts_value++;
	socket_close(listener);
	syn = stranger_syn(&again);
	stranger_sends(&stranger, &syn);
	sees_answer();
	assert_int_equal(waiting(), 1);
	listener = make_socket(&f, SOCK_STREAM, 0);
	assert_int_equal(do_bind(listener, IP4_ANY, TCP_FIXTURE_PORT), 0);
	assert_int_equal(socket_listen(listener, 16), 0);
}

/* The stack's own number lies above the old connection's even when the clock has not got there. */
static void the_iss_lies_above(void **state __unused)
{
	struct stranger again = stranger;
	struct tcp_timewait *timewait = list_first_entry(&tcp_fixture_state(&f)->timewaits.waiting,
							 struct tcp_timewait, due);

	timewait->snd_nxt += 0x20000000;
	stranger.ack = timewait->snd_nxt;
	again.ts_value++;
	assert_begins_anew(&again);
}

/* May connect() take these ends again? tcp_tw_reuse */
static bool may_reuse(void)
{
	const struct endpoint local = {net_addr_ip4(OURS), stranger.ours};
	const struct endpoint remote = {net_addr_ip4(stranger.address), stranger.port};
	uint32_t above = 0;
	bool may;

	net_lock(&f.net);
	may = tcp_timewait_reuse(&f.net,
				 tcp_table_hash(&tcp_fixture_state(&f)->table, &local, &remote),
				 &local, &remote, &above);
	net_unlock(&f.net);
	if (may)
		assert_int_equal(above, stranger.ack);
	return may;
}

static void reuse_by_connect(void **state __unused)
{
	int32_t *allowed = &tcp_fixture_state(&f)->settings.tcp_tw_reuse;

	assert_false(may_reuse()); /* 2: only this machine's own */
	*allowed = 0;
	fixture_advance(&f, 2 * USEC_PER_SEC);
	assert_false(may_reuse());
	*allowed = 1;
	assert_true(may_reuse());
	assert_int_equal(waiting(), 0);
	assert_false(may_reuse()); /* there is none any more */
	/* Without timestamps nothing tells old segments from new ones. */
	stranger_init(&stranger, &f);
	reach_timewait();
	fixture_advance(&f, 2 * USEC_PER_SEC);
	assert_false(may_reuse());
}

/* ---- How many ---- */

static void no_more_than_tcp_max_tw_buckets(void **state __unused)
{
	tcp_fixture_state(&f)->settings.tcp_max_tw_buckets = 3;
	for (uint32_t i = 0; i < 5; i++) {
		stranger_init(&stranger, &f);
		reach_timewait();
		assert_int_equal(waiting(), MIN(i + 2, 3u));
	}
}

/* Without memory the connection ends at once. */
static void no_memory(void **state __unused)
{
	struct socket *socket;

	for (uint64_t nth = 1; nth <= 3; nth++) {
		stranger_init(&stranger, &f);
		socket = stranger_connects(&stranger, listener);
		socket_close(socket);
		stranger.ack++;
		stranger_flags(&stranger, TCP_ACK);
		fixture_clear_sent(&f);
		host_fail_allocation(nth + 1); /* behind the packet's own */
		stranger_flags(&stranger, TCP_FIN | TCP_ACK);
		host_fail_allocation(0);
		assert_int_equal(tcp_fixture_state(&f)->orphans, 0);
		fixture_clear_sent(&f);
	}
	assert_in_range(waiting(), 2, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lasts_60_seconds),
		TEST(a_fin_again_begins_anew),
		TEST(a_fin_with_an_old_timestamp),
		TEST(a_syn_with_an_old_timestamp),
		TEST(data_with_an_old_timestamp),
		TEST(a_fin_elsewhere_does_not_prolong_it),
		TEST(a_reset_changes_nothing),
		TEST(a_reset_without_that_protection),
		TEST(bare_acknowledgements),
		TEST(a_syn_with_a_newer_timestamp),
		TEST(a_syn_with_the_same_timestamp),
		TEST(a_syn_without_timestamps),
		TEST(a_syn_without_a_listener),
		TEST(the_iss_lies_above),
		TEST(reuse_by_connect),
		TEST(no_more_than_tcp_max_tw_buckets),
		TEST(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
