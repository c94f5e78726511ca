/*
 * ARP (RFC 826, RFC 1122 2.3.2, RFC 5227): who has this IPv4 address on this Ethernet?
 *
 * An entry is made only because one of our own packets needs it, by SIOCSARP, or for the sender of
 * a request to us; never from an unsolicited reply. States: INCOMPLETE (asking; at most
 * ARP_QUEUE_MAX packets wait), REACHABLE (60 s), STALE (usable while it is being asked again),
 * PERMANENT. An entry that does not answer, or that nothing was sent to in its 60 s, is gone. The
 * table has ARP_ENTRIES_MAX entries; the least useful makes room.
 *
 * What an address of ours is, ARP does not know: IPv4 tells it (arp_address_operations).
 */
#ifndef NET_ETHERNET_ARP_H
#define NET_ETHERNET_ARP_H

#include "kernel/lib/text.h"
#include "net/core/netdevice.h"

#define ARP_ENTRIES_MAX 1024
#define ARP_QUEUE_MAX 32          /* packets: as many probes as a traceroute begins with */
#define ARP_QUEUE_BYTES_MAX 65536 /* of truesize, beyond the latest packet */
#define ARP_REACHABLE_US (60 * USEC_PER_SEC)
#define ARP_RETRY_US (1 * USEC_PER_SEC)
#define ARP_TRIES 3
#define ARP_PROBE_WAIT_US (2 * USEC_PER_SEC) /* RFC 5227 ANNOUNCE_WAIT: a probe counts this long */
#define ARP_DEFEND_INTERVAL_US (10 * USEC_PER_SEC) /* RFC 5227 DEFEND_INTERVAL */

/* Registered by IPv4. All need the net lock. */
struct arp_address_operations {
	/* Is this an address of ours on the device, to be answered for? */
	bool (*is_ours)(struct net_device *dev, ip4_t address);
	/* The source address for a request about `target` (0.0.0.0 makes it a probe). */
	ip4_t (*source_for)(struct net_device *dev, ip4_t target);
	/*
	 * A packet that waited for a neighbour who does not answer: owns skb, tells its sender
	 * (host unreachable).
	 */
	void (*unreachable)(struct net_device *dev, struct sk_buff *skb);
	/*
	 * Somebody else claims our address (ARP defends it), or the one that we are probing. May be
	 * NULL.
	 */
	void (*conflict)(struct net_device *dev, ip4_t address, struct mac other);
	/*
	 * Can a host of this address stand on the device's own link? Others are never learned.
	 * NULL: all can.
	 */
	bool (*may_be_neighbour)(struct net_device *dev, ip4_t address);
};
void arp_set_address_operations(struct net *net, const struct arp_address_operations *operations);

/*
 * Sends an IPv4 packet to its next hop, a unicast address, on an Ethernet device: at once when the
 * neighbour is known, or after resolution. Owns skb.
 */
void arp_send(struct net_device *dev, struct sk_buff *skb, ip4_t next_hop) NEEDS_NET_LOCK;

/* An upper layer hears nothing from behind a neighbour: it is asked at once whether it is there. */
void arp_doubt(struct net_device *dev, ip4_t neighbour) NEEDS_NET_LOCK;

/* RFC 5227: a probe (sender address 0), an announcement (sender = target = address). */
void arp_probe(struct net_device *dev, ip4_t address) NEEDS_NET_LOCK;
void arp_announce(struct net_device *dev, ip4_t address) NEEDS_NET_LOCK;

/* SIOCSARP, SIOCDARP, SIOCGARP: 0, -ENOMEM, or -ENXIO when there is no such entry. */
int arp_set_permanent(struct net_device *dev, ip4_t address, struct mac mac,
		      bool permanent) NEEDS_NET_LOCK;
int arp_delete(struct net_device *dev, ip4_t address) NEEDS_NET_LOCK;
int arp_lookup(struct net_device *dev, ip4_t address, struct mac *mac,
	       uint32_t *atf_flags) NEEDS_NET_LOCK;

/* Forgets everything learned on a device; permanent entries stay. */
void arp_flush(struct net_device *dev) NEEDS_NET_LOCK;
/* The device goes: permanent entries too. */
void arp_forget_device(struct net_device *dev) NEEDS_NET_LOCK;

/*
 * Who is told of neighbours: that one is known, or known otherwise than before, or (`gone`) no
 * longer. Needs the net lock throughout; so do (un)registering.
 */
struct arp_entry; /* arp_table.h */
struct arp_observer {
	struct list_head link; /* arp_table.observers */
	void (*changed)(struct arp_observer *observer, const struct arp_entry *entry, bool gone);
};
void arp_observer_register(struct net *net, struct arp_observer *observer) NEEDS_NET_LOCK;
void arp_observer_unregister(struct arp_observer *observer) NEEDS_NET_LOCK;

/* The entry, or NULL. */
const struct arp_entry *arp_neighbour(struct net_device *dev, ip4_t address) NEEDS_NET_LOCK;
/*
 * A walk through all entries, as struct hash_cursor's: `use` and `skip` are at first 0. The next
 * one, or NULL at the end.
 */
struct arp_cursor {
	uint32_t use, skip;
};
const struct arp_entry *arp_next(struct net *net, struct arp_cursor *cursor) NEEDS_NET_LOCK;

/* /proc/net/arp in Linux's format. */
void arp_show(struct net *net, struct text *text);

#endif
