#include "kernel/time/interval.h"

#include "kernel/clock.h"
#include "kernel/proc/usage.h"

#define TIME_LIMIT_NS (UINT64_MAX / 4) /* longer is as good as never, and sums do not overflow */

static struct list_head followers = LIST_HEAD_INIT(followers); /* process context */

bool interval_clock_valid(int32_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME;
}

static uint64_t now_ns(const struct interval_timer *timer)
{
	return timer->follows_date ? clock_realtime_ns() : clock_now_ns();
}

static uint64_t timespec_to_ns(const struct timespec *time)
{
	if ((uint64_t)time->tv_sec >= TIME_LIMIT_NS / NSEC_PER_SEC)
		return TIME_LIMIT_NS;
	return (uint64_t)time->tv_sec * NSEC_PER_SEC + (uint64_t)time->tv_nsec;
}

/* Asks to be woken when the next expiration comes, and not within the pause. */
static void arm(struct interval_timer *timer, uint64_t pause_us)
{
	uint64_t now = now_ns(timer);
	uint64_t wait_ns = timer->next_ns > now ? timer->next_ns - now : 0;
	uint64_t wait_us = (wait_ns + NSEC_PER_USEC - 1) / NSEC_PER_USEC;

	clock_timer_arm(&timer->timer, clock_now_us() + MAX(wait_us, pause_us));
}

static void timer_fired(struct timer *fired)
{
	struct interval_timer *timer = container_of(fired, struct interval_timer, timer);

	if (interval_timer_due(timer))
		timer->expired(timer);
	else if (timer->running)
		arm(timer, 1); /* the date was set back, or a rounding */
}

void interval_timer_init(struct interval_timer *timer, int32_t clock,
			 void (*expired)(struct interval_timer *timer))
{
	*timer = (struct interval_timer){.clock = clock, .expired = expired};
	timer_init(&timer->timer, timer_fired);
	list_init(&timer->link);
}

bool interval_value_valid(const struct itimerspec *value)
{
	return timespec_valid(&value->it_value) && timespec_valid(&value->it_interval);
}

void interval_timer_stop(struct interval_timer *timer)
{
	clock_timer_cancel(&timer->timer);
	list_remove(&timer->link);
	timer->running = false;
}

void interval_timer_set(struct interval_timer *timer, bool absolute, const struct itimerspec *value)
{
	uint64_t when_ns = timespec_to_ns(&value->it_value);

	interval_timer_stop(timer);
	timer->interval_ns = timespec_to_ns(&value->it_interval);
	if (when_ns == 0)
		return;
	timer->follows_date = absolute && timer->clock == CLOCK_REALTIME;
	timer->next_ns = absolute ? when_ns : clock_now_ns() + when_ns;
	timer->running = true;
	if (timer->follows_date)
		list_append(&followers, &timer->link);
	arm(timer, 0);
}

bool interval_timer_due(const struct interval_timer *timer)
{
	return timer->running && timer->next_ns <= now_ns(timer);
}

struct itimerspec interval_timer_value(const struct interval_timer *timer)
{
	struct itimerspec value = {.it_interval = timespec_from_ns(timer->interval_ns)};
	uint64_t now = now_ns(timer);
	uint64_t left_ns;

	if (!timer->running)
		return value;
	if (timer->next_ns > now)
		left_ns = timer->next_ns - now;
	else if (timer->interval_ns)
		left_ns = timer->interval_ns - (now - timer->next_ns) % timer->interval_ns;
	else
		return value;
	value.it_value = timespec_from_ns(left_ns);
	return value;
}

uint64_t interval_timer_take(struct interval_timer *timer, uint64_t pause_us)
{
	uint64_t count = 1;

	if (!interval_timer_due(timer))
		return 0;
	if (timer->interval_ns == 0) {
		timer->running = false;
		return count;
	}
	count += (now_ns(timer) - timer->next_ns) / timer->interval_ns;
	timer->next_ns += count * timer->interval_ns;
	arm(timer, pause_us);
	return count;
}

void interval_timers_date_set(void)
{
	struct interval_timer *timer;

	list_for_each_entry(timer, &followers, link) {
		if (timer->running)
			arm(timer, 0);
		if (timer->date_set)
			timer->date_set(timer);
	}
}
