/*
 * Terminals: what every kind shares. A kind (the console on the PL011, a pseudo-terminal) is a
 * `struct tty_driver` that takes output and hands in what was typed.
 *
 * A terminal that comes and goes is reference-counted: each open file holds a reference, the
 * session whose controlling terminal it is holds one, and the driver holds one while it may hand in
 * bytes.
 *
 * State that the softirq changes too (the line discipline) is guarded by softirq_disable; the rest
 * is process context.
 */
#ifndef KERNEL_TTY_TTY_H
#define KERNEL_TTY_TTY_H

#include "include/uapi/termios.h"
#include "kernel/fs/file.h"
#include "kernel/tty/ldisc.h"
#include "kernel/types.h"
#include "kernel/wait.h"

struct process;
struct tty;

struct tty_driver {
	/*
	 * Bytes that write takes now. Less than there is, so that an echo finds room even when
	 * writers fill it.
	 */
	size_t (*room)(struct tty *tty);

	/*
	 * Queues bytes and returns at once. Beyond room() they may be lost. Softirqs disabled, or
	 * softirq.
	 */
	void (*write)(struct tty *tty, const uint8_t *bytes, size_t n);

	/* Nothing queued waits to leave. */
	bool (*drained)(struct tty *tty);

	/*
	 * tty_receive refused bytes, and may take them now. Softirqs disabled. NULL: there is
	 * nothing to resume.
	 */
	void (*resume)(struct tty *tty);

	/* Throws away what is queued. Softirqs disabled. NULL: it is on its way at once. */
	void (*flush_output)(struct tty *tty);

	/*
	 * What a master in packet mode is to know: a TIOCPKT_ bit. Softirqs disabled, or softirq.
	 * NULL: there is no master.
	 */
	void (*tell_master)(struct tty *tty, uint8_t event);

	/* The last open file of the terminal was closed. Process context. NULL: no matter. */
	void (*last_closed)(struct tty *tty);

	/* The last reference went. Process context. NULL: the terminal is there for ever. */
	void (*release)(struct tty *tty);

	/* Whether the terminal is of no more use when the leader of its session has ended. */
	bool ends_with_session;
};

struct tty {
	const struct tty_driver *driver;
	void *private;   /* the driver's */
	uint64_t device; /* st_rdev: what /proc/PID/stat calls tty_nr */
	struct termios termios;
	struct winsize window;
	struct ldisc ldisc;
	struct wait_list wait; /* readers, writers, poll */
	uint32_t references;
	uint32_t open_files;
	bool hung_up;       /* there is nobody at the other end any more, and will not be */
	bool throttled;     /* tty_receive refused bytes */
	int32_t session;    /* whose controlling terminal it is; 0: nobody's */
	int32_t foreground; /* the process group that may read, and gets ^C; 0: none */
};

/* With one reference, the driver's. */
void tty_init(struct tty *tty, const struct tty_driver *driver, uint64_t device);

struct tty *tty_get(struct tty *tty);
void tty_put(struct tty *tty);

/* For drivers: */

/* Typed bytes. Returns how many were taken; the rest is for driver->resume. Softirq context. */
size_t tty_receive(struct tty *tty, const uint8_t *bytes, size_t n);

/* There is room for output again, or all of it has left. Any context. */
void tty_output_ready(struct tty *tty);

/*
 * The other end is gone for good: reads find the end, writes fail, and the leader of the session
 * hears SIGHUP. Process context.
 */
void tty_hang_up(struct tty *tty);

/*
 * Opens `tty` on `file`; unless O_NOCTTY says otherwise it becomes the controlling terminal of a
 * session leader without one. 0, or -EIO when it has hung up.
 */
int tty_open(struct tty *tty, struct file *file);

/*
 * For the process code: a session's leader ends; its terminal becomes nobody's, and its foreground
 * hears SIGHUP. Process context.
 */
void tty_session_ended(struct process *leader);

/* Job control, used by tty.c and tty_ioctl.c. */

/*
 * Whether the running process may do what only the foreground may: read (SIGTTIN), write under
 * TOSTOP, or change settings (SIGTTOU). 0, -EIO, or -ERESTARTSYS with the signal sent to its group.
 */
int tty_check_foreground(struct tty *tty, int signal);

/* TIOCSCTTY, TIOCNOTTY, TIOCGPGRP, TIOCSPGRP, TIOCGSID; -ENOTTY when it is none of them. */
int64_t tty_job_ioctl(struct tty *tty, uint32_t command, uint64_t argument);

/* Makes it the controlling terminal of `leader`'s session; it is nobody's. */
void tty_acquire(struct tty *tty, struct process *leader);

/* Everything else. */
int64_t tty_ioctl(struct tty *tty, uint32_t command, uint64_t argument);

/* Sleeps until the driver has sent everything. 0 or -ERESTARTSYS. */
int tty_wait_drained(struct tty *tty);

/* /dev/tty: the controlling terminal of whoever opens it. Boot. */
void tty_devices_init(void);

#endif
