/*
 * The calls with which a process says what signals do to it, and waits for them.
 */
#include "kernel/clock.h"
#include "kernel/proc/process.h"
#include "kernel/proc/usage.h"
#include "kernel/signal/signal.h"
#include "kernel/signal/signal_pending.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

#define MASK_SIZE sizeof(uint64_t)

SYSCALL4(rt_sigaction, int, signal, user_addr_t, new, user_addr_t, old, uint64_t, mask_size)
{
	struct process *process = current_process();
	struct sigaction before, action;
	uint64_t bit;

	if (mask_size != MASK_SIZE || !signal_valid(signal))
		return -EINVAL;
	bit = SIGNAL_BIT(signal);
	if (new &&bit & SIGNALS_UNBLOCKABLE)
		return -EINVAL;
	if (new &&copy_from_user(&action, new, sizeof(action)))
		return -EFAULT;
	before = process->handlers->action[signal];
	if (old && copy_to_user(old, &before, sizeof(before)))
		return -EFAULT;
	if (!new)
		return 0;
	action.mask &= ~SIGNALS_UNBLOCKABLE;
	process->handlers->action[signal] = action;
	/* POSIX: what is ignored from now on is no longer pending. */
	if (action.handler == SIG_IGN || (action.handler == SIG_DFL && bit & SIGNALS_IGNORED))
		signal_discard(process, bit);
	return 0;
}

SYSCALL4(rt_sigprocmask, int, how, user_addr_t, new, user_addr_t, old, uint64_t, mask_size)
{
	uint64_t before = current_thread()->signal_mask;
	uint64_t set;

	if (mask_size != MASK_SIZE)
		return -EINVAL;
	if (new) {
		if (copy_from_user(&set, new, sizeof(set)))
			return -EFAULT;
		if (how == SIG_BLOCK)
			set = before | set;
		else if (how == SIG_UNBLOCK)
			set = before & ~set;
		else if (how != SIG_SETMASK)
			return -EINVAL;
		signal_set_mask(set);
	}
	return old ? copy_to_user(old, &before, sizeof(before)) : 0;
}

SYSCALL2(rt_sigpending, user_addr_t, to, uint64_t, mask_size)
{
	uint64_t set = signal_pending_set() & current_thread()->signal_mask;

	if (mask_size > MASK_SIZE)
		return -EINVAL;
	return copy_to_user(to, &set, mask_size);
}

SYSCALL2(rt_sigsuspend, user_addr_t, mask_from, uint64_t, mask_size)
{
	struct semaphore never;
	uint64_t mask;

	if (mask_size != MASK_SIZE)
		return -EINVAL;
	if (copy_from_user(&mask, mask_from, sizeof(mask)))
		return -EFAULT;
	signal_mask_temporarily(mask);
	sem_init(&never, 0);
	while (sem_wait(&never) == 0)
		;
	return -ERESTARTNOHAND;
}

/*
 * Waits until a signal of `set` is pending and takes it. Its number, -EAGAIN at the deadline, or
 * -EINTR.
 */
static int take_or_wait(uint64_t set, uint64_t deadline_us, struct siginfo *info)
{
	struct thread *thread = current_thread();
	uint64_t mask = thread->signal_mask;
	struct thread_waiter waiter;
	int signal, error = 0;

	/* Blocked meanwhile, so that they stay pending and are not delivered or ignored. */
	thread->signal_mask |= set;
	thread_waiter_join(&waiter, &thread->process->signal_wait);
	while (!(signal = signal_take(set, info)) && !error)
		error = thread_waiter_sleep(&waiter, deadline_us);
	thread_waiter_leave(&waiter);
	thread->signal_mask = mask;
	if (signal)
		return signal;
	return error == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

SYSCALL4(rt_sigtimedwait, user_addr_t, set_from, user_addr_t, info_to, user_addr_t, timeout_from,
	 uint64_t, mask_size)
{
	uint64_t deadline_us = TIME_NEVER;
	struct timespec timeout;
	struct siginfo info;
	uint64_t set;
	int signal;

	if (mask_size != MASK_SIZE)
		return -EINVAL;
	if (copy_from_user(&set, set_from, sizeof(set)))
		return -EFAULT;
	if (timeout_from) {
		if (copy_from_user(&timeout, timeout_from, sizeof(timeout)))
			return -EFAULT;
		if (!timespec_valid(&timeout))
			return -EINVAL;
		deadline_us = clock_now_us() + timespec_to_us(&timeout);
	}
	signal = take_or_wait(set & ~SIGNALS_UNBLOCKABLE, deadline_us, &info);
	if (signal > 0 && info_to && copy_to_user(info_to, &info, sizeof(info)))
		return -EFAULT;
	return signal;
}

/* Reached only if a process calls it by itself: interrupted calls are simply made again. */
SYSCALL0(restart_syscall)
{
	return -EINTR;
}

void signal_syscalls_init(void)
{
	syscall_register(SYS_rt_sigaction, sys_rt_sigaction);
	syscall_register(SYS_rt_sigprocmask, sys_rt_sigprocmask);
	syscall_register(SYS_rt_sigpending, sys_rt_sigpending);
	syscall_register(SYS_rt_sigsuspend, sys_rt_sigsuspend);
	syscall_register(SYS_rt_sigtimedwait, sys_rt_sigtimedwait);
	syscall_register(SYS_restart_syscall, sys_restart_syscall);
	signal_frame_syscalls_init();
	signal_kill_syscalls_init();
}
