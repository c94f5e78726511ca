/*
 * What the service files share among themselves: one lock and one condition for the whole
 * machine.
 */
#ifndef TEST_HOST_SERVICES_INTERNAL_H
#define TEST_HOST_SERVICES_INTERNAL_H

#include <pthread.h>

#include "kernel/types.h"

/* Recursive: irq_save nests. */
pthread_mutex_t *host_machine_lock(void);

/*
 * True when sleeping threads are to be served by host_on_sleep's function instead of the
 * scheduler.
 */
bool host_clock_is_virtual(void);

/* Lets the world go on; see host_on_sleep. */
bool host_sleep_step(uint64_t deadline_us);

/* CLOCK_MONOTONIC as the waits use it. */
void host_timespec(uint64_t deadline_us, struct timespec *to);

#endif
