/*
 * lo: a device whose frames come back. A frame is a bare network packet without link header. It
 * waits in a bounded queue for the softirq, so that a sender never runs into its own receive path.
 */
#include "include/uapi/if_arp.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "net/core/netdevice.h"

#define LOOPBACK_MTU 65536
#define LOOPBACK_MTU_MIN 68 /* RFC 791: with less, a packet could not be cut to fit */
#define BACKLOG_PACKETS_MAX 1000
#define BACKLOG_BYTES_MAX (2u << 20) /* of truesize */

struct loopback {
	struct net_device dev;
	struct link_type link_type;
};

static int loopback_open(struct net_device *dev __unused)
{
	return 0;
}

static void loopback_stop(struct net_device *dev)
{
	skb_queue_drop_all(&dev->net->backlog, DROP_DEVICE_DOWN);
}

static bool backlog_full(const struct net *net)
{
	return net->backlog.length >= BACKLOG_PACKETS_MAX ||
	       net->backlog.truesize >= BACKLOG_BYTES_MAX;
}

static void loopback_xmit(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct net *net = dev->net;

	if (backlog_full(net)) {
		dev->statistics.tx_dropped++;
		skb_drop(skb, DROP_RX_BACKLOG_FULL);
		return;
	}
	dev->statistics.tx_packets++;
	dev->statistics.tx_bytes += skb->len;
	skb_orphan(skb);
	/*
	 * A checksum that was left to the device was never on a wire, where it could have broken.
	 */
	if (skb->checksum == SKB_CHECKSUM_PARTIAL)
		skb->checksum = SKB_CHECKSUM_VERIFIED;
	skb_queue_append(&net->backlog, skb);
	if (net->backlog.length == 1)
		net_raise_work(net);
}

bool loopback_deliver(struct net *net, uint32_t budget)
{
	struct sk_buff *skb;

	net_run_deferred(net);
	while (budget-- && (skb = skb_queue_take(&net->backlog))) {
		netif_receive(net->loopback, skb);
		if (net->backlog.length == 0)
			net_run_deferred(net); /* its answers come back here */
	}
	return net->backlog.length > 0;
}

/* skb->protocol is the sender's. */
static void loopback_receive(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK
{
	skb->packet_type = SKB_HOST;
	skb_mark_link_header(skb);
	netdev_show_taps(dev, skb, false);
	link_deliver(dev, skb);
}

static const struct net_device_ops loopback_ops = {
	.open = loopback_open,
	.stop = loopback_stop,
	.xmit = loopback_xmit,
};

int loopback_init(struct net *net)
{
	struct loopback *loopback = kzalloc(sizeof(*loopback));

	if (!loopback)
		return -ENOMEM;
	loopback->link_type.type = ARPHRD_LOOPBACK;
	loopback->link_type.receive = loopback_receive;
	link_type_register(net, &loopback->link_type);

	struct net_device *dev = &loopback->dev;

	dev->flags = IFF_LOOPBACK;
	dev->type = ARPHRD_LOOPBACK;
	dev->mtu = LOOPBACK_MTU;
	dev->min_mtu = LOOPBACK_MTU_MIN;
	dev->max_mtu = LOOPBACK_MTU;
	dev->carrier = true;
	dev->features = NETDEV_CHECKSUM_OFFLOAD | NETDEV_TSO4 | NETDEV_TSO6 | NETDEV_TSO_ECN;
	dev->ops = &loopback_ops;
	net->loopback = dev;
	return netdev_register(net, dev, "lo");
}

void loopback_destroy(struct net *net)
{
	struct loopback *loopback = container_of(net->loopback, struct loopback, dev);

	netdev_unregister(&loopback->dev);
	net->loopback = NULL;
	kfree(loopback);
}
