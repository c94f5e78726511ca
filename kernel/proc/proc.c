/*
 * The list of the rooms of kernel/proc that serve system calls.
 */
#include "kernel/proc/proc.h"

#include "kernel/proc/capability.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/futex.h"
#include "kernel/proc/priority.h"
#include "kernel/proc/process.h"
#include "kernel/proc/session.h"

void process_syscalls_init(void)
{
	clone_syscalls_init();
	exit_syscalls_init();
	wait_syscalls_init();
	futex_syscalls_init();
	session_syscalls_init();
	identity_syscalls_init();
	limits_syscalls_init();
	scheduling_syscalls_init();
	priority_syscalls_init();
	system_syscalls_init();
	prctl_syscalls_init();
	capability_syscalls_init();
	syslog_syscalls_init();
}
