/* The route table: longest prefix by one hash table a length, source selection, path MTU. */
#include "net/ipv4/route.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "net/ipv4/ipv4_observer.h"
#include "net/ipv4/ipv4_state.h"
#include "net/ipv4/route_table.h"

/*
 * Routes are the administrator's choice, not a peer's, so the hash needs no secret and /proc's
 * order is steady.
 */
static uint32_t prefix_hash(ip4_t prefix)
{
	uint32_t product = prefix * 0x9e3779b1u;

	return product ^ product >> 16;
}

static bool is_ours(const struct route *route)
{
	return route->type == ROUTE_LOCAL || route->type == ROUTE_BROADCAST;
}

/* What an address of ours means stands before any route that was added for the same 32 bits. */
static bool is_better(const struct route *route, const struct route *than)
{
	if (!than)
		return true;
	if (is_ours(route) != is_ours(than))
		return is_ours(route);
	return route->metric < than->metric;
}

static struct route *find_prefix(const struct route_table *table, ip4_t destination,
				 uint32_t length, int ifindex)
{
	ip4_t prefix = destination & ip4_mask(length);
	struct route *route, *best = NULL;

	hash_table_for_each(route, &table->of_length[length], prefix_hash(prefix), node) {
		if (route->destination != prefix)
			continue;
		if (ifindex && route->dev && route->dev->ifindex != ifindex)
			continue;
		if (is_better(route, best))
			best = route;
	}
	return best;
}

static struct route *find_route(const struct route_table *table, ip4_t destination, int ifindex)
{
	uint64_t lengths = table->lengths_used;

	while (lengths) {
		uint32_t length = 63 - (uint32_t)__builtin_clzll(lengths);
		struct route *route = find_prefix(table, destination, length, ifindex);

		if (route)
			return route;
		lengths &= ~(1ull << length);
	}
	return NULL;
}

enum route_type route_type_of(struct net *net, ip4_t address)
{
	if (address == IP4_BROADCAST)
		return ROUTE_BROADCAST;
	if (ip4_is_multicast(address))
		return ROUTE_MULTICAST;
	if (ip4_is_loopback(address))
		return ROUTE_LOCAL;

	struct route *route = find_prefix(&ip4_stack(net)->routes, address, 32, 0);

	return route && is_ours(route) ? (enum route_type)route->type : ROUTE_UNICAST;
}

struct net_device *route_device_of_address(struct net *net, ip4_t address)
{
	const struct route_table *table = &ip4_stack(net)->routes;
	struct route *route = find_prefix(table, address, 32, 0);

	if (!route && ip4_is_loopback(address))
		return net->loopback;
	return route && route->type == ROUTE_LOCAL ? route->dev : NULL;
}

/* The device's address whose subnet holds `near`, else its primary one, else 0. */
static ip4_t device_address(struct net_device *dev, ip4_t near)
{
	struct ip4_interface *interface = dev->ip4;
	struct ip4_address *address;

	if (!interface || list_empty(&interface->addresses))
		return 0;
	list_for_each_entry(address, &interface->addresses, link) {
		if (((address->address ^ near) & ip4_mask(address->prefix_length)) == 0)
			return address->address;
	}
	return list_first_entry(&interface->addresses, struct ip4_address, link)->address;
}

/*
 * RFC 1122 3.3.4.3: the outgoing interface's address; a host whose interface has none uses
 * another's.
 */
static ip4_t choose_source(struct net *net, struct net_device *dev, ip4_t near)
{
	ip4_t source = device_address(dev, near);
	struct net_device *other;

	if (source)
		return source;
	list_for_each_entry(other, &net->devices, link) {
		if (other->flags & IFF_LOOPBACK || !(other->flags & IFF_UP))
			continue;
		source = device_address(other, near);
		if (source)
			return source;
	}
	return 0;
}

static void fill_from_route(struct net *net, const struct route *route, ip4_t destination,
			    struct route_result *result)
{
	result->type = route->type;
	result->dev = route->dev;
	result->next_hop = route->gateway ? route->gateway : destination;
	result->mtu = route->mtu ? MIN(route->mtu, route->dev->mtu) : route->dev->mtu;
	result->ecn = route->ecn;
	if (route->type == ROUTE_LOCAL) {
		result->dev = net->loopback;
		result->source = destination;
		result->mtu = net->loopback->mtu;
		return;
	}
	result->source = route->source ? route->source
				       : choose_source(net, route->dev, result->next_hop);
}

static void apply_path_mtu(struct net *net, ip4_t destination, struct route_result *result)
{
	const struct pmtu_entry *entry = pmtu_find(&ip4_stack(net)->pmtu, destination);

	if (!entry || entry->mtu > result->mtu)
		return;
	result->mtu = entry->mtu;
	result->no_df = entry->below_floor;
}

/*
 * A packet bound to an interface without a fitting route: the destination is taken to be on the
 * link.
 */
static int lookup_on_link(struct net *net, ip4_t destination, int ifindex,
			  struct route_result *result) NEEDS_NET_LOCK
{
	struct net_device *dev = netdev_by_index(net, ifindex);

	if (!dev)
		return -ENODEV;
	if (!(dev->flags & IFF_UP))
		return -ENETUNREACH;
	*result = (struct route_result){
		.type = ROUTE_UNICAST, .dev = dev, .next_hop = destination, .mtu = dev->mtu};
	/*
	 * Another interface's address would be wrong where nothing is known of this link: DHCP
	 * sends from 0.0.0.0.
	 */
	result->source = device_address(dev, destination);
	return 0;
}

/*
 * Multicast and 255.255.255.255 go to a link, not to a place: the interface is chosen, no gateway
 * is used.
 */
static int lookup_group(struct net *net, ip4_t destination, ip4_t source, int ifindex,
			struct route_result *result) NEEDS_NET_LOCK
{
	if (!ifindex && source) {
		struct net_device *dev = route_device_of_address(net, source);

		ifindex = dev ? dev->ifindex : 0;
	}
	if (ifindex) {
		int error = lookup_on_link(net, destination, ifindex, result);

		if (error)
			return error;
	} else {
		struct route *route = find_route(&ip4_stack(net)->routes, destination, 0);

		if (!route || !route->dev)
			return -ENETUNREACH;
		fill_from_route(net, route, destination, result);
		result->next_hop = destination;
	}
	result->type = destination == IP4_BROADCAST ? ROUTE_BROADCAST : ROUTE_MULTICAST;
	return 0;
}

static int lookup_unicast(struct net *net, ip4_t destination, int ifindex,
			  struct route_result *result) NEEDS_NET_LOCK
{
	struct route *route = find_route(&ip4_stack(net)->routes, destination, ifindex);

	if (!route)
		return ifindex ? lookup_on_link(net, destination, ifindex, result) : -ENETUNREACH;
	if (route->type == ROUTE_UNREACHABLE)
		return -EHOSTUNREACH;
	fill_from_route(net, route, destination, result);
	return 0;
}

static struct route_cache_entry *cache_entry(struct route_table *table, ip4_t destination,
					     int ifindex)
{
	uint32_t hash = prefix_hash(destination + (uint32_t)ifindex);

	return &table->cache[hash % ROUTE_CACHE_ENTRIES];
}

/* What the cache does not know. */
static __noinline int look_up(struct net *net, ip4_t destination, ip4_t source, int ifindex,
			      struct route_result *result) NEEDS_NET_LOCK
{
	struct route_table *table = &ip4_stack(net)->routes;

	*result = (struct route_result){0};
	if (destination == IP4_BROADCAST || ip4_is_multicast(destination))
		return lookup_group(net, destination, source, ifindex, result);

	int error = lookup_unicast(net, destination, ifindex, result);

	if (error)
		return error;
	apply_path_mtu(net, destination, result);
	*cache_entry(table, destination,
		     ifindex) = (struct route_cache_entry){.destination = destination,
							   .ifindex = ifindex,
							   .generation = table->generation,
							   .result = *result};
	return 0;
}

int route_lookup(struct net *net, ip4_t destination, ip4_t source, int ifindex,
		 struct route_result *result)
{
	struct route_table *table = &ip4_stack(net)->routes;
	const struct route_cache_entry *cached = cache_entry(table, destination, ifindex);

	if (cached->destination != destination || cached->ifindex != ifindex ||
	    cached->generation != table->generation)
		return look_up(net, destination, source, ifindex, result);
	*result = cached->result;
	return 0;
}

/* The link on which a gateway answers, or NULL when it is not a neighbour (or is ourselves). */
static struct net_device *gateway_device(const struct route_table *table, ip4_t gateway,
					 struct net_device *dev)
{
	struct route *route = find_route(table, gateway, dev ? dev->ifindex : 0);

	if (!route || route->type != ROUTE_UNICAST || route->gateway)
		return NULL;
	return route->dev;
}

static bool same_route(const struct route *a, const struct route *b)
{
	return a->destination == b->destination && a->type == b->type && a->gateway == b->gateway &&
	       a->metric == b->metric && a->dev == b->dev && a->source == b->source;
}

static int enter_route(struct net *net, const struct route *route) NEEDS_NET_LOCK
{
	struct route_table *table = &ip4_stack(net)->routes;
	struct hash_table *of_length = &table->of_length[route->prefix_length];
	struct route *entry;

	hash_table_for_each(entry, of_length, prefix_hash(route->destination), node) {
		if (same_route(entry, route))
			return -EEXIST;
	}
	entry = kmalloc(sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	*entry = *route;
	entry->node = (struct hash_node){0};
	if (hash_table_insert(of_length, &entry->node, prefix_hash(entry->destination))) {
		kfree(entry);
		return -ENOMEM;
	}
	table->lengths_used |= 1ull << route->prefix_length;
	route_table_changed(table);
	ip4_tell_route(net, entry, false);
	return 0;
}

int route_add(struct net *net, const struct route *wanted)
{
	struct route_table *table = &ip4_stack(net)->routes;
	struct route route = *wanted;

	if (route.prefix_length > 32 || route.destination & ~ip4_mask(route.prefix_length))
		return -EINVAL;
	if (route.type == ROUTE_UNREACHABLE)
		return enter_route(net, &route);
	if (route.gateway) {
		route.dev = gateway_device(table, route.gateway, route.dev);
		if (!route.dev)
			return -ENETUNREACH;
	}
	if (!route.dev)
		return -ENODEV;
	if (!(route.dev->flags & IFF_UP))
		return -ENETDOWN;
	return enter_route(net, &route);
}

static void remove_route(struct net *net, struct route *route) NEEDS_NET_LOCK
{
	struct route_table *table = &ip4_stack(net)->routes;
	struct hash_table *of_length = &table->of_length[route->prefix_length];

	hash_table_remove(of_length, &route->node);
	if (of_length->count == 0)
		table->lengths_used &= ~(1ull << route->prefix_length);
	route_table_changed(table);
	ip4_tell_route(net, route, true);
	kfree(route);
}

int route_delete(struct net *net, const struct route *wanted)
{
	struct route_table *table = &ip4_stack(net)->routes;
	struct route *route;

	if (wanted->prefix_length > 32)
		return -ESRCH;
	hash_table_for_each(route, &table->of_length[wanted->prefix_length],
			    prefix_hash(wanted->destination), node) {
		if (route->destination != wanted->destination || route->type != wanted->type ||
		    (wanted->gateway && route->gateway != wanted->gateway) ||
		    (wanted->dev && route->dev != wanted->dev) ||
		    (wanted->metric && route->metric != wanted->metric) ||
		    (wanted->protocol && route->protocol != wanted->protocol) ||
		    (wanted->source && route->source != wanted->source))
			continue;
		remove_route(net, route);
		return 0;
	}
	return -ESRCH;
}

/* `dev` NULL: of all. */
static void remove_routes_of(struct net *net, const struct net_device *dev) NEEDS_NET_LOCK
{
	struct route_table *table = &ip4_stack(net)->routes;
	struct route *route;

	for (uint32_t length = 0; length < ROUTE_LENGTHS; length++) {
		hash_table_for_each_safe(route, &table->of_length[length], node) {
			if (!dev || route->dev == dev)
				remove_route(net, route);
		}
	}
}

void route_flush_device(struct net_device *dev)
{
	remove_routes_of(dev->net, dev);
	route_table_changed(&ip4_stack(dev->net)->routes);
}

void route_learn_mtu(struct net *net, ip4_t destination, uint32_t mtu)
{
	struct route_result result;

	if (route_lookup(net, destination, 0, 0, &result) || result.type != ROUTE_UNICAST ||
	    mtu >= result.mtu)
		return;
	pmtu_learn(&ip4_stack(net)->pmtu, destination, mtu);
}

void route_table_init(struct route_table *table)
{
	table->generation = 1; /* the cache is zeroed, so that no entry of it is current */
}

const struct route *route_next(struct net *net, struct route_cursor *cursor)
{
	const struct route_table *table = &ip4_stack(net)->routes;

	for (; cursor->length < ROUTE_LENGTHS; cursor->length++) {
		struct hash_node *node = hash_table_next(&table->of_length[cursor->length],
							 &cursor->within);

		if (node)
			return container_of(node, struct route, node);
		cursor->within = (struct hash_cursor){0};
	}
	return NULL;
}

void route_table_free(struct net *net)
{
	struct route_table *table = &ip4_stack(net)->routes;

	remove_routes_of(net, NULL);
	for (uint32_t length = 0; length < ROUTE_LENGTHS; length++)
		hash_table_free(&table->of_length[length]);
}
