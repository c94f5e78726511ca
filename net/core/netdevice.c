/* Interfaces: their registration and state, and the two doors. See netdevice.h. */
#include "net/core/netdevice.h"

#include "include/uapi/if_arp.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/core/segment.h"

#define ETHERNET_MTU 1500
#define ETHERNET_MTU_MIN 68 /* RFC 791: every IPv4 link carries this much */
#define ETHERNET_HEADER 14
#define DEVICES_PER_PATTERN 1000
#define QUEUE_LENGTH 1000 /* what Linux tells of an Ethernet device and of lo */

void netdev_init_ethernet(struct net_device *dev, struct mac mac, const struct net_device_ops *ops,
			  void *driver)
{
	memset(dev, 0, sizeof(*dev));
	dev->type = ARPHRD_ETHER;
	dev->flags = IFF_BROADCAST | IFF_MULTICAST;
	dev->mtu = dev->max_mtu = ETHERNET_MTU;
	dev->min_mtu = ETHERNET_MTU_MIN;
	dev->mac = mac;
	dev->broadcast = MAC_BROADCAST;
	dev->link_header_length = ETHERNET_HEADER;
	dev->carrier = true;
	dev->ops = ops;
	dev->driver = driver;
}

struct net_device *netdev_by_index(struct net *net, int ifindex)
{
	struct net_device *dev;

	list_for_each_entry(dev, &net->devices, link) {
		if (dev->ifindex == ifindex)
			return dev;
	}
	return NULL;
}

struct net_device *netdev_by_name(struct net *net, const char *name)
{
	struct net_device *dev;

	list_for_each_entry(dev, &net->devices, link) {
		if (strncmp(dev->name, name, IFNAMSIZ) == 0)
			return dev;
	}
	return NULL;
}

/* Writes the name, with %d as the lowest free number. 0 or -EEXIST. */
static int choose_name(struct net *net, struct net_device *dev, const char *pattern) NEEDS_NET_LOCK
{
	const char *number = strchr(pattern, '%');
	char name[IFNAMSIZ];

	if (!number) {
		strscpy(dev->name, pattern, sizeof(dev->name));
		return netdev_by_name(net, pattern) ? -EEXIST : 0;
	}
	for (int i = 0; i < DEVICES_PER_PATTERN; i++) {
		snprintf(name, sizeof(name), "%.*s%d", (int)(number - pattern), pattern, i);
		if (!netdev_by_name(net, name)) {
			strscpy(dev->name, name, sizeof(dev->name));
			return 0;
		}
	}
	return -EEXIST;
}

static struct link_type *find_link_type(struct net *net, uint16_t type)
{
	struct link_type *link_type;

	list_for_each_entry(link_type, &net->link_types, link) {
		if (link_type->type == type)
			return link_type;
	}
	return NULL;
}

void netdev_notify(struct net_device *dev, enum device_event event)
{
	struct device_notifier *notifier, *next;

	list_for_each_entry_safe(notifier, next, &dev->net->device_notifiers, link)
		notifier->changed(notifier, dev, event);
}

int netdev_register(struct net *net, struct net_device *dev, const char *name)
{
	net_lock(net);
	int error = choose_name(net, dev, name);

	if (!error) {
		dev->net = net;
		dev->ifindex = net->next_ifindex++;
		dev->tx_queue_length = QUEUE_LENGTH;
		dev->link_type = find_link_type(net, dev->type);
		list_init(&dev->multicast);
		list_init(&dev->unflushed);
		list_append(&net->devices, &dev->link);
		netdev_notify(dev, DEVICE_NEW);
	}
	net_unlock(net);
	return error;
}

void netdev_unregister(struct net_device *dev)
{
	struct net *net = dev->net;

	net_lock(net);
	netdev_down(dev);
	netdev_notify(dev, DEVICE_GONE);
	netdev_multicast_forget_all(dev);
	list_remove(&dev->unflushed);
	list_remove(&dev->link);
	net_unlock(net);
}

int netdev_up(struct net_device *dev)
{
	if (dev->flags & IFF_UP)
		return 0;
	int error = dev->ops->open ? dev->ops->open(dev) : 0;

	if (error)
		return error;
	dev->flags |= IFF_UP;
	netdev_notify(dev, DEVICE_UP);
	return 0;
}

void netdev_down(struct net_device *dev)
{
	if (!(dev->flags & IFF_UP))
		return;
	dev->flags &= ~(uint32_t)IFF_UP;
	if (dev->ops->stop)
		dev->ops->stop(dev);
	netdev_notify(dev, DEVICE_DOWN_EVENT);
}

void netdev_set_carrier(struct net_device *dev, bool carrier)
{
	if (dev->carrier == carrier)
		return;
	dev->carrier = carrier;
	netdev_notify(dev, DEVICE_CARRIER);
}

int netdev_set_mtu(struct net_device *dev, uint32_t mtu)
{
	if (mtu < dev->min_mtu || mtu > dev->max_mtu)
		return -EINVAL;
	int error = dev->ops->change_mtu ? dev->ops->change_mtu(dev, mtu) : 0;

	if (error)
		return error;
	dev->mtu = mtu;
	netdev_notify(dev, DEVICE_MTU);
	return 0;
}

int netdev_set_mac(struct net_device *dev, struct mac mac)
{
	if (dev->type != ARPHRD_ETHER)
		return -EOPNOTSUPP;
	if (mac_is_multicast(mac) || mac_equal(mac, MAC_ZERO))
		return -EADDRNOTAVAIL;
	dev->mac = mac;
	if (dev->ops->set_rx_mode && (dev->flags & IFF_UP))
		dev->ops->set_rx_mode(dev);
	netdev_notify(dev, DEVICE_MAC);
	return 0;
}

void netdev_set_queue_length(struct net_device *dev, uint32_t packets)
{
	if (dev->tx_queue_length == packets)
		return;
	dev->tx_queue_length = packets;
	netdev_notify(dev, DEVICE_DETAIL);
}

uint32_t netdev_flags(const struct net_device *dev)
{
	uint32_t flags = dev->flags;

	if (dev->carrier && (flags & IFF_UP))
		flags |= IFF_RUNNING | IFF_LOWER_UP;
	return flags;
}

void device_notifier_register(struct net *net, struct device_notifier *notifier)
{
	list_append(&net->device_notifiers, &notifier->link);
}

void link_protocol_register(struct net *net, struct link_protocol *protocol)
{
	list_append(&net->link_protocols, &protocol->link);
}

static void set_link_type(struct net *net, uint16_t type, struct link_type *link_type)
{
	struct net_device *dev;

	list_for_each_entry(dev, &net->devices, link) {
		if (dev->type == type)
			dev->link_type = link_type;
	}
}

void link_type_register(struct net *net, struct link_type *type)
{
	list_append(&net->link_types, &type->link);
	set_link_type(net, type->type, type);
}

void link_type_unregister(struct net *net, struct link_type *type)
{
	list_remove(&type->link);
	set_link_type(net, type->type, NULL);
}

void netdev_show_taps(struct net_device *dev, const struct sk_buff *skb, bool outgoing)
{
	struct packet_tap *tap;

	list_for_each_entry(tap, &dev->net->taps, link)
		tap->frame(tap, dev, skb, outgoing);
}

void netif_receive(struct net_device *dev, struct sk_buff *skb)
{
	dev->statistics.rx_packets++;
	dev->statistics.rx_bytes += skb->len;
	skb->dev = dev;
	if (unlikely(!(dev->flags & IFF_UP))) {
		skb_drop(skb, DROP_DEVICE_DOWN);
		return;
	}
	if (unlikely(!dev->link_type)) {
		skb_drop(skb, DROP_ETH_UNKNOWN_TYPE);
		return;
	}
	skb->time_us = dev->net->timestamp_users ? net_now(dev->net) : 0;
	dev->link_type->receive(dev, skb);
}

void link_deliver(struct net_device *dev, struct sk_buff *skb)
{
	struct link_protocol *protocol;

	list_for_each_entry(protocol, &dev->net->link_protocols, link) {
		if (protocol->ethertype == skb->protocol) {
			protocol->receive(dev, skb);
			return;
		}
	}
	skb_drop(skb, DROP_ETH_UNKNOWN_TYPE);
}

static void refuse_transmit(struct net_device *dev, struct sk_buff *skb, enum drop_reason reason)
{
	dev->statistics.tx_dropped++;
	skb_drop(skb, reason);
}

/* -EINVAL: a received packet is not what its device said of it. */
static enum drop_reason transmit_refusal(int error)
{
	return error == -EINVAL ? DROP_RX_DEVICE_ERROR : DROP_NO_MEMORY;
}

/* One frame that the device can send as it is, but for its checksum. */
static void transmit(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (skb->checksum == SKB_CHECKSUM_PARTIAL && !(dev->features & NETDEV_CHECKSUM_OFFLOAD)) {
		int error = skb_checksum_complete(skb);

		if (error) {
			refuse_transmit(dev, skb, transmit_refusal(error));
			return;
		}
	}
	if (unlikely(!list_empty(&dev->net->taps)))
		netdev_show_taps(dev, skb, true);
	if (dev->ops->xmit_flush && list_empty(&dev->unflushed))
		list_append(&dev->net->unflushed, &dev->unflushed);
	dev->ops->xmit(dev, skb);
}

static bool must_segment(const struct net_device *dev, const struct sk_buff *skb)
{
	uint32_t needed = skb->gso_type & SKB_GSO_ECN ? NETDEV_TSO_ECN : 0;

	needed |= (skb->gso_type & ~SKB_GSO_ECN) == SKB_GSO_TCP6 ? NETDEV_TSO6 : NETDEV_TSO4;
	return (dev->features & needed) != needed || skb->checksum != SKB_CHECKSUM_PARTIAL;
}

static void transmit_segments(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct skb_queue segments;
	struct sk_buff *segment;
	int error = skb_segment(skb, &segments);

	if (error)
		refuse_transmit(dev, skb, transmit_refusal(error));
	while ((segment = skb_queue_take(&segments)))
		transmit(dev, segment);
}

void dev_xmit(struct net_device *dev, struct sk_buff *skb)
{
	skb->dev = dev;
	if (unlikely(!(dev->flags & IFF_UP)))
		refuse_transmit(dev, skb, DROP_DEVICE_DOWN);
	else if (unlikely(skb->gso_size && must_segment(dev, skb)))
		transmit_segments(dev, skb);
	else
		transmit(dev, skb);
}

void dev_flush_all(struct net *net)
{
	while (!list_empty(&net->unflushed)) {
		struct net_device *dev = list_first_entry(&net->unflushed, struct net_device,
							  unflushed);

		list_remove(&dev->unflushed);
		dev->ops->xmit_flush(dev);
	}
}
