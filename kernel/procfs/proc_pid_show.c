/*
 * The texts of /proc/PID that tell of a process or thread in one line, in the forms that proc(5)
 * gives, and its limits. A zombie has no memory, files or handlers left.
 */
#include "include/uapi/time.h"
#include "kernel/clock.h"
#include "kernel/errno.h"
#include "kernel/lib/text.h"
#include "kernel/machine.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vm.h"
#include "kernel/proc/priority.h"
#include "kernel/proc/process.h"
#include "kernel/procfs/proc_files.h"
#include "kernel/signal/signal.h"
#include "kernel/string.h"
#include "kernel/tty/tty.h"

static unsigned long long ticks(uint64_t us)
{
	return us / (USEC_PER_SEC / USER_HZ);
}

static char thread_state(const struct thread *thread)
{
	switch (thread->state) {
	case THREAD_READY:
		return 'R';
	case THREAD_STOPPED:
		return 'T';
	case THREAD_SLEEPING:
		return 'S';
	default:
		return 'Z';
	}
}

char proc_state(const struct process *process, const struct thread *thread)
{
	if (thread)
		return thread_state(thread);
	if (process->zombie)
		return 'Z';
	if (process->stopped)
		return 'T';
	list_for_each_entry(thread, &process->threads, of_process)
		if (thread->state == THREAD_READY)
			return 'R';
	return 'S';
}

static void cpu_time(struct process *process, const struct thread *thread, uint64_t *user_us,
		     uint64_t *system_us)
{
	process_cpu_time(process, user_us, system_us);
	if (!thread)
		return;
	*user_us = arch_ticks_to_us(thread->user_ticks);
	*system_us = arch_ticks_to_us(thread->system_ticks);
}

/* pid (comm) state ppid pgrp session tty_nr tpgid flags, four counts of page faults */
static void show_identity(struct text *text, struct process *process, struct thread *thread)
{
	const struct tty *tty = process->tty;
	text_printf(text, "%d (%s) %c %d %d %d %llu %d 0 %llu %llu 0 0 ",
		    thread ? thread->tid : process->pid, thread ? thread->name : process->name,
		    proc_state(process, thread), process->parent ? process->parent->pid : 0,
		    process->pgid, process->sid, tty ? (unsigned long long)tty->device : 0,
		    tty ? tty->foreground : -1, (unsigned long long)process->page_faults,
		    (unsigned long long)process->children_page_faults);
}

/* signal blocked sigignore sigcatch, as far as they fit 31 bits */
static void show_signals(struct text *text, struct process *process, struct thread *thread)
{
	struct signal_sets signals = signals_of(process, thread);
	text_printf(text, "%llu %llu %llu %llu ", (unsigned long long)(signals.pending & INT32_MAX),
		    (unsigned long long)(signals.blocked & INT32_MAX),
		    (unsigned long long)(signals.ignored & INT32_MAX),
		    (unsigned long long)(signals.caught & INT32_MAX));
}

void proc_show_stat(struct text *text, struct process *process, struct thread *thread)
{
	struct vm_statistics memory = {0};
	uint64_t user_us, system_us;
	/* Whose priority is told: a zombie has no thread. */
	const struct thread *first = thread ? thread : thread_find(process->pid);
	int nice = first ? first->nice : 0;
	if (process->vm)
		memory = vm_statistics(process->vm);
	cpu_time(process, thread, &user_us, &system_us);

	show_identity(text, process, thread);
	/* utime stime cutime cstime priority nice num_threads itrealvalue starttime */
	text_printf(text, "%llu %llu %llu %llu %d %d %u 0 %llu ", ticks(user_us), ticks(system_us),
		    ticks(process->children_user_us), ticks(process->children_system_us),
		    NICE_ZERO + nice, nice, process->thread_count, ticks(process->start_us));
	/* vsize rss rsslim, startcode endcode startstack, kstkesp kstkeip */
	text_printf(text, "%llu %llu %llu 0 0 %llu 0 0 ", (unsigned long long)memory.mapped,
		    (unsigned long long)(memory.resident / PAGE_SIZE),
		    (unsigned long long)process->limits[RLIMIT_RSS].rlim_cur,
		    (unsigned long long)process->arguments_start);
	show_signals(text, process, thread);
	/*
	 * wchan nswap cnswap exit_signal processor rt_priority policy, delays, guest times,
	 * start_data end_data start_brk, addresses, exit_code
	 */
	text_printf(text, "0 0 0 %d 0 0 %u 0 0 0 0 0 0 %llu %llu %llu %llu %d\n",
		    process->exit_signal, first ? first->policy : 0u,
		    (unsigned long long)process->arguments_start,
		    (unsigned long long)process->arguments_end,
		    (unsigned long long)process->environment_start,
		    (unsigned long long)process->environment_end, process->exit_status);
}

void proc_show_comm(struct text *text, struct process *process, struct thread *thread)
{
	text_printf(text, "%s\n", thread ? thread->name : process->name);
}

/* Only a process's own threads may name it. */
int proc_store_comm(const char *text, struct process *process, struct thread *thread)
{
	if (process != current_process())
		return -EINVAL;
	if (!thread)
		thread = thread_find(process->pid);
	if (thread)
		strscpy(thread->name, text, sizeof(thread->name));
	if (!thread || thread->tid == process->pid)
		strscpy(process->name, text, sizeof(process->name));
	return 0;
}

/* One group, of everybody. */
void proc_show_cgroup(struct text *text, struct process *process __unused,
		      struct thread *thread __unused)
{
	text_printf(text, "0::/\n");
}

static void show_limit(struct text *text, uint64_t limit)
{
	if (limit == RLIM_INFINITY)
		text_printf(text, "%-20s ", "unlimited");
	else
		text_printf(text, "%-20llu ", (unsigned long long)limit);
}

void proc_show_limits(struct text *text, struct process *process, struct thread *thread __unused)
{
	static const struct {
		const char *name, *unit;
	} names[RLIM_NLIMITS] = {
		[RLIMIT_CPU] = {"Max cpu time", "seconds"},
		[RLIMIT_FSIZE] = {"Max file size", "bytes"},
		[RLIMIT_DATA] = {"Max data size", "bytes"},
		[RLIMIT_STACK] = {"Max stack size", "bytes"},
		[RLIMIT_CORE] = {"Max core file size", "bytes"},
		[RLIMIT_RSS] = {"Max resident set", "bytes"},
		[RLIMIT_NPROC] = {"Max processes", "processes"},
		[RLIMIT_NOFILE] = {"Max open files", "files"},
		[RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
		[RLIMIT_AS] = {"Max address space", "bytes"},
		[RLIMIT_LOCKS] = {"Max file locks", "locks"},
		[RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
		[RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
		[RLIMIT_NICE] = {"Max nice priority", ""},
		[RLIMIT_RTPRIO] = {"Max realtime priority", ""},
		[RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
	};
	text_printf(text, "%-25s %-20s %-20s %s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (uint32_t i = 0; i < RLIM_NLIMITS; i++) {
		text_printf(text, "%-25s ", names[i].name);
		show_limit(text, process->limits[i].rlim_cur);
		show_limit(text, process->limits[i].rlim_max);
		text_printf(text, "%s\n", names[i].unit);
	}
}
