/*
 * The end of threads and processes: exit(2), exit_group(2), and death by signal.
 *
 * Whoever ends a process only decides it (process_begin_exit). Each thread then ends by itself: a
 * sleeping one is woken, a running one passes user_return_work. The last one takes the process
 * apart.
 */
#include "kernel/proc/exit.h"

#include "include/uapi/wait.h"
#include "kernel/event/pidfd.h"
#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/lock.h"
#include "kernel/machine.h"
#include "kernel/mm/vm.h"
#include "kernel/printk.h"
#include "kernel/proc/futex.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/session.h"
#include "kernel/proc/table.h"
#include "kernel/signal/signal.h"
#include "kernel/signal/signal_pending.h"
#include "kernel/syscall.h"
#include "kernel/time/cpu_timer.h"
#include "kernel/time/itimer.h"
#include "kernel/time/posix_timer.h"
#include "kernel/user.h"

bool thread_must_exit(void)
{
	return current_thread()->exit_requested || current_process()->exiting;
}

/* Gets a thread moving that sleeps or is stopped. */
static void rouse(struct thread *thread)
{
	irq_flags_t flags = irq_save();

	if (thread->state == THREAD_STOPPED)
		sched_wake(thread);
	else
		sem_interrupt(thread);
	irq_restore(flags);
}

void process_begin_exit(struct process *process, int status)
{
	struct thread *thread;

	if (process->exiting)
		return;
	process->exiting = true;
	process->stopped = false;
	process->exit_status = status;
	list_for_each_entry(thread, &process->threads, of_process)
		rouse(thread);
}

int wait_despite_signals(struct semaphore *sem)
{
	struct thread *thread = current_thread();
	uint64_t mask = thread->signal_mask;
	int error;

	thread->signal_mask = ~0ull;
	while ((error = sem_wait(sem)) != 0 && !thread_must_exit())
		signal_stop_if_asked();
	thread->signal_mask = mask;
	return error ? -EINTR : 0;
}

int process_end_other_threads(void)
{
	struct process *process = current_process();
	struct semaphore alone;
	struct thread *thread;
	int error;

	if (process->thread_count == 1)
		return 0;
	if (thread_must_exit()) /* another thread was first */
		return -EINTR;
	sem_init(&alone, 0);
	process->exec_waits = &alone;
	list_for_each_entry(thread, &process->threads, of_process) {
		if (thread == current_thread())
			continue;
		thread->exit_requested = true;
		rouse(thread);
	}
	error = wait_despite_signals(&alone);
	process->exec_waits = NULL;
	return error;
}

void thread_leave_vm(struct thread *thread)
{
	static const uint32_t no_thread;

	futex_release_robust_list(thread);
	thread->robust_list = 0;
	if (!thread->clear_child_tid)
		return;
	/* A process that has unmapped the word only fails to hear of the end. */
	if (copy_to_user(thread->clear_child_tid, &no_thread, sizeof(no_thread)) == 0)
		futex_wake(thread->clear_child_tid, 1);
	thread->clear_child_tid = 0;
}

void process_release_vfork_parent(struct process *process)
{
	if (!process->vfork_done)
		return;
	sem_post(process->vfork_done);
	process->vfork_done = NULL;
}

/*
 * Gives back everything that the process holds, while its last thread can still run file and memory
 * code.
 */
static void release_resources(struct process *process)
{
	itimer_stop(process);
	cpu_timer_stop(process);
	posix_timers_delete(process);
	session_leave(process);
	file_table_put(process->files);
	process->files = NULL;
	inode_put(process->cwd);
	inode_put(process->root);
	inode_put(process->executable);
	process->cwd = process->root = process->executable = NULL;
	process->memory_peak = process_memory_peak(process);
	sched_use_vm(NULL);
	vm_put(process->vm);
	process->vm = NULL;
	process_release_vfork_parent(process);
}

static int ending_of(const struct process *process)
{
	return process->exit_status & 0x7f ? CLD_KILLED : CLD_EXITED;
}

/* Children of a dead process are init's from now on. */
static void give_children_to_init(struct process *process)
{
	struct process *init = process_find(1);
	struct process *child, *following;

	list_for_each_entry_safe(child, following, &process->children, sibling) {
		list_remove(&child->sibling);
		list_append(&init->children, &child->sibling);
		child->parent = init;
		child->exit_signal = SIGCHLD;
		if (child->parent_death_signal)
			signal_send_process(child, child->parent_death_signal);
		if (child->zombie)
			process_notify_parent(child, ending_of(child));
	}
}

/*
 * The last thread, already detached: what is left is a zombie, or nothing when the parent does not
 * care.
 */
static void become_zombie(struct process *process)
{
	session_groups_may_be_orphaned(process);
	give_children_to_init(process);
	signal_forget_pending(&process->pending_records);
	signal_handlers_put(process->handlers);
	process->handlers = NULL;
	wait_list_close(&process->signal_wait);
	wait_list_close(&process->child_wait);
	process_becomes_zombie(process);
	pidfds_tell_end(process);
	process_notify_parent(process, ending_of(process));
}

void thread_exit(void)
{
	struct thread *thread = current_thread();
	struct process *process = thread->process;
	bool last = process->thread_count == 1 && process->pid != 0;

	if (process->pid == 1 && last)
		panic("init exited with status 0x%x", (unsigned int)process->exit_status);
	signal_thread_ends();
	if (process->vm)
		thread_leave_vm(thread);
	if (last) {
		process->exiting = true;
		release_resources(process);
	}
	signal_forget_pending(&thread->pending_records);
	sched_account(false);
	process->user_us += arch_ticks_to_us(thread->user_ticks);
	process->system_us += arch_ticks_to_us(thread->system_ticks);

	/* From here on to schedule() nothing sleeps, so that nobody sees the thread half gone. */
	thread_detach(thread);
	thread->process = process_find(0);
	if (process->exec_waits && process->thread_count == 1)
		sem_post(process->exec_waits);
	if (last)
		become_zombie(process);
	irq_disable();
	thread->state = THREAD_DEAD;
	schedule();
	panic("a thread runs after its end");
}

void process_exit(int status)
{
	process_begin_exit(current_process(), status);
	thread_exit();
}

/*
 * exit(2): one thread. The process's status is that of its first thread unless something else ends
 * it.
 */
SYSCALL1(exit, int32_t, code)
{
	struct process *process = current_process();

	if (current_thread()->tid == process->pid && !process->exiting)
		process->exit_status = WAIT_STATUS_EXITED(code);
	thread_exit();
}

SYSCALL1(exit_group, int32_t, code)
{
	process_exit(WAIT_STATUS_EXITED(code));
}

void exit_syscalls_init(void)
{
	syscall_register(SYS_exit, sys_exit);
	syscall_register(SYS_exit_group, sys_exit_group);
}
