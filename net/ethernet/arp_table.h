/*
 * The table of neighbours: a hash table of at most ARP_ENTRIES_MAX entries, and three lists by
 * usefulness that say who makes room when it is full. What the states mean and when they change is
 * arp.c's.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_ETHERNET_ARP_TABLE_H
#define NET_ETHERNET_ARP_TABLE_H

#include "kernel/list.h"
#include "kernel/timer.h"
#include "net/core/addr.h"
#include "net/core/net.h"
#include "net/core/skbuff.h"

struct net_device;
struct arp_address_operations;

#define ARP_BUCKETS_LOG2 9
#define ARP_WATCHES 8

enum arp_state {
	ARP_INCOMPLETE, /* asking; packets wait */
	ARP_REACHABLE,  /* answered within the last 60 s */
	ARP_STALE,      /* usable, but being asked again */
	ARP_PERMANENT,  /* set by hand */
};

/*
 * The least useful first. An entry made for a stranger's request never displaces one that we made;
 * one that we need displaces strangers first, then those that have not answered, then the one not
 * used for longest.
 */
enum arp_use {
	ARP_LEARNED, /* from a request to us; nothing was sent to it */
	ARP_ASKED,   /* incomplete */
	ARP_USED,    /* something was sent to it */
	ARP_FIXED,   /* permanent: never displaced */
	ARP_USES
};

struct arp_entry {
	struct hlist_node in_bucket;
	struct list_head in_list; /* table->by_use[use], the longest unused first */
	struct net_device *dev;
	ip4_t address;
	struct mac mac;     /* not in ARP_INCOMPLETE */
	uint8_t state;      /* enum arp_state */
	uint8_t use;        /* enum arp_use */
	uint8_t tries;      /* requests sent since it was last known to answer */
	bool used;          /* to send, since it was last known to answer */
	struct timer timer; /* the next try, or the end of reachability; not in ARP_PERMANENT */
	struct skb_queue waiting; /* ARP_INCOMPLETE: at most ARP_QUEUE_MAX, ARP_QUEUE_BYTES_MAX */
};

/*
 * An address of ours (or one that we would like to have) about which there may be a dispute (RFC
 * 5227).
 */
struct arp_watch {
	struct net_device *dev; /* NULL: the slot is free */
	ip4_t address;
	uint64_t probing_until_us; /* 0: not probing */
	uint64_t defend_again_us;  /* no announcement before */
};

struct arp_table {
	struct net *net;
	uint32_t seed; /* so that nobody can aim at one bucket */
	uint32_t count;
	struct hlist_head buckets[1 << ARP_BUCKETS_LOG2];
	struct list_head by_use[ARP_USES];
	struct arp_watch watches[ARP_WATCHES];
	uint32_t next_watch;                             /* the slot to be reused next */
	const struct arp_address_operations *operations; /* NULL before IPv4 registers */
	struct list_head observers;                      /* struct arp_observer */
};

void arp_table_init(struct arp_table *table, struct net *net);

/* Removes every entry; packets that wait are dropped. */
void arp_table_clear(struct arp_table *table) NEEDS_NET_LOCK;

struct arp_entry *arp_find(struct arp_table *table, const struct net_device *dev,
			   ip4_t address) NEEDS_NET_LOCK;

/* A new entry, displacing a less useful one if need be. NULL: no memory, or nobody to displace. */
struct arp_entry *arp_insert(struct arp_table *table, struct net_device *dev, ip4_t address,
			     enum arp_use use, timer_function *timer) NEEDS_NET_LOCK;

/* Tells the observers. */
void arp_tell(const struct arp_table *table, const struct arp_entry *entry,
	      bool gone) NEEDS_NET_LOCK;

/* Unlinks and frees; packets that wait are dropped (ARP_UNRESOLVED). */
void arp_remove(struct arp_table *table, struct arp_entry *entry) NEEDS_NET_LOCK;

/* To the end of the list of `use`. */
void arp_set_use(struct arp_table *table, struct arp_entry *entry, enum arp_use use) NEEDS_NET_LOCK;

/* The watch on (dev, address), or NULL; `make`: the oldest slot is taken for it. */
struct arp_watch *arp_find_watch(struct arp_table *table, struct net_device *dev, ip4_t address,
				 bool make) NEEDS_NET_LOCK;

#endif
