/*
 * sendfile(2), copy_file_range(2): a regular file's pages are handed to the other file as they are.
 */
#include "include/uapi/fcntl.h"
#include "kernel/errno.h"
#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/regular.h"
#include "kernel/fs/syscalls.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

#define TRANSFER_MAX 0x7ffff000ull /* as read(2) */

static int64_t write_page(struct file *out, struct page *page, uint32_t offset, uint32_t length,
			  bool more, uint64_t *out_position)
{
	struct iov iov;
	if (out->ops->write_page && (out->flags & O_ACCMODE) != O_RDONLY)
		return out->ops->write_page(out, page, offset, length, more);
	iov_init_kernel(&iov, (char *)page_address(page) + offset, length);
	return file_write(out, &iov, out_position);
}

/* Writes the bytes of one page of `in`, from *position on. Bytes written or a negative errno. */
static int64_t send_page(struct file *out, struct file *in, uint64_t *position, uint64_t count,
			 uint64_t *out_position)
{
	uint64_t in_page = *position % PAGE_SIZE;
	uint64_t part = MIN(count, PAGE_SIZE - in_page);
	part = MIN(part, in->inode->size - *position);
	struct page *page = inode_page(in->inode, *position >> PAGE_SHIFT);
	if (!page)
		return -ENOMEM;
	int64_t written = write_page(out, page, (uint32_t)in_page, (uint32_t)part, part < count,
				     out_position);
	page_put(page);
	if (written > 0)
		*position += (uint64_t)written;
	return written;
}

static int64_t send_pages(struct file *out, struct file *in, uint64_t *position, uint64_t count,
			  uint64_t *out_position)
{
	int64_t done = 0;
	count = MIN(count, TRANSFER_MAX);
	while (count > 0 && *position < in->inode->size) {
		int64_t written = signal_pending()
					  ? -ERESTARTSYS
					  : send_page(out, in, position, count, out_position);
		if (written <= 0)
			return done ? done : written;
		done += written;
		count -= (uint64_t)written;
	}
	return done;
}

/* A position of the caller's, or the file's own where `at` is 0. */
static int read_offset(user_addr_t at, const struct file *file, uint64_t *position)
{
	int64_t offset = (int64_t)file->position;
	if (at && copy_from_user(&offset, at, sizeof(offset)))
		return -EFAULT;
	*position = (uint64_t)offset;
	return offset < 0 ? -EINVAL : 0;
}

static int write_offset(user_addr_t at, struct file *file, uint64_t position)
{
	if (at)
		return copy_to_user(at, &position, sizeof(position));
	file->position = position;
	return 0;
}

static int64_t send_file(struct file *out, struct file *in, user_addr_t offset, uint64_t count)
{
	if ((in->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (in->ops != &regular_file_ops || (out->flags & O_APPEND))
		return -EINVAL;
	uint64_t position;
	int error = read_offset(offset, in, &position);
	if (error)
		return error;
	int64_t sent = send_pages(out, in, &position, count, &out->position);
	if (sent < 0)
		return sent;
	return write_offset(offset, in, position) ? -EFAULT : sent;
}

SYSCALL4(sendfile, int, out_fd, int, in_fd, user_addr_t, offset, uint64_t, count)
{
	struct file *in = fd_get(in_fd);
	struct file *out = fd_get(out_fd);
	int64_t result = in && out ? send_file(out, in, offset, count) : -EBADF;
	file_put(in);
	file_put(out);
	return result;
}

static int64_t copy_range(struct file *in, user_addr_t in_offset, struct file *out,
			  user_addr_t out_offset, uint64_t count)
{
	if ((in->flags & O_ACCMODE) == O_WRONLY || (out->flags & O_ACCMODE) == O_RDONLY ||
	    (out->flags & O_APPEND))
		return -EBADF;
	if (in->ops != &regular_file_ops || out->ops != &regular_file_ops)
		return -EINVAL;
	uint64_t from, to;
	int error = read_offset(in_offset, in, &from);
	if (!error)
		error = read_offset(out_offset, out, &to);
	if (error)
		return error;
	if (in->inode == out->inode && from < to + count && to < from + count)
		return -EINVAL; /* overlapping */
	int64_t copied = send_pages(out, in, &from, count, &to);
	if (copied < 0)
		return copied;
	if (write_offset(in_offset, in, from) || write_offset(out_offset, out, to))
		return -EFAULT;
	return copied;
}

SYSCALL6(copy_file_range, int, in_fd, user_addr_t, in_offset, int, out_fd, user_addr_t, out_offset,
	 uint64_t, count, uint32_t, flags)
{
	if (flags)
		return -EINVAL;
	struct file *in = fd_get(in_fd);
	struct file *out = fd_get(out_fd);
	int64_t result = in && out ? copy_range(in, in_offset, out, out_offset, count) : -EBADF;
	file_put(in);
	file_put(out);
	return result;
}

void transfer_syscalls_init(void)
{
	syscall_register(SYS_sendfile, sys_sendfile);
	syscall_register(SYS_copy_file_range, sys_copy_file_range);
}
