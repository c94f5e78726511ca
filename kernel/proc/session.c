/*
 * Process groups and sessions: see session.h, setpgid(2), setsid(2).
 */
#include "kernel/proc/session.h"

#include "kernel/signal/signal.h"
#include "kernel/syscall.h"
#include "kernel/tty/tty.h"

struct group_view {
	int32_t sid, pgid;
	bool found, cared_for, stopped;
};

static int look_at_member(struct process *process, void *context)
{
	struct group_view *view = context;
	const struct process *parent = process->parent;

	if (process->pgid != view->pgid)
		return 0;
	/*
	 * A zombie keeps its group: the leader of a pipeline may end before the others have
	 * joined it.
	 */
	view->found |= process->sid == view->sid;
	if (process->exiting)
		return 0;
	view->stopped |= process->stopped;
	view->cared_for |= parent && parent->pid != 1 && !parent->exiting &&
			   parent->pgid != process->pgid && parent->sid == process->sid;
	return 0;
}

bool session_group_is_orphaned(int32_t pgid)
{
	struct group_view view = {.pgid = pgid};

	process_for_each(look_at_member, &view);
	return !view.cared_for;
}

bool session_has_group(int32_t sid, int32_t pgid)
{
	struct group_view view = {.sid = sid, .pgid = pgid};

	process_for_each(look_at_member, &view);
	return view.found;
}

void session_leave(struct process *process)
{
	if (process->tty && process->sid == process->pid)
		tty_session_ended(process);
	process->tty = NULL;
}

static void rescue_if_orphaned(int32_t pgid)
{
	struct group_view view = {.pgid = pgid};

	process_for_each(look_at_member, &view);
	if (view.cared_for || !view.stopped)
		return;
	signal_send_group(pgid, SIGHUP);
	signal_send_group(pgid, SIGCONT);
}

/* Does the parent look after the child's group from outside of it? */
static bool cares_for_group(const struct process *parent, const struct process *child)
{
	return parent && parent->pgid != child->pgid && parent->sid == child->sid;
}

/* Groups that were orphans before are left alone. */
void session_groups_may_be_orphaned(struct process *process)
{
	struct process *child;

	if (cares_for_group(process->parent, process))
		rescue_if_orphaned(process->pgid);
	list_for_each_entry(child, &process->children, sibling)
		if (cares_for_group(process, child))
			rescue_if_orphaned(child->pgid);
}

/* The process that setpgid(pid) means: the caller or a child of it that has not run execve. */
static int setpgid_target(int32_t pid, struct process **target)
{
	struct process *caller = current_process();
	struct process *process = pid == 0 ? caller : process_find(pid);

	if (!process || (process != caller && process->parent != caller))
		return -ESRCH;
	if (process != caller && process->sid != caller->sid)
		return -EPERM;
	if (process != caller && process->has_executed)
		return -EACCES;
	if (process->sid == process->pid)
		return -EPERM;
	*target = process;
	return 0;
}

SYSCALL2(setpgid, int32_t, pid, int32_t, pgid)
{
	struct process *process;
	int error;

	if (pgid < 0)
		return -EINVAL;
	error = setpgid_target(pid, &process);
	if (error)
		return error;
	if (pgid == 0)
		pgid = process->pid;
	if (pgid != process->pid && !session_has_group(process->sid, pgid))
		return -EPERM;
	process->pgid = pgid;
	return 0;
}

SYSCALL1(getpgid, int32_t, pid)
{
	struct process *process = pid == 0 ? current_process() : process_find(pid);

	return process && process->pid ? process->pgid : -ESRCH;
}

SYSCALL1(getsid, int32_t, pid)
{
	struct process *process = pid == 0 ? current_process() : process_find(pid);

	return process && process->pid ? process->sid : -ESRCH;
}

static int is_in_group(struct process *process, void *context)
{
	const int32_t *pgid = context;

	return process->pgid == *pgid;
}

/*
 * No process group may have the new session's number already, so a group's leader cannot call it.
 */
SYSCALL0(setsid)
{
	struct process *process = current_process();

	if (process_for_each(is_in_group, &process->pid))
		return -EPERM;
	process->sid = process->pgid = process->pid;
	process->tty = NULL;
	return process->pid;
}

void session_syscalls_init(void)
{
	syscall_register(SYS_setpgid, sys_setpgid);
	syscall_register(SYS_getpgid, sys_getpgid);
	syscall_register(SYS_getsid, sys_getsid);
	syscall_register(SYS_setsid, sys_setsid);
}
