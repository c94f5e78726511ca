/* Links with faults: each fault comes in the measure asked for, and the same way every time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/host/simulator/faults.h"

#define SEED 7
#define COUNT 20000
#define FRAME_LENGTH 64

/* What came out of a link: the number each frame carries, and when. */
struct passed {
	uint64_t count;
	struct {
		uint32_t number;
		uint32_t damaged; /* 1: anywhere but in its number */
		uint64_t time_us;
	} frames[2 * COUNT];
};

static void take_due(struct fault_link *link, uint64_t now_us, struct passed *passed)
{
	struct fault_frame *frame;

	while ((frame = fault_link_receive(link, now_us))) {
		uint8_t rest[FRAME_LENGTH - 4] = {0};
		uint64_t i = passed->count++;

		assert_true(i < 2 * COUNT);
		assert_int_equal(frame->length, FRAME_LENGTH);
		memcpy(&passed->frames[i].number, frame->bytes, 4);
		passed->frames[i].damaged = memcmp(rest, frame->bytes + 4, sizeof(rest)) != 0;
		passed->frames[i].time_us = now_us;
		free(frame);
	}
}

/* COUNT numbered frames, `gap_us` apart; each is taken at the moment in which it comes out. */
static struct fault_counts pass(const struct fault_settings *settings, uint64_t seed,
				uint64_t gap_us, struct passed *to)
{
	uint8_t bytes[FRAME_LENGTH] = {0};
	struct fault_link link;
	uint64_t now_us = 0;

	memset(to, 0, sizeof(*to));
	fault_link_init(&link, settings, seed);
	for (uint32_t i = 0; i < COUNT; i++, now_us += gap_us) {
		while (fault_link_next(&link) <= now_us)
			take_due(&link, fault_link_next(&link), to);
		memcpy(bytes, &i, sizeof(i));
		assert_true(fault_link_send(&link, bytes, sizeof(bytes), now_us));
	}
	while (fault_link_next(&link) != UINT64_MAX)
		take_due(&link, fault_link_next(&link), to);
	assert_int_equal(link.counts.in, COUNT);
	assert_int_equal(link.counts.out, to->count);
	return link.counts;
}

static struct passed passed, again;

/* Five standard deviations of a count with this probability: one run in two million is outside. */
static void assert_about(uint64_t count, double probability)
{
	double expected = COUNT * probability;
	double spread = 5;

	while (spread * spread < 25 * expected * (1 - probability))
		spread++;
	assert_true((double)count >= expected - spread && (double)count <= expected + spread);
}

static void test_a_perfect_link(void **state __attribute__((unused)))
{
	const struct fault_settings perfect = {0};

	pass(&perfect, SEED, 10, &passed);
	assert_int_equal(passed.count, COUNT);
	for (uint32_t i = 0; i < COUNT; i++) {
		assert_int_equal(passed.frames[i].number, i);
		assert_int_equal(passed.frames[i].time_us, i * 10);
		assert_int_equal(passed.frames[i].damaged, 0);
	}
}

static void test_loss(void **state __attribute__((unused)))
{
	static const double rates[] = {0.001, 0.01, 0.2, 0.5, 0.99};

	for (uint32_t i = 0; i < ARRAY_SIZE(rates); i++) {
		const struct fault_settings lossy = {.loss = rates[i]};
		struct fault_counts counts = pass(&lossy, SEED + i, 10, &passed);

		assert_about(counts.lost, rates[i]);
		assert_int_equal(passed.count, COUNT - counts.lost);
	}
}

static void test_everything_and_nothing(void **state __attribute__((unused)))
{
	const struct fault_settings deaf = {.loss = 1}, doubled = {.duplicate = 1};
	const struct fault_settings garbled = {.corrupt = 1};

	pass(&deaf, SEED, 10, &passed);
	assert_int_equal(passed.count, 0);
	pass(&doubled, SEED, 10, &passed);
	assert_int_equal(passed.count, 2 * COUNT);
	assert_int_equal(pass(&garbled, SEED, 10, &passed).corrupted, COUNT);
}

static void test_bursts(void **state __attribute__((unused)))
{
	enum { LENGTH = 10 };
	const struct fault_settings bursty = {.burst_start = 0.005, .burst_length = LENGTH};
	uint32_t bursts = 0, next = 0;
	struct fault_counts counts = pass(&bursty, SEED, 10, &passed);

	for (uint32_t i = 0; i < passed.count; i++) {
		bursts += passed.frames[i].number != next;
		next = passed.frames[i].number + 1;
	}
	/* One begins in about each 200 good frames, and takes 10 with it. */
	assert_in_range(bursts, 60, 130);
	assert_in_range(counts.burst_lost, bursts * LENGTH * 6 / 10, bursts * LENGTH * 14 / 10);
	assert_int_equal(counts.lost, 0);
}

static void test_duplicates(void **state __attribute__((unused)))
{
	const struct fault_settings twice = {.duplicate = 0.1};
	struct fault_counts counts = pass(&twice, SEED, 10, &passed);

	assert_about(counts.duplicated, 0.1);
	assert_int_equal(passed.count, COUNT + counts.duplicated);
}

static void test_corruption(void **state __attribute__((unused)))
{
	const struct fault_settings noisy = {.corrupt = 0.3};
	uint32_t damaged = 0;
	struct fault_counts counts = pass(&noisy, SEED, 10, &passed);

	for (uint32_t i = 0; i < passed.count; i++)
		damaged += passed.frames[i].damaged || passed.frames[i].number != i;
	assert_about(counts.corrupted, 0.3);
	assert_int_equal(damaged, counts.corrupted);
}

/* How many later ones have come out before each frame, at most; *behind: how many had any. */
static uint32_t deepest(const struct passed *frames, uint32_t *behind)
{
	static uint32_t place[COUNT];
	uint32_t most = 0;

	*behind = 0;
	for (uint32_t i = 0; i < frames->count; i++)
		place[frames->frames[i].number] = i;
	for (uint32_t number = 0; number < COUNT; number++) {
		uint32_t overtaken = 0;

		for (uint32_t later = number + 1; later < COUNT && later <= number + 600; later++)
			overtaken += place[later] < place[number];
		most = MAX(most, overtaken);
		*behind += overtaken > 0;
	}
	return most;
}

static void test_reordering_keeps_to_its_depth(void **state __attribute__((unused)))
{
	static const uint32_t depths[] = {1, 4, 50, 500};

	for (uint32_t i = 0; i < ARRAY_SIZE(depths); i++) {
		const struct fault_settings shuffled = {.reorder = 0.2, .reorder_depth = depths[i]};
		uint32_t behind;
		struct fault_counts counts = pass(&shuffled, SEED, 10, &passed);

		assert_int_equal(passed.count, COUNT);
		assert_about(counts.reordered, 0.2);
		uint32_t most = deepest(&passed, &behind);

		assert_in_range(most, depths[i] * 8 / 10, depths[i]);
		/* Where all that pass a frame are held back themselves, it keeps its place. */
		assert_in_range(behind, counts.reordered * 7 / 10, counts.reordered);
	}
}

/* Few frames: what is held back does not wait for ever. */
static void test_a_held_frame_goes_at_last(void **state __attribute__((unused)))
{
	const struct fault_settings shuffled = {.reorder = 1, .reorder_depth = 1000};
	struct fault_link link;

	fault_link_init(&link, &shuffled, SEED);
	assert_true(fault_link_send(&link, "x", 1, 5000));
	assert_int_equal(fault_link_next(&link), 5000 + FAULT_HOLD_LIMIT_US);
	assert_null(fault_link_receive(&link, 5000 + FAULT_HOLD_LIMIT_US - 1));
	free(fault_link_receive(&link, 5000 + FAULT_HOLD_LIMIT_US));
	assert_int_equal(link.counts.out, 1);
	assert_true(fault_link_send(&link, "x", 1, 5000));
	fault_link_clear(&link);
	assert_int_equal(fault_link_next(&link), UINT64_MAX);
}

static void test_delay_and_jitter(void **state __attribute__((unused)))
{
	const struct fault_settings far = {.delay_us = 20000, .jitter_us = 500};
	uint64_t least = UINT64_MAX, most = 0;

	pass(&far, SEED, 1000, &passed);
	assert_int_equal(passed.count, COUNT);
	for (uint32_t i = 0; i < COUNT; i++) {
		uint64_t took_us = passed.frames[i].time_us - i * 1000;

		assert_int_equal(passed.frames[i].number, i);
		least = MIN(least, took_us);
		most = MAX(most, took_us);
	}
	assert_in_range(least, 20000, 20010);
	assert_in_range(most, 20490, 20500);
}

/* Jitter never lets one frame overtake another. */
static void test_jitter_keeps_the_order(void **state __attribute__((unused)))
{
	const struct fault_settings wild = {.jitter_us = 5000};

	pass(&wild, SEED, 10, &passed);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(passed.frames[i].number, i);
}

static void test_rate_and_queue(void **state __attribute__((unused)))
{
	const struct fault_settings slow = {.rate_bps = 8000000, .queue_bytes = 3000};
	uint8_t frame[1000] = {0};
	struct fault_link link;

	fault_link_init(&link, &slow, SEED);
	for (uint32_t i = 0; i < 5; i++)
		assert_true(fault_link_send(&link, frame, sizeof(frame), 0));
	/* A megabyte a second: a frame a millisecond, and what does not fit the queue is lost. */
	assert_int_equal(fault_link_next(&link), 1000);
	assert_int_equal(link.counts.queue_lost, 2);
	fault_link_clear(&link);
}

static void test_a_rate_is_kept(void **state __attribute__((unused)))
{
	/* 64-byte frames at 100 Mbit/s: 5.12 us each, whatever they are rounded to. */
	const struct fault_settings fast = {.rate_bps = 100000000};

	pass(&fast, SEED, 0, &passed);
	assert_in_range(passed.frames[COUNT - 1].time_us, COUNT * 512ull / 100,
			COUNT * 512ull / 100 + 1);
}

static void test_long_frames_are_lost(void **state __attribute__((unused)))
{
	const struct fault_settings narrow = {.mtu = 1500};
	static uint8_t frame[FAULT_FRAME_MAX + 1];
	struct fault_link link;

	fault_link_init(&link, &narrow, SEED);
	assert_true(fault_link_send(&link, frame, 1514, 0));
	assert_true(fault_link_send(&link, frame, 1515, 0));
	assert_true(fault_link_send(&link, frame, sizeof(frame), 0));
	assert_int_equal(link.counts.too_long, 2);
	fault_link_clear(&link);
}

static const struct fault_settings everything = {.loss = 0.1,
						 .burst_start = 0.01,
						 .burst_length = 4,
						 .duplicate = 0.1,
						 .corrupt = 0.1,
						 .reorder = 0.1,
						 .reorder_depth = 20};

static void assert_same_order(void)
{
	assert_int_equal(passed.count, again.count);
	for (uint32_t i = 0; i < passed.count; i++)
		assert_int_equal(passed.frames[i].number, again.frames[i].number);
}

static void test_the_same_seed_is_the_same_fate(void **state __attribute__((unused)))
{
	pass(&everything, SEED, 10, &passed);
	pass(&everything, SEED, 10, &again);
	assert_memory_equal(&passed, &again, sizeof(passed));
	pass(&everything, SEED + 1, 10, &again);
	assert_true(passed.count != again.count || memcmp(&passed, &again, sizeof(passed)) != 0);
}

/* As the relay needs it: the real world's times are never the same twice. */
static void test_fate_does_not_depend_on_time(void **state __attribute__((unused)))
{
	pass(&everything, SEED, 10, &passed);
	pass(&everything, SEED, 123, &again);
	assert_same_order();
}

/* Nor does the fate of one kind depend on the measure of another, or on a full queue. */
static void test_faults_are_drawn_apart(void **state __attribute__((unused)))
{
	const struct fault_settings plain = {.loss = 0.1};
	const struct fault_settings slow = {
		.loss = 0.1, .rate_bps = 40000000, .queue_bytes = 500, .jitter_us = 30};
	bool arrived[COUNT] = {0};

	pass(&plain, SEED, 10, &passed);
	assert_true(pass(&slow, SEED, 10, &again).queue_lost > COUNT / 10);
	for (uint32_t i = 0; i < passed.count; i++)
		arrived[passed.frames[i].number] = true;
	for (uint32_t i = 0; i < again.count; i++)
		assert_true(arrived[again.frames[i].number]);
}

static void test_settings_are_read_or_refused(void **state __attribute__((unused)))
{
	static const char *const wrong[] = {
		"loss=1%,dely=2ms", "delay=2miles", "loss",     "loss=",
		"loss=101%",        "loss=-1%",     "loss=nan", "depth=5000000000"};
	static const char *const word[] = {"dely=2ms", "delay=2miles",    "loss",
					   "loss=",    "loss=101%",       "loss=-1%",
					   "loss=nan", "depth=5000000000"};
	struct fault_settings settings;

	assert_null(fault_settings_parse(&settings, "loss=1%,delay=20ms,rate=10mbit,depth=20"));
	assert_true(settings.loss > 0.0099 && settings.loss < 0.0101);
	assert_int_equal(settings.delay_us, 20000);
	assert_int_equal(settings.rate_bps, 10000000);
	assert_int_equal(settings.reorder_depth, 20);
	assert_null(fault_settings_parse(&settings, "burst-length=12.5,queue=64k"));
	assert_true(settings.burst_length > 12.4 && settings.burst_length < 12.6);
	assert_int_equal(settings.queue_bytes, 65536);
	for (uint32_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_string_equal(fault_settings_parse(&settings, wrong[i]), word[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_perfect_link),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_everything_and_nothing),
		cmocka_unit_test(test_bursts),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_corruption),
		cmocka_unit_test(test_reordering_keeps_to_its_depth),
		cmocka_unit_test(test_a_held_frame_goes_at_last),
		cmocka_unit_test(test_delay_and_jitter),
		cmocka_unit_test(test_jitter_keeps_the_order),
		cmocka_unit_test(test_rate_and_queue),
		cmocka_unit_test(test_a_rate_is_kept),
		cmocka_unit_test(test_long_frames_are_lost),
		cmocka_unit_test(test_the_same_seed_is_the_same_fate),
		cmocka_unit_test(test_fate_does_not_depend_on_time),
		cmocka_unit_test(test_faults_are_drawn_apart),
		cmocka_unit_test(test_settings_are_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
