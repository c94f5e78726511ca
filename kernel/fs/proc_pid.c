/*
 * /proc/PID: directories that are made up as they are looked at. An inode lives as long as somebody
 * uses it.
 */
#include "kernel/errno.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/proc_files.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/printk.h"
#include "kernel/proc/process.h"
#include "kernel/string.h"

/* Numbers of made-up inodes: above all that inode_next_number will give. */
#define FIRST_NUMBER (1ull << 48)
#define NUMBERS_PER_PROCESS 0x200000u

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
	struct inode *inode = process ? inode_create(FILESYSTEM_PROC, mode) : NULL;
	struct proc_pid_node *copy = inode ? kmalloc(sizeof(*copy)) : NULL;
	if (!copy || directory_name_made_up(directory, name, inode)) {
		kfree(copy);
		inode_put(inode);
		return NULL;
	}
	*copy = *node;
	inode->ops = ops;
	inode->private = copy;
	inode->number = number;
	inode->links = S_ISDIR(mode) ? 2 : 1;
	inode->uid = process->euid;
	inode->gid = process->egid;
	return inode;
}

/* The files */

static void show_node(struct text *text, void *context)
{
	const struct proc_pid_node *node = context;
	struct process *process = process_find(node->pid);
	if (process)
		node->show(text, process);
}

static int open_node(struct inode *inode, struct file *file)
{
	if (!proc_pid_process(inode))
		return -ESRCH;
	return proc_open_text(file, show_node, NULL, proc_pid_node(inode));
}

static const struct inode_ops text_ops = {
	.open = open_node,
	.release = proc_pid_release,
};

static const struct {
	const char *name;
	uint32_t mode;
	const struct inode_ops *ops;
	void (*show)(struct text *text, struct process *process);
} files[] = {
	{"cmdline", S_IFREG | 0444, &text_ops, proc_show_cmdline},
	{"comm", S_IFREG | 0444, &text_ops, proc_show_comm},
	{"cwd", S_IFLNK | 0777, &proc_cwd_ops, NULL},
	{"environ", S_IFREG | 0400, &text_ops, proc_show_environ},
	{"exe", S_IFLNK | 0777, &proc_exe_ops, NULL},
	{"fd", S_IFDIR | 0500, &proc_fd_directory_ops, NULL},
	{"limits", S_IFREG | 0444, &text_ops, proc_show_limits},
	{"maps", S_IFREG | 0444, &text_ops, proc_show_maps},
	{"mounts", S_IFREG | 0444, &text_ops, proc_show_mounts},
	{"root", S_IFLNK | 0777, &proc_root_ops, NULL},
	{"stat", S_IFREG | 0444, &text_ops, proc_show_stat},
	{"statm", S_IFREG | 0444, &text_ops, proc_show_statm},
	{"status", S_IFREG | 0444, &text_ops, proc_show_status},
};

static struct inode *lookup_file(struct inode *directory, const char *name)
{
	struct proc_pid_node node = {.pid = proc_pid_node(directory)->pid, .fd = -1};
	for (uint32_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (strcmp(name, files[i].name) != 0)
			continue;
		node.show = files[i].show;
		return proc_pid_inode(directory, name, files[i].mode, files[i].ops, &node,
				      proc_pid_number(node.pid, i + 1));
	}
	return NULL;
}

static int list_files(struct inode *directory, struct file *file, struct directory_sink *sink)
{
	int32_t pid = proc_pid_node(directory)->pid;
	uint64_t i = file->position - DIRECTORY_MADE_UP;
	for (; i < ARRAY_SIZE(files); i++) {
		uint64_t number = proc_pid_number(pid, (uint32_t)i + 1);
		if (!sink->add(sink, files[i].name, number, files[i].mode, file->position + 1))
			break;
		file->position++;
	}
	return 0;
}

static const struct inode_ops process_directory_ops = {
	.lookup = lookup_file,
	.list = list_files,
	.release = proc_pid_release,
};

/* /proc itself */

/* A pid in decimal as /proc writes it, or 0. */
static int32_t parse_pid(const char *name)
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
	struct proc_pid_node node = {.pid = parse_pid(name), .fd = -1};
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

static int64_t read_self_mounts(struct inode *link __unused, char *target, size_t size)
{
	return (int64_t)strscpy(target, "self/mounts", size);
}

static const struct inode_ops self_ops = {.read_link = read_self};
static const struct inode_ops mounts_ops = {.read_link = read_self_mounts};

void proc_pid_init(void)
{
	proc_root()->ops = &proc_directory_ops;
	if (proc_register_link("self", &self_ops) || proc_register_link("mounts", &mounts_ops))
		panic("no memory for /proc/self");
}
