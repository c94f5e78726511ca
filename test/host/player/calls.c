/* The process's side of a script: socket calls, and their results. */
#include <stdlib.h>
#include <string.h>

#include "include/uapi/in.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "net/ipv4/inet_socket.h"
#include "test/host/player/private.h"
#include "test/host/services/host.h"

#define BACKLOG_DEFAULT 16

int64_t command_number(struct player *player, const struct command *command, uint32_t i)
{
	if (i >= command->argument_count || command->arguments[i].kind != VALUE_NUMBER)
		player_fail(player, "argument %u should be a number", i + 1);
	return command->arguments[i].number;
}

const char *command_word(struct player *player, const struct command *command, uint32_t i)
{
	if (i >= command->argument_count || command->arguments[i].kind != VALUE_WORD)
		player_fail(player, "argument %u should be a name", i + 1);
	return command->arguments[i].text;
}

/* The flags among the arguments from `i` on, or'ed. */
static uint32_t flags_from(struct player *player, const struct command *command, uint32_t i)
{
	uint32_t flags = 0;

	for (; i < command->argument_count; i++) {
		int64_t flag = name_of_flag(command_word(player, command, i));

		if (flag < 0)
			player_fail(player, "there is no flag %s", command->arguments[i].text);
		flags |= (uint32_t)flag;
	}
	return flags;
}

/* ---- Results ---- */

static void compare_bytes(struct player *player, const uint8_t *bytes, int64_t result,
			  const struct value *expected)
{
	if (expected->kind == VALUE_TEXT && memcmp(bytes, expected->text, (size_t)result) != 0)
		player_fail(player, "it gave other bytes: \"%.*s\"", (int)result,
			    (const char *)bytes);
	for (uint32_t i = 0; expected->kind == VALUE_RANGE && i < (uint32_t)result; i++) {
		if (bytes[i] != flow_peer_byte(expected->start + i))
			player_fail(player, "byte %u is not the peer's", expected->start + i);
	}
}

void calls_compare(struct player *player, const struct value *expected, int64_t otherwise,
		   int64_t result, const uint8_t *bytes)
{
	int64_t wanted = otherwise;

	switch (expected->kind) {
	case VALUE_NUMBER:
		wanted = expected->number;
		break;
	case VALUE_WORD:
		wanted = -name_of_error(expected->text);
		if (wanted == 1)
			player_fail(player, "there is no error %s", expected->text);
		break;
	case VALUE_TEXT:
		wanted = expected->length;
		break;
	case VALUE_RANGE:
		wanted = expected->end - expected->start;
		break;
	case VALUE_NONE:
		break;
	}
	if (result != wanted && result < 0)
		player_fail(player, "the call gave %s", error_name(-result));
	if (result != wanted)
		player_fail(player, "the call gave %lld", (long long)result);
	if (bytes && result > 0)
		compare_bytes(player, bytes, result, expected);
}

/* What the process read is what the peer sent, when that was the pattern. */
static void check_stream(struct player *player, struct flow *flow, int64_t result,
			 const uint8_t *bytes, uint32_t flags)
{
	bool is_peek = flags & MSG_PEEK;

	if (result <= 0 || flags & MSG_OOB)
		return;
	for (uint32_t i = 0; !flow->peer_spoke_text && i < (uint32_t)result; i++) {
		if (bytes[i] != flow_peer_byte(flow->read_next + i))
			player_fail(player, "byte %u of the stream is wrong", flow->read_next + i);
	}
	flow->read_next += is_peek ? 0 : (uint32_t)result;
}

/*
 * The call is over: compared at once, or kept for the line `returns`. Takes over `bytes`, which may
 * be NULL.
 */
static void conclude(struct player *player, const struct command *command, int64_t otherwise,
		     int64_t result, uint8_t *bytes)
{
	if (!command->blocks) {
		calls_compare(player, &command->result, otherwise, result, bytes);
		free(bytes);
		return;
	}
	player->sleeping--;
	host_signal(false);
	if (player->returned.waiting)
		player_fail(player, "no line looks at what the call of line %u returned",
			    player->returned.line);
	player->returned.waiting = true;
	player->returned.result = result;
	player->returned.bytes = bytes;
	player->returned.time_us = player_time_us(player);
}

static void begin(struct player *player, const struct command *command)
{
	if (!command->blocks)
		return;
	player->sleeping++;
	player->returned.line = player->now_playing->line;
}

/* ---- Addresses and sockets ---- */

static struct sockaddr_storage name_of(ip4_t address, uint16_t port)
{
	const struct endpoint endpoint = {.addr = net_addr_ip4(address), .port = port};
	struct sockaddr_storage name;
	uint32_t length;

	inet_write_name(&endpoint, &name, &length);
	return name;
}

/* The flow's socket: made when there is none. */
static struct socket *socket_of(struct player *player, struct flow *flow)
{
	int on = 1;

	if (flow->socket)
		return flow->socket;
	if (socket_create(&player->stack.net, AF_INET, SOCK_STREAM, 0, &flow->socket))
		player_fail(player, "there is no socket");
	socket_setsockopt(flow->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return flow->socket;
}

/* ... and bound to the flow's port, ready to open. */
static struct socket *client_of(struct player *player, struct flow *flow)
{
	struct socket *socket = socket_of(player, flow);
	struct inet_socket *inet = container_of(socket, struct inet_socket, socket);

	flow_open(player, flow, true);
	struct sockaddr_storage name = name_of(PLAYER_STACK_ADDRESS, flow->local_port);

	if (!inet->local.port && socket_bind(socket, &name, sizeof(struct sockaddr_in)))
		player_fail(player, "the port cannot be bound");
	return socket;
}

static void play_socket(struct player *player, const struct command *command __unused,
			struct flow *flow)
{
	socket_of(player, flow);
}

static void play_connect(struct player *player, const struct command *command, struct flow *flow)
{
	struct socket *socket = client_of(player, flow);
	struct sockaddr_storage name = name_of(PLAYER_PEER_ADDRESS, flow->peer_port);

	begin(player, command);
	conclude(player, command, -EINPROGRESS,
		 socket_connect(socket, &name, sizeof(struct sockaddr_in), !command->blocks), NULL);
}

static void play_listen(struct player *player, const struct command *command,
			struct flow *flow __unused)
{
	struct flow *listener = flow_find(player, "listener");
	struct socket *socket = socket_of(player, listener);
	struct sockaddr_storage name = name_of(IP4_ANY, PLAYER_SERVER_PORT);
	int backlog = command->argument_count ? (int)command_number(player, command, 0)
					      : BACKLOG_DEFAULT;

	if (!socket->listening && socket_bind(socket, &name, sizeof(struct sockaddr_in)))
		player_fail(player, "the port cannot be bound");
	conclude(player, command, 0, socket_listen(socket, backlog), NULL);
}

static void play_accept(struct player *player, const struct command *command, struct flow *flow)
{
	struct socket *listener = flow_find(player, "listener")->socket, *child = NULL;

	if (!listener)
		player_fail(player, "nobody listens");
	begin(player, command);
	int result = socket_accept(listener, &child, !command->blocks);

	if (!result && flow->socket)
		player_fail(player, "connection %s has a socket already", flow->name);
	if (!result)
		flow->socket = child;
	conclude(player, command, 0, result, NULL);
}

static void play_close(struct player *player, const struct command *command, struct flow *flow)
{
	struct socket *socket = flow->socket;

	if (!socket)
		player_fail(player, "there is nothing to close");
	flow->socket = NULL;
	begin(player, command);
	socket_close(socket);
	conclude(player, command, 0, 0, NULL);
}

static void play_shutdown(struct player *player, const struct command *command, struct flow *flow)
{
	int how = (int)flags_from(player, command, 0);

	conclude(player, command, 0, socket_shutdown(socket_of(player, flow), how), NULL);
}

/* connect to AF_UNSPEC */
static void play_disconnect(struct player *player, const struct command *command, struct flow *flow)
{
	struct sockaddr_storage name = {.ss_family = AF_UNSPEC};

	conclude(player, command, 0,
		 socket_connect(socket_of(player, flow), &name, sizeof(struct sockaddr_in), true),
		 NULL);
}

/* ---- Data ---- */

/* Bytes at the end of what the process has written: the pattern, or the text. */
static const uint8_t *write_more(struct player *player, struct flow *flow, const struct value *what,
				 uint32_t length)
{
	uint32_t before = flow->written_length, needed = before + length;

	if (needed > flow->written_room) {
		uint32_t room = needed * 2;

		flow->written = realloc(flow->written, room);
		if (!flow->written)
			player_fail(player, "no memory");
		flow->written_room = room;
	}
	for (uint32_t i = 0; i < length; i++)
		flow->written[before + i] = what->kind == VALUE_TEXT ? (uint8_t)what->text[i]
								     : flow_stack_byte(before + i);
	flow->written_length = needed;
	return flow->written + before;
}

static void play_send(struct player *player, const struct command *command, struct flow *flow)
{
	uint32_t flags = flags_from(player, command, 1), before = flow->written_length;
	const struct value *what = &command->arguments[0];
	bool is_text = command->argument_count && what->kind == VALUE_TEXT;
	uint32_t length = is_text ? what->length : (uint32_t)command_number(player, command, 0);
	uint8_t *copy = malloc(length + 1);
	struct message message;

	if (!copy)
		player_fail(player, "no memory");
	memcpy(copy, write_more(player, flow, what, length), length);
	message_init(&message, flags | (command->blocks ? 0 : MSG_DONTWAIT));
	message.page = NULL;
	iov_init_kernel(&message.iov, copy, length);
	struct socket *socket = flags & MSG_FASTOPEN ? client_of(player, flow)
						     : socket_of(player, flow);

	message.name = name_of(PLAYER_PEER_ADDRESS, flow->peer_port);
	message.name_length = flags & MSG_FASTOPEN ? sizeof(struct sockaddr_in) : 0;
	begin(player, command);
	int64_t result = socket_sendmsg(socket, &message);

	free(copy);
	flow->written_length = before + (result > 0 ? (uint32_t)result : 0);
	conclude(player, command, length, result, NULL);
}

static void play_recv(struct player *player, const struct command *command, struct flow *flow)
{
	uint32_t length = (uint32_t)command_number(player, command, 0);
	uint32_t flags = flags_from(player, command, 1);
	struct socket *socket = socket_of(player, flow);
	uint8_t *bytes = calloc(1, length + 1);
	struct message message;

	if (!bytes)
		player_fail(player, "no memory");
	message_init(&message, flags | (command->blocks ? 0 : MSG_DONTWAIT));
	iov_init_kernel(&message.iov, bytes, length);
	begin(player, command);
	int64_t result = socket_recvmsg(socket, &message);

	check_stream(player, flow, result, bytes, flags);
	conclude(player, command, length, result, bytes);
}

/* ---- Options and ioctls ---- */

static void play_setsockopt(struct player *player, const struct command *command, struct flow *flow)
{
	socket_of(player, flow);
	conclude(player, command, 0, options_set(player, flow, command), NULL);
}

static void play_getsockopt(struct player *player, const struct command *command, struct flow *flow)
{
	socket_of(player, flow);
	conclude(player, command, 0, options_get(player, flow, command), NULL);
}

static void play_ioctl(struct player *player, const struct command *command, struct flow *flow)
{
	uint32_t request = flags_from(player, command, 0);
	int value = 0;
	int result = socket_ioctl(socket_of(player, flow), request, &value);

	conclude(player, command, 0, result ? result : value, NULL);
}

bool calls_play(struct player *player, const struct command *command, struct flow *flow)
{
	static const struct {
		const char *word;
		void (*play)(struct player *player, const struct command *command,
			     struct flow *flow);
	} calls[] = {
		{"socket", play_socket},
		{"connect", play_connect},
		{"listen", play_listen},
		{"accept", play_accept},
		{"close", play_close},
		{"shutdown", play_shutdown},
		{"disconnect", play_disconnect},
		{"send", play_send},
		{"recv", play_recv},
		{"setsockopt", play_setsockopt},
		{"getsockopt", play_getsockopt},
		{"ioctl", play_ioctl},
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		if (strcmp(calls[i].word, command->word) == 0) {
			player_note(player, "", player->script.lines[player->now_playing->line]);
			calls[i].play(player, command, flow);
			return true;
		}
	}
	return false;
}
