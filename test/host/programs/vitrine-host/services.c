/* The services; see services.h. */
#include "test/host/programs/vitrine-host/services.h"

#include <stdio.h>
#include <string.h>

#include "net/ipv4/inet_socket.h"
#include "test/host/programs/vitrine-host/server.h"
#include "test/host/programs/vitrine-host/stack_socket.h"
#include "test/host/programs/vitrine-host/streams.h"

#define DATAGRAM_MAX 65507
#define PRIVILEGED_PORTS 1024

struct service {
	const char *name;
	uint16_t port;
	const char *what;
	/* A datagram of `length` bytes came; message->name says from whom. NULL: none of UDP's. */
	void (*datagram)(struct socket *socket, struct message *message, void *bytes,
			 size_t length);
	stream_service *stream; /* what a TCP connection gets */
};

/*
 * RFC 862. No answer to the port of another such service, which would answer in its turn, and so
 * on for ever.
 */
static void echo_datagram(struct socket *socket, struct message *message, void *bytes,
			  size_t length)
{
	struct endpoint from;

	if (inet_read_name(&message->name, message->name_length, &from) ||
	    from.port < PRIVILEGED_PORTS)
		return;
	stack_socket_send(socket, &message->name, message->name_length, bytes, length);
}

/* RFC 863 */
static void discard_datagram(struct socket *socket __unused, struct message *message __unused,
			     void *bytes __unused, size_t length __unused)
{
}

static const struct service services[SERVICE_COUNT] = {
	[SERVICE_ECHO] = {"echo", 7, "gives back what it is sent (RFC 862)", echo_datagram,
			  echo_stream},
	[SERVICE_DISCARD] = {"discard", 9, "takes all and answers nothing (RFC 863)",
			     discard_datagram, discard_stream},
	/* Not by UDP: one forged datagram would send many to somebody else. */
	[SERVICE_CHARGEN] = {"chargen", 19, "sends without end (RFC 864), TCP only", NULL,
			     chargen_stream},
};

int service_find(const char *name)
{
	for (int i = 0; i < SERVICE_COUNT; i++)
		if (strcmp(services[i].name, name) == 0)
			return i;
	return -1;
}

void services_describe(char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; i < SERVICE_COUNT && used < size; i++)
		used += (size_t)snprintf(text + used, size - used,
					 "                     %-8s %s, port %u\n",
					 services[i].name, services[i].what, services[i].port);
}

static enum served_state serve_datagrams(struct served *served)
{
	const struct service *service = served->context;
	static uint8_t bytes[DATAGRAM_MAX]; /* one turn at a time */

	for (int i = 0; i < SERVER_AT_ONCE; i++) {
		struct message message;
		int64_t n = stack_socket_receive(served->socket, &message, bytes, sizeof(bytes));

		if (n == -EAGAIN)
			return SERVED_IDLE;
		/* Other errors are ICMP's answers to what was sent before. */
		if (n >= 0)
			service->datagram(served->socket, &message, bytes, (size_t)n);
	}
	return SERVED_MORE;
}

static int start_datagrams(struct server *server, const struct service *service)
{
	struct socket *socket;
	int error = stack_socket_open(server->net, SOCK_DGRAM, service->port, &socket);

	if (!error && !server_add(server, socket, serve_datagrams, (void *)(uintptr_t)service))
		error = -ENOMEM;
	return error;
}

static int start(struct server *server, const struct service *service)
{
	int error = service->datagram ? start_datagrams(server, service) : 0;

	return error ? error : streams_start(server, service->port, service->stream);
}

int services_start(struct server *server, const bool wanted[SERVICE_COUNT])
{
	for (int i = 0; i < SERVICE_COUNT; i++) {
		int error = wanted[i] ? start(server, &services[i]) : 0;

		if (error) {
			fprintf(stderr, "vitrine-host: service %s: %s\n", services[i].name,
				strerror(-error));
			return error;
		}
	}
	return 0;
}
