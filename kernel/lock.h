/*
 * Locks, and the words by which clang's -Wthread-safety checks who holds them.
 *
 * The machine has one processor and the kernel does not preempt itself, so process context needs
 * protection only against interrupts and softirqs:
 *
 *   irq_save/irq_restore      shut out hard interrupts (so everything); a few dozen instructions
 *   softirq_disable/_enable   shut out softirqs: see kernel/softirq.h
 *   struct monitor            a bounded piece of work that process and softirq context share
 *
 * On the host a monitor is a mutex and irq_save takes one recursive mutex for the whole process.
 */
#ifndef KERNEL_LOCK_H
#define KERNEL_LOCK_H

#include "kernel/types.h"

#define CAPABILITY(name) __attribute__((capability(name)))
#define ACQUIRES(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define RELEASES(...) __attribute__((release_capability(__VA_ARGS__)))
#define REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define EXCLUDES(...) __attribute__((locks_excluded(__VA_ARGS__)))
#define NO_LOCK_CHECK __attribute__((no_thread_safety_analysis))

typedef uint64_t irq_flags_t;

/* Masks interrupts on this processor and returns the former mask. Nests. Any context. */
irq_flags_t irq_save(void);
void irq_restore(irq_flags_t flags);

/* For the scheduler and the softirqs; the kernel alone has these. */
void irq_enable(void);
void irq_disable(void);
bool irq_flags_masked(irq_flags_t flags); /* what irq_save returned: were they masked already? */

/*
 * Entered by process or softirq context for a bounded piece of work. Not recursive. Nobody sleeps,
 * waits for memory, or touches user memory inside: the kernel asserts it.
 */
struct monitor {
	void *host;       /* the host build's mutex; unused by the kernel */
	uint32_t entered; /* 1 while somebody is inside */
};

void monitor_init(struct monitor *monitor);
void monitor_destroy(struct monitor *monitor);
void monitor_enter(struct monitor *monitor);
void monitor_leave(struct monitor *monitor);

#endif
