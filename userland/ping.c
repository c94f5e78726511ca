/*
 * ping: sends ICMP echo requests and measures how long the replies take. What they look like and
 * how they are counted is in lib/echo.c.
 *
 * It uses an ICMP datagram socket, for which the kernel keeps the identifier, and a raw socket
 * where those are not allowed. The output has the form that iputils made known.
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/errqueue.h>

#include "userland/lib/argument.h"
#include "userland/lib/clock.h"
#include "userland/lib/control.h"
#include "userland/lib/dns.h"
#include "userland/lib/echo.h"
#include "userland/lib/ip_option.h"
#include "userland/lib/stop.h"

enum { IP_HEADER_LENGTH = 20, IP_HEADER_MAX = 60 };

/* With -i 0, when no reply comes to send the next. */
static const uint64_t flood_interval = 10000;

struct options {
	unsigned long count; /* 0: until Ctrl-C */
	unsigned long size;
	uint64_t interval, patience;
	bool quiet;
	const char *from; /* interface or address, or NULL */
	const char *host;
};

struct ping {
	struct options options;
	struct sockaddr_in target;
	int socket_fd;
	bool raw;
	struct echo_log log;
	uint8_t request[ECHO_HEADER_LENGTH + ECHO_DATA_MAX];
	uint8_t packet[IP_HEADER_MAX + ECHO_HEADER_LENGTH + ECHO_DATA_MAX];
};

static const char usage[] =
	"usage: ping [options] HOST\n"
	"  -c COUNT      stop after so many (else: at Ctrl-C)\n"
	"  -i SECONDS    between two echoes (1); 0 sends the next when the last is answered\n"
	"  -W SECONDS    how long to wait for the last replies when there was none yet (10)\n"
	"  -s BYTES      of data in each (56)\n"
	"  -I FROM       send from this interface or address\n"
	"  -q            only the summary\n"
	"  --help        print this text\n"
	"Status: 0 if there was a reply, 1 if there was none, 2 for another failure.\n";

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "ping: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* ---- The socket ---- */

static void choose_source(const struct ping *ping, const char *from)
{
	struct sockaddr_in source = {.sin_family = AF_INET};
	uint32_t address;

	if (!ip_address_parse(from, &address)) {
		if (setsockopt(ping->socket_fd, SOL_SOCKET, SO_BINDTODEVICE, from,
			       (socklen_t)strlen(from) + 1) < 0)
			fail(from);
		return;
	}
	source.sin_addr.s_addr = htonl(address);
	if (bind(ping->socket_fd, (struct sockaddr *)&source, sizeof(source)) < 0)
		fail(from);
}

static void open_socket(struct ping *ping)
{
	int yes = 1;

	ping->socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
	if (ping->socket_fd < 0) {
		ping->raw = true;
		ping->socket_fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	}
	if (ping->socket_fd < 0)
		fail("socket");
	ping->log.any_identifier = !ping->raw;
	ping->log.identifier = (uint16_t)getpid();
	setsockopt(ping->socket_fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes));
	setsockopt(ping->socket_fd, IPPROTO_IP, IP_RECVTTL, &yes, sizeof(yes));
	setsockopt(ping->socket_fd, IPPROTO_IP, IP_RECVERR, &yes, sizeof(yes));
	if (ping->options.from)
		choose_source(ping, ping->options.from);
}

/* ---- Sending ---- */

static void send_echo(struct ping *ping)
{
	size_t length = echo_emit(&ping->log, clock_now(), ping->request);

	if (sendto(ping->socket_fd, ping->request, length, 0, (struct sockaddr *)&ping->target,
		   sizeof(ping->target)) >= 0)
		return;
	ping->log.errors++;
	fprintf(stderr, "ping: sendto: %s\n", strerror(errno));
}

/* ---- Receiving ---- */

struct received {
	struct sockaddr_in from;
	const uint8_t *icmp;
	size_t length;
	int ttl; /* -1: the kernel did not say */
};

/* A raw socket gives the IP header too. */
static bool strip_ip_header(struct received *received)
{
	size_t header;

	if (received->length < IP_HEADER_LENGTH)
		return false;
	header = (received->icmp[0] & 15u) * 4u;
	if (header < IP_HEADER_LENGTH || received->length < header)
		return false;
	received->icmp += header;
	received->length -= header;
	return true;
}

static void print_reply(const struct received *received, const struct echo_reply *reply)
{
	printf("%zu bytes from %s: icmp_seq=%u", received->length,
	       inet_ntoa(received->from.sin_addr), reply->sequence);
	if (received->ttl >= 0)
		printf(" ttl=%d", received->ttl);
	printf(" time=%.3f ms%s%s\n", (double)reply->time / 1000, reply->duplicate ? " (DUP!)" : "",
	       reply->intact ? "" : " (different data!)");
	fflush(stdout);
}

static const char *error_text(const struct sock_extended_err *error)
{
	static const char *const unreachable[] = {
		"Destination Net Unreachable",      "Destination Host Unreachable",
		"Destination Protocol Unreachable", "Destination Port Unreachable",
		"Frag needed and DF set",
	};

	if (error->ee_origin != SO_EE_ORIGIN_ICMP)
		return strerror((int)error->ee_errno);
	if (error->ee_type == ICMP_TIME_EXCEEDED)
		return "Time to live exceeded";
	if (error->ee_type == ICMP_DEST_UNREACH &&
	    error->ee_code < sizeof(unreachable) / sizeof(unreachable[0]))
		return unreachable[error->ee_code];
	return strerror((int)error->ee_errno);
}

/* An ICMP error about one of our echoes, from the socket's queue of errors (ip(7), IP_RECVERR). */
static void take_error(struct ping *ping, struct msghdr *message, size_t length)
{
	struct {
		struct sock_extended_err error;
		struct sockaddr_in offender;
	} control;

	if (!control_read(message, IP_RECVERR, &control, sizeof(control)))
		return;
	ping->log.errors++;
	if (ping->options.quiet)
		return;
	printf("From %s icmp_seq=%u %s\n",
	       control.offender.sin_family == AF_INET ? inet_ntoa(control.offender.sin_addr)
						      : "here",
	       echo_sequence(ping->packet, length), error_text(&control.error));
	fflush(stdout);
}

static bool take_reply(struct ping *ping, struct received *received)
{
	uint64_t now = clock_now();
	struct echo_reply reply;

	if (ping->raw && !strip_ip_header(received))
		return false;
	if (!echo_take(&ping->log, now, received->icmp, received->length, &reply))
		return false;
	if (!ping->options.quiet)
		print_reply(received, &reply);
	return true;
}

/* Returns whether there was something to read; *replied when it was a reply to us. */
static bool receive(struct ping *ping, int flags, bool *replied)
{
	_Alignas(struct cmsghdr) char control[256];
	struct received received = {.icmp = ping->packet};
	struct iovec data = {.iov_base = ping->packet, .iov_len = sizeof(ping->packet)};
	struct msghdr message = {
		.msg_name = &received.from,
		.msg_namelen = sizeof(received.from),
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t length = recvmsg(ping->socket_fd, &message, flags | MSG_DONTWAIT);

	/* Any other error than "nothing there" is one that the queue of errors tells better. */
	if (length < 0)
		return false;
	received.length = (size_t)length;
	if (!control_read(&message, IP_TTL, &received.ttl, sizeof(received.ttl)))
		received.ttl = -1;
	if (flags & MSG_ERRQUEUE)
		take_error(ping, &message, received.length);
	else
		*replied |= take_reply(ping, &received);
	return true;
}

/* ---- The whole ---- */

/* How long after the last echo there is still hope: two round trips, once one is known. */
static uint64_t last_wait(const struct ping *ping)
{
	if (ping->log.received == 0)
		return ping->options.patience;
	return ping->log.longest < CLOCK_SECOND / 2 ? CLOCK_SECOND : 2 * ping->log.longest;
}

static bool all_accounted(const struct echo_log *log)
{
	return log->received + log->errors >= log->sent;
}

static void run(struct ping *ping)
{
	const struct options *options = &ping->options;
	struct pollfd wait = {.fd = ping->socket_fd, .events = POLLIN};
	uint64_t interval = options->interval ? options->interval : flood_interval;
	uint64_t next = clock_now();
	bool replied, all_sent = false;

	while (!stop_requested()) {
		if (clock_now() >= next) {
			if (all_sent)
				return;
			send_echo(ping);
			all_sent = options->count != 0 && ping->log.sent == options->count;
			next = clock_now() + (all_sent ? last_wait(ping) : interval);
		}
		if (all_sent && all_accounted(&ping->log))
			return;
		if (stop_poll(&wait, 1, next) == 0)
			continue;
		replied = false;
		while ((wait.revents & POLLERR) && receive(ping, MSG_ERRQUEUE, &replied))
			continue;
		while (receive(ping, 0, &replied))
			continue;
		if (replied && options->interval == 0 && !all_sent)
			next = clock_now();
	}
}

static void print_summary(const struct ping *ping, uint64_t duration)
{
	const struct echo_log *log = &ping->log;
	double lost = log->sent ? 100.0 * (double)(log->sent - log->received) / (double)log->sent
				: 0;

	printf("\n--- %s ping statistics ---\n", ping->options.host);
	printf("%lu packets transmitted, %lu received", log->sent, log->received);
	if (log->duplicates)
		printf(", +%lu duplicates", log->duplicates);
	if (log->errors)
		printf(", +%lu errors", log->errors);
	printf(", %.4g%% packet loss, time %llums\n", lost, (unsigned long long)duration / 1000);
	if (log->received == 0)
		return;
	printf("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", (double)log->shortest / 1000,
	       echo_mean(log) / 1000, (double)log->longest / 1000, sqrt(echo_variance(log)) / 1000);
}

static bool parse_option(int option, const char *argument, struct options *options)
{
	switch (option) {
	case 'c':
		return argument_number(argument, 1, 1000000000, &options->count);
	case 'i':
		return argument_seconds(argument, &options->interval);
	case 'W':
		return argument_seconds(argument, &options->patience);
	case 's':
		return argument_number(argument, 0, ECHO_DATA_MAX, &options->size);
	case 'I':
		options->from = argument;
		return true;
	case 'q':
		options->quiet = true;
		return true;
	default:
		return false;
	}
}

static void parse_options(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {{"help", no_argument, NULL, 'h'}, {0}};
	int option;

	options->size = 56;
	options->interval = CLOCK_SECOND;
	options->patience = 10 * CLOCK_SECOND;
	while ((option = getopt_long(argc, argv, "c:i:W:s:I:qh", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (option == '?')
			argument_wrong("ping", NULL, NULL);
		if (!parse_option(option, optarg, options))
			argument_wrong("ping", "bad value", optarg);
	}
	if (optind == argc)
		argument_wrong("ping", "no HOST", NULL);
	if (optind + 1 < argc)
		argument_wrong("ping", "one HOST at a time", argv[optind + 1]);
	options->host = argv[optind];
}

int main(int argc, char **argv)
{
	static struct ping ping;
	enum dns_result result;
	uint32_t address;
	uint64_t started;

	parse_options(argc, argv, &ping.options);
	ping.log.size = ping.options.size;
	result = dns_find_address(ping.options.host, &address);
	if (result != DNS_FOUND) {
		fprintf(stderr, "ping: %s: %s\n", ping.options.host, dns_result_text(result));
		return 2;
	}
	ping.target.sin_family = AF_INET;
	ping.target.sin_addr.s_addr = htonl(address);
	open_socket(&ping);
	stop_on_signals();
	printf("PING %s (%s) %lu(%lu) bytes of data.\n", ping.options.host,
	       inet_ntoa(ping.target.sin_addr), ping.options.size,
	       ping.options.size + ECHO_HEADER_LENGTH + IP_HEADER_LENGTH);
	fflush(stdout);
	started = clock_now();
	run(&ping);
	print_summary(&ping, clock_now() - started);
	return ping.log.received > 0 ? 0 : 1;
}
