/*
 * ioctl_tty(2): settings, window size, queues.
 */
#include "include/uapi/fcntl.h"
#include "include/uapi/ioctl.h"
#include "include/uapi/signal.h"
#include "kernel/errno.h"
#include "kernel/signal/signal.h"
#include "kernel/softirq.h"
#include "kernel/string.h"
#include "kernel/tty/tty.h"
#include "kernel/user.h"

static void tell_master(struct tty *tty, uint8_t event)
{
	softirq_disable();
	if (tty->driver->tell_master)
		tty->driver->tell_master(tty, event);
	softirq_enable();
}

static void flush_input(struct tty *tty)
{
	tell_master(tty, TIOCPKT_FLUSHREAD);
	softirq_disable();
	ldisc_flush(&tty->ldisc);
	if (tty->throttled && tty->driver->resume)
		tty->driver->resume(tty);
	softirq_enable();
}

static void flush_output(struct tty *tty)
{
	if (!tty->driver->flush_output)
		return;
	softirq_disable();
	tty->driver->flush_output(tty);
	softirq_enable();
}

/* Whether ^S and ^Q, and no other keys, stop output: what a remote terminal may do by itself. */
static bool stops_by_keys(const struct termios *termios)
{
	return (termios->c_iflag & IXON) && termios->c_cc[VSTOP] == 'S' - '@' &&
	       termios->c_cc[VSTART] == 'Q' - '@';
}

static int64_t set_termios(struct tty *tty, uint32_t command, user_addr_t argument)
{
	struct termios termios;
	int error = tty_check_foreground(tty, SIGTTOU);
	if (error)
		return error;
	if (copy_from_user(&termios, argument, sizeof(termios)))
		return -EFAULT;
	if (command != TCSETS) {
		error = tty_wait_drained(tty);
		if (error)
			return error;
	}
	if (command == TCSETSF)
		flush_input(tty);
	softirq_disable();
	struct termios before = tty->termios;
	tty->termios = termios;
	ldisc_termios_changed(&tty->ldisc, &before);
	softirq_enable();
	if (stops_by_keys(&before) != stops_by_keys(&termios))
		tell_master(tty, stops_by_keys(&termios) ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP);
	/* A reader looks at the mode again. */
	wait_list_wake(&tty->wait, 0);
	return 0;
}

static int64_t set_window(struct tty *tty, user_addr_t argument)
{
	struct winsize window;
	if (copy_from_user(&window, argument, sizeof(window)))
		return -EFAULT;
	if (memcmp(&window, &tty->window, sizeof(window)) == 0)
		return 0;
	tty->window = window;
	if (tty->foreground > 0)
		signal_send_group(tty->foreground, SIGWINCH);
	return 0;
}

static int64_t flush(struct tty *tty, uint64_t queue)
{
	int error = tty_check_foreground(tty, SIGTTOU);
	if (error)
		return error;
	if (queue > TCIOFLUSH)
		return -EINVAL;
	if (queue != TCOFLUSH)
		flush_input(tty);
	if (queue != TCIFLUSH)
		flush_output(tty);
	return 0;
}

/* Breaks are not sent; tcdrain(3) is this with an argument of 1. */
static int64_t send_break(struct tty *tty)
{
	int error = tty_check_foreground(tty, SIGTTOU);
	return error ? error : tty_wait_drained(tty);
}

static int64_t flow(struct tty *tty, uint64_t action)
{
	int error = tty_check_foreground(tty, SIGTTOU);
	if (error)
		return error;
	switch (action) {
	case TCOOFF:
	case TCOON:
		tty->ldisc.stopped = action == TCOOFF;
		tell_master(tty, action == TCOOFF ? TIOCPKT_STOP : TIOCPKT_START);
		tty_output_ready(tty);
		return 0;
	case TCIOFF: /* tells the other side to stop and go: there is none that listens */
	case TCION:
		return 0;
	default:
		return -EINVAL;
	}
}

static int64_t put_int(user_addr_t to, size_t value)
{
	int32_t n = (int32_t)value;
	return copy_to_user(to, &n, sizeof(n));
}

int64_t tty_ioctl(struct tty *tty, uint32_t command, uint64_t argument)
{
	switch (command) {
	case TCGETS:
		return copy_to_user(argument, &tty->termios, sizeof(tty->termios));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_termios(tty, command, argument);
	case TIOCGWINSZ:
		return copy_to_user(argument, &tty->window, sizeof(tty->window));
	case TIOCSWINSZ:
		return set_window(tty, argument);
	case TCSBRK:
	case TCSBRKP:
		return send_break(tty);
	case TCXONC:
		return flow(tty, argument);
	case TCFLSH:
		return flush(tty, argument);
	case FIONREAD:
		return put_int(argument, ldisc_available(&tty->ldisc));
	case TIOCOUTQ:
		return put_int(argument, tty->driver->drained(tty) ? 0 : 1);
	case TIOCSTI: /* typing for somebody else: too dangerous to have */
		return -EIO;
	case TIOCGETD:
		return put_int(argument, 0); /* N_TTY is the only line discipline */
	default:
		return tty_job_ioctl(tty, command, argument);
	}
}
