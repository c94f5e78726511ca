/* UDP and UDP-Lite: delivery to sockets, and errors, whatever the network layer. */
#include "net/ipv4/udp.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "net/core/socket_filter.h"
#include "net/ipv4/ipv4_state.h"
#include "net/ipv4/udp_wire.h"

/* A filter sees the header too, which is still there. */
static bool passes_filter(const struct udp_socket *socket, struct sk_buff *skb) NEEDS_NET_LOCK
{
	skb_push(skb, UDP_HEADER_LENGTH);
	bool passes = socket_filter_passes(&socket->inet.socket, skb, UDP_HEADER_LENGTH);

	skb_pull(skb, UDP_HEADER_LENGTH);
	return passes;
}

/* What the socket has against a datagram that is for it. */
static enum drop_reason objection(const struct udp_socket *socket,
				  struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (unlikely(socket->inet.socket.protocol == IPPROTO_UDPLITE) &&
	    !udp_lite_accepts(socket, skb))
		return DROP_UDPLITE_LOW_COVERAGE;
	if (unlikely(socket->inet.socket.filtered) && !passes_filter(socket, skb))
		return DROP_SOCKET_FILTER;
	return DROP_NONE;
}

void udp_deliver(struct udp_state *state, struct udp_socket *socket, struct sk_buff *skb)
{
	enum drop_reason reason = objection(socket, skb);

	if (unlikely(reason != DROP_NONE)) {
		udp_count(state, UDP_STAT_IN_ERRORS);
		socket->inet.socket.drops++;
		skb_drop(skb, reason);
		return;
	}
	if (socket_queue_receive(&socket->inet.socket, skb)) {
		udp_count(state, UDP_STAT_IN_DATAGRAMS);
	} else {
		udp_count(state, UDP_STAT_RECEIVE_BUFFER_ERRORS);
		udp_count(state, UDP_STAT_IN_ERRORS);
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
void udp_deliver_to_many(struct udp_state *state, struct sk_buff *skb,
			 const struct udp_arrival *arrival)
{
	const struct udp_table *table = &state->table;
	struct udp_socket *socket, *last = NULL;

	hash_table_for_each(socket, &table->by_port,
			    udp_table_port_hash(table, arrival->local.port), by_port) {
		if (!wants(socket, arrival))
			continue;
		if (last) {
			struct sk_buff *copy = skb_clone(skb);

			if (copy)
				udp_deliver(state, last, copy);
			else
				udp_count(state, UDP_STAT_MEMORY_ERRORS);
		}
		last = socket;
	}
	if (last) {
		udp_deliver(state, last, skb);
		return;
	}
	udp_count(state, UDP_STAT_IGNORED_MULTICAST);
	skb_drop(skb, DROP_UDP_NO_SOCKET);
}

struct udp_socket *udp_find_receiver(const struct udp_state *state,
				     const struct udp_arrival *arrival)
{
	return udp_table_find(&state->table, &arrival->local, &arrival->remote, arrival->ifindex);
}

bool udp_error(const struct udp_state *state, const struct udp_arrival *arrival,
	       const struct icmp_error *error, const struct sk_buff *quoted)
{
	struct udp_socket *socket = udp_find_receiver(state, arrival);

	if (!socket)
		return false;
	inet_report_error(&socket->inet, error, quoted, UDP_HEADER_LENGTH, &arrival->remote);
	return true;
}

static int create(struct net *net, enum net_state slot, uint16_t protocol, uint32_t secret)
{
	struct udp_state *state = kzalloc(sizeof(*state));

	if (!state)
		return -ENOMEM;
	net->state[slot] = state;
	udp_table_init(&state->table, secret);
	state->kind = (struct inet_kind){
		.type = SOCK_DGRAM, .protocol = protocol, .ops = &udp_socket_ops};
	inet_kind_register(net, &state->kind);
	return 0;
}

int udp_init(struct net *net)
{
	uint32_t secret = net_random_u32(net);
	int error = create(net, NET_STATE_UDP, IPPROTO_UDP, secret);

	if (!error)
		error = create(net, NET_STATE_UDPLITE, IPPROTO_UDPLITE, secret);
	return error ? error : udp_ip4_init(net);
}

static void destroy(struct net *net, enum net_state slot)
{
	struct udp_state *state = net->state[slot];

	if (!state)
		return;
	udp_table_free(&state->table);
	kfree(state);
	net->state[slot] = NULL;
}

void udp_destroy(struct net *net)
{
	destroy(net, NET_STATE_UDPLITE);
	destroy(net, NET_STATE_UDP);
}

static void show(struct text *text, struct net *net, const struct udp_state *state)
{
	struct udp_socket *socket;
	uint32_t slot = 0;

	inet_show_heading(text);
	net_lock(net);
	hash_table_for_each_safe(socket, &state->table.by_port, by_port)
		inet_show(text, slot++, &socket->inet, socket->inet.local.port);
	net_unlock(net);
}

void udp_show(struct text *text, void *net)
{
	show(text, net, udp_state(net));
}

void udp_lite_show(struct text *text, void *net)
{
	show(text, net, udp_lite_state(net));
}
