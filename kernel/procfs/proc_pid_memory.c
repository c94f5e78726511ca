/*
 * The texts of /proc/PID that come from a process's memory.
 */
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vm.h"
#include "kernel/proc/oom.h"
#include "kernel/proc/process.h"
#include "kernel/procfs/proc_files.h"
#include "kernel/user.h"

#define BYTES_MAX (128 * 1024ull) /* of a command line or environment shown */

/* Copies [start, end) of the process's memory; stops at what cannot be read. */
static void show_memory(struct text *text, struct vm *vm, user_addr_t start, user_addr_t end)
{
	end = MIN(end, start + BYTES_MAX);
	while (vm && start < end) {
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

void proc_show_cmdline(struct text *text, struct process *process, struct thread *thread __unused)
{
	show_memory(text, process->vm, process->arguments_start, process->arguments_end);
}

void proc_show_environ(struct text *text, struct process *process, struct thread *thread __unused)
{
	show_memory(text, process->vm, process->environment_start, process->environment_end);
}

void proc_show_auxv(struct text *text, struct process *process, struct thread *thread __unused)
{
	show_memory(text, process->vm, process->auxiliary_start, process->auxiliary_end);
}

void proc_show_maps(struct text *text, struct process *process, struct thread *thread __unused)
{
	if (process->vm)
		vm_show_maps(process->vm, text);
}

void proc_show_smaps(struct text *text, struct process *process, struct thread *thread __unused)
{
	if (process->vm)
		vm_show_smaps(process->vm, text);
}

void proc_show_smaps_rollup(struct text *text, struct process *process,
			    struct thread *thread __unused)
{
	if (process->vm)
		vm_show_smaps_rollup(process->vm, text);
}

void proc_show_statm(struct text *text, struct process *process, struct thread *thread __unused)
{
	struct vm_statistics memory = {0};
	if (process->vm)
		memory = vm_statistics(process->vm);
	/* size resident shared text lib data dirty; the fifth and the last are always 0 */
	text_printf(text, "%llu %llu %llu %llu 0 %llu 0\n",
		    (unsigned long long)(memory.mapped / PAGE_SIZE),
		    (unsigned long long)(memory.resident / PAGE_SIZE),
		    (unsigned long long)((memory.file + memory.shared) / PAGE_SIZE),
		    (unsigned long long)(memory.text / PAGE_SIZE),
		    (unsigned long long)((memory.data + memory.stack) / PAGE_SIZE));
}

void proc_show_oom_score(struct text *text, struct process *process, struct thread *thread __unused)
{
	text_printf(text, "%u\n", oom_score(process));
}

void proc_show_oom_score_adj(struct text *text, struct process *process,
			     struct thread *thread __unused)
{
	text_printf(text, "%d\n", process->oom_adjust);
}

/* Only the superuser may ask to be spared more than before. */
int proc_store_oom_score_adj(const char *text, struct process *process,
			     struct thread *thread __unused)
{
	int32_t adjust;
	if (!proc_parse_number(text, -OOM_ADJUST_MAX, OOM_ADJUST_MAX, &adjust))
		return -EINVAL;
	if (adjust < process->oom_adjust && !user_may(CAP_SYS_RESOURCE))
		return -EACCES;
	process->oom_adjust = adjust;
	return 0;
}
