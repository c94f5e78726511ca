/*
 * Receive buffers without MRG_RXBUF: each is an sk_buff that takes a whole frame with its header.
 *
 * With GUEST_TSO4 a frame may be 64 KiB long (5.1.6.3.1). An ordinary one lies in the linear area
 * all the same; the pages behind it are for the others.
 */
#include "drivers/virtio/virtio_net.h"

#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/ethernet/ethernet.h"

#define LARGE_PAGES 16
#define LARGE_BUFFERS_MAX 64 /* 4 MiB of such pages */

_Static_assert(LARGE_PAGES <= SKB_MAX_FRAGMENTS, "a fragment each");
_Static_assert(VIRTIO_NET_WHOLE_SEGMENTS == 2 + LARGE_PAGES, "header, linear area, pages");
_Static_assert(VIRTIO_NET_WHOLE_SEGMENTS <= VIRTQUEUE_SEGMENTS_MAX, "fits a chain");

static bool takes_large(const struct virtio_net *vnet)
{
	return virtio_has(vnet->device, VIRTIO_NET_F_GUEST_TSO4);
}

static bool add_pages(struct sk_buff *skb)
{
	for (uint32_t i = 0; i < LARGE_PAGES; i++) {
		struct page *page = page_alloc();

		if (!page)
			return false;
		if (skb_add_fragment(skb, page, 0, PAGE_SIZE)) {
			page_put(page);
			return false;
		}
	}
	return true;
}

/* As if a frame of the greatest length were in it, so that receiving one is skb_trim. */
static struct sk_buff *make_buffer(const struct virtio_net *vnet)
{
	size_t padding = virtio_net_padding(vnet);
	struct sk_buff *skb = skb_alloc(vnet->net, padding + vnet->buffer_length);

	if (!skb)
		return NULL;
	skb_reserve(skb, padding);
	skb_put(skb, vnet->buffer_length);
	if (!takes_large(vnet) || add_pages(skb))
		return skb;
	skb_free(skb);
	return NULL;
}

/* 0, -ENOMEM, or virtqueue_add's refusal. */
static int post_buffer(struct virtio_net *vnet)
{
	struct virtqueue_segment segments[VIRTIO_NET_WHOLE_SEGMENTS];
	struct sk_buff *skb = make_buffer(vnet);

	if (!skb)
		return -ENOMEM;
	uint32_t count = virtio_net_describe_buffer(vnet, virt_to_phys(skb->data),
						    vnet->buffer_length, segments);

	for (uint32_t i = 0; i < skb->fragment_count; i++)
		segments[count++] = (struct virtqueue_segment){page_to_phys(skb->fragments[i].page),
							       PAGE_SIZE};
	int error = virtqueue_add(vnet->receive, segments, 0, count, skb);

	if (error)
		skb_free(skb);
	return error;
}

/* Is there room for one more buffer? Looked at first: an allocation for nothing is dear. */
static bool has_room(const struct virtio_net *vnet)
{
	const struct virtqueue *vq = vnet->receive;
	uint32_t segments = 1u + vnet->header_apart + (takes_large(vnet) ? LARGE_PAGES : 0);

	if (vq->broken || (takes_large(vnet) && vq->in_flight >= LARGE_BUFFERS_MAX))
		return false;
	return vq->free >= (vq->indirect ? 1 : segments);
}

bool virtio_net_fill_whole(struct virtio_net *vnet)
{
	int error = 0;

	while (!error && has_room(vnet))
		error = post_buffer(vnet);
	return error != -ENOMEM;
}

struct sk_buff *virtio_net_whole_frame(struct virtio_net *vnet, void *buffer, uint32_t length,
				       struct virtio_net_header *header)
{
	struct sk_buff *skb = buffer;
	uint32_t pages = skb->fragment_count;

	if (length < vnet->header_length) {
		skb_free(skb);
		virtio_net_refuse_buffer(vnet, DROP_RX_DEVICE_ERROR);
		return NULL;
	}
	skb_trim(skb, length);
	skb->truesize -= (pages - skb->fragment_count) * (uint32_t)PAGE_SIZE;
	memcpy(header, skb->data, vnet->header_length);
	skb_pull(skb, vnet->header_length);
	return skb;
}
