/*
 * A world of stacks in one process and one virtual time: nodes with complete stacks, joined by
 * links with faults, by switches and by routers. Nothing happens but by events (a frame arrives, a
 * timer fires), in order of time; ties go to whoever was made first. The same seed gives the same
 * run to the byte.
 *
 *	struct world *world = world_create(seed);
 *	struct node *a = world_add_node(world, "a"), *b = world_add_node(world, "b");
 *	struct link *link = world_link(world, node_add_port(a), node_add_port(b), &faults);
 *	node_set_address(a, 0, IP4(10, 0, 0, 1), 24); ...
 *	... socket calls on &a->stack.net; calls that sleep move the world on by themselves ...
 *	world_run_for(world, 5 * USEC_PER_SEC);
 *	world_destroy(world);   // panics when something leaked
 *
 * When a test fails in between, the world is never destroyed. Its seed, time and the number of its
 * frames are then printed on stderr: at the next world_create, or when the process ends, be it by
 * a panic or a sanitizer's report.
 *
 * With VITRINE_PCAP=DIRECTORY in the environment each link writes world-SEED-link-N.pcap there.
 *
 * One world at a time: it owns the host's virtual clock. Nothing here is thread-safe.
 */
#ifndef TEST_HOST_SIMULATOR_WORLD_H
#define TEST_HOST_SIMULATOR_WORLD_H

#include <stdio.h>

#include "net/core/netdevice.h"
#include "test/host/simulator/faults.h"
#include "test/host/simulator/recording.h"
#include "test/host/stack/stack.h"

#define WORLD_PORTS_MAX 8 /* of a node or switch */
#define WORLD_NODES_MAX 64
#define WORLD_LINKS_MAX RECORDING_LINKS_MAX

struct world;
struct node;

/* Where a cable is plugged in: a node's interface, or one of a switch's sockets. */
struct port {
	struct node *node;
	struct net_device *dev; /* NULL at a switch */
	struct link *link;      /* NULL: nothing is plugged in */
	uint32_t side;          /* which end of the link: 0 or 1 */
	struct host_device device;
};

struct link {
	struct world *world;
	uint32_t number; /* 0 for the first that was made */
	struct port *end[2];
	struct fault_link way[2]; /* way[i]: from end[i] to the other */
	uint32_t frames;          /* that entered it, both ways */
	bool down;                /* unplugged: frames are lost, carriers are off */
	FILE *pcap;               /* every frame as it enters the link, or NULL */
};

struct station { /* a switch's memory of who is where */
	struct mac mac;
	uint32_t port;
};

struct node {
	struct world *world;
	char name[16];
	bool is_switch;
	struct host_stack stack; /* not at a switch */
	struct port ports[WORLD_PORTS_MAX];
	uint32_t port_count;
	struct station stations[256];
	uint32_t station_count;
};

struct world {
	uint64_t seed, now_us;
	struct node *nodes[WORLD_NODES_MAX];
	uint32_t node_count;
	struct link *links[WORLD_LINKS_MAX];
	uint32_t link_count;
	uint64_t events; /* since time last moved: a run that never ends shows */
	uint64_t frames, digest;
	struct recording *record;         /* frames are added to it, or NULL */
	const struct recording *expected; /* frames are compared with it, or NULL */
	bool differs;                     /* a difference was printed */
	struct world *older;              /* unfinished, like this one: see world_report.c */
};

/* Switches the host to virtual time, starting at 1 s. */
struct world *world_create(uint64_t seed);
void world_destroy(struct world *world);

/*
 * A host with a complete stack, lo up at 127.0.0.1; one that forwards packets between its ports;
 * and a switch that learns.
 */
struct node *world_add_node(struct world *world, const char *name);
struct node *world_add_router(struct world *world, const char *name);
struct node *world_add_switch(struct world *world, const char *name);

/* A new interface eth0, eth1, ... (MAC 02:00:00:00:NODE:PORT), up; or a switch's next socket. */
struct port *node_add_port(struct node *node);

/* Joins two ports; `faults` NULL: a perfect cable. Each direction draws from its own seed. */
struct link *world_link(struct world *world, struct port *a, struct port *b,
			const struct fault_settings *faults);
void link_set_down(struct link *link, bool down);
/* Changes the faults of both directions from now on. */
void link_set_faults(struct link *link, const struct fault_settings *faults);
/* Writes every frame as it enters the link, with virtual times. 0 or a negative errno. */
int link_capture(struct link *link, const char *path);

/*
 * Gives interface `port` an address, as ifconfig does; an MTU in bytes; the node a default route.
 * 0 or a negative errno.
 */
int node_set_address(struct node *node, uint32_t port, ip4_t address, uint8_t prefix_length);
int node_set_mtu(struct node *node, uint32_t port, uint32_t mtu);
int node_set_gateway(struct node *node, ip4_t gateway);

/* One event, if there is one before or at `limit_us`; false otherwise (the time stays). */
bool world_step(struct world *world, uint64_t limit_us);
void world_run_until(struct world *world, uint64_t time_us);
void world_run_for(struct world *world, uint64_t duration_us);
/* Until busy() answers false (true), or nothing is left but what lies beyond `limit_us` (false). */
bool world_run_while(struct world *world, bool (*busy)(void *context), void *context,
		     uint64_t limit_us);

/*
 * A number that stands for every frame that has entered a link so far: bytes, time, link and
 * direction. Two runs with the same digest are the same run.
 */
uint64_t world_digest(const struct world *world);

/* Keeps every frame from now on in `recording`. Before the first frame. */
void world_record(struct world *world, struct recording *recording);

/*
 * Compares every frame from now on with `recording`, which is an earlier run's (world_record, or
 * recording_load of pcap files that link_capture wrote). Before the first frame. The first that
 * differs is printed: seed, link, number, times, and both frames with the bytes that differ marked.
 */
void world_expect(struct world *world, const struct recording *recording);

/* So far, or at the end, all as recorded; frames that are missing are printed. */
bool world_is_as_expected(struct world *world);

/*
 * Runs a scenario twice with the same seed and compares. The scenario makes everything in the world
 * that it is given and closes its sockets, the world is destroyed for it. True when both runs were
 * the same; otherwise the first difference is on stderr.
 */
bool world_repeats(uint64_t seed, void (*scenario)(struct world *world, void *context),
		   void *context);

#endif
