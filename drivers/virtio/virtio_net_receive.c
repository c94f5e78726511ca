/*
 * The receive queue. Each buffer is an sk_buff whose linear area takes the virtio header and a
 * frame; with MRG_RXBUF a frame longer than one buffer goes on in the next ones, and is joined
 * here.
 */
#include "drivers/virtio/virtio_net.h"

#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/ethernet/ethernet.h"

/* The longest frame that is joined: an IP packet of 65535 bytes and its link header. */
#define FRAME_MAX (65535u + ETHERNET_HEADER_LENGTH)

/* Unused bytes in front, so that the IP header lies on a multiple of four. */
static size_t buffer_padding(const struct virtio_net *vnet)
{
	return -(size_t)(vnet->header_length + ETHERNET_HEADER_LENGTH) % 4;
}

/* 0, -ENOMEM, or virtqueue_add's refusal. */
static int post_buffer(struct virtio_net *vnet)
{
	size_t padding = buffer_padding(vnet);
	struct sk_buff *skb = skb_alloc(vnet->net, padding + vnet->buffer_length);

	if (!skb)
		return -ENOMEM;
	skb_reserve(skb, padding);
	phys_addr_t address = virt_to_phys(skb->data);
	uint32_t header = vnet->header_length;
	struct virtqueue_segment whole = {address, vnet->buffer_length};
	struct virtqueue_segment apart[2] = {
		{address, header},
		{address + header, vnet->buffer_length - header},
	};
	int error = vnet->header_apart ? virtqueue_add(vnet->receive, apart, 0, 2, skb)
				       : virtqueue_add(vnet->receive, &whole, 0, 1, skb);

	if (error)
		skb_free(skb);
	return error;
}

/* Is there room for one more buffer? Looked at first: an allocation for nothing is dear. */
static bool has_room(const struct virtio_net *vnet)
{
	uint32_t descriptors = vnet->header_apart && !vnet->receive->indirect ? 2 : 1;

	return !vnet->receive->broken && vnet->receive->free >= descriptors;
}

bool virtio_net_fill(struct virtio_net *vnet)
{
	int error = 0;

	while (!error && has_room(vnet))
		error = post_buffer(vnet);
	return error != -ENOMEM;
}

static void drop_frame(struct virtio_net *vnet, struct sk_buff *skb, enum drop_reason reason)
{
	vnet->dev.statistics.rx_errors++;
	skb_drop(skb, reason);
}

/* The checksum field must lie behind the link header and within the frame (5.1.6.4.2). */
static bool checksum_place_is_sound(const struct sk_buff *skb,
				    const struct virtio_net_header *header)
{
	return header->csum_start >= ETHERNET_HEADER_LENGTH &&
	       (uint32_t)header->csum_start + header->csum_offset + 2 <= skb->len &&
	       skb_headroom(skb) + header->csum_start <= UINT16_MAX;
}

/* What the header says of the frame at skb->data; false when that cannot be. */
static bool apply_header(struct virtio_net *vnet, struct sk_buff *skb,
			 const struct virtio_net_header *header)
{
	/* No GUEST_TSO was negotiated, so nothing may come in one piece that was several. */
	if (header->gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return false;
	/* Without GUEST_CSUM the flags mean nothing, and software verifies. */
	if (!virtio_has(vnet->device, VIRTIO_NET_F_GUEST_CSUM))
		return true;
	if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		if (!checksum_place_is_sound(skb, header))
			return false;
		skb->checksum = SKB_CHECKSUM_PARTIAL;
		skb->csum_start = (uint16_t)(skb_headroom(skb) + header->csum_start);
		skb->csum_offset = header->csum_offset;
	} else if (header->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
		skb->checksum = SKB_CHECKSUM_VERIFIED;
	}
	return true;
}

/* The next used buffer, its bytes put; NULL when there is none. */
static struct sk_buff *take_buffer(struct virtio_net *vnet)
{
	uint32_t length;
	struct sk_buff *skb = virtqueue_take(vnet->receive, &length);

	if (skb)
		skb_put(skb, length);
	return skb;
}

/*
 * The frame that begins in `first` goes on in `more` buffers: all of it in one sk_buff. Owns
 * `first`. NULL when it was dropped.
 */
static struct sk_buff *join_buffers(struct virtio_net *vnet, struct sk_buff *first, uint32_t more)
{
	size_t room = MIN(FRAME_MAX + vnet->header_length, (more + 1) * vnet->buffer_length);
	struct sk_buff *whole = skb_alloc(vnet->net, buffer_padding(vnet) + room);
	enum drop_reason refused = whole ? DROP_NONE : DROP_NO_MEMORY;

	if (whole) {
		skb_reserve(whole, buffer_padding(vnet));
		memcpy(skb_put(whole, first->len), first->data, first->len);
	}
	skb_free(first);
	for (; more > 0; more--) {
		struct sk_buff *part = take_buffer(vnet);

		if (!part) {
			refused = DROP_RX_DEVICE_ERROR;
			break;
		}
		if (!refused && part->len > skb_tailroom(whole))
			refused = DROP_FRAME_TOO_LONG;
		if (!refused)
			memcpy(skb_put(whole, part->len), part->data, part->len);
		skb_free(part);
	}
	if (!refused)
		return whole;
	if (whole)
		drop_frame(vnet, whole, refused);
	return NULL;
}

/*
 * 5.1.6.4: num_buffers says how many buffers the frame fills. Owns skb. NULL when it was dropped.
 */
static struct sk_buff *complete_frame(struct virtio_net *vnet, struct sk_buff *skb,
				      const struct virtio_net_header *header)
{
	if (!virtio_has(vnet->device, VIRTIO_NET_F_MRG_RXBUF) || header->num_buffers == 1)
		return skb;
	if (header->num_buffers == 0) {
		drop_frame(vnet, skb, DROP_RX_DEVICE_ERROR);
		return NULL;
	}
	/*
	 * They are used all at once; if they are not there, nobody knows where the next frame
	 * begins.
	 */
	if (header->num_buffers - 1u > virtqueue_used(vnet->receive)) {
		virtqueue_break(vnet->receive, "frame of too many buffers:", header->num_buffers);
		drop_frame(vnet, skb, DROP_RX_DEVICE_ERROR);
		return NULL;
	}
	return join_buffers(vnet, skb, header->num_buffers - 1u);
}

/* Owns skb, a used buffer. */
static void receive_buffer(struct virtio_net *vnet, struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct virtio_net_header header = {.num_buffers = 1};

	if (skb->len < vnet->header_length) {
		drop_frame(vnet, skb, DROP_RX_DEVICE_ERROR);
		return;
	}
	memcpy(&header, skb->data, vnet->header_length);
	skb = complete_frame(vnet, skb, &header);
	if (!skb)
		return;
	skb_pull(skb, vnet->header_length);
	if (!apply_header(vnet, skb, &header)) {
		drop_frame(vnet, skb, DROP_RX_DEVICE_ERROR);
		return;
	}
	skb->dev = &vnet->dev;
	netif_receive(&vnet->dev, skb);
}

uint32_t virtio_net_receive(struct virtio_net *vnet, uint32_t budget)
{
	uint32_t received = 0;
	struct sk_buff *skb;

	while (received < budget && (skb = take_buffer(vnet))) {
		receive_buffer(vnet, skb);
		received++;
	}
	return received;
}
