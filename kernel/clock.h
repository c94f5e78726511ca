/*
 * The machine's clocks and its own timer base.
 *
 * Code in net/ does not use this file: it asks its stack (net_now, net_timer_arm).
 */
#ifndef KERNEL_CLOCK_H
#define KERNEL_CLOCK_H

#include "kernel/timer.h"
#include "kernel/types.h"

/* Since boot, monotonic. Any context. */
uint64_t clock_now_us(void);
uint64_t clock_now_ns(void);

/* Nanoseconds since 1970 (the PL031 at boot, then the generic timer). Any context. */
uint64_t clock_realtime_ns(void);
void clock_set_realtime_ns(uint64_t ns);

/*
 * Arm and cancel on the machine's base; the function runs in softirq context. Any context but hard
 * interrupt.
 */
void clock_timer_arm(struct timer *timer, uint64_t when_us);
bool clock_timer_cancel(struct timer *timer);

/*
 * The scheduler's: sched_slice_expired is called, in hard interrupt context, at `when_us`. Any
 * context.
 */
void clock_slice_arm(uint64_t when_us);

/*
 * Starts timers and reads the date. Boot, with the interrupt controller and the device tree ready.
 */
void clock_init(void);

#endif
