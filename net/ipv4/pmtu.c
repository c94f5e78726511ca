/* The path MTU cache (RFC 1191 section 6.3). */
#include "net/ipv4/pmtu.h"

#include "kernel/mm/kmalloc.h"
#include "net/ipv4/ipv4_state.h"

static uint32_t pmtu_hash(const struct pmtu_cache *cache, ip4_t destination)
{
	return hash_words(destination, 0, 0, ip4_stack(cache->net)->hash_secret);
}

static struct pmtu_entry *find(const struct pmtu_cache *cache, ip4_t destination)
{
	struct pmtu_entry *entry;

	if (cache->table.count == 0)
		return NULL;
	hash_table_for_each(entry, &cache->table, pmtu_hash(cache, destination), node) {
		if (entry->destination == destination)
			return entry;
	}
	return NULL;
}

const struct pmtu_entry *pmtu_find(const struct pmtu_cache *cache, ip4_t destination)
{
	return find(cache, destination);
}

static void forget(struct pmtu_cache *cache, struct pmtu_entry *entry)
{
	hash_table_remove(&cache->table, &entry->node);
	list_remove(&entry->age);
	kfree(entry);
}

static struct pmtu_entry *oldest(const struct pmtu_cache *cache)
{
	if (list_empty(&cache->oldest_first))
		return NULL;
	return list_first_entry(&cache->oldest_first, struct pmtu_entry, age);
}

static void arm_for_oldest(struct pmtu_cache *cache) NEEDS_NET_LOCK
{
	struct pmtu_entry *first = oldest(cache);

	if (first)
		net_timer_arm(cache->net, &cache->timer, first->expires_us);
	else
		net_timer_cancel(cache->net, &cache->timer);
}

static void expire(struct timer *timer) NEEDS_NET_LOCK
{
	struct pmtu_cache *cache = container_of(timer, struct pmtu_cache, timer);
	uint64_t now_us = net_now(cache->net);
	struct pmtu_entry *entry;

	while ((entry = oldest(cache)) && entry->expires_us <= now_us)
		forget(cache, entry);
	route_table_changed(&ip4_stack(cache->net)->routes);
	arm_for_oldest(cache);
}

void pmtu_init(struct pmtu_cache *cache, struct net *net)
{
	cache->net = net;
	list_init(&cache->oldest_first);
	timer_init(&cache->timer, expire);
}

void pmtu_flush(struct pmtu_cache *cache)
{
	struct pmtu_entry *entry;

	while ((entry = oldest(cache)))
		forget(cache, entry);
	net_timer_cancel(cache->net, &cache->timer);
	route_table_changed(&ip4_stack(cache->net)->routes);
}

void pmtu_free(struct pmtu_cache *cache)
{
	pmtu_flush(cache);
	hash_table_free(&cache->table);
}

static struct pmtu_entry *enter(struct pmtu_cache *cache, ip4_t destination)
{
	if (cache->table.count >= PMTU_ENTRIES_MAX)
		forget(cache, oldest(cache));

	struct pmtu_entry *entry = kzalloc(sizeof(*entry));

	if (!entry)
		return NULL;
	entry->destination = destination;
	list_init(&entry->age);
	if (hash_table_insert(&cache->table, &entry->node, pmtu_hash(cache, destination))) {
		kfree(entry);
		return NULL;
	}
	return entry;
}

void pmtu_learn(struct pmtu_cache *cache, ip4_t destination, uint32_t mtu)
{
	struct pmtu_entry *entry = find(cache, destination);

	if (!entry)
		entry = enter(cache, destination);
	if (!entry)
		return;
	entry->below_floor = mtu < PMTU_FLOOR;
	entry->mtu = MAX(mtu, PMTU_FLOOR);
	entry->expires_us = net_now(cache->net) + PMTU_LIFETIME_US;
	list_remove(&entry->age);
	list_append(&cache->oldest_first, &entry->age);
	route_table_changed(&ip4_stack(cache->net)->routes);
	arm_for_oldest(cache);
}
