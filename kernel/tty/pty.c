#include "kernel/tty/pty.h"

#include "include/uapi/fcntl.h"
#include "include/uapi/ioctl.h"
#include "include/uapi/poll.h"
#include "kernel/errno.h"
#include "kernel/fs/devfs.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/softirq.h"
#include "kernel/string.h"
#include "kernel/timer.h"
#include "kernel/user.h"

#define CHUNK 256 /* bytes typed at a time */

/* TIOCGPTPEER's that only matter while opening. */
#define OPENING_FLAGS ((uint32_t)(O_NOCTTY | O_CLOEXEC))

static struct pty *pty_of(struct tty *tty)
{
	return container_of(tty, struct pty, tty);
}

/* The terminal: what programs write goes into the ring. */

static size_t waiting_output(const struct pty *pty)
{
	return pty->head - pty->tail;
}

static size_t ring_space(const struct pty *pty)
{
	return PTY_OUTPUT - waiting_output(pty);
}

static size_t terminal_room(struct tty *tty)
{
	size_t space = ring_space(pty_of(tty));
	return space > PTY_ECHO_ROOM ? space - PTY_ECHO_ROOM : 0;
}

static void terminal_write(struct tty *tty, const uint8_t *bytes, size_t n)
{
	struct pty *pty = pty_of(tty);
	n = MIN(n, ring_space(pty));
	for (size_t i = 0; i < n; i++)
		pty->output[pty->head++ % PTY_OUTPUT] = bytes[i];
	if (n > 0)
		wait_list_wake(&pty->waiting, POLLIN);
}

/* What is in the ring has arrived: the master may read it when it likes. */
static bool terminal_drained(struct tty *tty __unused)
{
	return true;
}

static void terminal_resume(struct tty *tty)
{
	tty->throttled = false;
	wait_list_wake(&pty_of(tty)->waiting, POLLOUT);
}

static void output_left(struct pty *pty)
{
	tty_output_ready(&pty->tty);
	wait_list_wake(&pty->waiting, POLLOUT); /* there is room for an echo */
}

/* Collected until the master reads them; what undoes an earlier event replaces it. */
static void terminal_tell_master(struct tty *tty, uint8_t event)
{
	static const uint8_t undone[] = {
		[TIOCPKT_STOP] = TIOCPKT_START,
		[TIOCPKT_START] = TIOCPKT_STOP,
		[TIOCPKT_NOSTOP] = TIOCPKT_DOSTOP,
		[TIOCPKT_DOSTOP] = TIOCPKT_NOSTOP,
	};
	struct pty *pty = pty_of(tty);
	if (!pty->packet_mode)
		return;
	pty->events = (uint8_t)((pty->events & ~undone[event]) | event);
	wait_list_wake(&pty->waiting, POLLIN | POLLPRI);
}

static void terminal_flush_output(struct tty *tty)
{
	struct pty *pty = pty_of(tty);
	pty->tail = pty->head;
	terminal_tell_master(tty, TIOCPKT_FLUSHWRITE);
	output_left(pty);
}

static void terminal_last_closed(struct tty *tty)
{
	struct pty *pty = pty_of(tty);
	pty->abandoned = true;
	wait_list_wake(&pty->waiting, POLLIN | POLLOUT | POLLHUP);
}

static void terminal_release(struct tty *tty)
{
	struct pty *pty = pty_of(tty);
	devpts_remove_number(pty);
	kfree(pty);
}

static const struct tty_driver pty_driver = {
	.room = terminal_room,
	.write = terminal_write,
	.drained = terminal_drained,
	.resume = terminal_resume,
	.flush_output = terminal_flush_output,
	.tell_master = terminal_tell_master,
	.last_closed = terminal_last_closed,
	.release = terminal_release,
	.ends_with_session = true,
};

int pty_open_terminal(struct pty *pty, struct file *file)
{
	if (pty->locked)
		return -EIO;
	int error = tty_open(&pty->tty, file);
	if (!error)
		pty->abandoned = false;
	return error;
}

/* The master side */

/* Whether nobody will ever write to the terminal again, unless it is opened anew. */
static bool is_dead(const struct pty *pty)
{
	return pty->abandoned || pty->tty.hung_up;
}

/* One round of sleeping for a change, or -EAGAIN when the file must not sleep. */
static int sleep_for_change(struct file *file, struct thread_waiter *waiter)
{
	return file_nonblocking(file) ? -EAGAIN : thread_waiter_sleep(waiter, TIME_NEVER);
}

/* Hands out what is in the ring. Bytes or -EFAULT. */
static int64_t take(struct pty *pty, struct iov *iov)
{
	int64_t done = 0;
	while (iov->remaining > 0 && waiting_output(pty) > 0) {
		uint32_t at = pty->tail % PTY_OUTPUT;
		size_t part = MIN(waiting_output(pty), (size_t)(PTY_OUTPUT - at));
		part = MIN(part, iov->remaining);
		if (iov_copy_to(iov, pty->output + at, part))
			return done ? done : -EFAULT;
		pty->tail += (uint32_t)part;
		done += (int64_t)part;
	}
	output_left(pty);
	return done;
}

static bool readable(const struct pty *pty)
{
	return waiting_output(pty) > 0 || pty->events;
}

/* A packet: what has happened in one byte, or a zero and output. */
static int64_t take_packet(struct pty *pty, struct iov *iov)
{
	uint8_t events = pty->events;
	if (iov_copy_to(iov, &events, 1))
		return -EFAULT;
	pty->events = 0;
	if (events)
		return 1;
	int64_t taken = take(pty, iov);
	return taken < 0 ? taken : taken + 1;
}

static int64_t read_master(struct file *file, struct iov *iov, uint64_t *position __unused)
{
	struct pty *pty = file->private;
	struct thread_waiter waiter;
	int error = 0;
	if (iov->remaining == 0)
		return 0;
	thread_waiter_join(&waiter, &pty->waiting);
	while (!error && !readable(pty))
		error = is_dead(pty) ? -EIO : sleep_for_change(file, &waiter);
	thread_waiter_leave(&waiter);
	if (!readable(pty))
		return error;
	return pty->packet_mode ? take_packet(pty, iov) : take(pty, iov);
}

/* Whether a byte may be typed: it is held back while there is no room for what it echoes. */
static bool accepts_typing(const struct pty *pty)
{
	return !pty->tty.throttled && ring_space(pty) >= PTY_ECHO_ROOM / 2;
}

/* Types bytes as long as the terminal takes them. Returns how many. */
static size_t type(struct pty *pty, const uint8_t *bytes, size_t n)
{
	size_t done = 0;
	softirq_disable();
	while (done < n && accepts_typing(pty))
		done += tty_receive(&pty->tty, bytes + done, 1);
	softirq_enable();
	return done;
}

/* All of a chunk, sleeping as needed. Returns how much was typed; *error says why not all. */
static size_t type_all(struct file *file, const uint8_t *bytes, size_t n, int *error)
{
	struct pty *pty = file->private;
	struct thread_waiter waiter;
	size_t done = 0;
	thread_waiter_join(&waiter, &pty->waiting);
	while (!*error) {
		done += type(pty, bytes + done, n - done);
		if (done == n)
			break;
		*error = is_dead(pty) ? -EIO : sleep_for_change(file, &waiter);
	}
	thread_waiter_leave(&waiter);
	return done;
}

static int64_t write_master(struct file *file, struct iov *iov, uint64_t *position __unused)
{
	int64_t done = 0;
	int error = 0;
	while (!error && iov->remaining > 0) {
		uint8_t chunk[CHUNK];
		size_t n = MIN(iov->remaining, sizeof(chunk));
		error = iov_copy_from(iov, chunk, n);
		if (!error)
			done += (int64_t)type_all(file, chunk, n, &error);
	}
	return done ? done : error;
}

static uint32_t poll_master(struct file *file, struct poll_table *table)
{
	struct pty *pty = file->private;
	uint32_t events = 0;
	poll_join(table, &pty->waiting);
	if (readable(pty))
		events |= POLLIN | POLLRDNORM;
	if (pty->events)
		events |= POLLPRI;
	if (accepts_typing(pty))
		events |= POLLOUT | POLLWRNORM;
	if (is_dead(pty))
		events |= POLLHUP;
	return events;
}

static const struct file_ops unopened_file_ops;

/* TIOCGPTPEER: opens the terminal without a path, and so without doubt about which one it is. */
static int64_t open_peer(struct pty *pty, uint64_t flags)
{
	if (flags & ~(uint64_t)(O_ACCMODE | O_NOCTTY | O_NONBLOCK | O_CLOEXEC))
		return -EINVAL;
	struct file *file = file_create(&unopened_file_ops, NULL, (uint32_t)flags);
	if (!file)
		return -ENOMEM;
	int error = pty_open_terminal(pty, file);
	if (error) {
		file_put(file);
		return error;
	}
	file->flags &= ~OPENING_FLAGS;
	file->inode = inode_get(pty->node);
	int fd = fd_install(file, 0, flags & O_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

static int64_t put_int(user_addr_t to, size_t value)
{
	int32_t n = (int32_t)value;
	return copy_to_user(to, &n, sizeof(n));
}

static int64_t set_lock(struct pty *pty, user_addr_t from)
{
	int32_t locked;
	if (copy_from_user(&locked, from, sizeof(locked)))
		return -EFAULT;
	pty->locked = locked;
	return 0;
}

static int64_t set_packet_mode(struct pty *pty, user_addr_t from)
{
	int32_t on;
	if (copy_from_user(&on, from, sizeof(on)))
		return -EFAULT;
	softirq_disable();
	pty->packet_mode = on;
	pty->events = 0;
	softirq_enable();
	return 0;
}

/* What is not about the master side itself is about the terminal. */
static int64_t ioctl_master(struct file *file, uint32_t command, uint64_t argument)
{
	struct pty *pty = file->private;
	switch (command) {
	case TIOCGPTN:
		return put_int(argument, pty->number);
	case TIOCSPTLCK:
		return set_lock(pty, argument);
	case TIOCGPTLCK:
		return put_int(argument, pty->locked);
	case TIOCPKT:
		return set_packet_mode(pty, argument);
	case TIOCGPKT:
		return put_int(argument, pty->packet_mode);
	case TIOCGPTPEER:
		return open_peer(pty, argument);
	case FIONREAD:
		return put_int(argument, waiting_output(pty));
	case TIOCGPGRP:
		return put_int(argument, (size_t)pty->tty.foreground);
	case TIOCGSID:
		return pty->tty.session ? put_int(argument, (size_t)pty->tty.session) : -ENOTTY;
	default:
		return tty_ioctl(&pty->tty, command, argument);
	}
}

static void close_master(struct file *file)
{
	struct pty *pty = file->private;
	devpts_remove_name(pty);
	tty_hang_up(&pty->tty);
	wait_list_close(&pty->waiting);
	tty_put(&pty->tty);
}

static const struct file_ops master_file_ops = {
	.read = read_master,
	.write = write_master,
	.poll = poll_master,
	.ioctl = ioctl_master,
	.release = close_master,
};

static int open_master(struct inode *inode __unused, struct file *file)
{
	struct pty *pty = kmalloc(sizeof(*pty));
	if (!pty)
		return -ENOMEM;
	tty_init(&pty->tty, &pty_driver, 0);
	pty->locked = true;
	pty->abandoned = false;
	pty->packet_mode = false;
	pty->events = 0;
	pty->head = pty->tail = 0;
	wait_list_init(&pty->waiting);
	int error = devpts_add(pty);
	if (error) {
		kfree(pty);
		return error;
	}
	file->ops = &master_file_ops;
	file->private = pty;
	return 0;
}

static const struct char_device multiplexer = {
	.name = "ptmx",
	.major = 5,
	.minor = 2,
	.mode = 0666,
	.open = open_master,
};

void pty_init(void)
{
	devpts_init();
	char_device_register(&multiplexer);
}
