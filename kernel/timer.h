/*
 * One-shot timers, embedded in the object they serve.
 *
 * A `struct timer_base` is a set of armed timers ordered by time. The machine has one, driven by
 * the generic timer from SOFTIRQ_TIMER; each `struct net` has its own, so that a host test can
 * drive it from a virtual clock. Times are absolute, in microseconds of the base's clock;
 * resolution is that of the clock. Arming and cancelling are O(log n) amortised. What a
 * retransmission timer does all day is O(1): pushing an armed timer further away, disarming it, and
 * arming it again for no earlier.
 *
 * A base is not locked: its owner's lock protects it (the machine's base: softirqs disabled, which
 * the functions of kernel/clock.h see to; a net's base: the net lock). A cancelled timer's function
 * does not run, and is not running, when timer_cancel returns. An armed timer holds a reference on
 * its object: whoever frees the object cancels first.
 */
#ifndef KERNEL_TIMER_H
#define KERNEL_TIMER_H

#include "kernel/types.h"

#define TIME_NEVER UINT64_MAX

struct timer;
typedef void timer_function(struct timer *timer);

struct timer {
	uint64_t when_us;   /* when to fire; may lie beyond queued_us */
	uint64_t queued_us; /* the time by which the heap orders it, <= when_us */
	timer_function *function;
	struct timer *child, *sibling, *back; /* pairing heap; `back` is parent or left sibling */
	bool armed;
	bool queued; /* in the heap; disarmed timers stay there until they come to the top */
};

struct timer_base {
	struct timer *root;
	/*
	 * Told whenever the earliest expiry moves (TIME_NEVER: none left) and at the end of every
	 * run, so that the owner can program its hardware or its own timer. It may be told too
	 * early a time, never too late a one. May be NULL.
	 */
	void (*earliest_changed)(struct timer_base *base, uint64_t when_us);
	uint64_t announced_us; /* what earliest_changed was last told */
	uint64_t running_us;   /* the time of the run in progress; TIME_NEVER: none */
};

void timer_base_init(struct timer_base *base,
		     void (*earliest_changed)(struct timer_base *base, uint64_t when_us));

/* Runs, in order of time, every timer due at `now_us`. A function may arm and cancel timers. */
void timer_base_run(struct timer_base *base, uint64_t now_us);

/* The earliest expiry, or TIME_NEVER. */
uint64_t timer_base_next(struct timer_base *base);

void timer_init(struct timer *timer, timer_function *function);

/* Arms, or moves if armed. A time in the past fires at the next run. */
void timer_arm(struct timer_base *base, struct timer *timer, uint64_t when_us);

/*
 * Returns whether it was armed. Harmless on a timer that is not. Only then may its object be freed.
 */
bool timer_cancel(struct timer_base *base, struct timer *timer);

/*
 * For a timer that will soon be armed again: it does not fire, but is known to the base still,
 * which may be run once for nothing.
 */
static inline void timer_disarm(struct timer *timer)
{
	timer->armed = false;
}

static inline bool timer_armed(const struct timer *timer)
{
	return timer->armed;
}

#endif
