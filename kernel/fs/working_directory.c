/*
 * Where a process stands: chdir(2), chroot(2), getcwd(2); and umask(2).
 */
#include "include/uapi/fcntl.h"
#include "kernel/errno.h"
#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/path.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/syscalls.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/process.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

/* Whether the caller may stand there: 0, -ENOTDIR or -EACCES. */
static int check_directory(const struct inode *inode)
{
	return S_ISDIR(inode->mode) ? may_access(inode, X_OK) : -ENOTDIR;
}

/* Puts `inode` into the process's `place` unless there is an `error`. Owns `inode`. */
static int change_directory(struct inode **place, struct inode *inode, int error)
{
	inode_put(error ? inode : *place);
	if (!error)
		*place = inode;
	return error;
}

SYSCALL1(chdir, user_addr_t, path)
{
	struct inode *inode;
	int error = path_at(AT_FDCWD, path, 0, &inode);
	if (error)
		return error;
	return change_directory(&current_process()->cwd, inode, check_directory(inode));
}

SYSCALL1(fchdir, int, fd)
{
	struct file *file = fd_get_path(fd);
	if (!file)
		return -EBADF;
	struct inode *inode = file->inode ? inode_get(file->inode) : NULL;
	file_put(file);
	if (!inode)
		return -ENOTDIR;
	return change_directory(&current_process()->cwd, inode, check_directory(inode));
}

SYSCALL1(chroot, user_addr_t, path)
{
	struct inode *inode;
	int error = path_at(AT_FDCWD, path, 0, &inode);
	if (error)
		return error;
	error = check_directory(inode);
	if (!error && !user_may(CAP_SYS_CHROOT))
		error = -EPERM;
	return change_directory(&current_process()->root, inode, error);
}

SYSCALL2(getcwd, user_addr_t, to, uint64_t, size)
{
	struct inode *cwd = current_process()->cwd;
	if (cwd->links == 0)
		return -ENOENT; /* it was removed */
	char *path = kmalloc(PATH_MAX);
	if (!path)
		return -ENOMEM;
	int64_t length = inode_path(cwd, path, PATH_MAX);
	if (length >= 0) {
		length++; /* the NUL counts */
		if ((uint64_t)length > size)
			length = -ERANGE;
		else if (copy_to_user(to, path, (size_t)length))
			length = -EFAULT;
	}
	kfree(path);
	return length;
}

SYSCALL1(umask, uint32_t, mask)
{
	struct process *process = current_process();
	uint32_t old = process->umask;
	process->umask = mask & 0777;
	return old;
}

void working_directory_syscalls_init(void)
{
	syscall_register(SYS_chdir, sys_chdir);
	syscall_register(SYS_fchdir, sys_fchdir);
	syscall_register(SYS_chroot, sys_chroot);
	syscall_register(SYS_getcwd, sys_getcwd);
	syscall_register(SYS_umask, sys_umask);
}
