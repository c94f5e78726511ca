/*
 * Timers in a pairing heap: see timer.h.
 *
 * Pushing an armed timer further away does not touch the heap: the timer keeps its place
 * (queued_us) and is put where it belongs (when_us) when it comes to the top. Nor does disarming
 * it: then it is taken out there.
 */
#include "kernel/timer.h"

/*
 * Joins two heaps; either may be empty. The one with the earlier root takes the other as a child.
 */
static struct timer *heap_join(struct timer *a, struct timer *b)
{
	if (!a)
		return b;
	if (!b)
		return a;
	if (b->queued_us < a->queued_us) {
		struct timer *earlier = b;

		b = a;
		a = earlier;
	}
	b->sibling = a->child;
	if (b->sibling)
		b->sibling->back = b;
	b->back = a;
	a->child = b;
	return a;
}

/*
 * Joins a chain of siblings into one heap: in pairs from the left, then the pairs from the right.
 */
static struct timer *heap_join_siblings(struct timer *first)
{
	struct timer *pairs = NULL; /* chained by `sibling`, the last pair first */
	struct timer *root = NULL;

	while (first) {
		struct timer *second = first->sibling;
		struct timer *rest = second ? second->sibling : NULL;
		struct timer *pair;

		first->sibling = NULL;
		if (second)
			second->sibling = NULL;
		pair = heap_join(first, second);
		pair->sibling = pairs;
		pairs = pair;
		first = rest;
	}
	while (pairs) {
		struct timer *next = pairs->sibling;

		pairs->sibling = NULL;
		root = heap_join(root, pairs);
		pairs = next;
	}
	if (root)
		root->back = NULL;
	return root;
}

static void heap_insert(struct timer_base *base, struct timer *timer)
{
	timer->child = NULL;
	timer->sibling = NULL;
	timer->back = NULL;
	timer->queued_us = timer->when_us;
	timer->queued = true;
	base->root = heap_join(base->root, timer);
}

static void heap_remove(struct timer_base *base, struct timer *timer)
{
	struct timer *children = heap_join_siblings(timer->child);

	timer->queued = false;
	if (timer == base->root) {
		base->root = children;
		return;
	}
	if (timer->back->child == timer)
		timer->back->child = timer->sibling;
	else
		timer->back->sibling = timer->sibling;
	if (timer->sibling)
		timer->sibling->back = timer->back;
	base->root = heap_join(base->root, children);
}

/*
 * The timer that really is the earliest: those at the top that were pushed away move to their
 * places, those that were disarmed leave.
 */
static struct timer *earliest(struct timer_base *base)
{
	struct timer *timer;

	while ((timer = base->root) && (!timer->armed || timer->queued_us != timer->when_us)) {
		heap_remove(base, timer);
		if (timer->armed)
			heap_insert(base, timer);
	}
	return timer;
}

/*
 * Reports the top's place in the heap, which may be early for a timer that was pushed away: the run
 * that comes of it reports again.
 */
static void announce(struct timer_base *base)
{
	uint64_t when_us = base->root ? base->root->queued_us : TIME_NEVER;

	if (base->running_us != TIME_NEVER || when_us == base->announced_us)
		return;
	base->announced_us = when_us;
	if (base->earliest_changed)
		base->earliest_changed(base, when_us);
}

void timer_base_init(struct timer_base *base,
		     void (*earliest_changed)(struct timer_base *base, uint64_t when_us))
{
	base->root = NULL;
	base->earliest_changed = earliest_changed;
	base->announced_us = TIME_NEVER;
	base->running_us = TIME_NEVER;
}

void timer_base_run(struct timer_base *base, uint64_t now_us)
{
	struct timer *timer;

	base->running_us = now_us;
	while ((timer = earliest(base)) && timer->when_us <= now_us) {
		heap_remove(base, timer);
		timer->armed = false;
		timer->function(timer); /* may free the timer */
	}
	base->running_us = TIME_NEVER;

	/*
	 * One-shot hardware has been used up, so it hears of the next expiry even if that has not
	 * moved.
	 */
	base->announced_us = 0;
	announce(base);
}

uint64_t timer_base_next(struct timer_base *base)
{
	struct timer *timer = earliest(base);

	return timer ? timer->when_us : TIME_NEVER;
}

void timer_init(struct timer *timer, timer_function *function)
{
	*timer = (struct timer){.function = function};
}

void timer_arm(struct timer_base *base, struct timer *timer, uint64_t when_us)
{
	/* A function that arms for the past must not keep the run that called it from ending. */
	if (base->running_us != TIME_NEVER && when_us <= base->running_us)
		when_us = base->running_us + 1;

	timer->when_us = when_us;
	timer->armed = true;
	if (timer->queued && when_us >= timer->queued_us)
		return;
	if (timer->queued)
		heap_remove(base, timer);
	heap_insert(base, timer);
	announce(base);
}

bool timer_cancel(struct timer_base *base, struct timer *timer)
{
	bool was_armed = timer->armed;

	if (!timer->queued)
		return false;
	heap_remove(base, timer);
	timer->armed = false;
	announce(base);
	return was_armed;
}
