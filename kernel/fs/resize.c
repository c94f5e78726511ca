/*
 * Changing how large a file is, and what of it takes memory: truncate(2), ftruncate(2),
 * fallocate(2).
 */
#include "include/uapi/fcntl.h"
#include "include/uapi/signal.h"
#include "kernel/errno.h"
#include "kernel/event/inotify.h"
#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/path.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/syscalls.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vm.h"
#include "kernel/proc/process.h"
#include "kernel/signal/signal.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

/* May the file grow to this size? RLIMIT_FSIZE. 0 or -EFBIG, with its signal. */
static int check_size_limit(const struct inode *inode, uint64_t size)
{
	if (size <= current_process()->limits[RLIMIT_FSIZE].rlim_cur || size <= inode->size)
		return 0;
	signal_send_process(current_process(), SIGXFSZ);
	return -EFBIG;
}

static int change_size(struct inode *inode, int64_t size)
{
	if (size < 0)
		return -EINVAL;
	if (S_ISDIR(inode->mode))
		return -EISDIR;
	if (!S_ISREG(inode->mode) || inode->filesystem != FILESYSTEM_MEMORY)
		return -EINVAL;
	int error = check_size_limit(inode, (uint64_t)size);
	if (error)
		return error;
	drop_set_ids(inode);
	error = inode_truncate(inode, (uint64_t)size);
	if (!error)
		inotify_inode_event(inode, IN_MODIFY);
	return error;
}

SYSCALL2(truncate, user_addr_t, path, int64_t, size)
{
	struct inode *inode;
	int error = path_at(AT_FDCWD, path, 0, &inode);
	if (error)
		return error;
	if (S_ISREG(inode->mode))
		error = may_access(inode, W_OK);
	if (!error)
		error = change_size(inode, size);
	inode_put(inode);
	return error;
}

/*
 * The inode of a descriptor that is open for writing, with a reference. NULL and *error: EBADF, or
 * EINVAL for what has none or is not.
 */
static struct inode *inode_to_resize(int fd, int *error)
{
	struct file *file = fd_get(fd);
	if (!file) {
		*error = -EBADF;
		return NULL;
	}
	bool writable = (file->flags & O_ACCMODE) != O_RDONLY;
	struct inode *inode = writable && file->inode ? inode_get(file->inode) : NULL;
	*error = inode ? 0 : -EINVAL;
	file_put(file);
	return inode;
}

SYSCALL2(ftruncate, int, fd, int64_t, size)
{
	int error;
	struct inode *inode = inode_to_resize(fd, &error);
	if (!inode)
		return error;
	error = change_size(inode, size);
	inode_put(inode);
	return error;
}

/* Zeroes the part of one page of the file. */
static void clear_in_page(struct inode *inode, uint64_t from, uint64_t to)
{
	struct page *page = from < to ? inode_page_present(inode, from >> PAGE_SHIFT) : NULL;
	if (!page)
		return;
	memset((char *)page_address(page) + from % PAGE_SIZE, 0, to - from);
	page_modified(page);
}

static void punch_hole(struct inode *inode, uint64_t from, uint64_t to)
{
	uint64_t first = ALIGN_UP(from, PAGE_SIZE), end = ALIGN_DOWN(to, PAGE_SIZE);
	if (first > end) {
		clear_in_page(inode, from, to);
		return;
	}
	clear_in_page(inode, from, first);
	clear_in_page(inode, end, to);
	vm_forget_file(inode, first >> PAGE_SHIFT, end >> PAGE_SHIFT, false);
	inode_free_pages(inode, first >> PAGE_SHIFT, end >> PAGE_SHIFT);
}

/* Makes sure that pages are there. 0 or -ENOSPC, and then the file's end is as it was. */
static int fill_range(struct inode *inode, uint64_t from, uint64_t to)
{
	uint64_t beyond = ALIGN_UP(inode->size, PAGE_SIZE) >> PAGE_SHIFT;
	uint64_t first = from >> PAGE_SHIFT, last = (to - 1) >> PAGE_SHIFT;
	/* What can never succeed is not tried: it would take all memory first. */
	if (last - first >= inode->pages.count + page_statistics().free)
		return -ENOSPC;
	for (uint64_t index = first; index <= last; index++) {
		if (!inode_page_for_write(inode, index)) {
			inode_free_pages(inode, MAX(first, beyond), index);
			return -ENOSPC;
		}
	}
	return 0;
}

/* Plain, with FALLOC_FL_KEEP_SIZE, or that with FALLOC_FL_PUNCH_HOLE. */
static int allocate_range(struct inode *inode, uint32_t mode, int64_t offset, int64_t length)
{
	int64_t end;
	if (offset < 0 || length <= 0)
		return -EINVAL;
	bool punches = mode == (FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE);
	if (!punches && mode & ~(uint32_t)FALLOC_FL_KEEP_SIZE)
		return -EOPNOTSUPP;
	if (!S_ISREG(inode->mode) || inode->filesystem != FILESYSTEM_MEMORY)
		return -ENODEV;
	if (__builtin_add_overflow(offset, length, &end) || (uint64_t)end > INODE_SIZE_MAX)
		return -EFBIG;
	int error = punches ? 0 : check_size_limit(inode, (uint64_t)end);
	if (error)
		return error;
	drop_set_ids(inode);
	if (punches)
		punch_hole(inode, (uint64_t)offset, (uint64_t)end);
	else
		error = fill_range(inode, (uint64_t)offset, (uint64_t)end);
	if (error)
		return error;
	if (!(mode & FALLOC_FL_KEEP_SIZE) && (uint64_t)end > inode->size) {
		inode_clear_behind_end(inode);
		inode->size = (uint64_t)end;
	}
	inode_modified(inode);
	inotify_inode_event(inode, IN_MODIFY);
	return 0;
}

SYSCALL4(fallocate, int, fd, uint32_t, mode, int64_t, offset, int64_t, length)
{
	int error;
	struct inode *inode = inode_to_resize(fd, &error);
	if (!inode)
		return error == -EINVAL ? -EBADF : error;
	error = allocate_range(inode, mode, offset, length);
	inode_put(inode);
	return error;
}

void resize_syscalls_init(void)
{
	syscall_register(SYS_truncate, sys_truncate);
	syscall_register(SYS_ftruncate, sys_ftruncate);
	syscall_register(SYS_fallocate, sys_fallocate);
}
