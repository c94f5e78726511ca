/*
 * Connections and what is done with them; see streams.h. Each turn moves a bounded number of bytes,
 * so that a fast peer does not keep the others waiting.
 */
#include "test/host/programs/vitrine-host/streams.h"

#include <stdlib.h>

#include "test/host/programs/vitrine-host/stack_socket.h"

#define BACKLOG 1024
#define PIECE 65536
#define PIECES_A_TURN 16

/* Bytes of an echo that were received and could not be sent yet. */
struct echo {
	size_t start, end;
	uint8_t bytes[PIECE];
};

/* Takes what the peer says into `bytes`, which has room for PIECE. As recv(2). */
static int64_t receive_piece(struct socket *socket, void *bytes)
{
	struct message message;

	return stack_socket_receive(socket, &message, bytes, PIECE);
}

/* As send(2) on a connection. */
static int64_t send_piece(struct socket *socket, const void *bytes, size_t length)
{
	static const struct sockaddr_storage nobody;

	return stack_socket_send(socket, &nobody, 0, bytes, length);
}

/* RFC 862. What the peer has sent before its FIN is answered before ours. */
enum served_state echo_stream(struct served *served)
{
	if (!served->memory)
		served->memory = calloc(1, sizeof(struct echo));
	struct echo *echo = served->memory;

	for (int i = 0; echo && i < PIECES_A_TURN; i++) {
		int64_t n;

		if (echo->start == echo->end) {
			n = receive_piece(served->socket, echo->bytes);
			echo->start = 0;
			echo->end = n > 0 ? (size_t)n : 0;
		} else {
			n = send_piece(served->socket, echo->bytes + echo->start,
				       echo->end - echo->start);
			echo->start += n > 0 ? (size_t)n : 0;
		}
		if (n == -EAGAIN)
			return SERVED_IDLE;
		if (n <= 0)
			return SERVED_ENDED;
	}
	return echo ? SERVED_MORE : SERVED_ENDED;
}

/* RFC 863 */
enum served_state discard_stream(struct served *served)
{
	static uint8_t bytes[PIECE];

	for (int i = 0; i < PIECES_A_TURN; i++) {
		int64_t n = receive_piece(served->socket, bytes);

		if (n == -EAGAIN)
			return SERVED_IDLE;
		if (n <= 0)
			return SERVED_ENDED;
	}
	return SERVED_MORE;
}

/* The lines of RFC 864: 72 of the 95 printing characters, each line beginning one further on. */
static const uint8_t *pattern(void)
{
	static uint8_t bytes[2 * PIECE];
	const size_t line_length = 74, characters = 95;

	if (bytes[0])
		return bytes;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		size_t line = i / line_length, column = i % line_length;

		bytes[i] = (uint8_t)(' ' + (line + column) % characters);
		if (column == line_length - 2)
			bytes[i] = '\r';
		if (column == line_length - 1)
			bytes[i] = '\n';
	}
	return bytes;
}

/* RFC 864: until the peer has enough. What it says is thrown away. */
enum served_state chargen_stream(struct served *served)
{
	static uint8_t bytes[PIECE];
	const size_t period = 74 * 95; /* bytes, until the pattern repeats */
	size_t at = (size_t)(uintptr_t)served->context;

	for (int i = 0; i < PIECES_A_TURN; i++) {
		int64_t said = receive_piece(served->socket, bytes);

		if (said == 0 || (said < 0 && said != -EAGAIN))
			return SERVED_ENDED;
		int64_t n = send_piece(served->socket, pattern() + at, PIECE);

		if (n == -EAGAIN)
			return SERVED_IDLE;
		if (n <= 0)
			return SERVED_ENDED;
		at = (at + (size_t)n) % period;
		served->context = (void *)(uintptr_t)at;
	}
	return SERVED_MORE;
}

static enum served_state accept_connections(struct served *served)
{
	stream_service *service = served->context;

	for (int i = 0; i < SERVER_AT_ONCE; i++) {
		struct socket *connection;
		int error = socket_accept(served->socket, &connection, true);

		if (error == -EAGAIN)
			return SERVED_IDLE;
		/* One that was reset before we came, or no memory: the others may do better. */
		if (!error)
			server_add(served->server, connection, service, NULL);
	}
	return SERVED_MORE;
}

int streams_start(struct server *server, uint16_t port, stream_service *service)
{
	struct socket *socket;
	int error = stack_socket_open(server->net, SOCK_STREAM, port, &socket);

	if (error)
		return error;
	error = socket_listen(socket, BACKLOG);
	if (error) {
		socket_close(socket);
		return error;
	}
	return server_add(server, socket, accept_connections, (void *)service) ? 0 : -ENOMEM;
}
