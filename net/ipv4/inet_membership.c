/*
 * The multicast groups of a socket: IP_ADD_MEMBERSHIP and its kin (RFC 1112 7.1), and the senders
 * that it wants or does not want to hear in them (RFC 3376 3). The network is asked for the whole
 * group; who is not wanted is kept from the socket here.
 */
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "net/ipv4/igmp.h"
#include "net/ipv4/inet_socket.h"
#include "net/ipv4/ipv4_state.h"

#define SOURCES_MAX 10 /* in one membership; Linux's igmp_max_msf */

struct inet_membership {
	struct list_head link; /* inet_socket.memberships */
	ip4_t group;
	int ifindex;
	bool include; /* `sources` are all that is wanted; otherwise all that is not */
	uint32_t source_count;
	ip4_t sources[SOURCES_MAX];
};

static struct inet_membership *find(const struct inet_socket *inet, ip4_t group, int ifindex)
{
	struct inet_membership *membership;

	list_for_each_entry(membership, &inet->memberships, link) {
		if (membership->group == group && membership->ifindex == ifindex)
			return membership;
	}
	return NULL;
}

/* By index, by an address of the interface, or by the route to the group. */
static struct net_device *choose_device(struct net *net, ip4_t group, ip4_t address,
					int ifindex) NEEDS_NET_LOCK
{
	struct route_result route;

	if (ifindex)
		return netdev_by_index(net, ifindex);
	if (address)
		return route_device_of_address(net, address);
	return route_lookup(net, group, 0, 0, &route) ? NULL : route.dev;
}

int inet_join_group(struct inet_socket *inet, ip4_t group, ip4_t address, int ifindex)
{
	struct net *net = inet->socket.net;
	struct inet_membership *membership;
	struct net_device *dev;

	if (!ip4_is_multicast(group))
		return -EINVAL;
	dev = choose_device(net, group, address, ifindex);
	if (!dev)
		return -ENODEV;
	if (find(inet, group, dev->ifindex))
		return -EADDRINUSE;
	if (inet->membership_count >= (uint32_t)ip4_stack(net)->settings.igmp_max_memberships)
		return -ENOBUFS;
	membership = kzalloc(sizeof(*membership));
	if (!membership)
		return -ENOBUFS;
	if (igmp_join(dev, group)) {
		kfree(membership);
		return -ENOBUFS;
	}
	membership->group = group;
	membership->ifindex = dev->ifindex;
	list_append(&inet->memberships, &membership->link);
	inet->membership_count++;
	return 0;
}

static void end_membership(struct inet_socket *inet,
			   struct inet_membership *membership) NEEDS_NET_LOCK
{
	struct net_device *dev = netdev_by_index(inet->socket.net, membership->ifindex);

	if (dev) /* it may have gone, and its groups with it */
		igmp_leave(dev, membership->group);
	list_remove(&membership->link);
	inet->membership_count--;
	kfree(membership);
}

int inet_leave_group(struct inet_socket *inet, ip4_t group, ip4_t address, int ifindex)
{
	struct net_device *dev = choose_device(inet->socket.net, group, address, ifindex);
	struct inet_membership *membership = dev ? find(inet, group, dev->ifindex) : NULL;

	if (!ip4_is_multicast(group))
		return -EINVAL;
	if (!dev && !ifindex && !address)
		return -ENODEV;
	if (!membership)
		return -EADDRNOTAVAIL;
	end_membership(inet, membership);
	return 0;
}

void inet_leave_all_groups(struct inet_socket *inet)
{
	struct inet_membership *membership, *next;

	list_for_each_entry_safe(membership, next, &inet->memberships, link)
		end_membership(inet, membership);
}

/* Where `source` stands in the list; source_count: nowhere. */
static uint32_t find_source(const struct inet_membership *membership, ip4_t source)
{
	uint32_t i = 0;

	while (i < membership->source_count && membership->sources[i] != source)
		i++;
	return i;
}

static int add_source(struct inet_membership *membership, ip4_t source)
{
	if (find_source(membership, source) < membership->source_count)
		return -EADDRNOTAVAIL;
	if (membership->source_count == SOURCES_MAX)
		return -ENOBUFS;
	membership->sources[membership->source_count++] = source;
	return 0;
}

/* Nothing wanted any more is no membership. */
static int remove_source(struct inet_socket *inet, struct inet_membership *membership,
			 ip4_t source) NEEDS_NET_LOCK
{
	uint32_t at = find_source(membership, source);

	if (at == membership->source_count)
		return -EADDRNOTAVAIL;
	membership->sources[at] = membership->sources[--membership->source_count];
	if (membership->include && membership->source_count == 0)
		end_membership(inet, membership);
	return 0;
}

int inet_change_source(struct inet_socket *inet, ip4_t group, ip4_t address, ip4_t source,
		       bool include, bool add)
{
	struct net_device *dev = choose_device(inet->socket.net, group, address, 0);
	struct inet_membership *membership;

	if (!ip4_is_multicast(group))
		return -EINVAL;
	if (!dev)
		return -ENODEV;
	membership = find(inet, group, dev->ifindex);
	if (!membership && include && add) {
		int error = inet_join_group(inet, group, address, 0);

		if (error)
			return error;
		membership = find(inet, group, dev->ifindex);
	}
	/* A list is of one kind; an empty one may become of the other. */
	if (!membership || (membership->include != include && membership->source_count))
		return -EINVAL;
	membership->include = include;
	return add ? add_source(membership, source) : remove_source(inet, membership, source);
}

bool inet_group_allows(const struct inet_socket *inet, ip4_t destination, ip4_t source, int ifindex)
{
	const struct inet_membership *membership;

	if (!ip4_is_multicast(destination))
		return true;
	membership = find(inet, destination, ifindex);
	if (!membership)
		return inet->multicast_all;
	return membership->include == (find_source(membership, source) < membership->source_count);
}
