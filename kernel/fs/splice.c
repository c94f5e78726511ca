/*
 * splice(2): bytes between a pipe and another file. What comes out of a pipe is handed on as the
 * page it stands in, which a socket may send without copying it.
 */
#include "include/uapi/fcntl.h"
#include "include/uapi/poll.h"
#include "kernel/errno.h"
#include "kernel/fs/file.h"
#include "kernel/fs/pipe.h"
#include "kernel/mm/page.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

/* One end of the transfer: the file's own position, or the caller's. */
struct splice_end {
	struct file *file;
	user_addr_t offset_at; /* 0: the file's own */
	uint64_t position;
};

static bool is_pipe(const struct file *file)
{
	return pipe_size(file) > 0;
}

static int64_t hand_on(struct splice_end *to, const struct pipe_bytes *bytes, uint32_t length,
		       bool more)
{
	struct file *file = to->file;
	struct iov iov;

	if (file->ops->write_page)
		return file->ops->write_page(file, bytes->page, bytes->offset, length, more);
	iov_init_kernel(&iov, (char *)page_address(bytes->page) + bytes->offset, length);
	return file_write(file, &iov, &to->position);
}

/* As much as one page of the pipe has. Bytes, 0 at the end, or a negative errno. */
static int64_t from_pipe(struct file *pipe, struct splice_end *to, uint64_t n, uint32_t flags,
			 bool nonblock)
{
	struct pipe_bytes bytes;
	int64_t waiting = pipe_peek(pipe, nonblock, &bytes);

	if (waiting <= 0)
		return waiting;
	uint32_t length = (uint32_t)MIN(n, (uint64_t)waiting);
	bool more = flags & SPLICE_F_MORE || (length < n && length < bytes.waiting);
	int64_t done = hand_on(to, &bytes, length, more);

	pipe_take_peeked(pipe, &bytes, done > 0 ? (uint64_t)done : 0);
	return done;
}

/* As much as fits the pipe and a page. */
static int64_t to_pipe(struct splice_end *from, struct file *pipe, uint64_t n, bool nonblock)
{
	struct iov iov;
	uint64_t position = 0;
	int64_t done = pipe_wait_room(pipe, nonblock);

	if (done <= 0)
		return done;
	/* Behind an urgent byte there may be more, but nothing is waited for: as Linux has it. */
	if ((file_poll(from->file, NULL) & (POLLIN | POLLPRI)) == POLLPRI)
		return 0;
	struct page *page = page_alloc();

	if (!page)
		return -ENOMEM;
	iov_init_kernel(&iov, page_address(page), MIN(MIN(n, (uint64_t)done), PAGE_SIZE));
	done = file_read(from->file, &iov, &from->position);
	if (done > 0) {
		iov_init_kernel(&iov, page_address(page), (size_t)done);
		done = file_write(pipe, &iov, &position);
	}
	page_put(page);
	return done;
}

/* Until `n` bytes are over; having moved some, it does not wait for more. */
static int64_t move(struct splice_end *from, struct splice_end *to, uint64_t n, uint32_t flags)
{
	bool nonblock = flags & SPLICE_F_NONBLOCK;
	uint64_t done = 0;
	int64_t part = 0;

	while (done < n) {
		part = is_pipe(from->file)
			       ? from_pipe(from->file, to, n - done, flags, nonblock || done)
			       : to_pipe(from, to->file, n - done, nonblock || done);
		if (part <= 0)
			break;
		done += (uint64_t)part;
		if (!(file_poll(from->file, NULL) & POLLIN))
			break;
	}
	return done ? (int64_t)done : part;
}

/* 0, -ESPIPE, -EINVAL or -EFAULT. */
static int begin(struct splice_end *end)
{
	int64_t offset;

	end->position = end->file->position;
	if (!end->offset_at)
		return 0;
	if (is_pipe(end->file))
		return -ESPIPE;
	if (!end->file->ops->seek)
		return -EINVAL;
	if (copy_from_user(&offset, end->offset_at, sizeof(offset)))
		return -EFAULT;
	end->position = (uint64_t)offset;
	return offset < 0 ? -EINVAL : 0;
}

static int finish(struct splice_end *end)
{
	if (end->offset_at)
		return copy_to_user(end->offset_at, &end->position, sizeof(end->position));
	end->file->position = end->position;
	return 0;
}

static int64_t splice(struct splice_end *from, struct splice_end *to, uint64_t n, uint32_t flags)
{
	if ((from->file->flags & O_ACCMODE) == O_WRONLY ||
	    (to->file->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if ((!is_pipe(from->file) && !is_pipe(to->file)) || to->file->flags & O_APPEND ||
	    from->file->private == to->file->private)
		return -EINVAL;
	int64_t result = begin(from);

	if (!result)
		result = begin(to);
	if (result)
		return result;
	result = move(from, to, n, flags);
	if (result > 0 && (finish(from) || finish(to)))
		return -EFAULT;
	return result;
}

SYSCALL6(splice, int, from_fd, user_addr_t, from_offset, int, to_fd, user_addr_t, to_offset,
	 uint64_t, n, uint32_t, flags)
{
	if (flags & ~(uint32_t)SPLICE_FLAGS)
		return -EINVAL;
	struct splice_end from = {.file = fd_get(from_fd), .offset_at = from_offset};
	struct splice_end to = {.file = fd_get(to_fd), .offset_at = to_offset};
	int64_t result = from.file && to.file ? splice(&from, &to, n, flags) : -EBADF;

	file_put(from.file);
	file_put(to.file);
	return result;
}

void splice_syscalls_init(void)
{
	syscall_register(SYS_splice, sys_splice);
}
