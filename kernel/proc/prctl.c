/*
 * prctl(2).
 */
#include "include/uapi/prctl.h"

#include "kernel/proc/proc.h"
#include "kernel/proc/process.h"
#include "kernel/signal/signal_pending.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

static int64_t set_name(user_addr_t from)
{
	struct thread *thread = current_thread();
	char name[PROCESS_NAME_MAX];
	int64_t length = copy_string_from_user(name, from, sizeof(name));

	if (length == -EFAULT)
		return length;
	if (length < 0 && copy_from_user(name, from, sizeof(name) - 1))
		return -EFAULT;
	name[sizeof(name) - 1] = '\0';
	strscpy(thread->name, name, sizeof(thread->name));
	if (thread->tid == thread->process->pid)
		strscpy(thread->process->name, name, sizeof(thread->process->name));
	return 0;
}

static int64_t get_name(user_addr_t to)
{
	char name[PROCESS_NAME_MAX] = "";

	strscpy(name, current_thread()->name, sizeof(name));
	return copy_to_user(to, name, sizeof(name));
}

SYSCALL5(prctl, int, option, uint64_t, a, uint64_t, b, uint64_t, c, uint64_t, d)
{
	struct process *process = current_process();

	switch (option) {
	case PR_SET_NAME:
		return set_name(a);
	case PR_GET_NAME:
		return get_name(a);
	case PR_SET_PDEATHSIG:
		if (a != 0 && (a >= NSIG))
			return -EINVAL;
		process->parent_death_signal = (int)a;
		return 0;
	case PR_GET_PDEATHSIG:
		return copy_to_user(a, &process->parent_death_signal, sizeof(int));
	case PR_GET_DUMPABLE: /* nothing is ever dumped */
		return 0;
	case PR_GET_KEEPCAPS:
		return process->capabilities.keep;
	case PR_SET_KEEPCAPS:
		if (a > 1)
			return -EINVAL;
		process->capabilities.keep = a;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return process->no_new_privileges;
	case PR_SET_DUMPABLE:
		return a <= 1 ? 0 : -EINVAL;
	case PR_SET_NO_NEW_PRIVS:
		if (a != 1 || b || c || d)
			return -EINVAL;
		process->no_new_privileges = true;
		return 0;
	case PR_SET_THP_DISABLE:
		if (b || c || d)
			return -EINVAL;
		process->no_huge_pages = a != 0;
		return 0;
	case PR_GET_THP_DISABLE:
		return a || b || c || d ? -EINVAL : process->no_huge_pages;
	case PR_CAPBSET_READ:
		return a <= CAP_LAST_CAP ? 1 : -EINVAL;
	default:
		return -EINVAL;
	}
}

void prctl_syscalls_init(void)
{
	syscall_register(SYS_prctl, sys_prctl);
}
