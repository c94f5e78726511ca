/*
 * A test bench for the driver: one stack without protocols, one device model, the real driver
 * between them, and a clock that stands still. Frames that the driver sends, and those that it
 * hands to the stack, are counted and checked against the pattern of rig_frame.
 */
#ifndef TEST_HOST_UNIT_RIG_H
#define TEST_HOST_UNIT_RIG_H

#include "drivers/virtio/virtio_mmio.h"
#include "drivers/virtio/virtio_net.h"
#include "net/core/netdevice.h"
#include "test/host/virtio/device_model.h"

/* What every device of these tests offers beyond VERSION_1. */
#define RIG_FEATURES_ALL                                                            \
	(VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_NET_F_CSUM |          \
	 VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_MAC | VIRTIO_NET_F_MRG_RXBUF |      \
	 VIRTIO_NET_F_STATUS | VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX |        \
	 VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_ECN | VIRTIO_NET_F_GUEST_TSO4 | \
	 VIRTIO_NET_F_GUEST_ECN)

struct rig {
	uint64_t now_us;
	struct net net;
	struct link_type ethernet;
	struct virtio_bus bus;
	struct virtio_net_driver driver;
	struct virtio_model model;
	struct virtio_device *device;
	struct net_device *dev; /* eth0, or NULL when the driver refused the device */
	bool interrupts_masked;
	bool hold_transmit; /* the device leaves sent frames in the ring */

	uint64_t received, received_bytes, sent, sent_bytes;
	bool garbled;          /* a frame did not carry its pattern */
	uint8_t last_checksum; /* enum skb_checksum of the last frame received */
	uint16_t last_csum_start, last_csum_offset; /* from the frame's first byte */
	uint16_t last_gso_size;
	uint8_t last_gso_type, last_fragments;
	uint32_t last_truesize;
	uint8_t last_frame[MODEL_FRAME_MAX];  /* received or sent */
	bool no_pattern;                      /* frames are others than rig_frame's */
	struct virtio_net_header last_header; /* of the last frame sent */
	void (*on_receive)(struct rig *rig);  /* called for each frame received; may be NULL */
	uint64_t live_allocations;            /* before it was made */
};

struct model_options rig_options(bool legacy, uint64_t features);

/* Makes the stack and the device, and lets the driver find it. */
void rig_start(struct rig *rig, const struct model_options *options);
/* The two halves of it, for what happens in between. */
void rig_prepare(struct rig *rig, const struct model_options *options);
void rig_probe(struct rig *rig);
/* The latter through registers of the test's own, which lead to the model's. */
void rig_probe_by(struct rig *rig, const struct virtio_mmio_io *io);
/*
 * Takes everything down; fails the test when a packet or an allocation is left, or the driver
 * broke a rule.
 */
void rig_stop(struct rig *rig);

/* Runs the softirq until it has nothing more to do. */
void rig_run(struct rig *rig);
/* Lets time pass, and the timers that fall due. */
void rig_wait(struct rig *rig, uint64_t us);

/* A frame with a pattern that its length and `seed` give. */
void rig_frame(uint8_t *frame, size_t length, uint32_t seed);
/* A frame from the wire, and the stack's work on it. False when the device had no buffer. */
bool rig_deliver(struct rig *rig, size_t length);
/* A packet with the pattern. NULL: no memory. */
struct sk_buff *rig_skb(struct rig *rig, size_t length);
/* Sends a frame as the stack does, without the flush, or with it. */
void rig_xmit(struct rig *rig, struct sk_buff *skb);
void rig_flush(struct rig *rig);
void rig_send(struct rig *rig, size_t length);

/* One frame each way must come through. */
void rig_check_traffic(struct rig *rig);

struct virtio_net *rig_vnet(struct rig *rig);

#endif
