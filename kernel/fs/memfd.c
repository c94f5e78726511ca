/*
 * memfd_create(2): a regular file without a name. Seals are not there: who asks for them is
 * refused.
 */
#include "include/uapi/fcntl.h"
#include "include/uapi/mman.h"
#include "kernel/errno.h"
#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/regular.h"
#include "kernel/fs/syscalls.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

#define MEMFD_NAME_MAX 249 /* bytes without the NUL: NAME_MAX less "memfd:" */

SYSCALL2(memfd_create, user_addr_t, name_from, uint32_t, flags)
{
	char name[MEMFD_NAME_MAX + 1];
	int64_t length = copy_string_from_user(name, name_from, sizeof(name));
	struct file *file;
	int fd;

	if (flags & ~(uint32_t)MFD_CLOEXEC)
		return -EINVAL;
	if (length < 0)
		return length == -ENAMETOOLONG ? -EINVAL : length;
	file = file_create(&regular_file_ops, NULL, O_RDWR | O_LARGEFILE);
	if (!file)
		return -ENOMEM;
	file->inode = inode_create(FILESYSTEM_MEMORY, S_IFREG | 0777);
	fd = file->inode ? fd_install(file, 0, flags & MFD_CLOEXEC) : -ENOMEM;
	if (fd < 0)
		file_put(file);
	return fd;
}

void memfd_syscalls_init(void)
{
	syscall_register(SYS_memfd_create, sys_memfd_create);
}
