/*
 * What the benchmarks have in common: one stack with IPv4 and an Ethernet device whose driver does
 * next to nothing, a clock that the benchmark moves, and random numbers that are the same in every
 * run.
 */
#ifndef TEST_HOST_BENCH_SPEED_STATION_H
#define TEST_HOST_BENCH_SPEED_STATION_H

#include "net/core/netdevice.h"
#include "net/core/socket.h"
#include "test/host/bench/speed/speed.h"

#define STATION_ADDRESS IP4(10, 0, 0, 1)
#define STATION_PEER IP4(10, 0, 0, 2) /* on the link, its MAC known; the gateway of routes */

#define STATION_SENT 64 /* frames that the device holds before it gives them back */

struct station {
	struct net net;
	struct net_device dev;
	uint64_t now_us;
	uint64_t random_state;
	struct sk_buff *sent[STATION_SENT]; /* the last frames, in a ring */
	uint64_t sent_count;
	uint64_t pick; /* the state of station_pick */
};

/* A stack of its own; `offload`: the device does UDP's and TCP's checksums. Aborts on failure. */
void station_init(struct station *station, bool offload);
void station_destroy(struct station *station);

/*
 * One end of a wire (wire.h): `own` and `peer` are the last bytes of addresses, in IPv4 and on the
 * link; `xmit` of `ops` finds `driver` in dev->driver.
 */
struct station_end {
	uint8_t own, peer;
	uint32_t features; /* NETDEV_* */
	const struct net_device_ops *ops;
	void *driver;
};
void station_init_end(struct station *station, const struct station_end *end);

/* The clock moves; timers run that are due by then. */
void station_advance(struct station *station, uint64_t us);

/* Ends the program when a benchmark cannot be set up, or a call in it fails: `error` is not 0. */
void station_must(int64_t error);

/* A random number below `limit`, at next to no cost: Knuth's linear congruential generator. */
static inline uint32_t station_pick(struct station *station, uint32_t limit)
{
	station->pick = station->pick * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)((station->pick >> 32) * limit >> 32);
}

/* Routes to `count` prefixes of 24 bits, by STATION_PEER. */
void station_add_routes(struct station *station, uint32_t count);
/*
 * An address behind route i. Its two halves are complements, so that every checksum over it is the
 * same.
 */
ip4_t station_route_address(uint32_t i);

/* A frame arrives: an sk_buff as a driver makes one. With the net lock. */
void station_receive(struct station *station, const uint8_t *frame, size_t length) NEEDS_NET_LOCK;

/* A socket of `type` bound to `address` and `port`. */
struct socket *station_bound_socket(struct station *station, int type, ip4_t address,
				    uint16_t port);

#endif
