/*
 * The IGMP messages that we send, in whichever version the link's querier speaks. For igmp.c.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_IPV4_IGMP_REPORT_H
#define NET_IPV4_IGMP_REPORT_H

#include "net/ipv4/igmp.h"

/* 1, 2 or 3: RFC 3376 7.2.1. */
uint32_t igmp_version(const struct ip4_interface *interface);

/*
 * Is the group reported at all? Not all-hosts (RFC 2236 6), not on loopback, not while the
 * interface is down.
 */
bool igmp_reports(const struct ip4_interface *interface, ip4_t group);

/* The group was joined (users > 0) or left. */
void igmp_report_change(struct igmp_group *group, uint32_t version) NEEDS_NET_LOCK;

/* The answer to a query for one group. */
void igmp_report_group(struct igmp_group *group, uint32_t version) NEEDS_NET_LOCK;

/* The answer to a version 3 general query: every group of the interface. */
void igmp_report_all(struct ip4_interface *interface) NEEDS_NET_LOCK;

#endif
