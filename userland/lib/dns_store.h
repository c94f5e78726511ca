/*
 * Replies kept for as long as their servers allow (RFC 1035 section 3.2.1, RFC 2308), in a bounded
 * amount of memory. Time, in microseconds, comes as an argument.
 *
 * Who makes room when a bound is reached: the replies whose time is over, then the one that was
 * asked for longest ago.
 */
#ifndef USERLAND_LIB_DNS_STORE_H
#define USERLAND_LIB_DNS_STORE_H

#include "userland/lib/dns_wire.h"

#define DNS_STORE_REPLIES 256
#define DNS_STORE_BYTES (256u * 1024)
#define DNS_STORE_LONGEST (16u * 1024) /* a longer reply is not kept: it would drive out too many */

struct dns_store_entry {
	uint8_t *bytes; /* a whole reply (dns_reply.h) of its own memory; NULL: the entry is free */
	size_t length;
	uint32_t hash; /* of name and type: what tells most entries apart */
	uint64_t stored, expires, used;
};

/* All zeros is an empty store. */
struct dns_store {
	struct dns_store_entry entries[DNS_STORE_REPLIES];
	unsigned count;
	size_t bytes;
	uint64_t evicted; /* replies that had to go before their time */
};

/* The reply to a question, and its age in seconds; NULL when none is kept. Valid until a change. */
const struct dns_store_entry *dns_store_get(struct dns_store *store, const struct dns_name *name,
					    uint16_t type, uint64_t now, uint32_t *age);

/* Keeps a copy of a reply to this question for `lifetime` seconds, in place of an older one. */
void dns_store_put(struct dns_store *store, const struct dns_name *name, uint16_t type,
		   uint64_t now, const uint8_t *bytes, size_t length, uint32_t lifetime);

/* Forgets everything. */
void dns_store_clear(struct dns_store *store);

#endif
