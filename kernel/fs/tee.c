/*
 * tee(2): what waits in one pipe is copied into another, and stays.
 */
#include "include/uapi/fcntl.h"
#include "kernel/errno.h"
#include "kernel/fs/file.h"
#include "kernel/fs/pipe.h"
#include "kernel/mm/page.h"
#include "kernel/syscall.h"

#define TEE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

static bool is_end(const struct file *file, uint32_t wrong_access)
{
	return (file->flags & O_ACCMODE) != wrong_access;
}

/*
 * Sleeps until there are bytes in one and room in the other. 1, 0 at the end, or a negative errno.
 */
static int64_t wait_for_both(struct file *from, struct file *to, bool nonblock)
{
	struct pipe_bytes bytes;
	int64_t waiting = pipe_peek(from, nonblock, &bytes);

	if (waiting <= 0)
		return waiting;
	pipe_take_peeked(from, &bytes, 0);
	return MIN(pipe_wait_room(to, nonblock), 1);
}

static int64_t tee(struct file *from, struct file *to, uint64_t n, bool nonblock)
{
	int64_t result;

	if (!is_end(from, O_WRONLY) || !is_end(to, O_RDONLY))
		return -EBADF;
	if (pipe_size(from) < 0 || pipe_size(to) < 0 || from->private == to->private)
		return -EINVAL;
	if (n == 0)
		return 0;
	/* While the one was waited for, the other may have changed. */
	do {
		result = wait_for_both(from, to, nonblock);
		if (result > 0)
			result = pipe_copy(from, to, n);
		else
			return result;
	} while (result == 0);
	return result;
}

SYSCALL4(tee, int, from_fd, int, to_fd, uint64_t, n, uint32_t, flags)
{
	if (flags & ~(uint32_t)TEE_FLAGS)
		return -EINVAL;
	struct file *from = fd_get(from_fd), *to = fd_get(to_fd);
	int64_t result = -EBADF;

	if (from && to)
		result = tee(from, to, n,
			     flags & SPLICE_F_NONBLOCK || file_nonblocking(from) ||
				     file_nonblocking(to));
	file_put(from);
	file_put(to);
	return result;
}

void tee_syscalls_init(void)
{
	syscall_register(SYS_tee, sys_tee);
}
