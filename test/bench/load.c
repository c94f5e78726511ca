/*
 * The load of `ninja bench`, from the host against test/bench/server.c in a guest:
 *
 *	load ADDRESS KIND COUNT
 *
 * KIND                COUNT is of
 *	tcp-in          MiB sent to discard
 *	tcp-out         MiB taken from source
 *	tcp-request     requests and answers of one byte on one connection
 *	tcp-connection  connections opened, one byte each way, closed
 *	udp-request     datagrams of 64 bytes and their echoes
 *	ping            ICMP echoes of 64 bytes (needs the right to open an ICMP socket)
 *	http-request    HTTP requests on one connection
 *	idle            connections that are open at once: prints the guest's memory for each, bytes
 *
 * Prints the seconds that it took, but for the last.
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 10, DATAGRAM = 64, BUFFER = 256 << 10, FILES = 8192, FIRST_FEW = 16 };

static char buffer[BUFFER];
static struct sockaddr_in guest = {.sin_family = AF_INET};

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_to(int type, int protocol, uint16_t port)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = socket(AF_INET, type, protocol), yes = 1;

	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	guest.sin_port = htons(port);
	if (connect(fd, (struct sockaddr *)&guest, sizeof(guest)) != 0)
		fail("connect");
	return fd;
}

static void send_all(int fd, const void *bytes, size_t length)
{
	if (send(fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
		fail("send");
}

static size_t receive(int fd, size_t most)
{
	ssize_t n = recv(fd, buffer, most, 0);

	if (n < 0)
		fail("receive");
	return (size_t)n;
}

static void expect(int fd, size_t length)
{
	for (size_t n; length; length -= n) {
		n = receive(fd, length);
		if (n == 0)
			fail("the guest closed");
	}
}

static unsigned long free_kib(int fd)
{
	size_t length;

	send_all(fd, "?", 1);
	length = receive(fd, BUFFER - 1);
	buffer[length] = 0;
	return strtoul(buffer, NULL, 10);
}

static void idle(unsigned long count)
{
	const struct rlimit limit = {FILES, FILES};
	int memory = open_to(SOCK_DGRAM, 0, 11);
	unsigned long before;

	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		fail("setrlimit");
	for (int i = 0; i < FIRST_FEW; i++) /* tables grow, and a page here and there is touched */
		open_to(SOCK_STREAM, 0, 11);
	before = free_kib(memory);
	for (unsigned long i = 0; i < count; i++)
		open_to(SOCK_STREAM, 0, 11);
	sleep(1); /* the last ones are accepted */
	printf("%.0f\n", ((double)before - (double)free_kib(memory)) * 1024 / (double)count);
	exit(0);
}

static void tcp_in(unsigned long mib)
{
	int fd = open_to(SOCK_STREAM, 0, 9);

	for (uint64_t left = (uint64_t)mib << 20; left; left -= BUFFER)
		send_all(fd, buffer, BUFFER);
	shutdown(fd, SHUT_WR);
	while (receive(fd, BUFFER))
		;
	close(fd);
}

static void tcp_out(unsigned long mib)
{
	int fd = open_to(SOCK_STREAM, 0, 19);
	uint64_t count = (uint64_t)mib << 20, wire = __builtin_bswap64(count);

	send_all(fd, &wire, sizeof(wire));
	while (count)
		count -= receive(fd, count < BUFFER ? (size_t)count : BUFFER);
	close(fd);
}

static void requests(int fd, unsigned long count, const char *request, size_t request_length,
		     size_t answer_length)
{
	for (unsigned long i = 0; i < count; i++) {
		send_all(fd, request, request_length);
		expect(fd, answer_length);
	}
	close(fd);
}

static void tcp_request(unsigned long count)
{
	requests(open_to(SOCK_STREAM, 0, 7), count, "x", 1, 1);
}

static void tcp_connection(unsigned long count)
{
	for (unsigned long i = 0; i < count; i++) {
		int fd = open_to(SOCK_STREAM, 0, 8);

		send_all(fd, "x", 1);
		expect(fd, 1);
		if (receive(fd, 1) != 0)
			fail("more than one byte");
		close(fd);
	}
}

static void udp_request(unsigned long count)
{
	requests(open_to(SOCK_DGRAM, 0, 7), count, buffer, DATAGRAM, DATAGRAM);
}

static void ping(unsigned long count)
{
	struct icmphdr *header = (struct icmphdr *)buffer;
	int fd = open_to(SOCK_DGRAM, IPPROTO_ICMP, 0);

	for (unsigned long i = 0; i < count; i++) {
		*header = (struct icmphdr){.type = ICMP_ECHO,
					   .un.echo.sequence = htons((uint16_t)i)};
		send_all(fd, buffer, DATAGRAM);
		if (receive(fd, BUFFER) != DATAGRAM)
			fail("a short reply");
	}
	close(fd);
}

static void http_request(unsigned long count)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: guest\r\n\r\n";
	static const char answer[] =
		"HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: text/plain\r\n"
		"Content-Length: 14\r\n\r\nHello, world!\n";

	requests(open_to(SOCK_STREAM, 0, 80), count, request, sizeof(request) - 1,
		 sizeof(answer) - 1);
}

static const struct {
	const char *name;
	void (*run)(unsigned long count);
} kinds[] = {
	{"tcp-in", tcp_in},
	{"tcp-out", tcp_out},
	{"tcp-request", tcp_request},
	{"tcp-connection", tcp_connection},
	{"udp-request", udp_request},
	{"ping", ping},
	{"http-request", http_request},
	{"idle", idle},
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	unsigned long count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;

	for (size_t i = 0; count && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(argv[2], kinds[i].name) != 0 ||
		    inet_pton(AF_INET, argv[1], &guest.sin_addr) != 1)
			continue;
		double began = now();

		kinds[i].run(count);
		printf("%.6f\n", now() - began);
		return 0;
	}
	fprintf(stderr, "usage: load ADDRESS KIND COUNT; the kinds stand in test/bench/load.c\n");
	return 2;
}
