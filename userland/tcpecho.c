/*
 * tcpecho: sends back every byte that it receives (RFC 862), to as many clients at once as there
 * are descriptors. What a client does not take is kept for it, and nothing more is read from it
 * until then.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userland/lib/argument.h"
#include "userland/lib/stop.h"
#include "userland/lib/tcp.h"

enum { ECHO_PORT = 7, BUFFER_SIZE = 65536, EVENTS = 64 };

static const char usage[] = "usage: tcpecho [-p PORT]\n"
			    "Echoes what TCP clients send until Ctrl-C, then says how much.\n"
			    "  -p PORT   listen on this port (7)\n"
			    "  --help    print this text\n";

/* What a client has not taken yet. */
struct client {
	int fd;
	size_t start, end;
	bool ended; /* the client has sent all */
	char buffer[BUFFER_SIZE];
};

struct server {
	int epoll_fd, listen_fd;
	unsigned long clients, failures;
	unsigned long long bytes;
};

static void watch(const struct server *server, struct client *client, uint32_t events,
		  int operation)
{
	struct epoll_event event = {.events = events, .data.ptr = client};

	if (epoll_ctl(server->epoll_fd, operation, client ? client->fd : server->listen_fd,
		      &event) == 0)
		return;
	fprintf(stderr, "tcpecho: epoll: %s\n", strerror(errno));
	exit(1);
}

static void end_client(struct server *server, struct client *client, bool failed)
{
	server->failures += failed;
	close(client->fd);
	free(client);
}

static void accept_clients(struct server *server)
{
	int fd;

	while ((fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct client *client = calloc(1, sizeof(*client));

		if (!client) {
			close(fd);
			server->failures++;
			continue;
		}
		client->fd = fd;
		server->clients++;
		watch(server, client, EPOLLIN, EPOLL_CTL_ADD);
	}
}

/* False when the connection is over. */
static bool read_some(struct server *server, struct client *client)
{
	ssize_t n = read(client->fd, client->buffer, sizeof(client->buffer));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	client->ended = n == 0;
	client->start = 0;
	client->end = (size_t)n;
	server->bytes += (size_t)n;
	return true;
}

static bool write_some(struct client *client)
{
	while (client->start < client->end) {
		ssize_t n = write(client->fd, client->buffer + client->start,
				  client->end - client->start);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		client->start += (size_t)n;
	}
	return true;
}

static void serve(struct server *server, struct client *client)
{
	bool waiting = client->start < client->end;
	bool alive = waiting || read_some(server, client);

	if (alive)
		alive = write_some(client);
	if (!alive || (client->ended && client->start == client->end)) {
		end_client(server, client, !alive);
		return;
	}
	if (waiting != client->start < client->end)
		watch(server, client, waiting ? EPOLLIN : EPOLLOUT, EPOLL_CTL_MOD);
}

static void run(struct server *server)
{
	struct pollfd waiting = {.fd = server->epoll_fd, .events = POLLIN};
	struct epoll_event events[EVENTS];

	while (!stop_requested()) {
		stop_poll(&waiting, 1, UINT64_MAX);
		int count = epoll_wait(server->epoll_fd, events, EVENTS, 0);

		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr)
				serve(server, events[i].data.ptr);
			else
				accept_clients(server);
		}
	}
}

static uint16_t parse_port(int argc, char **argv)
{
	static const struct option long_options[] = {{"help", no_argument, NULL, 'h'}, {0}};
	unsigned long port = ECHO_PORT;
	int option;

	while ((option = getopt_long(argc, argv, "p:h", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (option == 'p' && argument_number(optarg, 1, 65535, &port))
			continue;
		fputs(usage, stderr);
		exit(2);
	}
	if (optind == argc)
		return (uint16_t)port;
	fputs(usage, stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	struct server server = {0};
	uint16_t port = parse_port(argc, argv);

	signal(SIGPIPE, SIG_IGN);
	server.listen_fd = tcp_listen_on("tcpecho", port);
	if (server.listen_fd < 0)
		return 1;
	server.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server.epoll_fd < 0) {
		fprintf(stderr, "tcpecho: epoll: %s\n", strerror(errno));
		return 1;
	}
	watch(&server, NULL, EPOLLIN, EPOLL_CTL_ADD);
	stop_on_signals();
	printf("tcpecho: listening on port %u\n", port);
	fflush(stdout);
	run(&server);
	printf("tcpecho: %lu clients, %llu bytes, %lu broken off\n", server.clients, server.bytes,
	       server.failures);
	return 0;
}
