/* UDP: delivery to sockets, and errors, whatever the network layer. */
#include "net/ipv4/udp.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "net/core/socket_filter.h"
#include "net/ipv4/ipv4_state.h"
#include "net/ipv4/udp_wire.h"

/* A filter sees the header too, which is still there. */
static bool passes_filter(const struct udp_socket *socket, struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (likely(!socket->inet.socket.filtered))
		return true;
	skb_push(skb, UDP_HEADER_LENGTH);
	bool passes = socket_filter_passes(&socket->inet.socket, skb, UDP_HEADER_LENGTH);

	skb_pull(skb, UDP_HEADER_LENGTH);
	return passes;
}

void udp_deliver(struct udp_socket *socket, struct sk_buff *skb)
{
	struct net *net = socket->inet.socket.net;

	if (unlikely(!passes_filter(socket, skb))) {
		udp_count(net, UDP_STAT_IN_ERRORS);
		socket->inet.socket.drops++;
		skb_drop(skb, DROP_SOCKET_FILTER);
		return;
	}
	if (socket_queue_receive(&socket->inet.socket, skb)) {
		udp_count(net, UDP_STAT_IN_DATAGRAMS);
	} else {
		udp_count(net, UDP_STAT_RECEIVE_BUFFER_ERRORS);
		udp_count(net, UDP_STAT_IN_ERRORS);
	}
}

/* RFC 1122 4.1.4: does the socket's binding let this multicast or broadcast datagram in? */
static bool wants(const struct udp_socket *socket, const struct udp_arrival *arrival)
{
	const struct inet_socket *inet = &socket->inet;

	if (inet->local.port != arrival->local.port)
		return false;
	if (inet->local.addr.family != AF_UNSPEC &&
	    !net_addr_equal(&inet->local.addr, &arrival->local.addr))
		return false;
	if (inet_connected(inet) && (inet->remote.port != arrival->remote.port ||
				     !net_addr_equal(&inet->remote.addr, &arrival->remote.addr)))
		return false;
	if (inet->socket.bound_ifindex && inet->socket.bound_ifindex != arrival->ifindex)
		return false;
	return inet_group_allows(inet, arrival->local.addr.v4, arrival->remote.addr.v4,
				 arrival->ifindex);
}

/* A copy for each, the packet itself for the last. */
void udp_deliver_to_many(struct net *net, struct sk_buff *skb, const struct udp_arrival *arrival)
{
	const struct udp_table *table = &udp_state(net)->table;
	struct udp_socket *socket, *last = NULL;

	hash_table_for_each(socket, &table->by_port,
			    udp_table_port_hash(table, arrival->local.port), by_port) {
		if (!wants(socket, arrival))
			continue;
		if (last) {
			struct sk_buff *copy = skb_clone(skb);

			if (copy)
				udp_deliver(last, copy);
			else
				udp_count(net, UDP_STAT_MEMORY_ERRORS);
		}
		last = socket;
	}
	if (last) {
		udp_deliver(last, skb);
		return;
	}
	udp_count(net, UDP_STAT_IGNORED_MULTICAST);
	skb_drop(skb, DROP_UDP_NO_SOCKET);
}

struct udp_socket *udp_find_receiver(struct net *net, const struct udp_arrival *arrival)
{
	return udp_table_find(&udp_state(net)->table, &arrival->local, &arrival->remote,
			      arrival->ifindex);
}

bool udp_error(struct net *net, const struct udp_arrival *arrival, const struct icmp_error *error,
	       const struct sk_buff *quoted)
{
	struct udp_socket *socket = udp_find_receiver(net, arrival);

	if (!socket)
		return false;
	inet_report_error(&socket->inet, error, quoted, UDP_HEADER_LENGTH, &arrival->remote);
	return true;
}

int udp_init(struct net *net)
{
	struct udp_state *state = kzalloc(sizeof(*state));

	if (!state)
		return -ENOMEM;
	net->state[NET_STATE_UDP] = state;
	udp_table_init(&state->table, net);
	state->kind = (struct inet_kind){
		.type = SOCK_DGRAM, .protocol = IPPROTO_UDP, .ops = &udp_socket_ops};
	inet_kind_register(net, &state->kind);
	return udp_ip4_init(net);
}

void udp_destroy(struct net *net)
{
	struct udp_state *state = udp_state(net);

	if (!state)
		return;
	udp_table_free(&state->table);
	kfree(state);
	net->state[NET_STATE_UDP] = NULL;
}

void udp_show(struct text *text, void *context)
{
	struct net *net = context;
	struct udp_socket *socket;
	uint32_t slot = 0;

	inet_show_heading(text);
	net_lock(net);
	hash_table_for_each_safe(socket, &udp_state(net)->table.by_port, by_port)
		inet_show(text, slot++, &socket->inet, socket->inet.local.port);
	net_unlock(net);
}
