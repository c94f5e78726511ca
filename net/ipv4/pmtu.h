/*
 * What is known of paths narrower than their first link (RFC 1191): a bounded cache by destination.
 * An entry lives 10 minutes, then larger packets are tried again; when the cache is full, the
 * oldest makes room.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_IPV4_PMTU_H
#define NET_IPV4_PMTU_H

#include "kernel/timer.h"
#include "net/core/addr.h"
#include "net/core/net.h"
#include "net/ipv4/hash_table.h"

#define PMTU_ENTRIES_MAX 1024
#define PMTU_LIFETIME_US (600 * USEC_PER_SEC)
#define PMTU_FLOOR 552 /* what a forged report cannot get below */

struct pmtu_entry {
	struct hash_node node;
	struct list_head age; /* cache->oldest_first */
	ip4_t destination;
	uint32_t mtu; /* bytes, at least PMTU_FLOOR */
	/*
	 * The report was below the floor: packets go out in pieces of the floor's size without DF.
	 */
	bool below_floor;
	uint64_t expires_us;
};

struct pmtu_cache {
	struct net *net;
	struct hash_table table;
	struct list_head oldest_first;
	struct timer timer; /* armed for the oldest entry's end */
};

void pmtu_init(struct pmtu_cache *cache, struct net *net);
void pmtu_free(struct pmtu_cache *cache) NEEDS_NET_LOCK;

/* The entry for a destination, or NULL. */
const struct pmtu_entry *pmtu_find(const struct pmtu_cache *cache, ip4_t destination);

/*
 * Enters or replaces. That a report does not raise what is known is the caller's to see to:
 * route_learn_mtu.
 */
void pmtu_learn(struct pmtu_cache *cache, ip4_t destination, uint32_t mtu) NEEDS_NET_LOCK;

/* Forgets everything: an interface's MTU changed. */
void pmtu_flush(struct pmtu_cache *cache) NEEDS_NET_LOCK;

#endif
