/* Messages on their way to processes: answers, and notifications to groups. */
#include "kernel/errno.h"
#include "net/core/socket_filter.h"
#include "net/netlink/netlink_private.h"

struct sk_buff *netlink_packet(struct net *net, size_t room, struct netlink_writer *writer)
{
	struct sk_buff *skb = skb_alloc(net, room);

	if (skb)
		netlink_writer_init(writer, skb->tail, room);
	return skb;
}

/* netlink(7): a message was lost, and the next recvmsg says so, once. */
void netlink_overrun(struct netlink_socket *netlink)
{
	if (netlink->congested || netlink->no_enobufs)
		return;
	netlink->congested = true;
	socket_set_error(&netlink->socket, ENOBUFS);
}

/* Owns skb. */
static void deliver(struct netlink_socket *to, struct sk_buff *skb, uint32_t group) NEEDS_NET_LOCK
{
	if (!socket_filter_passes(&to->socket, skb, 0)) {
		skb_drop(skb, DROP_SOCKET_FILTER);
		return;
	}
	*NETLINK_CONTROL(skb) = (struct netlink_control){.group = group};
	if (!socket_queue_receive(&to->socket, skb))
		netlink_overrun(to);
}

void netlink_send(struct netlink_socket *to, struct sk_buff *skb,
		  const struct netlink_writer *writer)
{
	if (!writer->length) {
		skb_free(skb);
		return;
	}
	skb_put(skb, writer->length);
	deliver(to, skb, 0);
}

static bool is_member(const struct netlink_socket *netlink, int protocol, uint32_t group)
{
	return netlink->protocol->number == protocol && netlink->groups & 1ull << (group - 1);
}

bool netlink_group_wanted(struct net *net, int protocol, uint32_t group)
{
	const struct netlink_socket *netlink;

	list_for_each_entry(netlink, &netlink_state_of(net)->sockets, socket.link) {
		if (is_member(netlink, protocol, group))
			return true;
	}
	return false;
}

void netlink_send_group(struct net *net, int protocol, uint32_t group, struct sk_buff *skb,
			const struct netlink_writer *writer)
{
	struct netlink_socket *netlink;

	if (skb)
		skb_put(skb, writer->length);
	list_for_each_entry(netlink, &netlink_state_of(net)->sockets, socket.link) {
		if (!is_member(netlink, protocol, group))
			continue;
		struct sk_buff *copy = skb ? skb_clone(skb) : NULL;

		if (copy)
			deliver(netlink, copy, group);
		else
			netlink_overrun(netlink);
	}
	if (skb)
		skb_free(skb);
}
