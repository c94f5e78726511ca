/*
 * The links of /proc/PID, which lead to an object whatever has become of its name: exe, cwd, root,
 * and fd/N.
 */
#include "kernel/errno.h"
#include "kernel/fs/directory.h"
#include "kernel/proc/process.h"
#include "kernel/procfs/proc_files.h"
#include "kernel/string.h"

/* File descriptors have inode numbers from here on. */
#define FD_NUMBERS 0x100000u

static int get_inode(struct inode *inode, struct inode **result)
{
	*result = inode ? inode_get(inode) : NULL;
	return inode ? 0 : -ENOENT;
}

static int64_t path_of(struct inode *inode, char *target, size_t size)
{
	return inode ? inode_path(inode, target, size) : -ENOENT;
}

/* The process whose link it is, if the caller may look into it. 0, -ENOENT or -EACCES. */
static int open_process(const struct inode *link, struct process **process)
{
	*process = proc_pid_process(link);
	if (!*process)
		return -ENOENT;
	return process_may_inspect(*process) ? 0 : -EACCES;
}

#define PROCESS_LINK(variable, member)                                              \
	static int follow_##member(struct inode *link, struct inode **result)       \
	{                                                                           \
		struct process *process;                                            \
		int error = open_process(link, &process);                           \
		return error ? error : get_inode(process->member, result);          \
	}                                                                           \
	static int64_t read_##member(struct inode *link, char *target, size_t size) \
	{                                                                           \
		struct process *process;                                            \
		int error = open_process(link, &process);                           \
		return error ? error : path_of(process->member, target, size);      \
	}                                                                           \
	const struct inode_ops variable = {                                         \
		.follow = follow_##member,                                          \
		.read_link = read_##member,                                         \
		.release = proc_pid_release,                                        \
	}

PROCESS_LINK(proc_exe_ops, executable);
PROCESS_LINK(proc_cwd_ops, cwd);
PROCESS_LINK(proc_root_ops, root);

/* The file behind fd/N with a reference. 0, -ENOENT or -EACCES. */
static int file_of_link(const struct inode *link, struct file **file)
{
	struct process *process;
	int error = open_process(link, &process);
	if (error)
		return error;
	*file = process->files ? file_table_file(process->files, proc_pid_node(link)->fd) : NULL;
	return *file ? 0 : -ENOENT;
}

/*
 * Sockets and event descriptors have no inode. stat(2) through the link tells of them by one made
 * for the occasion, with the numbers that fstat(2) gives. NULL when memory is out.
 */
static struct inode *stand_in(const struct file *file)
{
	struct inode *inode = inode_create(file_filesystem(file), file->ops->mode | 0777);
	if (!inode)
		return NULL;
	inode->number = file->number;
	inode->links = 1;
	inode->uid = 0;
	inode->gid = 0;
	return inode;
}

static int follow_fd(struct inode *link, struct inode **result)
{
	struct file *file;
	int error = file_of_link(link, &file);
	if (error)
		return error;
	*result = file->inode ? inode_get(file->inode) : stand_in(file);
	file_put(file);
	return *result ? 0 : -ENOMEM;
}

/* A path, or for what has no name "pipe:[N]", "socket:[N]". */
static int64_t describe(struct file *file, char *target, size_t size)
{
	if (file->inode && file->inode->filesystem != FILESYSTEM_PIPE)
		return inode_path(file->inode, target, size);
	const char *kind = file->inode ? "pipe" : file->ops->kind ? file->ops->kind : "anon_inode";
	uint64_t number = file->inode ? file->inode->number : file->number;
	return snprintf(target, size, "%s:[%llu]", kind, (unsigned long long)number);
}

static int64_t read_fd(struct inode *link, char *target, size_t size)
{
	struct file *file;
	int error = file_of_link(link, &file);
	if (error)
		return error;
	int64_t length = describe(file, target, size);
	file_put(file);
	return length;
}

static const struct inode_ops fd_ops = {
	.follow = follow_fd,
	.read_link = read_fd,
	.release = proc_pid_release,
};

int proc_parse_fd(const char *name)
{
	int fd = 0;
	if (name[0] == '0' && name[1] != '\0')
		return -1;
	const char *at = name;
	for (; *at >= '0' && *at <= '9' && fd < (1 << 20); at++)
		fd = fd * 10 + (*at - '0');
	return *at == '\0' && at != name ? fd : -1;
}

static struct inode *lookup_fd(struct inode *directory, const char *name)
{
	struct process *process = proc_pid_process(directory);
	struct proc_pid_node node = {.pid = proc_pid_node(directory)->pid,
				     .fd = proc_parse_fd(name)};
	if (!process || !process->files || node.fd < 0)
		return NULL;
	if (file_table_next(process->files, node.fd) != node.fd)
		return NULL;
	return proc_pid_inode(directory, name, S_IFLNK | 0700, &fd_ops, &node,
			      proc_pid_number(node.pid, FD_NUMBERS + (uint32_t)node.fd));
}

int proc_list_fds(struct inode *directory, struct file *file, struct directory_sink *sink,
		  uint32_t mode, uint32_t first_number)
{
	struct process *process = proc_pid_process(directory);
	if (!process || !process->files)
		return 0;
	int fd = (int)(file->position - DIRECTORY_MADE_UP);
	while ((fd = file_table_next(process->files, fd)) >= 0) {
		char name[12];
		snprintf(name, sizeof(name), "%d", fd);
		uint64_t number = proc_pid_number(process->pid, first_number + (uint32_t)fd);
		uint64_t next = DIRECTORY_MADE_UP + (uint64_t)fd + 1;
		if (!sink->add(sink, name, number, mode, next))
			return 0;
		file->position = next;
		fd++;
	}
	return 0;
}

static int list_fds(struct inode *directory, struct file *file, struct directory_sink *sink)
{
	return proc_list_fds(directory, file, sink, S_IFLNK | 0700, FD_NUMBERS);
}

const struct inode_ops proc_fd_directory_ops = {
	.lookup = lookup_fd,
	.list = list_fds,
	.release = proc_pid_release,
};
