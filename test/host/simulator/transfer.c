/* Data from one host to another; see transfer.h. */
#include "test/host/simulator/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "include/uapi/errno.h"
#include "include/uapi/in.h"
#include "kernel/byteorder.h"
#include "kernel/printk.h"
#include "net/core/socket.h"
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_state.h"

#define FROM IP4(10, 0, 0, 1)
#define TO IP4(10, 0, 0, 2)
#define PORT 4000
#define PIECE 65536             /* bytes of one call */
#define PERIOD ((4u << 20) - 3) /* bytes */

static void must(int error, const char *what)
{
	if (error)
		panic("transfer: %s: error %d", what, -error);
}

static struct sockaddr_storage name_of(ip4_t address)
{
	const struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = cpu_to_be16(PORT),
		.sin_addr.s_addr = cpu_to_be32(address),
	};
	struct sockaddr_storage name = {0};

	memcpy(&name, &in, sizeof(in));
	return name;
}

/* ---- Before ---- */

/*
 * What is sent: bytes of which no stretch is like another, PERIOD of them again and again; that is
 * no multiple of any segment's size, so misplaced ones are seen. PIECE more, for calls across the
 * end.
 */
static const uint8_t *make_pattern(void)
{
	uint8_t *bytes = malloc(PERIOD + PIECE);

	if (!bytes)
		panic("transfer: no memory");
	for (size_t i = 0; i < PERIOD; i++)
		bytes[i] = (uint8_t)((i * 2654435761u) >> 24 ^ i >> 9);
	memcpy(bytes + PERIOD, bytes, PIECE);
	return bytes;
}

static const uint8_t *pattern_at(const struct transfer *transfer, size_t place)
{
	return transfer->pattern + place % PERIOD;
}

static void set_up(struct transfer *transfer)
{
	const struct transfer_settings *settings = &transfer->settings;

	transfer->world = world_create(settings->seed);
	transfer->from = world_add_node(transfer->world, "from");
	transfer->to = world_add_node(transfer->world, "to");
	transfer->link = world_link(transfer->world, node_add_port(transfer->from),
				    node_add_port(transfer->to), NULL);
	must(node_set_address(transfer->from, 0, FROM, 24), "address");
	must(node_set_address(transfer->to, 0, TO, 24), "address");
	if (settings->retries)
		tcp_of(&transfer->from->stack.net)->settings.tcp_retries2 = settings->retries;
	if (settings->congestion)
		tcp_of(&transfer->from->stack.net)->congestion_control = settings->congestion;
	if (settings->prepare)
		settings->prepare(transfer);
}

static struct socket *make_socket(struct transfer *transfer, struct node *node)
{
	const int32_t buffer = transfer->settings.buffer;
	struct socket *socket;

	must(socket_create(&node->stack.net, AF_INET, SOCK_STREAM, 0, &socket), "socket");
	if (buffer) {
		must(socket_setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer)),
		     "SO_SNDBUF");
		must(socket_setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)),
		     "SO_RCVBUF");
	}
	return socket;
}

static void connect_both(struct transfer *transfer)
{
	struct sockaddr_storage any = name_of(IP4_ANY), to = name_of(TO);

	transfer->listener = make_socket(transfer, transfer->to);
	must(socket_bind(transfer->listener, &any, sizeof(struct sockaddr_in)), "bind");
	must(socket_listen(transfer->listener, 1), "listen");
	transfer->source = make_socket(transfer, transfer->from);
	must(socket_connect(transfer->source, &to, sizeof(struct sockaddr_in), false), "connect");
	must(socket_accept(transfer->listener, &transfer->sink, false), "accept");
	transfer->sender = tcp_socket(transfer->source);
	socket_get(transfer->source); /* so that `sender` can be looked at to the end */
}

/* The faults begin with the data: that the handshake is repeated is another test's matter. */
struct transfer *transfer_open(const struct transfer_settings *settings)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));

	if (!transfer)
		panic("transfer: no memory");
	transfer->settings = *settings;
	transfer->pattern = make_pattern();
	set_up(transfer);
	connect_both(transfer);
	fault_link_set(&transfer->link->way[0], &settings->there);
	fault_link_set(&transfer->link->way[1], &settings->back);
	transfer->began_us = transfer->world->now_us;
	transfer->stop_us = TIME_NEVER;
	return transfer;
}

/* ---- Meanwhile ---- */

static int64_t send_piece(struct transfer *transfer)
{
	size_t left = transfer->settings.bytes - transfer->sent;
	struct message message = {.flags = MSG_DONTWAIT | MSG_NOSIGNAL};

	iov_init_kernel(&message.iov, (void *)(uintptr_t)pattern_at(transfer, transfer->sent),
			MIN(left, (size_t)PIECE));
	return socket_sendmsg(transfer->source, &message);
}

/* Memory may be out for a moment, where a test wants it so: a process would try again. */
static void send_some(struct transfer *transfer)
{
	int64_t count = send_piece(transfer);

	if (count == -ENOMEM)
		count = send_piece(transfer);
	if (count < 0 && count != -EAGAIN)
		transfer->trouble = "sending failed";
	if (count <= 0)
		return;
	transfer->sent += (size_t)count;
	if (transfer->sent == transfer->settings.bytes)
		must(socket_shutdown(transfer->source, SHUT_WR), "shutdown");
}

/* True: something came. */
static bool receive_some(struct transfer *transfer)
{
	static uint8_t piece[PIECE];
	struct message message = {.flags = MSG_DONTWAIT};
	int64_t count;

	iov_init_kernel(&message.iov, piece, sizeof(piece));
	count = socket_recvmsg(transfer->sink, &message);
	if (count == -EAGAIN)
		return false;
	if (count < 0)
		transfer->trouble = "receiving failed";
	else if (count == 0 && transfer->received < transfer->settings.bytes)
		transfer->trouble = "the stream ended too early";
	else if (transfer->received + (size_t)count > transfer->settings.bytes)
		transfer->trouble = "more came than was sent";
	else if (memcmp(piece, pattern_at(transfer, transfer->received), (size_t)count) != 0)
		transfer->trouble = "other bytes came than were sent";
	else
		transfer->received += (size_t)count;
	if (count <= 0)
		transfer->ended_us = transfer->world->now_us;
	return true;
}

bool transfer_step(struct transfer *transfer)
{
	if (transfer->sent < transfer->settings.bytes)
		send_some(transfer);
	while (!transfer->ended_us && !transfer->trouble && receive_some(transfer))
		;
	if (transfer->ended_us || transfer->trouble)
		return false;
	if (world_step(transfer->world, MIN(transfer->stop_us, TIME_NEVER - 1)))
		return true;
	if (transfer->stop_us == TIME_NEVER)
		transfer->trouble = "nothing happens any more";
	else
		world_run_until(transfer->world, transfer->stop_us);
	return !transfer->trouble;
}

uint64_t transfer_count(const struct transfer *transfer, enum tcp_extra_statistic which)
{
	return tcp_of(&transfer->from->stack.net)->extra[which];
}

/* ---- After ---- */

#define WELL_AFTER_US (1000 * USEC_PER_SEC) /* FINs are sent again, orphans and TIME_WAIT end */

void transfer_close(struct transfer *transfer)
{
	static const struct fault_settings none;

	link_set_faults(transfer->link, &none);
	socket_put(transfer->source);
	socket_close(transfer->source);
	socket_close(transfer->sink);
	socket_close(transfer->listener);
	world_run_for(transfer->world, WELL_AFTER_US);
	if (tcp_of(&transfer->from->stack.net)->memory_used ||
	    tcp_of(&transfer->to->stack.net)->memory_used)
		panic("transfer: memory is still counted");
	world_destroy(transfer->world);
	free((void *)(uintptr_t)transfer->pattern);
	free(transfer);
}
