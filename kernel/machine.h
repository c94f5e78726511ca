/*
 * The machine as a whole: switching it off, its counter and its one-shot timer, idling, and what
 * its processor can do.
 */
#ifndef KERNEL_MACHINE_H
#define KERNEL_MACHINE_H

#include "kernel/types.h"

/* Through the firmware (PSCI). Any context. Where there is no firmware they halt. */
void machine_power_off(void) __noreturn;
void machine_restart(void) __noreturn;

/* Sleeps for ever, deaf to interrupts. */
void machine_halt(void) __noreturn;

/* Since the counter started (about when the machine did), monotonic. Any context. */
uint64_t arch_counter_us(void);
uint64_t arch_counter_ns(void);

/*
 * The counter itself, as cheap as can be: to be subtracted, and turned into time later. It may be
 * read a few instructions early.
 */
uint64_t arch_counter_ticks(void);
uint64_t arch_ticks_to_us(uint64_t ticks);

/*
 * Calls the function given to arch_timer_init, in hard interrupt context, once, at or after
 * `absolute_us` of arch_counter_us. A new time replaces the former; UINT64_MAX: never.
 */
void arch_timer_set(uint64_t absolute_us);
void arch_timer_init(void (*expired)(void));

/*
 * Sleeps until an interrupt. Call with interrupts masked, after finding that there is nothing to
 * do: an interrupt that came in between ends the sleep at once. Returns with them masked, the
 * interrupt having been served.
 */
void cpu_idle(void);

/*
 * Orders memory shared with a device: what was written before is seen by the device before what
 * follows is read, as a handshake needs in which each side writes a word and then reads the
 * other's. Any context.
 */
void device_barrier(void);

/* HWCAP bits of the auxiliary vector (AT_HWCAP). */
uint64_t arch_hwcap(void);

/* Registers /proc/cpuinfo. Boot, after /proc. */
void cpuinfo_init(void);

/*
 * Boot: cpu_init switches on the processor's features; machine_init finds the firmware in the
 * device tree.
 */
void cpu_init(void);
void machine_init(void);

#endif
