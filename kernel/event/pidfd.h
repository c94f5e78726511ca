/*
 * pidfd_open(2): a process named by a descriptor, which is readable when the process has ended.
 */
#ifndef KERNEL_EVENT_PIDFD_H
#define KERNEL_EVENT_PIDFD_H

#include "kernel/proc/process.h"

/* The process ended (a zombie may be left); wakes who polls. */
void pidfds_tell_end(struct process *process);

/* Nothing is left of it: its number may be another's from now on. */
void pidfds_forget(struct process *process);

/* The number of the process behind the calling process's `fd`, -EBADF, or -ECHILD: it is gone. */
int32_t pidfd_pid(int fd);

/* pidfd_open was called with O_NONBLOCK (PIDFD_NONBLOCK), or fcntl set it. */
bool pidfd_nonblocking(int fd);

#endif
