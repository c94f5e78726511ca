/* Hash tables that double as they fill. */
#include "net/ipv4/hash_table.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"

#define HASH_TABLE_FIRST 16

static int hash_table_resize(struct hash_table *table, uint32_t bucket_count)
{
	struct hlist_head *buckets = kzalloc(bucket_count * sizeof(*buckets));

	if (!buckets)
		return -ENOMEM;
	for (uint32_t i = 0; i < table->bucket_count; i++) {
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): without buckets no round */
		struct hlist_node *at = table->buckets[i].first;

		while (at) {
			struct hlist_node *next = at->next;
			struct hash_node *node = container_of(at, struct hash_node, link);

			hlist_push(&buckets[node->hash & (bucket_count - 1)], at);
			at = next;
		}
	}
	kfree(table->buckets);
	table->buckets = buckets;
	table->bucket_count = bucket_count;
	return 0;
}

int hash_table_insert(struct hash_table *table, struct hash_node *node, uint32_t hash)
{
	if (!table->buckets) {
		int error = hash_table_resize(table, HASH_TABLE_FIRST);

		if (error)
			return error;
	} else if (table->count >= table->bucket_count / 2) {
		int error = hash_table_resize(table, table->bucket_count * 2);

		(void)error; /* longer chains until memory is there */
	}
	node->hash = hash;
	hlist_push(&table->buckets[hash & (table->bucket_count - 1)], &node->link);
	table->count++;
	return 0;
}

void hash_table_remove(struct hash_table *table, struct hash_node *node)
{
	if (!hash_node_linked(node))
		return;
	hlist_remove(&node->link);
	table->count--;
}

void hash_table_free(struct hash_table *table)
{
	kfree(table->buckets);
	*table = (struct hash_table){0};
}

struct hash_node *hash_table_next(const struct hash_table *table, struct hash_cursor *cursor)
{
	for (; cursor->bucket < table->bucket_count; cursor->bucket++, cursor->skip = 0) {
		struct hlist_node *at = table->buckets[cursor->bucket].first;

		for (uint32_t i = 0; at && i < cursor->skip; i++)
			at = at->next;
		if (at) {
			cursor->skip++;
			return container_of(at, struct hash_node, link);
		}
	}
	return NULL;
}
