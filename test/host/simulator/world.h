/*
 * A world of stacks in one process and one virtual time: nodes with complete stacks, joined by
 * links with faults and by switches. Nothing happens but by events (a frame arrives, a timer
 * fires), in order of time; ties go to whoever was made first. The same seed gives the same run
 * to the byte.
 *
 *	struct world *world = world_create(seed);
 *	struct node *a = world_add_node(world, "a"), *b = world_add_node(world, "b");
 *	struct link *link = world_link(world, node_add_port(a), node_add_port(b), &faults);
 *	node_set_address(a, 0, IP4(10, 0, 0, 1), 24); ...
 *	... socket calls on &a->net; calls that sleep move the world on by themselves ...
 *	world_run_for(world, 5 * USEC_PER_SEC);
 *	world_destroy(world);   // asserts that no packet leaked
 *
 * One world at a time: it owns the host's virtual clock. Nothing here is thread-safe.
 */
#ifndef TEST_HOST_SIMULATOR_WORLD_H
#define TEST_HOST_SIMULATOR_WORLD_H

#include <stdio.h>

#include "net/core/netdevice.h"
#include "test/host/simulator/faults.h"

#define WORLD_PORTS_MAX 8 /* of a node or switch */
#define WORLD_NODES_MAX 64

struct world;
struct node;

/* Where a cable is plugged in: a node's interface, or one of a switch's sockets. */
struct port {
	struct node *node;
	struct net_device *dev; /* NULL at a switch */
	struct link *link;      /* NULL: nothing is plugged in */
	uint32_t side;          /* which end of the link: 0 or 1 */
};

struct link {
	struct list_head list; /* world->links */
	struct world *world;
	struct port *end[2];
	struct fault_link way[2]; /* way[i]: from end[i] to the other */
	bool down;                /* unplugged: frames are lost, carriers are off */
	FILE *pcap;               /* every frame as it enters the link, or NULL */
};

struct node {
	struct world *world;
	char name[16];
	bool is_switch;
	struct net net; /* not at a switch */
	uint64_t random_state;
	bool work_pending; /* net_run_softirq is asked for */
	struct port ports[WORLD_PORTS_MAX];
	uint32_t port_count;
	struct net_device devices[WORLD_PORTS_MAX];
	struct { /* a switch's memory of who is where */
		struct mac mac;
		uint32_t port;
	} stations[256];
	uint32_t station_count;
};

struct world {
	uint64_t seed, now_us;
	struct node *nodes[WORLD_NODES_MAX];
	uint32_t node_count;
	struct list_head links;
	uint64_t events; /* so far: a run that never ends shows */
};

/*
 * Switches the host to virtual time, starting at 1 s. The seed is printed when a test fails
 * after this.
 */
struct world *world_create(uint64_t seed);
void world_destroy(struct world *world);

/* A host with a complete stack, lo up at 127.0.0.1; and a switch that learns. */
struct node *world_add_node(struct world *world, const char *name);
struct node *world_add_switch(struct world *world, const char *name);

/* A new interface eth0, eth1, ... (MAC 02:00:00:00:NODE:PORT), up; or a switch's next socket. */
struct port *node_add_port(struct node *node);

/* Joins two ports; `faults` NULL: a perfect cable. Each direction draws from its own seed. */
struct link *world_link(struct world *world, struct port *a, struct port *b,
			const struct fault_settings *faults);
void link_set_down(struct link *link, bool down);
/* Changes the faults of both directions from now on. */
void link_set_faults(struct link *link, const struct fault_settings *faults);
/* 0 or a negative errno. */
int link_capture(struct link *link, const char *path);

/* Gives interface `port` an address, as ifconfig does; a default route. 0 or a negative errno. */
int node_set_address(struct node *node, uint32_t port, ip4_t address, uint8_t prefix_length);
int node_set_gateway(struct node *node, ip4_t gateway);

/* One event, if there is one before or at `limit_us`; false otherwise (the time stays). */
bool world_step(struct world *world, uint64_t limit_us);
void world_run_until(struct world *world, uint64_t time_us);
void world_run_for(struct world *world, uint64_t duration_us);
/* Until nothing is left to happen but what lies beyond `limit_us`. */
bool world_run_while(struct world *world, bool (*busy)(void *context), void *context,
		     uint64_t limit_us);

#endif
