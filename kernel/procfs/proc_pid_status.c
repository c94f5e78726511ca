/*
 * /proc/PID/status: what a person wants to know of a process or thread, as proc(5) gives it.
 */
#include "kernel/lib/text.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vm.h"
#include "kernel/proc/process.h"
#include "kernel/procfs/proc_files.h"
#include "kernel/signal/signal.h"

struct signal_sets signals_of(const struct process *process, const struct thread *thread)
{
	struct signal_sets sets = {.shared_pending = process->pending};
	if (!thread && !list_empty(&process->threads))
		thread = list_first_entry(&process->threads, struct thread, of_process);
	if (thread) {
		sets.pending = thread->pending;
		sets.blocked = thread->signal_mask;
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

/* Slots of the descriptor table: they double from 64 on. */
static uint32_t descriptor_room(const struct process *process)
{
	uint32_t room = 64;
	int last = -1;
	for (int fd = 0; process->files && (fd = file_table_next(process->files, fd)) >= 0; fd++)
		last = fd;
	while (last >= (int)room)
		room *= 2;
	return room;
}

static void show_identity(struct text *text, struct process *process, struct thread *thread)
{
	char state = proc_state(process, thread);
	text_printf(text, "Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\n",
		    thread ? thread->name : process->name, process->umask, state,
		    state_name(state));
	text_printf(text, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", process->pid,
		    thread ? thread->tid : process->pid,
		    process->parent ? process->parent->pid : 0);
	text_printf(text, "Uid:\t%u\t%u\t%u\t%u\n", process->uid, process->euid, process->suid,
		    process->fsuid);
	text_printf(text, "Gid:\t%u\t%u\t%u\t%u\n", process->gid, process->egid, process->sgid,
		    process->fsgid);
	text_printf(text, "FDSize:\t%u\nGroups:\t", descriptor_room(process));
	for (uint32_t i = 0; i < process->group_count; i++)
		text_printf(text, "%u ", process->groups[i]);
	text_printf(text, "\n");
}

static void show_kib(struct text *text, const char *name, uint64_t bytes)
{
	text_printf(text, "%s:\t%8llu kB\n", name, (unsigned long long)(bytes / 1024));
}

static void show_memory(struct text *text, struct vm *vm)
{
	struct vm_statistics memory = vm_statistics(vm);
	show_kib(text, "VmSize", memory.mapped);
	show_kib(text, "VmHWM", memory.resident_peak);
	show_kib(text, "VmRSS", memory.resident);
	show_kib(text, "RssAnon", memory.anonymous);
	show_kib(text, "RssFile", memory.file);
	show_kib(text, "RssShmem", memory.shared);
	show_kib(text, "VmData", memory.data);
	show_kib(text, "VmStk", memory.stack);
	show_kib(text, "VmExe", memory.text);
	show_kib(text, "VmPTE", memory.tables);
	show_kib(text, "VmSwap", 0);
}

static void show_bits(struct text *text, const char *name, uint64_t bits)
{
	text_printf(text, "%s:\t%016llx\n", name, (unsigned long long)bits);
}

static void show_signals(struct text *text, struct process *process, struct thread *thread)
{
	struct signal_sets signals = signals_of(process, thread);
	show_bits(text, "SigPnd", signals.pending);
	show_bits(text, "ShdPnd", signals.shared_pending);
	show_bits(text, "SigBlk", signals.blocked);
	show_bits(text, "SigIgn", signals.ignored);
	show_bits(text, "SigCgt", signals.caught);
}

static void show_capabilities(struct text *text, const struct process *process)
{
	const struct capabilities *has = &process->capabilities;
	show_bits(text, "CapInh", has->inheritable);
	show_bits(text, "CapPrm", has->permitted);
	show_bits(text, "CapEff", has->effective);
	show_bits(text, "CapBnd", CAPABILITIES_ALL);
	show_bits(text, "CapAmb", 0);
}

static void count_switches(const struct process *process, const struct thread *only,
			   uint64_t *voluntary, uint64_t *involuntary)
{
	const struct thread *thread;
	list_for_each_entry(thread, &process->threads, of_process) {
		if (only && thread != only)
			continue;
		*voluntary += thread->voluntary_switches;
		*involuntary += thread->involuntary_switches;
	}
}

void proc_show_status(struct text *text, struct process *process, struct thread *thread)
{
	uint64_t voluntary = 0, involuntary = 0;
	show_identity(text, process, thread);
	if (process->vm)
		show_memory(text, process->vm);
	text_printf(text, "Threads:\t%u\n", process->thread_count);
	show_signals(text, process, thread);
	show_capabilities(text, process);
	text_printf(text, "NoNewPrivs:\t%d\nSeccomp:\t0\n", process->no_new_privileges);
	text_printf(text, "Cpus_allowed:\t1\nCpus_allowed_list:\t0\n");
	count_switches(process, thread, &voluntary, &involuntary);
	text_printf(text, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n",
		    (unsigned long long)voluntary, (unsigned long long)involuntary);
}
