/*
 * Sessions and process groups, as the terminal sees them: who may read, who hears ^C, whose
 * terminal it is.
 */
#include "include/uapi/ioctl.h"
#include "include/uapi/poll.h"
#include "include/uapi/signal.h"
#include "kernel/errno.h"
#include "kernel/proc/process.h"
#include "kernel/proc/session.h"
#include "kernel/signal/signal.h"
#include "kernel/softirq.h"
#include "kernel/tty/tty.h"
#include "kernel/user.h"

static bool ignores_or_blocks(int signal)
{
	const struct sigaction *action = &current_process()->handlers->action[signal];
	bool blocked = current_thread()->signal_mask & SIGNAL_BIT(signal);
	return blocked || action->handler == SIG_IGN;
}

int tty_check_foreground(struct tty *tty, int signal)
{
	struct process *process = current_process();
	if (process->tty != tty || tty->foreground == 0 || process->pgid == tty->foreground)
		return 0;
	if (ignores_or_blocks(signal))
		return signal == SIGTTIN ? -EIO : 0;
	if (session_group_is_orphaned(process->pgid))
		return -EIO;
	signal_send_group(process->pgid, signal);
	return -ERESTARTSYS;
}

void tty_acquire(struct tty *tty, struct process *leader)
{
	tty_get(tty);
	tty->session = leader->sid;
	tty->foreground = leader->pgid;
	leader->tty = tty;
}

static int forget_tty(struct process *process, void *context)
{
	if (process->tty == context)
		process->tty = NULL;
	return 0;
}

/* The terminal becomes nobody's. */
static void disown(struct tty *tty)
{
	tty->session = tty->foreground = 0;
	process_for_each(forget_tty, tty);
	tty_put(tty);
}

/* The session of `leader` has its terminal no more, and the foreground hears of it. */
static void disconnect_session(struct process *leader)
{
	struct tty *tty = leader->tty;
	int32_t foreground = tty->foreground;
	if (tty->session != leader->sid)
		return;
	disown(tty);
	if (foreground > 0) {
		signal_send_group(foreground, SIGHUP);
		signal_send_group(foreground, SIGCONT);
	}
}

void tty_session_ended(struct process *leader)
{
	struct tty *tty = leader->tty;
	if (!tty || tty->session != leader->sid)
		return;
	tty_get(tty);
	disconnect_session(leader);
	if (tty->driver->ends_with_session)
		tty_hang_up(tty);
	tty_put(tty);
}

void tty_hang_up(struct tty *tty)
{
	struct process *leader = tty->session ? process_find(tty->session) : NULL;
	if (tty->hung_up)
		return;
	tty->hung_up = true;
	softirq_disable();
	ldisc_flush(&tty->ldisc);
	softirq_enable();
	if (leader) {
		signal_send_process(leader, SIGHUP);
		signal_send_process(leader, SIGCONT);
	}
	wait_list_wake(&tty->wait, POLLIN | POLLOUT | POLLHUP | POLLERR);
}

/* TIOCNOTTY: when the session's leader gives its terminal up, the whole session loses it. */
static int64_t give_up(struct tty *tty)
{
	struct process *process = current_process();
	if (process->tty != tty)
		return -ENOTTY;
	if (process->pid == process->sid)
		disconnect_session(process);
	process->tty = NULL;
	return 0;
}

/* TIOCSCTTY; `steal` asks to take it from another session, which the superuser may. */
static int set_controlling(struct tty *tty, bool steal)
{
	struct process *process = current_process();
	bool leader = process->pid == process->sid;
	if (leader && process->tty == tty && tty->session == process->sid)
		return 0;
	if (!leader || process->tty)
		return -EPERM;
	if (tty->session != 0) {
		if (!steal || !user_may(CAP_SYS_ADMIN))
			return -EPERM;
		disown(tty);
	}
	tty_acquire(tty, process);
	return 0;
}

static int in_group(struct process *process, void *context)
{
	const int32_t *group = context;
	return process->pgid == *group;
}

static int64_t set_foreground(struct tty *tty, user_addr_t argument)
{
	struct process *process = current_process();
	int error = tty_check_foreground(tty, SIGTTOU);
	if (error)
		return error;
	if (process->tty != tty || tty->session != process->sid)
		return -ENOTTY;
	int32_t group;
	if (copy_from_user(&group, argument, sizeof(group)))
		return -EFAULT;
	if (group < 0)
		return -EINVAL;
	if (!session_has_group(process->sid, group))
		return process_for_each(in_group, &group) ? -EPERM : -ESRCH;
	tty->foreground = group;
	return 0;
}

int64_t tty_job_ioctl(struct tty *tty, uint32_t command, uint64_t argument)
{
	struct process *process = current_process();
	switch (command) {
	case TIOCSCTTY:
		return set_controlling(tty, argument == 1);
	case TIOCNOTTY:
		return give_up(tty);
	case TIOCGPGRP:
		if (process->tty != tty)
			return -ENOTTY;
		return copy_to_user(argument, &tty->foreground, sizeof(tty->foreground));
	case TIOCSPGRP:
		return set_foreground(tty, argument);
	case TIOCGSID:
		if (process->tty != tty || tty->session == 0)
			return -ENOTTY;
		return copy_to_user(argument, &tty->session, sizeof(tty->session));
	default:
		return -ENOTTY;
	}
}
