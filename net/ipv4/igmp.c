/* IGMP: memberships of interfaces, queries, reports with random delays. */
#include "net/ipv4/igmp.h"

#include "include/uapi/in.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "net/ipv4/igmp_report.h"
#include "net/ipv4/ipv4_state.h"

#define ROBUSTNESS 2                                   /* RFC 3376 8.1 */
#define UNSOLICITED_INTERVAL_US (1 * USEC_PER_SEC)     /* RFC 3376 8.11 */
#define V2_UNSOLICITED_INTERVAL_US (10 * USEC_PER_SEC) /* RFC 2236 8.10 */
#define OLDER_QUERIER_US (260 * USEC_PER_SEC)          /* RFC 3376 8.12: 2 * 125 s + 10 s */
#define GROUPS_FIRST_DELAY_US (USEC_PER_SEC / 10)

static uint64_t random_delay(struct net *net, uint64_t max_us)
{
	return net_now(net) + net_random_u32(net) % (uint32_t)(max_us + 1);
}

uint32_t igmp_version(const struct ip4_interface *interface)
{
	uint64_t now_us = net_now(interface->dev->net);

	if (now_us < interface->igmp1_until_us)
		return 1;
	return now_us < interface->igmp2_until_us ? 2 : 3;
}

struct mac igmp_group_mac(ip4_t group)
{
	return (struct mac){
		{0x01, 0x00, 0x5e, group >> 16 & 0x7f, group >> 8 & 0xff, group & 0xff}};
}

static uint32_t group_hash(ip4_t group)
{
	return hash_words(group, 0, 0, 0);
}

static struct igmp_group *find_group(const struct ip4_interface *interface, ip4_t wanted)
{
	struct igmp_group *group;

	hash_table_for_each(group, &interface->groups, group_hash(wanted), node) {
		if (group->group == wanted)
			return group;
	}
	return NULL;
}

bool igmp_is_member(const struct net_device *dev, ip4_t wanted)
{
	if (wanted == IGMP_ALL_HOSTS)
		return true;
	if (!dev->ip4)
		return false;

	struct igmp_group *group = find_group(dev->ip4, wanted);

	return group && group->users > 0;
}

static void free_group(struct igmp_group *group) NEEDS_NET_LOCK
{
	net_timer_cancel(group->interface->dev->net, &group->timer);
	hash_table_remove(&group->interface->groups, &group->node);
	kfree(group);
}

/* A change is told ROBUSTNESS times at random moments; an answer to a query once. */
static void group_timer(struct timer *timer) NEEDS_NET_LOCK
{
	struct igmp_group *group = container_of(timer, struct igmp_group, timer);
	struct net *net = group->interface->dev->net;
	uint32_t version = igmp_version(group->interface);

	if (group->changes_left > 0) {
		group->changes_left--;
		igmp_report_change(group, version);
	} else if (group->response_due) {
		igmp_report_group(group, version);
	}
	group->response_due = false;
	if (group->changes_left > 0)
		net_timer_arm(net, &group->timer,
			      random_delay(net, version == 3 ? UNSOLICITED_INTERVAL_US
							     : V2_UNSOLICITED_INTERVAL_US));
	else if (group->users == 0)
		free_group(group);
}

/* RFC 3376 5.1: the first report goes at once, its repetitions later. */
static void tell_change(struct igmp_group *group) NEEDS_NET_LOCK
{
	if (!igmp_reports(group->interface, group->group)) {
		group->changes_left = 0;
		if (group->users == 0)
			free_group(group);
		return;
	}
	group->changes_left = ROBUSTNESS;
	group_timer(&group->timer);
}

static struct igmp_group *create_group(struct ip4_interface *interface, ip4_t wanted) NEEDS_NET_LOCK
{
	struct igmp_group *group = kzalloc(sizeof(*group));

	if (!group)
		return NULL;
	group->interface = interface;
	group->group = wanted;
	timer_init(&group->timer, group_timer);
	if (hash_table_insert(&interface->groups, &group->node, group_hash(wanted))) {
		kfree(group);
		return NULL;
	}
	return group;
}

int igmp_join(struct net_device *dev, ip4_t wanted)
{
	struct ip4_interface *interface = ip4_interface(dev);
	struct igmp_group *group = interface ? find_group(interface, wanted) : NULL;

	if (!interface)
		return -ENOMEM;
	if (group && group->users > 0) {
		group->users++;
		return 0;
	}
	if (netdev_multicast_join(dev, igmp_group_mac(wanted)))
		return -ENOMEM;
	if (!group)
		group = create_group(interface, wanted);
	if (!group) {
		netdev_multicast_leave(dev, igmp_group_mac(wanted));
		return -ENOMEM;
	}
	group->users = 1;
	tell_change(group);
	return 0;
}

void igmp_leave(struct net_device *dev, ip4_t wanted)
{
	struct igmp_group *group = dev->ip4 ? find_group(dev->ip4, wanted) : NULL;

	if (!group || group->users == 0 || --group->users > 0)
		return;
	netdev_multicast_leave(dev, igmp_group_mac(wanted));
	tell_change(group);
}

/* RFC 2236 3, RFC 3376 5.2: answers after a random time, unless an earlier answer is due anyway. */
static void respond_later(struct igmp_group *group, uint64_t max_response_us) NEEDS_NET_LOCK
{
	struct net *net = group->interface->dev->net;
	uint64_t when_us = random_delay(net, max_response_us);

	if (group->users == 0 || !igmp_reports(group->interface, group->group))
		return;
	group->response_due = true;
	if (!timer_armed(&group->timer) || when_us < group->timer.when_us)
		net_timer_arm(net, &group->timer, when_us);
}

static void note_older_querier(struct ip4_interface *interface, uint32_t version) NEEDS_NET_LOCK
{
	uint64_t until_us = net_now(interface->dev->net) + OLDER_QUERIER_US;

	if (version == 1)
		interface->igmp1_until_us = until_us;
	else if (version == 2)
		interface->igmp2_until_us = until_us;
	if (version < 3)
		net_timer_cancel(interface->dev->net, &interface->query_timer);
}

static void receive_query(struct ip4_interface *interface,
			  const struct igmp_message *message) NEEDS_NET_LOCK
{
	struct net *net = interface->dev->net;
	struct igmp_group *group;

	note_older_querier(interface, message->version);
	if (message->group) {
		group = find_group(interface, message->group);
		if (group)
			respond_later(group, message->max_response_us);
		return;
	}
	if (igmp_version(interface) == 3) {
		uint64_t when_us = random_delay(net, message->max_response_us);

		if (!timer_armed(&interface->query_timer) ||
		    when_us < interface->query_timer.when_us)
			net_timer_arm(net, &interface->query_timer, when_us);
		return;
	}
	hash_table_for_each_safe(group, &interface->groups, node)
		respond_later(group, message->max_response_us);
}

/* RFC 2236 3: somebody else has answered for the group; versions 1 and 2 only. */
static void receive_report(struct ip4_interface *interface, ip4_t reported) NEEDS_NET_LOCK
{
	struct igmp_group *group = find_group(interface, reported);

	if (!group || igmp_version(interface) == 3 || group->users == 0)
		return;
	group->last_reporter = false;
	group->response_due = false;
	if (group->changes_left == 0)
		net_timer_cancel(interface->dev->net, &group->timer);
}

static void igmp_receive(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK
{
	const struct ip4_control *control = IP4_CONTROL(skb);
	struct igmp_message message;

	if (!skb_may_pull(skb, skb->len) || !igmp_parse(skb->data, skb->len, &message)) {
		skb_drop(skb, DROP_IGMP_MALFORMED);
		return;
	}
	/*
	 * All of IGMP stays on its link (RFC 2236 2): a message from farther away, or to one host,
	 * is no router's.
	 */
	if (control->ttl != 1 || control->route_type != ROUTE_MULTICAST || !dev->ip4) {
		skb_drop(skb, DROP_IGMP_IGNORED);
		return;
	}
	switch (message.type) {
	case IGMP_QUERY:
		receive_query(dev->ip4, &message);
		skb_free(skb);
		return;
	case IGMP_V1_REPORT:
	case IGMP_V2_REPORT:
		receive_report(dev->ip4, message.group);
		skb_free(skb);
		return;
	default:
		skb_drop(skb, DROP_IGMP_IGNORED);
	}
}

static void general_query_timer(struct timer *timer) NEEDS_NET_LOCK
{
	igmp_report_all(container_of(timer, struct ip4_interface, query_timer));
}

int igmp_interface_init(struct ip4_interface *interface)
{
	timer_init(&interface->query_timer, general_query_timer);
	return netdev_multicast_join(interface->dev, igmp_group_mac(IGMP_ALL_HOSTS));
}

void igmp_interface_up(struct ip4_interface *interface)
{
	struct net *net = interface->dev->net;
	struct igmp_group *group;

	hash_table_for_each_safe(group, &interface->groups, node) {
		if (group->users == 0 || !igmp_reports(interface, group->group))
			continue;
		group->changes_left = ROBUSTNESS;
		net_timer_arm(net, &group->timer, random_delay(net, GROUPS_FIRST_DELAY_US));
	}
}

void igmp_interface_down(struct ip4_interface *interface)
{
	struct net *net = interface->dev->net;
	struct igmp_group *group;

	net_timer_cancel(net, &interface->query_timer);
	interface->igmp1_until_us = interface->igmp2_until_us = 0;
	hash_table_for_each_safe(group, &interface->groups, node) {
		net_timer_cancel(net, &group->timer);
		group->changes_left = 0;
		group->response_due = false;
		if (group->users == 0)
			free_group(group);
	}
}

void igmp_interface_free(struct ip4_interface *interface)
{
	struct igmp_group *group;

	igmp_interface_down(interface);
	hash_table_for_each_safe(group, &interface->groups, node) {
		netdev_multicast_leave(interface->dev, igmp_group_mac(group->group));
		free_group(group);
	}
	hash_table_free(&interface->groups);
	netdev_multicast_leave(interface->dev, igmp_group_mac(IGMP_ALL_HOSTS));
}

static const struct ip4_protocol igmp_protocol = {
	.protocol = IPPROTO_IGMP,
	.receive = igmp_receive,
};

int igmp_init(struct net *net)
{
	return ip4_protocol_register(net, &igmp_protocol);
}

/* Groups are printed as Linux prints them: the bytes of the wire read as a little-endian number. */
static void show_interface(struct text *text, struct net_device *dev) NEEDS_NET_LOCK
{
	struct ip4_interface *interface = dev->ip4;
	struct igmp_group *group;

	text_printf(text, "%d\t%-10s: %5u      V%u\n", dev->ifindex, dev->name,
		    interface->groups.count + 1, igmp_version(interface));
	hash_table_for_each_safe(group, &interface->groups, node)
		text_printf(text, "\t\t\t\t%08X %5u %d:%08X\t\t%d\n",
			    __builtin_bswap32(group->group), group->users,
			    timer_armed(&group->timer), 0u, group->last_reporter);
	text_printf(text, "\t\t\t\t%08X %5d %d:%08X\t\t%d\n", __builtin_bswap32(IGMP_ALL_HOSTS), 1,
		    0, 0u, 0);
}

void igmp_show(struct text *text, void *context)
{
	struct net *net = context;
	struct net_device *dev;

	text_printf(text, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
	net_lock(net);
	list_for_each_entry(dev, &net->devices, link) {
		if (dev->ip4 && dev->flags & IFF_MULTICAST)
			show_interface(text, dev);
	}
	net_unlock(net);
}
