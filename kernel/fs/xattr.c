/*
 * Extended attributes: the file system keeps none, so none is found and none can be set.
 */
#include "include/uapi/fcntl.h"
#include "kernel/errno.h"
#include "kernel/fs/file.h"
#include "kernel/fs/path.h"
#include "kernel/fs/syscalls.h"
#include "kernel/syscall.h"

/* -EOPNOTSUPP when the file is there, else why it is not. */
static int64_t refuse_path(user_addr_t path, uint32_t flags)
{
	struct inode *inode;
	int error = path_at(AT_FDCWD, path, flags, &inode);
	if (error)
		return error;
	inode_put(inode);
	return -EOPNOTSUPP;
}

static int64_t refuse_fd(int fd)
{
	struct file *file = fd_get(fd);
	if (!file)
		return -EBADF;
	file_put(file);
	return -EOPNOTSUPP;
}

/* An empty list is a list all the same. */
static int64_t empty_list(int64_t refusal)
{
	return refusal == -EOPNOTSUPP ? 0 : refusal;
}

SYSCALL1(xattr, user_addr_t, path)
{
	return refuse_path(path, 0);
}

SYSCALL1(lxattr, user_addr_t, path)
{
	return refuse_path(path, AT_SYMLINK_NOFOLLOW);
}

SYSCALL1(fxattr, int, fd)
{
	return refuse_fd(fd);
}

SYSCALL1(listxattr, user_addr_t, path)
{
	return empty_list(refuse_path(path, 0));
}

SYSCALL1(llistxattr, user_addr_t, path)
{
	return empty_list(refuse_path(path, AT_SYMLINK_NOFOLLOW));
}

SYSCALL1(flistxattr, int, fd)
{
	return empty_list(refuse_fd(fd));
}

void xattr_syscalls_init(void)
{
	syscall_register(SYS_setxattr, sys_xattr);
	syscall_register(SYS_getxattr, sys_xattr);
	syscall_register(SYS_removexattr, sys_xattr);
	syscall_register(SYS_lsetxattr, sys_lxattr);
	syscall_register(SYS_lgetxattr, sys_lxattr);
	syscall_register(SYS_lremovexattr, sys_lxattr);
	syscall_register(SYS_fsetxattr, sys_fxattr);
	syscall_register(SYS_fgetxattr, sys_fxattr);
	syscall_register(SYS_fremovexattr, sys_fxattr);
	syscall_register(SYS_listxattr, sys_listxattr);
	syscall_register(SYS_llistxattr, sys_llistxattr);
	syscall_register(SYS_flistxattr, sys_flistxattr);
}
