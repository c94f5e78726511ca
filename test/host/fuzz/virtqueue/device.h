/*
 * The bench of the virtqueue target: a stack without protocols, the real driver, and a device model
 * that lies. See virtqueue.c for the input.
 */
#ifndef TEST_HOST_FUZZ_VIRTQUEUE_DEVICE_H
#define TEST_HOST_FUZZ_VIRTQUEUE_DEVICE_H

#include "drivers/virtio/virtio_mmio.h"
#include "drivers/virtio/virtio_net.h"
#include "net/core/netdevice.h"
#include "test/host/fuzz/fuzz.h"
#include "test/host/virtio/device_model.h"

#define LIES_MAX 4 /* that wait for their moment */

/* The driver's n-th read of ring memory, or of a register, from now on gives something else. */
struct lie {
	uint32_t reads_left; /* 0: none waits here */
	uint32_t value;
	bool once; /* of a ring: the next read of ring memory gives the truth again */
};

struct bench {
	uint64_t now_us, random_state;
	struct net net;
	struct link_type ethernet;
	struct virtio_bus bus;
	struct virtio_net_driver driver;
	struct virtio_model model;
	struct virtio_device *device; /* NULL: the transport refused it */
	struct net_device *dev;       /* NULL: the driver refused it */

	struct lie ring_lies[LIES_MAX], register_lies[LIES_MAX];
	bool ring_lies_wait; /* one did since they were last forgotten: reads are looked at */
	struct {             /* a ring lie that is to be taken back */
		void *at;
		uint8_t size;
		uint32_t truth;
	} told;

	bool interrupts_masked, hold_transmit;
	bool lied;              /* since the beginning: the model's own checks prove nothing */
	uint64_t lied_at_reset; /* the model's count of resets when it last lied, plus one */
	uint64_t received, sent;
	uint64_t allocations; /* live before */
};

/* The device as the input describes it, and the driver's meeting with it. */
void bench_create(struct bench *bench, const struct model_options *options);
void bench_probe(struct bench *bench);
void bench_remove(struct bench *bench);
/* Takes everything down; nothing may be left. */
void bench_destroy(struct bench *bench);

/* Runs the softirq until it has nothing more to do; it must come to that. */
void bench_run(struct bench *bench);
void bench_wait(struct bench *bench, uint64_t us);

/*
 * A device that gave buffers back out of turn, or wrote where the driver writes, has lost count,
 * and would touch memory that is no longer its: until the next reset it only lies.
 */
bool bench_is_honest(const struct bench *bench);
void bench_lied(struct bench *bench);

void bench_send(struct bench *bench, size_t length);
bool bench_receive(struct bench *bench, const struct virtio_net_header *header, size_t length);

/* No lie waits any more. */
void bench_forget_lies(struct bench *bench);

#endif
