/* The machine's clock: real, or virtual and moved by hand. */
#include <time.h>

#include "kernel/clock.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "test/host/services/host.h"
#include "test/host/services/internal.h"

static bool is_virtual;
static uint64_t virtual_now_us;
static struct timer_base machine_timers;
static bool (*sleep_function)(void *context, uint64_t deadline_us);
static void *sleep_context;

bool host_clock_is_virtual(void)
{
	return is_virtual;
}

void host_clock_virtual(uint64_t start_us)
{
	is_virtual = true;
	virtual_now_us = start_us;
	timer_base_init(&machine_timers, NULL);
}

void host_clock_real(void)
{
	is_virtual = false;
}

void host_clock_advance_to(uint64_t now_us)
{
	assert_always(is_virtual && now_us >= virtual_now_us);
	virtual_now_us = now_us;
	irq_flags_t flags = irq_save();

	timer_base_run(&machine_timers, now_us);
	irq_restore(flags);
}

void host_on_sleep(bool (*advance)(void *context, uint64_t deadline_us), void *context)
{
	sleep_function = advance;
	sleep_context = context;
}

bool host_sleep_step(uint64_t deadline_us)
{
	return sleep_function && sleep_function(sleep_context, deadline_us);
}

uint64_t clock_now_ns(void)
{
	struct timespec now;

	if (is_virtual)
		return virtual_now_us * NSEC_PER_USEC;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

uint64_t clock_now_us(void)
{
	return clock_now_ns() / NSEC_PER_USEC;
}

uint64_t clock_realtime_ns(void)
{
	struct timespec now;

	if (is_virtual)
		return virtual_now_us * NSEC_PER_USEC;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

void host_timespec(uint64_t deadline_us, struct timespec *to)
{
	to->tv_sec = (time_t)(deadline_us / USEC_PER_SEC);
	to->tv_nsec = (long)(deadline_us % USEC_PER_SEC * NSEC_PER_USEC);
}

void clock_timer_arm(struct timer *timer, uint64_t when_us)
{
	irq_flags_t flags = irq_save();

	timer_arm(&machine_timers, timer, when_us);
	irq_restore(flags);
}

bool clock_timer_cancel(struct timer *timer)
{
	irq_flags_t flags = irq_save();
	bool was_armed = timer_cancel(&machine_timers, timer);

	irq_restore(flags);
	return was_armed;
}
