/* RTM_GETSTATS: what links have counted, without the rest (`ip stats`). */
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "net/netlink/rtnetlink.h"

#define WANTED(attribute) (1u << ((attribute)-1))

static bool put_link(struct netlink_writer *writer, const struct nlmsghdr *header,
		     const struct net_device *dev, uint32_t wanted) NEEDS_NET_LOCK
{
	const struct if_stats_msg info = {.ifindex = (uint32_t)dev->ifindex, .filter_mask = wanted};
	const struct rtnl_link_stats64 statistics = rtnetlink_link_statistics(dev);

	netlink_begin(writer, header);
	netlink_put_bytes(writer, &info, sizeof(info));
	if (wanted & WANTED(IFLA_STATS_LINK_64))
		netlink_put(writer, IFLA_STATS_LINK_64, &statistics, sizeof(statistics));
	return netlink_end(writer);
}

/* position: the device that was told of last. The filter is the mask. */
static bool fill_links(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK
{
	const uint32_t *wanted = dump->filter;
	struct nlmsghdr header = dump->header;
	const struct net_device *dev;

	header.nlmsg_type = RTM_NEWSTATS;
	while ((dev = rtnetlink_next_device(dump->net, (int)dump->position[0]))) {
		if (!put_link(writer, &header, dev, *wanted))
			return false;
		dump->position[0] = (uint64_t)dev->ifindex;
	}
	return true;
}

static int read_request(struct netlink_request *request, struct if_stats_msg *info) NEEDS_NET_LOCK
{
	int error = rtnetlink_fixed_part(request, info, sizeof(*info), true);

	if (!error && !info->filter_mask)
		error = netlink_refuse(request, -EINVAL, "No statistics are asked for");
	return error;
}

static int dump_statistics(struct netlink_request *request) NEEDS_NET_LOCK
{
	struct if_stats_msg info;
	int error = read_request(request, &info);

	if (error)
		return error;
	uint32_t *wanted = kmalloc(sizeof(*wanted));

	if (!wanted)
		return -ENOMEM;
	*wanted = info.filter_mask;
	const struct netlink_dump dump = {
		.fill = fill_links,
		.filter = wanted,
		.generation = &rtnetlink_of(request->net)->generations.links};

	return netlink_dump_start(request, &dump);
}

static int get_statistics(struct netlink_request *request) NEEDS_NET_LOCK
{
	const struct nlmsghdr header = netlink_answer_header(request, RTM_NEWSTATS);
	struct netlink_writer writer;
	struct if_stats_msg info;
	int error = read_request(request, &info);

	if (error)
		return error;
	const struct net_device *dev = netdev_by_index(request->net, (int)info.ifindex);

	if (!dev)
		return info.ifindex ? -ENODEV : -EINVAL;
	struct sk_buff *skb = netlink_packet(request->net, RTNETLINK_MESSAGE_ROOM, &writer);

	if (!skb)
		return -ENOBUFS;
	put_link(&writer, &header, dev, info.filter_mask);
	netlink_send(request->from, skb, &writer);
	return 0;
}

const struct rtnetlink_matter rtnetlink_statistics = {.get = get_statistics,
						      .dump = dump_statistics};
