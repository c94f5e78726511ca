#include "kernel/event/pidfd.h"
#include "kernel/event/event.h"

#include "include/uapi/fcntl.h"
#include "include/uapi/poll.h"
#include "kernel/errno.h"
#include "kernel/fs/file.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/signal/signal_pending.h"
#include "kernel/syscall.h"

#define PIDFD_NONBLOCK O_NONBLOCK

struct pidfd {
	struct list_head link;   /* process->pidfds */
	struct process *process; /* NULL: nothing is left of it */
	struct wait_list wait;
};

void pidfds_tell_end(struct process *process)
{
	struct pidfd *pidfd;

	list_for_each_entry(pidfd, &process->pidfds, link)
		wait_list_wake(&pidfd->wait, POLLIN);
}

void pidfds_forget(struct process *process)
{
	struct pidfd *pidfd, *following;

	list_for_each_entry_safe(pidfd, following, &process->pidfds, link) {
		list_remove(&pidfd->link);
		pidfd->process = NULL;
		wait_list_wake(&pidfd->wait, POLLIN);
	}
}

static uint32_t poll_pidfd(struct file *file, struct poll_table *table)
{
	struct pidfd *pidfd = file->private;

	poll_join(table, &pidfd->wait);
	return !pidfd->process || pidfd->process->zombie ? POLLIN | POLLRDNORM : 0;
}

static void release_pidfd(struct file *file)
{
	struct pidfd *pidfd = file->private;

	list_remove(&pidfd->link);
	wait_list_close(&pidfd->wait);
	kfree(pidfd);
}

static const struct file_ops pidfd_file_ops = {
	.poll = poll_pidfd,
	.release = release_pidfd,
};

int32_t pidfd_pid(int fd)
{
	struct file *file = fd_get(fd);
	int32_t pid = -EBADF;

	if (file && file->ops == &pidfd_file_ops) {
		const struct pidfd *pidfd = file->private;

		pid = pidfd->process ? pidfd->process->pid : -ECHILD;
	}
	file_put(file);
	return pid;
}

bool pidfd_nonblocking(int fd)
{
	struct file *file = fd_get(fd);
	bool nonblocking = file && file_nonblocking(file);

	file_put(file);
	return nonblocking;
}

SYSCALL2(pidfd_open, int32_t, pid, uint32_t, flags)
{
	struct process *process;
	struct pidfd *pidfd;
	struct file *file;
	int fd;

	if (flags & ~(uint32_t)PIDFD_NONBLOCK || pid <= 0)
		return -EINVAL;
	process = process_find(pid);
	if (!process)
		return thread_find(pid) ? -EINVAL : -ESRCH;
	pidfd = kzalloc(sizeof(*pidfd));
	file = pidfd ? file_create(&pidfd_file_ops, pidfd, O_RDWR | flags) : NULL;
	if (!file) {
		kfree(pidfd);
		return -ENOMEM;
	}
	pidfd->process = process;
	wait_list_init(&pidfd->wait);
	list_append(&process->pidfds, &pidfd->link);
	fd = fd_install(file, 0, true);
	if (fd < 0)
		file_put(file);
	return fd;
}

SYSCALL4(pidfd_send_signal, int, fd, int, signal, user_addr_t, info_from, uint32_t, flags)
{
	int32_t pid;

	if (flags)
		return -EINVAL;
	pid = pidfd_pid(fd);
	if (pid < 0)
		return pid == -ECHILD ? -ESRCH : pid;
	return signal_kill_process(pid, signal, info_from);
}

void pidfd_syscalls_init(void)
{
	syscall_register(SYS_pidfd_open, sys_pidfd_open);
	syscall_register(SYS_pidfd_send_signal, sys_pidfd_send_signal);
}
