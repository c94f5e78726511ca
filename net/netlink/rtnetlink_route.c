/*
 * Routes, listed. There is one table; what addresses of ours mean (local, broadcast) is told as
 * Linux's table "local", and all else as "main".
 */
#include "net/netlink/rtnetlink_route.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"

static const uint8_t least[ROUTE_ATTRIBUTES] = {
	[RTA_DST] = 4,  [RTA_SRC] = 4,      [RTA_IIF] = 4,     [RTA_OIF] = 4,   [RTA_GATEWAY] = 4,
	[RTA_FLOW] = 4, [RTA_PRIORITY] = 4, [RTA_PREFSRC] = 4, [RTA_TABLE] = 4, [RTA_MARK] = 4,
	[RTA_UID] = 4,  [RTA_IP_PROTO] = 1, [RTA_SPORT] = 2,   [RTA_DPORT] = 2, [RTA_NH_ID] = 4};
const struct netlink_policy rtnetlink_route_policy = {.most = RTA_NH_ID, .least = least};

uint8_t rtnetlink_route_type(uint8_t type)
{
	switch (type) {
	case ROUTE_LOCAL:
		return RTN_LOCAL;
	case ROUTE_BROADCAST:
		return RTN_BROADCAST;
	case ROUTE_MULTICAST:
		return RTN_MULTICAST;
	case ROUTE_UNREACHABLE:
		return RTN_UNREACHABLE;
	default:
		return RTN_UNICAST;
	}
}

static uint8_t table_of(const struct route *route)
{
	return route->type == ROUTE_LOCAL || route->type == ROUTE_BROADCAST ? RT_TABLE_LOCAL
									    : RT_TABLE_MAIN;
}

static uint8_t scope_of(const struct route *route)
{
	if (route->type == ROUTE_LOCAL)
		return RT_SCOPE_HOST;
	if (route->type == ROUTE_UNREACHABLE || route->gateway)
		return RT_SCOPE_UNIVERSE;
	return RT_SCOPE_LINK;
}

static uint8_t protocol_of(const struct route *route)
{
	if (route->made_by_address)
		return RTPROT_KERNEL;
	return route->protocol ? route->protocol : RTPROT_BOOT;
}

void rtnetlink_put_metrics(struct netlink_writer *writer, uint32_t mtu, bool ecn)
{
	if (!mtu && !ecn)
		return;
	size_t nest = netlink_begin_nest(writer, RTA_METRICS);

	if (mtu)
		netlink_put_u32(writer, RTAX_MTU, mtu);
	if (ecn)
		netlink_put_u32(writer, RTAX_FEATURES, RTAX_FEATURE_ECN);
	netlink_end_nest(writer, nest);
}

bool rtnetlink_put_route(struct netlink_writer *writer, const struct nlmsghdr *header,
			 const struct route *route)
{
	const struct rtmsg info = {
		.rtm_family = AF_INET,
		.rtm_dst_len = route->prefix_length,
		.rtm_table = table_of(route),
		.rtm_protocol = protocol_of(route),
		.rtm_scope = scope_of(route),
		.rtm_type = rtnetlink_route_type(route->type),
	};

	netlink_begin(writer, header);
	netlink_put_bytes(writer, &info, sizeof(info));
	netlink_put_u32(writer, RTA_TABLE, info.rtm_table);
	if (route->prefix_length)
		netlink_put_be32(writer, RTA_DST, route->destination);
	if (route->metric)
		netlink_put_u32(writer, RTA_PRIORITY, route->metric);
	rtnetlink_put_metrics(writer, route->mtu, route->ecn);
	if (route->source)
		netlink_put_be32(writer, RTA_PREFSRC, route->source);
	if (route->gateway)
		netlink_put_be32(writer, RTA_GATEWAY, route->gateway);
	if (route->dev)
		netlink_put_u32(writer, RTA_OIF, (uint32_t)route->dev->ifindex);
	return netlink_end(writer);
}

struct route_filter { /* 0: all */
	uint32_t table;
	int ifindex;
	uint8_t protocol, type;
	bool none; /* a family, or a table, that has no routes here */
};

static bool is_wanted(const struct route_filter *filter, const struct route *route)
{
	return (!filter->table || filter->table == table_of(route)) &&
	       (!filter->ifindex || (route->dev && route->dev->ifindex == filter->ifindex)) &&
	       (!filter->protocol || filter->protocol == protocol_of(route)) &&
	       (!filter->type || filter->type == rtnetlink_route_type(route->type));
}

static bool fill_routes(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK
{
	const struct route_filter *filter = dump->filter;
	struct route_cursor cursor = {.length = (uint32_t)dump->position[0],
				      .within = {.bucket = (uint32_t)dump->position[1],
						 .skip = (uint32_t)dump->position[2]}};
	struct nlmsghdr header = dump->header;
	const struct route *route;

	if (filter->none)
		return true;
	header.nlmsg_type = RTM_NEWROUTE;
	do {
		dump->position[0] = cursor.length;
		dump->position[1] = cursor.within.bucket;
		dump->position[2] = cursor.within.skip;
		route = route_next(dump->net, &cursor);
		if (route && is_wanted(filter, route) &&
		    !rtnetlink_put_route(writer, &header, route))
			return false;
	} while (route);
	dump->position[0] = cursor.length;
	return true;
}

static int read_filter(struct netlink_request *request, struct route_filter *filter) NEEDS_NET_LOCK
{
	struct netlink_attribute attributes[ROUTE_ATTRIBUTES];
	struct rtmsg info;
	int error = rtnetlink_fixed_part(request, &info, sizeof(info), false);

	*filter = (struct route_filter){
		.none = (info.rtm_family != AF_UNSPEC && info.rtm_family != AF_INET) ||
			info.rtm_flags & RTM_F_CLONED}; /* no cache of routes is shown */
	if (error || !request->from->strict)
		return error; /* programs of old filter by themselves */
	error = netlink_attributes(request, sizeof(info), &rtnetlink_route_policy, attributes);
	if (error)
		return error;
	filter->table = info.rtm_table;
	filter->protocol = info.rtm_protocol;
	filter->type = info.rtm_type;
	if (attributes[RTA_TABLE].value)
		filter->table = netlink_u32(&attributes[RTA_TABLE]);
	if (attributes[RTA_OIF].value)
		filter->ifindex = (int)netlink_u32(&attributes[RTA_OIF]);
	if (filter->ifindex && !netdev_by_index(request->net, filter->ifindex))
		return -ENODEV;
	return 0;
}

static int dump_routes(struct netlink_request *request) NEEDS_NET_LOCK
{
	struct route_filter wanted;
	int error = read_filter(request, &wanted);
	struct route_filter *filter = error ? NULL : kmalloc(sizeof(*filter));

	if (error)
		return error;
	if (!filter)
		return -ENOMEM;
	*filter = wanted;
	const struct netlink_dump dump = {
		.fill = fill_routes,
		.filter = filter,
		.generation = &rtnetlink_of(request->net)->generations.routes};

	return netlink_dump_start(request, &dump);
}

const struct rtnetlink_matter rtnetlink_routes = {
	.change = rtnetlink_change_route, .get = rtnetlink_get_route, .dump = dump_routes};
