/*
 * Reading and writing a terminal: the sleeping part around the line discipline.
 */
#include "kernel/tty/tty.h"

#include "include/uapi/fcntl.h"
#include "include/uapi/ioctl.h"
#include "include/uapi/poll.h"
#include "include/uapi/signal.h"
#include "kernel/clock.h"
#include "kernel/errno.h"
#include "kernel/fs/devfs.h"
#include "kernel/proc/process.h"
#include "kernel/signal/signal.h"
#include "kernel/softirq.h"
#include "kernel/string.h"
#include "kernel/timer.h"

#define CHUNK 256 /* bytes carried at a time between the process and the line discipline */

static struct tty *tty_of_ldisc(struct ldisc *ldisc)
{
	return container_of(ldisc, struct tty, ldisc);
}

static void echo(struct ldisc *ldisc, const uint8_t *bytes, size_t n)
{
	struct tty *tty = tty_of_ldisc(ldisc);
	tty->driver->write(tty, bytes, n);
}

static void signal_foreground(struct ldisc *ldisc, int signal)
{
	struct tty *tty = tty_of_ldisc(ldisc);
	if (tty->foreground > 0)
		signal_send_group(tty->foreground, signal);
}

static void output_stopped(struct ldisc *ldisc, bool stopped)
{
	struct tty *tty = tty_of_ldisc(ldisc);
	if (tty->driver->tell_master)
		tty->driver->tell_master(tty, stopped ? TIOCPKT_STOP : TIOCPKT_START);
	if (!stopped)
		tty_output_ready(tty);
}

static void discard_output(struct ldisc *ldisc)
{
	struct tty *tty = tty_of_ldisc(ldisc);
	if (tty->driver->flush_output)
		tty->driver->flush_output(tty);
}

static const struct ldisc_ops tty_ldisc_ops = {
	.echo = echo,
	.signal = signal_foreground,
	.output_stopped = output_stopped,
	.discard_output = discard_output,
};

void tty_init(struct tty *tty, const struct tty_driver *driver, uint64_t device)
{
	memset(tty, 0, sizeof(*tty));
	tty->references = 1;
	tty->driver = driver;
	tty->device = device;
	ldisc_default_termios(&tty->termios);
	ldisc_init(&tty->ldisc, &tty->termios, &tty_ldisc_ops);
	wait_list_init(&tty->wait);
}

struct tty *tty_get(struct tty *tty)
{
	tty->references++;
	return tty;
}

void tty_put(struct tty *tty)
{
	if (--tty->references > 0)
		return;
	wait_list_close(&tty->wait);
	if (tty->driver->release)
		tty->driver->release(tty);
}

size_t tty_receive(struct tty *tty, const uint8_t *bytes, size_t n)
{
	size_t taken = 0;
	while (taken < n && ldisc_receive(&tty->ldisc, bytes[taken]))
		taken++;
	tty->throttled = taken < n;
	if (ldisc_readable(&tty->ldisc))
		wait_list_wake(&tty->wait, POLLIN);
	return taken;
}

void tty_output_ready(struct tty *tty)
{
	wait_list_wake(&tty->wait, POLLOUT);
}

/* What a read in raw mode waits for: VMIN bytes, and a deadline by VTIME. */
struct raw_wait {
	size_t minimum;
	uint64_t interval_us; /* VTIME; 0: no limit */
	bool between_bytes;   /* the interval begins with the first byte */
};

static struct raw_wait raw_wait(const struct tty *tty, size_t wanted)
{
	uint8_t minimum = tty->termios.c_cc[VMIN];
	return (struct raw_wait){
		.minimum = MIN((size_t)minimum, wanted),
		.interval_us = tty->termios.c_cc[VTIME] * 100 * USEC_PER_MSEC,
		.between_bytes = minimum > 0,
	};
}

static bool canonical(const struct tty *tty)
{
	return tty->termios.c_lflag & ICANON;
}

/*
 * Sleeps until a line is there. 0 when a read would find it, or the end; -EAGAIN, -ERESTARTSYS,
 * -EIO.
 */
static int wait_for_line(struct tty *tty, struct file *file, struct thread_waiter *waiter)
{
	int error = 0;
	while (!error && !ldisc_readable(&tty->ldisc) && canonical(tty) && !tty->hung_up) {
		if (file_nonblocking(file))
			return -EAGAIN;
		error = thread_waiter_sleep(waiter, TIME_NEVER);
		if (!error)
			error = tty_check_foreground(tty, SIGTTIN);
	}
	return error;
}

/* Sleeps until raw bytes are there as VMIN and VTIME want it. As wait_for_line. */
static int wait_for_bytes(struct tty *tty, struct file *file, struct thread_waiter *waiter,
			  size_t wanted)
{
	struct raw_wait rules = raw_wait(tty, wanted);
	size_t before = ldisc_available(&tty->ldisc);
	uint64_t deadline = TIME_NEVER;
	if (rules.interval_us > 0 && (!rules.between_bytes || before > 0))
		deadline = clock_now_us() + rules.interval_us;
	if (rules.minimum == 0 && rules.interval_us == 0)
		return 0; /* take what there is */

	while (!canonical(tty) && !tty->hung_up) {
		size_t available = ldisc_available(&tty->ldisc);
		if (available >= MAX(rules.minimum, 1ul))
			return 0;
		if (file_nonblocking(file))
			return available > 0 ? 0 : -EAGAIN;
		if (rules.between_bytes && rules.interval_us > 0 && available > before)
			deadline = clock_now_us() + rules.interval_us;
		before = available;
		int error = thread_waiter_sleep(waiter, deadline);
		if (error == -ETIMEDOUT)
			return 0;
		if (!error)
			error = tty_check_foreground(tty, SIGTTIN);
		if (error)
			return available > 0 ? 0 : error;
	}
	return 0;
}

/* Hands out what is there: one line, or bytes. */
static int64_t take(struct tty *tty, struct iov *iov)
{
	int64_t done = 0;
	bool more = true;
	while (more && iov->remaining > 0) {
		uint8_t chunk[CHUNK];
		bool line_ended;
		softirq_disable();
		size_t n = ldisc_read(&tty->ldisc, chunk, MIN(iov->remaining, sizeof(chunk)),
				      &line_ended);
		more = n > 0 && !line_ended && ldisc_readable(&tty->ldisc);
		softirq_enable();
		if (iov_copy_to(iov, chunk, n))
			return done ? done : -EFAULT;
		done += (int64_t)n;
	}
	return done;
}

/* The driver may hold bytes back that there is room for now. */
static void resume_input(struct tty *tty)
{
	if (!tty->throttled || !tty->driver->resume)
		return;
	softirq_disable();
	tty->driver->resume(tty);
	softirq_enable();
}

static int64_t read_tty(struct file *file, struct iov *iov, uint64_t *position __unused)
{
	struct tty *tty = file->private;
	if (iov->remaining == 0 || tty->hung_up)
		return 0;
	int error = tty_check_foreground(tty, SIGTTIN);
	if (error)
		return error;
	struct thread_waiter waiter;
	bool by_line;
	thread_waiter_join(&waiter, &tty->wait);
	do {
		by_line = canonical(tty);
		error = by_line ? wait_for_line(tty, file, &waiter)
				: wait_for_bytes(tty, file, &waiter, iov->remaining);
	} while (!error && by_line != canonical(tty)); /* the mode changed meanwhile */
	thread_waiter_leave(&waiter);
	if (error)
		return error;
	int64_t done = take(tty, iov);
	resume_input(tty);
	return done;
}

/* Hands bytes to the driver as long as it has room. Returns how many of them. */
static size_t put(struct tty *tty, const uint8_t *bytes, size_t n)
{
	uint8_t out[2 * CHUNK];
	size_t taken = 0, filled = 0;
	softirq_disable();
	size_t room = tty->ldisc.stopped ? 0 : MIN(tty->driver->room(tty), sizeof(out));
	while (taken < n && filled + LDISC_EXPANSION <= room)
		filled += ldisc_output(&tty->ldisc, bytes[taken++], out + filled);
	tty->driver->write(tty, out, filled);
	softirq_enable();
	return taken;
}

/* All of a chunk, sleeping as needed. Returns how much was written; *error says why not all. */
static size_t put_all(struct file *file, const uint8_t *bytes, size_t n, int *error)
{
	struct tty *tty = file->private;
	struct thread_waiter waiter;
	size_t done = 0;
	thread_waiter_join(&waiter, &tty->wait);
	while (!*error) {
		if (tty->hung_up) {
			*error = -EIO;
			break;
		}
		done += put(tty, bytes + done, n - done);
		if (done == n)
			break;
		*error = file_nonblocking(file) ? -EAGAIN
						: thread_waiter_sleep(&waiter, TIME_NEVER);
	}
	thread_waiter_leave(&waiter);
	return done;
}

static int64_t write_tty(struct file *file, struct iov *iov, uint64_t *position __unused)
{
	struct tty *tty = file->private;
	int error = tty->termios.c_lflag & TOSTOP ? tty_check_foreground(tty, SIGTTOU) : 0;
	int64_t done = 0;
	while (!error && iov->remaining > 0) {
		uint8_t chunk[CHUNK];
		size_t n = MIN(iov->remaining, sizeof(chunk));
		error = iov_copy_from(iov, chunk, n);
		if (!error)
			done += (int64_t)put_all(file, chunk, n, &error);
		if (signal_pending() && !error)
			error = -ERESTARTSYS;
	}
	return done ? done : error;
}

static uint32_t poll_tty(struct file *file, struct poll_table *table)
{
	struct tty *tty = file->private;
	poll_join(table, &tty->wait);
	size_t needed = 1;
	if (!canonical(tty) && tty->termios.c_cc[VTIME] == 0)
		needed = MAX(tty->termios.c_cc[VMIN], 1);
	uint32_t events = 0;
	if (tty->hung_up)
		return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLHUP | POLLERR;
	if (ldisc_available(&tty->ldisc) >= needed)
		events |= POLLIN | POLLRDNORM;
	if (tty->driver->room(tty) >= LDISC_EXPANSION && !tty->ldisc.stopped)
		events |= POLLOUT | POLLWRNORM;
	return events;
}

int tty_wait_drained(struct tty *tty)
{
	struct thread_waiter waiter;
	int error = 0;
	thread_waiter_join(&waiter, &tty->wait);
	while (!error && !tty->driver->drained(tty))
		error = thread_waiter_sleep(&waiter, TIME_NEVER);
	thread_waiter_leave(&waiter);
	return error;
}

static int64_t ioctl_tty(struct file *file, uint32_t command, uint64_t argument)
{
	struct tty *tty = file->private;
	if (tty->hung_up && command != TIOCNOTTY)
		return -EIO;
	return tty_ioctl(tty, command, argument);
}

static void close_tty(struct file *file)
{
	struct tty *tty = file->private;
	if (--tty->open_files == 0 && tty->driver->last_closed)
		tty->driver->last_closed(tty);
	tty_put(tty);
}

static const struct file_ops tty_file_ops = {
	.read = read_tty,
	.write = write_tty,
	.poll = poll_tty,
	.ioctl = ioctl_tty,
	.release = close_tty,
};

int tty_open(struct tty *tty, struct file *file)
{
	struct process *process = current_process();
	if (tty->hung_up)
		return -EIO;
	file->ops = &tty_file_ops;
	file->private = tty_get(tty);
	tty->open_files++;
	bool leader = process->pid == process->sid;
	if (!(file->flags & O_NOCTTY) && leader && !process->tty && tty->session == 0)
		tty_acquire(tty, process);
	return 0;
}

static int open_controlling(struct inode *inode __unused, struct file *file)
{
	struct tty *tty = current_process()->tty;
	if (!tty || tty->hung_up)
		return -ENXIO;
	file->flags |= O_NOCTTY;
	return tty_open(tty, file);
}

static const struct char_device controlling_device = {
	.name = "tty",
	.major = 5,
	.minor = 0,
	.mode = 0666,
	.open = open_controlling,
};

void tty_devices_init(void)
{
	char_device_register(&controlling_device);
}
