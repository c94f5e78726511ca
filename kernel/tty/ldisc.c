#include "kernel/tty/ldisc.h"

#include "include/uapi/signal.h"
#include "kernel/string.h"

#define MARK_LINE_END 1 /* a read in canonical mode ends with this byte */
#define MARK_EOF 2      /* not a byte at all but the place where ^D was typed */

#define DISABLED 0 /* a control character with this value is switched off */

static uint32_t slot(uint32_t count)
{
	return count % LDISC_BUFFER;
}

static bool input_flag(const struct ldisc *ldisc, uint32_t flag)
{
	return ldisc->termios->c_iflag & flag;
}

static bool local_flag(const struct ldisc *ldisc, uint32_t flag)
{
	return ldisc->termios->c_lflag & flag;
}

/* Whether the byte is the control character `which` (VINTR...). */
static bool is_control_char(const struct ldisc *ldisc, uint32_t which, uint8_t byte)
{
	uint8_t set = ldisc->termios->c_cc[which];
	return set != DISABLED && set == byte;
}

void ldisc_init(struct ldisc *ldisc, const struct termios *termios, const struct ldisc_ops *ops)
{
	memset(ldisc, 0, sizeof(*ldisc));
	ldisc->termios = termios;
	ldisc->ops = ops;
}

void ldisc_default_termios(struct termios *termios)
{
	*termios = (struct termios){
		.c_iflag = ICRNL | IXON | IMAXBEL | IUTF8,
		.c_oflag = OPOST | ONLCR,
		.c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL,
		.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
		.c_cc =
			{
				[VINTR] = 'C' - '@',
				[VQUIT] = '\\' - '@',
				[VERASE] = 0x7f,
				[VKILL] = 'U' - '@',
				[VEOF] = 'D' - '@',
				[VMIN] = 1,
				[VSTART] = 'Q' - '@',
				[VSTOP] = 'S' - '@',
				[VSUSP] = 'Z' - '@',
				[VREPRINT] = 'R' - '@',
				[VDISCARD] = 'O' - '@',
				[VWERASE] = 'W' - '@',
				[VLNEXT] = 'V' - '@',
			},
	};
}

/* Columns */

static bool continues_utf8(const struct ldisc *ldisc, uint8_t byte)
{
	return input_flag(ldisc, IUTF8) && (byte & 0xc0) == 0x80;
}

static bool is_control(uint8_t byte)
{
	return byte < 0x20 || byte == 0x7f;
}

/* Where the cursor stands after the byte was echoed at `column`. */
static uint32_t column_after(const struct ldisc *ldisc, uint32_t column, uint8_t byte)
{
	if (byte == '\t')
		return ALIGN_DOWN(column, 8u) + 8;
	if (is_control(byte))
		return local_flag(ldisc, ECHOCTL) ? column + 2 : column;
	return continues_utf8(ldisc, byte) ? column : column + 1;
}

/* Where the cursor stands behind the edited line. */
static uint32_t edit_column(const struct ldisc *ldisc)
{
	uint32_t column = ldisc->line_column;
	for (uint32_t at = ldisc->committed; at != ldisc->head; at++)
		column = column_after(ldisc, column, ldisc->bytes[slot(at)]);
	return column;
}

/* Output */

size_t ldisc_output(struct ldisc *ldisc, uint8_t byte, uint8_t out[LDISC_EXPANSION])
{
	uint32_t flags = ldisc->termios->c_oflag;
	out[0] = byte;
	if (!(flags & OPOST))
		return 1;
	switch (byte) {
	case '\n':
		if (flags & ONLRET)
			ldisc->column = 0;
		if (!(flags & ONLCR))
			return 1;
		ldisc->column = 0;
		out[0] = '\r';
		out[1] = '\n';
		return 2;
	case '\r':
		if ((flags & ONOCR) && ldisc->column == 0)
			return 0;
		if (flags & OCRNL)
			out[0] = '\n';
		ldisc->column = 0;
		return 1;
	case '\t': {
		uint32_t width = 8 - ldisc->column % 8;
		ldisc->column += width;
		if ((flags & TABDLY) != XTABS)
			return 1;
		memset(out, ' ', width);
		return width;
	}
	case '\b':
		if (ldisc->column > 0)
			ldisc->column--;
		return 1;
	default:
		if (!is_control(byte) && !continues_utf8(ldisc, byte))
			ldisc->column++;
		return 1;
	}
}

/* Echo */

static void echo_raw(struct ldisc *ldisc, uint8_t byte)
{
	uint8_t out[LDISC_EXPANSION];
	size_t n = ldisc_output(ldisc, byte, out);
	ldisc->ops->echo(ldisc, out, n);
}

static void echo_text(struct ldisc *ldisc, const char *text)
{
	for (; *text; text++)
		echo_raw(ldisc, (uint8_t)*text);
}

/* The byte as it is shown while typing: control characters as ^X. */
static void echo_visible(struct ldisc *ldisc, uint8_t byte)
{
	if (is_control(byte) && byte != '\t' && byte != '\n' && local_flag(ldisc, ECHOCTL)) {
		echo_raw(ldisc, '^');
		echo_raw(ldisc, byte ^ 0x40);
	} else {
		echo_raw(ldisc, byte);
	}
}

/* A typed byte; it is about to be added. */
static void echo_typed(struct ldisc *ldisc, uint8_t byte)
{
	if (ldisc->head == ldisc->committed)
		ldisc->line_column = ldisc->column;
	if (local_flag(ldisc, ECHO))
		echo_visible(ldisc, byte);
}

/* Editing */

static void add(struct ldisc *ldisc, uint8_t byte, uint8_t marks)
{
	ldisc->bytes[slot(ldisc->head)] = byte;
	ldisc->marks[slot(ldisc->head)] = marks;
	ldisc->head++;
}

static void commit(struct ldisc *ldisc)
{
	ldisc->committed = ldisc->head;
}

static uint8_t last_byte(const struct ldisc *ldisc)
{
	return ldisc->bytes[slot(ldisc->head - 1)];
}

static bool editing(const struct ldisc *ldisc)
{
	return ldisc->head != ldisc->committed;
}

/* Takes the last character away, with all the bytes that UTF-8 spends on it. */
static void erase_char(struct ldisc *ldisc)
{
	if (!editing(ldisc))
		return;
	uint32_t column = edit_column(ldisc);
	while (editing(ldisc)) {
		bool continuation = continues_utf8(ldisc, last_byte(ldisc));
		ldisc->head--;
		if (!continuation)
			break;
	}
	if (!local_flag(ldisc, ECHO))
		return;
	if (!local_flag(ldisc, ECHOE)) {
		echo_visible(ldisc, ldisc->termios->c_cc[VERASE]);
		return;
	}
	for (uint32_t width = column - edit_column(ldisc); width > 0; width--)
		echo_text(ldisc, "\b \b");
}

static bool in_word(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= 'a' && byte <= 'z') || byte == '_' || byte >= 0x80;
}

static void erase_word(struct ldisc *ldisc)
{
	while (editing(ldisc) && !in_word(last_byte(ldisc)))
		erase_char(ldisc);
	while (editing(ldisc) && in_word(last_byte(ldisc)))
		erase_char(ldisc);
}

static void erase_line(struct ldisc *ldisc)
{
	if (local_flag(ldisc, ECHO) && local_flag(ldisc, ECHOK) &&
	    !(local_flag(ldisc, ECHOE) && local_flag(ldisc, ECHOKE))) {
		ldisc->head = ldisc->committed;
		echo_visible(ldisc, ldisc->termios->c_cc[VKILL]);
		echo_raw(ldisc, '\n');
		return;
	}
	while (editing(ldisc))
		erase_char(ldisc);
}

static void reprint(struct ldisc *ldisc)
{
	echo_visible(ldisc, ldisc->termios->c_cc[VREPRINT]);
	echo_raw(ldisc, '\n');
	ldisc->line_column = 0;
	for (uint32_t at = ldisc->committed; at != ldisc->head; at++)
		echo_visible(ldisc, ldisc->bytes[slot(at)]);
}

/* Receiving: each step says whether it dealt with the byte. */

static void set_stopped(struct ldisc *ldisc, bool stopped)
{
	if (ldisc->stopped == stopped)
		return;
	ldisc->stopped = stopped;
	ldisc->ops->output_stopped(ldisc, stopped);
}

static bool receive_flow(struct ldisc *ldisc, uint8_t byte)
{
	if (!input_flag(ldisc, IXON))
		return false;
	if (is_control_char(ldisc, VSTART, byte)) {
		set_stopped(ldisc, false);
		return true;
	}
	if (is_control_char(ldisc, VSTOP, byte)) {
		set_stopped(ldisc, true);
		return true;
	}
	if (input_flag(ldisc, IXANY))
		set_stopped(ldisc, false);
	return false;
}

static bool receive_signal(struct ldisc *ldisc, uint8_t byte)
{
	int signal;
	if (!local_flag(ldisc, ISIG))
		return false;
	if (is_control_char(ldisc, VINTR, byte))
		signal = SIGINT;
	else if (is_control_char(ldisc, VQUIT, byte))
		signal = SIGQUIT;
	else if (is_control_char(ldisc, VSUSP, byte))
		signal = SIGTSTP;
	else
		return false;
	if (!local_flag(ldisc, NOFLSH)) {
		ldisc_flush(ldisc);
		ldisc->ops->discard_output(ldisc);
	}
	set_stopped(ldisc, false);
	if (local_flag(ldisc, ECHO))
		echo_visible(ldisc, byte);
	ldisc->ops->signal(ldisc, signal);
	return true;
}

/* Carriage returns and newlines on input. False: the byte is ignored. */
static bool translate(const struct ldisc *ldisc, uint8_t *byte)
{
	if (*byte == '\r') {
		if (input_flag(ldisc, IGNCR))
			return false;
		if (input_flag(ldisc, ICRNL))
			*byte = '\n';
	} else if (*byte == '\n' && input_flag(ldisc, INLCR)) {
		*byte = '\r';
	}
	return true;
}

static bool receive_editing(struct ldisc *ldisc, uint8_t byte)
{
	bool extended = local_flag(ldisc, IEXTEN);
	if (is_control_char(ldisc, VERASE, byte)) {
		erase_char(ldisc);
	} else if (is_control_char(ldisc, VKILL, byte)) {
		erase_line(ldisc);
	} else if (extended && is_control_char(ldisc, VWERASE, byte)) {
		erase_word(ldisc);
	} else if (extended && is_control_char(ldisc, VLNEXT, byte)) {
		ldisc->literal_next = true;
		if (local_flag(ldisc, ECHO) && local_flag(ldisc, ECHOCTL))
			echo_text(ldisc, "^\b");
	} else if (extended && local_flag(ldisc, ECHO) && is_control_char(ldisc, VREPRINT, byte)) {
		reprint(ldisc);
	} else {
		return false;
	}
	return true;
}

static bool receive_line_end(struct ldisc *ldisc, uint8_t byte)
{
	bool extended = local_flag(ldisc, IEXTEN);
	if (byte == '\n') {
		if (local_flag(ldisc, ECHO) || local_flag(ldisc, ECHONL))
			echo_raw(ldisc, '\n');
		add(ldisc, byte, MARK_LINE_END);
	} else if (is_control_char(ldisc, VEOF, byte)) {
		add(ldisc, byte, MARK_LINE_END | MARK_EOF);
	} else if (is_control_char(ldisc, VEOL, byte) ||
		   (extended && is_control_char(ldisc, VEOL2, byte))) {
		echo_typed(ldisc, byte);
		add(ldisc, byte, MARK_LINE_END);
	} else {
		return false;
	}
	commit(ldisc);
	return true;
}

enum space { SPACE_ANY, SPACE_LINE_END, SPACE_NONE };

/*
 * The last slot is for the end of the line, so that a line that is too long can be ended and read.
 */
static enum space space_left(const struct ldisc *ldisc)
{
	uint32_t used = ldisc->head - ldisc->tail;
	if (used == LDISC_BUFFER)
		return SPACE_NONE;
	return used == LDISC_BUFFER - 1 ? SPACE_LINE_END : SPACE_ANY;
}

static bool receive_canonical(struct ldisc *ldisc, uint8_t byte, bool literal)
{
	enum space space = space_left(ldisc);
	if (!literal && receive_editing(ldisc, byte))
		return true;
	if (space == SPACE_NONE)
		return false;
	if (!literal && receive_line_end(ldisc, byte))
		return true;
	if (space == SPACE_LINE_END) {
		if (ldisc->committed != ldisc->tail)
			return false; /* reading makes room */
		if (input_flag(ldisc, IMAXBEL))
			echo_raw(ldisc, '\a');
		return true; /* the line is too long: the byte is lost */
	}
	echo_typed(ldisc, byte);
	add(ldisc, byte, 0);
	return true;
}

static bool receive_raw(struct ldisc *ldisc, uint8_t byte)
{
	if (space_left(ldisc) == SPACE_NONE)
		return false;
	echo_typed(ldisc, byte);
	add(ldisc, byte, 0);
	commit(ldisc);
	return true;
}

bool ldisc_receive(struct ldisc *ldisc, uint8_t byte)
{
	bool literal = ldisc->literal_next;
	if (input_flag(ldisc, ISTRIP))
		byte &= 0x7f;
	if (!literal) {
		if (receive_flow(ldisc, byte) || receive_signal(ldisc, byte))
			return true;
		if (!translate(ldisc, &byte))
			return true;
	}
	bool taken = local_flag(ldisc, ICANON) ? receive_canonical(ldisc, byte, literal)
					       : receive_raw(ldisc, byte);
	if (literal && taken)
		ldisc->literal_next = false;
	return taken;
}

/* Reading */

size_t ldisc_available(const struct ldisc *ldisc)
{
	return ldisc->committed - ldisc->tail;
}

bool ldisc_readable(const struct ldisc *ldisc)
{
	return ldisc->committed != ldisc->tail;
}

static size_t read_raw(struct ldisc *ldisc, uint8_t *to, size_t n)
{
	size_t done = 0;
	while (done < n && ldisc_readable(ldisc)) {
		uint32_t at = slot(ldisc->tail++);
		if (!(ldisc->marks[at] & MARK_EOF))
			to[done++] = ldisc->bytes[at];
	}
	return done;
}

static size_t read_line(struct ldisc *ldisc, uint8_t *to, size_t n, bool *line_ended)
{
	size_t done = 0;
	while (ldisc_readable(ldisc)) {
		uint32_t at = slot(ldisc->tail);
		/*
		 * An end mark right behind the last byte that fits goes too, or the next read would
		 * be empty.
		 */
		if (done == n && !(ldisc->marks[at] & MARK_EOF))
			break;
		ldisc->tail++;
		if (!(ldisc->marks[at] & MARK_EOF))
			to[done++] = ldisc->bytes[at];
		if (ldisc->marks[at] & MARK_LINE_END) {
			*line_ended = true;
			break;
		}
	}
	return done;
}

size_t ldisc_read(struct ldisc *ldisc, uint8_t *to, size_t n, bool *line_ended)
{
	*line_ended = false;
	return local_flag(ldisc, ICANON) ? read_line(ldisc, to, n, line_ended)
					 : read_raw(ldisc, to, n);
}

void ldisc_flush(struct ldisc *ldisc)
{
	ldisc->tail = ldisc->committed = ldisc->head;
	ldisc->literal_next = false;
}

void ldisc_termios_changed(struct ldisc *ldisc, const struct termios *before)
{
	if (!input_flag(ldisc, IXON))
		set_stopped(ldisc, false);
	if (((before->c_lflag ^ ldisc->termios->c_lflag) & ICANON) == 0)
		return;
	ldisc->literal_next = false;
	if (ldisc->head == ldisc->tail)
		return;
	/* What was typed so far counts as a line, in either mode. */
	ldisc->marks[slot(ldisc->head - 1)] |= MARK_LINE_END;
	commit(ldisc);
}
