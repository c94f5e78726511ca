/*
 * signalfd(2): signals that are blocked, read like a file. Whoever reads takes his own.
 */
#include "include/uapi/signalfd.h"

#include "include/uapi/fcntl.h"
#include "include/uapi/poll.h"
#include "kernel/errno.h"
#include "kernel/event/event.h"
#include "kernel/event/poll.h"
#include "kernel/fs/file.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/signal/signal_pending.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

#define MASK_SIZE sizeof(uint64_t)

struct signalfd {
	uint64_t set;
};

static struct signalfd_siginfo describe(const struct siginfo *info)
{
	struct signalfd_siginfo record = {
		.ssi_signo = (uint32_t)info->si_signo,
		.ssi_errno = info->si_errno,
		.ssi_code = info->si_code,
	};

	if (info->si_code == SI_TIMER) {
		record.ssi_tid = (uint32_t)info->si_timerid;
		record.ssi_overrun = (uint32_t)info->si_overrun;
		record.ssi_ptr = info->si_value;
		record.ssi_int = (int32_t)info->si_value;
		return record;
	}
	record.ssi_pid = (uint32_t)info->si_pid;
	record.ssi_uid = info->si_uid;
	if (info->si_signo == SIGCHLD && info->si_code > 0) {
		record.ssi_status = info->si_status;
		record.ssi_utime = (uint64_t)info->si_utime;
		record.ssi_stime = (uint64_t)info->si_stime;
	} else if (info->si_code < 0) {
		record.ssi_ptr = info->si_value;
		record.ssi_int = (int32_t)info->si_value;
	}
	return record;
}

/* As many signals as are pending and fit. Bytes, or -EFAULT. */
static int64_t take_signals(const struct signalfd *signalfd, struct iov *iov)
{
	struct signalfd_siginfo record;
	struct siginfo info;
	int64_t done = 0;

	while (iov->remaining >= sizeof(record) && signal_take(signalfd->set, &info)) {
		record = describe(&info);
		if (iov_copy_to(iov, &record, sizeof(record)))
			return done ? done : -EFAULT;
		done += (int64_t)sizeof(record);
	}
	return done;
}

static int64_t read_signalfd(struct file *file, struct iov *iov, uint64_t *position __unused)
{
	struct signalfd *signalfd = file->private;
	struct thread_waiter waiter;
	int64_t done;
	int error = 0;

	if (iov->remaining < sizeof(struct signalfd_siginfo))
		return -EINVAL;
	thread_waiter_join(&waiter, &current_process()->signal_wait);
	while ((done = take_signals(signalfd, iov)) == 0 && !error)
		error = file_nonblocking(file) ? -EAGAIN : thread_waiter_sleep(&waiter, TIME_NEVER);
	thread_waiter_leave(&waiter);
	return done ? done : error;
}

static uint32_t poll_signalfd(struct file *file, struct poll_table *table)
{
	const struct signalfd *signalfd = file->private;

	poll_join(table, &current_process()->signal_wait);
	return signal_pending_set() & signalfd->set ? POLLIN | POLLRDNORM : 0;
}

static void release_signalfd(struct file *file)
{
	kfree(file->private);
}

static const struct file_ops signalfd_file_ops = {
	.read = read_signalfd,
	.poll = poll_signalfd,
	.release = release_signalfd,
};

static int64_t change_set(int fd, uint64_t set)
{
	struct file *file = fd_get(fd);
	bool is_signalfd = file && file->ops == &signalfd_file_ops;

	if (!file)
		return -EBADF;
	if (is_signalfd) {
		((struct signalfd *)file->private)->set = set;
		wait_list_wake(&current_process()->signal_wait, POLLIN);
	}
	file_put(file);
	return is_signalfd ? fd : -EINVAL;
}

SYSCALL4(signalfd4, int, fd, user_addr_t, mask_from, uint64_t, mask_size, uint32_t, flags)
{
	struct signalfd *signalfd;
	struct file *file;
	uint64_t set;

	if (mask_size != MASK_SIZE || flags & ~(uint32_t)(SFD_NONBLOCK | SFD_CLOEXEC))
		return -EINVAL;
	if (copy_from_user(&set, mask_from, sizeof(set)))
		return -EFAULT;
	set &= ~SIGNALS_UNBLOCKABLE;
	if (fd != -1)
		return change_set(fd, set);
	signalfd = kzalloc(sizeof(*signalfd));
	file = signalfd ? file_create(&signalfd_file_ops, signalfd, O_RDWR | (flags & SFD_NONBLOCK))
			: NULL;
	if (!file) {
		kfree(signalfd);
		return -ENOMEM;
	}
	signalfd->set = set;
	fd = fd_install(file, 0, flags & SFD_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

void signalfd_syscalls_init(void)
{
	syscall_register(SYS_signalfd4, sys_signalfd4);
}
