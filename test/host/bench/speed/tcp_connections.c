/* TCP connections that live shortly, while more or fewer are in TIME-WAIT. */
#include <stdlib.h>

#include "kernel/printk.h"
#include "net/tcp/tcp_state.h"
#include "test/host/bench/speed/tcp_call.h"
#include "test/host/bench/speed/wire.h"

#define FIRST_PORT 1000
#define MANY_TIMEWAITS INT32_MAX

struct connection_settings {
	uint32_t timewaits; /* on the server, all the time */
	/*
	 * Ports that the server listens on, so that the client's never run out: each gives some
	 * 28,000 pairs of ends.
	 */
	uint32_t listeners;
};

struct connection_bench {
	struct wire wire;
	const struct connection_settings *settings;
	struct socket **listeners;
	uint32_t next_listener;
	struct socket *clients[SPEED_BATCH], *servers[SPEED_BATCH];
};

/* One call in the name of each of a batch, then the wire carries what came of it. */
static void open_batch(struct connection_bench *bench)
{
	uint32_t which = bench->next_listener++ % bench->settings->listeners;
	uint16_t port = (uint16_t)(FIRST_PORT + which);

	for (uint32_t i = 0; i < SPEED_BATCH; i++)
		bench->clients[i] = tcp_call_connect(&bench->wire.ends[0].station, STATION_PEER,
						     port);
	wire_carry(&bench->wire);
	for (uint32_t i = 0; i < SPEED_BATCH; i++)
		bench->servers[i] = tcp_call_accept(bench->listeners[which]);
}

static void send_bytes(struct connection_bench *bench, struct socket **from)
{
	const char byte = 'x';

	for (uint32_t i = 0; i < SPEED_BATCH; i++)
		assert_always(tcp_call_send(from[i], &byte, 1) == 1);
	wire_carry(&bench->wire);
}

static void receive_bytes(struct socket **to)
{
	char byte;

	for (uint32_t i = 0; i < SPEED_BATCH; i++)
		assert_always(tcp_call_receive(to[i], &byte, 1) == 1);
}

static void close_batch(struct connection_bench *bench, struct socket **sockets)
{
	for (uint32_t i = 0; i < SPEED_BATCH; i++)
		socket_close(sockets[i]);
	wire_carry(&bench->wire);
}

/* So much that the oldest of more than `timewaits` in TIME-WAIT end. */
static void let_time_pass(struct connection_bench *bench)
{
	uint32_t timewaits = bench->settings->timewaits + SPEED_BATCH;

	wire_advance(&bench->wire, TCP_TIME_WAIT_US * SPEED_BATCH / timewaits);
}

static void connection_run(void *context, uint32_t count)
{
	struct connection_bench *bench = context;

	for (; count > 0; count -= SPEED_BATCH) {
		open_batch(bench);
		send_bytes(bench, bench->clients);
		receive_bytes(bench->servers);
		send_bytes(bench, bench->servers);
		receive_bytes(bench->clients);
		close_batch(bench, bench->servers);
		close_batch(bench, bench->clients);
		let_time_pass(bench);
	}
}

static void *connection_start(const struct benchmark *benchmark)
{
	struct connection_bench *bench = calloc(1, sizeof(*bench));

	assert_always(bench);
	bench->settings = benchmark->settings;
	wire_init(&bench->wire, 0);
	struct station *server = &bench->wire.ends[1].station;

	tcp_of(&server->net)->settings.tcp_max_tw_buckets = MANY_TIMEWAITS;
	bench->listeners = calloc(bench->settings->listeners, sizeof(struct socket *));
	assert_always(bench->listeners);
	for (uint32_t i = 0; i < bench->settings->listeners; i++)
		bench->listeners[i] = tcp_call_listen(server, (uint16_t)(FIRST_PORT + i));
	connection_run(bench, ALIGN_UP(bench->settings->timewaits + 1, (uint32_t)SPEED_BATCH));
	assert_always(tcp_of(&server->net)->timewaits.count >= bench->settings->timewaits);
	return bench;
}

static void connection_stop(void *context)
{
	struct connection_bench *bench = context;

	for (uint32_t i = 0; i < bench->settings->listeners; i++)
		socket_close(bench->listeners[i]);
	wire_destroy(&bench->wire);
	free(bench->listeners);
	free(bench);
}

#define SETTINGS(...) (&(const struct connection_settings){__VA_ARGS__})
#define CONNECTION .start = connection_start, .run = connection_run, .stop = connection_stop
#define GOAL 300 /* thousand */
#define MANY_GOAL 1.5

static const struct benchmark benchmarks[] = {
	{"tcp connections, none in TIME-WAIT", NULL, GOAL, 0, SETTINGS(0, 1), CONNECTION},
	{"tcp connections, 10000 in TIME-WAIT", "tcp connections, none in TIME-WAIT", GOAL,
	 MANY_GOAL, SETTINGS(10000, 4), CONNECTION},
	{"tcp connections, 100000 in TIME-WAIT", "tcp connections, none in TIME-WAIT", 0, 0,
	 SETTINGS(100000, 16), CONNECTION},
};

const struct benchmark_group tcp_connection_benchmarks = {
	.benchmarks = benchmarks,
	.count = ARRAY_SIZE(benchmarks),
	.unit = UNIT_CONNECTION,
	.look_every = 4 * SPEED_BATCH,
};
