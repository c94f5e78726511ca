/* TCP over IPv4: how packets and ICMP errors come in, and whom they are for. */
#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "net/core/checksum.h"
#include "net/core/socket_filter.h"
#include "net/ipv4/ipv4_state.h"
#include "net/tcp/tcp_reply.h"
#include "net/tcp/tcp_state.h"

#define ECN_CE 3 /* RFC 3168 5 */

static bool checksum_is_good(const struct sk_buff *skb)
{
	const struct ip4_control *control = SKB_CONTROL(skb, const struct ip4_control);

	if (skb->checksum != SKB_CHECKSUM_NONE)
		return true;

	uint32_t sum = checksum_pseudo4(control->source, control->destination, IPPROTO_TCP,
					(uint16_t)skb->len);

	return checksum_fold(skb_checksum_add(skb, 0, skb->len, sum)).raw == 0;
}

/*
 * Header and options into `segment`, and off the packet. DROP_NONE, or why not. MUST-5: options
 * are read in every segment.
 */
static enum drop_reason parse(struct sk_buff *skb, struct tcp_segment *segment) NEEDS_NET_LOCK
{
	const struct ip4_control *control = IP4_CONTROL(skb);
	struct tcp_header *header = &segment->header;

	if (control->route_type != ROUTE_LOCAL) /* RFC 1122 4.2.3.10, MUST-57 */
		return DROP_TCP_BAD_DESTINATION;
	if (!skb_may_pull(skb, TCP_HEADER_MIN))
		return DROP_TCP_SHORT;
	enum drop_reason reason = tcp_parse(skb->data, skb->len, header);

	if (reason != DROP_NONE)
		return reason;
	if (!skb_may_pull(skb, header->header_length))
		return DROP_TCP_SHORT;
	if (!checksum_is_good(skb)) /* MUST-3 */
		return DROP_TCP_BAD_CHECKSUM;
	tcp_parse_options(skb->data + TCP_HEADER_MIN,
			  (size_t)header->header_length - TCP_HEADER_MIN, header->flags & TCP_SYN,
			  &segment->options);
	segment->local = (struct endpoint){net_addr_ip4(control->destination), header->destination};
	segment->remote = (struct endpoint){net_addr_ip4(control->source), header->source};
	segment->ifindex = control->ifindex;
	segment->tos = control->tos;
	segment->congestion_experienced = (control->tos & 3) == ECN_CE;
	skb_pull(skb, header->header_length);
	return DROP_NONE;
}

static void fill_variables(struct tcp_segment *segment, const struct sk_buff *skb) NEEDS_NET_LOCK
{
	const struct tcp_header *header = &segment->header;

	segment->seq = header->seq;
	segment->ack = header->ack;
	segment->flags = header->flags;
	segment->window = header->window;
	segment->payload = skb->len;
	segment->length = segment->payload + (header->flags & TCP_SYN ? 1 : 0) +
			  (header->flags & TCP_FIN ? 1 : 0);
	segment->now_us = net_batch_time(skb->net);
	segment->follows_timewait = false;
}

/* RFC 9293 3.10.7.1: nobody is there. */
static void answer_stranger(struct tcp_segment *segment, struct sk_buff *skb) NEEDS_NET_LOCK
{
	tcp_reply_reset(skb->net, &ip4_inet_family, segment);
	skb_drop(skb, DROP_TCP_NO_SOCKET);
}

/*
 * The socket's filter, which sees the header too. It may cut the payload: what is gone then was
 * not received, and will come again. True: the packet is disposed of.
 */
static bool filter_refuses(const struct tcp_socket *tcp, struct tcp_segment *segment,
			   struct sk_buff *skb) NEEDS_NET_LOCK
{
	uint32_t header = segment->header.header_length;

	if (likely(!tcp->inet.socket.filtered))
		return false;
	skb_push(skb, header);
	bool passes = socket_filter_passes(&tcp->inet.socket, skb, header);

	skb_pull(skb, header);
	if (!passes) {
		skb_drop(skb, DROP_SOCKET_FILTER);
		return true;
	}
	fill_variables(segment, skb);
	return false;
}

/* A connection, a half-open one, the echo of one in TIME-WAIT, a listener; in this order. */
static void deliver(struct tcp_segment *segment, struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct tcp_state_of_net *state = tcp_of(skb->net);
	const struct endpoint *local = &segment->local, *remote = &segment->remote;
	uint32_t hash = tcp_table_hash(&state->table, local, remote);
	struct tcp_socket *tcp = tcp_table_find(&state->table, hash, local, remote);

	if (tcp) {
		if (unlikely(filter_refuses(tcp, segment, skb)))
			return;
		struct socket *held = socket_get(&tcp->inet.socket);

		tcp_receive_segment(tcp, segment, skb);
		socket_put(held);
		return;
	}
	struct tcp_request *request = tcp_request_find(&state->requests, hash, local, remote);

	if (request) {
		if (!filter_refuses(request->listener, segment, skb))
			tcp_request_receive(request, segment, skb);
		return;
	}
	struct tcp_timewait *timewait = tcp_timewait_find(&state->timewaits, hash, local, remote);

	tcp = tcp_table_listener(&state->table, hash, local, segment->ifindex);
	if (tcp && !timewait && unlikely(filter_refuses(tcp, segment, skb)))
		return;
	if (timewait)
		tcp_timewait_receive(timewait, segment, skb, tcp);
	else if (tcp)
		tcp_listen_receive(tcp, segment, skb);
	else
		answer_stranger(segment, skb);
}

/* RFC 9293 3.9.2.1, MUST-50: IP has read the options; none concerns TCP. */
static void receive(struct net_device *dev, struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct net *net = dev->net;
	struct tcp_segment segment;
	enum drop_reason reason = parse(skb, &segment);

	tcp_count(net, TCP_STAT_IN_SEGMENTS);
	if (reason == DROP_NONE) {
		fill_variables(&segment, skb);
		deliver(&segment, skb);
		return;
	}
	if (reason != DROP_TCP_BAD_DESTINATION)
		tcp_count(net, TCP_STAT_IN_ERRORS);
	if (reason == DROP_TCP_BAD_CHECKSUM)
		tcp_count(net, TCP_STAT_IN_CHECKSUM_ERRORS);
	skb_drop(skb, reason);
}

/* ---- ICMP errors: RFC 1122 4.2.3.9, RFC 5927 ---- */

static bool in_flight(const struct tcp_socket *tcp, uint32_t seq)
{
	return seq_from(seq, tcp->snd_una) && seq_before(seq, tcp->snd_nxt);
}

/*
 * While a connection is being opened, an unreachable peer ends that; afterwards every error is a
 * soft one, told only when the connection times out (RFC 5927 4, MUST-56).
 * RFC 9293 3.9.1.8, MUST-47, SHLD-20, SHLD-25.
 */
static void note_error(struct tcp_socket *tcp, const struct icmp_error *error) NEEDS_NET_LOCK
{
	bool opening = tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECV;

	if (opening && error->error)
		tcp_fail(tcp, error->error);
	else
		tcp->soft_error = error->error;
}

static bool connection_error(struct tcp_socket *tcp, const struct icmp_error *error,
			     const struct sk_buff *quoted, uint32_t seq) NEEDS_NET_LOCK
{
	struct socket *held = socket_get(&tcp->inet.socket);

	if (!in_flight(tcp, seq)) { /* RFC 5927 4.1 */
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_OUT_OF_WINDOW_ICMPS);
		socket_put(held);
		return false;
	}
	if (error->error == EMSGSIZE && error->mtu)
		tcp_mtu_reduced(tcp, error->mtu);
	else
		note_error(tcp, error);
	if (tcp->inet.want_errors)
		inet_report_error(&tcp->inet, error, quoted, 0, &tcp->inet.remote);
	socket_put(held);
	return true;
}

/*
 * `skb` stands at the quoted ports and sequence number, of which 8 bytes are there. RFC 9293
 * 3.9.2.2, MUST-54, MUST-55: source quench never reaches us.
 */
static bool error(struct net *net, const struct sk_buff *skb, const struct ip4_header *inner,
		  const struct icmp_error *what) NEEDS_NET_LOCK
{
	struct tcp_state_of_net *state = tcp_of(net);
	const struct endpoint local = {net_addr_ip4(inner->source), get_be16(skb->data)};
	const struct endpoint remote = {net_addr_ip4(inner->destination), get_be16(skb->data + 2)};
	uint32_t seq = get_be32(skb->data + 4);
	uint32_t hash = tcp_table_hash(&state->table, &local, &remote);
	struct tcp_socket *tcp = tcp_table_find(&state->table, hash, &local, &remote);

	if (tcp)
		return connection_error(tcp, what, skb, seq);

	struct tcp_request *request = tcp_request_find(&state->requests, hash, &local, &remote);

	if (!request)
		return false;
	if (seq != request->iss) {
		tcp_count_extra(net, TCP_EXTRA_OUT_OF_WINDOW_ICMPS);
		return false;
	}
	if (what->hard && what->error != EMSGSIZE)
		tcp_request_drop(request);
	return true;
}

static const struct ip4_protocol tcp_protocol = {
	.protocol = IPPROTO_TCP,
	.receive = receive,
	.error = error,
};

int tcp_ip4_init(struct net *net)
{
	return ip4_protocol_register(net, &tcp_protocol);
}
