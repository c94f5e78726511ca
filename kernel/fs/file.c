#include "kernel/fs/file.h"

#include "include/uapi/fcntl.h"
#include "include/uapi/poll.h"
#include "kernel/errno.h"
#include "kernel/event/async.h"
#include "kernel/event/inotify.h"
#include "kernel/event/poll.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/record_lock.h"
#include "kernel/mm/kmalloc.h"

#define ALL_PERMISSIONS 0777 /* of what has no inode */

static uint64_t files; /* that there are */

enum filesystem file_filesystem(const struct file *file)
{
	if (file->inode)
		return file->inode->filesystem;
	return S_ISSOCK(file->ops->mode) ? FILESYSTEM_SOCKET : FILESYSTEM_PIPE;
}

uint64_t file_count(void)
{
	return files;
}

struct file *file_create(const struct file_ops *ops, void *private, uint32_t flags)
{
	struct file *file = kzalloc(sizeof(*file));
	if (!file)
		return NULL;
	files++;
	file->references = 1;
	file->ops = ops;
	file->private = private;
	file->flags = flags;
	file->number = inode_next_number();
	file->mode = ALL_PERMISSIONS;
	list_init(&file->epoll_items);
	return file;
}

struct file *file_get(struct file *file)
{
	file->references++;
	return file;
}

static void tell_close(const struct file *file)
{
	bool wrote = (file->flags & O_ACCMODE) != O_RDONLY;

	if (!(file->flags & O_PATH))
		inotify_inode_event(file->inode, wrote ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
}

void file_put(struct file *file)
{
	if (!file || --file->references > 0)
		return;
	epoll_forget_file(file);
	async_watch(file, false);
	file_locks_drop(file);
	if (file->ops && file->ops->release)
		file->ops->release(file);
	if (file->inode)
		tell_close(file);
	inode_put(file->inode);
	kfree(file);
	files--;
}

bool file_nonblocking(const struct file *file)
{
	return file->flags & O_NONBLOCK;
}

int64_t file_read(struct file *file, struct iov *iov, uint64_t *position)
{
	uint32_t access = file->flags & O_ACCMODE;
	if (access != O_RDONLY && access != O_RDWR)
		return -EBADF;
	if (!file->ops->read)
		return -EINVAL;
	int64_t done = file->ops->read(file, iov, position);
	if (done > 0 && file->inode)
		inotify_inode_event(file->inode, IN_ACCESS);
	return done;
}

int64_t file_write(struct file *file, struct iov *iov, uint64_t *position)
{
	uint32_t access = file->flags & O_ACCMODE;
	if (access != O_WRONLY && access != O_RDWR)
		return -EBADF;
	if (!file->ops->write)
		return -EINVAL;
	int64_t done = file->ops->write(file, iov, position);
	if (done > 0 && file->inode)
		inotify_inode_event(file->inode, IN_MODIFY);
	return done;
}

int64_t file_seek_plainly(struct file *file, int64_t offset, int whence)
{
	int64_t base = whence == SEEK_CUR ? (int64_t)file->position : 0;

	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	if (__builtin_add_overflow(base, offset, &offset))
		return -EOVERFLOW;
	if (offset < 0)
		return -EINVAL;
	file->position = (uint64_t)offset;
	return offset;
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
