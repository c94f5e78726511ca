/*
 * The timer heap: order, cancelling, pushing away, arming from within a function, against a plain
 * model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/random.h"
#include "kernel/timer.h"
#include "test/host/services/host.h"

#define TIMERS 200

struct probe {
	struct timer timer;
	uint32_t fired;
	uint64_t order; /* of firing, among all */
};

static struct timer_base base;
static struct probe probes[TIMERS];
static uint64_t firings;
static uint64_t announced_us;
static uint32_t announcements;

static void announce(struct timer_base *which, uint64_t when_us)
{
	assert_ptr_equal(which, &base);
	announced_us = when_us;
	announcements++;
}

static void note(struct timer *timer)
{
	struct probe *probe = container_of(timer, struct probe, timer);

	assert_false(timer_armed(timer));
	probe->fired++;
	probe->order = ++firings;
}

static int set_up(void **state __unused)
{
	timer_base_init(&base, announce);
	memset(probes, 0, sizeof(probes));
	for (uint32_t i = 0; i < TIMERS; i++)
		timer_init(&probes[i].timer, note);
	firings = 0;
	announced_us = TIME_NEVER;
	announcements = 0;
	return 0;
}

static void empty_base_has_no_next(void **state __unused)
{
	assert_true(timer_base_next(&base) == TIME_NEVER);
	timer_base_run(&base, 1000);
	assert_true(announced_us == TIME_NEVER);
}

static void fires_in_order_of_time(void **state __unused)
{
	static const uint64_t times[] = {50, 10, 40, 20, 30};

	for (uint32_t i = 0; i < ARRAY_SIZE(times); i++)
		timer_arm(&base, &probes[i].timer, times[i]);
	assert_int_equal(timer_base_next(&base), 10);
	timer_base_run(&base, 9);
	assert_int_equal(firings, 0);
	timer_base_run(&base, 30);
	assert_int_equal(firings, 3);
	assert_int_equal(probes[1].order, 1);
	assert_int_equal(probes[3].order, 2);
	assert_int_equal(probes[4].order, 3);
	assert_int_equal(timer_base_next(&base), 40);
	timer_base_run(&base, 1000);
	assert_int_equal(probes[2].order, 4);
	assert_int_equal(probes[0].order, 5);
}

static void cancelled_timer_does_not_fire(void **state __unused)
{
	timer_arm(&base, &probes[0].timer, 10);
	timer_arm(&base, &probes[1].timer, 20);
	assert_true(timer_cancel(&base, &probes[0].timer));
	assert_false(timer_cancel(&base, &probes[0].timer));
	assert_int_equal(timer_base_next(&base), 20);
	timer_base_run(&base, 100);
	assert_int_equal(probes[0].fired, 0);
	assert_int_equal(probes[1].fired, 1);
}

static void disarmed_timer_stays_in_its_place(void **state __unused)
{
	timer_arm(&base, &probes[0].timer, 10);
	timer_disarm(&probes[0].timer);
	assert_false(timer_armed(&probes[0].timer));
	timer_base_run(&base, 20);
	assert_int_equal(firings, 0);

	timer_arm(&base, &probes[0].timer, 30);
	timer_disarm(&probes[0].timer);
	announcements = 0;
	timer_arm(&base, &probes[0].timer, 40);
	assert_int_equal(announcements, 0);
	assert_int_equal(timer_base_next(&base), 40);
	timer_base_run(&base, 39);
	assert_int_equal(firings, 0);
	timer_base_run(&base, 40);
	assert_int_equal(firings, 1);
}

static void disarmed_timer_can_be_pulled_and_cancelled(void **state __unused)
{
	timer_arm(&base, &probes[0].timer, 30);
	timer_arm(&base, &probes[1].timer, 40);
	timer_disarm(&probes[0].timer);
	timer_arm(&base, &probes[0].timer, 10);
	assert_int_equal(timer_base_next(&base), 10);
	timer_disarm(&probes[0].timer);
	assert_false(
		timer_cancel(&base, &probes[0].timer)); /* not armed, and out of the heap now */
	memset(&probes[0], 0xff, sizeof(probes[0]));
	timer_base_run(&base, 50);
	assert_int_equal(firings, 1);
	assert_int_equal(probes[1].fired, 1);
}

static void pushed_away_timer_fires_late_and_once(void **state __unused)
{
	timer_arm(&base, &probes[0].timer, 10);
	timer_arm(&base, &probes[1].timer, 50);
	for (uint64_t when = 20; when <= 100; when += 10)
		timer_arm(&base, &probes[0].timer, when);
	timer_base_run(&base, 60);
	assert_int_equal(probes[0].fired, 0);
	assert_int_equal(probes[1].fired, 1);
	assert_int_equal(timer_base_next(&base), 100);
	timer_base_run(&base, 100);
	assert_int_equal(probes[0].fired, 1);
}

static void pulled_timer_fires_early(void **state __unused)
{
	timer_arm(&base, &probes[0].timer, 10);
	timer_arm(&base, &probes[0].timer, 100); /* keeps its place in the heap */
	timer_arm(&base, &probes[0].timer, 30);  /* still later than that place */
	timer_arm(&base, &probes[1].timer, 20);
	timer_arm(&base, &probes[1].timer, 5);
	assert_int_equal(timer_base_next(&base), 5);
	timer_base_run(&base, 29);
	assert_int_equal(probes[0].fired, 0);
	assert_int_equal(probes[1].fired, 1);
	timer_base_run(&base, 30);
	assert_int_equal(probes[0].fired, 1);
}

static void owner_hears_of_the_earliest(void **state __unused)
{
	timer_arm(&base, &probes[0].timer, 100);
	assert_int_equal(announced_us, 100);
	timer_arm(&base, &probes[1].timer, 200);
	assert_int_equal(announcements, 1);
	timer_arm(&base, &probes[2].timer, 50);
	assert_int_equal(announced_us, 50);
	timer_cancel(&base, &probes[2].timer);
	assert_int_equal(announced_us, 100);
	timer_cancel(&base, &probes[0].timer);
	timer_cancel(&base, &probes[1].timer);
	assert_true(announced_us == TIME_NEVER);
}

/* One-shot hardware that went off too early for a pushed-away timer must be set again. */
static void every_run_ends_with_an_announcement(void **state __unused)
{
	timer_arm(&base, &probes[0].timer, 10);
	timer_arm(&base, &probes[0].timer, 500);
	assert_int_equal(announced_us, 10);
	timer_base_run(&base, 10);
	assert_int_equal(announced_us, 500);
	announcements = 0;
	timer_base_run(&base, 499);
	assert_int_equal(announcements, 1);
	assert_int_equal(announced_us, 500);
}

static void rearm_for_the_past(struct timer *timer)
{
	note(timer);
	timer_arm(&base, timer, 1);
}

static void a_timer_armed_for_the_past_does_not_hold_up_the_run(void **state __unused)
{
	timer_init(&probes[0].timer, rearm_for_the_past);
	timer_arm(&base, &probes[0].timer, 10);
	timer_base_run(&base, 10);
	assert_int_equal(probes[0].fired, 1);
	timer_base_run(&base, 11);
	assert_int_equal(probes[0].fired, 2);
	timer_cancel(&base, &probes[0].timer);
}

static void cancel_neighbour(struct timer *timer)
{
	struct probe *probe = container_of(timer, struct probe, timer);

	note(timer);
	timer_cancel(&base, &(probe + 1)->timer);
}

static void a_function_may_cancel_what_is_due_too(void **state __unused)
{
	timer_init(&probes[0].timer, cancel_neighbour);
	timer_arm(&base, &probes[0].timer, 10);
	timer_arm(&base, &probes[1].timer, 20);
	timer_base_run(&base, 100);
	assert_int_equal(probes[1].fired, 0);
	assert_true(timer_base_next(&base) == TIME_NEVER);
}

struct owner {
	struct timer timer;
};

static void free_owner(struct timer *timer)
{
	free(container_of(timer, struct owner, timer));
	firings++;
}

static void a_function_may_free_its_timer(void **state __unused)
{
	for (uint32_t i = 0; i < TIMERS; i++) {
		struct owner *owner = malloc(sizeof(*owner));

		timer_init(&owner->timer, free_owner);
		timer_arm(&base, &owner->timer, i % 17);
	}
	timer_base_run(&base, 17);
	assert_int_equal(firings, TIMERS);
}

/* The model: which timers are armed, and for when. */
static uint64_t model_us[TIMERS];

static uint64_t model_next(void)
{
	uint64_t next = TIME_NEVER;

	for (uint32_t i = 0; i < TIMERS; i++)
		next = MIN(next, model_us[i]);
	return next;
}

static void model_step(uint64_t *now_us)
{
	uint32_t i = random_u32() % TIMERS;
	uint32_t fired_before = probes[i].fired;

	switch (random_u32() % 8) {
	case 0:
		assert_int_equal(timer_cancel(&base, &probes[i].timer), model_us[i] != TIME_NEVER);
		model_us[i] = TIME_NEVER;
		assert_int_equal(probes[i].fired, fired_before);
		break;
	case 1:
		*now_us += random_u32() % 50;
		timer_base_run(&base, *now_us);
		for (uint32_t k = 0; k < TIMERS; k++)
			if (model_us[k] <= *now_us)
				model_us[k] = TIME_NEVER;
		break;
	case 2:
		timer_disarm(&probes[i].timer);
		model_us[i] = TIME_NEVER;
		break;
	default:
		model_us[i] = *now_us + 1 + random_u32() % 1000;
		timer_arm(&base, &probes[i].timer, model_us[i]);
	}
}

static void agrees_with_the_model(void **state __unused)
{
	uint64_t now_us = 0;

	host_random_seed(7);
	for (uint32_t i = 0; i < TIMERS; i++)
		model_us[i] = TIME_NEVER;
	for (uint32_t step = 0; step < 100000; step++) {
		model_step(&now_us);
		for (uint32_t i = 0; i < TIMERS && step % 100 == 0; i++)
			assert_int_equal(timer_armed(&probes[i].timer), model_us[i] != TIME_NEVER);
		if (step % 10 == 0)
			assert_true(timer_base_next(&base) == model_next());
		assert_true(announced_us <= model_next());
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(empty_base_has_no_next, set_up),
		cmocka_unit_test_setup(fires_in_order_of_time, set_up),
		cmocka_unit_test_setup(cancelled_timer_does_not_fire, set_up),
		cmocka_unit_test_setup(disarmed_timer_stays_in_its_place, set_up),
		cmocka_unit_test_setup(disarmed_timer_can_be_pulled_and_cancelled, set_up),
		cmocka_unit_test_setup(pushed_away_timer_fires_late_and_once, set_up),
		cmocka_unit_test_setup(pulled_timer_fires_early, set_up),
		cmocka_unit_test_setup(owner_hears_of_the_earliest, set_up),
		cmocka_unit_test_setup(every_run_ends_with_an_announcement, set_up),
		cmocka_unit_test_setup(a_timer_armed_for_the_past_does_not_hold_up_the_run, set_up),
		cmocka_unit_test_setup(a_function_may_cancel_what_is_due_too, set_up),
		cmocka_unit_test_setup(a_function_may_free_its_timer, set_up),
		cmocka_unit_test_setup(agrees_with_the_model, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
