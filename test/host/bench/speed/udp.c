/* UDP in both directions: by size, by who does the checksums, by number of sockets and routes. */
#include <stdlib.h>
#include <string.h>

#include "include/uapi/in.h"
#include "kernel/byteorder.h"
#include "kernel/printk.h"
#include "net/core/checksum.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/inet_socket.h"
#include "net/ipv4/ipv4.h"
#include "net/ipv4/udp_wire.h"
#include "test/host/bench/speed/station.h"

#define FIRST_PORT 10000
#define PEER_PORT 9
#define PAYLOAD_MAX 1400
#define HEADERS (ETHERNET_HEADER_LENGTH + IP4_HEADER_MIN + UDP_HEADER_LENGTH)

struct udp_settings {
	uint32_t payload; /* bytes */
	bool offload;
	uint32_t sockets;
	uint32_t routes; /* 0: the peer is on the link */
};

struct udp_bench {
	struct station station;
	const struct udp_settings *settings;
	struct socket **sockets;
	uint8_t frame[HEADERS + PAYLOAD_MAX]; /* from the peer to the first socket */
	uint8_t payload[PAYLOAD_MAX];         /* the process's memory */
};

static void make_frame(struct udp_bench *bench)
{
	uint16_t length = (uint16_t)(UDP_HEADER_LENGTH + bench->settings->payload);
	const struct ip4_header ip4 = {
		.source = STATION_PEER,
		.destination = STATION_ADDRESS,
		.header_length = IP4_HEADER_MIN,
		.total_length = (uint16_t)(IP4_HEADER_MIN + length),
		.ttl = 64,
		.protocol = IPPROTO_UDP,
	};
	const struct udp_header header = {
		.source = PEER_PORT, .destination = FIRST_PORT, .length = length};
	uint8_t *packet = bench->frame + ETHERNET_HEADER_LENGTH, *udp = packet + IP4_HEADER_MIN;

	memcpy(bench->frame, bench->station.dev.mac.bytes, MAC_LENGTH);
	bench->frame[2 * MAC_LENGTH - 1] = 2;
	put_be16(bench->frame + 2 * MAC_LENGTH, ETHERTYPE_IP4);
	ip4_emit(&ip4, packet);
	udp_emit(&header, udp);
	put_be16(udp + UDP_HEADER_LENGTH, (uint16_t)~FIRST_PORT);
	uint32_t pseudo = checksum_pseudo4(STATION_PEER, STATION_ADDRESS, IPPROTO_UDP, length);

	udp_put_checksum(udp, checksum_fold(checksum_add(udp, length, pseudo)));
}

static void *udp_start(const struct benchmark *benchmark)
{
	const struct udp_settings *settings = benchmark->settings;
	struct udp_bench *bench = calloc(1, sizeof(*bench));

	assert_always(bench);
	bench->settings = settings;
	station_init(&bench->station, settings->offload);
	station_add_routes(&bench->station, settings->routes);
	bench->sockets = calloc(settings->sockets, sizeof(struct socket *));
	assert_always(bench->sockets);
	for (uint32_t i = 0; i < settings->sockets; i++)
		bench->sockets[i] = station_bound_socket(
			&bench->station, SOCK_DGRAM, STATION_ADDRESS, (uint16_t)(FIRST_PORT + i));
	make_frame(bench);
	return bench;
}

static void udp_stop(void *context)
{
	struct udp_bench *bench = context;

	for (uint32_t i = 0; i < bench->settings->sockets; i++)
		socket_close(bench->sockets[i]);
	station_destroy(&bench->station);
	free(bench->sockets);
	free(bench);
}

/*
 * To the port of socket `to`: the payload's first word is the port's complement, which leaves the
 * checksum as it is.
 */
static void address_frame(struct udp_bench *bench, uint32_t to)
{
	uint8_t *udp = bench->frame + ETHERNET_HEADER_LENGTH + IP4_HEADER_MIN;
	uint16_t port = (uint16_t)(FIRST_PORT + to);

	put_be16(udp + 2, port);
	put_be16(udp + UDP_HEADER_LENGTH, (uint16_t)~port);
}

static void read_datagram(struct udp_bench *bench, struct socket *socket)
{
	struct message message;

	message_init(&message, MSG_DONTWAIT);
	iov_init_user(&message.iov, (uintptr_t)bench->payload, sizeof(bench->payload));
	int64_t length = socket_recvmsg(socket, &message);

	assert_always(length == bench->settings->payload);
}

/* A round of the softirq, and then the processes read. */
static void receive_batch(struct udp_bench *bench)
{
	struct socket *receivers[SPEED_BATCH];

	net_lock(&bench->station.net);
	for (uint32_t i = 0; i < SPEED_BATCH; i++) {
		uint32_t to = station_pick(&bench->station, bench->settings->sockets);

		receivers[i] = bench->sockets[to];
		address_frame(bench, to);
		station_receive(&bench->station, bench->frame, HEADERS + bench->settings->payload);
	}
	net_unlock(&bench->station.net);
	for (uint32_t i = 0; i < SPEED_BATCH; i++)
		read_datagram(bench, receivers[i]);
}

static void udp_receive(void *bench, uint32_t packets)
{
	for (; packets > 0; packets -= SPEED_BATCH)
		receive_batch(bench);
}

static void send_datagram(struct udp_bench *bench, struct socket *socket, ip4_t to)
{
	struct message message;
	const struct sockaddr_in name = {
		.sin_family = AF_INET,
		.sin_port = cpu_to_be16(PEER_PORT),
		.sin_addr.s_addr = cpu_to_be32(to),
	};

	message_init(&message, 0);
	message.name_length = sizeof(name);
	memcpy(&message.name, &name, sizeof(name));
	iov_init_user(&message.iov, (uintptr_t)bench->payload, bench->settings->payload);
	int64_t length = socket_sendmsg(socket, &message);

	assert_always(length == bench->settings->payload);
}

static void udp_transmit(void *context, uint32_t packets)
{
	struct udp_bench *bench = context;
	const struct udp_settings *settings = bench->settings;

	for (; packets > 0; packets--) {
		uint32_t from = station_pick(&bench->station, settings->sockets);
		ip4_t to = STATION_PEER;

		if (settings->routes)
			to = station_route_address(station_pick(&bench->station, settings->routes));
		send_datagram(bench, bench->sockets[from], to);
	}
}

#define SETTINGS(...) (&(const struct udp_settings){__VA_ARGS__})
#define SMALL_GOAL 5
#define LARGE_GOAL 1.5
#define MANY_GOAL 1.5
#define RECEIVE .start = udp_start, .run = udp_receive, .stop = udp_stop
#define TRANSMIT .start = udp_start, .run = udp_transmit, .stop = udp_stop

static const struct benchmark benchmarks[] = {
	{"udp receive 64 B", NULL, SMALL_GOAL, 0, SETTINGS(64, false, 1, 0), RECEIVE},
	{"udp receive 64 B, offloaded", NULL, SMALL_GOAL, 0, SETTINGS(64, true, 1, 0), RECEIVE},
	{"udp receive 1400 B", NULL, LARGE_GOAL, 0, SETTINGS(1400, false, 1, 0), RECEIVE},
	{"udp receive 1400 B, offloaded", NULL, LARGE_GOAL, 0, SETTINGS(1400, true, 1, 0), RECEIVE},
	{"udp receive 64 B, 1000 sockets", "udp receive 64 B", 0, MANY_GOAL,
	 SETTINGS(64, false, 1000, 0), RECEIVE},
	{"udp receive 64 B, 10000 sockets", "udp receive 64 B", 0, MANY_GOAL,
	 SETTINGS(64, false, 10000, 0), RECEIVE},

	{"udp transmit 64 B", NULL, SMALL_GOAL, 0, SETTINGS(64, false, 1, 0), TRANSMIT},
	{"udp transmit 64 B, offloaded", NULL, SMALL_GOAL, 0, SETTINGS(64, true, 1, 0), TRANSMIT},
	{"udp transmit 1400 B", NULL, LARGE_GOAL, 0, SETTINGS(1400, false, 1, 0), TRANSMIT},
	{"udp transmit 1400 B, offloaded", NULL, LARGE_GOAL, 0, SETTINGS(1400, true, 1, 0),
	 TRANSMIT},
	{"udp transmit 64 B, 1000 sockets", "udp transmit 64 B", 0, MANY_GOAL,
	 SETTINGS(64, false, 1000, 0), TRANSMIT},
	{"udp transmit 64 B, 10000 sockets", "udp transmit 64 B", 0, MANY_GOAL,
	 SETTINGS(64, false, 10000, 0), TRANSMIT},
	{"udp transmit 64 B, 1 route", NULL, SMALL_GOAL, 0, SETTINGS(64, false, 1, 1), TRANSMIT},
	{"udp transmit 64 B, 1000 routes", "udp transmit 64 B, 1 route", 0, MANY_GOAL,
	 SETTINGS(64, false, 1, 1000), TRANSMIT},
	{"udp transmit 64 B, 10000 routes", "udp transmit 64 B, 1 route", 0, MANY_GOAL,
	 SETTINGS(64, false, 1, 10000), TRANSMIT},
};

const struct benchmark_group udp_benchmarks = {
	.benchmarks = benchmarks,
	.count = ARRAY_SIZE(benchmarks),
	.unit = UNIT_PACKET,
	.look_every = 32 * SPEED_BATCH,
};
