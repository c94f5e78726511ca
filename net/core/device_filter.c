/*
 * What a device lets in besides frames to its own address: multicast groups, all of them, or
 * everything.
 */
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "net/core/netdevice.h"

static void tell_driver(struct net_device *dev)
{
	if (dev->ops->set_rx_mode)
		dev->ops->set_rx_mode(dev);
}

/* Counts a user in or out; the flag stands while there is one. */
static void change_users(struct net_device *dev, uint32_t *users, uint32_t flag,
			 int change) NEEDS_NET_LOCK
{
	*users += (uint32_t)change;
	uint32_t flags = *users ? dev->flags | flag : dev->flags & ~flag;

	if (flags == dev->flags)
		return;
	dev->flags = flags;
	tell_driver(dev);
	netdev_notify(dev, DEVICE_DETAIL);
}

void netdev_promiscuous(struct net_device *dev, int change)
{
	change_users(dev, &dev->promiscuous, IFF_PROMISC, change);
}

void netdev_all_multicast(struct net_device *dev, int change)
{
	change_users(dev, &dev->all_multicast, IFF_ALLMULTI, change);
}

static struct multicast_entry *find_entry(const struct net_device *dev, struct mac mac)
{
	struct multicast_entry *entry;

	list_for_each_entry(entry, &dev->multicast, link) {
		if (mac_equal(entry->mac, mac))
			return entry;
	}
	return NULL;
}

bool netdev_multicast_wanted(const struct net_device *dev, struct mac mac)
{
	return find_entry(dev, mac) != NULL;
}

int netdev_multicast_join(struct net_device *dev, struct mac mac)
{
	struct multicast_entry *entry = find_entry(dev, mac);

	if (entry) {
		entry->users++;
		return 0;
	}
	entry = kmalloc(sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->mac = mac;
	entry->users = 1;
	list_append(&dev->multicast, &entry->link);
	tell_driver(dev);
	return 0;
}

static void forget(struct multicast_entry *entry)
{
	list_remove(&entry->link);
	kfree(entry);
}

void netdev_multicast_leave(struct net_device *dev, struct mac mac)
{
	struct multicast_entry *entry = find_entry(dev, mac);

	if (!entry || --entry->users)
		return;
	forget(entry);
	tell_driver(dev);
}

void netdev_multicast_forget_all(struct net_device *dev)
{
	struct multicast_entry *entry, *next;

	list_for_each_entry_safe(entry, next, &dev->multicast, link)
		forget(entry);
}
