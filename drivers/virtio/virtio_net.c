/* The virtio network driver's life: probe, start, interrupt and poll, stop. See virtio_net.h. */
#include "drivers/virtio/virtio_net.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/printk.h"
#include "kernel/string.h"

/* Start and stop */

static int create_queues(struct virtio_net *vnet)
{
	int error = virtqueue_create(vnet->device, VIRTIO_NET_QUEUE_RX, &vnet->receive);

	if (!error)
		error = virtqueue_create(vnet->device, VIRTIO_NET_QUEUE_TX, &vnet->transmit);
	if (!error && virtio_has(vnet->device, VIRTIO_NET_F_CTRL_VQ))
		error = virtqueue_create(vnet->device, VIRTIO_NET_QUEUE_CONTROL, &vnet->control);
	return error;
}

static void destroy_queue(struct virtqueue **vq)
{
	virtqueue_destroy(*vq);
	*vq = NULL;
}

static void free_frames(struct virtqueue *vq)
{
	struct sk_buff *skb;

	while ((skb = virtqueue_detach(vq)))
		skb_free(skb);
}

/* Resets the device and takes back all that it held. */
static void stop(struct virtio_net *vnet) NEEDS_NET_LOCK
{
	vnet->running = false;
	virtio_reset(vnet->device);
	if (vnet->receive)
		virtio_net_free_buffers(vnet);
	if (vnet->transmit)
		free_frames(vnet->transmit);
	if (vnet->control)
		virtqueue_detach(vnet->control);
	destroy_queue(&vnet->receive);
	destroy_queue(&vnet->transmit);
	destroy_queue(&vnet->control);
	skb_queue_drop_all(&vnet->transmit_waiting, DROP_DEVICE_DOWN);
	vnet->transmit_charged = 0;
	vnet->filter.step = CONTROL_DONE;
	vnet->filter.stale = true;
}

static void retry_later(struct virtio_net *vnet, uint64_t delay_us) NEEDS_NET_LOCK
{
	net_timer_arm(vnet->net, &vnet->retry, net_now(vnet->net) + delay_us);
}

/* Buffers for the device; when memory is out, more of them later. */
static void fill(struct virtio_net *vnet) NEEDS_NET_LOCK
{
	if (!virtio_net_fill(vnet) && !timer_armed(&vnet->retry))
		retry_later(vnet, VIRTIO_NET_RETRY_US);
}

/* 3.1.1, up to DRIVER_OK. The receive queue is filled before. */
static int start(struct virtio_net *vnet) NEEDS_NET_LOCK
{
	int error = virtio_start(vnet->device);

	if (!error)
		error = virtio_net_negotiate(vnet);
	if (!error)
		error = create_queues(vnet);
	if (error) {
		stop(vnet);
		return error;
	}
	virtio_net_configure(vnet);
	fill(vnet);
	virtqueue_publish(vnet->receive);
	virtqueue_interrupts_off(vnet->transmit);
	virtio_ready(vnet->device);
	virtqueue_kick(vnet->receive);
	return 0;
}

/* From here on the poller works; what came before is found by its first round. */
static void run(struct virtio_net *vnet) NEEDS_NET_LOCK
{
	vnet->running = true;
	net_poller_schedule(&vnet->poller);
}

/*
 * Begins anew, after the device asked for it or a queue broke. Traffic goes on; frames on their
 * way are lost.
 */
static int restart(struct virtio_net *vnet) NEEDS_NET_LOCK
{
	vnet->last_reset_us = net_now(vnet->net);
	vnet->reset_wanted = false;
	stop(vnet);
	int error = start(vnet);

	if (error == -ENOMEM) {
		vnet->reset_wanted = true;
		retry_later(vnet, VIRTIO_NET_RESET_US);
	}
	if (error) {
		printk("%s: does not start again: error %d\n", vnet->dev.name, -error);
		return error;
	}
	printk("%s: reset\n", vnet->dev.name);
	run(vnet);
	netdev_set_carrier(&vnet->dev, virtio_net_link_is_up(vnet));
	return 0;
}

/* A device that asks again and again gets a reset a second. */
static void reset_asked(struct virtio_net *vnet) NEEDS_NET_LOCK
{
	uint64_t earliest_us = vnet->last_reset_us + VIRTIO_NET_RESET_US;
	uint64_t now_us = net_now(vnet->net);

	if (vnet->last_reset_us == 0 || now_us >= earliest_us) {
		restart(vnet);
		return;
	}
	vnet->running = false;
	vnet->reset_wanted = true;
	retry_later(vnet, earliest_us - now_us);
}

static void retry(struct timer *timer) NEEDS_NET_LOCK
{
	struct virtio_net *vnet = container_of(timer, struct virtio_net, retry);

	if (vnet->reset_wanted)
		restart(vnet);
	if (!vnet->running)
		return;
	fill(vnet);
	virtqueue_kick(vnet->receive);
}

/* Interrupt and poll */

static void interrupt(struct virtio_device *device, uint32_t causes)
{
	struct virtio_net *vnet = device->driver_data;

	if (causes & VIRTIO_INTERRUPT_CONFIG)
		__atomic_store_n(&vnet->config_changed, true, __ATOMIC_RELEASE);
	net_poller_schedule(&vnet->poller);
}

static void look_at_config(struct virtio_net *vnet) NEEDS_NET_LOCK
{
	if (!__atomic_exchange_n(&vnet->config_changed, false, __ATOMIC_ACQUIRE))
		return;
	if (virtio_needs_reset(vnet->device))
		reset_asked(vnet);
	else
		netdev_set_carrier(&vnet->dev, virtio_net_link_is_up(vnet));
}

static bool any_queue_broken(const struct virtio_net *vnet)
{
	return vnet->receive->broken || vnet->transmit->broken ||
	       (vnet->control && vnet->control->broken);
}

/* Interrupts on. False when there is work already, for which none may come. */
static bool await_interrupt(struct virtio_net *vnet) NEEDS_NET_LOCK
{
	bool quiet = virtqueue_interrupts_on(vnet->receive, 1);

	quiet &= virtio_net_await_completion(vnet);
	if (vnet->control)
		quiet &= virtqueue_interrupts_on(vnet->control, 1);
	return quiet;
}

static bool poll(struct net_poller *poller, uint32_t budget) NEEDS_NET_LOCK
{
	struct virtio_net *vnet = container_of(poller, struct virtio_net, poller);

	if (vnet->running)
		look_at_config(vnet);
	if (!vnet->running)
		return false;
	virtqueue_interrupts_off(vnet->receive);
	virtqueue_interrupts_off(vnet->transmit);
	virtio_net_complete(vnet);
	virtio_net_control(vnet);
	uint32_t received = virtio_net_receive(vnet, budget);

	fill(vnet);
	virtqueue_kick(vnet->receive);
	bool quiet = received < budget && await_interrupt(vnet);

	if (any_queue_broken(vnet)) {
		/*
		 * Until somebody takes the interface down and up again, which resets the device.
		 */
		vnet->running = false;
		netdev_set_carrier(&vnet->dev, false);
		return false;
	}
	return !quiet;
}

/* The interface */

static int open(struct net_device *dev) NEEDS_NET_LOCK
{
	struct virtio_net *vnet = dev->driver;

	return vnet->running || vnet->reset_wanted ? 0 : restart(vnet);
}

/* The device runs on; the stack drops what arrives while the interface is down. */
static void close(struct net_device *dev __unused)
{
}

static const struct net_device_ops operations = {
	.open = open,
	.stop = close,
	.xmit = virtio_net_xmit,
	.xmit_flush = virtio_net_xmit_flush,
	.set_rx_mode = virtio_net_set_rx_mode,
};

static void announce(const struct virtio_net *vnet)
{
	char names[160];

	virtio_net_feature_names(vnet, names, sizeof(names));
	printk("%s: virtio-net " MAC_FORMAT " queue %u/%u features%s\n", vnet->dev.name,
	       MAC_ARGS(vnet->dev.mac), vnet->receive->size, vnet->transmit->size, names);
}

static struct virtio_net *create(struct net *net, struct virtio_device *device)
{
	struct virtio_net *vnet = kzalloc(sizeof(*vnet));

	if (!vnet)
		return NULL;
	vnet->net = net;
	vnet->device = device;
	vnet->transport_name = device->name;
	vnet->filter.step = CONTROL_DONE;
	vnet->filter.stale = true;
	skb_queue_init(&vnet->transmit_waiting);
	timer_init(&vnet->retry, retry);
	net_poller_init(&vnet->poller, net, poll);
	netdev_init_ethernet(&vnet->dev, MAC_ZERO, &operations, vnet);
	device->driver_data = vnet;
	device->interrupt = interrupt;
	return vnet;
}

/*
 * Off the device, out of the stack's timers and pollers, freed. The interface is unregistered, or
 * never was.
 */
static void destroy(struct virtio_net *vnet)
{
	vnet->device->interrupt = NULL;
	vnet->device->name = vnet->transport_name;
	net_lock(vnet->net);
	stop(vnet);
	net_timer_cancel(vnet->net, &vnet->retry);
	net_poller_remove(&vnet->poller);
	net_unlock(vnet->net);
	kfree(vnet);
}

static int bring_up(struct virtio_net *vnet)
{
	net_lock(vnet->net);
	int error = start(vnet);

	if (!error) {
		vnet->dev.mac = virtio_net_mac(vnet);
		if (virtio_has(vnet->device, VIRTIO_NET_F_MTU))
			vnet->dev.mtu = vnet->dev.max_mtu;
		vnet->dev.carrier = virtio_net_link_is_up(vnet);
	}
	net_unlock(vnet->net);
	if (!error)
		error = netdev_register(vnet->net, &vnet->dev, "eth%d");
	return error;
}

static int probe(struct virtio_driver *driver, struct virtio_device *device)
{
	struct net *net = container_of(driver, struct virtio_net_driver, driver)->net;
	struct virtio_net *vnet = create(net, device);

	if (!vnet)
		return -ENOMEM;
	int error = bring_up(vnet);

	if (error) {
		destroy(vnet);
		return error;
	}
	device->name = vnet->dev.name;
	announce(vnet);
	net_lock(net);
	run(vnet);
	net_unlock(net);
	return 0;
}

static void remove(struct virtio_device *device)
{
	struct virtio_net *vnet = device->driver_data;

	netdev_unregister(&vnet->dev);
	destroy(vnet);
}

void virtio_net_register(struct virtio_net_driver *driver, struct virtio_bus *bus, struct net *net)
{
	driver->net = net;
	driver->driver = (struct virtio_driver){
		.device_id = VIRTIO_ID_NET,
		.probe = probe,
		.remove = remove,
	};
	virtio_register_driver(bus, &driver->driver);
}
