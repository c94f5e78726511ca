/*
 * Two stations and a wire: what the one sends, the other receives, when the benchmark says so.
 *
 * A frame crosses as it does between devices with DMA, which cost a processor nothing: the sender's
 * packet becomes the receiver's, and no byte is copied or looked at. Who does checksums and cuts
 * large packets is the features' matter, as with any device.
 */
#ifndef TEST_HOST_BENCH_SPEED_WIRE_H
#define TEST_HOST_BENCH_SPEED_WIRE_H

#include "test/host/bench/speed/station.h"

#define WIRE_ENDS 2

struct wire;

struct wire_end {
	struct station station;
	struct skb_queue arriving; /* sent by the other, not yet received; length and order only */
	struct wire_end *other;
};

struct wire {
	struct wire_end ends[WIRE_ENDS]; /* 10.0.0.1 and 10.0.0.2 */
};

/* `features`: NETDEV_* of both devices. */
void wire_init(struct wire *wire, uint32_t features);
/* What is still under way arrives first. */
void wire_destroy(struct wire *wire);

/* Delivers, SPEED_BATCH frames at a time, until both ends are silent. */
void wire_carry(struct wire *wire);

/* Both clocks move. */
void wire_advance(struct wire *wire, uint64_t us);

#endif
