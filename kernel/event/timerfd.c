/*
 * timerfd_create(2): a timer that is read and polled like a file.
 */
#include "include/uapi/timerfd.h"

#include "include/uapi/fcntl.h"
#include "include/uapi/poll.h"
#include "kernel/errno.h"
#include "kernel/event/event.h"
#include "kernel/event/poll.h"
#include "kernel/fs/file.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/syscall.h"
#include "kernel/time/interval.h"
#include "kernel/user.h"

struct timerfd {
	struct interval_timer timer;
	struct wait_list wait;
	bool cancel_on_set; /* TFD_TIMER_CANCEL_ON_SET, and it follows the date */
	bool cancelled;     /* the date was set: the next read says so */
};

static void timer_expired(struct interval_timer *timer)
{
	wait_list_wake(&container_of(timer, struct timerfd, timer)->wait, POLLIN);
}

static void date_set(struct interval_timer *timer)
{
	struct timerfd *timerfd = container_of(timer, struct timerfd, timer);

	if (!timerfd->cancel_on_set)
		return;
	timerfd->cancelled = true;
	wait_list_wake(&timerfd->wait, POLLIN);
}

static bool is_ready(const struct timerfd *timerfd)
{
	return timerfd->cancelled || interval_timer_due(&timerfd->timer);
}

static int64_t read_timerfd(struct file *file, struct iov *iov, uint64_t *position __unused)
{
	struct timerfd *timerfd = file->private;
	uint64_t count;
	struct thread_waiter waiter;
	int error = 0;

	if (iov->remaining < sizeof(count))
		return -EINVAL;
	thread_waiter_join(&waiter, &timerfd->wait);
	while (!error && !is_ready(timerfd))
		error = file_nonblocking(file) ? -EAGAIN : thread_waiter_sleep(&waiter, TIME_NEVER);
	thread_waiter_leave(&waiter);
	if (timerfd->cancelled) {
		timerfd->cancelled = false;
		return -ECANCELED;
	}
	count = interval_timer_take(&timerfd->timer, 0);
	if (count == 0)
		return error;
	return iov_copy_to(iov, &count, sizeof(count)) ? -EFAULT : (int64_t)sizeof(count);
}

static uint32_t poll_timerfd(struct file *file, struct poll_table *table)
{
	struct timerfd *timerfd = file->private;

	poll_join(table, &timerfd->wait);
	return is_ready(timerfd) ? POLLIN | POLLRDNORM : 0;
}

static void release_timerfd(struct file *file)
{
	struct timerfd *timerfd = file->private;

	interval_timer_stop(&timerfd->timer);
	wait_list_close(&timerfd->wait);
	kfree(timerfd);
}

static const struct file_ops timerfd_file_ops = {
	.read = read_timerfd,
	.poll = poll_timerfd,
	.release = release_timerfd,
};

SYSCALL2(timerfd_create, int32_t, clock, uint32_t, flags)
{
	struct timerfd *timerfd;
	struct file *file;
	int fd;

	if (flags & ~(uint32_t)(TFD_NONBLOCK | TFD_CLOEXEC) || !interval_clock_valid(clock))
		return -EINVAL;
	timerfd = kzalloc(sizeof(*timerfd));
	file = timerfd ? file_create(&timerfd_file_ops, timerfd, O_RDWR | (flags & TFD_NONBLOCK))
		       : NULL;
	if (!file) {
		kfree(timerfd);
		return -ENOMEM;
	}
	interval_timer_init(&timerfd->timer, clock, timer_expired);
	timerfd->timer.date_set = date_set;
	wait_list_init(&timerfd->wait);
	fd = fd_install(file, 0, flags & TFD_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

/* The timer behind `fd`, and the file with a reference. 0, -EBADF or -EINVAL. */
static int find_timer(int fd, struct file **file, struct timerfd **timerfd)
{
	*file = fd_get(fd);
	if (!*file)
		return -EBADF;
	*timerfd = (*file)->private;
	if ((*file)->ops == &timerfd_file_ops)
		return 0;
	file_put(*file);
	return -EINVAL;
}

SYSCALL4(timerfd_settime, int, fd, uint32_t, flags, user_addr_t, from, user_addr_t, old_to)
{
	struct itimerspec value, old;
	struct timerfd *timerfd;
	struct file *file;
	int error;

	if (copy_from_user(&value, from, sizeof(value)))
		return -EFAULT;
	if (flags & ~(uint32_t)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) ||
	    !interval_value_valid(&value))
		return -EINVAL;
	error = find_timer(fd, &file, &timerfd);
	if (error)
		return error;
	old = interval_timer_value(&timerfd->timer);
	interval_timer_set(&timerfd->timer, flags & TFD_TIMER_ABSTIME, &value);
	timerfd->cancelled = false;
	timerfd->cancel_on_set = flags & TFD_TIMER_CANCEL_ON_SET;
	file_put(file);
	return old_to ? copy_to_user(old_to, &old, sizeof(old)) : 0;
}

SYSCALL2(timerfd_gettime, int, fd, user_addr_t, to)
{
	struct itimerspec value;
	struct timerfd *timerfd;
	struct file *file;
	int error = find_timer(fd, &file, &timerfd);

	if (error)
		return error;
	value = interval_timer_value(&timerfd->timer);
	file_put(file);
	return copy_to_user(to, &value, sizeof(value));
}

void timerfd_syscalls_init(void)
{
	syscall_register(SYS_timerfd_create, sys_timerfd_create);
	syscall_register(SYS_timerfd_settime, sys_timerfd_settime);
	syscall_register(SYS_timerfd_gettime, sys_timerfd_gettime);
}
