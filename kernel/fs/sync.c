/*
 * Calls about the disk behind a file, where there is none: everything written is as safe as it can
 * get.
 */
#include "include/uapi/fcntl.h"
#include "kernel/errno.h"
#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/syscalls.h"
#include "kernel/syscall.h"

/* SYNC_FILE_RANGE_WAIT_BEFORE, _WRITE, _WAIT_AFTER */
#define SYNC_FILE_RANGE_FLAGS 7

SYSCALL0(sync)
{
	return 0;
}

/* EINVAL for what cannot be synchronised: pipes, sockets. */
static int64_t sync_fd(int fd)
{
	struct file *file = fd_get(fd);
	if (!file)
		return -EBADF;
	int64_t result = file->inode && !S_ISFIFO(file->inode->mode) ? 0 : -EINVAL;
	file_put(file);
	return result;
}

SYSCALL1(fsync, int, fd)
{
	return sync_fd(fd);
}

SYSCALL4(sync_file_range, int, fd, int64_t, offset, int64_t, length, uint32_t, flags)
{
	if (offset < 0 || length < 0 || (uint64_t)offset + (uint64_t)length > INT64_MAX ||
	    flags & ~(uint32_t)SYNC_FILE_RANGE_FLAGS)
		return -EINVAL;
	int64_t result = sync_fd(fd);
	return result == -EINVAL ? -ESPIPE : result;
}

SYSCALL4(fadvise64, int, fd, int64_t, offset, int64_t, length, int, advice)
{
	(void)offset;
	struct file *file = fd_get(fd);
	if (!file)
		return -EBADF;
	bool pipe = !file->inode || S_ISFIFO(file->inode->mode);
	file_put(file);
	if (pipe)
		return -ESPIPE;
	if (length < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE)
		return -EINVAL;
	return 0;
}

SYSCALL3(readahead, int, fd, int64_t, offset, uint64_t, count)
{
	(void)offset;
	(void)count;
	return sync_fd(fd);
}

void sync_syscalls_init(void)
{
	syscall_register(SYS_sync, sys_sync);
	syscall_register(SYS_syncfs, sys_fsync);
	syscall_register(SYS_fsync, sys_fsync);
	syscall_register(SYS_fdatasync, sys_fsync);
	syscall_register(SYS_sync_file_range, sys_sync_file_range);
	syscall_register(SYS_fadvise64, sys_fadvise64);
	syscall_register(SYS_readahead, sys_readahead);
}
