/*
 * What was agreed on with the device, and what follows from it: features, offloads, MTU, the layout
 * of buffers, address, link (VIRTIO 1.2 sections 5.1.3 and 5.1.4).
 */
#include "drivers/virtio/virtio_net.h"

#include "kernel/printk.h"
#include "kernel/string.h"
#include "net/ethernet/ethernet.h"

/*
 * Of a buffer for a whole frame, unless the MTU wants more: with its sk_buff, a size of kmalloc's.
 */
#define BUFFER_SIZE (2048 - (uint32_t)sizeof(struct sk_buff))
#define MTU_MIN 68 /* RFC 791; a device that offers less is not believed */
#define MTU_USUAL 1500
#define MTU_MAX 65535
#define MTU_MAX_UNMERGED 9216 /* without MRG_RXBUF, each buffer must hold a whole frame */

#define FEATURES_WANTED                                                                           \
	(VIRTIO_F_ANY_LAYOUT | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_NET_F_CSUM |  \
	 VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_MTU | VIRTIO_NET_F_MAC | VIRTIO_NET_F_MRG_RXBUF | \
	 VIRTIO_NET_F_STATUS | VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX |                      \
	 VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_ECN | VIRTIO_NET_F_GUEST_TSO4 |               \
	 VIRTIO_NET_F_GUEST_ECN)

/* 5.1.3.1: a feature, and the one without which it may not be accepted. In this order. */
static const struct {
	uint64_t feature, needs;
} requirements[] = {
	{VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_CSUM},
	{VIRTIO_NET_F_HOST_ECN, VIRTIO_NET_F_HOST_TSO4},
	{VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_CSUM},
	{VIRTIO_NET_F_GUEST_ECN, VIRTIO_NET_F_GUEST_TSO4},
	{VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_F_CTRL_VQ},
	{VIRTIO_NET_F_CTRL_VQ, VIRTIO_NET_F_CTRL_RX}, /* we have no other use for it */
};

static const struct {
	uint64_t bit;
	const char *name;
} feature_names[] = {
	{VIRTIO_NET_F_CSUM, "csum"},
	{VIRTIO_NET_F_GUEST_CSUM, "guest_csum"},
	{VIRTIO_NET_F_MTU, "mtu"},
	{VIRTIO_NET_F_MAC, "mac"},
	{VIRTIO_NET_F_GUEST_TSO4, "guest_tso4"},
	{VIRTIO_NET_F_GUEST_ECN, "guest_ecn"},
	{VIRTIO_NET_F_HOST_TSO4, "host_tso4"},
	{VIRTIO_NET_F_HOST_ECN, "host_ecn"},
	{VIRTIO_NET_F_MRG_RXBUF, "mrg_rxbuf"},
	{VIRTIO_NET_F_STATUS, "status"},
	{VIRTIO_NET_F_CTRL_VQ, "ctrl_vq"},
	{VIRTIO_NET_F_CTRL_RX, "ctrl_rx"},
	{VIRTIO_F_ANY_LAYOUT, "any_layout"},
	{VIRTIO_F_INDIRECT_DESC, "indirect_desc"},
	{VIRTIO_F_EVENT_IDX, "event_idx"},
	{VIRTIO_F_VERSION_1, "version_1"},
};

/* Configuration */

static uint16_t config_read16(struct virtio_net *vnet, uint32_t offset)
{
	uint16_t value = 0;

	virtio_config_read(vnet->device, offset, sizeof(value), &value, 1);
	return value;
}

/* Is the MTU in the configuration one that we can keep to? Otherwise the feature is declined. */
static bool mtu_is_usable(struct virtio_net *vnet, uint64_t offered)
{
	uint32_t mtu = config_read16(vnet, offsetof(struct virtio_net_config, mtu));
	uint32_t max = offered & VIRTIO_NET_F_MRG_RXBUF ? MTU_MAX : MTU_MAX_UNMERGED;

	if (mtu >= MTU_MIN && mtu <= max)
		return true;
	printk("virtio: %s: MTU %u ignored\n", vnet->device->name, mtu);
	return false;
}

/* Where nothing is merged, large frames need long chains: can the receive queue hold one? */
static bool large_buffers_fit(struct virtio_net *vnet, uint64_t offered)
{
	return (offered & VIRTIO_NET_F_MRG_RXBUF) ||
	       vnet->device->transport->queue_size(vnet->device, VIRTIO_NET_QUEUE_RX) >=
		       VIRTIO_NET_WHOLE_SEGMENTS;
}

int virtio_net_negotiate(struct virtio_net *vnet)
{
	uint64_t offered = vnet->device->transport->device_features(vnet->device);
	uint64_t wanted = FEATURES_WANTED;

	if ((offered & VIRTIO_NET_F_MTU) && !mtu_is_usable(vnet, offered))
		wanted &= ~VIRTIO_NET_F_MTU;
	if (!large_buffers_fit(vnet, offered))
		wanted &= ~VIRTIO_NET_F_GUEST_TSO4;
	for (size_t i = 0; i < ARRAY_SIZE(requirements); i++)
		if (!(offered & wanted & requirements[i].needs))
			wanted &= ~requirements[i].feature;
	return virtio_negotiate(vnet->device, wanted);
}

static const struct {
	uint64_t feature;
	uint32_t offload; /* NETDEV_* */
} offloads[] = {
	{VIRTIO_NET_F_CSUM, NETDEV_CHECKSUM_OFFLOAD},
	{VIRTIO_NET_F_HOST_TSO4, NETDEV_TSO4},
	{VIRTIO_NET_F_HOST_ECN, NETDEV_TSO_ECN},
};

static void choose_offloads(struct virtio_net *vnet)
{
	vnet->dev.features = 0;
	for (size_t i = 0; i < ARRAY_SIZE(offloads); i++)
		if (virtio_has(vnet->device, offloads[i].feature))
			vnet->dev.features |= offloads[i].offload;
	/* A large packet may have all the fragments that there are. */
	if (!virtqueue_can_hold(vnet->transmit, 1u + vnet->header_apart + SKB_MAX_FRAGMENTS))
		vnet->dev.features &= ~NETDEV_TSO4;
}

/* The longest that the device takes. What the interface has stays, as far as it can. */
static void choose_mtu(struct virtio_net *vnet)
{
	struct virtio_device *device = vnet->device;
	struct net_device *dev = &vnet->dev;
	bool merged = virtio_has(device, VIRTIO_NET_F_MRG_RXBUF);

	dev->max_mtu = merged ? MTU_MAX : MTU_USUAL;
	if (virtio_has(device, VIRTIO_NET_F_MTU)) {
		uint32_t mtu = config_read16(vnet, offsetof(struct virtio_net_config, mtu));

		/* It was sound when it was negotiated; a device may have changed it since. */
		dev->max_mtu = CLAMP(mtu, MTU_MIN, merged ? MTU_MAX : MTU_MAX_UNMERGED);
	}
	dev->mtu = MIN(dev->mtu, dev->max_mtu);
}

/*
 * How a buffer is laid out follows from what was negotiated: 5.1.6; legacy: 5.1.6.1 and 2.7.4.3.
 */
static void choose_layout(struct virtio_net *vnet)
{
	struct virtio_device *device = vnet->device;

	vnet->merged = virtio_has(device, VIRTIO_NET_F_MRG_RXBUF);
	vnet->header_length = device->legacy && !vnet->merged ? VIRTIO_NET_HEADER_LENGTH_LEGACY
							      : VIRTIO_NET_HEADER_LENGTH;
	vnet->header_apart = device->legacy && !virtio_has(device, VIRTIO_F_ANY_LAYOUT);

	uint32_t longest = vnet->header_length + ETHERNET_HEADER_LENGTH + vnet->dev.max_mtu;

	/* The alignment of the IP header takes up to three bytes of what is allocated. */
	vnet->buffer_length = MAX(BUFFER_SIZE - 4, longest);
	vnet->buffer_order = virtio_net_choose_buffer_order();
}

void virtio_net_configure(struct virtio_net *vnet)
{
	choose_mtu(vnet);
	choose_layout(vnet);
	choose_offloads(vnet);
}

static struct mac random_mac(struct net *net)
{
	struct mac mac;

	net_random_bytes(net, mac.bytes, sizeof(mac.bytes));
	mac.bytes[0] = (mac.bytes[0] & 0xfc) | 2; /* locally administered, not multicast */
	return mac;
}

struct mac virtio_net_mac(struct virtio_net *vnet)
{
	struct mac mac;

	if (!virtio_has(vnet->device, VIRTIO_NET_F_MAC))
		return random_mac(vnet->net);
	virtio_config_read(vnet->device, offsetof(struct virtio_net_config, mac), 1, mac.bytes,
			   sizeof(mac.bytes));
	if (!mac_is_multicast(mac) && !mac_equal(mac, MAC_ZERO))
		return mac;
	printk("virtio: %s: address " MAC_FORMAT " ignored\n", vnet->device->name, MAC_ARGS(mac));
	return random_mac(vnet->net);
}

bool virtio_net_link_is_up(struct virtio_net *vnet)
{
	if (!virtio_has(vnet->device, VIRTIO_NET_F_STATUS))
		return true;
	return config_read16(vnet, offsetof(struct virtio_net_config, status)) &
	       VIRTIO_NET_S_LINK_UP;
}

void virtio_net_feature_names(const struct virtio_net *vnet, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(feature_names); i++)
		if (virtio_has(vnet->device, feature_names[i].bit) && used < size)
			used += (size_t)snprintf(text + used, size - used, " %s",
						 feature_names[i].name);
}
