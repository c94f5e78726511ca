/* IGMP messages of ours: TTL 1, router alert, internetwork control precedence (RFC 3376 4). */
#include "net/ipv4/igmp_report.h"

#include "include/uapi/in.h"
#include "net/ipv4/ipv4_options.h"
#include "net/ipv4/ipv4_state.h"

#define TOS_INTERNETWORK_CONTROL 0xc0

static const uint8_t router_alert[] = {IP4_OPTION_ROUTER_ALERT, 4, 0, 0};

bool igmp_reports(const struct ip4_interface *interface, ip4_t group)
{
	const struct net_device *dev = interface->dev;

	return group != IGMP_ALL_HOSTS && dev->flags & IFF_UP && !(dev->flags & IFF_LOOPBACK);
}

static struct sk_buff *new_message(const struct ip4_interface *interface, size_t length)
{
	struct sk_buff *skb = skb_alloc(interface->dev->net, SKB_HEADROOM + length);

	if (skb)
		skb_reserve(skb, SKB_HEADROOM);
	return skb;
}

static void send(const struct ip4_interface *interface, struct sk_buff *skb,
		 ip4_t destination) NEEDS_NET_LOCK
{
	const struct ip4_send how = {
		.destination = destination,
		.protocol = IPPROTO_IGMP,
		.ttl = 1,
		.tos = TOS_INTERNETWORK_CONTROL,
		.dont_fragment = true,
		.no_loop = true,
		.ifindex = interface->dev->ifindex,
		.options = router_alert,
		.options_length = sizeof(router_alert),
	};

	(void)ip4_send(interface->dev->net, skb,
		       &how); /* lost like any datagram; it will be repeated */
}

static void send_old(struct igmp_group *group, uint8_t type, ip4_t destination) NEEDS_NET_LOCK
{
	struct sk_buff *skb = new_message(group->interface, IGMP_MESSAGE_LENGTH);

	if (!skb)
		return;
	igmp_emit(type, group->group, skb_put(skb, IGMP_MESSAGE_LENGTH));
	send(group->interface, skb, destination);
}

static void send_record(struct igmp_group *group, enum igmp_record_type type) NEEDS_NET_LOCK
{
	struct sk_buff *skb = new_message(group->interface, 2 * IGMP_MESSAGE_LENGTH);

	if (!skb)
		return;
	uint8_t *bytes = skb_put(skb, 2 * IGMP_MESSAGE_LENGTH);

	igmp_emit_record(type, group->group, bytes + IGMP_MESSAGE_LENGTH);
	igmp_emit_report_head(1, bytes);
	send(group->interface, skb, IGMP_V3_ROUTERS);
}

static void send_old_report(struct igmp_group *group, uint32_t version) NEEDS_NET_LOCK
{
	send_old(group, version == 1 ? IGMP_V1_REPORT : IGMP_V2_REPORT, group->group);
	group->last_reporter = true;
}

void igmp_report_change(struct igmp_group *group, uint32_t version)
{
	if (version == 3) {
		send_record(group, group->users ? IGMP_CHANGE_TO_EXCLUDE : IGMP_CHANGE_TO_INCLUDE);
		return;
	}
	if (group->users) {
		send_old_report(group, version);
		return;
	}
	/* RFC 2236 3: a leave is sent once, by whoever reported last; version 1 has none. */
	group->changes_left = 0;
	if (version == 2 && group->last_reporter)
		send_old(group, IGMP_V2_LEAVE, IGMP_ALL_ROUTERS);
}

void igmp_report_group(struct igmp_group *group, uint32_t version)
{
	if (version == 3)
		send_record(group, IGMP_MODE_IS_EXCLUDE);
	else
		send_old_report(group, version);
}

/* Sends the records gathered so far. */
static void send_gathered(struct ip4_interface *interface, struct sk_buff *skb) NEEDS_NET_LOCK
{
	uint32_t count = skb->len / IGMP_MESSAGE_LENGTH;

	igmp_emit_report_head((uint16_t)count, skb_push(skb, IGMP_MESSAGE_LENGTH));
	send(interface, skb, IGMP_V3_ROUTERS);
}

void igmp_report_all(struct ip4_interface *interface)
{
	/* IP header with router alert, report head, and as many records as fit. */
	size_t room = interface->dev->mtu - IP4_HEADER_MIN - sizeof(router_alert) -
		      IGMP_MESSAGE_LENGTH;
	struct sk_buff *skb = NULL;
	struct igmp_group *group;

	room = MIN(room, 1400u);
	hash_table_for_each_safe(group, &interface->groups, node) {
		if (group->users == 0 || !igmp_reports(interface, group->group))
			continue;
		if (!skb)
			skb = new_message(interface, room);
		if (!skb)
			return;
		igmp_emit_record(IGMP_MODE_IS_EXCLUDE, group->group,
				 skb_put(skb, IGMP_MESSAGE_LENGTH));
		if (skb_tailroom(skb) < IGMP_MESSAGE_LENGTH) {
			send_gathered(interface, skb);
			skb = NULL;
		}
	}
	if (skb)
		send_gathered(interface, skb);
}
