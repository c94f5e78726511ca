/* NETLINK_ROUTE: which message goes to which matter. See rtnetlink.h. */
#include "net/netlink/rtnetlink.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"

#define GROUPS 36 /* that programs join: those of IPv6 and others are silent here */

/* A message's type is 16, four for each matter, and which of the four. */
#define KINDS 4
#define KIND_GET (RTM_GETLINK % KINDS)
#define KIND_SET (RTM_SETLINK % KINDS)

#define NUMBER(new) (((new) - RTM_NEWLINK) / KINDS)

static const struct rtnetlink_matter *const matters[] = {
	[NUMBER(RTM_NEWLINK)] = &rtnetlink_links,
	[NUMBER(RTM_NEWADDR)] = &rtnetlink_addresses,
	[NUMBER(RTM_NEWROUTE)] = &rtnetlink_routes,
	[NUMBER(RTM_NEWNEIGH)] = &rtnetlink_neighbours,
	[NUMBER(RTM_NEWRULE)] = &rtnetlink_rules,
	[NUMBER(RTM_NEWQDISC)] = &rtnetlink_disciplines,
	[NUMBER(RTM_GETTCLASS)] = &rtnetlink_discipline_parts,
	[NUMBER(RTM_GETTFILTER)] = &rtnetlink_discipline_parts,
	[NUMBER(RTM_NEWNEIGHTBL)] = &rtnetlink_neighbour_tables,
	[NUMBER(RTM_NEWNETCONF)] = &rtnetlink_configuration,
	[NUMBER(RTM_NEWSTATS)] = &rtnetlink_statistics,
};

/* NULL: there is no such thing here. */
static int (*find_function(const struct nlmsghdr *header))(struct netlink_request *request)
{
	uint32_t number = NUMBER(header->nlmsg_type);

	if (header->nlmsg_type < RTM_NEWLINK || number >= ARRAY_SIZE(matters))
		return NULL;
	const struct rtnetlink_matter *matter = matters[number];

	if (!matter)
		return NULL;
	switch (header->nlmsg_type % KINDS) {
	case KIND_GET:
		break;
	case KIND_SET: /* which links alone have */
		return header->nlmsg_type == RTM_SETLINK ? matter->change : NULL;
	default:
		return matter->change;
	}
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

bool rtnetlink_fill_nothing(struct netlink_dump *dump __unused,
			    struct netlink_writer *writer __unused)
{
	return true;
}

int rtnetlink_dump_nothing(struct netlink_request *request)
{
	const struct netlink_dump dump = {.fill = rtnetlink_fill_nothing};

	return netlink_dump_start(request, &dump);
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
