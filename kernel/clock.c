/*
 * The machine's clocks and timers: see clock.h.
 *
 * The one-shot hardware timer serves two: the timer base, whose functions run in SOFTIRQ_TIMER, and
 * the scheduler's slice, which may be set from hard interrupt context and so is no timer of the
 * base. An idle machine has neither set and sleeps undisturbed.
 */
#include "kernel/clock.h"

#include "kernel/devicetree.h"
#include "kernel/lock.h"
#include "kernel/machine.h"
#include "kernel/printk.h"
#include "kernel/proc/sched.h"
#include "kernel/softirq.h"

static struct timer_base timers; /* softirqs disabled */

/* Interrupts masked. */
static uint64_t timers_us = TIME_NEVER; /* when the base is to be run */
static uint64_t slice_us = TIME_NEVER;  /* when the running thread's slice ends */
static uint64_t programmed_us = TIME_NEVER;

static uint64_t boot_realtime_ns; /* since 1970, when the counter stood at 0 */

uint64_t clock_now_us(void)
{
	return arch_counter_us();
}

uint64_t clock_now_ns(void)
{
	return arch_counter_ns();
}

uint64_t clock_realtime_ns(void)
{
	return boot_realtime_ns + clock_now_ns();
}

void clock_set_realtime_ns(uint64_t ns)
{
	boot_realtime_ns = ns - clock_now_ns();
}

/* Interrupts masked. */
static void program(void)
{
	uint64_t when_us = MIN(timers_us, slice_us);

	if (when_us == programmed_us)
		return;
	programmed_us = when_us;
	arch_timer_set(when_us);
}

static void expired(void)
{
	uint64_t now_us = clock_now_us();

	programmed_us = TIME_NEVER;
	if (slice_us <= now_us) {
		slice_us = TIME_NEVER;
		sched_slice_expired();
	}
	if (timers_us <= now_us) {
		timers_us = TIME_NEVER;
		softirq_raise(SOFTIRQ_TIMER);
	}
	program();
}

static void earliest_changed(struct timer_base *base __unused, uint64_t when_us)
{
	irq_flags_t flags = irq_save();

	timers_us = when_us;
	program();
	irq_restore(flags);
}

void clock_slice_arm(uint64_t when_us)
{
	irq_flags_t flags = irq_save();

	slice_us = when_us;
	program();
	irq_restore(flags);
}

static void run_timers(void *context __unused)
{
	timer_base_run(&timers, clock_now_us());
}

void clock_timer_arm(struct timer *timer, uint64_t when_us)
{
	softirq_disable();
	timer_arm(&timers, timer, when_us);
	softirq_enable();
}

bool clock_timer_cancel(struct timer *timer)
{
	bool was_armed;

	softirq_disable();
	was_armed = timer_cancel(&timers, timer);
	softirq_enable();
	return was_armed;
}

/* The PL031's data register: seconds since 1970. */
static void read_pl031(const struct dt_device *device, void *context __unused)
{
	volatile uint32_t *registers = device_map(device->reg_base[0], device->reg_size[0]);

	if (registers)
		clock_set_realtime_ns(registers[0] * NSEC_PER_SEC);
}

void clock_init(void)
{
	timer_base_init(&timers, earliest_changed);
	softirq_register(SOFTIRQ_TIMER, run_timers, NULL);
	arch_timer_init(expired);
	if (dt_for_each("arm,pl031", read_pl031, NULL) == 0)
		printk("clock: no PL031, the date starts at 1970\n");
}
