/*
 * The server of `ninja bench`: one static arm64 program, which runs unchanged on Vitrine and on
 * Linux, so that what differs is the kernel. One loop over epoll.
 *
 *	UDP 7      echo
 *	UDP 11     the machine's free memory in KiB, as /proc/meminfo has it
 *	TCP 7      echo
 *	TCP 8      takes one byte, gives one, and closes
 *	TCP 9      discard: takes all, closes when the client has
 *	TCP 11     accepts, and does no more: an idle connection without anything of this program's
 *	TCP 19     source: takes 8 bytes, a big-endian count, and gives so many
 *	TCP 80     HTTP, kept alive, always the same small page
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, BACKLOG = 4096, BUFFER = 65536, FILES = 8192 };

struct connection;

/* What a service does when its client has sent something. False: the connection ends. */
typedef bool service_function(struct connection *connection);

struct service {
	uint16_t port;
	service_function *readable;
	bool datagrams;
};

struct connection {
	int fd;
	const struct service *service;
	bool listening;
	uint64_t to_send; /* source */
	uint32_t filled;  /* source: bytes of the count; http: bytes of the request's end seen */
	uint8_t count[8];
};

static char buffer[BUFFER];
static int epoll_fd;

static void fail(const char *what)
{
	fprintf(stderr, "server: %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool try_again(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void watch(struct connection *connection, uint32_t events, int operation)
{
	struct epoll_event event = {.events = events, .data.ptr = connection};

	if (epoll_ctl(epoll_fd, operation, connection->fd, &event) != 0)
		fail("epoll_ctl");
}

static bool udp_echo(struct connection *connection)
{
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	ssize_t n = recvfrom(connection->fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&from,
			     &length);

	if (n >= 0)
		sendto(connection->fd, buffer, (size_t)n, 0, (struct sockaddr *)&from, length);
	return true;
}

static bool tell_free_memory(struct connection *connection)
{
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	char *line = buffer;
	FILE *file;

	if (recvfrom(connection->fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &length) <
	    0)
		return true;
	file = fopen("/proc/meminfo", "r");
	if (!file)
		fail("/proc/meminfo");
	while (fgets(line, 256, file) && strncmp(line, "MemFree:", 8) != 0)
		;
	fclose(file);
	sendto(connection->fd, line + 8, strlen(line + 8), 0, (struct sockaddr *)&from, length);
	return true;
}

static bool echo(struct connection *connection)
{
	ssize_t n = read(connection->fd, buffer, sizeof(buffer));

	if (n <= 0)
		return try_again(n);
	return write(connection->fd, buffer, (size_t)n) == n;
}

static bool one_byte(struct connection *connection)
{
	ssize_t n = read(connection->fd, buffer, 1);

	if (n <= 0)
		return try_again(n);
	(void)!write(connection->fd, buffer, 1);
	return false;
}

static bool discard(struct connection *connection)
{
	ssize_t n = read(connection->fd, buffer, sizeof(buffer));

	return n > 0 || try_again(n);
}

static bool send_source(struct connection *connection)
{
	while (connection->to_send) {
		size_t part = connection->to_send < BUFFER ? (size_t)connection->to_send : BUFFER;
		ssize_t n = write(connection->fd, buffer, part);

		if (n < 0)
			return try_again(n);
		connection->to_send -= (uint64_t)n;
	}
	watch(connection, EPOLLIN, EPOLL_CTL_MOD);
	return true;
}

static bool source(struct connection *connection)
{
	ssize_t n = read(connection->fd, connection->count + connection->filled,
			 sizeof(connection->count) - connection->filled);

	if (n <= 0)
		return try_again(n);
	connection->filled += (uint32_t)n;
	if (connection->filled < sizeof(connection->count))
		return true;
	connection->filled = 0;
	for (size_t i = 0; i < sizeof(connection->count); i++)
		connection->to_send = connection->to_send << 8 | connection->count[i];
	watch(connection, EPOLLOUT, EPOLL_CTL_MOD);
	return true;
}

static bool http(struct connection *connection)
{
	static const char answer[] =
		"HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: text/plain\r\n"
		"Content-Length: 14\r\n\r\nHello, world!\n";
	static const char end[] = "\r\n\r\n";
	ssize_t n = read(connection->fd, buffer, sizeof(buffer));

	if (n <= 0)
		return try_again(n);
	for (ssize_t i = 0; i < n; i++) {
		if (buffer[i] != end[connection->filled])
			connection->filled = buffer[i] == '\r';
		else if (end[++connection->filled] == 0)
			connection->filled = 0;
		else
			continue;
		if (connection->filled == 0 && buffer[i] == '\n' &&
		    write(connection->fd, answer, sizeof(answer) - 1) < 0)
			return false;
	}
	return true;
}

static const struct service services[] = {
	{.port = 7, .readable = udp_echo, .datagrams = true},
	{.port = 11, .readable = tell_free_memory, .datagrams = true},
	{.port = 7, .readable = echo},
	{.port = 8, .readable = one_byte},
	{.port = 9, .readable = discard},
	{.port = 11},
	{.port = 19, .readable = source},
	{.port = 80, .readable = http},
};

static struct connection *add(int fd, const struct service *service, bool listening)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		fail("memory");
	connection->fd = fd;
	connection->service = service;
	connection->listening = listening;
	watch(connection, EPOLLIN, EPOLL_CTL_ADD);
	return connection;
}

static void open_service(const struct service *service)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(service->port)};
	int type = service->datagrams ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
	int yes = 1;

	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		fail("bind");
	if (!service->datagrams && listen(fd, BACKLOG) != 0)
		fail("listen");
	add(fd, service, !service->datagrams);
}

static void accept_all(const struct connection *listener)
{
	int fd, yes = 1;

	while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		if (!listener->service->readable)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
		add(fd, listener->service, false);
	}
}

static void serve(struct connection *connection)
{
	bool alive;

	if (connection->listening) {
		accept_all(connection);
		return;
	}
	alive = connection->to_send ? send_source(connection)
				    : connection->service->readable(connection);
	if (alive)
		return;
	close(connection->fd);
	free(connection);
}

static void allow_many_files(void)
{
	const struct rlimit limit = {FILES, FILES};

	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		fail("setrlimit");
}

int main(void)
{
	struct epoll_event events[EVENTS];

	allow_many_files();
	signal(SIGPIPE, SIG_IGN);
	epoll_fd = epoll_create1(0);
	if (epoll_fd < 0)
		fail("epoll_create1");
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		open_service(&services[i]);
	printf("serving\n");
	fflush(stdout);
	for (;;) {
		int count = epoll_wait(epoll_fd, events, EVENTS, -1);

		for (int i = 0; i < count; i++)
			serve(events[i].data.ptr);
	}
}
