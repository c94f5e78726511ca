/*
 * Process groups and sessions: job control's view of the processes.
 */
#ifndef KERNEL_PROC_SESSION_H
#define KERNEL_PROC_SESSION_H

#include "kernel/proc/process.h"

/*
 * A group is orphaned when no member has a parent outside the group but in its session: then no
 * shell is there to continue it after a stop.
 */
bool session_group_is_orphaned(int32_t pgid);

/* Is there a process of this group in the session? What tcsetpgrp asks. */
bool session_has_group(int32_t sid, int32_t pgid);

/* The process ends: the terminal of a session whose leader it is hangs up. */
void session_leave(struct process *process);

/*
 * The process has ended: stopped groups that are orphaned by it get SIGHUP and SIGCONT (POSIX,
 * _exit).
 */
void session_groups_may_be_orphaned(struct process *process);

void session_syscalls_init(void);

#endif
