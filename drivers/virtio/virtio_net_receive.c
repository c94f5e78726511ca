/*
 * The receive queue: frames from it, and what the device's header says of them. Where a frame is
 * put is in two other files, by what was negotiated: virtio_net_merged.c, virtio_net_whole.c.
 */
#include "drivers/virtio/virtio_net.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/core/segment.h"
#include "net/ethernet/ethernet.h"

_Static_assert(SKB_GSO_TCP4 == VIRTIO_NET_HDR_GSO_TCPV4 && SKB_GSO_ECN == VIRTIO_NET_HDR_GSO_ECN,
	       "an sk_buff says it in virtio's words");

bool virtio_net_fill(struct virtio_net *vnet)
{
	return vnet->merged ? virtio_net_fill_merged(vnet) : virtio_net_fill_whole(vnet);
}

void virtio_net_free_buffers(struct virtio_net *vnet)
{
	void *buffer;

	while ((buffer = virtqueue_detach(vnet->receive))) {
		if (vnet->merged)
			page_put(buffer);
		else
			skb_free(buffer);
	}
	virtio_net_free_spare_pages(vnet);
}

uint32_t virtio_net_describe_buffer(const struct virtio_net *vnet, phys_addr_t address,
				    uint32_t length, struct virtqueue_segment segments[2])
{
	struct virtqueue_segment whole = {address, length};

	segments[0] = whole;
	if (!vnet->header_apart)
		return 1;
	segments[0].length = vnet->header_length;
	segments[1].address = address + vnet->header_length;
	segments[1].length = length - vnet->header_length;
	return 2;
}

size_t virtio_net_padding(const struct virtio_net *vnet)
{
	return -(size_t)(vnet->header_length + ETHERNET_HEADER_LENGTH) % 4;
}

/* The checksum field must lie behind the link header and within the frame (5.1.6.4.2). */
static bool checksum_place_is_sound(const struct sk_buff *skb,
				    const struct virtio_net_header *header)
{
	return header->csum_start >= ETHERNET_HEADER_LENGTH &&
	       (uint32_t)header->csum_start + header->csum_offset + 2 <= skb->len &&
	       skb_headroom(skb) + header->csum_start <= UINT16_MAX;
}

static bool apply_checksum(const struct virtio_net *vnet, struct sk_buff *skb,
			   const struct virtio_net_header *header)
{
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

/* May the device say this of a frame, after what was negotiated? */
static bool may_be_large(const struct virtio_net *vnet, const struct virtio_net_header *header)
{
	if ((header->gso_type & VIRTIO_NET_HDR_GSO_ECN) &&
	    !virtio_has(vnet->device, VIRTIO_NET_F_GUEST_ECN))
		return false;
	return virtio_has(vnet->device, VIRTIO_NET_F_GUEST_TSO4) &&
	       (header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV4;
}

/*
 * A frame that was several. The checksum of none of them is in it, so the device must vouch for
 * all (5.1.6.4.1). header_length is a hint that nothing here relies on, but a lie is a lie.
 */
static bool apply_segmentation(const struct virtio_net *vnet, struct sk_buff *skb,
			       const struct virtio_net_header *header)
{
	if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return true;
	if (!may_be_large(vnet, header) || skb->checksum == SKB_CHECKSUM_NONE ||
	    header->header_length > skb->len || !skb_may_pull(skb, ETHERNET_HEADER_LENGTH) ||
	    get_be16(skb->data + 2 * MAC_LENGTH) != ETHERTYPE_IP4)
		return false;
	skb->gso_size = header->gso_size;
	skb->gso_type = header->gso_type;
	return skb_check_segmentable(skb, ETHERNET_HEADER_LENGTH) == 0;
}

void virtio_net_refuse_buffer(struct virtio_net *vnet, enum drop_reason reason)
{
	vnet->dev.statistics.rx_errors++;
	skb_count_drop(vnet->net, reason);
}

/* False when nothing was used. */
static bool receive_frame(struct virtio_net *vnet) NEEDS_NET_LOCK
{
	struct virtio_net_header header = {.num_buffers = 1};
	uint32_t length;
	void *buffer = virtqueue_take(vnet->receive, &length);

	if (!buffer)
		return false;
	struct sk_buff *skb = vnet->merged ? virtio_net_merged_frame(vnet, buffer, length, &header)
					   : virtio_net_whole_frame(vnet, buffer, length, &header);

	if (!skb)
		return true;
	if (!apply_checksum(vnet, skb, &header) || !apply_segmentation(vnet, skb, &header)) {
		vnet->dev.statistics.rx_errors++;
		skb_drop(skb, DROP_RX_DEVICE_ERROR);
		return true;
	}
	netif_receive(&vnet->dev, skb);
	return true;
}

uint32_t virtio_net_receive(struct virtio_net *vnet, uint32_t budget)
{
	uint32_t received = 0;

	while (received < budget && receive_frame(vnet))
		received++;
	return received;
}
