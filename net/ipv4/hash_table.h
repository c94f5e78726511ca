/*
 * Hash tables that grow with what they hold: intrusive nodes, chains, a power of two of buckets.
 *
 * The owner computes hashes (with a secret, where a peer could choose the keys) and compares keys;
 * the table keeps chains short by doubling when every second bucket would be in use. Growing that
 * finds no memory is put off: lookups stay right, only slower.
 */
#ifndef NET_IPV4_HASH_TABLE_H
#define NET_IPV4_HASH_TABLE_H

#include "kernel/list.h"
#include "kernel/types.h"

struct hash_node {
	struct hlist_node link;
	uint32_t hash;
};

struct hash_table {
	struct hlist_head *buckets; /* NULL until the first insertion */
	uint32_t bucket_count;      /* a power of two, or 0 */
	uint32_t count;             /* nodes */
};

/* 0 or -ENOMEM: only the first insertion can fail. The node becomes the first of its chain. */
int hash_table_insert(struct hash_table *table, struct hash_node *node, uint32_t hash) __must_check;

/* Harmless on a node (zeroed at first) that is in no table. */
void hash_table_remove(struct hash_table *table, struct hash_node *node);

/* Frees the buckets; the nodes are the owner's. */
void hash_table_free(struct hash_table *table);

static inline bool hash_node_linked(const struct hash_node *node)
{
	return node->link.link != NULL;
}

/* A walk along the chain where nodes with `hash` are. */
struct hash_walk {
	struct hlist_node *at; /* NULL: the end */
	uint32_t hash;
};

static inline struct hash_walk hash_table_walk(const struct hash_table *table, uint32_t hash)
{
	struct hash_walk walk = {.hash = hash};

	if (table->count)
		walk.at = table->buckets[hash & (table->bucket_count - 1)].first;
	return walk;
}

/* Visits the nodes that have exactly `wanted`; `entry` embeds a struct hash_node as `member`. */
#define hash_table_for_each(entry, table, wanted, member)                                        \
	for (struct hash_walk walk = hash_table_walk(table, wanted);                             \
	     walk.at && ((entry) = container_of(walk.at, __typeof__(*(entry)), member.link), 1); \
	     walk.at = walk.at->next)                                                            \
		if ((entry)->member.hash == walk.hash)

/* Visits every node; the body may remove or free `entry`, and nothing else. */
#define hash_table_for_each_safe(entry, table, member)                                             \
	for (uint32_t bucket_at = 0; bucket_at < (table)->bucket_count; bucket_at++)               \
		for (struct hlist_node *chain_at = (table)->buckets[bucket_at].first, *chain_next; \
		     chain_at &&                                                                   \
		     (chain_next = chain_at->next,                                                 \
		     (entry) = container_of(chain_at, __typeof__(*(entry)), member.link), 1);      \
		     chain_at = chain_next)

/*
 * A walk that can be left and taken up again: the next node, or NULL at the end. What was added or
 * removed meanwhile is perhaps missed or seen twice.
 */
struct hash_cursor {
	uint32_t bucket; /* at first 0 */
	uint32_t skip;   /* nodes of it that were seen */
};
struct hash_node *hash_table_next(const struct hash_table *table, struct hash_cursor *cursor);

/*
 * Mixes words into a hash: multiply and fold, good enough under a secret seed. The third word comes
 * in when the others have been mixed with the secret, so that no one can choose it to make up for
 * them.
 */
static inline uint32_t hash_words(uint32_t a, uint32_t b, uint32_t c, uint32_t secret)
{
	uint64_t x = ((uint64_t)a << 32 | b) + secret * 0xd6e8feb86659fd93ull;

	x = (x ^ (x >> 32)) * 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 29) ^ c) * 0xbf58476d1ce4e5b9ull;
	return (uint32_t)(x ^ (x >> 32));
}

#endif
