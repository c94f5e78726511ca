/*
 * /proc/PID/task: a directory for each thread.
 */
#include "kernel/errno.h"
#include "kernel/fs/directory.h"
#include "kernel/proc/process.h"
#include "kernel/procfs/proc_files.h"
#include "kernel/string.h"

static const struct proc_pid_file thread_files[] = {
	{"comm", S_IFREG | 0644, NULL, proc_show_comm, proc_store_comm, false},
	{"maps", S_IFREG | 0444, NULL, proc_show_maps, NULL, true},
	{"stat", S_IFREG | 0444, NULL, proc_show_stat, NULL, false},
	{"statm", S_IFREG | 0444, NULL, proc_show_statm, NULL, false},
	{"status", S_IFREG | 0444, NULL, proc_show_status, NULL, false},
};

static struct inode *lookup_file(struct inode *directory, const char *name)
{
	return proc_pid_lookup(directory, name, thread_files, ARRAY_SIZE(thread_files));
}

static int list_files(struct inode *directory, struct file *file, struct directory_sink *sink)
{
	return proc_pid_list(directory, file, sink, thread_files, ARRAY_SIZE(thread_files));
}

static const struct inode_ops thread_directory_ops = {
	.lookup = lookup_file,
	.list = list_files,
	.release = proc_pid_release,
};

/* Threads' directories have inode numbers from here on. */
#define THREAD_NUMBER 0x80000u

static struct inode *lookup_thread(struct inode *directory, const char *name)
{
	struct proc_pid_node node = *proc_pid_node(directory);
	node.tid = proc_parse_pid(name);
	const struct thread *thread = node.tid ? thread_find(node.tid) : NULL;
	if (!thread || thread->process->pid != node.pid)
		return NULL;
	return proc_pid_inode(directory, name, S_IFDIR | 0555, &thread_directory_ops, &node,
			      proc_pid_number(node.tid, THREAD_NUMBER));
}

/* The thread with the lowest tid from `tid` on: threads are not kept in order. */
static const struct thread *next_thread(const struct process *process, int32_t tid)
{
	const struct thread *thread, *next = NULL;
	list_for_each_entry(thread, &process->threads, of_process)
		if (thread->tid >= tid && (!next || thread->tid < next->tid))
			next = thread;
	return next;
}

/* Positions are DIRECTORY_MADE_UP + the lowest tid that is not listed yet. */
static int list_threads(struct inode *directory, struct file *file, struct directory_sink *sink)
{
	const struct process *process = proc_pid_process(directory);
	const struct thread *thread;
	if (!process)
		return -ENOENT;
	while ((thread = next_thread(process, (int32_t)(file->position - DIRECTORY_MADE_UP)))) {
		char name[12];
		snprintf(name, sizeof(name), "%d", thread->tid);
		uint64_t next = DIRECTORY_MADE_UP + (uint64_t)thread->tid + 1;
		if (!sink->add(sink, name, proc_pid_number(thread->tid, THREAD_NUMBER),
			       S_IFDIR | 0555, next))
			return 0;
		file->position = next;
	}
	return 0;
}

const struct inode_ops proc_task_directory_ops = {
	.lookup = lookup_thread,
	.list = list_threads,
	.release = proc_pid_release,
};
