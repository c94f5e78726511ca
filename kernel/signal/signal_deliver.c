/*
 * What pending signals do, on the way back to user mode: handlers, default actions, restarts of
 * interrupted calls.
 */
#include "include/uapi/wait.h"
#include "kernel/errno.h"
#include "kernel/lock.h"
#include "kernel/mm/page.h"
#include "kernel/printk.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/oom.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/session.h"
#include "kernel/signal/signal.h"
#include "kernel/signal/signal_pending.h"

#define SVC_BYTES 4 /* the instruction that made the call stands before pc */

uint64_t restart_deadline(uint64_t deadline_us)
{
	struct thread *thread = current_thread();

	if (thread->restart_deadline_us)
		deadline_us = thread->restart_deadline_us;
	thread->restart_deadline_us = 0;
	return deadline_us;
}

int64_t restart_until(uint64_t deadline_us)
{
	current_thread()->restart_deadline_us = deadline_us;
	return -ERESTART_RESTARTBLOCK;
}

/* Is the call's result one that only the kernel sees? */
static bool is_interrupted(const struct trapframe *frame, bool in_syscall)
{
	int64_t result = (int64_t)frame->x[0];

	return in_syscall && frame->syscall >= 0 &&
	       (result == -ERESTARTSYS || result == -ERESTARTNOHAND ||
		result == -ERESTART_RESTARTBLOCK);
}

/* The process makes the same call again. */
static void restart_call(struct trapframe *frame)
{
	frame->x[0] = frame->original_x0;
	frame->pc -= SVC_BYTES;
	frame->syscall = -1;
}

/* A handler runs: only calls that signal(7) lists go on after it, and only with SA_RESTART. */
static void settle_call(struct trapframe *frame, const struct sigaction *action)
{
	if ((int64_t)frame->x[0] == -ERESTARTSYS && action->flags & SA_RESTART) {
		restart_call(frame);
		return;
	}
	frame->x[0] = (uint64_t)-EINTR;
	frame->syscall = -1;
}

void signal_stop_if_asked(void)
{
	struct thread *thread = current_thread();
	irq_flags_t flags = irq_save();

	while (thread->process->stopped && !thread_must_exit()) {
		thread->state = THREAD_STOPPED;
		schedule();
	}
	irq_restore(flags);
}

static void stop_process(struct process *process, int signal)
{
	struct thread *thread;

	process->stopped = true;
	process->stop_reported = false;
	process->continued = false;
	process->stop_signal = signal;
	list_for_each_entry(thread, &process->threads, of_process)
		sem_interrupt(thread);
	process_notify_parent(process, CLD_STOPPED);
}

static void default_action(struct process *process, int signal)
{
	uint64_t bit = SIGNAL_BIT(signal);

	if (bit & SIGNALS_IGNORED)
		return;
	if (!(bit & SIGNALS_STOPPING)) {
		process_begin_exit(process, WAIT_STATUS_SIGNALED(signal));
		return;
	}
	/* Nobody could continue an orphaned group, so a terminal does not stop it. */
	if (signal == SIGSTOP || !session_group_is_orphaned(process->pgid))
		stop_process(process, signal);
}

static void run_handler(struct trapframe *frame, int signal, const struct siginfo *info)
{
	struct thread *thread = current_thread();
	struct process *process = thread->process;
	struct sigaction action = process->handlers->action[signal];
	uint64_t mask = thread->restore_mask ? thread->saved_mask : thread->signal_mask;

	thread->restore_mask = false;
	thread->restart_deadline_us = 0; /* the handler's own sleeps are new */
	if (!signal_frame_push(frame, &action, info, mask)) {
		printk("%s[%d]: no stack for the handler of signal %d\n", process->name,
		       process->pid, signal);
		process_begin_exit(process, WAIT_STATUS_SIGNALED(SIGSEGV));
		return;
	}
	if (action.flags & SA_RESETHAND)
		process->handlers->action[signal].handler = SIG_DFL;
	if (!(action.flags & SA_NODEFER))
		action.mask |= SIGNAL_BIT(signal);
	signal_set_mask(thread->signal_mask | action.mask);
}

void signal_deliver(struct trapframe *frame, bool in_syscall)
{
	struct thread *thread = current_thread();
	struct process *process = thread->process;
	bool interrupted = is_interrupted(frame, in_syscall);
	struct siginfo info;
	int signal;

	for (;;) {
		const struct sigaction *action;

		signal_stop_if_asked();
		if (thread_must_exit())
			return;
		signal = signal_take(~thread->signal_mask, &info);
		if (!signal)
			break;
		action = &process->handlers->action[signal];
		if (action->handler == SIG_IGN)
			continue;
		if (action->handler == SIG_DFL) {
			default_action(process, signal);
			continue;
		}
		if (interrupted)
			settle_call(frame, action);
		interrupted = false;
		run_handler(frame, signal, &info);
	}
	if (interrupted)
		restart_call(frame);
	if (thread->restore_mask) {
		thread->restore_mask = false;
		signal_set_mask(thread->saved_mask);
	}
}

static bool has_signal_work(const struct trapframe *frame, bool in_syscall)
{
	return signal_pending() || current_thread()->restore_mask ||
	       is_interrupted(frame, in_syscall);
}

static __cold void do_signal_work(struct trapframe *frame, bool in_syscall)
{
	irq_enable();
	if (thread_must_exit())
		thread_exit();
	signal_deliver(frame, in_syscall);
	irq_disable();
}

/* With interrupts masked, as user_return_work. */
static void relieve_memory(void)
{
	if (!current_thread()->used_reserve) {
		oom_relieve();
		return;
	}
	irq_enable();
	oom_wait();
	irq_disable();
}

void user_return_work(struct trapframe *frame, bool in_syscall)
{
	sched_account(!in_syscall);
	if (page_pressure() >= PAGES_RESERVED) /* system calls have used it up */
		relieve_memory();
	for (;;) {
		if (has_signal_work(frame, in_syscall))
			do_signal_work(frame, in_syscall);
		else if (need_resched())
			schedule();
		else
			return;
	}
}
