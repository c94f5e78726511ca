/*
 * eventfd(2): a counter that is written to and read from like a pipe of one number.
 */
#include "include/uapi/eventfd.h"

#include "include/uapi/fcntl.h"
#include "include/uapi/poll.h"
#include "kernel/errno.h"
#include "kernel/event/event.h"
#include "kernel/event/poll.h"
#include "kernel/fs/file.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/syscall.h"
#include "kernel/timer.h"

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
	uint64_t count;
	bool by_ones; /* EFD_SEMAPHORE: a read takes one, not all */
	struct wait_list wait;
};

static int64_t read_eventfd(struct file *file, struct iov *iov, uint64_t *position __unused)
{
	struct eventfd *event = file->private;
	if (iov->remaining < sizeof(event->count))
		return -EINVAL;
	struct thread_waiter waiter;
	int error = 0;
	thread_waiter_join(&waiter, &event->wait);
	while (!error && event->count == 0)
		error = file_nonblocking(file) ? -EAGAIN : thread_waiter_sleep(&waiter, TIME_NEVER);
	thread_waiter_leave(&waiter);
	if (event->count == 0)
		return error;
	uint64_t taken = event->by_ones ? 1 : event->count;
	event->count -= taken;
	wait_list_wake(&event->wait, POLLOUT);
	return iov_copy_to(iov, &taken, sizeof(taken)) ? -EFAULT : (int64_t)sizeof(taken);
}

static int64_t write_eventfd(struct file *file, struct iov *iov, uint64_t *position __unused)
{
	struct eventfd *event = file->private;
	uint64_t added;
	if (iov->remaining < sizeof(added))
		return -EINVAL;
	if (iov_copy_from(iov, &added, sizeof(added)))
		return -EFAULT;
	if (added > COUNT_MAX)
		return -EINVAL;
	struct thread_waiter waiter;
	int error = 0;
	thread_waiter_join(&waiter, &event->wait);
	while (!error && added > COUNT_MAX - event->count)
		error = file_nonblocking(file) ? -EAGAIN : thread_waiter_sleep(&waiter, TIME_NEVER);
	thread_waiter_leave(&waiter);
	if (added > COUNT_MAX - event->count)
		return error;
	event->count += added;
	wait_list_wake(&event->wait, POLLIN);
	return sizeof(added);
}

static uint32_t poll_eventfd(struct file *file, struct poll_table *table)
{
	struct eventfd *event = file->private;
	poll_join(table, &event->wait);
	uint32_t events = 0;
	if (event->count > 0)
		events |= POLLIN | POLLRDNORM;
	if (event->count < COUNT_MAX)
		events |= POLLOUT | POLLWRNORM;
	return events;
}

static void release_eventfd(struct file *file)
{
	struct eventfd *event = file->private;
	wait_list_close(&event->wait);
	kfree(event);
}

static const struct file_ops eventfd_file_ops = {
	.read = read_eventfd,
	.write = write_eventfd,
	.poll = poll_eventfd,
	.release = release_eventfd,
};

SYSCALL2(eventfd2, uint32_t, initial, uint32_t, flags)
{
	if (flags & ~(uint32_t)(EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC))
		return -EINVAL;
	struct eventfd *event = kzalloc(sizeof(*event));
	struct file *file = NULL;
	if (event)
		file = file_create(&eventfd_file_ops, event, O_RDWR | (flags & EFD_NONBLOCK));
	if (!file) {
		kfree(event);
		return -ENOMEM;
	}
	event->count = initial;
	event->by_ones = flags & EFD_SEMAPHORE;
	wait_list_init(&event->wait);
	int fd = fd_install(file, 0, flags & EFD_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

void eventfd_syscalls_init(void)
{
	syscall_register(SYS_eventfd2, sys_eventfd2);
}
