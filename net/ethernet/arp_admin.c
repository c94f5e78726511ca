/* ARP from outside: SIOCSARP and its kin, forgetting, and /proc/net/arp. */
#include "include/uapi/if_arp.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/ethernet/arp.h"
#include "net/ethernet/ethernet_private.h"

int arp_set_permanent(struct net_device *dev, ip4_t address, struct mac mac, bool permanent)
{
	struct arp_table *table = arp_table_of(dev);
	struct arp_entry *entry = arp_find(table, dev, address);

	if (!entry)
		entry = arp_insert(table, dev, address, ARP_USED, arp_timer_fired);
	if (!entry)
		return -ENOMEM;
	arp_resolve(entry, mac);
	arp_set_use(table, entry, permanent ? ARP_FIXED : ARP_USED);
	if (permanent) {
		net_timer_cancel(dev->net, &entry->timer);
		entry->state = ARP_PERMANENT;
		arp_tell(table, entry, false);
	}
	return 0;
}

int arp_delete(struct net_device *dev, ip4_t address)
{
	struct arp_entry *entry = arp_find(arp_table_of(dev), dev, address);

	if (!entry)
		return -ENXIO;
	arp_remove(arp_table_of(dev), entry);
	return 0;
}

void arp_observer_register(struct net *net, struct arp_observer *observer)
{
	list_append(&ethernet_of(net)->arp.observers, &observer->link);
}

void arp_observer_unregister(struct arp_observer *observer)
{
	list_remove(&observer->link);
}

const struct arp_entry *arp_neighbour(struct net_device *dev, ip4_t address)
{
	return arp_find(arp_table_of(dev), dev, address);
}

const struct arp_entry *arp_next(struct net *net, struct arp_cursor *cursor)
{
	const struct arp_table *table = &ethernet_of(net)->arp;
	const struct arp_entry *entry;

	for (; cursor->use < ARP_USES; cursor->use++, cursor->skip = 0) {
		uint32_t at = 0;

		list_for_each_entry(entry, &table->by_use[cursor->use], in_list) {
			if (at++ < cursor->skip)
				continue;
			cursor->skip++;
			return entry;
		}
	}
	return NULL;
}

/* As SIOCGARP and the Flags column show it. */
static uint32_t flags_of(const struct arp_entry *entry)
{
	if (entry->state == ARP_INCOMPLETE)
		return 0;
	return entry->state == ARP_PERMANENT ? ATF_COM | ATF_PERM : ATF_COM;
}

int arp_lookup(struct net_device *dev, ip4_t address, struct mac *mac, uint32_t *atf_flags)
{
	const struct arp_entry *entry = arp_find(arp_table_of(dev), dev, address);

	if (!entry)
		return -ENXIO;
	*mac = entry->mac;
	*atf_flags = flags_of(entry);
	return 0;
}

static void forget(struct net_device *dev, bool permanent_too) NEEDS_NET_LOCK
{
	struct arp_table *table = arp_table_of(dev);
	struct arp_entry *entry, *next;

	for (uint32_t use = 0; use < ARP_USES; use++) {
		if (use == ARP_FIXED && !permanent_too)
			continue;
		list_for_each_entry_safe(entry, next, &table->by_use[use], in_list) {
			if (entry->dev == dev)
				arp_remove(table, entry);
		}
	}
}

void arp_flush(struct net_device *dev)
{
	forget(dev, false);
}

void arp_forget_device(struct net_device *dev)
{
	struct arp_table *table = arp_table_of(dev);

	forget(dev, true);
	for (uint32_t i = 0; i < ARP_WATCHES; i++) {
		if (table->watches[i].dev == dev)
			table->watches[i] = (struct arp_watch){0};
	}
}

static void show_entry(const struct arp_entry *entry, struct text *text)
{
	char address[sizeof("255.255.255.255")];

	snprintf(address, sizeof(address), IP4_FORMAT, IP4_ARGS(entry->address));
	text_printf(text, "%-16s 0x%-10x0x%-10x" MAC_FORMAT "     *        %s\n", address,
		    entry->dev->type, flags_of(entry), MAC_ARGS(entry->mac), entry->dev->name);
}

void arp_show(struct net *net, struct text *text)
{
	const struct arp_table *table = &ethernet_of(net)->arp;
	const struct arp_entry *entry;

	text_printf(
		text,
		"IP address       HW type     Flags       HW address            Mask     Device\n");
	net_lock(net);
	for (uint32_t use = 0; use < ARP_USES; use++) {
		list_for_each_entry(entry, &table->by_use[use], in_list)
			show_entry(entry, text);
	}
	net_unlock(net);
}
