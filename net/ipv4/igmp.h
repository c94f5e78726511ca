/*
 * IGMP, the host's side (RFC 2236, RFC 3376): which multicast groups an interface belongs to, and
 * telling the routers. Joins are counted; sources are not filtered, so every membership is EXCLUDE
 * {}. A querier of an older version makes the interface speak that version (RFC 3376 7.2.1).
 *
 * Needs the net lock throughout.
 */
#ifndef NET_IPV4_IGMP_H
#define NET_IPV4_IGMP_H

#include "kernel/lib/text.h"
#include "net/ipv4/igmp_wire.h"
#include "net/ipv4/ipv4.h"

struct igmp_group {
	struct hash_node node; /* ip4_interface.groups */
	struct ip4_interface *interface;
	ip4_t group;
	uint32_t users; /* 0: left, only the last reports are still to be sent */
	struct timer timer;
	uint8_t changes_left; /* state-change reports still to be sent */
	bool response_due;    /* a query is to be answered */
	bool last_reporter;   /* version 2: ours was the last report heard */
};

/* Registers the protocol. 0 or a negative errno. */
int igmp_init(struct net *net);

/* 0, -ENOMEM. Counted: each join wants its leave. Any device; only those on a wire report. */
int igmp_join(struct net_device *dev, ip4_t group) NEEDS_NET_LOCK;
void igmp_leave(struct net_device *dev, ip4_t group) NEEDS_NET_LOCK;

/* Is the interface to take packets to this group? All-hosts always. */
bool igmp_is_member(const struct net_device *dev, ip4_t group) NEEDS_NET_LOCK;

/* The link address of a group (RFC 1112 6.4): its low 23 bits in 01-00-5e-00-00-00. */
struct mac igmp_group_mac(ip4_t group);

/* Called as interfaces come and go: ipv4_address.c. */
int igmp_interface_init(struct ip4_interface *interface) NEEDS_NET_LOCK;
void igmp_interface_up(struct ip4_interface *interface)
	NEEDS_NET_LOCK; /* reports all groups anew */
void igmp_interface_down(struct ip4_interface *interface) NEEDS_NET_LOCK;
void igmp_interface_free(struct ip4_interface *interface) NEEDS_NET_LOCK;

/* /proc/net/igmp in Linux's format. Takes the net lock. */
void igmp_show(struct text *text, void *net);

#endif
