/*
 * The rooms of kernel/time that have system calls: reading clocks, sleeping, timers that signal.
 */
#ifndef KERNEL_TIME_TIME_H
#define KERNEL_TIME_TIME_H

/* Registers them all. Boot. */
void time_syscalls_init(void);

void sleep_syscalls_init(void);

#endif
