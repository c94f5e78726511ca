/*
 * A timer that goes off once, or again and again, on a clock that programs know: what timerfd and
 * timer_create are made of.
 *
 * It never repeats by itself: its function is told once, and it goes on when the owner takes what
 * has happened since (interval_timer_take). So nobody's short interval keeps the machine busy.
 *
 * Set, stopped and asked in process context; taken in process or softirq context.
 */
#ifndef KERNEL_TIME_INTERVAL_H
#define KERNEL_TIME_INTERVAL_H

#include "include/uapi/time.h"
#include "kernel/list.h"
#include "kernel/timer.h"
#include "kernel/types.h"

struct interval_timer {
	struct timer timer;
	void (*expired)(struct interval_timer *timer); /* softirq context */
	/* Told when somebody sets the date, if the timer follows it; may be NULL. */
	void (*date_set)(struct interval_timer *timer);
	int32_t clock;
	bool running;
	bool follows_date;     /* CLOCK_REALTIME, and set to a moment rather than a distance */
	struct list_head link; /* of those that follow the date */
	uint64_t next_ns;      /* the first expiration not taken; since 1970 or since boot */
	uint64_t interval_ns;  /* 0: once */
};

/* True for CLOCK_REALTIME, CLOCK_MONOTONIC and CLOCK_BOOTTIME. */
bool interval_clock_valid(int32_t clock);

void interval_timer_init(struct interval_timer *timer, int32_t clock,
			 void (*expired)(struct interval_timer *timer));

/* Both times of `value` valid? */
bool interval_value_valid(const struct itimerspec *value);

/* Starts it anew; a zero it_value stops it. `absolute`: it_value is a moment on its clock. */
void interval_timer_set(struct interval_timer *timer, bool absolute,
			const struct itimerspec *value);

/* The time that is left and the interval; zero when it is stopped. */
struct itimerspec interval_timer_value(const struct interval_timer *timer);

void interval_timer_stop(struct interval_timer *timer);

/* True when there is something to take. */
bool interval_timer_due(const struct interval_timer *timer);

/*
 * How often it has gone off since it was set or last taken. Goes on from there, but does not go off
 * again before `pause_us` from now.
 */
uint64_t interval_timer_take(struct interval_timer *timer, uint64_t pause_us);

/* Somebody has set the date. Process context. */
void interval_timers_date_set(void);

#endif
