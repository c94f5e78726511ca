/*
 * What the files of net/ethernet/ share among themselves: the state that hangs off
 * net->state[NET_STATE_ETHERNET].
 */
#ifndef NET_ETHERNET_ETHERNET_PRIVATE_H
#define NET_ETHERNET_ETHERNET_PRIVATE_H

#include "net/core/netdevice.h"
#include "net/ethernet/arp_table.h"

struct ethernet {
	struct link_type link_type;
	struct link_protocol arp_protocol;
	struct device_notifier notifier;
	struct arp_table arp;
};

static inline struct ethernet *ethernet_of(struct net *net)
{
	return net->state[NET_STATE_ETHERNET];
}

static inline struct arp_table *arp_table_of(const struct net_device *dev)
{
	return &ethernet_of(dev->net)->arp;
}

/* An ARP packet came in: data at the ARP header. Owns skb. */
void arp_receive(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK;

/* The neighbour's address is `mac`: REACHABLE, and what waited goes out. */
void arp_resolve(struct arp_entry *entry, struct mac mac) NEEDS_NET_LOCK;

/* Every entry's timer function. */
void arp_timer_fired(struct timer *timer) NEEDS_NET_LOCK;

#endif
