/*
 * RTM_GETNETCONF: what IPv4 does on each interface, on all, and on those to come (`ip netconf`).
 * There is one setting, net.ipv4.ip_forward, for all of them; the others say what is not done here.
 */
#include "kernel/errno.h"
#include "net/ipv4/ipv4_state.h"
#include "net/netlink/rtnetlink.h"

static bool put_configuration(struct netlink_writer *writer, const struct nlmsghdr *header,
			      struct net *net, int ifindex) NEEDS_NET_LOCK
{
	static const uint16_t never[] = {NETCONFA_RP_FILTER, NETCONFA_MC_FORWARDING,
					 NETCONFA_BC_FORWARDING, NETCONFA_PROXY_NEIGH,
					 NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN};
	const struct netconfmsg info = {.ncm_family = AF_INET};

	netlink_begin(writer, header);
	netlink_put_bytes(writer, &info, sizeof(info));
	netlink_put_u32(writer, NETCONFA_IFINDEX, (uint32_t)ifindex);
	netlink_put_u32(writer, NETCONFA_FORWARDING, (uint32_t)ip4_stack(net)->settings.ip_forward);
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		netlink_put_u32(writer, never[i], 0);
	return netlink_end(writer);
}

/* position: the device that was told of last; how many of `others`. */
static bool fill_configuration(struct netlink_dump *dump,
			       struct netlink_writer *writer) NEEDS_NET_LOCK
{
	static const int others[] = {NETCONFA_IFINDEX_ALL, NETCONFA_IFINDEX_DEFAULT};
	struct nlmsghdr header = dump->header;
	const struct net_device *dev;

	header.nlmsg_type = RTM_NEWNETCONF;
	while ((dev = rtnetlink_next_device(dump->net, (int)dump->position[0]))) {
		if (!put_configuration(writer, &header, dump->net, dev->ifindex))
			return false;
		dump->position[0] = (uint64_t)dev->ifindex;
	}
	for (; dump->position[1] < ARRAY_SIZE(others); dump->position[1]++) {
		if (!put_configuration(writer, &header, dump->net, others[dump->position[1]]))
			return false;
	}
	return true;
}

static int dump_configuration(struct netlink_request *request) NEEDS_NET_LOCK
{
	uint8_t family = rtnetlink_family(request);
	const struct netlink_dump dump = {
		.fill = family == AF_UNSPEC || family == AF_INET ? fill_configuration
								 : rtnetlink_fill_nothing,
		.generation = &rtnetlink_of(request->net)->generations.links};

	return netlink_dump_start(request, &dump);
}

static int get_configuration(struct netlink_request *request) NEEDS_NET_LOCK
{
	static const uint8_t least[NETCONFA_BC_FORWARDING + 1] = {[NETCONFA_IFINDEX] = 4};
	static const struct netlink_policy policy = {.most = NETCONFA_BC_FORWARDING,
						     .least = least};
	struct netlink_attribute attributes[NETCONFA_BC_FORWARDING + 1];
	const struct nlmsghdr header = netlink_answer_header(request, RTM_NEWNETCONF);
	struct netlink_writer writer;
	int error = netlink_attributes(request, sizeof(struct netconfmsg), &policy, attributes);

	if (error)
		return error;
	if (rtnetlink_family(request) != AF_INET)
		return -EOPNOTSUPP;
	if (!attributes[NETCONFA_IFINDEX].value)
		return -EINVAL;
	int ifindex = (int)netlink_u32(&attributes[NETCONFA_IFINDEX]);

	if (ifindex != NETCONFA_IFINDEX_ALL && ifindex != NETCONFA_IFINDEX_DEFAULT &&
	    !netdev_by_index(request->net, ifindex))
		return -ENODEV;
	struct sk_buff *skb = netlink_packet(request->net, RTNETLINK_MESSAGE_ROOM, &writer);

	if (!skb)
		return -ENOBUFS;
	put_configuration(&writer, &header, request->net, ifindex);
	netlink_send(request->from, skb, &writer);
	return 0;
}

const struct rtnetlink_matter rtnetlink_configuration = {.get = get_configuration,
							 .dump = dump_configuration};
