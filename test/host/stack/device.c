/* Devices whose wire is in the program's hands; see stack.h. */
#include "test/host/stack/device.h"

#include <stdlib.h>

#include "include/uapi/if.h"
#include "include/uapi/if_arp.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/ipv4.h"

#define BARE_IP_MTU_MAX 65535
#define ETHERNET_MTU_MAX 65535 /* what the largest frame of a TAP or a virtio device holds */

static struct host_device *device_of(struct net_device *dev)
{
	return dev->driver;
}

/* Out */

static bool queue_frame(struct host_device *device, const struct sk_buff *skb)
{
	struct host_frame *frame = malloc(sizeof(*frame) + skb->len);

	if (!frame)
		return false;
	frame->next = NULL;
	frame->time_us = net_now(device->dev.net);
	frame->length = skb->len;
	skb_copy_bits(skb, 0, frame->bytes, skb->len);
	*device->queue_end = frame;
	device->queue_end = &frame->next;
	return true;
}

/* The bytes in one piece: as they stand if they do. */
static bool hand_over(const struct host_device *device, const struct sk_buff *skb)
{
	const struct host_device_options *options = &device->options;

	if (skb_linear_len(skb) == skb->len) {
		options->transmit(options->context, skb->data, skb->len);
		return true;
	}
	uint8_t *bytes = malloc(skb->len);

	if (!bytes)
		return false;
	skb_copy_bits(skb, 0, bytes, skb->len);
	options->transmit(options->context, bytes, skb->len);
	free(bytes);
	return true;
}

static void device_xmit(struct net_device *dev, struct sk_buff *skb)
{
	struct host_device *device = device_of(dev);

	if (!(device->options.transmit ? hand_over(device, skb) : queue_frame(device, skb))) {
		dev->statistics.tx_errors++;
		skb_drop(skb, DROP_NO_MEMORY);
		return;
	}
	dev->statistics.tx_packets++;
	dev->statistics.tx_bytes += skb->len;
	skb_free(skb);
}

static void device_flush(struct net_device *dev)
{
	const struct host_device_options *options = &device_of(dev)->options;

	if (options->flush)
		options->flush(options->context);
}

static void device_set_rx_mode(struct net_device *dev)
{
	const struct host_device_options *options = &device_of(dev)->options;

	if (options->filter_changed)
		options->filter_changed(options->context);
}

struct host_frame *host_device_take(struct host_device *device)
{
	struct net *net = device->dev.net;

	net_lock(net);
	struct host_frame *frame = device->queue;

	if (frame) {
		device->queue = frame->next;
		if (!device->queue)
			device->queue_end = &device->queue;
	}
	net_unlock(net);
	return frame;
}

/* In */

int host_device_receive(struct host_device *device, const void *bytes, uint32_t length)
{
	struct net *net = device->dev.net;
	struct sk_buff *skb = skb_alloc(net, length);

	if (skb && length)
		memcpy(skb_put(skb, length), bytes, length);
	net_lock(net);
	if (skb)
		netif_receive(&device->dev, skb);
	else
		device->dev.statistics.rx_dropped++;
	net_unlock(net);
	return skb ? 0 : -ENOMEM;
}

/* What follows is told by the packet's own first bits. */
void host_receive_bare_ip(struct net_device *dev, struct sk_buff *skb) NO_LOCK_CHECK
{
	if (!skb_may_pull(skb, 1)) {
		skb_drop(skb, DROP_IP4_SHORT);
		return;
	}
	skb->protocol = skb->data[0] >> 4 == 6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4;
	skb->packet_type = SKB_HOST;
	skb_mark_link_header(skb);
	netdev_show_taps(dev, skb, false);
	link_deliver(dev, skb);
}

/* The device itself */

static int device_open(struct net_device *dev __unused)
{
	return 0;
}

static void device_stop(struct net_device *dev __unused)
{
}

static const struct net_device_ops ops = {
	.open = device_open,
	.stop = device_stop,
	.xmit = device_xmit,
	.xmit_flush = device_flush,
	.set_rx_mode = device_set_rx_mode,
};

static void init_bare_ip(struct net_device *dev)
{
	memset(dev, 0, sizeof(*dev));
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->mtu = 1500;
	dev->min_mtu = 68;
	dev->max_mtu = BARE_IP_MTU_MAX;
	dev->carrier = true;
	dev->ops = &ops;
}

static void init_ethernet(struct host_device *device)
{
	netdev_init_ethernet(&device->dev, device->options.mac, &ops, device);
	device->dev.max_mtu = ETHERNET_MTU_MAX;
}

/* After registration, when the index is known. */
static void choose_mac(struct net_device *dev) NEEDS_NET_LOCK
{
	if (dev->type == ARPHRD_ETHER && mac_equal(dev->mac, MAC_ZERO))
		dev->mac = (struct mac){{2, 0, 0, 0, 0, (uint8_t)dev->ifindex}};
}

static int bring_up(struct host_device *device) NEEDS_NET_LOCK
{
	struct net_device *dev = &device->dev;

	choose_mac(dev);
	if (device->options.unplugged)
		netdev_set_carrier(dev, false);
	int error = device->options.mtu ? netdev_set_mtu(dev, device->options.mtu) : 0;

	return error ? error : netdev_up(dev);
}

int host_device_add(struct host_device *device, struct host_stack *stack,
		    const struct host_device_options *options)
{
	const char *name = options->bare_ip ? "ip%d" : "eth%d";

	device->stack = stack;
	device->options = *options;
	device->queue = NULL;
	device->queue_end = &device->queue;
	if (options->bare_ip)
		init_bare_ip(&device->dev);
	else
		init_ethernet(device);
	device->dev.driver = device;
	int error = netdev_register(&stack->net, &device->dev,
				    options->name ? options->name : name);

	if (error)
		return error;
	net_lock(&stack->net);
	error = bring_up(device);
	net_unlock(&stack->net);
	if (error)
		host_device_remove(device);
	return error;
}

void host_device_remove(struct host_device *device)
{
	netdev_unregister(&device->dev);
	while (device->queue) {
		struct host_frame *next = device->queue->next;

		free(device->queue);
		device->queue = next;
	}
	device->queue_end = &device->queue;
}

void host_remove_devices(struct host_stack *stack)
{
	struct net_device *dev, *next;

	list_for_each_entry_safe(dev, next, &stack->net.devices, link) {
		if (dev->ops == &ops)
			host_device_remove(device_of(dev));
	}
}

int host_device_set_address(struct host_device *device, ip4_t address, uint8_t prefix_length)
{
	net_lock(device->dev.net);
	int error = ip4_add_address(&device->dev, address, prefix_length, 0);

	net_unlock(device->dev.net);
	return error;
}

int host_device_set_mtu(struct host_device *device, uint32_t mtu)
{
	net_lock(device->dev.net);
	int error = netdev_set_mtu(&device->dev, mtu);

	net_unlock(device->dev.net);
	return error;
}

void host_device_set_carrier(struct host_device *device, bool carrier)
{
	net_lock(device->dev.net);
	netdev_set_carrier(&device->dev, carrier);
	net_unlock(device->dev.net);
}
