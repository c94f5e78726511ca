/*
 * The clocks that count CPU time: of the caller, and of other processes and threads, whose numbers
 * clock_getcpuclockid(3) and pthread_getcpuclockid(3) make up.
 */
#ifndef KERNEL_TIME_CPU_CLOCK_H
#define KERNEL_TIME_CPU_CLOCK_H

#include "kernel/types.h"

/* Is it one by its number? Whether it is there, only reading tells. */
bool cpu_clock_is(int32_t clock);

/*
 * What the process or the thread has used so far, nanoseconds. False: it is none, or nobody's;
 * those of threads are their own process's business.
 */
bool cpu_clock_read(int32_t clock, uint64_t *ns);

#endif
