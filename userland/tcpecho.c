/*
 * tcpecho: sends back every byte that it receives (RFC 862), to as many clients at once as there
 * are descriptors. What a client does not take is kept for it, and nothing more is read from it
 * until then. A client that takes all costs hardly any memory: one buffer serves them all.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userland/lib/argument.h"
#include "userland/lib/clock.h"
#include "userland/lib/stop.h"
#include "userland/lib/tcp.h"

enum { ECHO_PORT = 7, BUFFER_SIZE = 65536, EVENTS = 64 };

static const char usage[] = "usage: tcpecho [-p PORT]\n"
			    "Echoes what TCP clients send until Ctrl-C, then says how much.\n"
			    "  -p PORT   listen on this port (7)\n"
			    "  --help    print this text\n";

struct client {
	int fd;
	bool ended;        /* the client has sent all */
	char *left;        /* what it has not taken yet, malloc'ed; NULL: nothing */
	size_t start, end; /* of `left` */
};

struct server {
	int epoll_fd, listen_fd;
	unsigned long clients, failures;
	unsigned long long bytes;
	char buffer[BUFFER_SIZE]; /* what was just read */
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
	free(client->left);
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

/* How many of the bytes the client takes now, or -1: the connection is over. */
static ssize_t write_some(const struct client *client, const char *bytes, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = write(client->fd, bytes + done, length - done);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* Keeps what was not taken. False without memory for it. */
static bool keep(const struct server *server, struct client *client, const char *bytes,
		 size_t length)
{
	client->left = malloc(length);
	if (!client->left)
		return false;
	memcpy(client->left, bytes, length);
	client->start = 0;
	client->end = length;
	watch(server, client, EPOLLOUT, EPOLL_CTL_MOD);
	return true;
}

/* False when the connection is over. */
static bool echo(struct server *server, struct client *client)
{
	ssize_t length = read(client->fd, server->buffer, sizeof(server->buffer));

	if (length < 0)
		return errno == EAGAIN;
	client->ended = length == 0;
	server->bytes += (size_t)length;

	ssize_t written = write_some(client, server->buffer, (size_t)length);

	if (written < 0)
		return false;
	return written == length ||
	       keep(server, client, server->buffer + written, (size_t)(length - written));
}

/* False when the connection is over. */
static bool write_left(const struct server *server, struct client *client)
{
	ssize_t written = write_some(client, client->left + client->start,
				     client->end - client->start);

	if (written < 0)
		return false;
	client->start += (size_t)written;
	if (client->start < client->end)
		return true;
	free(client->left);
	client->left = NULL;
	watch(server, client, EPOLLIN, EPOLL_CTL_MOD);
	return true;
}

static void serve(struct server *server, struct client *client)
{
	bool alive = client->left ? write_left(server, client) : echo(server, client);

	if (!alive || (client->ended && !client->left))
		end_client(server, client, !alive);
}

static void run(struct server *server)
{
	struct pollfd waiting = {.fd = server->epoll_fd, .events = POLLIN};
	struct epoll_event events[EVENTS];

	while (!stop_requested()) {
		stop_poll(&waiting, 1, CLOCK_NEVER);
		int count = epoll_wait(server->epoll_fd, events, EVENTS, 0);

		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr)
				serve(server, events[i].data.ptr);
			else
				accept_clients(server);
		}
	}
}

int main(int argc, char **argv)
{
	static struct server server;
	uint16_t port = argument_port_alone("tcpecho", argc, argv, usage, ECHO_PORT);

	signal(SIGPIPE, SIG_IGN);
	tcp_allow_many();
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
