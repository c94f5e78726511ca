/*
 * The transmit queue.
 *
 * Nothing waits for the device. A frame goes into the ring, or, while that is full, into a short
 * queue, or is dropped (TX_QUEUE_FULL). What was sent is freed when the next frames come, some at a
 * time, and whenever the poller runs, so an idle device needs no completion interrupt, and the
 * interrupt is off as a rule.
 *
 * It is on while somebody waits for completion: frames in the short queue, or charged to a
 * socket, whose sender may be asleep until its send buffer has room. So that single packets cost
 * no interrupt, a frame is charged only while the ring is a quarter full or more; before, it is
 * taken off its socket's account at once. A sender that floods is slowed down by its own send
 * buffer, a quarter of a ring later.
 */
#include "drivers/virtio/virtio_net.h"

#include "kernel/errno.h"
#include "kernel/string.h"

#define RECLAIM_BATCH 16 /* frames in the ring, before somebody who sends looks for sent ones */

#define TCP_OFFSET_AT 12 /* RFC 9293 3.1: the header's length, in its upper half, in words */

_Static_assert(SKB_MAX_FRAGMENTS + 2 <= VIRTQUEUE_SEGMENTS_MAX,
	       "header, linear area and fragments");

static bool ring_is_crowded(const struct virtqueue *vq)
{
	return vq->free <= vq->size - vq->size / 4;
}

static bool is_worth_reclaiming(const struct virtqueue *vq)
{
	return vq->in_flight >= MIN(RECLAIM_BATCH, vq->size / 4);
}

/* The length of the headers of a large packet: those of TCP come last. */
static uint16_t headers_length(const struct sk_buff *skb)
{
	const uint8_t *tcp = skb->head + skb->csum_start;

	return (uint16_t)(tcp - skb->data + (tcp[TCP_OFFSET_AT] >> 4) * 4);
}

/* Puts the device's header in front of the frame. 0 or -ENOMEM. */
static int push_header(struct virtio_net *vnet, struct sk_buff *skb)
{
	struct virtio_net_header header = {.gso_type = VIRTIO_NET_HDR_GSO_NONE};

	if (skb_ensure_headroom(skb, vnet->header_length) != 0)
		return -ENOMEM;
	if (skb->checksum == SKB_CHECKSUM_PARTIAL) {
		header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		header.csum_start = (uint16_t)(skb->csum_start - skb_headroom(skb));
		header.csum_offset = skb->csum_offset;
	}
	/* dev_xmit lets nothing large through whose checksum is not to be filled in. */
	if (skb->gso_size) {
		header.gso_type = skb->gso_type;
		header.gso_size = skb->gso_size;
		header.header_length = headers_length(skb);
	}
	memcpy(skb_push(skb, vnet->header_length), &header, vnet->header_length);
	return 0;
}

/* Describes a frame with its header in front. Returns how many segments that takes. */
static uint32_t describe_frame(const struct virtio_net *vnet, const struct sk_buff *skb,
			       struct virtqueue_segment *segments)
{
	phys_addr_t address = virt_to_phys(skb->data);
	uint32_t length = (uint32_t)skb_linear_len(skb), n = 0;

	if (vnet->header_apart) {
		segments[n++] = (struct virtqueue_segment){address, vnet->header_length};
		address += vnet->header_length;
		length -= vnet->header_length;
	}
	segments[n++] = (struct virtqueue_segment){address, length};
	for (uint8_t i = 0; i < skb->fragment_count; i++)
		segments[n++] = (struct virtqueue_segment){
			page_to_phys(skb->fragments[i].page) + skb->fragments[i].offset,
			skb->fragments[i].length,
		};
	return n;
}

/*
 * A batch that fills half of the ring is announced before it ends: the device works on it while we
 * fill the other half.
 */
static void announce_half(struct virtqueue *vq)
{
	if ((uint16_t)(vq->available - vq->announced) >= vq->size / 2)
		virtqueue_kick(vq);
}

/* Into the ring; it owns skb then. False when there is no room. */
static bool post_frame(struct virtio_net *vnet, struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct virtqueue_segment segments[VIRTQUEUE_SEGMENTS_MAX];
	uint32_t count = describe_frame(vnet, skb, segments);

	if (virtqueue_add(vnet->transmit, segments, count, 0, skb) != 0)
		return false;
	if (skb->owner && !ring_is_crowded(vnet->transmit))
		skb_orphan(skb);
	if (skb->owner)
		vnet->transmit_charged++;
	announce_half(vnet->transmit);
	return true;
}

static bool post_or_queue(struct virtio_net *vnet, struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (vnet->transmit_waiting.length == 0 && post_frame(vnet, skb))
		return true;
	if (vnet->transmit_waiting.length >= VIRTIO_NET_TX_WAITING_MAX)
		return false;
	skb_queue_append(&vnet->transmit_waiting, skb);
	return true;
}

static void refuse(struct virtio_net *vnet, struct sk_buff *skb, enum drop_reason reason)
{
	vnet->dev.statistics.tx_dropped++;
	skb_drop(skb, reason);
}

void virtio_net_xmit(struct net_device *dev, struct sk_buff *skb)
{
	struct virtio_net *vnet = dev->driver;
	uint32_t length = skb->len;

	if (vnet->running && is_worth_reclaiming(vnet->transmit))
		virtio_net_complete(vnet);
	if (!vnet->running || vnet->transmit->broken) {
		refuse(vnet, skb, DROP_DEVICE_DOWN);
		return;
	}
	if (push_header(vnet, skb) != 0) {
		refuse(vnet, skb, DROP_NO_MEMORY);
		return;
	}
	if (!virtqueue_can_hold(vnet->transmit, 1u + vnet->header_apart + skb->fragment_count) ||
	    !post_or_queue(vnet, skb)) {
		refuse(vnet, skb, DROP_TX_QUEUE_FULL);
		return;
	}
	dev->statistics.tx_packets++;
	dev->statistics.tx_bytes += length;
}

/* Ends a batch: the device is told once. */
void virtio_net_xmit_flush(struct net_device *dev)
{
	struct virtio_net *vnet = dev->driver;

	if (!vnet->running)
		return;
	virtqueue_kick(vnet->transmit);
	/* A broken queue is the poller's to deal with, too. */
	if (vnet->transmit->broken || !virtio_net_await_completion(vnet))
		net_poller_schedule(&vnet->poller);
}

static void free_sent(struct virtio_net *vnet) NEEDS_NET_LOCK
{
	struct sk_buff *skb;
	uint32_t length;

	while ((skb = virtqueue_take(vnet->transmit, &length))) {
		if (skb->owner)
			vnet->transmit_charged--;
		skb_free(skb);
	}
}

void virtio_net_complete(struct virtio_net *vnet)
{
	struct sk_buff *skb;
	bool posted = false;

	free_sent(vnet);
	while ((skb = skb_queue_first(&vnet->transmit_waiting)) && post_frame(vnet, skb)) {
		skb_queue_unlink(&vnet->transmit_waiting, skb);
		posted = true;
	}
	if (posted)
		virtqueue_kick(vnet->transmit);
}

bool virtio_net_await_completion(struct virtio_net *vnet)
{
	struct virtqueue *vq = vnet->transmit;

	if (vnet->transmit_charged == 0 && vnet->transmit_waiting.length == 0)
		return true;
	/* One interrupt for half of what is in the ring: at the end, for the last one. */
	return virtqueue_interrupts_on(vq, (uint16_t)MAX(vq->in_flight / 2, 1));
}
