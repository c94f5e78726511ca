/* What the listing, the changing and the looking up of routes share. Needs the net lock. */
#ifndef NET_NETLINK_RTNETLINK_ROUTE_H
#define NET_NETLINK_RTNETLINK_ROUTE_H

#include "net/ipv4/route.h"
#include "net/netlink/rtnetlink.h"

/* The attributes that a request about routes may have. */
#define ROUTE_ATTRIBUTES (RTA_NH_ID + 1)
extern const struct netlink_policy rtnetlink_route_policy;

/* RTN_* of a route. */
uint8_t rtnetlink_route_type(uint8_t type);

/* RTA_METRICS; nothing when there is none to tell. `mtu` 0: none. */
void rtnetlink_put_metrics(struct netlink_writer *writer, uint32_t mtu, bool ecn);

/* RTM_NEWROUTE and RTM_DELROUTE: rtnetlink_route_change.c. */
int rtnetlink_change_route(struct netlink_request *request) NEEDS_NET_LOCK;
/* RTM_GETROUTE for one destination: rtnetlink_route_get.c. */
int rtnetlink_get_route(struct netlink_request *request) NEEDS_NET_LOCK;

#endif
