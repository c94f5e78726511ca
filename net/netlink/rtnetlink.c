/* NETLINK_ROUTE: which message goes to which matter. See rtnetlink.h. */
#include "net/netlink/rtnetlink.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"

#define GROUPS 36 /* that programs join: those of IPv6 and others are silent here */

/* A message's type is 16, four for each matter, and which of the four. */
#define KINDS 4
#define KIND_GET (RTM_GETLINK % KINDS)

static const struct rtnetlink_matter *const matters[] = {
	&rtnetlink_links,      &rtnetlink_addresses, &rtnetlink_routes,
	&rtnetlink_neighbours, &rtnetlink_rules,
};

/* NULL: there is no such thing here. */
static int (*find_function(const struct nlmsghdr *header))(struct netlink_request *request)
{
	uint32_t number = (header->nlmsg_type - RTM_NEWLINK) / KINDS;

	if (header->nlmsg_type < RTM_NEWLINK || number >= ARRAY_SIZE(matters))
		return NULL;
	const struct rtnetlink_matter *matter = matters[number];

	if (header->nlmsg_type % KINDS != KIND_GET)
		return matter->change;
	return header->nlmsg_flags & NLM_F_DUMP ? matter->dump : matter->get;
}

static int receive(struct netlink_request *request) NEEDS_NET_LOCK
{
	const struct nlmsghdr *header = &request->message->header;
	int (*serve)(struct netlink_request * request) = find_function(header);

	if (request->message->length < sizeof(struct rtgenmsg))
		return -EINVAL;
	if (header->nlmsg_type % KINDS != KIND_GET) {
		int error = netlink_check_permission();

		if (error)
			return error;
	}
	return serve ? serve(request) : -EOPNOTSUPP;
}

int rtnetlink_fixed_part(struct netlink_request *request, void *to, size_t size, bool whole)
{
	const struct netlink_message *message = request->message;

	memset(to, 0, size);
	if (message->length < size && (whole || request->from->strict))
		return netlink_refuse(request, -EINVAL, "Invalid header");
	memcpy(to, message->payload, MIN(size, message->length));
	return 0;
}

int rtnetlink_init(struct net *net)
{
	struct rtnetlink *rtnetlink = kzalloc(sizeof(*rtnetlink));

	if (!rtnetlink)
		return -ENOMEM;
	rtnetlink->net = net;
	rtnetlink->protocol = (struct netlink_protocol){
		.number = NETLINK_ROUTE, .groups = GROUPS, .receive = receive};
	rtnetlink->notifier.changed = rtnetlink_link_changed;
	rtnetlink->ip4_observer.address = rtnetlink_address_changed;
	rtnetlink->ip4_observer.route = rtnetlink_route_changed;
	rtnetlink->arp_observer.changed = rtnetlink_neighbour_changed;
	net->state[NET_STATE_RTNETLINK] = rtnetlink;
	netlink_protocol_register(net, &rtnetlink->protocol);
	net_lock(net);
	device_notifier_register(net, &rtnetlink->notifier);
	ip4_observer_register(net, &rtnetlink->ip4_observer);
	arp_observer_register(net, &rtnetlink->arp_observer);
	net_unlock(net);
	return 0;
}

void rtnetlink_destroy(struct net *net)
{
	struct rtnetlink *rtnetlink = rtnetlink_of(net);

	net_lock(net);
	list_remove(&rtnetlink->notifier.link);
	ip4_observer_unregister(&rtnetlink->ip4_observer);
	arp_observer_unregister(&rtnetlink->arp_observer);
	list_remove(&rtnetlink->protocol.link);
	net_unlock(net);
	net->state[NET_STATE_RTNETLINK] = NULL;
	kfree(rtnetlink);
}
