/* CUBIC against the formulas of RFC 9438, in floating point. No stack: a window, and a clock. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/tcp/tcp_congestion.h"

#define MSS 1000u
#define C 0.4    /* segments a cubic second */
#define BETA 0.7 /* what a reduction leaves */
#define START_US (1000 * USEC_PER_SEC)

/* A sender whose window is always full, so that a window is acknowledged each round trip. */
struct sender {
	struct tcp_socket tcp;
	uint64_t now_us;
	uint32_t rtt_us;
};

static struct sender sender;

static uint32_t *cwnd(void)
{
	return &sender.tcp.congestion.cwnd;
}

static double segments(void)
{
	return (double)*cwnd() / MSS;
}

static void begin(uint32_t window_segments, uint32_t rtt_us)
{
	sender = (struct sender){.now_us = START_US, .rtt_us = rtt_us};
	sender.tcp.mss = MSS;
	sender.tcp.rtt.srtt_us = rtt_us;
	sender.tcp.congestion.cwnd = window_segments * MSS;
	sender.tcp.congestion.ssthresh = window_segments * MSS;
	tcp_congestion_choose(&sender.tcp, &tcp_cubic);
}

/* As recovery does: the window is ssthresh when it ends. */
static void lose(void)
{
	sender.tcp.congestion.ssthresh = tcp_cubic.reduce(&sender.tcp);
	*cwnd() = sender.tcp.congestion.ssthresh;
}

static void acknowledge(uint32_t bytes)
{
	const struct tcp_ack_sample sample = {.acked = bytes, .now_us = sender.now_us};

	tcp_cubic.acked(&sender.tcp, &sample);
}

/* Segment by segment, evenly over the round trip. */
static void run(double seconds)
{
	uint64_t end_us = sender.now_us + (uint64_t)(seconds * (double)USEC_PER_SEC);

	while (sender.now_us < end_us) {
		acknowledge(MSS);
		sender.now_us += MAX((uint64_t)sender.rtt_us * MSS / *cwnd(), 1ull);
	}
}

static void assert_near(double value, double expected, double tolerance)
{
	if (fabs(value - expected) > tolerance)
		fail_msg("%f is not %f, within %f", value, expected, tolerance);
}

/* 4.6: to 0.7; never below two segments. */
static void test_reduction(void **state __unused)
{
	begin(100, 100000);
	lose();
	assert_int_equal(*cwnd(), 70 * MSS);
	begin(2, 100000);
	lose();
	assert_int_equal(*cwnd(), 2 * MSS);
}

/* 4.2, figures 1 and 2: W(t) = C (t - K)^3 + W_max, with K = cbrt((W_max - cwnd) / C). */
static void test_follows_the_cubic(void **state __unused)
{
	const double w_max = 1000, k = cbrt(w_max * (1 - BETA) / C);

	begin(1000, 100000);
	lose();
	for (uint32_t halves = 1; halves / 2.0 < 2 * k; halves++) {
		double distance = halves / 2.0 - k;

		run(0.5);
		assert_near(segments(), C * distance * distance * distance + w_max, 5);
	}
	assert_in_range((uint64_t)segments(), 1250, 1350); /* as far above as it began below */
}

/* 4.2: the first avoidance begins at its own plateau: K is 0. */
static void test_without_a_loss_before(void **state __unused)
{
	begin(1000, 100000);
	run(5);
	assert_near(segments(), C * 5 * 5 * 5 + 1000, 10);
}

/* 4.7: a loss at less than the last W_max lowers the plateau below the loss. */
static void test_fast_convergence(void **state __unused)
{
	double k;

	begin(1000, 100000);
	lose();
	*cwnd() = 900 * MSS;
	lose();
	assert_int_equal(*cwnd(), 630 * MSS);
	k = cbrt((900 * (1 + BETA) / 2 - 630) / C);
	run(k);
	assert_near(segments(), 765, 5);
	begin(1000, 100000);
	lose();
	*cwnd() = 1000 * MSS; /* as large as before: nobody else wants room */
	lose();
	run(cbrt(1000 * (1 - BETA) / C));
	assert_near(segments(), 1000, 5);
}

/* 4.2: however far ahead the curve is, the window grows by half in a round trip at most. */
static void test_growth_is_bounded(void **state __unused)
{
	uint32_t before;

	begin(100, 100000);
	lose();
	run(0.1);
	before = *cwnd();
	sender.now_us += 600 * USEC_PER_SEC;
	acknowledge(before / 2);
	acknowledge(before / 2);
	assert_in_range(*cwnd(), before + before / 3, before + before / 2);
	before = *cwnd();
	sender.now_us += 100000 * USEC_PER_SEC; /* beyond what a cube has room for */
	acknowledge(MSS);
	assert_in_range(*cwnd(), before + MSS / 3, before + MSS / 2);
}

/* 4.3: where Reno is faster: 9/17 of a segment a round trip, up to the window before the loss; */
static void test_reno_friendly(void **state __unused)
{
	begin(20, 10000);
	lose();
	run(0.010);
	for (uint32_t i = 1; i <= 10; i++) {
		assert_near(segments(), 14 + i * 9.0 / 17, 1.2);
		run(0.010);
	}
	/* then a whole one. */
	while (*cwnd() < 21 * MSS)
		run(0.010);
	double before = segments();

	run(0.200);
	assert_near(segments(), before + 20, 2);
}

/* 4.9: as if the reduction had not been. */
static void test_undone(void **state __unused)
{
	double before;

	begin(1000, 100000);
	lose();
	run(3);
	before = segments();
	lose();
	*cwnd() = (uint32_t)(before * MSS);
	tcp_cubic.undone(&sender.tcp);
	run(1);
	/* On the first curve, at 4 s. */
	assert_near(segments(), C * pow(4 - cbrt(300 / C), 3) + 1000, 5);
}

/* 4.8: after a timeout the window that slow start ends with is the plateau. */
static void test_timeout(void **state __unused)
{
	begin(1000, 100000);
	sender.tcp.congestion.ssthresh = tcp_cubic.reduce(&sender.tcp);
	tcp_cubic.timed_out(&sender.tcp);
	*cwnd() = MSS;
	while (*cwnd() < sender.tcp.congestion.ssthresh) {
		uint32_t window = *cwnd();

		acknowledge(window);
		assert_int_equal(*cwnd(), MIN(2 * window, 700 * MSS));
	}
	run(8);
	assert_near(segments(), C * 8 * 8 * 8 + 700, 10);
}

/* 5.8: the clock stands still while nothing is sent. */
static void test_silence(void **state __unused)
{
	double before;

	begin(1000, 100000);
	lose();
	tcp_cubic.restarted(&sender.tcp, USEC_PER_SEC); /* there is no clock yet */
	run(2);
	before = segments();
	sender.now_us += 60 * USEC_PER_SEC;
	tcp_cubic.restarted(&sender.tcp, 60 * USEC_PER_SEC);
	run(0.1);
	assert_near(segments(), before, 10);
	run(0.9);
	assert_near(segments(), C * pow(3 - cbrt(300 / C), 3) + 1000, 5);
}

/* What slow start does not need counts for avoidance. */
static void test_from_slow_start_into_avoidance(void **state __unused)
{
	begin(100, 100000);
	*cwnd() = 95 * MSS;
	acknowledge(10 * MSS);
	assert_in_range(*cwnd(), 100 * MSS, 101 * MSS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reduction),
		cmocka_unit_test(test_follows_the_cubic),
		cmocka_unit_test(test_without_a_loss_before),
		cmocka_unit_test(test_fast_convergence),
		cmocka_unit_test(test_growth_is_bounded),
		cmocka_unit_test(test_reno_friendly),
		cmocka_unit_test(test_undone),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_from_slow_start_into_avoidance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
