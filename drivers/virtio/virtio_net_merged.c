/*
 * Receive buffers with MRG_RXBUF: each is a block of pages, and a frame fills as many as it needs
 * (5.1.6.4). The more memory there is, the larger are the blocks: a frame of 64 KiB is then in few
 * pieces.
 *
 * An ordinary frame, or the beginning of a longer one with its headers, is copied into an sk_buff
 * of its own; the rest of a longer one stays where the device put it, as page fragments. Copying an
 * ordinary frame costs about what a new block does, its block is kept for the next filling, and a
 * socket's receive buffer is charged for what the frame is and not for a block.
 */
#include "drivers/virtio/virtio_net.h"

#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/ethernet/ethernet.h"

/* The longest frame that is joined: an IP packet of 65535 bytes and its link header. */
#define FRAME_MAX (65535u + ETHERNET_HEADER_LENGTH)

#define COPIED_WHOLE 1600 /* bytes: the frames of an MTU of 1500, and tags in front of them */
#define BEGINNING 240     /* bytes of a longer frame that are copied: all headers are among them */

#define BUFFER_ORDER_MAX 2 /* of a block: 16 KiB */
#define MEMORY_SHARE 32    /* all of a queue's blocks take at most this part of the memory */

_Static_assert(SKB_MAX_FRAGMENTS >= (FRAME_MAX + VIRTIO_NET_HEADER_LENGTH) / PAGE_SIZE + 1,
	       "full pages of the longest frame");

/* 0, or virtqueue_add's refusal: then the page is still the caller's. */
static int post_page(struct virtio_net *vnet, struct page *page)
{
	struct virtqueue_segment segments[2];
	uint32_t count = virtio_net_describe_buffer(vnet, page_to_phys(page),
						    (uint32_t)PAGE_SIZE << page->order, segments);

	return virtqueue_add(vnet->receive, segments, 0, count, page);
}

/*
 * Not posted at once: until the round is over, its id must not be in flight again, so that a device
 * that uses it twice is found out.
 */
static void keep_page(struct virtio_net *vnet, struct page *page)
{
	if (vnet->spare_count < ARRAY_SIZE(vnet->spare_pages))
		vnet->spare_pages[vnet->spare_count++] = page;
	else
		page_put(page);
}

/* When there is no block, a single page does: the device is told how long each buffer is. */
static struct page *next_page(struct virtio_net *vnet)
{
	if (vnet->spare_count)
		return vnet->spare_pages[--vnet->spare_count];
	struct page *page = page_alloc_order(vnet->buffer_order);

	return page ? page : page_alloc();
}

uint32_t virtio_net_choose_buffer_order(void)
{
	uint64_t most = page_statistics().total / MEMORY_SHARE;
	uint32_t order = 0;

	while (order < BUFFER_ORDER_MAX && (uint64_t)VIRTQUEUE_SIZE_MAX << (order + 1) <= most)
		order++;
	return order;
}

void virtio_net_free_spare_pages(struct virtio_net *vnet)
{
	while (vnet->spare_count)
		page_put(vnet->spare_pages[--vnet->spare_count]);
}

static bool has_room(const struct virtio_net *vnet)
{
	uint32_t descriptors = vnet->header_apart && !vnet->receive->indirect ? 2 : 1;

	return !vnet->receive->broken && vnet->receive->free >= descriptors;
}

bool virtio_net_fill_merged(struct virtio_net *vnet)
{
	while (has_room(vnet)) {
		struct page *page = next_page(vnet);

		if (!page)
			return false;
		if (post_page(vnet, page)) {
			page_put(page);
			return true;
		}
	}
	return true;
}

/*
 * A packet with the frame, of which `length` bytes are in the page, or with its beginning. In front
 * is room for a header of the device's, should the frame be sent on.
 */
static struct sk_buff *copy_beginning(const struct virtio_net *vnet, const struct page *page,
				      uint32_t length)
{
	size_t front = virtio_net_padding(vnet) + vnet->header_length;
	uint32_t copied = length <= COPIED_WHOLE ? length : BEGINNING;
	struct sk_buff *skb = skb_alloc(vnet->net, front + copied);

	if (!skb)
		return NULL;
	skb_reserve(skb, front);
	memcpy(skb_put(skb, copied), (uint8_t *)page_address(page) + vnet->header_length, copied);
	return skb;
}

/*
 * Adds what a page holds from `offset` on. Owns the reference. DROP_NONE, or why the frame is
 * refused.
 */
static enum drop_reason add_page(struct sk_buff *skb, struct page *page, uint32_t offset,
				 uint32_t length)
{
	if (length == 0) {
		page_put(page);
		return DROP_NONE;
	}
	if (skb->len + length <= FRAME_MAX && skb_add_fragment(skb, page, offset, length) == 0)
		return DROP_NONE;
	page_put(page);
	return DROP_FRAME_TOO_LONG;
}

/* The frame goes on in `more` pages. DROP_NONE, or why it is refused; they are taken anyway. */
static enum drop_reason add_pages(struct virtio_net *vnet, struct sk_buff *skb, uint32_t more)
{
	enum drop_reason refused = DROP_NONE;

	for (; more > 0; more--) {
		uint32_t length;
		struct page *page = virtqueue_take(vnet->receive, &length);

		if (!page)
			return DROP_RX_DEVICE_ERROR; /* the queue is broken */
		if (refused)
			page_put(page);
		else
			refused = add_page(skb, page, 0, length);
	}
	return refused;
}

/*
 * They are used all at once; if they are not there, nobody knows where the next frame begins.
 */
static bool pages_are_there(struct virtio_net *vnet, uint16_t num_buffers)
{
	if (num_buffers == 0)
		return false;
	if (num_buffers - 1u <= virtqueue_used(vnet->receive))
		return true;
	virtqueue_break(vnet->receive, "frame of too many buffers:", num_buffers);
	return false;
}

/* Takes the other pages of a frame for which there is no memory. */
static void skip_pages(struct virtio_net *vnet, uint32_t more)
{
	struct page *page;
	uint32_t length;

	while (more-- > 0 && (page = virtqueue_take(vnet->receive, &length)))
		page_put(page);
}

struct sk_buff *virtio_net_merged_frame(struct virtio_net *vnet, void *buffer, uint32_t length,
					struct virtio_net_header *header)
{
	struct page *page = buffer;

	memcpy(header, page_address(page), vnet->header_length);
	if (length < vnet->header_length || !pages_are_there(vnet, header->num_buffers)) {
		keep_page(vnet, page);
		virtio_net_refuse_buffer(vnet, DROP_RX_DEVICE_ERROR);
		return NULL;
	}
	length -= vnet->header_length;

	uint32_t more = header->num_buffers - 1u;
	struct sk_buff *skb = copy_beginning(vnet, page, length);

	if (!skb) {
		keep_page(vnet, page);
		skip_pages(vnet, more);
		virtio_net_refuse_buffer(vnet, DROP_NO_MEMORY);
		return NULL;
	}

	enum drop_reason refused = DROP_NONE;

	if (skb->len == length)
		keep_page(vnet, page);
	else
		refused = add_page(skb, page, vnet->header_length + skb->len, length - skb->len);
	if (!refused)
		refused = add_pages(vnet, skb, more);
	if (!refused)
		return skb;
	vnet->dev.statistics.rx_errors++;
	skb_drop(skb, refused);
	return NULL;
}
