/* The socket calls of raw IPv4 sockets: raw(7). */
#include "include/uapi/icmp.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/core/checksum.h"
#include "net/ipv4/icmp.h"
#include "net/ipv4/ipv4_state.h"
#include "net/ipv4/raw.h"

static struct raw_socket *raw_socket(struct socket *socket)
{
	return container_of(socket, struct raw_socket, inet.socket);
}

static int raw_open(struct socket *socket) NEEDS_NET_LOCK
{
	struct raw_state *state = raw_state(socket->net);

	inet_socket_open(inet_socket(socket));
	/* raw(7): IPPROTO_RAW is for packets with a header of one's own. */
	inet_socket(socket)->header_included = socket->protocol == IPPROTO_RAW;
	/* As Linux does: traceroute has many probes under way when the first error comes. */
	socket->sends_past_errors = socket->protocol != IPPROTO_RAW;
	list_append(&state->of_protocol[socket->protocol], &socket->link);
	state->count++;
	return 0;
}

static void raw_close(struct socket *socket) NEEDS_NET_LOCK
{
	list_remove(&socket->link);
	raw_state(socket->net)->count--;
	inet_socket_close(inet_socket(socket));
}

static int raw_bind(struct socket *socket, const struct sockaddr_storage *name,
		    uint32_t length) NEEDS_NET_LOCK
{
	struct inet_socket *inet = inet_socket(socket);
	struct endpoint local;
	int error = inet_read_name(name, length, &local);

	if (!error)
		error = inet_check_bind(inet, &local);
	if (error)
		return error;
	inet->local.addr = local.addr;
	inet->address_bound = local.addr.family != AF_UNSPEC;
	return 0;
}

static int raw_connect(struct socket *socket, const struct sockaddr_storage *name,
		       uint32_t length) NEEDS_NET_LOCK
{
	struct endpoint remote;
	int error = inet_read_name(name, length, &remote);

	remote.port = 0;
	return error ? error : inet_connect(inet_socket(socket), &remote);
}

static int raw_disconnect(struct socket *socket) NEEDS_NET_LOCK
{
	inet_disconnect(inet_socket(socket));
	return 0;
}

/*
 * raw(7), IP_HDRINCL: checksum and total length are always filled in, source and identification
 * where they are 0. The rest is the sender's own affair.
 */
static int finish_header(struct inet_socket *inet, const struct inet_outgoing *out,
			 struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct ip4_stack *stack = ip4_stack(inet->socket.net);
	struct ip4_header header;

	if (ip4_parse_quoted(skb->data, skb_linear_len(skb), &header) != DROP_NONE)
		return -EINVAL;
	header.total_length = (uint16_t)skb->len;
	if (header.source == IP4_ANY)
		header.source = out->how.source.v4;
	if (header.id == 0)
		header.id = ip4_next_id(stack, header.source, header.destination, header.protocol);
	ip4_emit(&header, skb->data);
	return 0;
}

static int send_with_header(struct inet_socket *inet, const struct inet_outgoing *out,
			    struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct net *net = inet->socket.net;
	struct route_result route;
	int error = skb->len > out->route.device_mtu ? -EMSGSIZE : 0;

	if (error)
		inet_report_local_error(inet, EMSGSIZE, out->route.device_mtu, &out->to);
	if (!error)
		error = finish_header(inet, out, skb);
	if (!error)
		error = route_lookup(net, out->to.addr.v4, out->how.source.v4, out->how.ifindex,
				     &route);
	if (error) {
		skb_free(skb);
		return error;
	}
	route.mtu = route.dev->mtu; /* what the sender wrote is not cut */
	return ip4_send_prepared(net, skb, &route, out->how.no_loop);
}

/* The kernel's header in front of what the process wrote. Owns skb. */
static int send_payload(struct inet_socket *inet, struct inet_outgoing *out,
			struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct net *net = inet->socket.net;
	int error = inet_decide_fragmenting(inet, out,
					    IP4_HEADER_MIN + out->how.options_length + skb->len);

	if (error) {
		skb_drop(skb, DROP_IP4_MUST_FRAGMENT);
		return error;
	}
	if (inet->socket.protocol == IPPROTO_ICMP && skb->len > 0)
		icmp_count_sent(net, skb->data[0]);
	out->how.protocol = (uint8_t)inet->socket.protocol;
	return inet->family->send(net, skb, &out->how);
}

static int send_packet(struct socket *socket, const struct message *message,
		       struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct inet_socket *inet = inet_socket(socket);
	struct inet_outgoing out;
	int error = inet_prepare(inet, message, &out);

	if (error) {
		skb_free(skb);
		return error;
	}
	return inet->header_included ? send_with_header(inet, &out, skb)
				     : send_payload(inet, &out, skb);
}

static int64_t raw_sendmsg(struct socket *socket, struct message *message)
{
	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (message->iov.remaining > IP4_PACKET_MAX)
		return -EMSGSIZE;
	return socket_send_datagram(socket, message, send_packet);
}

static int64_t raw_recvmsg(struct socket *socket, struct message *message)
{
	return inet_receive(inet_socket(socket), message, inet_source_without_port);
}

static bool is_icmp_filter(const struct socket *socket, int level, int option)
{
	return level == SOL_RAW && option == ICMP_FILTER && socket->protocol == IPPROTO_ICMP;
}

static int raw_setsockopt(struct socket *socket, int level, int option, const void *value,
			  uint32_t length) NEEDS_NET_LOCK
{
	uint32_t *filter = &raw_socket(socket)->icmp_filter;

	if (level == SOL_RAW && option == ICMP_FILTER && socket->protocol != IPPROTO_ICMP)
		return -EOPNOTSUPP;
	if (!is_icmp_filter(socket, level, option))
		return ip4_setsockopt(socket, level, option, value, length);
	memcpy(filter, value, MIN(length, (uint32_t)sizeof(*filter)));
	return 0;
}

static int raw_getsockopt(struct socket *socket, int level, int option, void *value,
			  uint32_t *length) NEEDS_NET_LOCK
{
	const uint32_t *filter = &raw_socket(socket)->icmp_filter;

	if (!is_icmp_filter(socket, level, option))
		return ip4_getsockopt(socket, level, option, value, length);
	*length = MIN(*length, (uint32_t)sizeof(*filter));
	memcpy(value, filter, *length);
	return 0;
}

const struct socket_ops raw_socket_ops = {
	.size = sizeof(struct raw_socket),
	.open = raw_open,
	.close = raw_close,
	.bind = raw_bind,
	.connect = raw_connect,
	.disconnect = raw_disconnect,
	.shutdown = inet_shutdown,
	.name = inet_name,
	.sendmsg = raw_sendmsg,
	.recvmsg = raw_recvmsg,
	.setsockopt = raw_setsockopt,
	.getsockopt = raw_getsockopt,
};
