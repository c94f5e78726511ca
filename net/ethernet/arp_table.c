/* The table of neighbours and who makes room in it. See arp_table.h. */
#include "net/ethernet/arp_table.h"

#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "net/core/netdevice.h"
#include "net/ethernet/arp.h"

void arp_table_init(struct arp_table *table, struct net *net)
{
	memset(table, 0, sizeof(*table));
	table->net = net;
	list_init(&table->observers);
	table->seed = net_random_u32(net);
	for (uint32_t use = 0; use < ARP_USES; use++)
		list_init(&table->by_use[use]);
}

void arp_table_clear(struct arp_table *table)
{
	struct arp_entry *entry, *next;

	for (uint32_t use = 0; use < ARP_USES; use++) {
		list_for_each_entry_safe(entry, next, &table->by_use[use], in_list)
			arp_remove(table, entry);
	}
}

static struct hlist_head *bucket_of(struct arp_table *table, const struct net_device *dev,
				    ip4_t address)
{
	uint32_t hash = (address ^ table->seed) * 0x9e3779b1u;

	hash = ((hash >> 15) ^ hash ^ (uint32_t)dev->ifindex) * 0x85ebca6bu;
	return &table->buckets[hash >> (32 - ARP_BUCKETS_LOG2)];
}

struct arp_entry *arp_find(struct arp_table *table, const struct net_device *dev, ip4_t address)
{
	struct arp_entry *entry;

	hlist_for_each_entry(entry, bucket_of(table, dev, address), in_bucket) {
		if (entry->address == address && entry->dev == dev)
			return entry;
	}
	return NULL;
}

void arp_tell(const struct arp_table *table, const struct arp_entry *entry, bool gone)
{
	struct arp_observer *observer;

	list_for_each_entry(observer, &table->observers, link)
		observer->changed(observer, entry, gone);
}

void arp_remove(struct arp_table *table, struct arp_entry *entry)
{
	net_timer_cancel(table->net, &entry->timer);
	hlist_remove(&entry->in_bucket);
	list_remove(&entry->in_list);
	table->count--;
	arp_tell(table, entry, true);
	skb_queue_drop_all(&entry->waiting, DROP_ARP_UNRESOLVED);
	kfree(entry);
}

void arp_set_use(struct arp_table *table, struct arp_entry *entry, enum arp_use use)
{
	list_remove(&entry->in_list);
	list_append(&table->by_use[use], &entry->in_list);
	entry->use = (uint8_t)use;
}

/*
 * Of those in use, the first that was not used since the last look: a second chance for each, so
 * this ends.
 */
static struct arp_entry *least_used(struct arp_table *table) NEEDS_NET_LOCK
{
	for (;;) {
		struct arp_entry *entry = list_first_entry(&table->by_use[ARP_USED],
							   struct arp_entry, in_list);

		if (!entry->used)
			return entry;
		entry->used = false;
		arp_set_use(table, entry, ARP_USED);
	}
}

/* Removes an entry that is at most as useful as a new one of `use`. False when there is none. */
static bool make_room(struct arp_table *table, enum arp_use use) NEEDS_NET_LOCK
{
	struct list_head *learned = &table->by_use[ARP_LEARNED], *asked = &table->by_use[ARP_ASKED];

	if (!list_empty(learned)) {
		arp_remove(table, list_first_entry(learned, struct arp_entry, in_list));
		return true;
	}
	if (use == ARP_LEARNED)
		return false;
	if (!list_empty(asked)) {
		arp_remove(table, list_first_entry(asked, struct arp_entry, in_list));
		return true;
	}
	if (list_empty(&table->by_use[ARP_USED]))
		return false;
	arp_remove(table, least_used(table));
	return true;
}

struct arp_entry *arp_insert(struct arp_table *table, struct net_device *dev, ip4_t address,
			     enum arp_use use, timer_function *timer)
{
	if (table->count >= ARP_ENTRIES_MAX && !make_room(table, use))
		return NULL;
	struct arp_entry *entry = kzalloc(sizeof(*entry));

	if (!entry)
		return NULL;
	entry->dev = dev;
	entry->address = address;
	entry->use = (uint8_t)use;
	timer_init(&entry->timer, timer);
	skb_queue_init(&entry->waiting);
	hlist_push(bucket_of(table, dev, address), &entry->in_bucket);
	list_append(&table->by_use[use], &entry->in_list);
	table->count++;
	return entry;
}

struct arp_watch *arp_find_watch(struct arp_table *table, struct net_device *dev, ip4_t address,
				 bool make)
{
	for (uint32_t i = 0; i < ARP_WATCHES; i++) {
		struct arp_watch *watch = &table->watches[i];

		if (watch->dev == dev && watch->address == address)
			return watch;
	}
	if (!make)
		return NULL;
	struct arp_watch *watch = &table->watches[table->next_watch++ % ARP_WATCHES];

	*watch = (struct arp_watch){.dev = dev, .address = address};
	return watch;
}
