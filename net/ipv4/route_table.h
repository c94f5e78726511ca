/*
 * The table behind route.h, for net/ipv4's own files: one hash table for each prefix length in use,
 * and a small cache of results in front.
 *
 * The cache is direct-mapped, so a flood of destinations costs misses and no memory. Whatever
 * changes an answer (routes, addresses, MTUs) moves `generation`, which empties it.
 */
#ifndef NET_IPV4_ROUTE_TABLE_H
#define NET_IPV4_ROUTE_TABLE_H

#include "net/ipv4/hash_table.h"
#include "net/ipv4/route.h"

#define ROUTE_CACHE_ENTRIES 256 /* a power of two; 16 KiB */
#define ROUTE_LENGTHS 33        /* prefixes of 0 to 32 bits */

struct route_cache_entry {
	ip4_t destination;
	int ifindex;
	uint32_t generation;
	struct route_result result;
};

struct route_table {
	struct hash_table of_length[ROUTE_LENGTHS];
	uint64_t lengths_used; /* bit n: there are routes of n bits */
	uint32_t generation;   /* of the answers */
	struct route_cache_entry cache[ROUTE_CACHE_ENTRIES];
};

void route_table_init(struct route_table *table);
void route_table_free(struct net *net) NEEDS_NET_LOCK;

/* Forgets cached answers. */
static inline void route_table_changed(struct route_table *table)
{
	table->generation++;
}

/*
 * What an address is to this host: ROUTE_LOCAL, ROUTE_BROADCAST, ROUTE_MULTICAST, or ROUTE_UNICAST
 * for all others. One hash probe: what input asks about every packet's two addresses.
 */
enum route_type route_type_of(struct net *net, ip4_t address) NEEDS_NET_LOCK;

/* The interface that has the address, or NULL. */
struct net_device *route_device_of_address(struct net *net, ip4_t address) NEEDS_NET_LOCK;

#endif
