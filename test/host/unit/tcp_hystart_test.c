/* HyStart++ (RFC 9406), round by round: only the round trips that it is told of matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/tcp/tcp_hystart.h"

#define BYTES_A_ROUND 10000u
#define START 0xFFFFC000u /* the numbers come round */
#define SAMPLES 8

static struct tcp_hystart hystart;
static uint32_t una;

static int set_up(void **state __unused)
{
	una = START;
	tcp_hystart_init(&hystart, START + BYTES_A_ROUND);
	return 0;
}

/* A round of `count` acknowledgements, each with a round trip. The last verdict. */
static enum tcp_hystart_phase round_of(uint32_t count, uint32_t rtt_us)
{
	enum tcp_hystart_phase phase = TCP_HYSTART_SLOW_START;

	for (uint32_t i = 1; i <= count; i++) {
		una = i < count ? una + 1 : hystart.round_end;
		phase = tcp_hystart_acked(&hystart, una, una + BYTES_A_ROUND, rtt_us);
	}
	return phase;
}

static void test_steady(void **state __unused)
{
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(round_of(SAMPLES, 50000), TCP_HYSTART_SLOW_START);
}

/* 4.3: an eighth of the last round's, between 4 and 16 ms. */
static void test_threshold(void **state __unused)
{
	static const struct {
		uint32_t rtt_us, least_growth_us;
	} cases[] = {{1000, 4000}, {32000, 4000}, {80000, 10000}, {128000, 16000}, {400000, 16000}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t rtt_us = cases[i].rtt_us, growth_us = cases[i].least_growth_us;

		set_up(NULL);
		round_of(SAMPLES, rtt_us);
		assert_int_equal(round_of(SAMPLES, rtt_us + growth_us - 1), TCP_HYSTART_SLOW_START);
		set_up(NULL);
		round_of(SAMPLES, rtt_us);
		assert_int_equal(round_of(SAMPLES, rtt_us + growth_us), TCP_HYSTART_CONSERVATIVE);
	}
}

/* N_RTT_SAMPLE: fewer say nothing; acknowledgements without a sample do not count. */
static void test_needs_samples(void **state __unused)
{
	round_of(SAMPLES, 50000);
	assert_int_equal(round_of(SAMPLES - 1, 90000), TCP_HYSTART_SLOW_START);
	set_up(NULL);
	round_of(SAMPLES, 50000);
	assert_int_equal(round_of(SAMPLES, 0), TCP_HYSTART_SLOW_START);
	/* A round without samples gives the next nothing to compare with. */
	assert_int_equal(round_of(SAMPLES, 90000), TCP_HYSTART_SLOW_START);
	assert_int_equal(round_of(SAMPLES, 90000), TCP_HYSTART_SLOW_START);
}

/* The least of a round counts: one slow acknowledgement is no queue. */
static void test_least_of_the_round(void **state __unused)
{
	round_of(SAMPLES, 50000);
	tcp_hystart_acked(&hystart, una + 1, una + BYTES_A_ROUND, 51000);
	assert_int_equal(round_of(SAMPLES, 90000), TCP_HYSTART_SLOW_START);
}

/* CSS_ROUNDS: after five more rounds avoidance begins. */
static void test_five_conservative_rounds(void **state __unused)
{
	round_of(SAMPLES, 50000);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(round_of(SAMPLES, 60000), TCP_HYSTART_CONSERVATIVE);
	assert_int_equal(round_of(SAMPLES, 60000), TCP_HYSTART_DONE);
}

/* It was something passing: back to slow start, and a later growth has five rounds of its own. */
static void test_resumes(void **state __unused)
{
	round_of(SAMPLES, 50000);
	assert_int_equal(round_of(SAMPLES, 60000), TCP_HYSTART_CONSERVATIVE);
	assert_int_equal(round_of(SAMPLES, 60000), TCP_HYSTART_CONSERVATIVE);
	assert_int_equal(round_of(SAMPLES, 59999), TCP_HYSTART_SLOW_START);
	assert_int_equal(round_of(SAMPLES, 70000), TCP_HYSTART_CONSERVATIVE);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(round_of(SAMPLES, 70000), TCP_HYSTART_CONSERVATIVE);
	assert_int_equal(round_of(SAMPLES, 70000), TCP_HYSTART_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_steady, set_up),
		cmocka_unit_test_setup(test_threshold, set_up),
		cmocka_unit_test_setup(test_needs_samples, set_up),
		cmocka_unit_test_setup(test_least_of_the_round, set_up),
		cmocka_unit_test_setup(test_five_conservative_rounds, set_up),
		cmocka_unit_test_setup(test_resumes, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
