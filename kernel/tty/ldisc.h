/*
 * The line discipline: what happens between a terminal's wire and a program, termios(3). Typed
 * bytes are edited, echoed, turned into signals, and kept until a line (or, in raw mode, a byte) is
 * there; written bytes are given their carriage returns.
 *
 * Pure logic: no sleeping, no locks, no driver; what it needs from outside are two functions. The
 * owner calls it with softirqs disabled or from the softirq, one call at a time.
 */
#ifndef KERNEL_TTY_LDISC_H
#define KERNEL_TTY_LDISC_H

#include "include/uapi/termios.h"
#include "kernel/types.h"

#define LDISC_BUFFER 4096u /* a power of two; one line is at most a byte shorter */
#define LDISC_EXPANSION 8  /* bytes that one written byte may become: a tab */

struct ldisc;

struct ldisc_ops {
	/*
	 * Bytes for the terminal, already processed for output. What there is no room for may be
	 * lost.
	 */
	void (*echo)(struct ldisc *ldisc, const uint8_t *bytes, size_t n);
	/* SIGINT, SIGQUIT or SIGTSTP was typed: for the foreground process group. */
	void (*signal)(struct ldisc *ldisc, int signal);
	/* Output was stopped (^S) or goes on. */
	void (*output_stopped)(struct ldisc *ldisc, bool stopped);
	/* Output that has not left yet is not wanted any more: a signal was typed. */
	void (*discard_output)(struct ldisc *ldisc);
};

struct ldisc {
	const struct ldisc_ops *ops;
	const struct termios *termios; /* the terminal's */

	/* Typed bytes: a ring; the counts only grow. */
	uint8_t bytes[LDISC_BUFFER];
	uint8_t marks[LDISC_BUFFER]; /* MARK_* of each byte */
	uint32_t tail;               /* next to be read */
	uint32_t committed;          /* up to here a program may read */
	uint32_t head;               /* where the next goes; behind committed: being edited */

	bool literal_next;    /* ^V was typed */
	bool stopped;         /* ^S was typed */
	uint32_t column;      /* of the terminal's cursor */
	uint32_t line_column; /* where the line being edited began */
};

void ldisc_init(struct ldisc *ldisc, const struct termios *termios, const struct ldisc_ops *ops);

/* The settings of a fresh terminal: canonical, echoing, signals on, 115200 baud. */
void ldisc_default_termios(struct termios *termios);

/*
 * A byte was typed. False: it was not taken, since programs have not read what there is; offer it
 * again later.
 */
bool ldisc_receive(struct ldisc *ldisc, uint8_t byte);

/* Whether a read finds something: a line or its end mark, or (raw mode) at least one byte. */
bool ldisc_readable(const struct ldisc *ldisc);

/* Bytes that reads could take now. */
size_t ldisc_available(const struct ldisc *ldisc);

/*
 * Takes up to n bytes, in canonical mode of one line only: *line_ended when its end was reached. 0
 * with it: the end of file was typed.
 */
size_t ldisc_read(struct ldisc *ldisc, uint8_t *to, size_t n, bool *line_ended);

/* Throws typed bytes away. */
void ldisc_flush(struct ldisc *ldisc);

/*
 * After *termios changed from what it was before: bytes that wait become readable in the new mode.
 */
void ldisc_termios_changed(struct ldisc *ldisc, const struct termios *before);

/* What a written byte becomes for the terminal; returns how many bytes of `out`. */
size_t ldisc_output(struct ldisc *ldisc, uint8_t byte, uint8_t out[LDISC_EXPANSION]);

#endif
