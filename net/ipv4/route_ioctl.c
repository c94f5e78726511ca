/* SIOCADDRT and SIOCDELRT: what route(8) speaks. */
#include "include/uapi/sockios.h"
#include "kernel/errno.h"
#include "net/ipv4/ipv4_ioctl.h"
#include "net/ipv4/ipv4_state.h"

#define ROUTE_MTU_MIN 68 /* RFC 791 */

static int read_destination(const struct rtentry *entry, struct route *route)
{
	int length = 32;

	if (entry->rt_dst.sa_family != AF_INET)
		return -EAFNOSUPPORT;
	if (!(entry->rt_flags & RTF_HOST)) {
		ip4_t mask = ip4_of_sockaddr(&entry->rt_genmask);

		if (entry->rt_genmask.sa_family != AF_INET && (mask || entry->rt_genmask.sa_family))
			return -EAFNOSUPPORT;
		length = ip4_length_of_mask(mask);
	}
	if (length < 0)
		return -EINVAL;
	route->destination = ip4_of_sockaddr(&entry->rt_dst);
	route->prefix_length = (uint8_t)length;
	return route->destination & ~ip4_mask((uint32_t)length) ? -EINVAL : 0;
}

static int read_way(struct net *net, const struct rtentry *entry,
		    struct route *route) NEEDS_NET_LOCK
{
	if (entry->rt_dev) {
		route->dev = netdev_by_name(net, (const char *)(uintptr_t)entry->rt_dev);
		if (!route->dev)
			return -ENODEV;
	}
	if (entry->rt_gateway.sa_family == AF_INET)
		route->gateway = ip4_of_sockaddr(&entry->rt_gateway);
	if (entry->rt_flags & RTF_MTU && entry->rt_mtu >= ROUTE_MTU_MIN &&
	    entry->rt_mtu <= UINT16_MAX)
		route->mtu = (uint32_t)entry->rt_mtu;
	return 0;
}

int ip4_route_ioctl(struct net *net, uint32_t command, const struct rtentry *entry)
{
	struct route route = {0};
	int error = read_destination(entry, &route);

	if (error)
		return error;
	if (entry->rt_metric > 0)
		route.metric = (uint32_t)entry->rt_metric - 1;
	if (entry->rt_flags & RTF_REJECT) {
		route.type = ROUTE_UNREACHABLE;
	} else {
		error = read_way(net, entry, &route);
		if (error)
			return error;
	}
	if (command == SIOCDELRT)
		return route_delete(net, &route);
	if (entry->rt_flags & RTF_GATEWAY && route.type != ROUTE_UNREACHABLE && !route.gateway)
		return -EINVAL;
	return route_add(net, &route);
}
