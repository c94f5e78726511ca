/*
 * The process table: every process in order of pid, and the numbers in use.
 *
 * Softirqs walk the table to send signals to groups (a terminal's Ctrl-C), so it changes with
 * interrupts masked; so does each process's list of threads.
 */
#include "kernel/proc/process.h"

#include "kernel/clock.h"
#include "kernel/event/pidfd.h"
#include "kernel/lock.h"
#include "kernel/machine.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vm.h"
#include "kernel/printk.h"
#include "kernel/proc/table.h"
#include "kernel/string.h"
#include "kernel/time/cpu_timer.h"
#include "kernel/time/itimer.h"

#define FILES_DEFAULT 1024 /* RLIMIT_NOFILE */
#define FILES_MAX 65536
#define STACK_DEFAULT (8ul << 20) /* RLIMIT_STACK */

/*
 * A thread costs its kernel stack, its page tables and more: no more of them than an eighth of
 * memory can hold.
 */
#define PAGES_PER_THREAD 16
#define MEMORY_SHARE 8

static struct list_head processes = LIST_HEAD_INIT(processes);
static struct process kernel_process;
static int32_t last_pid;
static uint32_t processes_alive;
static uint64_t processes_created; /* since the boot */

struct process *current_process(void)
{
	return current_thread()->process;
}

static void process_init(struct process *process)
{
	list_init(&process->children);
	list_init(&process->sibling);
	list_init(&process->threads);
	list_init(&process->pending_records);
	wait_list_init(&process->signal_wait);
	wait_list_init(&process->child_wait);
	list_init(&process->posix_timers);
	list_init(&process->pidfds);
	timer_init(&process->real_timer, itimer_real_expired);
	timer_init(&process->cpu_timer, cpu_timer_expired);
	process->start_us = clock_now_us();
}

static void set_default_limits(struct rlimit *limits)
{
	uint64_t threads = page_statistics().total / PAGES_PER_THREAD / MEMORY_SHARE;

	for (uint32_t i = 0; i < RLIM_NLIMITS; i++)
		limits[i] = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
	limits[RLIMIT_NOFILE] = (struct rlimit){FILES_DEFAULT, FILES_MAX};
	limits[RLIMIT_STACK].rlim_cur = STACK_DEFAULT;
	limits[RLIMIT_CORE] = (struct rlimit){0, 0};
	limits[RLIMIT_NPROC] = (struct rlimit){threads, threads};
	limits[RLIMIT_SIGPENDING] = (struct rlimit){threads, threads};
	limits[RLIMIT_NICE] = (struct rlimit){0, 0};
	limits[RLIMIT_RTPRIO] = (struct rlimit){0, 0};
}

struct process *process_table_init(void)
{
	struct process *process = &kernel_process;

	process_init(process);
	strscpy(process->name, "kernel", sizeof(process->name));
	process->umask = 022;
	process->capabilities.permitted = process->capabilities.effective = CAPABILITIES_ALL;
	set_default_limits(process->limits);
	list_append(&processes, &process->all);
	return process;
}

struct process *process_find(int32_t pid)
{
	struct process *process;

	list_for_each_entry(process, &processes, all)
		if (process->pid == pid)
			return process;
	return NULL;
}

struct thread *thread_find(int32_t tid)
{
	struct process *process;
	struct thread *thread;

	list_for_each_entry(process, &processes, all)
		list_for_each_entry(thread, &process->threads, of_process)
			if (thread->tid == tid && tid != 0)
				return thread;
	return NULL;
}

int process_for_each(int (*visit)(struct process *process, void *context), void *context)
{
	struct process *process, *following;

	list_for_each_entry_safe(process, following, &processes, all) {
		int result = process->pid == 0 ? 0 : visit(process, context);

		if (result)
			return result;
	}
	return 0;
}

uint32_t process_count(void)
{
	return processes_alive;
}

uint64_t process_created_count(void)
{
	return processes_created;
}

int32_t process_last_pid(void)
{
	return last_pid;
}

static bool number_in_use(int32_t number)
{
	struct process *process;

	list_for_each_entry(process, &processes, all)
		if (process->pid == number || process->pgid == number || process->sid == number)
			return true;
	return thread_find(number) != NULL;
}

int32_t pid_allocate(void)
{
	for (int32_t tries = 0; tries < PID_MAX; tries++) {
		last_pid = last_pid + 1 < PID_MAX ? last_pid + 1 : 2;
		if (!number_in_use(last_pid))
			return last_pid;
	}
	return 0;
}

/* Keeps the list in order of pid. New pids are mostly the highest, so it looks from the end. */
static void add_to_table(struct process *process)
{
	irq_flags_t flags = irq_save();
	struct list_head *after = processes.prev;

	while (list_entry(after, struct process, all)->pid > process->pid)
		after = after->prev;
	list_insert_between(&process->all, after, after->next);
	irq_restore(flags);
	processes_alive++;
	processes_created++;
}

struct process *process_create(struct process *parent)
{
	int32_t pid = pid_allocate();
	struct process *process;

	if (pid == 0)
		return NULL;
	process = kzalloc(sizeof(*process));
	if (!process)
		return NULL;
	process_init(process);
	process->pid = pid;
	process->parent = parent;
	if (parent)
		list_append(&parent->children, &process->sibling);
	add_to_table(process);
	return process;
}

void process_free(struct process *process)
{
	irq_flags_t flags;

	assert_always(process->thread_count == 0 && list_empty(&process->children));
	pidfds_forget(process);
	list_remove(&process->sibling);
	flags = irq_save();
	list_remove(&process->all);
	irq_restore(flags);
	if (!process->zombie)
		processes_alive--;
	kfree(process);
}

void process_becomes_zombie(struct process *process)
{
	process->zombie = true;
	processes_alive--;
}

uint64_t process_memory_peak(const struct process *process)
{
	return MAX(process->memory_peak, process->vm ? vm_peak(process->vm) : 0);
}

void process_cpu_time(struct process *process, uint64_t *user_us, uint64_t *system_us)
{
	struct thread *thread;

	*user_us = process->user_us;
	*system_us = process->system_us;
	list_for_each_entry(thread, &process->threads, of_process) {
		*user_us += arch_ticks_to_us(thread->user_ticks);
		*system_us += arch_ticks_to_us(thread->system_ticks);
	}
}
