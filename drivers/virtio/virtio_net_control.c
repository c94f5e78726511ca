/*
 * The control queue: telling the device which frames to filter out (VIRTIO 1.2 section 5.1.6.5).
 *
 * A change of the filter is three commands, sent one after the other without waiting: the poller
 * sends the next when the device has answered. A filter is a favour, not a guard: the Ethernet
 * layer looks at every frame's address itself, so a device that refuses, or has no control queue,
 * merely delivers more.
 */
#include "drivers/virtio/virtio_net.h"

#include "include/uapi/if.h"

static bool wants_all_multicast(const struct net_device *dev)
{
	const struct multicast_entry *entry;
	uint32_t count = 0;

	list_for_each_entry(entry, &dev->multicast, link)
		count++;
	return (dev->flags & IFF_ALLMULTI) || count > VIRTIO_NET_FILTER_MAX;
}

static struct virtqueue_segment segment_of(const void *bytes, size_t length)
{
	return (struct virtqueue_segment){virt_to_phys(bytes), (uint32_t)length};
}

static struct virtqueue_segment prepare_switch(struct virtio_net_filter *filter, uint8_t which,
					       bool on)
{
	filter->command.class = VIRTIO_NET_CTRL_RX;
	filter->command.command = which;
	filter->on = on;
	return segment_of(&filter->on, sizeof(filter->on));
}

static struct virtqueue_segment prepare_table(struct virtio_net_filter *filter,
					      const struct net_device *dev)
{
	const struct multicast_entry *entry;
	uint32_t count = 0;

	list_for_each_entry(entry, &dev->multicast, link) {
		if (count == VIRTIO_NET_FILTER_MAX)
			break;
		filter->table.multicast[count++] = entry->mac;
	}
	filter->command.class = VIRTIO_NET_CTRL_MAC;
	filter->command.command = VIRTIO_NET_CTRL_MAC_TABLE_SET;
	filter->table.unicast_count = 1;
	filter->table.unicast = dev->mac;
	filter->table.multicast_count = count;
	return segment_of(&filter->table, offsetof(__typeof__(filter->table), multicast) +
						  count * sizeof(struct mac));
}

static void send_step(struct virtio_net *vnet)
{
	struct virtio_net_filter *filter = &vnet->filter;
	struct virtqueue_segment segments[3];

	switch (filter->step) {
	case CONTROL_PROMISCUOUS:
		segments[1] = prepare_switch(filter, VIRTIO_NET_CTRL_RX_PROMISC,
					     vnet->dev.flags & IFF_PROMISC);
		break;
	case CONTROL_ALL_MULTICAST:
		segments[1] = prepare_switch(filter, VIRTIO_NET_CTRL_RX_ALLMULTI,
					     wants_all_multicast(&vnet->dev));
		break;
	case CONTROL_MAC_TABLE:
		segments[1] = prepare_table(filter, &vnet->dev);
		break;
	case CONTROL_DONE:
		return;
	}
	segments[0] = segment_of(&filter->command, sizeof(filter->command));
	segments[2] = segment_of(&filter->answer, sizeof(filter->answer));
	if (virtqueue_add(vnet->control, segments, 2, 1, filter) != 0) {
		filter->step = CONTROL_DONE;
		return;
	}
	virtqueue_kick(vnet->control);
}

void virtio_net_control(struct virtio_net *vnet)
{
	struct virtio_net_filter *filter = &vnet->filter;
	uint32_t length;

	if (!vnet->running || !vnet->control)
		return;
	if (filter->step != CONTROL_DONE) {
		if (!virtqueue_take(vnet->control, &length))
			return;
		filter->step++;
	}
	if (filter->step == CONTROL_DONE && filter->stale) {
		filter->stale = false;
		filter->step = CONTROL_PROMISCUOUS;
	}
	send_step(vnet);
}

void virtio_net_set_rx_mode(struct net_device *dev)
{
	struct virtio_net *vnet = dev->driver;

	vnet->filter.stale = true;
	if (vnet->filter.step == CONTROL_DONE)
		virtio_net_control(vnet);
}
