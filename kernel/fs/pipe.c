/*
 * Pipes, pipe(7): at most 64 KiB in a ring of pages that are allocated as bytes arrive.
 *
 * A pipe hangs on an inode of kind S_IFIFO, with a name (mknod) or without one (pipe2), and lives
 * while one of its ends is open.
 */
#include "kernel/fs/pipe.h"

#include "include/uapi/fcntl.h"
#include "include/uapi/ioctl.h"
#include "include/uapi/poll.h"
#include "include/uapi/signal.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page.h"
#include "kernel/proc/process.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"
#include "kernel/timer.h"
#include "kernel/user.h"

#define PIPE_PAGES (PIPE_SIZE_MAX / PAGE_SIZE)

struct pipe {
	struct page *pages[PIPE_PAGES];      /* NULL where no byte waits */
	uint64_t read_at, write_at;          /* bytes taken and put since the beginning */
	uint32_t size;                       /* how many bytes it holds */
	uint32_t readers, writers;           /* open files of each kind */
	uint64_t reader_opens, writer_opens; /* ever: what an opening of a named pipe waits for */
	struct wait_list wait;
};

static uint64_t bytes_waiting(const struct pipe *pipe)
{
	return pipe->write_at - pipe->read_at;
}

/*
 * The page that is being read is not written to before it has been left: a part of it may be on its
 * way still, as it stands (splice).
 */
static uint64_t room(const struct pipe *pipe)
{
	uint64_t in_ring = pipe->write_at - ALIGN_DOWN(pipe->read_at, PAGE_SIZE);
	return MIN(pipe->size - bytes_waiting(pipe), PIPE_SIZE_MAX - in_ring);
}

static struct page **slot(struct pipe *pipe, uint64_t position)
{
	return &pipe->pages[position / PAGE_SIZE % PIPE_PAGES];
}

/*
 * `n` bytes of the page at read_at have been read. Gives the page back when it has been left; an
 * empty pipe goes on with a new page, or with that one if nobody else has it, so that all its room
 * is there again.
 */
static void advance(struct pipe *pipe, uint64_t n)
{
	struct page **left = slot(pipe, pipe->read_at);
	struct page *page = *left;
	pipe->read_at += n;
	bool empty = bytes_waiting(pipe) == 0;
	if (!empty && pipe->read_at % PAGE_SIZE != 0)
		return;
	*left = NULL;
	if (empty)
		pipe->read_at = pipe->write_at = ALIGN_UP(pipe->read_at, PAGE_SIZE);
	if (empty && page->references == 1)
		*slot(pipe, pipe->write_at) = page;
	else
		page_put(page);
}

/* Copies out what is there. Bytes or -EFAULT. */
static int64_t take(struct pipe *pipe, struct iov *iov)
{
	int64_t done = 0;
	while (iov->remaining > 0 && bytes_waiting(pipe) > 0) {
		uint64_t in_page = pipe->read_at % PAGE_SIZE;
		uint64_t part = MIN(MIN(iov->remaining, bytes_waiting(pipe)), PAGE_SIZE - in_page);
		char *bytes = page_address(*slot(pipe, pipe->read_at));
		if (iov_copy_to(iov, bytes + in_page, part))
			return done ? done : -EFAULT;
		advance(pipe, part);
		done += (int64_t)part;
	}
	return done;
}

/* Copies in what there is room for. Bytes, -EFAULT or -ENOMEM. */
static int64_t put(struct pipe *pipe, struct iov *iov)
{
	int64_t done = 0;
	while (iov->remaining > 0 && room(pipe) > 0) {
		uint64_t in_page = pipe->write_at % PAGE_SIZE;
		uint64_t part = MIN(MIN(iov->remaining, room(pipe)), PAGE_SIZE - in_page);
		struct page **page = slot(pipe, pipe->write_at);
		if (!*page && !(*page = page_alloc()))
			return done ? done : -ENOMEM;
		if (iov_copy_from(iov, (char *)page_address(*page) + in_page, part))
			return done ? done : -EFAULT;
		pipe->write_at += part;
		done += (int64_t)part;
	}
	return done;
}

/* One round of sleeping for a change. `error` of -EAGAIN when the file must not sleep. */
static int sleep_for_change(struct file *file, struct thread_waiter *waiter)
{
	if (file_nonblocking(file))
		return -EAGAIN;
	return thread_waiter_sleep(waiter, TIME_NEVER);
}

static int64_t read_pipe(struct file *file, struct iov *iov, uint64_t *position __unused)
{
	struct pipe *pipe = file->private;
	if (iov->remaining == 0)
		return 0;
	struct thread_waiter waiter;
	int64_t result = 0;
	thread_waiter_join(&waiter, &pipe->wait);
	while (!result && bytes_waiting(pipe) == 0 && pipe->writers > 0)
		result = sleep_for_change(file, &waiter);
	thread_waiter_leave(&waiter);
	if (result && bytes_waiting(pipe) == 0)
		return result;
	result = take(pipe, iov);
	if (result > 0)
		wait_list_wake(&pipe->wait, POLLOUT);
	return result;
}

int64_t pipe_peek(struct file *file, bool nonblock, struct pipe_bytes *bytes)
{
	struct pipe *pipe = file->private;
	struct thread_waiter waiter;
	int64_t error = 0;
	thread_waiter_join(&waiter, &pipe->wait);
	while (!error && bytes_waiting(pipe) == 0 && pipe->writers > 0)
		error = nonblock ? -EAGAIN : sleep_for_change(file, &waiter);
	thread_waiter_leave(&waiter);
	if (bytes_waiting(pipe) == 0)
		return error;
	bytes->waiting = bytes_waiting(pipe);
	bytes->at = pipe->read_at;
	bytes->page = *slot(pipe, bytes->at);
	bytes->offset = (uint32_t)(bytes->at % PAGE_SIZE);
	bytes->length = (uint32_t)MIN(bytes_waiting(pipe), PAGE_SIZE - bytes->offset);
	page_get(bytes->page);
	return bytes->length;
}

void pipe_take_peeked(struct file *file, struct pipe_bytes *bytes, uint64_t n)
{
	struct pipe *pipe = file->private;
	page_put(bytes->page);
	if (n == 0 || pipe->read_at != bytes->at)
		return;
	advance(pipe, n);
	wait_list_wake(&pipe->wait, POLLOUT);
}

static int nobody_reads(void)
{
	signal_send_process(current_process(), SIGPIPE);
	return -EPIPE;
}

int64_t pipe_wait_room(struct file *file, bool nonblock)
{
	struct pipe *pipe = file->private;
	struct thread_waiter waiter;
	int64_t error = 0;
	thread_waiter_join(&waiter, &pipe->wait);
	while (!error && room(pipe) == 0 && pipe->readers > 0)
		error = nonblock ? -EAGAIN : sleep_for_change(file, &waiter);
	thread_waiter_leave(&waiter);
	if (pipe->readers == 0)
		return nobody_reads();
	return room(pipe) ? (int64_t)room(pipe) : error;
}

int64_t pipe_copy(struct file *from_file, struct file *to_file, uint64_t n)
{
	struct pipe *from = from_file->private, *to = to_file->private;
	uint64_t at = from->read_at;
	int64_t done = 0, part = 1;
	n = MIN(n, MIN(bytes_waiting(from), room(to)));
	while (part > 0 && (uint64_t)done < n) {
		uint64_t in_page = at % PAGE_SIZE;
		struct iov iov;
		iov_init_kernel(&iov, (char *)page_address(*slot(from, at)) + in_page,
				MIN(n - (uint64_t)done, PAGE_SIZE - in_page));
		part = put(to, &iov);
		if (part > 0) {
			at += (uint64_t)part;
			done += part;
		}
	}
	if (done)
		wait_list_wake(&to->wait, POLLIN);
	return done ? done : MIN(part, 0);
}

/* Writes all, sleeping as needed; what fits PIPE_BUF goes in whole. */
static int64_t write_all(struct file *file, struct pipe *pipe, struct iov *iov)
{
	uint64_t needed = iov->remaining <= PIPE_BUF ? iov->remaining : 1;
	struct thread_waiter waiter;
	int64_t done = 0, error = 0;
	thread_waiter_join(&waiter, &pipe->wait);
	while (!error && iov->remaining > 0) {
		if (pipe->readers == 0) {
			error = nobody_reads();
		} else if (room(pipe) < needed) {
			error = sleep_for_change(file, &waiter);
		} else {
			int64_t part = put(pipe, iov);
			if (part < 0)
				error = part;
			else
				done += part;
			wait_list_wake(&pipe->wait, POLLIN);
		}
	}
	thread_waiter_leave(&waiter);
	return done ? done : error;
}

static int64_t write_pipe(struct file *file, struct iov *iov, uint64_t *position __unused)
{
	if (iov->remaining == 0)
		return 0;
	return write_all(file, file->private, iov);
}

static uint32_t poll_pipe(struct file *file, struct poll_table *table)
{
	struct pipe *pipe = file->private;
	uint32_t access = file->flags & O_ACCMODE, events = 0;
	poll_join(table, &pipe->wait);
	if (access != O_WRONLY) {
		if (bytes_waiting(pipe) > 0)
			events |= POLLIN | POLLRDNORM;
		if (pipe->writers == 0 && pipe->writer_opens > 0)
			events |= POLLHUP;
	}
	if (access != O_RDONLY) {
		if (room(pipe) >= PIPE_BUF)
			events |= POLLOUT | POLLWRNORM;
		if (pipe->readers == 0)
			events |= POLLERR;
	}
	return events;
}

static int64_t ioctl_pipe(struct file *file, uint32_t command, uint64_t argument)
{
	struct pipe *pipe = file->private;
	if (command != FIONREAD)
		return -ENOTTY;
	int32_t waiting = (int32_t)bytes_waiting(pipe);
	return copy_to_user(argument, &waiting, sizeof(waiting));
}

static void release_pipe(struct file *file)
{
	struct pipe *pipe = file->private;
	uint32_t access = file->flags & O_ACCMODE;
	if (access != O_WRONLY)
		pipe->readers--;
	if (access != O_RDONLY)
		pipe->writers--;
	if (pipe->readers > 0 || pipe->writers > 0) {
		wait_list_wake(&pipe->wait, POLLIN | POLLOUT | POLLHUP | POLLERR);
		return;
	}
	wait_list_close(&pipe->wait);
	for (uint32_t i = 0; i < PIPE_PAGES; i++)
		if (pipe->pages[i])
			page_put(pipe->pages[i]);
	file->inode->private = NULL;
	kfree(pipe);
}

static uint64_t held_by_pipe(const struct file *file)
{
	const struct pipe *pipe = file->private;
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < PIPE_PAGES; i++)
		bytes += pipe->pages[i] ? PAGE_SIZE : 0;
	return bytes;
}

static const struct file_ops pipe_file_ops = {
	.read = read_pipe,
	.write = write_pipe,
	.poll = poll_pipe,
	.ioctl = ioctl_pipe,
	.held = held_by_pipe,
	.release = release_pipe,
};

int64_t pipe_size(const struct file *file)
{
	const struct pipe *pipe = file->private;
	return file->ops == &pipe_file_ops ? (int64_t)pipe->size : -EBADF;
}

int64_t pipe_resize(struct file *file, uint32_t least)
{
	struct pipe *pipe = file->private;
	uint32_t size = PAGE_SIZE;
	if (file->ops != &pipe_file_ops)
		return -EBADF;
	if (least > PIPE_SIZE_MAX)
		return -EPERM;
	while (size < least)
		size *= 2;
	if (size < bytes_waiting(pipe))
		return -EBUSY;
	pipe->size = size;
	wait_list_wake(&pipe->wait, POLLOUT);
	return size;
}

/* Makes the file an end of the inode's pipe. */
static int attach(struct inode *inode, struct file *file)
{
	struct pipe *pipe = inode->private;
	if (!pipe) {
		pipe = kzalloc(sizeof(*pipe));
		if (!pipe)
			return -ENOMEM;
		pipe->size = PIPE_SIZE_MAX;
		wait_list_init(&pipe->wait);
		inode->private = pipe;
	}
	uint32_t access = file->flags & O_ACCMODE;
	if (access != O_WRONLY) {
		pipe->readers++;
		pipe->reader_opens++;
	}
	if (access != O_RDONLY) {
		pipe->writers++;
		pipe->writer_opens++;
	}
	file->ops = &pipe_file_ops;
	file->private = pipe;
	wait_list_wake(&pipe->wait, POLLIN | POLLOUT);
	return 0;
}

/* Sleeps until the other end is open, or was opened meanwhile. */
static int wait_for_other_end(struct pipe *pipe, bool reading)
{
	uint32_t *others = reading ? &pipe->writers : &pipe->readers;
	uint64_t *opens = reading ? &pipe->writer_opens : &pipe->reader_opens;
	uint64_t opens_before = *opens;
	struct thread_waiter waiter;
	int error = 0;
	thread_waiter_join(&waiter, &pipe->wait);
	while (!error && *others == 0 && *opens == opens_before)
		error = thread_waiter_sleep(&waiter, TIME_NEVER);
	thread_waiter_leave(&waiter);
	return error;
}

int pipe_open(struct inode *inode, struct file *file)
{
	struct pipe *existing = inode->private;
	uint32_t access = file->flags & O_ACCMODE;
	/*
	 * One without a name, opened again through /proc/PID/fd, has had both ends: nobody waits.
	 */
	bool waits = inode->filesystem != FILESYSTEM_PIPE;
	if (waits && access == O_WRONLY && file_nonblocking(file) &&
	    (!existing || existing->readers == 0))
		return -ENXIO;
	int error = attach(inode, file);
	if (error || !waits || access == O_RDWR || file_nonblocking(file))
		return error;
	error = wait_for_other_end(file->private, access == O_RDONLY);
	if (error)
		release_pipe(file);
	return error;
}

/* One end of a fresh pipe, or NULL. */
static struct file *open_end(struct inode *inode, uint32_t flags)
{
	struct file *file = file_create(&pipe_file_ops, NULL, flags);
	if (!file)
		return NULL;
	file->inode = inode_get(inode);
	if (attach(inode, file)) {
		inode_put(inode);
		kfree(file);
		return NULL;
	}
	return file;
}

/* Both ends. 0 or -ENFILE. */
static int create_pipe(struct file *ends[2], uint32_t flags)
{
	struct inode *inode = inode_create(FILESYSTEM_PIPE, S_IFIFO | 0600);
	if (!inode)
		return -ENFILE;
	inode->links = 1;
	ends[0] = open_end(inode, O_RDONLY | flags);
	ends[1] = ends[0] ? open_end(inode, O_WRONLY | flags) : NULL;
	inode_put(inode);
	if (ends[1])
		return 0;
	file_put(ends[0]);
	return -ENFILE;
}

/* Gives both ends descriptors; owns the files. */
static int install_pipe(struct file *ends[2], int32_t fds[2], bool close_on_exec)
{
	fds[0] = fd_install(ends[0], 0, close_on_exec);
	if (fds[0] < 0) {
		file_put(ends[0]);
		file_put(ends[1]);
		return fds[0];
	}
	fds[1] = fd_install(ends[1], 0, close_on_exec);
	if (fds[1] < 0) {
		fd_close(fds[0]);
		file_put(ends[1]);
		return fds[1];
	}
	return 0;
}

SYSCALL2(pipe2, user_addr_t, to, uint32_t, flags)
{
	if (flags & ~(uint32_t)(O_NONBLOCK | O_CLOEXEC | O_DIRECT))
		return -EINVAL;
	if (flags & O_DIRECT)
		return -EINVAL; /* packet mode is not there */
	struct file *ends[2];
	int32_t fds[2];
	int error = create_pipe(ends, flags & O_NONBLOCK);
	if (!error)
		error = install_pipe(ends, fds, flags & O_CLOEXEC);
	if (error)
		return error;
	if (copy_to_user(to, fds, sizeof(fds))) {
		fd_close(fds[0]);
		fd_close(fds[1]);
		return -EFAULT;
	}
	return 0;
}

void pipe_syscalls_init(void)
{
	syscall_register(SYS_pipe2, sys_pipe2);
}
