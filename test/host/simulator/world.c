/* Stacks in virtual time; see world.h. */
#include "test/host/simulator/world.h"

#include <stdlib.h>

#include "kernel/printk.h"
#include "kernel/string.h"
#include "test/host/services/host.h"
#include "test/host/simulator/private.h"

#define WORLD_START_US USEC_PER_SEC
#define EVENTS_WITHOUT_TIME 1000000 /* more at one instant is a loop */

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
	world_report_began(world);
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
	world->nodes[world->node_count++] = node;
	return node;
}

struct node *world_add_node(struct world *world, const char *name)
{
	const struct host_stack_options options = {
		.seed = world_mix(world->seed + world->node_count + 1)};
	struct node *node = add(world, name);

	if (host_stack_create(&node->stack, &options))
		panic("%s: no memory for a stack", name);
	return node;
}

struct node *world_add_router(struct world *world, const char *name)
{
	struct node *node = world_add_node(world, name);

	host_stack_set_forwarding(&node->stack, true);
	return node;
}

struct node *world_add_switch(struct world *world, const char *name)
{
	struct node *node = add(world, name);

	node->is_switch = true;
	return node;
}

static uint8_t index_of(const struct node *node)
{
	uint8_t index = 0;

	while (node->world->nodes[index] != node)
		index++;
	return index;
}

static void transmitted(void *context, const uint8_t *bytes, uint32_t length)
{
	const struct port *port = context;

	if (port->link)
		link_send(port->link, port->side, bytes, length);
}

struct port *node_add_port(struct node *node)
{
	uint32_t index = node->port_count++;
	struct port *port = &node->ports[index];

	assert_always(index < WORLD_PORTS_MAX);
	port->node = node;
	if (node->is_switch)
		return port;
	const struct host_device_options options = {
		.mac = {{2, 0, 0, 0, index_of(node), (uint8_t)index}},
		.transmit = transmitted,
		.context = port,
	};

	if (host_device_add(&port->device, &node->stack, &options))
		panic("%s: cannot add an interface", node->name);
	port->dev = &port->device.dev;
	return port;
}

int node_set_address(struct node *node, uint32_t port, ip4_t address, uint8_t prefix_length)
{
	return host_device_set_address(&node->ports[port].device, address, prefix_length);
}

int node_set_mtu(struct node *node, uint32_t port, uint32_t mtu)
{
	return host_device_set_mtu(&node->ports[port].device, mtu);
}

int node_set_gateway(struct node *node, ip4_t gateway)
{
	return host_stack_set_gateway(&node->stack, gateway);
}

/* Whatever is to be done at this very moment: timers, softirqs, one frame of each link. */
static void work_now(struct world *world)
{
	for (uint32_t i = 0; i < world->node_count; i++) {
		if (!world->nodes[i]->is_switch)
			(void)host_stack_run(&world->nodes[i]->stack);
	}
	link_deliver_due(world);
}

static uint64_t next_event(struct world *world)
{
	uint64_t next = link_next_event(world);

	for (uint32_t i = 0; i < world->node_count; i++) {
		if (!world->nodes[i]->is_switch)
			next = MIN(next, host_stack_next(&world->nodes[i]->stack));
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

static void destroy_node(struct node *node)
{
	struct host_leaks leaks = {0};

	if (!node->is_switch)
		leaks = host_stack_destroy(&node->stack);
	if (host_leaks_any(&leaks))
		panic("%s: leaked: %llu packets, %llu sockets, %llu allocations", node->name,
		      (unsigned long long)leaks.packets, (unsigned long long)leaks.sockets,
		      (unsigned long long)leaks.allocations);
	free(node);
}

void world_destroy(struct world *world)
{
	for (uint32_t i = 0; i < world->node_count; i++)
		destroy_node(world->nodes[i]);
	for (uint32_t i = 0; i < world->link_count; i++)
		link_destroy(world->links[i]);
	host_on_sleep(NULL, NULL);
	world_report_ended(world);
	free(world);
}
