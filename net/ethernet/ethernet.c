/* Ethernet II: framing in and out. See ethernet.h. */
#include "net/ethernet/ethernet.h"

#include "include/uapi/if_arp.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/procfs/procfs.h"
#include "kernel/string.h"
#include "net/ethernet/arp.h"
#include "net/ethernet/ethernet_private.h"

struct ethernet_header { /* on the wire */
	struct mac destination, source;
	be16 type;
} __packed;
_Static_assert(sizeof(struct ethernet_header) == ETHERNET_HEADER_LENGTH, "no padding");

/* Whose frame is this? */
static enum skb_packet_type classify(const struct net_device *dev, struct mac destination)
{
	if (likely(mac_equal(destination, dev->mac)))
		return SKB_HOST;
	if (!mac_is_multicast(destination))
		return SKB_OTHERHOST;
	return mac_equal(destination, dev->broadcast) ? SKB_BROADCAST : SKB_MULTICAST;
}

/*
 * The destination filter: some devices, and all in promiscuous mode, deliver more than was asked
 * for.
 */
static bool wanted(const struct net_device *dev, const struct sk_buff *skb,
		   struct mac destination) NEEDS_NET_LOCK
{
	switch (skb->packet_type) {
	case SKB_OTHERHOST:
		return false;
	case SKB_MULTICAST:
		return (dev->flags & (IFF_ALLMULTI | IFF_PROMISC)) ||
		       netdev_multicast_wanted(dev, destination);
	default:
		return true;
	}
}

/* What the header says against the frame; DROP_NONE when the frame may go on. */
static enum drop_reason check(const struct net_device *dev, const struct sk_buff *skb,
			      const struct ethernet_header *header) NEEDS_NET_LOCK
{
	if (mac_is_multicast(header->source))
		return DROP_ETH_BAD_SOURCE;
	if (skb->len > dev->mtu + ETHERNET_HEADER_LENGTH && !skb->gso_size)
		return DROP_FRAME_TOO_LONG;
	if (!wanted(dev, skb, header->destination))
		return DROP_ETH_OTHER_HOST;
	if (skb->protocol == ETHERTYPE_VLAN)
		return DROP_ETH_VLAN;
	if (skb->protocol < ETHERTYPE_MIN)
		return DROP_ETH_LENGTH;
	return DROP_NONE;
}

static void ethernet_receive(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (!skb_may_pull(skb, ETHERNET_HEADER_LENGTH)) {
		dev->statistics.rx_frame++;
		skb_drop(skb, DROP_ETH_SHORT);
		return;
	}
	const struct ethernet_header *header = (const void *)skb->data;

	skb_mark_link_header(skb);
	skb->protocol = be16_to_cpu(header->type);
	skb->packet_type = (uint8_t)classify(dev, header->destination);
	if (skb->packet_type == SKB_MULTICAST)
		dev->statistics.rx_multicast++;
	if (unlikely(!list_empty(&dev->net->taps)))
		netdev_show_taps(dev, skb, false);

	enum drop_reason reason = check(dev, skb, header);

	if (unlikely(reason != DROP_NONE)) {
		skb_drop(skb, reason);
		return;
	}
	skb_pull(skb, ETHERNET_HEADER_LENGTH);
	link_deliver(dev, skb);
}

static int ethernet_push_header(struct net_device *dev, struct sk_buff *skb, uint16_t protocol,
				struct mac destination)
{
	if (skb_ensure_headroom(skb, ETHERNET_HEADER_LENGTH))
		return -ENOMEM;
	struct ethernet_header *header = skb_push(skb, ETHERNET_HEADER_LENGTH);

	header->destination = destination;
	header->source = dev->mac;
	header->type = cpu_to_be16(protocol);
	skb->protocol = protocol;
	skb_mark_link_header(skb);
	return 0;
}

void ethernet_send(struct net_device *dev, struct sk_buff *skb, struct mac destination,
		   uint16_t ethertype)
{
	if (ethernet_push_header(dev, skb, ethertype, destination)) {
		dev->statistics.tx_dropped++;
		skb_drop(skb, DROP_NO_MEMORY);
		return;
	}
	dev_xmit(dev, skb);
}

static void device_changed(struct device_notifier *notifier __unused, struct net_device *dev,
			   enum device_event event) NEEDS_NET_LOCK
{
	switch (event) {
	case DEVICE_GONE:
		arp_forget_device(dev);
		return;
	case DEVICE_DOWN_EVENT:
	case DEVICE_MAC:
		arp_flush(dev);
		return;
	case DEVICE_CARRIER:
		if (!dev->carrier)
			arp_flush(dev);
		return;
	default:
		return;
	}
}

int ethernet_init(struct net *net)
{
	struct ethernet *ethernet = kzalloc(sizeof(*ethernet));

	if (!ethernet)
		return -ENOMEM;
	arp_table_init(&ethernet->arp, net);
	net->state[NET_STATE_ETHERNET] = ethernet;
	ethernet->link_type = (struct link_type){
		.type = ARPHRD_ETHER,
		.receive = ethernet_receive,
		.push_header = ethernet_push_header,
	};
	ethernet->arp_protocol = (struct link_protocol){.ethertype = ETHERTYPE_ARP,
							.receive = arp_receive};
	ethernet->notifier.changed = device_changed;
	link_type_register(net, &ethernet->link_type);
	link_protocol_register(net, &ethernet->arp_protocol);
	device_notifier_register(net, &ethernet->notifier);
	return 0;
}

void ethernet_destroy(struct net *net)
{
	struct ethernet *ethernet = ethernet_of(net);

	net_lock(net);
	arp_table_clear(&ethernet->arp);
	link_type_unregister(net, &ethernet->link_type);
	list_remove(&ethernet->arp_protocol.link);
	list_remove(&ethernet->notifier.link);
	net_unlock(net);
	net->state[NET_STATE_ETHERNET] = NULL;
	kfree(ethernet);
}

static void show_arp(struct text *text, void *context)
{
	arp_show(context, text);
}

int ethernet_proc_init(struct net *net)
{
	return proc_register("net/arp", show_arp, net);
}
