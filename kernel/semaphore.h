/*
 * Counting semaphores: the only thing in the kernel on which anything sleeps.
 *
 * A wait ends by a post, by a signal or by a deadline; there is no wait that a signal cannot end.
 */
#ifndef KERNEL_SEMAPHORE_H
#define KERNEL_SEMAPHORE_H

#include "kernel/list.h"
#include "kernel/timer.h"
#include "kernel/types.h"

struct semaphore {
	int32_t count;
	struct list_head waiters; /* first come, first served */
	void *host;               /* the host build's condition variable */
};

void sem_init(struct semaphore *sem, int32_t count);

/* Frees what the host build attached. Nobody may be waiting. */
void sem_destroy(struct semaphore *sem);

/* Adds one and wakes the longest waiter. Any context. */
void sem_post(struct semaphore *sem);

/* Takes one if there is one, without waiting. Any context. */
bool sem_try(struct semaphore *sem);

/*
 * Takes one, sleeping as long as there is none. Process context, no monitor entered, softirqs
 * enabled. Returns 0, or -ERESTARTSYS when a signal is pending.
 */
int sem_wait(struct semaphore *sem) __must_check;

/* As sem_wait, but gives up with -ETIMEDOUT at `deadline_us` (clock_now_us; TIME_NEVER: never). */
int sem_wait_until(struct semaphore *sem, uint64_t deadline_us) __must_check;

#endif
