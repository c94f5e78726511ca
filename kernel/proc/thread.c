/*
 * Threads: making, finding and freeing them.
 */
#include "kernel/lock.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/priority.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/table.h"
#include "kernel/random.h"
#include "kernel/string.h"

static uint32_t threads_alive;

uint32_t thread_count(void)
{
	return threads_alive;
}

void thread_init(struct thread *thread, struct process *process)
{
	irq_flags_t flags;

	thread->process = process;
	thread->state = THREAD_READY;
	priority_init(thread);
	list_init(&thread->run_link);
	list_init(&thread->pending_records);
	timer_init(&thread->wake_timer, sem_wait_timed_out);
	flags = irq_save();
	list_append(&process->threads, &thread->of_process);
	irq_restore(flags);
	process->thread_count++;
	threads_alive++;
}

void thread_detach(struct thread *thread)
{
	irq_flags_t flags = irq_save();

	list_remove(&thread->of_process);
	irq_restore(flags);
	thread->process->thread_count--;
	threads_alive--;
}

struct thread *thread_create(struct process *process, const char *name, bool user,
			     void (*function)(void *), void *argument)
{
	struct thread *thread = kzalloc(sizeof(*thread));

	if (!thread)
		return NULL;
	thread->kernel_stack = kernel_stack_alloc();
	if (user)
		thread->fp = kzalloc(sizeof(*thread->fp));
	if (!thread->kernel_stack || (user && !thread->fp)) {
		thread_free(thread);
		return NULL;
	}
	thread->stack_canary = random_u64();
	if (process->pid != 0) {
		/* The first thread's number is the process's; kernel threads have none. */
		thread->tid = process->thread_count == 0 ? process->pid : pid_allocate();
		if (thread->tid == 0) {
			thread_free(thread);
			return NULL;
		}
	}
	strscpy(thread->name, name, sizeof(thread->name));
	arch_context_prepare(&thread->context, thread, thread_trapframe(thread), function,
			     argument);
	thread_init(thread, process);
	return thread;
}

void thread_free(struct thread *thread)
{
	if (thread->kernel_stack)
		kernel_stack_free(thread->kernel_stack);
	kfree(thread->fp);
	kfree(thread);
}

struct kernel_thread_start {
	void (*function)(void *);
	void *argument;
};

static void kernel_thread_main(void *argument)
{
	struct kernel_thread_start start = *(struct kernel_thread_start *)argument;

	kfree(argument);
	sched_thread_begins();
	start.function(start.argument);
	thread_exit();
}

struct thread *kernel_thread(const char *name, void (*function)(void *), void *argument)
{
	struct kernel_thread_start *start = kmalloc(sizeof(*start));
	struct thread *thread;

	if (!start)
		return NULL;
	*start = (struct kernel_thread_start){.function = function, .argument = argument};
	thread = thread_create(process_find(0), name, false, kernel_thread_main, start);
	if (!thread) {
		kfree(start);
		return NULL;
	}
	sched_start(thread);
	return thread;
}
