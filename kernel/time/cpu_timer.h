/*
 * What watches a process's CPU time: ITIMER_VIRTUAL and ITIMER_PROF of setitimer(2), and RLIMIT_CPU
 * of setrlimit(2).
 */
#ifndef KERNEL_TIME_CPU_TIMER_H
#define KERNEL_TIME_CPU_TIMER_H

#include "kernel/proc/process.h"

/* The function of every process's cpu_timer. Softirq context. */
void cpu_timer_expired(struct timer *timer);

/* To be called when a timer or the limit was changed, and for a new process. Process context. */
void cpu_timer_watch(struct process *process);

/* Nobody looks any more: the process ends, or its timers are being changed. */
void cpu_timer_stop(struct process *process);

/* Microseconds of CPU time that the process has used, as far as this timer counts them. */
uint64_t cpu_timer_used_us(struct process *process, const struct cpu_interval *interval);

#endif
