/*
 * tput: how fast TCP carries bytes. It speaks plain TCP: its other end may be another tput, or any
 * `nc`, `cat < /dev/zero | nc`, and so on.
 *
 * Without -n the client sends for some seconds; what it sends is a pattern of its own, whose CRC-32
 * both ends can print and compare.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userland/lib/argument.h"
#include "userland/lib/clock.h"
#include "userland/lib/crc32.h"
#include "userland/lib/stop.h"
#include "userland/lib/tcp.h"

enum { TPUT_PORT = 5001, BUFFER_SIZE = 256 << 10 };

static const char usage[] =
	"usage: tput [options] HOST     client\n"
	"       tput [options] -s       server, for one client after another until Ctrl-C\n"
	"  -p PORT      (5001)\n"
	"  -t SECONDS   send for so long (10)\n"
	"  -n BYTES     send so many instead; 64k, 10M and 1G will do\n"
	"  -r           receive instead of sending: as a client until the server closes; a server\n"
	"               receives unless told to send by -t or -n\n"
	"  -c           tell the CRC-32 of the bytes (as zlib counts it)\n"
	"  --help       print this text\n";

struct options {
	const char *host;
	bool server, send, receive, crc;
	uint16_t port;
	uint64_t duration;
	uint64_t bytes; /* 0: for `duration` */
};

/* What one connection carried. */
struct tally {
	uint64_t bytes, began, ended;
	uint32_t crc;
	int error; /* errno, or 0 */
};

static char buffer[BUFFER_SIZE];

static void fill_pattern(void)
{
	uint32_t state = 1;

	for (size_t i = 0; i < sizeof(buffer); i++) {
		state = state * 1664525 + 1013904223;
		buffer[i] = (char)(state >> 24);
	}
}

/* How much of the pattern comes next; it is repeated for ever, so that the sum is the stream's. */
static size_t next_part(const struct options *options, const struct tally *tally)
{
	size_t part = sizeof(buffer) - (size_t)(tally->bytes % sizeof(buffer));

	if (!options->bytes)
		return clock_now() < tally->began + options->duration ? part : 0;
	return options->bytes - tally->bytes < part ? (size_t)(options->bytes - tally->bytes)
						    : part;
}

/*
 * After a call that did not succeed: waits until it may, at most until `deadline`. False when the
 * connection is over, with its error noted.
 */
static bool wait_for(int fd, short events, uint64_t deadline, struct tally *tally)
{
	struct pollfd waiting = {.fd = fd, .events = events};

	if (errno != EAGAIN) {
		tally->error = errno;
		return false;
	}
	stop_poll(&waiting, 1, deadline);
	return true;
}

static void count(const struct options *options, struct tally *tally, const char *bytes, size_t n)
{
	if (options->crc)
		tally->crc = crc32_add(tally->crc, bytes, n);
	tally->bytes += n;
}

/* Until the other end has all of it and closes. */
static void wait_for_end(int fd, struct tally *tally)
{
	ssize_t n;

	while (!stop_requested() && (n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && !wait_for(fd, POLLIN, CLOCK_NEVER, tally))
			return;
	}
}

static void send_bytes(int fd, const struct options *options, struct tally *tally)
{
	uint64_t deadline = options->bytes ? CLOCK_NEVER : tally->began + options->duration;
	size_t part;

	while (!stop_requested() && (part = next_part(options, tally))) {
		const char *from = buffer + tally->bytes % sizeof(buffer);
		ssize_t n = write(fd, from, part);

		if (n >= 0)
			count(options, tally, from, (size_t)n);
		else if (!wait_for(fd, POLLOUT, deadline, tally))
			return;
	}
	shutdown(fd, SHUT_WR);
	wait_for_end(fd, tally);
}

static void receive_bytes(int fd, const struct options *options, struct tally *tally)
{
	ssize_t n;

	while (!stop_requested() && (n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n > 0)
			count(options, tally, buffer, (size_t)n);
		else if (!wait_for(fd, POLLIN, CLOCK_NEVER, tally))
			return;
	}
}

static int report(const struct options *options, bool sent, const struct tally *tally)
{
	double seconds = (double)(tally->ended - tally->began) / CLOCK_SECOND;

	printf("%s %llu bytes in %.3f s: %.2f MiB/s", sent ? "sent" : "received",
	       (unsigned long long)tally->bytes, seconds,
	       seconds > 0 ? (double)tally->bytes / seconds / (1 << 20) : 0.0);
	if (options->crc)
		printf(", crc32 %08x", tally->crc);
	printf("\n");
	fflush(stdout);
	if (!tally->error)
		return 0;
	fprintf(stderr, "tput: %s\n", strerror(tally->error));
	return 1;
}

static int carry(int fd, const struct options *options, bool send)
{
	struct tally tally = {.began = clock_now()};

	if (send) {
		fill_pattern();
		send_bytes(fd, options, &tally);
	} else {
		receive_bytes(fd, options, &tally);
	}
	tally.ended = clock_now();
	close(fd);
	return report(options, send, &tally);
}

static int serve(const struct options *options)
{
	int listen_fd = tcp_listen_on("tput", options->port);
	struct pollfd waiting = {.fd = listen_fd, .events = POLLIN};

	if (listen_fd < 0)
		return 1;
	printf("tput: listening on port %u\n", options->port);
	fflush(stdout);
	while (!stop_requested()) {
		stop_poll(&waiting, 1, CLOCK_NEVER);
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			carry(fd, options, options->send);
	}
	return 0;
}

/* "10M" */
static bool parse_bytes(const char *text, uint64_t *bytes)
{
	char digits[24];
	size_t length = strspn(text, "0123456789");
	unsigned long number;
	unsigned shift = 0;

	if (length == 0 || length >= sizeof(digits))
		return false;
	memcpy(digits, text, length);
	digits[length] = 0;
	switch (text[length]) {
	case 'k':
	case 'K':
		shift = 10;
		break;
	case 'M':
		shift = 20;
		break;
	case 'G':
		shift = 30;
		break;
	case 0:
		break;
	default:
		return false;
	}
	if (text[length] && text[length + 1])
		return false;
	if (!argument_number(digits, 1, 1ul << 30, &number))
		return false;
	*bytes = (uint64_t)number << shift;
	return true;
}

static uint16_t parse_port(const char *text)
{
	unsigned long port;

	if (!argument_number(text, 1, 65535, &port))
		argument_wrong("tput", "not a port", text);
	return (uint16_t)port;
}

static void parse_option(int option, struct options *options)
{
	switch (option) {
	case 's':
		options->server = true;
		return;
	case 'p':
		options->port = parse_port(optarg);
		return;
	case 't':
		options->send = true;
		if (!argument_seconds(optarg, &options->duration))
			argument_wrong("tput", "not a number of seconds", optarg);
		return;
	case 'n':
		options->send = true;
		if (!parse_bytes(optarg, &options->bytes))
			argument_wrong("tput", "not a number of bytes", optarg);
		return;
	case 'r':
		options->receive = true;
		return;
	case 'c':
		options->crc = true;
		return;
	case 'h':
		fputs(usage, stdout);
		exit(0);
	default:
		argument_wrong("tput", NULL, NULL);
	}
}

static void parse_options(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {{"help", no_argument, NULL, 'h'}, {0}};
	int option;

	while ((option = getopt_long(argc, argv, "sp:t:n:rch", long_options, NULL)) != -1)
		parse_option(option, options);
	if (options->receive && options->send)
		argument_wrong("tput", "-r receives: it does not go together with -t and -n", NULL);
	if (!options->server && optind == argc)
		argument_wrong("tput", "no HOST, and no -s", NULL);
	if (optind + !options->server < argc)
		argument_wrong("tput", "one too many", argv[argc - 1]);
	options->host = argv[optind];
}

int main(int argc, char **argv)
{
	struct options options = {.port = TPUT_PORT, .duration = 10 * CLOCK_SECOND};

	parse_options(argc, argv, &options);
	signal(SIGPIPE, SIG_IGN);
	if (options.server) {
		stop_on_signals();
		return serve(&options);
	}
	int fd = tcp_connect_to("tput", options.host, options.port);

	if (fd < 0)
		return 1;
	stop_on_signals();
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return carry(fd, &options, !options.receive);
}
