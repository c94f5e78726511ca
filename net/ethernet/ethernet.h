/*
 * Ethernet II: framing in and out.
 *
 * In: length and address checks, packet_type, the link header taken off, then link_deliver by
 * EtherType. Out: the header in front, padding to 60 bytes left to the device, dev_xmit.
 */
#ifndef NET_ETHERNET_ETHERNET_H
#define NET_ETHERNET_ETHERNET_H

#include "net/core/netdevice.h"

#define ETHERNET_HEADER_LENGTH 14
#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IP6 0x86dd
#define ETHERTYPE_MIN 0x0600 /* below: an 802.3 length */

/* Registers /proc/net/arp. Process context. 0 or -ENOMEM. */
int ethernet_proc_init(struct net *net);

/*
 * Registers Ethernet and ARP with the stack; its state hangs off net->state[NET_STATE_ETHERNET]. 0
 * or -ENOMEM.
 */
int ethernet_init(struct net *net);
void ethernet_destroy(struct net *net);

/* Puts the header in front and transmits. Owns skb. */
void ethernet_send(struct net_device *dev, struct sk_buff *skb, struct mac destination,
		   uint16_t ethertype) NEEDS_NET_LOCK;

#endif
