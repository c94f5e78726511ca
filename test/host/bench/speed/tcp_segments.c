/* Segments that arrive on one of many TCP connections, drawn at random each time. */
#include <stdlib.h>
#include <string.h>

#include "include/uapi/in.h"
#include "kernel/byteorder.h"
#include "kernel/printk.h"
#include "net/core/checksum.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/ipv4.h"
#include "net/ipv4/ipv4_wire.h"
#include "net/tcp/tcp_wire.h"
#include "test/host/bench/speed/tcp_call.h"

#define PORT 80
#define FIRST_PORT 10000 /* of a peer */
#define PORTS 50000      /* of each peer */
#define PAYLOAD 64
#define OPTIONS 12 /* the timestamps, padded: every segment has them */
#define SYN_OPTIONS 16
#define HEADERS (ETHERNET_HEADER_LENGTH + IP4_HEADER_MIN + TCP_HEADER_MIN)
#define PEER_ISS 1000
#define PEER_WINDOW 65535
#define SEGMENT_US 1 /* of virtual time, for each segment */

struct segment_settings {
	uint32_t connections;
};

struct peer {
	struct socket *socket; /* our end */
	ip4_t address;
	uint16_t port;
	uint32_t seq, ack;
};

struct segment_bench {
	struct station station;
	const struct segment_settings *settings;
	struct socket *listener;
	struct peer *peers;
};

struct frame {
	uint8_t bytes[HEADERS + SYN_OPTIONS + PAYLOAD];
	uint32_t length;
};

/* A frame from a peer; making it costs some 50 ns, which the row has in it. */
static void make_frame(struct frame *frame, const struct peer *peer, struct tcp_header *header,
		       const struct tcp_options *options, uint32_t payload)
{
	uint32_t tcp_length = TCP_HEADER_MIN + tcp_options_length(options) + payload;
	const struct ip4_header ip4 = {
		.source = peer->address,
		.destination = STATION_ADDRESS,
		.header_length = IP4_HEADER_MIN,
		.total_length = (uint16_t)(IP4_HEADER_MIN + tcp_length),
		.ttl = 64,
		.protocol = IPPROTO_TCP,
	};
	uint8_t *packet = frame->bytes + ETHERNET_HEADER_LENGTH, *tcp = packet + IP4_HEADER_MIN;
	uint32_t pseudo = checksum_pseudo4(peer->address, STATION_ADDRESS, IPPROTO_TCP,
					   (uint16_t)tcp_length);

	memset(frame, 0, sizeof(*frame));
	frame->length = ETHERNET_HEADER_LENGTH + ip4.total_length;
	memcpy(frame->bytes, (const uint8_t[]){2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, 12);
	put_be16(frame->bytes + 12, ETHERTYPE_IP4);
	ip4_emit(&ip4, packet);
	header->source = peer->port;
	header->destination = PORT;
	header->seq = peer->seq;
	header->ack = peer->ack;
	header->window = PEER_WINDOW;
	tcp_emit(header, options, tcp);
	be16 checksum = checksum_fold(checksum_add(tcp, tcp_length, pseudo));

	memcpy(tcp + 16, &checksum, sizeof(checksum));
}

static void receive_frame(struct segment_bench *bench, const struct frame *frame) NEEDS_NET_LOCK
{
	station_receive(&bench->station, frame->bytes, frame->length);
}

static void receive_syn(struct segment_bench *bench, const struct peer *peer) NEEDS_NET_LOCK
{
	const struct tcp_options options = {
		.mss = 1460, .has_timestamps = true, .ts_value = 1, .sack_permitted = true};
	struct tcp_header header = {.flags = TCP_SYN};
	struct frame frame;

	make_frame(&frame, peer, &header, &options, 0);
	receive_frame(bench, &frame);
}

/* The sequence number in the last frame sent: the SYN-ACK's. */
static uint32_t last_sequence_sent(const struct station *station)
{
	const struct sk_buff *skb = station->sent[(station->sent_count - 1) % STATION_SENT];

	return get_be32(skb->data + ETHERNET_HEADER_LENGTH + IP4_HEADER_MIN + 4);
}

static void make_segment(struct frame *frame, const struct peer *peer, uint32_t payload)
{
	const struct tcp_options options = {.has_timestamps = true, .ts_value = 1};
	struct tcp_header header = {.flags = TCP_ACK};

	make_frame(frame, peer, &header, &options, payload);
}

static void connect_peer(struct segment_bench *bench, struct peer *peer, uint32_t number)
{
	struct frame frame;

	peer->address = station_route_address(number / PORTS);
	peer->port = (uint16_t)(FIRST_PORT + number % PORTS);
	peer->seq = PEER_ISS;
	net_lock(&bench->station.net);
	receive_syn(bench, peer);
	peer->seq++;
	peer->ack = last_sequence_sent(&bench->station) + 1;
	make_segment(&frame, peer, 0);
	receive_frame(bench, &frame);
	net_unlock(&bench->station.net);
	peer->socket = tcp_call_accept(bench->listener);
}

static void *segment_start(const struct benchmark *benchmark)
{
	struct segment_bench *bench = calloc(1, sizeof(*bench));

	assert_always(bench);
	bench->settings = benchmark->settings;
	station_init(&bench->station, false);
	station_add_routes(&bench->station, bench->settings->connections / PORTS + 1);
	bench->listener = tcp_call_listen(&bench->station, PORT);
	bench->peers = calloc(bench->settings->connections, sizeof(struct peer));
	assert_always(bench->peers);
	for (uint32_t i = 0; i < bench->settings->connections; i++)
		connect_peer(bench, &bench->peers[i], i);
	return bench;
}

static void segment_stop(void *context)
{
	struct segment_bench *bench = context;

	for (uint32_t i = 0; i < bench->settings->connections; i++)
		socket_close(bench->peers[i].socket);
	socket_close(bench->listener);
	station_destroy(&bench->station);
	free(bench->peers);
	free(bench);
}

/* A round of the softirq, and then the processes read. */
static void receive_batch(struct segment_bench *bench)
{
	struct peer *peers[SPEED_BATCH];
	uint8_t payload[PAYLOAD];
	struct frame frame;

	net_lock(&bench->station.net);
	for (uint32_t i = 0; i < SPEED_BATCH; i++) {
		struct peer *peer =
			&bench->peers[station_pick(&bench->station, bench->settings->connections)];

		peers[i] = peer;
		make_segment(&frame, peer, PAYLOAD);
		peer->seq += PAYLOAD;
		receive_frame(bench, &frame);
	}
	net_unlock(&bench->station.net);
	for (uint32_t i = 0; i < SPEED_BATCH; i++) /* one that was drawn twice has it all */
		tcp_call_receive(peers[i]->socket, payload, PAYLOAD);
	station_advance(&bench->station, (uint64_t)SPEED_BATCH * SEGMENT_US);
}

static void segment_run(void *bench, uint32_t packets)
{
	for (; packets > 0; packets -= SPEED_BATCH)
		receive_batch(bench);
}

#define SETTINGS(...) (&(const struct segment_settings){__VA_ARGS__})
#define SEGMENTS .start = segment_start, .run = segment_run, .stop = segment_stop
#define GOAL 1 /* million */

static const struct benchmark benchmarks[] = {
	{"tcp receive 64 B, 1 connection", NULL, GOAL, 0, SETTINGS(1), SEGMENTS},
	{"tcp receive 64 B, 1000 connections", "tcp receive 64 B, 1 connection", GOAL, 0,
	 SETTINGS(1000), SEGMENTS},
	{"tcp receive 64 B, 10000 connections", "tcp receive 64 B, 1 connection", GOAL, 0,
	 SETTINGS(10000), SEGMENTS},
	{"tcp receive 64 B, 100000 connections", "tcp receive 64 B, 1 connection", GOAL, 0,
	 SETTINGS(100000), SEGMENTS},
};

const struct benchmark_group tcp_segment_benchmarks = {
	.benchmarks = benchmarks,
	.count = ARRAY_SIZE(benchmarks),
	.unit = UNIT_PACKET,
	.look_every = 16 * SPEED_BATCH,
};
