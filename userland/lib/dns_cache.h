/*
 * Answers kept as long as their servers allow (RFC 1035 section 3.2.1, TTL), in a fixed amount of
 * memory. Pure: time, in microseconds, comes as an argument.
 */
#ifndef USERLAND_LIB_DNS_CACHE_H
#define USERLAND_LIB_DNS_CACHE_H

#include "userland/lib/dns_query.h"

#define DNS_CACHE_SIZE 16

struct dns_cache_entry {
	struct dns_name name;
	uint16_t type;
	uint64_t stored, expires; /* an entry that has expired, or was never used, is free */
	struct dns_answer answer;
};

/* All zeros is an empty cache. */
struct dns_cache {
	struct dns_cache_entry entries[DNS_CACHE_SIZE];
};

/* The answer as it was stored, with the TTLs that are left. */
bool dns_cache_get(const struct dns_cache *cache, const struct dns_name *name, enum dns_type type,
		   uint64_t now, struct dns_answer *answer);

/* Keeps a whole answer. When the cache is full, the entry that would expire first makes room. */
void dns_cache_put(struct dns_cache *cache, const struct dns_name *name, enum dns_type type,
		   uint64_t now, const struct dns_answer *answer);

#endif
