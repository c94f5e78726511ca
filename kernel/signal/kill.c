/*
 * Sending signals: kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2).
 */
#include "kernel/proc/process.h"
#include "kernel/signal/signal.h"
#include "kernel/signal/signal_pending.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

/* kill(2), "permission": the superuser, the same user, or SIGCONT within the session. */
static bool may_signal(const struct process *target, int signal)
{
	const struct process *sender = current_process();

	if (user_may(CAP_KILL) || sender->euid == target->suid || sender->euid == target->uid ||
	    sender->uid == target->suid || sender->uid == target->uid)
		return true;
	return signal == SIGCONT && sender->sid == target->sid;
}

static struct siginfo info_of_sender(int signal, int code)
{
	return (struct siginfo){
		.si_signo = signal,
		.si_code = code,
		.si_pid = current_process()->pid,
		.si_uid = current_process()->uid,
	};
}

/*
 * `info` NULL: only whether it could be sent (signal 0). A zombie may be sent signals: they do
 * nothing.
 */
static int send_to(struct process *process, struct thread *thread, int signal,
		   const struct siginfo *info)
{
	if (!may_signal(process, signal))
		return -EPERM;
	if (signal)
		signal_send_info(process, thread, info);
	return 0;
}

#define EVERYBODY (-1) /* but the caller and init */

struct kill_many {
	int32_t pgid; /* EVERYBODY, or a process group */
	int signal;
	struct siginfo info;
	uint32_t sent;
	int error;
};

static int kill_if_meant(struct process *process, void *context)
{
	struct kill_many *kill = context;
	int error;

	if (kill->pgid == EVERYBODY ? process->pid <= 1 || process == current_process()
				    : process->pgid != kill->pgid)
		return 0;
	error = send_to(process, NULL, kill->signal, &kill->info);
	if (error)
		kill->error = error;
	else
		kill->sent++;
	return 0;
}

static int kill_many(int32_t pgid, int signal)
{
	struct kill_many kill = {
		.pgid = pgid,
		.signal = signal,
		.info = info_of_sender(signal, SI_USER),
		.error = -ESRCH,
	};

	process_for_each(kill_if_meant, &kill);
	return kill.sent ? 0 : kill.error;
}

static int64_t kill_process(int32_t pid, int signal)
{
	struct siginfo info = info_of_sender(signal, SI_USER);
	struct process *process = process_find(pid);

	return process ? send_to(process, NULL, signal, &info) : -ESRCH;
}

SYSCALL2(kill, int32_t, pid, int, signal)
{
	if (signal && !signal_valid(signal))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid == 0)
		return kill_many(current_process()->pgid, signal);
	if (pid < 0)
		return kill_many(pid == -1 ? EVERYBODY : -pid, signal);
	return kill_process(pid, signal);
}

static int64_t kill_thread(int32_t pid, int32_t tid, int signal)
{
	struct siginfo info = info_of_sender(signal, SI_TKILL);
	struct thread *thread;

	if (tid <= 0 || (signal && !signal_valid(signal)))
		return -EINVAL;
	thread = thread_find(tid);
	if (!thread || (pid && thread->process->pid != pid))
		return -ESRCH;
	return send_to(thread->process, thread, signal, &info);
}

SYSCALL2(tkill, int32_t, tid, int, signal)
{
	return kill_thread(0, tid, signal);
}

SYSCALL3(tgkill, int32_t, pid, int32_t, tid, int, signal)
{
	if (pid <= 0)
		return -EINVAL;
	return kill_thread(pid, tid, signal);
}

static int64_t queue_signal(int32_t pid, struct thread *thread, int signal, user_addr_t info_from)
{
	struct process *process = thread ? thread->process : process_find(pid);
	struct siginfo info;

	if (copy_from_user(&info, info_from, sizeof(info)))
		return -EFAULT;
	if (signal && !signal_valid(signal))
		return -EINVAL;
	if (!process)
		return -ESRCH;
	/* Nobody may pretend that the kernel or kill(2) sent it, but to itself. */
	if ((info.si_code >= 0 || info.si_code == SI_TKILL) && process != current_process())
		return -EPERM;
	info.si_signo = signal;
	if (signal >= SIGRTMIN && may_signal(process, signal) && signal_queue_full(process))
		return -EAGAIN;
	return send_to(process, thread, signal, &info);
}

int64_t signal_kill_process(int32_t pid, int signal, user_addr_t info_from)
{
	if (info_from)
		return queue_signal(pid, NULL, signal, info_from);
	if (signal && !signal_valid(signal))
		return -EINVAL;
	return kill_process(pid, signal);
}

SYSCALL3(rt_sigqueueinfo, int32_t, pid, int, signal, user_addr_t, info)
{
	return queue_signal(pid, NULL, signal, info);
}

SYSCALL4(rt_tgsigqueueinfo, int32_t, pid, int32_t, tid, int, signal, user_addr_t, info)
{
	struct thread *thread = thread_find(tid);

	if (pid <= 0 || tid <= 0)
		return -EINVAL;
	if (!thread || thread->process->pid != pid)
		return -ESRCH;
	return queue_signal(pid, thread, signal, info);
}

void signal_kill_syscalls_init(void)
{
	syscall_register(SYS_kill, sys_kill);
	syscall_register(SYS_tkill, sys_tkill);
	syscall_register(SYS_tgkill, sys_tgkill);
	syscall_register(SYS_rt_sigqueueinfo, sys_rt_sigqueueinfo);
	syscall_register(SYS_rt_tgsigqueueinfo, sys_rt_tgsigqueueinfo);
}
