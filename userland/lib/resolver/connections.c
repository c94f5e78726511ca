/*
 * Clients that speak TCP (RFC 7766): each message has its length before it. A client may send one
 * question after the other; it gets its answers in that order.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userland/lib/bytes.h"
#include "userland/lib/clock.h"
#include "userland/lib/resolver/resolver.h"

#define PATIENCE (10 * CLOCK_SECOND) /* for a client that sends no question or takes no answer */

void connections_init(struct resolver *resolver)
{
	for (unsigned i = 0; i < RESOLVER_CONNECTIONS_MAX; i++)
		resolver->connections[i].fd = -1;
}

void connection_close(struct connection *connection)
{
	close(connection->fd);
	free(connection->out);
	connection->out = NULL;
	connection->fd = -1;
}

/* A free place; else that of the client that has been idle for longest. */
static struct connection *choose_place(struct resolver *resolver)
{
	struct connection *chosen = &resolver->connections[0];

	for (unsigned i = 0; i < RESOLVER_CONNECTIONS_MAX; i++) {
		struct connection *each = &resolver->connections[i];

		if (each->fd < 0)
			return each;
		if (each->deadline < chosen->deadline)
			chosen = each;
	}
	connection_close(chosen);
	return chosen;
}

void connection_accept(struct resolver *resolver)
{
	int fd = accept4(resolver->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct connection *connection;

	if (fd < 0)
		return;
	connection = choose_place(resolver);
	memset(connection, 0, sizeof(*connection));
	connection->fd = fd;
	connection->serial = resolver->next_serial++;
	connection->deadline = clock_now() + PATIENCE;
}

/* ---- Answers ---- */

static void send_reply(struct connection *connection)
{
	ssize_t sent = send(connection->fd, connection->out + connection->sent,
			    connection->out_length - connection->sent, MSG_NOSIGNAL);

	if (sent < 0) {
		if (errno != EAGAIN)
			connection_close(connection);
		return;
	}
	connection->sent += (size_t)sent;
	if (connection->sent < connection->out_length)
		return;
	free(connection->out);
	connection->out = NULL;
	connection->waiting = false;
	connection->deadline = clock_now() + PATIENCE;
}

void connection_reply(struct resolver *resolver, const struct source *source, const uint8_t *bytes,
		      size_t length)
{
	struct connection *connection = &resolver->connections[source->connection];

	if (connection->fd < 0 || connection->serial != source->serial)
		return;
	connection->out = malloc(2 + length);
	if (!connection->out) {
		connection_close(connection);
		return;
	}
	put_be16(connection->out, (uint16_t)length);
	memcpy(connection->out + 2, bytes, length);
	connection->out_length = 2 + length;
	connection->sent = 0;
	connection->deadline = clock_now() + PATIENCE;
	send_reply(connection);
}

/* ---- Questions ---- */

void connection_go_on(struct resolver *resolver, struct connection *connection)
{
	struct source source = {
		.by_tcp = true,
		.connection = (unsigned)(connection - resolver->connections),
		.serial = connection->serial,
	};

	while (connection->fd >= 0 && !connection->waiting && connection->received >= 2) {
		uint8_t question[RESOLVER_QUERY_MAX];
		size_t length = get_be16(connection->in);

		if (length > sizeof(question)) {
			connection_close(connection);
			return;
		}
		if (connection->received < 2 + length)
			return;
		memcpy(question, connection->in + 2, length);
		connection->received -= 2 + length;
		memmove(connection->in, connection->in + 2 + length, connection->received);
		connection->waiting = true;
		connection->deadline = CLOCK_NEVER;
		resolver_receive(resolver, &source, question, length);
	}
}

static void receive_questions(struct connection *connection)
{
	ssize_t length = recv(connection->fd, connection->in + connection->received,
			      sizeof(connection->in) - connection->received, 0);

	if (length < 0 && errno == EAGAIN)
		return;
	if (length <= 0) {
		connection_close(connection);
		return;
	}
	connection->received += (size_t)length;
}

void connection_poll(const struct connection *connection, struct pollfd *wait)
{
	wait->fd = connection->fd;
	wait->events = connection->out ? POLLOUT : connection->waiting ? 0 : POLLIN;
}

void connection_ready(struct connection *connection, short events)
{
	if (connection->out)
		send_reply(connection);
	else if (!connection->waiting)
		receive_questions(connection);
	else if (events & (POLLERR | POLLHUP))
		connection_close(connection);
}
