#include "kernel/tty/console.h"

#include "kernel/devicetree.h"
#include "kernel/fs/devfs.h"
#include "kernel/printk.h"
#include "kernel/random.h"
#include "kernel/string.h"
#include "kernel/tty/pl011.h"
#include "kernel/tty/tty.h"

#define SO 0x0e  /* a log line begins */
#define SI 0x0f  /* a log line ends */
#define DLE 0x10 /* the next byte is the terminal's, whatever it looks like */

#define ECHO_RESERVE 512 /* bytes of the transmit ring that writers leave to the echo */
#define PIECE 256        /* bytes framed at a time */

static struct {
	struct tty tty;
	bool framed;
	bool mid_line; /* the terminal's output does not end with a newline */
} console;

/* The terminal's output */

static size_t console_room(struct tty *tty __unused)
{
	size_t room = pl011_room();
	room = room > ECHO_RESERVE ? room - ECHO_RESERVE : 0;
	return console.framed ? room / 2 : room;
}

static bool needs_escape(uint8_t byte)
{
	return byte == SO || byte == SI || byte == DLE;
}

/* Escaped in pieces, each put whole, so that no log line comes between DLE and its byte. */
static void write_framed(const uint8_t *bytes, size_t n)
{
	while (n > 0) {
		uint8_t escaped[2 * PIECE];
		size_t length = 0, part = MIN(n, (size_t)PIECE);
		for (size_t i = 0; i < part; i++) {
			if (needs_escape(bytes[i]))
				escaped[length++] = DLE;
			escaped[length++] = bytes[i];
		}
		pl011_put(escaped, length);
		bytes += part;
		n -= part;
	}
}

static void console_write(struct tty *tty __unused, const uint8_t *bytes, size_t n)
{
	if (n == 0)
		return;
	console.mid_line = bytes[n - 1] != '\n';
	if (console.framed)
		write_framed(bytes, n);
	else
		pl011_put(bytes, n);
}

static bool console_drained(struct tty *tty __unused)
{
	return pl011_drained();
}

static void console_resume(struct tty *tty __unused)
{
	pl011_resume();
}

static const struct tty_driver console_driver = {
	.room = console_room,
	.write = console_write,
	.drained = console_drained,
	.resume = console_resume,
};

/* The kernel log */

static void put_byte(uint8_t byte)
{
	pl011_put_polled(&byte, 1);
}

/* Interrupts are masked, so nothing comes between the bytes of a line. */
static void log_framed(const char *bytes, size_t n)
{
	put_byte(SO);
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != '\n')
			put_byte(needs_escape((uint8_t)bytes[i]) ? '?' : (uint8_t)bytes[i]);
	put_byte(SI);
}

/* Behind a prompt or a half-typed line a log line begins on a line of its own. */
static void log_plain(const char *bytes, size_t n)
{
	if (console.mid_line) {
		put_byte('\r');
		put_byte('\n');
		console.mid_line = false;
	}
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n')
			put_byte('\r');
		put_byte((uint8_t)bytes[i]);
	}
}

static void console_log(const char *bytes, size_t n)
{
	if (console.framed)
		log_framed(bytes, n);
	else
		log_plain(bytes, n);
}

/* The UART's events */

static size_t console_receive(const uint8_t *bytes, size_t n)
{
	random_stir(bytes, MIN(n, 16ul)); /* with it goes the time of the keystroke */
	return tty_receive(&console.tty, bytes, n);
}

static void console_output_ready(void)
{
	tty_output_ready(&console.tty);
}

static const struct pl011_client console_client = {
	.receive = console_receive,
	.output_ready = console_output_ready,
};

static int open_console(struct inode *inode __unused, struct file *file)
{
	return tty_open(&console.tty, file);
}

static const struct char_device console_device = {
	.name = "console",
	.major = 5,
	.minor = 1,
	.mode = 0600,
	.open = open_console,
};

static const struct char_device serial_device = {
	.name = "ttyAMA0",
	.major = 204,
	.minor = 64,
	.mode = 0600,
	.open = open_console,
};

/* What comes in and goes out belongs to the command: no echo, no carriage returns. */
static void set_framed_termios(struct termios *termios)
{
	termios->c_oflag &= ~(uint32_t)OPOST;
	termios->c_iflag &= ~(uint32_t)(ICRNL | IXON | IMAXBEL);
	termios->c_lflag &= ~(uint32_t)(ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN);
}

void console_init(void)
{
	char mode[16];
	console.framed = command_line_option("console", mode, sizeof(mode)) &&
			 strcmp(mode, "framed") == 0;
	tty_init(&console.tty, &console_driver, device_number(5, 1));
	if (console.framed)
		set_framed_termios(&console.tty.termios);
	tty_devices_init();
	if (!pl011_init(&console_client)) {
		printk("console: no PL011 in the device tree\n");
		return;
	}
	console_register(console_log);
	char_device_register(&console_device);
	char_device_register(&serial_device);
}

void console_flush(void)
{
	pl011_flush();
}
