#include "kernel/fs/regular.h"

#include "include/uapi/fcntl.h"
#include "include/uapi/ioctl.h"
#include "include/uapi/signal.h"
#include "kernel/clock.h"
#include "kernel/errno.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/permission.h"
#include "kernel/mm/page.h"
#include "kernel/proc/process.h"
#include "kernel/signal/signal.h"
#include "kernel/user.h"

static int64_t read_regular(struct file *file, struct iov *iov, uint64_t *position)
{
	struct inode *inode = file->inode;
	int64_t done = 0;
	while (iov->remaining > 0 && *position < inode->size) {
		uint64_t in_page = *position % PAGE_SIZE;
		uint64_t part = MIN(iov->remaining, PAGE_SIZE - in_page);
		part = MIN(part, inode->size - *position);
		struct page *page = inode_page_present(inode, *position >> PAGE_SHIFT);
		int error = page ? iov_copy_to(iov, (char *)page_address(page) + in_page, part)
				 : iov_clear(iov, part);
		if (error)
			return done ? done : error;
		*position += part;
		done += (int64_t)part;
	}
	if (!(file->flags & O_NOATIME))
		inode->atime_ns = clock_realtime_ns();
	return done;
}

/*
 * How far a write at `position` may go: RLIMIT_FSIZE and the largest file. 0 or a negative errno.
 */
static int limit_write(uint64_t position, uint64_t *count)
{
	uint64_t limit = current_process()->limits[RLIMIT_FSIZE].rlim_cur;
	if (limit < INODE_SIZE_MAX && position >= limit) {
		signal_send_process(current_process(), SIGXFSZ);
		return -EFBIG;
	}
	limit = MIN(limit, INODE_SIZE_MAX);
	if (position >= limit)
		return -EFBIG;
	*count = MIN(*count, limit - position);
	return 0;
}

static int64_t write_regular(struct file *file, struct iov *iov, uint64_t *position)
{
	struct inode *inode = file->inode;
	uint64_t count = iov->remaining;
	if (count == 0)
		return 0;
	if (file->flags & O_APPEND)
		*position = inode->size;
	int error = limit_write(*position, &count);
	if (error)
		return error;

	drop_set_ids(inode);
	if (*position > inode->size)
		inode_clear_behind_end(inode);
	int64_t done = 0;
	while (count > 0) {
		uint64_t in_page = *position % PAGE_SIZE;
		uint64_t part = MIN(count, PAGE_SIZE - in_page);
		struct page *page = inode_page_for_write(inode, *position >> PAGE_SHIFT);
		error = page ? iov_copy_from(iov, (char *)page_address(page) + in_page, part)
			     : -ENOSPC;
		if (page)
			page_modified(page);
		if (error)
			break;
		*position += part;
		inode->size = MAX(inode->size, *position);
		count -= part;
		done += (int64_t)part;
	}
	inode_modified(inode);
	return done ? done : error;
}

/* SEEK_DATA and SEEK_HOLE: the first present page, or the first absent one, from `offset` on. */
static int64_t seek_content(struct inode *inode, int64_t offset, bool data)
{
	if (offset < 0 || (uint64_t)offset >= inode->size)
		return -ENXIO;
	uint64_t first = (uint64_t)offset >> PAGE_SHIFT, index = first;
	if (data)
		index = page_index_next(&inode->pages, first);
	while (!data && inode_page_present(inode, index))
		index++;
	if (index == first)
		return offset;
	if (index >= ALIGN_UP(inode->size, PAGE_SIZE) >> PAGE_SHIFT)
		return data ? -ENXIO : (int64_t)inode->size;
	return (int64_t)(index << PAGE_SHIFT);
}

static int64_t seek_regular(struct file *file, int64_t offset, int whence)
{
	int64_t base = 0;
	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = (int64_t)file->position;
		break;
	case SEEK_END:
		base = (int64_t)file->inode->size;
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		offset = seek_content(file->inode, offset, whence == SEEK_DATA);
		if (offset < 0)
			return offset;
		break;
	default:
		return -EINVAL;
	}
	int64_t target;
	if (__builtin_add_overflow(base, offset, &target))
		return -EOVERFLOW;
	if (target < 0)
		return -EINVAL;
	file->position = (uint64_t)target;
	return target;
}

static int64_t ioctl_regular(struct file *file, uint32_t command, uint64_t argument)
{
	if (command != FIONREAD)
		return -ENOTTY;
	uint64_t size = file->inode->size;
	uint64_t left = size > file->position ? size - file->position : 0;
	int32_t value = (int32_t)MIN(left, (uint64_t)INT32_MAX);
	return copy_to_user(argument, &value, sizeof(value));
}

const struct file_ops regular_file_ops = {
	.read = read_regular,
	.write = write_regular,
	.seek = seek_regular,
	.ioctl = ioctl_regular,
};
