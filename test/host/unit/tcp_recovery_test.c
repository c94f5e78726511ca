/*
 * Recovery's corners: timers that fire with nothing to do, thousands of timeouts in a row, and
 * memory that is out in the middle of a recovery.
 */
#include "net/tcp/tcp_recovery.h"

#include "net/tcp/tcp_congestion.h"
#include "test/host/simulator/transfer.h"
#include "test/host/unit/stranger.h"

#define LINE .delay_us = 5000, .rate_bps = 20000000, .queue_bytes = 60000

static struct fixture f;
static struct socket *listener, *socket;
static struct stranger stranger;

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	stranger_init(&stranger, &f);
	stranger.sack = true;
	stranger.mss = 500;
	socket = stranger_connects(&stranger, listener);
	fixture_clear_sent(&f);
	return 0;
}

static int tear_down(void **state __unused)
{
	stranger_flags(&stranger, TCP_RST);
	socket_close(socket);
	tcp_fixture_destroy(&f, listener);
	return 0;
}

static struct tcp_socket *tcp(void)
{
	return tcp_socket(socket);
}

/* ---- Timers ---- */

/* Everything was acknowledged while the timer was on its way. */
static void test_nothing_is_under_way(void **state __unused)
{
	net_lock(&f.net);
	tcp_rto_expired(tcp());
	tcp_probe_expired(tcp());
	tcp_reorder_expired(tcp());
	net_unlock(&f.net);
	stranger_sees_nothing(&stranger);
	assert_int_equal(tcp()->recovery.state, TCP_CA_OPEN);
	assert_int_equal(tcp_fixture_state(&f)->extra[TCP_EXTRA_TIMEOUTS], 0);
}

/* The last segment waits to be sent again anyway: no probe, but the RTO runs. */
static void test_probe_of_what_is_lost(void **state __unused)
{
	static char data[500];

	assert_int_equal(socket_give(socket, data, sizeof(data), 0), sizeof(data));
	fixture_clear_sent(&f);
	net_lock(&f.net);
	tcp_scoreboard_mark_lost(&tcp()->scoreboard, tcp_scoreboard_last(&tcp()->scoreboard));
	tcp_probe_expired(tcp());
	net_unlock(&f.net);
	stranger_sees_nothing(&stranger);
	assert_false(tcp()->recovery.probe_outstanding);
	assert_int_equal(tcp()->timer_kind, TCP_TIMER_RTO);
}

/* Of a large record only the last segment is the probe. */
static void test_probe_is_one_segment(void **state __unused)
{
	static char data[2000];

	f.dev.features |= NETDEV_TSO4 | NETDEV_CHECKSUM_OFFLOAD;
	tcp()->device_features = f.dev.features;
	assert_int_equal(socket_give(socket, data, sizeof(data), 0), sizeof(data));
	fixture_clear_sent(&f);
	net_lock(&f.net);
	tcp_probe_expired(tcp());
	net_unlock(&f.net);
	assert_int_equal(f.sent_count, 1);
	assert_true(tcp()->recovery.probe_was_retransmission);
	assert_int_equal(tcp_scoreboard_last(&tcp()->scoreboard)->end -
				 tcp_scoreboard_last(&tcp()->scoreboard)->seq,
			 500);
	assert_int_equal(tcp()->scoreboard.retransmitted_bytes, 500);
}

/* Whoever asks for the timers to be set anew does not stop the one that asks for the window. */
static void test_persist_timer_stays(void **state __unused)
{
	static char data[100];

	stranger.window = 0;
	stranger_flags(&stranger, TCP_ACK);
	assert_int_equal(socket_give(socket, data, sizeof(data), 0), sizeof(data));
	assert_int_equal(tcp()->timer_kind, TCP_TIMER_PERSIST);
	net_lock(&f.net);
	tcp_rearm(tcp());
	net_unlock(&f.net);
	assert_int_equal(tcp()->timer_kind, TCP_TIMER_PERSIST);
	assert_true(timer_armed(&tcp()->retransmit));
}

/* More than a byte can count: ten hours of a dead line, with patience. */
static void test_timeouts_beyond_counting(void **state __unused)
{
	static const struct fault_settings good = {LINE}, dead = {.loss = 1};
	const struct transfer_settings settings = {
		.seed = 1, .bytes = 64 << 10, .there = dead, .back = dead, .retries = 1000};
	struct transfer *transfer = transfer_open(&settings);

	while (transfer_count(transfer, TCP_EXTRA_TIMEOUTS) < 300)
		assert_true(transfer_step(transfer));
	assert_int_equal(transfer->sender->recovery.timeouts, UINT8_MAX);
	assert_int_equal(transfer->sender->rtt.backoff, UINT8_MAX);
	assert_int_equal(tcp_rto(transfer->sender), TCP_RTO_MAX_US);
	link_set_faults(transfer->link, &good);
	while (transfer_step(transfer))
		;
	assert_null(transfer->trouble);
	transfer_close(transfer);
}

/* ---- Memory ---- */

/* After the n-th allocation has failed, all goes on; what was acknowledged is not lost. */
static void transfer_with_failure(uint64_t nth)
{
	static const struct fault_settings bad = {LINE, .loss = 0.04, .reorder = 0.05,
						  .reorder_depth = 6};
	const struct transfer_settings settings = {
		.seed = nth, .bytes = 96 << 10, .there = bad, .back = bad, .retries = 30};
	struct transfer *transfer = transfer_open(&settings);

	host_fail_allocation(nth);
	while (transfer_step(transfer))
		;
	host_fail_allocation(0);
	if (transfer->trouble)
		fail_msg("allocation %llu: %s", (unsigned long long)nth, transfer->trouble);
	transfer_close(transfer);
}

static void test_memory_fails_once(void **state __unused)
{
	for (uint64_t nth = 1; nth < 400; nth += 2)
		transfer_with_failure(nth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_is_under_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_probe_of_what_is_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_probe_is_one_segment, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_persist_timer_stays, set_up, tear_down),
		cmocka_unit_test(test_timeouts_beyond_counting),
		cmocka_unit_test(test_memory_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
