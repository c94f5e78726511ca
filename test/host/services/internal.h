/* What the service files share among themselves. */
#ifndef TEST_HOST_SERVICES_INTERNAL_H
#define TEST_HOST_SERVICES_INTERNAL_H

#include <pthread.h>
#include <time.h>

#include "kernel/types.h"

/* The one lock of the machine, which stands for "interrupts masked". Recursive: irq_save nests. */
pthread_mutex_t *host_machine_lock(void);

/*
 * Is the calling thread the one that moves a virtual clock? Then it never sleeps: it lets the
 * world go on, by host_sleep_step (see host_on_sleep), until its wait is over.
 */
bool host_sleeper_moves_clock(void);
bool host_sleep_step(uint64_t deadline_us);

/*
 * When a real clock will reach the deadline, as CLOCK_MONOTONIC has it. False: it will not, or the
 * clock is virtual and whoever moves it calls host_wake_sleepers_due.
 */
bool host_clock_reaches_by_itself(uint64_t deadline_us, struct timespec *at);

/* Wakes whoever sleeps until `now_us` at the latest. The machine's lock is held. */
void host_wake_sleepers_due(uint64_t now_us);

/* kmalloc and kfree after host_use_slabs. */
bool host_slabs_in_use(void);
void *host_slab_alloc(size_t size); /* never NULL */
void host_slab_free(void *memory);

/* As kernel/signal/signal.h, whose structures would clash with the C library's. */
bool signal_pending(void);

#endif
