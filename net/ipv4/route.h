/*
 * The one route table: every sender asks it, and it alone decides interface, next hop and source
 * address.
 *
 * Longest prefix first, then the lowest metric, then the newest. Lookup cost does not grow with the
 * number of routes: one hash table for each prefix length in use; never a list walk.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_IPV4_ROUTE_H
#define NET_IPV4_ROUTE_H

#include "kernel/lib/text.h"
#include "net/core/netdevice.h"
#include "net/ipv4/hash_table.h"

enum route_type {
	ROUTE_UNICAST,
	ROUTE_LOCAL,     /* an address of ours */
	ROUTE_BROADCAST, /* a subnet's broadcast address */
	ROUTE_MULTICAST,
	ROUTE_UNREACHABLE, /* "reject" */
};

struct route {
	struct hash_node node; /* in the table of its prefix length */
	ip4_t destination;     /* masked */
	uint8_t prefix_length;
	uint8_t type;         /* enum route_type */
	uint8_t protocol;     /* RTPROT_*: who made it, for whom it matters; 0: not told */
	bool made_by_address; /* comes and goes with an interface address */
	bool ecn;             /* TCP asks for ECN here, whatever tcp_ecn says: RFC 3168 6.1.1 */
	uint32_t metric;
	ip4_t gateway; /* 0: on the link */
	ip4_t source;  /* preferred source address, or 0 */
	/* NULL only for ROUTE_UNREACHABLE, or in route_add with a gateway. */
	struct net_device *dev;
	uint32_t mtu; /* 0: the device's */
};

/* What a sender needs to know; a value, holding no reference. */
struct route_result {
	enum route_type type;
	struct net_device *dev;
	ip4_t next_hop; /* the gateway, or the destination itself */
	ip4_t source;   /* to use when the sender has not chosen; 0 when the interface has none */
	uint32_t mtu;   /* of the path, as far as it is known (RFC 1191) */
	bool no_df;     /* the path is narrower than we believe reports of: leave DF clear */
	bool ecn;       /* as the route has it */
};

/*
 * Finds the way to `destination`. `source` 0: not chosen yet; it decides the interface of multicast
 * and limited broadcast. `ifindex` 0: any interface; else the packet is bound to it, and on-link
 * when no route through it fits. 0, -ENETUNREACH, -ENODEV (no such interface) or -EHOSTUNREACH (an
 * unreachable route).
 */
int route_lookup(struct net *net, ip4_t destination, ip4_t source, int ifindex,
		 struct route_result *result) NEEDS_NET_LOCK;

/*
 * Copies `route` into the table. Without a device, the gateway's is taken. 0, -EEXIST, -ENOMEM;
 * -EINVAL for bits beyond the prefix; -ENETUNREACH for a gateway that is not on a link; -ENODEV,
 * -ENETDOWN.
 */
int route_add(struct net *net, const struct route *route) NEEDS_NET_LOCK;

/*
 * Deletes the newest route to the same prefix of the same type; gateway, device, metric, source and
 * protocol count where they are not 0. 0 or -ESRCH.
 */
int route_delete(struct net *net, const struct route *route) NEEDS_NET_LOCK;

/*
 * route_ecn.c: "ip route change ... features ecn". All routes to the prefix. 0 or -ESRCH.
 */
int route_set_ecn(struct net *net, ip4_t destination, uint8_t prefix_length,
		  bool ecn) NEEDS_NET_LOCK;
/*
 * /proc/sys/net/ipv4/route/ecn, by which the administrator reaches it: a line "10.0.0.0/8 1" for
 * each prefix that has it; such a line is written to set it, with 0 to take it back. They take the
 * net lock; 0, -EINVAL or -ESRCH.
 */
void route_show_ecn(struct text *text, void *net);
int route_store_ecn(const char *line, void *net);

/*
 * A walk through all routes: the next one, or NULL at the end. It may be taken up again later;
 * what was added or removed meanwhile is perhaps missed or seen twice.
 */
struct route_cursor {
	uint32_t length; /* of prefixes; at first all 0 */
	struct hash_cursor within;
};
const struct route *route_next(struct net *net, struct route_cursor *cursor) NEEDS_NET_LOCK;

/* A device goes down: all of its routes go. */
void route_flush_device(struct net_device *dev) NEEDS_NET_LOCK;

/*
 * Path MTU learned from an ICMP error: kept 10 minutes, never below 552 unless the device's is,
 * bounded in number (pmtu.h). A report that is no smaller than what is known is ignored.
 */
void route_learn_mtu(struct net *net, ip4_t destination, uint32_t mtu) NEEDS_NET_LOCK;

/* /proc/net/route in Linux's format. Takes the net lock. */
void route_show(struct text *text, void *net);

#endif
