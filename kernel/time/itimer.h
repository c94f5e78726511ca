/*
 * Interval timers of a process: getitimer(2), setitimer(2).
 */
#ifndef KERNEL_TIME_ITIMER_H
#define KERNEL_TIME_ITIMER_H

#include "kernel/proc/process.h"

/* The function of every process's real_timer. Softirq context. */
void itimer_real_expired(struct timer *timer);

/* Disarms them: the process ends. */
void itimer_stop(struct process *process);

void itimer_syscalls_init(void);

#endif
