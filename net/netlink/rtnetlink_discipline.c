/*
 * Queueing disciplines: RTM_GETQDISC. Packets go to their device as they come, which has the name
 * "noqueue" (`tc qdisc`); there are no classes and no filters. None can be added.
 */
#include "net/netlink/rtnetlink.h"

#define REFERENCES 2 /* what Linux shows of one that nothing else refers to */

static bool put_discipline(struct netlink_writer *writer, const struct nlmsghdr *header,
			   const struct net_device *dev)
{
	const struct tcmsg info = {
		.tcm_ifindex = dev->ifindex, .tcm_parent = TC_H_ROOT, .tcm_info = REFERENCES};

	netlink_begin(writer, header);
	netlink_put_bytes(writer, &info, sizeof(info));
	netlink_put_string(writer, TCA_KIND, "noqueue");
	return netlink_end(writer);
}

/* position: the device that was told of last. */
static bool fill_disciplines(struct netlink_dump *dump,
			     struct netlink_writer *writer) NEEDS_NET_LOCK
{
	struct nlmsghdr header = dump->header;
	const struct net_device *dev;

	header.nlmsg_type = RTM_NEWQDISC;
	while ((dev = rtnetlink_next_device(dump->net, (int)dump->position[0]))) {
		if (!put_discipline(writer, &header, dev))
			return false;
		dump->position[0] = (uint64_t)dev->ifindex;
	}
	return true;
}

static int dump_disciplines(struct netlink_request *request) NEEDS_NET_LOCK
{
	const struct netlink_dump dump = {
		.fill = fill_disciplines,
		.generation = &rtnetlink_of(request->net)->generations.links};

	return netlink_dump_start(request, &dump);
}

const struct rtnetlink_matter rtnetlink_disciplines = {.dump = dump_disciplines};
const struct rtnetlink_matter rtnetlink_discipline_parts = {.dump = rtnetlink_dump_nothing};
