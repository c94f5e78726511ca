/*
 * timer_create(2): timers of a process that send signals. An exec ends them, a fork does not
 * inherit them.
 */
#ifndef KERNEL_TIME_POSIX_TIMER_H
#define KERNEL_TIME_POSIX_TIMER_H

#include "kernel/proc/process.h"

/* Deletes all of the process's: exec, exit. */
void posix_timers_delete(struct process *process);

/*
 * A signal of one of the running process's timers was taken: the overrun count that
 * timer_getoverrun gives is now this signal's.
 */
void posix_timer_signal_taken(const struct siginfo *info);

void posix_timer_syscalls_init(void);

#endif
