/* Routes, changed: RTM_NEWROUTE and RTM_DELROUTE. */
#include "kernel/errno.h"
#include "net/netlink/rtnetlink_route.h"

#define MTU_MIN 68 /* RFC 791 */

static const uint8_t metrics_least[RTAX_FEATURES + 1] = {
	[RTAX_LOCK] = 4, [RTAX_MTU] = 4, [RTAX_FEATURES] = 4};
static const struct netlink_policy metrics_policy = {.most = RTAX_FEATURES, .least = metrics_least};

/* What only other kinds of routing understand. */
static bool asks_too_much(const struct rtmsg *info, const struct netlink_attribute *attributes)
{
	static const uint8_t others[] = {RTA_SRC,        RTA_IIF,   RTA_MULTIPATH,
					 RTA_FLOW,       RTA_VIA,   RTA_ENCAP,
					 RTA_ENCAP_TYPE, RTA_NH_ID, RTA_TTL_PROPAGATE};
	uint32_t table = info->rtm_table;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (attributes[others[i]].value)
			return true;
	}
	if (attributes[RTA_TABLE].value)
		table = netlink_u32(&attributes[RTA_TABLE]);
	return info->rtm_src_len || info->rtm_tos ||
	       (table != RT_TABLE_UNSPEC && table != RT_TABLE_MAIN);
}

static int read_metrics(struct netlink_request *request, const struct netlink_attribute *nest,
			struct route *route) NEEDS_NET_LOCK
{
	struct netlink_attribute metrics[RTAX_FEATURES + 1];
	size_t offset;

	if (!nest->value)
		return 0;
	if (netlink_read_attributes(nest->value, nest->length, &metrics_policy, true, metrics,
				    &offset) != NETLINK_FINE)
		return netlink_refuse(request, -EINVAL, "Invalid metrics");
	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
		if (metrics[i].value && i != RTAX_MTU && i != RTAX_FEATURES)
			return -EOPNOTSUPP;
	}
	if (metrics[RTAX_MTU].value)
		route->mtu = netlink_u32(&metrics[RTAX_MTU]);
	if (route->mtu && (route->mtu < MTU_MIN || route->mtu > UINT16_MAX))
		return netlink_refuse(request, -EINVAL, "Invalid MTU");
	if (metrics[RTAX_FEATURES].value) {
		uint32_t features = netlink_u32(&metrics[RTAX_FEATURES]);

		if (features & ~(uint32_t)RTAX_FEATURE_ECN)
			return -EOPNOTSUPP;
		route->ecn = features & RTAX_FEATURE_ECN;
	}
	return 0;
}

static int read_type(const struct rtmsg *info, struct route *route)
{
	switch (info->rtm_type) {
	case RTN_UNSPEC:
	case RTN_UNICAST:
		route->type = ROUTE_UNICAST;
		return 0;
	case RTN_UNREACHABLE:
		route->type = ROUTE_UNREACHABLE;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int read_way(struct netlink_request *request, const struct netlink_attribute *attributes,
		    struct route *route) NEEDS_NET_LOCK
{
	if (attributes[RTA_OIF].value) {
		route->dev = netdev_by_index(request->net, (int)netlink_u32(&attributes[RTA_OIF]));
		if (!route->dev)
			return netlink_refuse(request, -ENODEV, "Egress device not found");
	}
	if (attributes[RTA_GATEWAY].value)
		route->gateway = netlink_be32(&attributes[RTA_GATEWAY]);
	if (attributes[RTA_PREFSRC].value)
		route->source = netlink_be32(&attributes[RTA_PREFSRC]);
	return 0;
}

static int read_route(struct netlink_request *request, const struct rtmsg *info,
		      const struct netlink_attribute *attributes,
		      struct route *route) NEEDS_NET_LOCK
{
	int error = read_type(info, route);

	if (error || asks_too_much(info, attributes))
		return -EOPNOTSUPP;
	if (info->rtm_dst_len > 32)
		return netlink_refuse(request, -EINVAL, "Invalid prefix length");
	route->prefix_length = info->rtm_dst_len;
	route->protocol = info->rtm_protocol;
	if (attributes[RTA_DST].value)
		route->destination = netlink_be32(&attributes[RTA_DST]);
	if (route->destination & ~ip4_mask(route->prefix_length))
		return netlink_refuse(request, -EINVAL, "Invalid prefix for given prefix length");
	if (attributes[RTA_PRIORITY].value)
		route->metric = netlink_u32(&attributes[RTA_PRIORITY]);
	error = read_way(request, attributes, route);
	return error ? error : read_metrics(request, &attributes[RTA_METRICS], route);
}

/* A route of main to the same prefix with the same metric: what EXCL and REPLACE are about. */
static const struct route *find_same(struct net *net, const struct route *wanted) NEEDS_NET_LOCK
{
	struct route_cursor cursor = {.length = wanted->prefix_length};
	const struct route *route;

	while ((route = route_next(net, &cursor)) && cursor.length == wanted->prefix_length) {
		if (route->destination == wanted->destination && route->metric == wanted->metric &&
		    (route->type == ROUTE_UNICAST || route->type == ROUTE_UNREACHABLE))
			return route;
	}
	return NULL;
}

/* Where the new one is refused, the old one comes back. */
static int replace_route(struct net *net, const struct route *old,
			 const struct route *wanted) NEEDS_NET_LOCK
{
	struct route outgoing = *old;
	int error = route_delete(net, &outgoing);

	if (error)
		return error;
	error = route_add(net, wanted);
	if (error && route_add(net, &outgoing))
		return -ENOMEM;
	return error;
}

static int add_route(struct netlink_request *request, const struct route *wanted) NEEDS_NET_LOCK
{
	uint16_t flags = request->message->header.nlmsg_flags;
	const struct route *same = find_same(request->net, wanted);
	int error;

	if (same && flags & NLM_F_EXCL)
		return -EEXIST;
	if (same && flags & NLM_F_REPLACE)
		return replace_route(request->net, same, wanted);
	if (!same && !(flags & NLM_F_CREATE))
		return -ENOENT;
	error = route_add(request->net, wanted);
	if (error == -ENETUNREACH)
		return netlink_refuse(request, error, "Nexthop has invalid gateway");
	if (error == -ENETDOWN)
		return netlink_refuse(request, error, "Device for nexthop is not up");
	return error;
}

int rtnetlink_change_route(struct netlink_request *request)
{
	struct netlink_attribute attributes[ROUTE_ATTRIBUTES];
	struct route route = {0};
	struct rtmsg info;
	int error = rtnetlink_fixed_part(request, &info, sizeof(info), true);

	if (error)
		return error;
	if (info.rtm_family != AF_INET)
		return -EOPNOTSUPP;
	error = netlink_attributes(request, sizeof(info), &rtnetlink_route_policy, attributes);
	if (!error)
		error = read_route(request, &info, attributes, &route);
	if (error)
		return error;
	if (request->message->header.nlmsg_type == RTM_NEWROUTE)
		return add_route(request, &route);
	error = route_delete(request->net, &route);
	if (error == -ESRCH && info.rtm_type == RTN_UNSPEC) { /* of any type */
		route.type = ROUTE_UNREACHABLE;
		error = route_delete(request->net, &route);
	}
	return error;
}
