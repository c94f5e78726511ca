/*
 * On a bad link a transfer is slow, but it never stops: as long as data is under way something
 * arrives, or something is sent (again), before the RTO that is in force has passed. Seen from
 * outside, in what the sender does, event by event.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "test/host/simulator/transfer.h"

#define SEEDS 4
#define BYTES (512u << 10)
#define LOSS 0.1
#define REORDER 0.2
#define REORDER_DEPTH 20
#define DELAY_US (10 * USEC_PER_MSEC)
#define RETRIES 100
#define SLACK_US USEC_PER_MSEC /* a timer's resolution */

/* What the sender was seen to do last. */
struct sight {
	uint32_t una;           /* all below has arrived */
	uint64_t progress_us;   /* when that moved */
	uint64_t timeouts;      /* the sender's until then */
	uint64_t patience_us;   /* the longest RTO since then, without its back-off since then */
	uint64_t longest_us;    /* the longest time without progress */
	uint32_t segments_sent; /* new and again */
	uint64_t activity_us;   /* when one of them went out, or there was progress */
	uint64_t rto_us;        /* the longest in force since then */
	uint64_t deadline_us;   /* so something must happen by now */
};

/*
 * With n timeouts, each twice as long as the one before, and a probe in front of them, at most so
 * much time passes without progress.
 */
static void check_progress(struct sight *sight, const struct transfer *transfer)
{
	uint64_t now_us = transfer->world->now_us, gap_us = now_us - sight->progress_us;
	uint64_t timeouts = transfer_count(transfer, TCP_EXTRA_TIMEOUTS) - sight->timeouts;

	sight->patience_us = MAX(sight->patience_us, tcp_rto(transfer->sender) >> timeouts);
	assert_in_range(gap_us, 0, (sight->patience_us << (timeouts + 1)) + SLACK_US);
	sight->longest_us = MAX(sight->longest_us, gap_us);
	if (transfer->sender->snd_una == sight->una)
		return;
	sight->una = transfer->sender->snd_una;
	sight->progress_us = sight->activity_us = now_us;
	sight->timeouts += timeouts;
	sight->patience_us = sight->rto_us = 0;
}

/* After every event: was the RTO kept, and by when must something happen next? */
static void look(struct sight *sight, const struct transfer *transfer)
{
	const struct tcp_socket *sender = transfer->sender;
	uint64_t now_us = transfer->world->now_us;

	if (sender->state == TCP_CLOSE)
		return;
	assert_in_range(now_us, 0, sight->deadline_us + SLACK_US);
	check_progress(sight, transfer);
	if (sender->count.data_segments_out != sight->segments_sent) {
		sight->segments_sent = sender->count.data_segments_out;
		sight->activity_us = now_us;
		sight->rto_us = 0;
	}
	/* SACK may bring a sample meanwhile, and the RTO is another one. */
	sight->rto_us = MAX(sight->rto_us, tcp_rto(sender));
	sight->deadline_us = sight->activity_us + sight->rto_us;
	if (sender->snd_una == sender->snd_nxt) /* nothing is under way */
		sight->deadline_us = TIME_NEVER - SLACK_US;
}

static void run(uint64_t seed, int32_t buffer)
{
	const struct fault_settings faults = {
		.loss = LOSS,
		.reorder = REORDER,
		.reorder_depth = REORDER_DEPTH,
		.delay_us = DELAY_US,
	};
	const struct transfer_settings settings = {
		.seed = seed,
		.bytes = BYTES,
		.there = faults,
		.back = faults,
		.buffer = buffer,
		.retries = RETRIES,
	};
	struct transfer *transfer = transfer_open(&settings);
	struct sight sight = {
		.una = transfer->sender->snd_una,
		.progress_us = transfer->began_us,
		.deadline_us = transfer->began_us + TCP_RTO_INITIAL_US,
	};

	while (transfer_step(transfer))
		look(&sight, transfer);
	assert_null(transfer->trouble);
	print_message("seed %llu, %d KiB: %.1f s, longest without progress %.3f s\n",
		      (unsigned long long)seed, buffer >> 10,
		      (double)(transfer->ended_us - transfer->began_us) / USEC_PER_SEC,
		      (double)sight.longest_us / USEC_PER_SEC);
	transfer_close(transfer);
}

/*
 * 10 % are lost each way, and frames fall behind up to 20 others. Large windows, and some so small
 * that most losses leave nothing to tell of them.
 */
static void test_never_stalls_longer_than_the_rto(void **state __unused)
{
	static const int32_t buffers[] = {0, 8 << 10, 64 << 10};

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		for (size_t i = 0; i < ARRAY_SIZE(buffers); i++)
			run(seed, buffers[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_stalls_longer_than_the_rto),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
