/* Frames that come and go. See stack.h. */
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "net/core/segment.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/ipv4_wire.h"
#include "test/host/fuzz/stack/packet.h"
#include "test/host/fuzz/stack/stack.h"

#include "include/uapi/icmp.h"
#include "include/uapi/in.h"

#define DEVICE_MTU_MAX 65535
#define PAGE_BYTES_MAX 4096

static uint32_t index_of(const struct bench *bench, const struct net_device *dev)
{
	return (uint32_t)(dev - bench->wires);
}

/* The last check's replies. */
static void count_reply(struct bench *bench, const uint8_t *frame, size_t length)
{
	const uint8_t *packet = frame + ETHERNET_HEADER_LENGTH;
	uint16_t ethertype = get_be16(frame + 12);

	if (!bench->answering)
		return;
	if (ethertype == ETHERTYPE_ARP && get_be16(packet + 6) == ARP_REPLY)
		bench->arp_replies++;
	if (ethertype == ETHERTYPE_IP4 && length >= 42 && packet[9] == IPPROTO_ICMP &&
	    packet[20] == ICMP_ECHOREPLY)
		bench->echo_replies++;
}

/* Whatever was done to the stack, what it sends of its own is sound. */
static void check_frame(struct bench *bench, const struct net_device *dev, const uint8_t *frame,
			size_t length)
{
	const uint8_t *packet = frame + ETHERNET_HEADER_LENGTH;
	uint16_t ethertype = length >= ETHERNET_HEADER_LENGTH ? get_be16(frame + 12) : 0;
	struct ip4_header ip;
	struct arp_packet arp;

	if (bench->foreign_headers)
		return;
	CHECK(dev->flags & IFF_UP);
	CHECK(length >= ETHERNET_HEADER_LENGTH);
	CHECK(memcmp(frame + MAC_LENGTH, dev->mac.bytes, MAC_LENGTH) == 0);
	length -= ETHERNET_HEADER_LENGTH;
	if (ethertype == ETHERTYPE_ARP) {
		CHECK(arp_parse(packet, length, &arp) == DROP_NONE);
		return;
	}
	CHECK(ethertype == ETHERTYPE_IP4);
	CHECK(ip4_parse(packet, length, length, &ip) == DROP_NONE);
	CHECK(ip.total_length == length && ip.ttl > 0);
	CHECK(checksums_are_right(packet, length, !bench->foreign_payload));
}

/* A packet that the device is to cut. */
static void check_large(const struct net_device *dev, struct sk_buff *skb)
{
	int error = skb_check_segmentable(skb, ETHERNET_HEADER_LENGTH);

	CHECK(dev->features & NETDEV_TSO4);
	CHECK(skb->checksum == SKB_CHECKSUM_PARTIAL && skb->gso_size >= GSO_SIZE_MIN);
	CHECK(error == 0 || error == -ENOMEM);
}

static void keep(struct bench *bench, uint32_t wire, const struct sk_buff *skb)
{
	struct sent_frame *sent = &bench->sent[bench->sent_count++ % SENT_KEPT];

	sent->wire = wire;
	sent->length = MIN(skb->len, (uint32_t)SENT_BYTES);
	skb_copy_bits(skb, 0, sent->bytes, sent->length);
}

static void wire_xmit(struct net_device *dev, struct sk_buff *skb)
{
	static uint8_t frame[FRAME_MAX + 64];
	struct bench *bench = dev->driver;
	uint32_t length = skb->len;

	bench_count_work(bench);
	CHECK(length <= sizeof(frame));
	CHECK(bench->foreign_headers || skb->gso_size ||
	      length <= dev->mtu + ETHERNET_HEADER_LENGTH);
	if (!skb->gso_size && skb->checksum == SKB_CHECKSUM_PARTIAL && skb_checksum_complete(skb)) {
		skb_free(skb); /* no memory: as if it had been lost */
		return;
	}
	skb_copy_bits(skb, 0, frame, length);
	if (skb->gso_size)
		check_large(dev, skb);
	else
		check_frame(bench, dev, frame, length);
	if (length >= ETHERNET_HEADER_LENGTH)
		count_reply(bench, frame, length);
	keep(bench, index_of(bench, dev), skb);
	dev->statistics.tx_packets++;
	dev->statistics.tx_bytes += length;
	skb_free(skb);
}

/* Wire 1 is told once for a batch, completes checksums itself, and cuts large packets. */
static void wire_flush(struct net_device *dev)
{
	bench_count_work(dev->driver);
}

static const struct net_device_ops wire_ops[WIRES] = {
	{.xmit = wire_xmit}, {.xmit = wire_xmit, .xmit_flush = wire_flush}};

void wire_create(struct bench *bench, uint32_t wire)
{
	struct net_device *dev = &bench->wires[wire];

	memset(dev, 0, sizeof(*dev));
	netdev_init_ethernet(dev, OUR_MAC[wire], &wire_ops[wire], bench);
	dev->max_mtu = DEVICE_MTU_MAX;
	if (wire == 1)
		dev->features |= NETDEV_CHECKSUM_OFFLOAD | NETDEV_TSO4 | NETDEV_TSO_ECN;
	CHECK(netdev_register(&bench->net, dev, "eth%d") == 0);
}

/* All but the first bytes go into a page, as a driver with large buffers has them. */
static struct sk_buff *split(struct bench *bench, const uint8_t *frame, size_t length,
			     size_t linear)
{
	size_t rest = length - linear;
	struct sk_buff *skb = skb_alloc(&bench->net, linear);
	struct page *page = skb ? page_alloc() : NULL;

	if (!page) {
		if (skb)
			skb_free(skb);
		return NULL;
	}
	memcpy(skb_put(skb, linear), frame, linear);
	memcpy((uint8_t *)page_address(page) + PAGE_BYTES_MAX - rest, frame + linear, rest);
	CHECK(skb_add_fragment(skb, page, (uint32_t)(PAGE_BYTES_MAX - rest), (uint32_t)rest) == 0);
	return skb;
}

static struct sk_buff *copy(struct bench *bench, const uint8_t *frame, size_t length)
{
	struct sk_buff *skb = skb_alloc(&bench->net, length);

	if (skb && length)
		memcpy(skb_put(skb, length), frame, length);
	return skb;
}

/* What a driver may say of a frame: the field of a checksum to be completed lies within it. */
static void describe_checksum(struct sk_buff *skb, uint16_t how)
{
	if ((how & FINISH_CHECKSUM) == FINISH_VERIFIED)
		skb->checksum = SKB_CHECKSUM_VERIFIED;
	if ((how & FINISH_CHECKSUM) != FINISH_PARTIAL || skb_linear_len(skb) < 42 ||
	    (skb->data[23] != IPPROTO_UDP && skb->data[23] != IPPROTO_TCP))
		return;
	size_t offset = skb->data[23] == IPPROTO_UDP ? 6 : 16;

	if (34 + offset + 2 > skb->len)
		return;
	skb->checksum = SKB_CHECKSUM_PARTIAL;
	skb->csum_start = (uint16_t)(skb_headroom(skb) + 34);
	skb->csum_offset = (uint16_t)offset;
}

/* What a driver does with a frame that was several, or is said to be. False: it is refused. */
static bool describe_segments(struct bench *bench, struct sk_buff *skb, uint16_t how)
{
	if (!(how & FINISH_LARGE))
		return true;
	skb->gso_size = (uint16_t)(GSO_SIZE_MIN + read_u8(bench) * 8);
	skb->gso_type = how & FINISH_ECN ? SKB_GSO_TCP4 | SKB_GSO_ECN : SKB_GSO_TCP4;
	return skb->checksum != SKB_CHECKSUM_NONE && skb_may_pull(skb, ETHERNET_HEADER_LENGTH) &&
	       get_be16(skb->data + 2 * MAC_LENGTH) == ETHERTYPE_IP4 &&
	       skb_check_segmentable(skb, ETHERNET_HEADER_LENGTH) == 0;
}

void wire_deliver(struct bench *bench, uint32_t wire, const uint8_t *frame, size_t length,
		  uint16_t how)
{
	struct net_device *dev = &bench->wires[wire];
	size_t linear = length;
	struct sk_buff *skb;

	if (how & FINISH_PAGE) {
		size_t least = length > PAGE_BYTES_MAX ? length - PAGE_BYTES_MAX : 0;

		linear = read_u8(bench);
		linear = CLAMP(linear, least, length);
	}
	skb = linear < length ? split(bench, frame, length, linear) : copy(bench, frame, length);
	if (!skb)
		return;
	describe_checksum(skb, how);
	if (!describe_segments(bench, skb, how)) {
		skb_free(skb);
		return;
	}
	skb->dev = dev;
	net_lock(&bench->net);
	netif_receive(dev, skb);
	net_unlock(&bench->net);
	bench_run(bench);
}

const struct sent_frame *wire_sent(const struct bench *bench, uint32_t back)
{
	if (back >= SENT_KEPT || back >= bench->sent_count)
		return NULL;
	return &bench->sent[(bench->sent_count - 1 - back) % SENT_KEPT];
}
