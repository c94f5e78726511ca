/*
 * What a parent hears of its child: SIGCHLD, a wake-up in wait4, and the end of a zombie that
 * nobody waits for.
 */
#include "include/uapi/poll.h"
#include "include/uapi/time.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/table.h"
#include "kernel/signal/signal.h"

#define USEC_PER_TICK (USEC_PER_SEC / USER_HZ)

static int status_for_siginfo(const struct process *child, int code)
{
	switch (code) {
	case CLD_EXITED:
		return child->exit_status >> 8 & 0xff;
	case CLD_KILLED:
		return child->exit_status & 0x7f;
	case CLD_STOPPED:
		return child->stop_signal;
	default:
		return SIGCONT;
	}
}

/* signal(7): SIGCHLD ignored or SA_NOCLDWAIT means that dead children do not become zombies. */
static bool parent_reaps_by_itself(const struct process *parent)
{
	const struct sigaction *action;

	if (!parent->handlers)
		return true;
	action = &parent->handlers->action[SIGCHLD];
	return action->handler == SIG_IGN || action->flags & SA_NOCLDWAIT;
}

static bool wants_signal(const struct process *parent, int code)
{
	bool stop_or_continue = code == CLD_STOPPED || code == CLD_CONTINUED;

	if (!parent->handlers)
		return false;
	return !(stop_or_continue && parent->handlers->action[SIGCHLD].flags & SA_NOCLDSTOP);
}

void process_notify_parent(struct process *child, int code)
{
	struct process *parent = child->parent;
	bool ended = code == CLD_EXITED || code == CLD_KILLED;
	int signal = ended ? child->exit_signal : SIGCHLD;
	struct siginfo info;
	uint64_t user_us, system_us;

	if (!parent)
		return;
	process_cpu_time(child, &user_us, &system_us);
	info = (struct siginfo){
		.si_signo = signal,
		.si_code = code,
		.si_pid = child->pid,
		.si_uid = child->uid,
		.si_status = status_for_siginfo(child, code),
		.si_utime = (int64_t)(user_us / USEC_PER_TICK),
		.si_stime = (int64_t)(system_us / USEC_PER_TICK),
	};
	if (signal && wants_signal(parent, code))
		signal_send_info(parent, NULL, &info);
	if (ended && signal == SIGCHLD && parent_reaps_by_itself(parent))
		process_reap(child);
	wait_list_wake(&parent->child_wait, POLLIN);
}

void process_reap(struct process *zombie)
{
	struct process *parent = zombie->parent;

	parent->children_user_us += zombie->user_us + zombie->children_user_us;
	parent->children_system_us += zombie->system_us + zombie->children_system_us;
	parent->children_page_faults += zombie->page_faults + zombie->children_page_faults;
	parent->children_memory_peak = MAX(parent->children_memory_peak,
					   MAX(zombie->memory_peak, zombie->children_memory_peak));
	process_free(zombie);
}
