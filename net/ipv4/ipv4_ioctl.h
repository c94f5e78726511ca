/*
 * IPv4's ioctls: addresses in ipv4_ioctl.c, routes in route_ioctl.c, the ARP cache in arp_ioctl.c.
 * Arguments are in kernel memory, and so is what they point to.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_IPV4_IPV4_IOCTL_H
#define NET_IPV4_IPV4_IOCTL_H

#include "include/uapi/if_arp.h"
#include "include/uapi/route.h"
#include "net/core/addr.h"
#include "net/core/net.h"

/* SIOCADDRT and SIOCDELRT. */
int ip4_route_ioctl(struct net *net, uint32_t command, const struct rtentry *entry) NEEDS_NET_LOCK;

/* SIOCSARP, SIOCGARP and SIOCDARP. */
int ip4_arp_ioctl(struct net *net, uint32_t command, struct arpreq *request) NEEDS_NET_LOCK;

/* The address in a sockaddr_in; its family is the caller's to check. */
ip4_t ip4_of_sockaddr(const struct sockaddr *from);

/* The prefix length of a mask, or -EINVAL when its ones are not all in front. */
int ip4_length_of_mask(ip4_t mask);

#endif
