/*
 * Whole transfers over bad links, with each of the ways in which loss is found and repaired: with
 * and without SACK and timestamps, by time and by counting, with what undoes mistakes and without.
 * Every byte arrives once, in order; and the counters say that it was the way in question.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_state.h"
#include "test/host/simulator/transfer.h"

#define BYTES (512u << 10)

/* A line of 10 ms each way. */
#define LINE .delay_us = 10000, .rate_bps = 50000000, .queue_bytes = 100000

static const struct fault_settings good = {LINE};
static const struct fault_settings lossy = {LINE, .loss = 0.03};
static const struct fault_settings reordering = {LINE, .reorder = 0.1, .reorder_depth = 6};
static const struct fault_settings bad = {
	LINE,           .loss = 0.05, .reorder = 0.1, .reorder_depth = 10, .duplicate = 0.05,
	.corrupt = 0.01};

static struct tcp_settings *settings_of(struct node *node)
{
	return &tcp_of(&node->stack.net)->settings;
}

static struct transfer *open_over(const struct fault_settings *faults,
				  void (*prepare)(struct transfer *transfer))
{
	const struct transfer_settings settings = {
		.seed = 3,
		.bytes = BYTES,
		.there = *faults,
		.back = *faults,
		.retries = 50,
		.prepare = prepare,
	};

	return transfer_open(&settings);
}

static void finish(struct transfer *transfer)
{
	while (transfer_step(transfer))
		;
	if (transfer->trouble)
		fail_msg("%s", transfer->trouble);
	assert_int_equal(transfer->received, BYTES);
}

/* The transfer at its end, for its counters. */
static struct transfer *run(const struct fault_settings *faults,
			    void (*prepare)(struct transfer *transfer))
{
	struct transfer *transfer = open_over(faults, prepare);

	finish(transfer);
	return transfer;
}

static void assert_counted(const struct transfer *transfer, enum tcp_extra_statistic which)
{
	if (!transfer_count(transfer, which))
		fail_msg("counter %d is 0", which);
}

/* ---- How loss is found ---- */

static void test_rack(void **state __unused)
{
	struct transfer *transfer = run(&lossy, NULL);

	assert_counted(transfer, TCP_EXTRA_SACK_RECOVERIES);
	assert_counted(transfer, TCP_EXTRA_FAST_RETRANSMITS);
	assert_int_equal(transfer_count(transfer, TCP_EXTRA_RENO_RECOVERIES), 0);
	transfer_close(transfer);
}

static void count_segments(struct transfer *transfer)
{
	settings_of(transfer->from)->tcp_recovery = 0;
}

/* RFC 6675, and it too survives reordering, which it gets to know. */
static void test_counting(void **state __unused)
{
	struct transfer *transfer = run(&lossy, count_segments);

	assert_counted(transfer, TCP_EXTRA_SACK_RECOVERIES);
	transfer_close(transfer);
	transfer = run(&reordering, count_segments);
	assert_counted(transfer, TCP_EXTRA_SACK_REORDERING);
	assert_in_range(transfer->sender->recovery.reordering, 4, 300);
	transfer_close(transfer);
	transfer = run(&bad, count_segments);
	transfer_close(transfer);
}

static void without_sack(struct transfer *transfer)
{
	settings_of(transfer->from)->tcp_sack = 0;
}

/* RFC 6582 */
static void test_newreno(void **state __unused)
{
	struct transfer *transfer = run(&lossy, without_sack);

	assert_false(transfer->sender->has_sack);
	assert_counted(transfer, TCP_EXTRA_RENO_RECOVERIES);
	assert_int_equal(transfer_count(transfer, TCP_EXTRA_SACK_RECOVERIES), 0);
	transfer_close(transfer);
	transfer = run(&reordering, without_sack);
	assert_counted(transfer, TCP_EXTRA_TIMESTAMP_REORDERING);
	transfer_close(transfer);
	transfer = run(&bad, without_sack);
	transfer_close(transfer);
}

static void without_options(struct transfer *transfer)
{
	settings_of(transfer->from)->tcp_sack = 0;
	settings_of(transfer->from)->tcp_timestamps = 0;
	settings_of(transfer->from)->tcp_window_scaling = 0;
	tcp_of(&transfer->from->stack.net)->congestion_control = &tcp_newreno;
}

/* As in 1990. */
static void test_without_options(void **state __unused)
{
	struct transfer *transfer = run(&lossy, without_options);

	assert_false(transfer->sender->has_timestamps);
	assert_counted(transfer, TCP_EXTRA_RENO_RECOVERIES);
	transfer_close(transfer);
	transfer = run(&reordering, without_options);
	transfer_close(transfer);
	transfer = run(&bad, without_options);
	transfer_close(transfer);
}

static void without_timestamps(struct transfer *transfer)
{
	settings_of(transfer->from)->tcp_timestamps = 0;
}

static void test_without_timestamps(void **state __unused)
{
	struct transfer *transfer = run(&bad, without_timestamps);

	assert_counted(transfer, TCP_EXTRA_SACK_RECOVERIES);
	transfer_close(transfer);
}

static void without_luxury(struct transfer *transfer)
{
	settings_of(transfer->from)->tcp_early_retrans = 0;
	settings_of(transfer->from)->tcp_frto = 0;
	settings_of(transfer->to)->tcp_dsack = 0;
}

static void test_without_probes_and_undo(void **state __unused)
{
	struct transfer *transfer = run(&bad, without_luxury);

	assert_int_equal(transfer_count(transfer, TCP_EXTRA_LOSS_PROBES), 0);
	assert_int_equal(transfer_count(transfer, TCP_EXTRA_DSACKS_RECEIVED), 0);
	assert_counted(transfer, TCP_EXTRA_TIMEOUTS);
	transfer_close(transfer);
}

/* RFC 9406: with a deep queue slow start ends by delay alone, and nothing is ever lost. */
static void test_slow_start_ends_before_loss(void **state __unused)
{
	static const struct fault_settings deep = {
		.delay_us = 30000, .rate_bps = 8000000, .queue_bytes = 2000000};
	const struct transfer_settings settings = {
		.seed = 1, .bytes = 6 << 20, .there = deep, .back = deep};
	struct transfer *transfer = transfer_open(&settings);

	while (transfer_step(transfer))
		;
	assert_null(transfer->trouble);
	assert_counted(transfer, TCP_EXTRA_HYSTART_DELAY_DETECTED);
	assert_int_equal(transfer->sender->count.retransmissions, 0);
	assert_in_range(transfer->sender->congestion.ssthresh, 50000, 1000000);
	transfer_close(transfer);
}

/* ---- Mistakes ---- */

/* Late is not lost: what was sent again was needless, and the window is as before. */
static void test_reordering_is_undone(void **state __unused)
{
	struct transfer *transfer = run(&reordering, NULL);

	assert_counted(transfer, TCP_EXTRA_SACK_REORDERING);
	assert_true(transfer->sender->recovery.reordering_seen);
	assert_in_range(transfer->sender->recovery.reorder_multiplier, 2, 20);
	assert_in_range(transfer_count(transfer, TCP_EXTRA_DSACK_UNDOS) +
				transfer_count(transfer, TCP_EXTRA_FULL_UNDOS),
			1, UINT32_MAX);
	transfer_close(transfer);
}

/* Frames that the network doubles are no sign of needless retransmissions. */
static void test_duplicates(void **state __unused)
{
	static const struct fault_settings doubling = {LINE, .duplicate = 0.2};
	struct transfer *transfer = run(&doubling, NULL);

	assert_counted(transfer, TCP_EXTRA_DSACKS_IGNORED_NO_UNDO);
	assert_int_equal(transfer->sender->count.retransmissions, 0);
	transfer_close(transfer);
}

static void run_for(struct transfer *transfer, uint64_t duration_us)
{
	transfer->stop_us = transfer->world->now_us + duration_us;
	while (transfer->world->now_us < transfer->stop_us && transfer_step(transfer))
		;
	transfer->stop_us = TIME_NEVER;
}

static void slow_down_and_finish(void (*prepare)(struct transfer *transfer),
				 enum tcp_extra_statistic expected)
{
	static const struct fault_settings slow = {.delay_us = 400000};
	struct transfer *transfer = open_over(&good, prepare);

	run_for(transfer, 80 * USEC_PER_MSEC);
	link_set_faults(transfer->link, &slow);
	finish(transfer);
	assert_counted(transfer, TCP_EXTRA_TIMEOUTS);
	assert_counted(transfer, expected);
	/* From then on the RTO is above the new round trip. */
	assert_in_range(transfer->sender->rtt.rto_us, 800000, 4000000);
	transfer_close(transfer);
}

/* The round trip goes from 20 to 800 ms: timeouts, and none of them for a loss. */
static void test_spurious_timeouts(void **state __unused)
{
	slow_down_and_finish(NULL, TCP_EXTRA_LOSS_UNDOS);
	slow_down_and_finish(without_timestamps, TCP_EXTRA_SPURIOUS_TIMEOUTS);
	slow_down_and_finish(without_sack, TCP_EXTRA_LOSS_UNDOS);
	slow_down_and_finish(without_luxury, TCP_EXTRA_LOSS_UNDOS);
}

/*
 * On a line that loses half of all frames, the RTO is that of its 20 ms and not of the silences
 * between them: what waited for a timeout gives no sample.
 */
static void test_silences_are_no_round_trips(void **state __unused)
{
	static const struct fault_settings half = {LINE, .loss = 0.5};
	struct transfer *transfer = open_over(&half, NULL);
	uint32_t longest_us = 0;

	while (transfer->received < 64 << 10 && transfer_step(transfer))
		longest_us = MAX(longest_us, transfer->sender->rtt.rto_us);
	assert_null(transfer->trouble);
	assert_in_range(longest_us, TCP_RTO_MIN_US, 3 * USEC_PER_SEC);
	transfer_close(transfer);
}

/* ---- The line is dead for a while ---- */

static void die_and_finish(void (*prepare)(struct transfer *transfer), double seconds)
{
	static const struct fault_settings dead = {LINE, .loss = 1};
	struct transfer *transfer = open_over(&good, prepare);

	run_for(transfer, 80 * USEC_PER_MSEC);
	link_set_faults(transfer->link, &dead);
	run_for(transfer, (uint64_t)(seconds * (double)USEC_PER_SEC));
	link_set_faults(transfer->link, &good);
	finish(transfer);
	assert_counted(transfer, TCP_EXTRA_TIMEOUTS);
	assert_counted(transfer, TCP_EXTRA_SLOW_START_RETRANSMITS);
	transfer_close(transfer);
}

static void test_dead_line(void **state __unused)
{
	die_and_finish(NULL, 0.5);
	die_and_finish(NULL, 60);
	die_and_finish(without_sack, 1);
	die_and_finish(without_options, 1);
	die_and_finish(count_segments, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rack),
		cmocka_unit_test(test_counting),
		cmocka_unit_test(test_newreno),
		cmocka_unit_test(test_without_options),
		cmocka_unit_test(test_without_timestamps),
		cmocka_unit_test(test_without_probes_and_undo),
		cmocka_unit_test(test_slow_start_ends_before_loss),
		cmocka_unit_test(test_reordering_is_undone),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_spurious_timeouts),
		cmocka_unit_test(test_silences_are_no_round_trips),
		cmocka_unit_test(test_dead_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
