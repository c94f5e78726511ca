/*
 * /proc/PID: directories that are made up as they are looked at. An inode lives as long as somebody
 * uses it.
 */
#include "kernel/errno.h"
#include "kernel/fs/directory.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/printk.h"
#include "kernel/proc/process.h"
#include "kernel/procfs/proc_files.h"
#include "kernel/string.h"

/* Numbers of made-up inodes: above all that inode_next_number will give. */
#define FIRST_NUMBER (1ull << 48)
#define NUMBERS_PER_PROCESS 0x400000u

uint64_t proc_pid_number(int32_t pid, uint32_t index)
{
	return FIRST_NUMBER + (uint64_t)pid * NUMBERS_PER_PROCESS + index;
}

struct proc_pid_node *proc_pid_node(const struct inode *inode)
{
	return inode->private;
}

struct process *proc_pid_process(const struct inode *inode)
{
	return process_find(proc_pid_node(inode)->pid);
}

void proc_pid_release(struct inode *inode)
{
	kfree(inode->private);
}

struct inode *proc_pid_inode(struct inode *directory, const char *name, uint32_t mode,
			     const struct inode_ops *ops, const struct proc_pid_node *node,
			     uint64_t number)
{
	struct process *process = process_find(node->pid);
	struct inode *inode = process ? proc_made_up_inode(directory, name, mode, ops, node,
							   sizeof(*node))
				      : NULL;
	if (!inode)
		return NULL;
	inode->number = number;
	inode->uid = process->euid;
	inode->gid = process->egid;
	return inode;
}

/* The files */

static void show_node(struct text *text, void *context)
{
	const struct proc_pid_node *node = context;
	struct process *process = process_find(node->pid);
	struct thread *thread = node->tid ? thread_find(node->tid) : NULL;
	if (!process || (node->tid && !thread))
		return;
	/* A reader who comes back may find another user's program, or process, there. */
	if (!node->file->guarded || process_may_inspect(process))
		node->file->show(text, process, thread);
}

static int store_node(const char *text, void *context)
{
	const struct proc_pid_node *node = context;
	struct process *process = process_find(node->pid);
	struct thread *thread = node->tid ? thread_find(node->tid) : NULL;
	if (!process || (node->tid && !thread))
		return -ESRCH;
	return node->file->store(text, process, thread);
}

static int open_node(struct inode *inode, struct file *file)
{
	struct proc_pid_node *node = proc_pid_node(inode);
	struct process *process = proc_pid_process(inode);
	if (!process)
		return -ESRCH;
	if (node->file->guarded && !process_may_inspect(process))
		return -EACCES;
	return proc_open_text(file, show_node, node->file->store ? store_node : NULL, node);
}

static const struct inode_ops text_ops = {
	.open = open_node,
	.release = proc_pid_release,
};

struct inode *proc_pid_lookup(struct inode *directory, const char *name,
			      const struct proc_pid_file *files, uint32_t count)
{
	struct proc_pid_node node = *proc_pid_node(directory);
	int32_t number = node.tid ? node.tid : node.pid;
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(name, files[i].name) != 0)
			continue;
		node.file = &files[i];
		return proc_pid_inode(directory, name, files[i].mode,
				      files[i].ops ? files[i].ops : &text_ops, &node,
				      proc_pid_number(number, i + 1 + (node.tid ? count : 0)));
	}
	return NULL;
}

int proc_pid_list(struct inode *directory, struct file *file, struct directory_sink *sink,
		  const struct proc_pid_file *files, uint32_t count)
{
	const struct proc_pid_node *node = proc_pid_node(directory);
	int32_t number = node->tid ? node->tid : node->pid;
	uint64_t i = file->position - DIRECTORY_MADE_UP;
	for (; i < count; i++) {
		uint32_t index = (uint32_t)i + 1 + (node->tid ? count : 0);
		if (!sink->add(sink, files[i].name, proc_pid_number(number, index), files[i].mode,
			       file->position + 1))
			break;
		file->position++;
	}
	return 0;
}

static int64_t read_net(struct inode *link __unused, char *target, size_t size)
{
	return (int64_t)strscpy(target, "../net", size);
}

/* There is one network for all. */
static const struct inode_ops net_ops = {.read_link = read_net, .release = proc_pid_release};

static const struct proc_pid_file process_files[] = {
	{"auxv", S_IFREG | 0400, NULL, proc_show_auxv, NULL, true},
	{"cgroup", S_IFREG | 0444, NULL, proc_show_cgroup, NULL, false},
	{"cmdline", S_IFREG | 0444, NULL, proc_show_cmdline, NULL, false},
	{"comm", S_IFREG | 0644, NULL, proc_show_comm, proc_store_comm, false},
	{"cwd", S_IFLNK | 0777, &proc_cwd_ops, NULL, NULL, false},
	{"environ", S_IFREG | 0400, NULL, proc_show_environ, NULL, true},
	{"exe", S_IFLNK | 0777, &proc_exe_ops, NULL, NULL, false},
	{"fd", S_IFDIR | 0500, &proc_fd_directory_ops, NULL, NULL, false},
	{"fdinfo", S_IFDIR | 0500, &proc_fdinfo_directory_ops, NULL, NULL, false},
	{"limits", S_IFREG | 0444, NULL, proc_show_limits, NULL, false},
	{"maps", S_IFREG | 0444, NULL, proc_show_maps, NULL, true},
	{"mountinfo", S_IFREG | 0444, NULL, proc_show_mountinfo, NULL, false},
	{"mounts", S_IFREG | 0444, NULL, proc_show_mounts, NULL, false},
	{"net", S_IFLNK | 0777, &net_ops, NULL, NULL, false},
	{"oom_score", S_IFREG | 0444, NULL, proc_show_oom_score, NULL, false},
	{"oom_score_adj", S_IFREG | 0644, NULL, proc_show_oom_score_adj, proc_store_oom_score_adj,
	 false},
	{"root", S_IFLNK | 0777, &proc_root_ops, NULL, NULL, false},
	{"smaps", S_IFREG | 0444, NULL, proc_show_smaps, NULL, true},
	{"smaps_rollup", S_IFREG | 0444, NULL, proc_show_smaps_rollup, NULL, true},
	{"stat", S_IFREG | 0444, NULL, proc_show_stat, NULL, false},
	{"statm", S_IFREG | 0444, NULL, proc_show_statm, NULL, false},
	{"status", S_IFREG | 0444, NULL, proc_show_status, NULL, false},
	{"task", S_IFDIR | 0555, &proc_task_directory_ops, NULL, NULL, false},
};

static struct inode *lookup_file(struct inode *directory, const char *name)
{
	return proc_pid_lookup(directory, name, process_files, ARRAY_SIZE(process_files));
}

static int list_files(struct inode *directory, struct file *file, struct directory_sink *sink)
{
	return proc_pid_list(directory, file, sink, process_files, ARRAY_SIZE(process_files));
}

static const struct inode_ops process_directory_ops = {
	.lookup = lookup_file,
	.list = list_files,
	.release = proc_pid_release,
};

/* /proc itself */

int32_t proc_parse_pid(const char *name)
{
	int32_t pid = 0;
	if (*name == '0')
		return 0;
	for (; *name >= '0' && *name <= '9' && pid <= PID_MAX; name++)
		pid = pid * 10 + (*name - '0');
	return *name == '\0' && pid <= PID_MAX ? pid : 0;
}

static struct inode *lookup_process(struct inode *directory, const char *name)
{
	struct proc_pid_node node = {.pid = proc_parse_pid(name), .fd = -1};
	if (node.pid == 0)
		return NULL;
	return proc_pid_inode(directory, name, S_IFDIR | 0555, &process_directory_ops, &node,
			      proc_pid_number(node.pid, 0));
}

struct listing {
	struct file *file;
	struct directory_sink *sink;
};

/*
 * Processes come in order of pid, and so do positions: one more than DIRECTORY_MADE_UP + the last
 * pid listed.
 */
static int list_process(struct process *process, void *context)
{
	struct listing *listing = context;
	uint64_t position = DIRECTORY_MADE_UP + (uint64_t)process->pid;
	if (process->pid == 0 || position < listing->file->position)
		return 0;
	char name[12];
	snprintf(name, sizeof(name), "%d", process->pid);
	if (!listing->sink->add(listing->sink, name, proc_pid_number(process->pid, 0),
				S_IFDIR | 0555, position + 1))
		return 1;
	listing->file->position = position + 1;
	return 0;
}

static int list_processes(struct inode *directory __unused, struct file *file,
			  struct directory_sink *sink)
{
	struct listing listing = {.file = file, .sink = sink};
	process_for_each(list_process, &listing);
	return 0;
}

static const struct inode_ops proc_directory_ops = {
	.lookup = lookup_process,
	.list = list_processes,
};

static int64_t read_self(struct inode *link __unused, char *target, size_t size)
{
	return snprintf(target, size, "%d", current_process()->pid);
}

static int64_t read_thread_self(struct inode *link __unused, char *target, size_t size)
{
	return snprintf(target, size, "%d/task/%d", current_process()->pid, current_thread()->tid);
}

static int64_t read_self_mounts(struct inode *link __unused, char *target, size_t size)
{
	return (int64_t)strscpy(target, "self/mounts", size);
}

static const struct inode_ops self_ops = {.read_link = read_self};
static const struct inode_ops thread_self_ops = {.read_link = read_thread_self};
static const struct inode_ops mounts_ops = {.read_link = read_self_mounts};

void proc_pid_init(void)
{
	proc_root()->ops = &proc_directory_ops;
	if (proc_register_link("self", &self_ops) ||
	    proc_register_link("thread-self", &thread_self_ops) ||
	    proc_register_link("mounts", &mounts_ops))
		panic("no memory for /proc/self");
}
