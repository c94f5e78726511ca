/*
 * What UDP and TCP need of a network layer, as a table of functions, so that IPv6 becomes a second
 * table and not a second UDP. IPv4's is in net/ipv4/ipv4_inet.c.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_CORE_INET_H
#define NET_CORE_INET_H

#include "net/core/addr.h"
#include "net/core/skbuff.h"

/* An ICMP error, whichever version brought it. */
struct icmp_error {
	uint8_t type, code;       /* as on the wire */
	int error;                /* positive errno: ECONNREFUSED, EHOSTUNREACH, EMSGSIZE... */
	bool hard;                /* ends a connected socket's call (RFC 1122 4.1.3.3) */
	uint32_t mtu;             /* fragmentation needed: the next hop's; else 0 */
	struct net_addr offender; /* who sent it */
};

struct inet_route {
	struct net_addr source; /* the one to use */
	uint32_t mtu;           /* of the path, in bytes of the network packet */
	uint32_t device_mtu;    /* of the first link */
	int ifindex;
	bool broadcast, multicast, local;
	bool ecn;          /* the administrator wants ECN on this way */
	uint32_t features; /* the device's NETDEV_* */
};

struct inet_send {
	struct net_addr source, destination;
	uint8_t protocol, ttl, tos;
	bool dont_fragment;
	bool ttl_given;       /* a ttl of 0 is meant; else 0 stands for the default */
	bool no_loop;         /* multicast: no copy to ourselves */
	bool ignore_path_mtu; /* the interface's MTU counts (IP_PMTUDISC_PROBE) */
	int ifindex;
	const uint8_t *options;
	uint8_t options_length;
};

struct inet_family {
	uint16_t family;       /* AF_INET */
	uint8_t header_length; /* without options */
	int (*route)(struct net *net, struct net_addr destination, struct net_addr source,
		     int ifindex, struct inet_route *route);
	/* May a socket bind to it? Broadcast and multicast too. */
	bool (*is_local)(struct net *net, struct net_addr address);
	uint32_t (*pseudo_sum)(struct net_addr source, struct net_addr destination,
			       uint8_t protocol, uint32_t length);
	/* Nothing comes back from there: IP may look whether its neighbour is alive. */
	void (*doubt)(struct net *net, struct net_addr destination);
	/* Owns skb. */
	int (*send)(struct net *net, struct sk_buff *skb, const struct inet_send *how);
};

#endif
