/*
 * dup(2), fcntl(2), close(2), ioctl(2): calls about descriptors.
 */
#include "include/uapi/fcntl.h"
#include "include/uapi/ioctl.h"
#include "kernel/errno.h"
#include "kernel/event/async.h"
#include "kernel/fs/fd_table.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/record_lock.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

/* The flags that F_SETFL may change. */
#define CHANGEABLE_FLAGS (O_APPEND | O_ASYNC | O_DIRECT | O_NOATIME | O_NONBLOCK)

SYSCALL1(close, int, fd)
{
	return fd_close(fd);
}

/* A further descriptor for the file at `fd`, at `lowest` or above. */
static int64_t duplicate(int fd, int lowest, bool close_on_exec)
{
	struct file *file = fd_get_path(fd);
	if (!file)
		return -EBADF;
	int result = fd_install(file, lowest, close_on_exec);
	if (result < 0)
		file_put(file);
	return result;
}

SYSCALL1(dup, int, fd)
{
	return duplicate(fd, 0, false);
}

SYSCALL3(dup3, int, old_fd, int, new_fd, uint32_t, flags)
{
	if (old_fd == new_fd || (flags & ~(uint32_t)O_CLOEXEC))
		return -EINVAL;
	struct file *file = fd_get_path(old_fd);
	if (!file)
		return -EBADF;
	int result = fd_replace(file, new_fd, flags & O_CLOEXEC);
	if (result < 0)
		file_put(file);
	return result;
}

/* O_NOATIME hides a reader: only from the owner's programs. */
static int set_flags(struct file *file, uint32_t flags)
{
	if ((flags & ~file->flags & O_NOATIME) && file->inode && !is_owner(file->inode))
		return -EPERM;
	int error = async_watch(file, flags & O_ASYNC);
	if (error)
		return error;
	file->flags = (file->flags & ~(uint32_t)CHANGEABLE_FLAGS) | (flags & CHANGEABLE_FLAGS);
	return 0;
}

/* The commands that work on the file, not on the descriptor. */
static int64_t fcntl_file(struct file *file, int command, uint64_t argument)
{
	switch (command) {
	case F_GETFL:
		return file->flags;
	case F_SETFL:
		return set_flags(file, (uint32_t)argument);
	case F_GETOWN:
		return file->owner_pid;
	case F_SETOWN:
		if ((int32_t)argument == INT32_MIN) /* no group can be its opposite */
			return -EINVAL;
		file->owner_pid = (int32_t)argument;
		return 0;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return record_lock_fcntl(file, command, argument);
	case F_GETPIPE_SZ:
		return pipe_size(file);
	case F_SETPIPE_SZ:
		return pipe_resize(file, (uint32_t)argument);
	default:
		return -EINVAL;
	}
}

SYSCALL3(fcntl, int, fd, int, command, uint64_t, argument)
{
	struct file *file = fd_get_path(fd);
	if (!file)
		return -EBADF;
	int64_t result;
	switch (command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		result = -EINVAL;
		if (argument < (uint64_t)fd_limit())
			result = duplicate(fd, (int)argument, command == F_DUPFD_CLOEXEC);
		break;
	case F_GETFD:
		result = fd_close_on_exec(fd);
		break;
	case F_SETFD:
		result = fd_set_close_on_exec(fd, argument & FD_CLOEXEC);
		break;
	default:
		result = (file->flags & O_PATH) && command != F_GETFL
				 ? -EBADF
				 : fcntl_file(file, command, argument);
	}
	file_put(file);
	return result;
}

SYSCALL3(close_range, uint32_t, first, uint32_t, last, uint32_t, flags)
{
	if (first > last || (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)))
		return -EINVAL;
	if ((flags & CLOSE_RANGE_UNSHARE) && fd_unshare())
		return -ENOMEM;
	if (first > INT32_MAX)
		return 0;
	for (int fd = fd_next((int)first); fd >= 0 && (uint32_t)fd <= last; fd = fd_next(fd + 1)) {
		if (flags & CLOSE_RANGE_CLOEXEC)
			fd_set_close_on_exec(fd, true);
		else
			fd_close(fd);
	}
	return 0;
}

/* FIONBIO, FIOASYNC: the argument is an int in the process that says on or off. */
static int64_t ioctl_flag(struct file *file, uint32_t flag, user_addr_t argument)
{
	int32_t on;
	if (copy_from_user(&on, argument, sizeof(on)))
		return -EFAULT;
	return set_flags(file, on ? file->flags | flag : file->flags & ~flag);
}

SYSCALL3(ioctl, int, fd, uint32_t, command, uint64_t, argument)
{
	struct file *file = fd_get(fd);
	if (!file)
		return -EBADF;
	int64_t result;
	switch (command) {
	case FIOCLEX:
	case FIONCLEX:
		result = fd_set_close_on_exec(fd, command == FIOCLEX);
		break;
	case FIONBIO:
		result = ioctl_flag(file, O_NONBLOCK, argument);
		break;
	case FIOASYNC:
		result = ioctl_flag(file, O_ASYNC, argument);
		break;
	default:
		result = file->ops->ioctl ? file->ops->ioctl(file, command, argument) : -ENOTTY;
	}
	file_put(file);
	return result;
}

void fd_syscalls_init(void)
{
	syscall_register(SYS_close, sys_close);
	syscall_register(SYS_dup, sys_dup);
	syscall_register(SYS_dup3, sys_dup3);
	syscall_register(SYS_fcntl, sys_fcntl);
	syscall_register(SYS_close_range, sys_close_range);
	syscall_register(SYS_ioctl, sys_ioctl);
}
