/*
 * Open files and their descriptors, in the place of kernel/fs/{file,fd_table,inode}.c: one table
 * for the whole process, and references that any thread may take.
 */
#include <stdlib.h>
#include <string.h>

#include "include/uapi/fcntl.h"
#include "include/uapi/poll.h"
#include "kernel/errno.h"
#include "kernel/event/async.h"
#include "kernel/event/poll.h"
#include "kernel/fs/fd_table.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/record_lock.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "test/host/services/host.h"

#define HOST_FILES 16384

/* Files: references are counted atomically. */

struct file *file_create(const struct file_ops *ops, void *private, uint32_t flags)
{
	struct file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->references = 1;
	file->ops = ops;
	file->private = private;
	file->flags = flags;
	list_init(&file->epoll_items);
	return file;
}

struct file *file_get(struct file *file)
{
	__atomic_add_fetch(&file->references, 1, __ATOMIC_RELAXED);
	return file;
}

void file_put(struct file *file)
{
	if (!file || __atomic_sub_fetch(&file->references, 1, __ATOMIC_ACQ_REL))
		return;
	epoll_forget_file(file);
	if (file->ops->release)
		file->ops->release(file);
	inode_put(file->inode);
	free(file);
}

bool file_nonblocking(const struct file *file)
{
	return file->flags & O_NONBLOCK;
}

int64_t file_read(struct file *file, struct iov *iov, uint64_t *position)
{
	if ((file->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	return file->ops->read ? file->ops->read(file, iov, position) : -EINVAL;
}

int64_t file_write(struct file *file, struct iov *iov, uint64_t *position)
{
	if ((file->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	return file->ops->write ? file->ops->write(file, iov, position) : -EINVAL;
}

uint32_t file_poll(struct file *file, struct poll_table *table)
{
	if (!file->ops->poll)
		return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	return file->ops->poll(file, table);
}

void poll_join(struct poll_table *table, struct wait_list *list)
{
	if (table)
		table->join(table, list);
}

/* Inodes: what a pipe's two ends share. */

struct inode *inode_create(enum filesystem filesystem, uint32_t mode)
{
	struct inode *inode = calloc(1, sizeof(*inode));

	if (!inode)
		return NULL;
	inode->references = 1;
	inode->filesystem = filesystem;
	inode->mode = mode;
	return inode;
}

struct inode *inode_get(struct inode *inode)
{
	__atomic_add_fetch(&inode->references, 1, __ATOMIC_RELAXED);
	return inode;
}

void inode_put(struct inode *inode)
{
	if (inode && !__atomic_sub_fetch(&inode->references, 1, __ATOMIC_ACQ_REL))
		free(inode);
}

/* Nothing is mapped here. */
struct inode *inode_of_pages(struct page *const *pages __unused, uint64_t count __unused)
{
	return NULL;
}

/* No program here waits for SIGIO. */
int async_watch(struct file *file __unused, bool on __unused)
{
	return 0;
}

/* There are no regular files here to lock. */
int64_t record_lock_fcntl(struct file *file __unused, int command __unused,
			  user_addr_t argument __unused)
{
	return -EINVAL;
}

/* Descriptors: the table is guarded by irq_save. */
static struct file *files[HOST_FILES];

static bool in_table(int fd)
{
	return fd >= 0 && fd < HOST_FILES;
}

int fd_limit(void)
{
	return HOST_FILES;
}

struct file *fd_get(int fd)
{
	struct file *file = NULL;
	irq_flags_t flags = irq_save();

	if (in_table(fd) && files[fd])
		file = file_get(files[fd]);
	irq_restore(flags);
	return file;
}

struct file *fd_get_path(int fd)
{
	return fd_get(fd);
}

/* The lowest free descriptor from `lowest` on, or -EMFILE. */
static int free_descriptor(int lowest)
{
	for (int fd = lowest; fd < HOST_FILES; fd++) {
		if (!files[fd])
			return fd;
	}
	return -EMFILE;
}

bool fd_available(void)
{
	irq_flags_t flags = irq_save();
	bool available = free_descriptor(0) >= 0;

	irq_restore(flags);
	return available;
}

int fd_install(struct file *file, int lowest, bool close_on_exec __unused)
{
	irq_flags_t flags = irq_save();
	int fd = free_descriptor(lowest);

	if (fd >= 0)
		files[fd] = file;
	irq_restore(flags);
	return fd;
}

/* What `fd` named before, which may be NULL; it names `file` now. */
static struct file *exchange(int fd, struct file *file)
{
	irq_flags_t flags = irq_save();
	struct file *before = files[fd];

	files[fd] = file;
	irq_restore(flags);
	return before;
}

/* What a descriptor named, which is in the table no more. NULL is harmless. */
static void give_up(struct file *file)
{
	if (file && file->ops->descriptor_closed)
		file->ops->descriptor_closed(file);
	file_put(file);
}

int fd_replace(struct file *file, int fd, bool close_on_exec __unused)
{
	if (!in_table(fd))
		return -EBADF;
	give_up(exchange(fd, file));
	return fd;
}

int fd_close(int fd)
{
	struct file *file = in_table(fd) ? exchange(fd, NULL) : NULL;

	give_up(file);
	return file ? 0 : -EBADF;
}

int fd_next(int fd)
{
	while (in_table(fd) && !files[fd])
		fd++;
	return in_table(fd) ? fd : -1;
}

/* There is no exec and no fork: the flag is not kept, and nobody shares the table. */
int fd_close_on_exec(int fd)
{
	return in_table(fd) && files[fd] ? 0 : -EBADF;
}

int fd_set_close_on_exec(int fd, bool on __unused)
{
	return fd_close_on_exec(fd);
}

int fd_unshare(void)
{
	return 0;
}

void host_close_all(void)
{
	for (int fd = 0; fd < HOST_FILES; fd++)
		(void)fd_close(fd);
}
