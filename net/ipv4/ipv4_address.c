/*
 * Interface addresses, the routes that come and go with them, and what the link layer asks about
 * them.
 */
#include "include/uapi/icmp.h"
#include "include/uapi/if_arp.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/printk.h"
#include "net/ethernet/arp.h"
#include "net/ipv4/icmp.h"
#include "net/ipv4/igmp.h"
#include "net/ipv4/ipv4_observer.h"
#include "net/ipv4/ipv4_state.h"

struct ip4_interface *ip4_interface(struct net_device *dev)
{
	struct ip4_interface *interface = dev->ip4;

	if (interface)
		return interface;
	interface = kzalloc(sizeof(*interface));
	if (!interface)
		return NULL;
	interface->dev = dev;
	list_init(&interface->addresses);
	if (igmp_interface_init(interface)) {
		kfree(interface);
		return NULL;
	}
	dev->ip4 = interface;
	return interface;
}

struct ip4_address *ip4_primary_address(const struct net_device *dev)
{
	struct ip4_interface *interface = dev->ip4;

	if (!interface || list_empty(&interface->addresses))
		return NULL;
	return list_first_entry(&interface->addresses, struct ip4_address, link);
}

bool ip4_is_our_address(struct net *net, ip4_t address)
{
	return route_type_of(net, address) == ROUTE_LOCAL;
}

static struct ip4_address *find_address(const struct ip4_interface *interface, ip4_t wanted)
{
	struct ip4_address *address;

	list_for_each_entry(address, &interface->addresses, link) {
		if (address->address == wanted)
			return address;
	}
	return NULL;
}

/* The first address of a subnet owns the route to it, and with it the choice of source. */
static bool owns_subnet(const struct ip4_interface *interface, const struct ip4_address *wanted)
{
	struct ip4_address *address;

	list_for_each_entry(address, &interface->addresses, link) {
		if (address == wanted)
			return true;
		if (address->prefix_length == wanted->prefix_length &&
		    ((address->address ^ wanted->address) & ip4_mask(wanted->prefix_length)) == 0)
			return false;
	}
	return true;
}

enum address_route { ROUTE_TO_ADDRESS, ROUTE_TO_BROADCAST, ROUTE_TO_SUBNET, ADDRESS_ROUTES };

/* The routes that an address brings; false when it brings none of this kind. */
static bool address_route(const struct net_device *dev, const struct ip4_address *address,
			  enum address_route which, struct route *route)
{
	*route = (struct route){.made_by_address = true,
				.source = address->address,
				.dev = (struct net_device *)dev};
	switch (which) {
	case ROUTE_TO_ADDRESS:
		route->type = ROUTE_LOCAL;
		route->destination = address->address;
		route->prefix_length = 32;
		return true;
	case ROUTE_TO_BROADCAST:
		route->type = ROUTE_BROADCAST;
		route->destination = address->broadcast;
		route->prefix_length = 32;
		return address->broadcast && address->broadcast != IP4_BROADCAST;
	case ROUTE_TO_SUBNET:
		route->type = dev->flags & IFF_LOOPBACK ? ROUTE_LOCAL : ROUTE_UNICAST;
		route->prefix_length = address->prefix_length;
		route->destination = address->peer & ip4_mask(address->prefix_length);
		return address->prefix_length > 0 &&
		       (address->prefix_length < 32 || address->peer != address->address);
	default:
		return false;
	}
}

static int add_routes(const struct ip4_interface *interface,
		      const struct ip4_address *address) NEEDS_NET_LOCK
{
	struct net_device *dev = interface->dev;
	struct route route;

	if (!(dev->flags & IFF_UP))
		return 0;
	for (enum address_route which = 0; which < ADDRESS_ROUTES; which++) {
		if (!address_route(dev, address, which, &route))
			continue;
		if (which == ROUTE_TO_SUBNET && !owns_subnet(interface, address))
			continue;

		int error = route_add(dev->net, &route);

		if (error && error != -EEXIST)
			return error;
	}
	return 0;
}

static void remove_routes(const struct ip4_interface *interface,
			  const struct ip4_address *address) NEEDS_NET_LOCK
{
	struct route route;

	for (enum address_route which = 0; which < ADDRESS_ROUTES; which++) {
		if (address_route(interface->dev, address, which, &route))
			route_delete(interface->dev->net, &route);
	}
}

/* RFC 5227 2.3: tells the link of a new address, or of a new place for an old one. */
static void announce(struct net_device *dev, ip4_t address) NEEDS_NET_LOCK
{
	if (dev->type == ARPHRD_ETHER && dev->flags & IFF_UP && dev->carrier)
		arp_announce(dev, address);
}

static bool address_is_possible(const struct net_device *dev, ip4_t address, uint8_t prefix_length)
{
	if (prefix_length > 32 || !ip4_is_unicast(address))
		return false;
	if (ip4_is_loopback(address))
		return dev->flags & IFF_LOOPBACK;
	return true;
}

int ip4_add_address(struct net_device *dev, ip4_t wanted, uint8_t prefix_length, ip4_t broadcast)
{
	struct ip4_interface *interface = ip4_interface(dev);
	struct ip4_address *address;

	if (!address_is_possible(dev, wanted, prefix_length))
		return -EINVAL;
	if (!interface)
		return -ENOMEM;
	if (find_address(interface, wanted))
		return -EEXIST;
	address = kzalloc(sizeof(*address));
	if (!address)
		return -ENOMEM;
	address->address = address->peer = wanted;
	address->prefix_length = prefix_length;
	/* RFC 3021: a link of two addresses, and of one, has no broadcast address. */
	if (dev->flags & IFF_BROADCAST && prefix_length < 31)
		address->broadcast = broadcast ? broadcast : wanted | ~ip4_mask(prefix_length);
	list_append(&interface->addresses, &address->link);

	int error = add_routes(interface, address);

	if (error) {
		ip4_remove_address(dev, wanted);
		return error;
	}
	route_table_changed(&ip4_stack(dev->net)->routes);
	ip4_tell_address(dev, address, false);
	announce(dev, wanted);
	return 0;
}

static bool is_only_address(const struct ip4_interface *interface,
			    const struct ip4_address *address)
{
	return interface->addresses.next == &address->link &&
	       interface->addresses.prev == &address->link;
}

static void withdraw(const struct ip4_interface *interface,
		     const struct ip4_address *address) NEEDS_NET_LOCK
{
	if (is_only_address(interface, address))
		route_flush_device(interface->dev);
	else
		remove_routes(interface, address);
}

static int set_values(struct net_device *dev, struct ip4_address *address,
		      const struct ip4_address *values) NEEDS_NET_LOCK
{
	struct ip4_interface *interface = dev->ip4;

	withdraw(interface, address);
	address->broadcast = values->broadcast;
	address->peer = values->peer;
	address->prefix_length = values->prefix_length;
	route_table_changed(&ip4_stack(dev->net)->routes);
	ip4_tell_address(dev, address, false);
	return add_routes(interface, address);
}

int ip4_change_address(struct net_device *dev, struct ip4_address *address,
		       const struct ip4_address *values)
{
	const struct ip4_address before = *address;
	int error = set_values(dev, address, values);

	if (error) /* what its routes took a moment ago is free again */
		(void)set_values(dev, address, &before);
	return error;
}

int ip4_remove_address(struct net_device *dev, ip4_t wanted)
{
	struct ip4_interface *interface = dev->ip4;
	struct ip4_address *address = interface ? find_address(interface, wanted) : NULL;

	if (!address)
		return -EADDRNOTAVAIL;
	withdraw(interface, address);
	list_remove(&address->link);
	ip4_tell_address(dev, address, true);
	kfree(address);
	route_table_changed(&ip4_stack(dev->net)->routes);
	/* Another address of the subnet takes over its route. */
	list_for_each_entry(address, &interface->addresses, link)
		add_routes(interface, address);
	return 0;
}

static void device_up(struct net_device *dev) NEEDS_NET_LOCK
{
	struct ip4_interface *interface = ip4_interface(dev);
	struct ip4_address *address;

	if (!interface)
		return;
	if (dev->flags & IFF_LOOPBACK && list_empty(&interface->addresses))
		ip4_add_address(dev, IP4_LOOPBACK, 8, 0);
	list_for_each_entry(address, &interface->addresses, link) {
		add_routes(interface, address);
		announce(dev, address->address);
	}
	igmp_interface_up(interface);
}

static void device_reachable_again(struct net_device *dev) NEEDS_NET_LOCK
{
	struct ip4_interface *interface = dev->ip4;
	struct ip4_address *address;

	if (!interface)
		return;
	list_for_each_entry(address, &interface->addresses, link)
		announce(dev, address->address);
	if (dev->flags & IFF_UP && dev->carrier)
		igmp_interface_up(interface);
}

static void device_down(struct net_device *dev) NEEDS_NET_LOCK
{
	route_flush_device(dev);
	reassembly_flush_device(&ip4_stack(dev->net)->reassembly, dev);
	if (dev->ip4)
		igmp_interface_down(dev->ip4);
}

void ip4_interface_free(struct net_device *dev)
{
	struct ip4_interface *interface = dev->ip4;
	struct ip4_address *address, *next;

	device_down(dev);
	if (!interface)
		return;
	list_for_each_entry_safe(address, next, &interface->addresses, link) {
		list_remove(&address->link);
		ip4_tell_address(dev, address, true);
		kfree(address);
	}
	igmp_interface_free(interface);
	kfree(interface);
	dev->ip4 = NULL;
	route_table_changed(&ip4_stack(dev->net)->routes);
}

void ip4_device_changed(struct device_notifier *notifier, struct net_device *dev,
			enum device_event event)
{
	struct ip4_stack *stack = container_of(notifier, struct ip4_stack, notifier);

	switch (event) {
	case DEVICE_UP:
		device_up(dev);
		break;
	case DEVICE_DOWN_EVENT:
		device_down(dev);
		break;
	case DEVICE_CARRIER:
	case DEVICE_MAC:
		device_reachable_again(dev);
		break;
	case DEVICE_MTU:
		pmtu_flush(&stack->pmtu);
		break;
	case DEVICE_GONE:
		ip4_interface_free(dev);
		break;
	case DEVICE_NEW:
	case DEVICE_DETAIL:
		break;
	}
}

/* Only the device's own addresses: with two interfaces on one link, each answers for itself. */
static bool is_ours(struct net_device *dev, ip4_t address)
{
	return dev->ip4 && find_address(dev->ip4, address);
}

static ip4_t source_for(struct net_device *dev, ip4_t target) NEEDS_NET_LOCK
{
	struct route_result route;

	if (route_lookup(dev->net, target, 0, dev->ifindex, &route) == 0 &&
	    !ip4_is_loopback(route.source))
		return route.source;
	return 0;
}

static void unreachable(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK
{
	icmp_send_error(dev->net, skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
	skb_drop(skb, DROP_ARP_UNRESOLVED);
}

/* RFC 5227 2.4 (a) to (c) leave the choice: the address is kept, and the log tells. */
static void conflict(struct net_device *dev, ip4_t address, struct mac other) NEEDS_NET_LOCK
{
	struct ip4_stack *stack = ip4_stack(dev->net);
	uint64_t now_us = net_now(dev->net);

	if (now_us < stack->conflict_log_after_us)
		return;
	stack->conflict_log_after_us = now_us + USEC_PER_SEC;
	printk("net: %s address " IP4_FORMAT " is also used by " MAC_FORMAT "\n", dev->name,
	       IP4_ARGS(address), MAC_ARGS(other));
}

static bool may_be_neighbour(struct net_device *dev, ip4_t address) NEEDS_NET_LOCK
{
	struct route_result route;

	return route_lookup(dev->net, address, 0, 0, &route) == 0 && route.dev == dev &&
	       route.type == ROUTE_UNICAST && route.next_hop == address;
}

const struct arp_address_operations ip4_arp_operations = {
	.is_ours = is_ours,
	.source_for = source_for,
	.unreachable = unreachable,
	.conflict = conflict,
	.may_be_neighbour = may_be_neighbour,
};
