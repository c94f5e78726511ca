/*
 * /proc/PID/fdinfo: how a descriptor's file is open.
 */
#include "kernel/errno.h"
#include "kernel/fs/directory.h"
#include "kernel/proc/process.h"
#include "kernel/procfs/proc_files.h"

/* Inode numbers from here on: one for each descriptor. */
#define FDINFO_NUMBERS 0x200000u

static void show_file(struct text *text, void *context)
{
	const struct proc_pid_node *node = context;
	struct process *process = process_find(node->pid);
	if (!process || !process->files || !process_may_inspect(process))
		return;
	struct file *file = file_table_file(process->files, node->fd);
	if (!file)
		return;
	uint64_t number = file->inode ? file->inode->number : file->number;
	text_printf(text, "pos:\t%llu\nflags:\t0%o\nmnt_id:\t1\nino:\t%llu\n",
		    (unsigned long long)file->position, file->flags, (unsigned long long)number);
	file_put(file);
}

static int open_fdinfo(struct inode *inode, struct file *file)
{
	return proc_open_text(file, show_file, NULL, proc_pid_node(inode));
}

static const struct inode_ops fdinfo_ops = {
	.open = open_fdinfo,
	.release = proc_pid_release,
};

static struct inode *lookup_fdinfo(struct inode *directory, const char *name)
{
	struct process *process = proc_pid_process(directory);
	struct proc_pid_node node = *proc_pid_node(directory);
	node.fd = proc_parse_fd(name);
	if (!process || !process->files || node.fd < 0 ||
	    file_table_next(process->files, node.fd) != node.fd)
		return NULL;
	return proc_pid_inode(directory, name, S_IFREG | 0400, &fdinfo_ops, &node,
			      proc_pid_number(node.pid, FDINFO_NUMBERS + (uint32_t)node.fd));
}

static int list_fdinfo(struct inode *directory, struct file *file, struct directory_sink *sink)
{
	return proc_list_fds(directory, file, sink, S_IFREG | 0400, FDINFO_NUMBERS);
}

const struct inode_ops proc_fdinfo_directory_ops = {
	.lookup = lookup_fdinfo,
	.list = list_fdinfo,
	.release = proc_pid_release,
};
