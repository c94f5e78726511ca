/*
 * Out of memory: see oom.h.
 */
#include "kernel/proc/oom.h"

#include "include/uapi/signal.h"
#include "include/uapi/wait.h"
#include "kernel/clock.h"
#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vm.h"
#include "kernel/printk.h"
#include "kernel/proc/exit.h"
#include "kernel/semaphore.h"

#define WAIT_US (5 * USEC_PER_MSEC)
#define FILE_COST 1024 /* bytes: roughly what the kernel keeps for a descriptor and its file */

static int32_t victim_pid; /* the last process killed */

static uint64_t held_by_file(const struct file *file)
{
	uint64_t bytes = FILE_COST + (file->ops && file->ops->held ? file->ops->held(file) : 0);

	/* An unlinked file, or a memfd: descriptors alone keep it. */
	if (file->inode && file->inode->links == 0)
		bytes += file->inode->pages.count * PAGE_SIZE;
	return bytes;
}

static uint64_t held_by_files(struct file_table *files)
{
	uint64_t bytes = 0;

	for (int fd = 0; (fd = file_table_next(files, fd)) >= 0; fd++) {
		struct file *file = file_table_file(files, fd);
		if (file)
			bytes += held_by_file(file);
		file_put(file);
	}
	return bytes;
}

/* Bytes that would be free if the process went; what it shares with others is counted too. */
static uint64_t bytes_held(struct process *process)
{
	uint64_t bytes = process->thread_count * KERNEL_STACK_SIZE;

	if (process->vm)
		bytes += vm_size(process->vm);
	if (process->files)
		bytes += held_by_files(process->files);
	return bytes;
}

static bool is_exempt(const struct process *process)
{
	return process->pid <= 1 || process->zombie || process->exiting ||
	       process->oom_adjust == -OOM_ADJUST_MAX;
}

/* Bytes, shifted by what the process asked for: /proc/PID/oom_score_adj. */
static int64_t badness(struct process *process)
{
	int64_t unit = (int64_t)(page_statistics().total * PAGE_SIZE / OOM_ADJUST_MAX);

	return (int64_t)bytes_held(process) + process->oom_adjust * unit;
}

uint32_t oom_score(struct process *process)
{
	int64_t total = (int64_t)(page_statistics().total * PAGE_SIZE);
	int64_t score = is_exempt(process) ? 0 : badness(process) * OOM_ADJUST_MAX / total;

	return (uint32_t)CLAMP(score, 0, 2 * OOM_ADJUST_MAX);
}

struct choice {
	struct process *process;
	int64_t badness;
};

static int choose(struct process *process, void *context)
{
	struct choice *choice = context;
	int64_t bad = is_exempt(process) ? 0 : badness(process);

	if (bad > choice->badness)
		*choice = (struct choice){.process = process, .badness = bad};
	return 0;
}

static bool victim_on_its_way(void)
{
	const struct process *victim = victim_pid ? process_find(victim_pid) : NULL;

	return victim && victim->exiting && !victim->zombie;
}

static void kill_for_memory(struct process *process)
{
	printk("out of memory: killed %s[%d], which held %llu KiB\n", process->name, process->pid,
	       (unsigned long long)(bytes_held(process) / 1024));
	victim_pid = process->pid;
	process_begin_exit(process, WAIT_STATUS_SIGNALED(SIGKILL));
}

void oom_relieve(void)
{
	struct choice choice = {0};

	if (victim_on_its_way())
		return;
	process_for_each(choose, &choice);
	if (choice.process)
		kill_for_memory(choice.process);
}

void oom_wait(void)
{
	struct semaphore moment;

	current_thread()->used_reserve = false;
	if (thread_must_exit())
		return;
	oom_relieve();
	if (!victim_on_its_way()) {
		kill_for_memory(current_process());
		return;
	}
	sem_init(&moment, 0);
	/* Nobody posts it: the wait ends by time, or because the thread is to end. */
	int error __unused = sem_wait_until(&moment, clock_now_us() + WAIT_US);
	sem_destroy(&moment);
}
