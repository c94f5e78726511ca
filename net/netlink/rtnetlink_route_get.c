/* The way to one destination: RTM_GETROUTE, as `ip route get` asks. */
#include "kernel/errno.h"
#include "net/ipv4/ipv4.h"
#include "net/netlink/rtnetlink_route.h"

/* The kernel's own notes about a destination: it has none that a process needs. */
static void put_cache_information(struct netlink_writer *writer)
{
	const struct rta_cacheinfo none = {0};

	netlink_put(writer, RTA_CACHEINFO, &none, sizeof(none));
}

static void answer(struct netlink_request *request, ip4_t destination,
		   const struct route_result *result, ip4_t source, struct sk_buff *skb,
		   struct netlink_writer *writer) NEEDS_NET_LOCK
{
	const struct nlmsghdr header = netlink_answer_header(request, RTM_NEWROUTE);
	bool local = result->type == ROUTE_LOCAL || result->type == ROUTE_BROADCAST;
	const struct rtmsg info = {
		.rtm_family = AF_INET,
		.rtm_dst_len = 32,
		.rtm_src_len = source ? 32 : 0,
		.rtm_table = local ? RT_TABLE_LOCAL : RT_TABLE_MAIN,
		.rtm_type = rtnetlink_route_type((uint8_t)result->type),
		.rtm_flags = RTM_F_CLONED,
	};

	netlink_begin(writer, &header);
	netlink_put_bytes(writer, &info, sizeof(info));
	netlink_put_u32(writer, RTA_TABLE, info.rtm_table);
	netlink_put_be32(writer, RTA_DST, destination);
	if (source)
		netlink_put_be32(writer, RTA_SRC, source);
	netlink_put_u32(writer, RTA_OIF, (uint32_t)result->dev->ifindex);
	if (!source && result->source)
		netlink_put_be32(writer, RTA_PREFSRC, result->source);
	if (result->next_hop != destination)
		netlink_put_be32(writer, RTA_GATEWAY, result->next_hop);
	rtnetlink_put_metrics(writer, result->mtu < result->dev->mtu ? result->mtu : 0,
			      result->ecn);
	netlink_put_u32(writer, RTA_UID, request->sender.uid);
	put_cache_information(writer);
	netlink_end(writer);
	netlink_send(request->from, skb, writer);
}

int rtnetlink_get_route(struct netlink_request *request)
{
	struct netlink_attribute attributes[ROUTE_ATTRIBUTES];
	struct route_result result;
	struct netlink_writer writer;
	struct rtmsg info;
	ip4_t destination = 0, source = 0;
	int error = rtnetlink_fixed_part(request, &info, sizeof(info), true);

	if (!error && info.rtm_family != AF_INET)
		error = -EOPNOTSUPP;
	if (!error)
		error = netlink_attributes(request, sizeof(info), &rtnetlink_route_policy,
					   attributes);
	if (error)
		return error;
	if (attributes[RTA_IIF].value || info.rtm_flags & RTM_F_FIB_MATCH || info.rtm_tos)
		return -EOPNOTSUPP;
	if (attributes[RTA_DST].value)
		destination = netlink_be32(&attributes[RTA_DST]);
	if (attributes[RTA_SRC].value)
		source = netlink_be32(&attributes[RTA_SRC]);
	if (source && !ip4_is_our_address(request->net, source))
		return netlink_refuse(request, -EINVAL, "Invalid source address");
	error = route_lookup(request->net, destination, source,
			     attributes[RTA_OIF].value ? (int)netlink_u32(&attributes[RTA_OIF]) : 0,
			     &result);
	if (error)
		return error;
	struct sk_buff *skb = netlink_packet(request->net, RTNETLINK_MESSAGE_ROOM, &writer);

	if (!skb)
		return -ENOBUFS;
	answer(request, destination, &result, source, skb, &writer);
	return 0;
}
