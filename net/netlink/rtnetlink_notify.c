/* What changed, to the groups that listen: RTNLGRP_LINK, NEIGH, IPV4_IFADDR, IPV4_ROUTE. */
#include "kernel/errno.h"
#include "net/ethernet/arp_table.h"
#include "net/ipv4/ipv4.h"
#include "net/netlink/rtnetlink.h"

/* Sends what was written, or tells that there was no memory for it. */
static void send(struct net *net, uint32_t group, struct sk_buff *skb,
		 const struct netlink_writer *writer) NEEDS_NET_LOCK
{
	netlink_send_group(net, NETLINK_ROUTE, group, skb, writer);
}

/* A writer for the group, or NULL in *skb. False: nobody listens. */
static bool begin(struct net *net, uint32_t group, struct sk_buff **skb,
		  struct netlink_writer *writer) NEEDS_NET_LOCK
{
	if (!netlink_group_wanted(net, NETLINK_ROUTE, group))
		return false;
	*skb = netlink_packet(net, RTNETLINK_MESSAGE_ROOM, writer);
	return true;
}

void rtnetlink_link_changed(struct device_notifier *notifier, struct net_device *dev,
			    enum device_event event)
{
	struct rtnetlink *rtnetlink = container_of(notifier, struct rtnetlink, notifier);
	const struct nlmsghdr header = {.nlmsg_type = event == DEVICE_GONE ? RTM_DELLINK
									   : RTM_NEWLINK};
	struct netlink_writer writer;
	struct sk_buff *skb;

	rtnetlink->generations.links++;
	if (!begin(dev->net, RTNLGRP_LINK, &skb, &writer))
		return;
	if (skb)
		rtnetlink_put_link(&writer, &header, dev);
	send(dev->net, RTNLGRP_LINK, skb, &writer);
}

void rtnetlink_address_changed(struct ip4_observer *observer, struct net_device *dev,
			       const struct ip4_address *address, bool gone)
{
	struct rtnetlink *rtnetlink = container_of(observer, struct rtnetlink, ip4_observer);
	const struct nlmsghdr header = {.nlmsg_type = gone ? RTM_DELADDR : RTM_NEWADDR};
	struct netlink_writer writer;
	struct sk_buff *skb;

	rtnetlink->generations.addresses++;
	if (!begin(dev->net, RTNLGRP_IPV4_IFADDR, &skb, &writer))
		return;
	if (skb)
		rtnetlink_put_address(&writer, &header, dev, address);
	send(dev->net, RTNLGRP_IPV4_IFADDR, skb, &writer);
}

void rtnetlink_route_changed(struct ip4_observer *observer, const struct route *route, bool gone)
{
	struct rtnetlink *rtnetlink = container_of(observer, struct rtnetlink, ip4_observer);
	const struct nlmsghdr header = {.nlmsg_type = gone ? RTM_DELROUTE : RTM_NEWROUTE};
	struct netlink_writer writer;
	struct sk_buff *skb;

	rtnetlink->generations.routes++;
	if (!begin(rtnetlink->net, RTNLGRP_IPV4_ROUTE, &skb, &writer))
		return;
	if (skb)
		rtnetlink_put_route(&writer, &header, route);
	send(rtnetlink->net, RTNLGRP_IPV4_ROUTE, skb, &writer);
}

void rtnetlink_neighbour_changed(struct arp_observer *observer, const struct arp_entry *entry,
				 bool gone)
{
	struct rtnetlink *rtnetlink = container_of(observer, struct rtnetlink, arp_observer);
	const struct nlmsghdr header = {.nlmsg_type = gone ? RTM_DELNEIGH : RTM_NEWNEIGH};
	struct netlink_writer writer;
	struct sk_buff *skb;

	rtnetlink->generations.neighbours++;
	if (!begin(rtnetlink->net, RTNLGRP_NEIGH, &skb, &writer))
		return;
	if (skb)
		rtnetlink_put_neighbour(&writer, &header, entry, gone);
	send(rtnetlink->net, RTNLGRP_NEIGH, skb, &writer);
}
