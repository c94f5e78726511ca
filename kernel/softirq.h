/*
 * Softirqs: the work an interrupt leaves for a moment when interrupts are on again.
 *
 * A hard interrupt handler raises one; it runs when the interrupt returns, or when the process
 * context code that had disabled softirqs enables them. Work that keeps coming back is handed
 * after a few rounds to a kernel thread, so that processes are never starved by a flood.
 */
#ifndef KERNEL_SOFTIRQ_H
#define KERNEL_SOFTIRQ_H

#include "kernel/types.h"

enum softirq {
	SOFTIRQ_TIMER,
	SOFTIRQ_NET_RX,
	SOFTIRQ_TTY,
	SOFTIRQ_COUNT,
};

typedef void softirq_handler(void *context);

/* Installs the one handler of `which`. Process context, at boot. */
void softirq_register(enum softirq which, softirq_handler *handler, void *context);

/* Marks `which` to be run. Any context. */
void softirq_raise(enum softirq which);

/* Nest. softirq_enable runs what was raised meanwhile. Process and softirq context. */
void softirq_disable(void);
void softirq_enable(void);

/* True in a softirq handler, or with softirqs disabled. */
bool in_softirq(void);

/*
 * The end of a hardware interrupt: runs what was raised, with interrupts on, unless the interrupt
 * came while softirqs were running or disabled. Called by the architecture with interrupts masked,
 * and returns so.
 */
void softirq_interrupt_end(void);

/* Starts the thread that takes over a flood. Boot, after sched_init. */
void softirq_init(void);

#endif
