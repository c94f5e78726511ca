/*
 * The texts of /proc/PID, in the forms that proc(5) gives. A zombie has no memory, files or
 * handlers left.
 */
#include "include/uapi/time.h"
#include "kernel/clock.h"
#include "kernel/fs/proc_files.h"
#include "kernel/lib/text.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vm.h"
#include "kernel/proc/process.h"
#include "kernel/proc/signal.h"
#include "kernel/tty/tty.h"

#define ARGUMENTS_MAX (128 * 1024ull) /* bytes of a command line or environment shown */

static unsigned long long ticks(uint64_t us)
{
	return us / (USEC_PER_SEC / USER_HZ);
}

static struct vm_statistics memory_of(struct process *process)
{
	return process->vm ? vm_statistics(process->vm) : (struct vm_statistics){0};
}

char proc_state(const struct process *process)
{
	const struct thread *thread;
	if (process->zombie)
		return 'Z';
	if (process->stopped)
		return 'T';
	list_for_each_entry(thread, &process->threads, of_process)
		if (thread->state == THREAD_READY)
			return 'R';
	return 'S';
}

struct signal_sets {
	uint64_t pending, shared_pending, blocked, ignored, caught;
};

static struct signal_sets signals_of(const struct process *process)
{
	struct signal_sets sets = {.shared_pending = process->pending};
	if (!list_empty(&process->threads)) {
		const struct thread *first = list_first_entry(&process->threads, struct thread,
							      of_process);
		sets.pending = first->pending;
		sets.blocked = first->signal_mask;
	}
	for (int signal = 1; process->handlers && signal < NSIG; signal++) {
		uint64_t handler = process->handlers->action[signal].handler;
		if (handler == SIG_IGN)
			sets.ignored |= SIGNAL_BIT(signal);
		else if (handler != SIG_DFL)
			sets.caught |= SIGNAL_BIT(signal);
	}
	return sets;
}

void proc_show_stat(struct text *text, struct process *process)
{
	struct vm_statistics memory = memory_of(process);
	struct signal_sets signals = signals_of(process);
	const struct tty *tty = process->tty;
	uint64_t user_us, system_us;
	process_cpu_time(process, &user_us, &system_us);

	/* pid (comm) state ppid pgrp session tty_nr tpgid flags, four counts of page faults */
	text_printf(text, "%d (%s) %c %d %d %d %llu %d 0 0 0 0 0 ", process->pid, process->name,
		    proc_state(process), process->parent ? process->parent->pid : 0, process->pgid,
		    process->sid, tty ? (unsigned long long)tty->device : 0,
		    tty ? tty->foreground : -1);
	/* utime stime cutime cstime priority nice num_threads itrealvalue starttime */
	text_printf(text, "%llu %llu %llu %llu 20 0 %u 0 %llu ", ticks(user_us), ticks(system_us),
		    ticks(process->children_user_us), ticks(process->children_system_us),
		    process->thread_count, ticks(process->start_us));
	/* vsize rss rsslim, then six addresses that are nobody's business */
	text_printf(text, "%llu %llu %llu 0 0 0 0 0 ", (unsigned long long)memory.mapped,
		    (unsigned long long)(memory.resident / PAGE_SIZE),
		    (unsigned long long)process->limits[RLIMIT_RSS].rlim_cur);
	/* signal blocked sigignore sigcatch, as far as they fit 31 bits */
	text_printf(text, "%llu %llu %llu %llu ", (unsigned long long)(signals.pending & INT32_MAX),
		    (unsigned long long)(signals.blocked & INT32_MAX),
		    (unsigned long long)(signals.ignored & INT32_MAX),
		    (unsigned long long)(signals.caught & INT32_MAX));
	/*
	 * wchan nswap cnswap exit_signal processor rt_priority policy, delays, guest times,
	 * addresses, exit_code
	 */
	text_printf(text, "0 0 0 %d 0 0 0 0 0 0 0 0 0 %llu %llu %llu %llu %d\n",
		    process->exit_signal, (unsigned long long)process->arguments_start,
		    (unsigned long long)process->arguments_end,
		    (unsigned long long)process->environment_start,
		    (unsigned long long)process->environment_end, process->exit_status);
}

void proc_show_statm(struct text *text, struct process *process)
{
	struct vm_statistics memory = memory_of(process);
	text_printf(text, "%llu %llu 0 %llu 0 %llu 0\n",
		    (unsigned long long)(memory.mapped / PAGE_SIZE),
		    (unsigned long long)(memory.resident / PAGE_SIZE),
		    (unsigned long long)(memory.text / PAGE_SIZE),
		    (unsigned long long)((memory.mapped - memory.text) / PAGE_SIZE));
}

static const char *state_name(char state)
{
	switch (state) {
	case 'R':
		return "running";
	case 'S':
		return "sleeping";
	case 'T':
		return "stopped";
	default:
		return "zombie";
	}
}

static void show_identity(struct text *text, struct process *process)
{
	char state = proc_state(process);
	text_printf(text, "Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\n", process->name,
		    process->umask, state, state_name(state));
	text_printf(text, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", process->pid,
		    process->pid, process->parent ? process->parent->pid : 0);
	text_printf(text, "Uid:\t%u\t%u\t%u\t%u\n", process->uid, process->euid, process->suid,
		    process->euid);
	text_printf(text, "Gid:\t%u\t%u\t%u\t%u\n", process->gid, process->egid, process->sgid,
		    process->egid);
	text_printf(text, "Groups:\t");
	for (uint32_t i = 0; i < process->group_count; i++)
		text_printf(text, "%u ", process->groups[i]);
	text_printf(text, "\n");
}

static void show_kib(struct text *text, const char *name, uint64_t bytes)
{
	text_printf(text, "%s:\t%8llu kB\n", name, (unsigned long long)(bytes / 1024));
}

void proc_show_status(struct text *text, struct process *process)
{
	show_identity(text, process);
	if (process->vm) {
		struct vm_statistics memory = memory_of(process);
		show_kib(text, "VmSize", memory.mapped);
		show_kib(text, "VmRSS", memory.resident);
		show_kib(text, "VmStk", memory.stack);
		show_kib(text, "VmExe", memory.text);
	}
	struct signal_sets signals = signals_of(process);
	text_printf(text, "Threads:\t%u\n", process->thread_count);
	text_printf(text, "SigPnd:\t%016llx\nShdPnd:\t%016llx\n",
		    (unsigned long long)signals.pending,
		    (unsigned long long)signals.shared_pending);
	text_printf(text, "SigBlk:\t%016llx\nSigIgn:\t%016llx\nSigCgt:\t%016llx\n",
		    (unsigned long long)signals.blocked, (unsigned long long)signals.ignored,
		    (unsigned long long)signals.caught);
	text_printf(text, "Cpus_allowed:\t1\nCpus_allowed_list:\t0\n");
}

/* Copies [start, end) of the process's memory; stops at what cannot be read. */
static void show_memory(struct text *text, struct vm *vm, user_addr_t start, user_addr_t end)
{
	end = MIN(end, start + ARGUMENTS_MAX);
	while (start < end) {
		struct page *page = vm_get_page(vm, start, VM_READ);
		if (!page)
			return;
		uint64_t in_page = start % PAGE_SIZE;
		uint64_t part = MIN(end - start, PAGE_SIZE - in_page);
		text_append(text, (char *)page_address(page) + in_page, part);
		page_put(page);
		start += part;
	}
}

void proc_show_cmdline(struct text *text, struct process *process)
{
	if (process->vm)
		show_memory(text, process->vm, process->arguments_start, process->arguments_end);
}

void proc_show_environ(struct text *text, struct process *process)
{
	if (process->vm)
		show_memory(text, process->vm, process->environment_start,
			    process->environment_end);
}

void proc_show_comm(struct text *text, struct process *process)
{
	text_printf(text, "%s\n", process->name);
}

void proc_show_maps(struct text *text, struct process *process)
{
	if (process->vm)
		vm_show_maps(process->vm, text);
}

static void show_limit(struct text *text, uint64_t limit)
{
	if (limit == RLIM_INFINITY)
		text_printf(text, "%-20s ", "unlimited");
	else
		text_printf(text, "%-20llu ", (unsigned long long)limit);
}

void proc_show_limits(struct text *text, struct process *process)
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

void proc_show_mounts(struct text *text, struct process *process __unused)
{
	text_printf(text, "tmpfs / tmpfs rw 0 0\nproc /proc proc rw 0 0\n");
}
