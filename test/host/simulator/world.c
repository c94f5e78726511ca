/* Stacks in virtual time; see world.h. */
#include "test/host/simulator/world.h"

#include <errno.h>
#include <stdlib.h>

#include "kernel/printk.h"
#include "kernel/string.h"
#include "net/core/poller.h"
#include "net/core/socket.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/ipv4.h"
#include "test/host/services/host.h"
#include "test/host/simulator/pcap.h"

#define WORLD_START_US USEC_PER_SEC
#define EVENTS_WITHOUT_TIME 1000000 /* more at one instant is a loop */

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static uint64_t node_now(void *context)
{
	const struct node *node = context;

	return node->world->now_us;
}

static void node_random(void *context, void *to, size_t n)
{
	struct node *node = context;
	uint8_t *bytes = to;

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)mix(node->random_state += 0x9e3779b97f4a7c15);
}

static void node_work_raised(void *context)
{
	struct node *node = context;

	node->work_pending = true;
}

/* A call sleeps: the world goes on until somebody posts or the deadline has come. */
static bool move_on(void *context, uint64_t deadline_us)
{
	return world_step(context, deadline_us);
}

struct world *world_create(uint64_t seed)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world)
		panic("no memory for a world");
	world->seed = seed;
	world->now_us = WORLD_START_US;
	list_init(&world->links);
	host_clock_virtual(world->now_us);
	host_on_sleep(move_on, world);
	return world;
}

static struct node *add(struct world *world, const char *name)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node || world->node_count == WORLD_NODES_MAX)
		panic("no room for node %s", name);
	node->world = world;
	strscpy(node->name, name, sizeof(node->name));
	node->random_state = mix(world->seed + world->node_count + 1);
	world->nodes[world->node_count++] = node;
	return node;
}

static void bring_up_loopback(struct node *node) NEEDS_NET_LOCK
{
	int error = ip4_add_address(node->net.loopback, IP4_LOOPBACK, 8, 0);

	if (error || netdev_up(node->net.loopback))
		panic("%s: no loopback", node->name);
}

struct node *world_add_node(struct world *world, const char *name)
{
	struct node *node = add(world, name);
	const struct net_environment environment = {.now_us = node_now,
						    .random_bytes = node_random,
						    .work_raised = node_work_raised,
						    .context = node};

	if (net_init(&node->net, &environment) || packet_init(&node->net) ||
	    ethernet_init(&node->net) || ipv4_init(&node->net))
		panic("%s: no memory for a stack", name);
	net_lock(&node->net);
	bring_up_loopback(node);
	net_unlock(&node->net);
	return node;
}

struct node *world_add_switch(struct world *world, const char *name)
{
	struct node *node = add(world, name);

	node->is_switch = true;
	return node;
}

static void link_send(struct link *link, uint32_t side, const uint8_t *bytes, uint32_t length)
{
	uint64_t now_us = link->world->now_us;

	if (link->pcap)
		pcap_write(link->pcap, bytes, length, now_us);
	if (!link->down && !fault_link_send(&link->way[side], bytes, length, now_us))
		panic("the host has no memory left");
}

static void port_xmit(struct net_device *dev, struct sk_buff *skb)
{
	struct port *port = dev->driver;
	static uint8_t frame[FAULT_FRAME_MAX]; /* one thread at a time is in the world */

	if (!port->link || skb->len > sizeof(frame)) {
		dev->statistics.tx_errors++;
		skb_drop(skb, DROP_DEVICE_DOWN);
		return;
	}
	skb_copy_bits(skb, 0, frame, skb->len);
	link_send(port->link, port->side, frame, skb->len);
	dev->statistics.tx_packets++;
	dev->statistics.tx_bytes += skb->len;
	skb_free(skb);
}

static int port_open(struct net_device *dev __unused)
{
	return 0;
}

static void port_stop(struct net_device *dev __unused)
{
}

static const struct net_device_ops port_ops = {
	.open = port_open, .stop = port_stop, .xmit = port_xmit};

struct port *node_add_port(struct node *node)
{
	uint32_t index = node->port_count++;
	struct port *port = &node->ports[index];

	assert_always(index < WORLD_PORTS_MAX);
	port->node = node;
	if (node->is_switch)
		return port;
	uint8_t node_index = 0;

	while (node->world->nodes[node_index] != node)
		node_index++;
	struct mac mac = {{2, 0, 0, 0, node_index, (uint8_t)index}};

	port->dev = &node->devices[index];
	netdev_init_ethernet(port->dev, mac, &port_ops, port);
	port->dev->max_mtu = 65535;
	if (netdev_register(&node->net, port->dev, "eth%d"))
		panic("%s: cannot register an interface", node->name);
	net_lock(&node->net);
	int error = netdev_up(port->dev);

	net_unlock(&node->net);
	if (error)
		panic("%s: interface does not come up", node->name);
	return port;
}

static void set_carrier(struct port *port, bool carrier)
{
	if (!port->dev)
		return;
	net_lock(&port->node->net);
	netdev_set_carrier(port->dev, carrier);
	net_unlock(&port->node->net);
}

struct link *world_link(struct world *world, struct port *a, struct port *b,
			const struct fault_settings *faults)
{
	static const struct fault_settings perfect;
	struct link *link = calloc(1, sizeof(*link));
	uint64_t number = 0;
	struct link *other;

	if (!link)
		panic("no memory for a link");
	list_for_each_entry(other, &world->links, list)
		number++;
	link->world = world;
	for (uint32_t side = 0; side < 2; side++) {
		struct port *port = side ? b : a;

		fault_link_init(&link->way[side], faults ? faults : &perfect,
				mix(world->seed ^ (number * 2 + side + 1) << 32));
		link->end[side] = port;
		port->link = link;
		port->side = side;
	}
	list_append(&world->links, &link->list);
	set_carrier(a, true);
	set_carrier(b, true);
	return link;
}

void link_set_down(struct link *link, bool down)
{
	link->down = down;
	for (uint32_t side = 0; side < 2; side++) {
		if (down)
			fault_link_destroy(&link->way[side]);
		set_carrier(link->end[side], !down);
	}
}

void link_set_faults(struct link *link, const struct fault_settings *faults)
{
	link->way[0].settings = *faults;
	link->way[1].settings = *faults;
}

int link_capture(struct link *link, const char *path)
{
	link->pcap = pcap_open(path);
	return link->pcap ? 0 : -errno;
}

int node_set_address(struct node *node, uint32_t port, ip4_t address, uint8_t prefix_length)
{
	net_lock(&node->net);
	int error = ip4_add_address(node->ports[port].dev, address, prefix_length,
				    address | ~ip4_mask(prefix_length));

	net_unlock(&node->net);
	return error;
}

int node_set_gateway(struct node *node, ip4_t gateway)
{
	struct route_result way;

	net_lock(&node->net);
	int error = route_lookup(&node->net, gateway, 0, 0, &way);

	if (!error) {
		const struct route route = {.gateway = gateway, .dev = way.dev};

		error = route_add(&node->net, &route);
	}
	net_unlock(&node->net);
	return error;
}

/*
 * A switch: the sender's place is remembered; known unicast goes to one port, the rest to all
 * others.
 */
static void switch_forward(struct port *in, const struct fault_frame *frame)
{
	struct node *node = in->node;
	uint32_t in_index = (uint32_t)(in - node->ports), target = UINT32_MAX;
	struct mac destination, source;

	if (frame->length < ETHERNET_HEADER_LENGTH)
		return;
	memcpy(destination.bytes, frame->bytes, MAC_LENGTH);
	memcpy(source.bytes, frame->bytes + MAC_LENGTH, MAC_LENGTH);
	uint32_t at = 0;

	while (at < node->station_count && !mac_equal(node->stations[at].mac, source))
		at++;
	if (at < ARRAY_SIZE(node->stations)) {
		node->stations[at].mac = source;
		node->stations[at].port = in_index;
		node->station_count = MAX(node->station_count, at + 1);
	}
	for (uint32_t i = 0; i < node->station_count; i++) {
		if (mac_equal(node->stations[i].mac, destination))
			target = node->stations[i].port;
	}
	for (uint32_t i = 0; i < node->port_count; i++) {
		struct port *out = &node->ports[i];

		if (i != in_index && out->link && (target == UINT32_MAX || target == i))
			link_send(out->link, out->side, frame->bytes, frame->length);
	}
}

static void deliver(struct port *port, const struct fault_frame *frame)
{
	if (!port->dev) {
		switch_forward(port, frame);
		return;
	}
	struct net *net = &port->node->net;
	struct sk_buff *skb = skb_alloc(net, frame->length);

	if (!skb) {
		port->dev->statistics.rx_dropped++;
		return;
	}
	memcpy(skb_put(skb, frame->length), frame->bytes, frame->length);
	net_lock(net);
	netif_receive(port->dev, skb);
	net_unlock(net);
}

static void deliver_due(struct world *world)
{
	struct link *link;

	list_for_each_entry(link, &world->links, list) {
		for (uint32_t side = 0; side < 2; side++) {
			struct fault_frame *frame = fault_link_receive(&link->way[side],
								       world->now_us);

			if (!frame)
				continue;
			deliver(link->end[!side], frame);
			free(frame);
		}
	}
}

/* Whatever is to be done at this very moment: timers, softirqs, one frame of each link. */
static void work_now(struct world *world)
{
	for (uint32_t i = 0; i < world->node_count; i++) {
		struct node *node = world->nodes[i];

		if (node->is_switch)
			continue;
		if (net_next_timer(&node->net) <= world->now_us)
			net_run_timers(&node->net);
		if (node->work_pending) {
			node->work_pending = false;
			node->work_pending |= net_run_softirq(&node->net);
		}
	}
	deliver_due(world);
}

static uint64_t next_event(struct world *world)
{
	uint64_t next = TIME_NEVER;
	struct link *link;

	for (uint32_t i = 0; i < world->node_count; i++) {
		struct node *node = world->nodes[i];

		if (node->is_switch)
			continue;
		if (node->work_pending)
			return world->now_us;
		next = MIN(next, net_next_timer(&node->net));
	}
	list_for_each_entry(link, &world->links, list) {
		next = MIN(next, fault_link_next(&link->way[0]));
		next = MIN(next, fault_link_next(&link->way[1]));
	}
	return MAX(next, world->now_us);
}

static void set_time(struct world *world, uint64_t now_us)
{
	world->now_us = now_us;
	host_clock_advance_to(now_us);
}

bool world_step(struct world *world, uint64_t limit_us)
{
	uint64_t next = next_event(world);

	if (next == TIME_NEVER || next > limit_us)
		return false;
	if (next > world->now_us) {
		set_time(world, next);
		world->events = 0;
	}
	if (++world->events > EVENTS_WITHOUT_TIME)
		panic("seed %llu: the world does not get past %llu us",
		      (unsigned long long)world->seed, (unsigned long long)world->now_us);
	work_now(world);
	return true;
}

void world_run_until(struct world *world, uint64_t time_us)
{
	while (world_step(world, time_us))
		;
	set_time(world, MAX(time_us, world->now_us));
}

void world_run_for(struct world *world, uint64_t duration_us)
{
	world_run_until(world, world->now_us + duration_us);
}

bool world_run_while(struct world *world, bool (*busy)(void *context), void *context,
		     uint64_t limit_us)
{
	while (busy(context)) {
		if (!world_step(world, limit_us))
			return false;
	}
	return true;
}

static void destroy_link(struct link *link)
{
	list_remove(&link->list);
	fault_link_destroy(&link->way[0]);
	fault_link_destroy(&link->way[1]);
	if (link->pcap)
		fclose(link->pcap);
	free(link);
}

static void destroy_node(struct node *node)
{
	if (!node->is_switch) {
		for (uint32_t i = 0; i < node->port_count; i++)
			netdev_unregister(node->ports[i].dev);
		ipv4_destroy(&node->net);
		ethernet_destroy(&node->net);
		packet_destroy(&node->net);
		net_destroy(&node->net);
		if (node->net.live_skbs)
			panic("%s: %llu packets leaked (seed %llu)", node->name,
			      (unsigned long long)node->net.live_skbs,
			      (unsigned long long)node->world->seed);
	}
	free(node);
}

void world_destroy(struct world *world)
{
	struct link *link, *next;

	for (uint32_t i = 0; i < world->node_count; i++)
		destroy_node(world->nodes[i]);
	list_for_each_entry_safe(link, next, &world->links, list)
		destroy_link(link);
	host_on_sleep(NULL, NULL);
	free(world);
}
