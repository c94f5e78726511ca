/* The socket calls of UDP and UDP-Lite: udp(7), udplite(7). */
#include "kernel/errno.h"
#include "net/core/checksum.h"
#include "net/core/netdevice.h"
#include "net/ipv4/ipv4_state.h"
#include "net/ipv4/udp.h"
#include "net/ipv4/udp_wire.h"

static int udp_open(struct socket *socket)
{
	inet_socket_open(inet_socket(socket));
	udp_socket(socket)->state = udp_state_of(socket->net, socket->protocol);
	return 0;
}

static void udp_close(struct socket *socket) NEEDS_NET_LOCK
{
	struct udp_socket *udp = udp_socket(socket);

	udp_cork_discard(udp);
	udp_table_remove(&udp->state->table, udp);
	inet_socket_close(&udp->inet);
}

/* RFC 6056, algorithm 1: a random port, then its neighbours until one is free. */
static int choose_port(struct udp_socket *udp, struct endpoint *local) NEEDS_NET_LOCK
{
	struct net *net = udp->inet.socket.net;
	const int32_t *range = ip4_stack(net)->settings.ip_local_port_range;
	uint32_t lowest = (uint32_t)MIN(range[0], range[1]);
	uint32_t count = (uint32_t)MAX(range[0], range[1]) - lowest + 1;
	uint32_t first = net_random_u32(net) % count;

	for (uint32_t i = 0; i < count; i++) {
		local->port = (uint16_t)(lowest + (first + i) % count);
		if (!udp_table_conflicts(&udp->state->table, udp, local))
			return 0;
	}
	return -EADDRINUSE;
}

/* Gives the socket its local end and makes it known. */
static int take_local_end(struct udp_socket *udp, struct endpoint local) NEEDS_NET_LOCK
{
	struct inet_socket *inet = &udp->inet;
	struct udp_table *table = &udp->state->table;
	struct endpoint before = inet->local;
	int error = 0;

	if (local.port == 0)
		error = choose_port(udp, &local);
	else if (udp_table_conflicts(table, udp, &local))
		error = -EADDRINUSE;
	if (error)
		return error;
	inet->local = local;
	error = udp_table_enter(table, udp);
	if (error)
		inet->local = before;
	return error;
}

static int udp_bind(struct socket *socket, const struct sockaddr_storage *name,
		    uint32_t length) NEEDS_NET_LOCK
{
	struct udp_socket *udp = udp_socket(socket);
	struct endpoint local;
	int error = inet_read_name(name, length, &local);

	if (error)
		return error;
	error = inet_check_bind(&udp->inet, &local);
	if (!error)
		error = inet_check_port(&local);
	if (error)
		return error;
	if (udp->inet.local.port)
		return -EINVAL; /* bound already, perhaps by connect or send */
	error = take_local_end(udp, local);
	if (error)
		return error;
	udp->inet.address_bound = local.addr.family != AF_UNSPEC;
	udp->inet.port_bound = local.port != 0;
	return 0;
}

static int bind_if_unbound(struct udp_socket *udp) NEEDS_NET_LOCK
{
	if (udp->inet.local.port)
		return 0;
	return take_local_end(udp, udp->inet.local);
}

static int udp_disconnect(struct socket *socket) NEEDS_NET_LOCK
{
	struct udp_socket *udp = udp_socket(socket);
	struct udp_table *table = &udp->state->table;

	inet_disconnect(&udp->inet);
	if (!udp->inet.port_bound) {
		udp_table_remove(table, udp);
		udp->inet.local.port = 0;
		return 0;
	}
	return udp_table_enter(table, udp);
}

static int udp_connect(struct socket *socket, const struct sockaddr_storage *name,
		       uint32_t length) NEEDS_NET_LOCK
{
	struct udp_socket *udp = udp_socket(socket);
	struct endpoint remote;
	int error = inet_read_name(name, length, &remote);

	if (!error)
		error = bind_if_unbound(udp);
	if (!error)
		error = inet_connect(&udp->inet, &remote);
	if (error)
		return error;
	error = udp_table_enter(&udp->state->table, udp);
	if (error)
		udp_disconnect(socket);
	return error;
}

/*
 * RFC 768. `sum` is the pseudo-header's. Left to the device when it can do it; not when there will
 * be fragments, since their checksum is the whole datagram's.
 * RFC 1122 4.1.3.4, RFC1122-8, RFC1122-10.
 */
static void fill_checksum(const struct inet_outgoing *out, struct sk_buff *skb, uint32_t sum,
			  bool stays_whole)
{
	if (stays_whole && out->route.features & NETDEV_CHECKSUM_OFFLOAD) {
		skb_checksum_leave(skb, UDP_CHECKSUM_AT, sum);
		return;
	}
	udp_put_checksum(skb->data, checksum_fold(skb_checksum_add(skb, 0, skb->len, sum)));
}

static uint32_t pseudo_sum(const struct inet_family *family, const struct inet_outgoing *out,
			   uint32_t length) NEEDS_NET_LOCK
{
	return family->pseudo_sum(out->how.source, out->how.destination, out->how.protocol, length);
}

int udp_transmit(struct udp_socket *udp, struct inet_outgoing *out, struct sk_buff *skb)
{
	const struct inet_family *family = udp->inet.family;
	struct net *net = udp->inet.socket.net;
	uint32_t length = UDP_HEADER_LENGTH + skb->len;
	uint32_t packet_length = family->header_length + out->how.options_length + length;
	const struct udp_header header = {
		.source = udp->inet.local.port,
		.destination = out->to.port,
		.length = (uint16_t)length,
	};
	int error = inet_decide_fragmenting(&udp->inet, out, packet_length);

	if (error) {
		skb_drop(skb, DROP_IP4_MUST_FRAGMENT);
		return error;
	}
	out->how.protocol = (uint8_t)udp->inet.socket.protocol;
	skb_push(skb, UDP_HEADER_LENGTH);
	if (unlikely(out->how.protocol == IPPROTO_UDPLITE)) {
		udp_lite_put_header(udp, skb, &header, pseudo_sum(family, out, length));
	} else {
		udp_emit(&header, skb->data);
		if (!udp->inet.socket.no_check)
			fill_checksum(out, skb, pseudo_sum(family, out, length),
				      packet_length <= out->route.mtu);
	}
	udp_count(udp->state, UDP_STAT_OUT_DATAGRAMS);
	return family->send(net, skb, &out->how);
}

int udp_prepare(struct udp_socket *udp, const struct message *message, struct inet_outgoing *out)
{
	int error = inet_prepare(&udp->inet, message, out);

	if (!error && out->to.port == 0)
		error = -EINVAL;
	return error ? error : bind_if_unbound(udp);
}

/* Owns skb, whose bytes are the payload. */
static int send_datagram(struct socket *socket, const struct message *message,
			 struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct udp_socket *udp = udp_socket(socket);
	bool more = udp->corked || message->flags & MSG_MORE;
	struct inet_outgoing out;

	if (unlikely(more || udp->pending))
		return udp_cork_append(udp, message, skb, more);
	int error = udp_prepare(udp, message, &out);

	if (error) {
		skb_free(skb);
		return error;
	}
	return udp_transmit(udp, &out, skb);
}

static int64_t udp_sendmsg(struct socket *socket, struct message *message)
{
	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (message->iov.remaining > UDP_PAYLOAD_MAX)
		return -EMSGSIZE;
	int64_t sent = socket_send_datagram(socket, message, send_datagram);

	if (sent == -ENOBUFS)
		udp_count(udp_socket(socket)->state, UDP_STAT_SEND_BUFFER_ERRORS);
	return sent;
}

/*
 * The source of a queued datagram: its UDP header still stands in front of the payload. RFC 1122
 * 4.1.3.5, RFC1122-12, RFC1122-13.
 */
static void source_of(const struct sk_buff *skb, struct endpoint *from)
{
	from->addr = net_addr_ip4(SKB_CONTROL(skb, const struct ip4_control)->source);
	from->port = get_be16(skb_transport_header(skb));
}

static int64_t udp_recvmsg(struct socket *socket, struct message *message)
{
	return inet_receive(inet_socket(socket), message, source_of);
}

const struct socket_ops udp_socket_ops = {
	.size = sizeof(struct udp_socket),
	.open = udp_open,
	.close = udp_close,
	.bind = udp_bind,
	.connect = udp_connect,
	.disconnect = udp_disconnect,
	.shutdown = inet_shutdown,
	.name = inet_name,
	.sendmsg = udp_sendmsg,
	.recvmsg = udp_recvmsg,
	.setsockopt = udp_setsockopt,
	.getsockopt = udp_getsockopt,
};
