/*
 * NETLINK_ROUTE (rtnetlink(7)): links, IPv4 addresses, routes and neighbours, listed, changed, and
 * told of when they change. Each matter has a file of its own; rtnetlink.c knows them all.
 *
 * Needs the net lock throughout, but for init and destroy.
 */
#ifndef NET_NETLINK_RTNETLINK_H
#define NET_NETLINK_RTNETLINK_H

#include "include/uapi/rtnetlink.h"
#include "net/ethernet/arp.h"
#include "net/ipv4/ipv4_observer.h"
#include "net/netlink/netlink.h"

struct arp_entry;

/* What changed how often: for NLM_F_DUMP_INTR. */
struct rtnetlink_generations {
	uint32_t links, addresses, routes, neighbours;
};

struct rtnetlink { /* net->state[NET_STATE_RTNETLINK] */
	struct net *net;
	struct netlink_protocol protocol;
	struct device_notifier notifier;
	struct ip4_observer ip4_observer;
	struct arp_observer arp_observer;
	struct rtnetlink_generations generations;
};

static inline struct rtnetlink *rtnetlink_of(struct net *net)
{
	return net->state[NET_STATE_RTNETLINK];
}

/* 0 or -ENOMEM. */
int rtnetlink_init(struct net *net) EXCLUDES(net_lock_held);
void rtnetlink_destroy(struct net *net) EXCLUDES(net_lock_held);

/*
 * One message's matter; `change` is of NEW, DEL and SET (the sender may), `get` asks for one,
 * `dump` for all. NULL: not there, -EOPNOTSUPP. 0 or a negative errno.
 */
struct rtnetlink_matter {
	int (*change)(struct netlink_request *request);
	int (*get)(struct netlink_request *request);
	int (*dump)(struct netlink_request *request);
};
extern const struct rtnetlink_matter rtnetlink_links, rtnetlink_addresses, rtnetlink_routes,
	rtnetlink_neighbours, rtnetlink_rules, rtnetlink_disciplines, rtnetlink_discipline_parts,
	rtnetlink_neighbour_tables, rtnetlink_configuration, rtnetlink_statistics;

/* A list without entries: struct netlink_dump's `fill`, and struct rtnetlink_matter's `dump`. */
bool rtnetlink_fill_nothing(struct netlink_dump *dump, struct netlink_writer *writer);
int rtnetlink_dump_nothing(struct netlink_request *request) NEEDS_NET_LOCK;

/* The device with the least number above `after`, or NULL. rtnetlink_link.c */
struct net_device *rtnetlink_next_device(struct net *net, int after) NEEDS_NET_LOCK;
/* A device's counters as programs read them. rtnetlink_link.c */
struct rtnl_link_stats64 rtnetlink_link_statistics(const struct net_device *dev) NEEDS_NET_LOCK;

/* The first byte of every request. */
static inline uint8_t rtnetlink_family(const struct netlink_request *request)
{
	return request->message->payload[0];
}

/*
 * The fixed part of a request: what is there of it, the rest zeroes (a struct rtgenmsg is enough
 * for a dump). 0; -EINVAL when it must be whole: for changes, and where the socket is strict.
 */
int rtnetlink_fixed_part(struct netlink_request *request, void *to, size_t size,
			 bool whole) NEEDS_NET_LOCK;

/* One message each; what `netlink_end` says. `header` has the type and flags. */
bool rtnetlink_put_link(struct netlink_writer *writer, const struct nlmsghdr *header,
			const struct net_device *dev) NEEDS_NET_LOCK;
bool rtnetlink_put_address(struct netlink_writer *writer, const struct nlmsghdr *header,
			   const struct net_device *dev,
			   const struct ip4_address *address) NEEDS_NET_LOCK;
bool rtnetlink_put_route(struct netlink_writer *writer, const struct nlmsghdr *header,
			 const struct route *route) NEEDS_NET_LOCK;
bool rtnetlink_put_neighbour(struct netlink_writer *writer, const struct nlmsghdr *header,
			     const struct arp_entry *entry, bool gone) NEEDS_NET_LOCK;

/* rtnetlink_notify.c: the observers' functions. */
void rtnetlink_link_changed(struct device_notifier *notifier, struct net_device *dev,
			    enum device_event event) NEEDS_NET_LOCK;
void rtnetlink_address_changed(struct ip4_observer *observer, struct net_device *dev,
			       const struct ip4_address *address, bool gone) NEEDS_NET_LOCK;
void rtnetlink_route_changed(struct ip4_observer *observer, const struct route *route,
			     bool gone) NEEDS_NET_LOCK;
void rtnetlink_neighbour_changed(struct arp_observer *observer, const struct arp_entry *entry,
				 bool gone) NEEDS_NET_LOCK;

#define RTNETLINK_MESSAGE_ROOM 1024 /* bytes: more than any one message takes */

#endif
