/*
 * Split virtqueues (VIRTIO 1.2 section 2.7), the driver's side.
 *
 * A driver adds chains of buffers, kicks once for a batch, and takes back what the device has
 * used:
 *
 *	virtqueue_add(vq, segments, readable, writable, token);
 *	virtqueue_kick(vq);
 *	while ((token = virtqueue_take(vq, &length)))
 *		...
 *
 * Nothing that the device writes is trusted. What is in flight, and how much of it may be
 * written, is kept in memory of our own; descriptors are never read back. A device that
 * contradicts it (an id that is not in flight, a length beyond the buffers, an index that jumps)
 * breaks the queue: one line in the log, and from then on nothing can be added or taken. What is
 * in flight stays the device's until it is reset.
 *
 * No lock of its own: one caller at a time (for virtio-net: the net lock). Not in hard
 * interrupts.
 */
#ifndef DRIVERS_VIRTIO_VIRTQUEUE_H
#define DRIVERS_VIRTIO_VIRTQUEUE_H

#include "drivers/virtio/virtio.h"
#include "kernel/mm/page.h"
#include "kernel/types.h"

#define VIRTQUEUE_SIZE_MAX 256    /* entries that we use of what is offered */
#define VIRTQUEUE_SEGMENTS_MAX 20 /* in one chain */

/* Contiguous bytes of one chain. */
struct virtqueue_segment {
	phys_addr_t address;
	uint32_t length;
};

/* What stands behind descriptor i: kept apart from the ring, which the device could write. */
struct virtqueue_slot {
	void *token;              /* of the chain that begins here and is in flight, or NULL */
	uint32_t writable;        /* bytes of it that the device may write */
	uint16_t descriptors;     /* that it takes */
	uint16_t next;            /* the chain's next descriptor, or the next free one */
	struct vring_desc *table; /* for indirect chains; made at first use and kept */
};

struct virtqueue {
	struct virtio_device *device;
	uint16_t index; /* of the queue in its device */
	uint16_t size;  /* entries, a power of two */
	uint16_t free;  /* descriptors */
	uint16_t free_head;
	uint16_t in_flight;       /* chains added and not taken back */
	uint16_t available;       /* next index of the available ring */
	uint16_t published;       /* how far the device has been shown them */
	uint16_t announced;       /* how far it has been told, unless it asked not to be */
	uint16_t taken;           /* next index of the used ring */
	bool event_idx, indirect; /* negotiated */
	bool broken;
	uint64_t notifications; /* kicks that reached the device */
	struct page *page;      /* where the three parts stand */
	struct vring_desc *descriptor_ring;
	struct vring_avail *available_ring;
	struct vring_used *used_ring;
	struct virtqueue_slot slots[];
};

/*
 * Sets up queue `index` after features were negotiated, with the offered size, at most
 * VIRTQUEUE_SIZE_MAX. 0; -ENOENT: no such queue; -EINVAL: a size that is no power of two; -EBUSY;
 * -ENOMEM.
 */
int __must_check virtqueue_create(struct virtio_device *device, uint16_t index,
				  struct virtqueue **result);

/*
 * The device was reset, or never started. Nothing may be in flight: see virtqueue_detach. NULL is
 * harmless.
 */
void virtqueue_destroy(struct virtqueue *vq);

/*
 * After a reset: gives back the tokens still in flight, one a call, NULL at the end.
 */
void *virtqueue_detach(struct virtqueue *vq);

/*
 * Adds a chain: first `readable` segments, then `writable` ones. The device does not see it
 * before virtqueue_kick. 0, -ENOSPC (room comes when chains are taken), or -EIO (broken).
 */
int __must_check virtqueue_add(struct virtqueue *vq, const struct virtqueue_segment *segments,
			       uint32_t readable, uint32_t writable, void *token);

/*
 * Can such a chain be added at all? It may not be longer than the queue, even if indirect
 * (2.7.5.3.1).
 */
bool virtqueue_can_hold(const struct virtqueue *vq, uint32_t segments);

/*
 * Shows the device what was added, without a word: for what is posted before it may be notified
 * (3.1.1).
 */
void virtqueue_publish(struct virtqueue *vq);

/* Shows the device what was added, and notifies it unless it asked not to be. */
void virtqueue_kick(struct virtqueue *vq);

/*
 * The next used chain's token, or NULL. *length: bytes that the device says it wrote, at most
 * what was writable.
 */
void *virtqueue_take(struct virtqueue *vq, uint32_t *length);

/* How many used chains wait to be taken. */
uint32_t virtqueue_used(struct virtqueue *vq);

/* Marks the queue broken, with one line in the log. */
void virtqueue_break(struct virtqueue *vq, const char *why, uint32_t value);

/* Asks the device for silence. An interrupt may still come: it is a hint (2.7.7). */
void virtqueue_interrupts_off(struct virtqueue *vq);

/*
 * Asks for an interrupt once `chains` more have been used (1: the next), as far as the device can
 * count (EVENT_IDX). False when so many have been used already: the interrupt may not come, take
 * them now (2.7.14).
 */
bool __must_check virtqueue_interrupts_on(struct virtqueue *vq, uint16_t chains);

#endif
