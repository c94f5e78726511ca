/*
 * read(2), write(2) and their kin; lseek(2).
 */
#include "kernel/fs/file.h"

#include "include/uapi/fcntl.h"
#include "include/uapi/uio.h"
#include "kernel/errno.h"
#include "kernel/fs/syscalls.h"
#include "kernel/iov.h"
#include "kernel/syscall.h"

enum direction { READ, WRITE };

static int64_t transfer(enum direction direction, struct file *file, struct iov *iov,
			uint64_t *position)
{
	return direction == READ ? file_read(file, iov, position) : file_write(file, iov, position);
}

/* At the file's own position. Takes the descriptor, gives up what iov allocated. */
static int64_t transfer_here(enum direction direction, int fd, struct iov *iov)
{
	struct file *file = fd_get(fd);
	int64_t result = -EBADF;
	if (file) {
		result = transfer(direction, file, iov, &file->position);
		file_put(file);
	}
	iov_release(iov);
	return result;
}

/* At a position of the caller's: only for files that can be positioned. */
static int64_t transfer_at(enum direction direction, int fd, struct iov *iov, int64_t offset)
{
	struct file *file = fd_get(fd);
	int64_t result = -EBADF;
	if (file) {
		uint64_t position = (uint64_t)offset;
		if (offset < 0)
			result = -EINVAL;
		else if (!file->ops->seek)
			result = -ESPIPE;
		else
			result = transfer(direction, file, iov, &position);
		file_put(file);
	}
	iov_release(iov);
	return result;
}

SYSCALL3(read, int, fd, user_addr_t, buffer, uint64_t, count)
{
	struct iov iov;
	iov_init_user(&iov, buffer, count);
	return transfer_here(READ, fd, &iov);
}

SYSCALL3(write, int, fd, user_addr_t, buffer, uint64_t, count)
{
	struct iov iov;
	iov_init_user(&iov, buffer, count);
	return transfer_here(WRITE, fd, &iov);
}

SYSCALL4(pread64, int, fd, user_addr_t, buffer, uint64_t, count, int64_t, offset)
{
	struct iov iov;
	iov_init_user(&iov, buffer, count);
	return transfer_at(READ, fd, &iov, offset);
}

SYSCALL4(pwrite64, int, fd, user_addr_t, buffer, uint64_t, count, int64_t, offset)
{
	struct iov iov;
	iov_init_user(&iov, buffer, count);
	return transfer_at(WRITE, fd, &iov, offset);
}

SYSCALL3(readv, int, fd, user_addr_t, vectors, uint64_t, count)
{
	struct iov iov;
	int error = iov_from_user(&iov, vectors, count);
	return error ? error : transfer_here(READ, fd, &iov);
}

SYSCALL3(writev, int, fd, user_addr_t, vectors, uint64_t, count)
{
	struct iov iov;
	int error = iov_from_user(&iov, vectors, count);
	return error ? error : transfer_here(WRITE, fd, &iov);
}

/* The fifth argument, the offset's upper half on 32-bit machines, is unused on 64-bit ones. */
SYSCALL4(preadv, int, fd, user_addr_t, vectors, uint64_t, count, int64_t, offset)
{
	struct iov iov;
	int error = iov_from_user(&iov, vectors, count);
	return error ? error : transfer_at(READ, fd, &iov, offset);
}

SYSCALL4(pwritev, int, fd, user_addr_t, vectors, uint64_t, count, int64_t, offset)
{
	struct iov iov;
	int error = iov_from_user(&iov, vectors, count);
	return error ? error : transfer_at(WRITE, fd, &iov, offset);
}

/* Flags that ask for no more than is done anyway: files are in memory. */
#define RWF_TAKEN (RWF_HIPRI | RWF_DSYNC | RWF_SYNC)

/*
 * preadv2, pwritev2: an offset of -1 is the file's own position. What a flag asks for and is not
 * done is refused.
 */
static int64_t transfer_with_flags(enum direction direction, int fd, user_addr_t vectors,
				   uint64_t count, int64_t offset, uint32_t flags)
{
	struct iov iov;
	if (flags & ~(uint32_t)RWF_TAKEN)
		return -EOPNOTSUPP;
	int error = iov_from_user(&iov, vectors, count);
	if (error)
		return error;
	return offset == -1 ? transfer_here(direction, fd, &iov)
			    : transfer_at(direction, fd, &iov, offset);
}

SYSCALL6(preadv2, int, fd, user_addr_t, vectors, uint64_t, count, int64_t, offset, uint64_t,
	 upper __unused, uint32_t, flags)
{
	return transfer_with_flags(READ, fd, vectors, count, offset, flags);
}

SYSCALL6(pwritev2, int, fd, user_addr_t, vectors, uint64_t, count, int64_t, offset, uint64_t,
	 upper __unused, uint32_t, flags)
{
	return transfer_with_flags(WRITE, fd, vectors, count, offset, flags);
}

SYSCALL3(lseek, int, fd, int64_t, offset, int, whence)
{
	struct file *file = fd_get(fd);
	if (!file)
		return -EBADF;
	int64_t result = file->ops->seek ? file->ops->seek(file, offset, whence) : -ESPIPE;
	file_put(file);
	return result;
}

void read_write_syscalls_init(void)
{
	syscall_register(SYS_read, sys_read);
	syscall_register(SYS_write, sys_write);
	syscall_register(SYS_pread64, sys_pread64);
	syscall_register(SYS_pwrite64, sys_pwrite64);
	syscall_register(SYS_readv, sys_readv);
	syscall_register(SYS_writev, sys_writev);
	syscall_register(SYS_preadv, sys_preadv);
	syscall_register(SYS_pwritev, sys_pwritev);
	syscall_register(SYS_preadv2, sys_preadv2);
	syscall_register(SYS_pwritev2, sys_pwritev2);
	syscall_register(SYS_lseek, sys_lseek);
}
