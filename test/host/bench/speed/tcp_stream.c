/* One TCP connection that carries as much as it can, by who does checksums and cuts segments. */
#include <stdlib.h>

#include "kernel/printk.h"
#include "test/host/bench/speed/tcp_call.h"
#include "test/host/bench/speed/wire.h"

#define PORT 5001
#define WRITE_BYTES 65536u /* of one call, on either side */
#define KIB 1024u

/* Of virtual time for each write: as at some 10 Gbit/s. */
#define WRITE_US 50

struct stream_settings {
	uint32_t features; /* NETDEV_* */
};

struct stream_bench {
	struct wire wire;
	struct socket *listener, *sender, *receiver;
	uint8_t from[WRITE_BYTES], to[WRITE_BYTES]; /* the processes' memory */
};

static void *stream_start(const struct benchmark *benchmark)
{
	const struct stream_settings *settings = benchmark->settings;
	struct stream_bench *bench = calloc(1, sizeof(*bench));

	assert_always(bench);
	wire_init(&bench->wire, settings->features);
	bench->listener = tcp_call_listen(&bench->wire.ends[1].station, PORT);
	bench->sender = tcp_call_connect(&bench->wire.ends[0].station, STATION_PEER, PORT);
	wire_carry(&bench->wire);
	bench->receiver = tcp_call_accept(bench->listener);
	return bench;
}

static void stream_stop(void *context)
{
	struct stream_bench *bench = context;

	socket_close(bench->sender);
	socket_close(bench->receiver);
	socket_close(bench->listener);
	wire_destroy(&bench->wire);
	free(bench);
}

/* As much as the connection takes; the receiver reads all. How many bytes. */
static uint32_t carry_once(struct stream_bench *bench)
{
	uint32_t sent = tcp_call_send(bench->sender, bench->from, WRITE_BYTES);
	uint32_t received = 0, part;

	wire_carry(&bench->wire);
	while ((part = tcp_call_receive(bench->receiver, bench->to, WRITE_BYTES)))
		received += part;
	wire_carry(&bench->wire); /* the window's update */
	wire_advance(&bench->wire, WRITE_US);
	assert_always(sent == received || sent > 0);
	return received;
}

static void stream_run(void *bench, uint32_t kib)
{
	for (uint64_t left = (uint64_t)kib * KIB; left;) {
		uint32_t carried = carry_once(bench);

		left -= MIN(left, carried);
	}
}

#define SETTINGS(...) (&(const struct stream_settings){__VA_ARGS__})
#define STREAM .start = stream_start, .run = stream_run, .stop = stream_stop
#define CHECKSUM_GOAL 10
#define LARGE_GOAL 40

static const struct benchmark benchmarks[] = {
	{"tcp stream, MTU 1500", NULL, CHECKSUM_GOAL, 0, SETTINGS(0), STREAM},
	{"tcp stream, MTU 1500, checksums offloaded", NULL, CHECKSUM_GOAL, 0,
	 SETTINGS(NETDEV_CHECKSUM_OFFLOAD), STREAM},
	{"tcp stream, offloaded, 64 KiB segments", NULL, LARGE_GOAL, 0,
	 SETTINGS(NETDEV_CHECKSUM_OFFLOAD | NETDEV_TSO4), STREAM},
};

const struct benchmark_group tcp_stream_benchmarks = {
	.benchmarks = benchmarks,
	.count = ARRAY_SIZE(benchmarks),
	.unit = UNIT_KIB,
	.look_every = 8 * SPEED_BATCH,
};
