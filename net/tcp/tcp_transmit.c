/*
 * One segment of a connection: header, options, checksum, and page references for its data; then
 * down to the network layer. What it tells the peer (window, acknowledgement) is noted here.
 */
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/core/checksum.h"
#include "net/core/netdevice.h"
#include "net/tcp/tcp_state.h"

#define ECN_ECT0 2 /* RFC 3168 5 */
#define ECN_MASK 3
#define URGENT_MAX 65535
#define SACK_LENGTH_MAX 36 /* of the option with four blocks, padded */

uint32_t tcp_timestamp(const struct tcp_socket *tcp, uint64_t now_us)
{
	return (uint32_t)(now_us / USEC_PER_MSEC) + tcp->ts_offset;
}

/* The options of every segment but a SYN: RFC 7323 3.2, RFC 2018. */
static void fill_options(struct tcp_socket *tcp, uint64_t now_us,
			 struct tcp_outgoing *outgoing) NEEDS_NET_LOCK
{
	struct tcp_options *options = &outgoing->options;

	options->has_timestamps = tcp->has_timestamps;
	if (tcp->has_timestamps) {
		options->ts_value = tcp_timestamp(tcp, now_us);
		options->ts_echo = tcp->ts_recent;
	}
	if (!tcp->dsack_due && !tcp->sack_recent_count)
		return;
	/*
	 * RFC 9293 3.7.1: what the option takes is not there for data; an ACK of its own follows.
	 */
	if (outgoing->length && outgoing->length + SACK_LENGTH_MAX > tcp->mss)
		outgoing->sack_left_out = true;
	else
		tcp_sack_options(tcp, options);
}

/* Before the connection is synchronised there is nothing to acknowledge. */
static bool acknowledges(const struct tcp_socket *tcp)
{
	return tcp->state != TCP_SYN_SENT;
}

/*
 * How far ahead the urgent data ends. RFC 9293 3.8.5, MUST-30, MUST-31, MUST-62:
 * one past the urgent byte.
 */
static void fill_urgent(const struct tcp_socket *tcp, struct tcp_header *header)
{
	if (!tcp->urgent_out || !seq_after(tcp->snd_up, header->seq))
		return;
	uint32_t ahead = tcp->snd_up - header->seq;

	if (ahead > URGENT_MAX)
		return;
	header->flags |= TCP_URG;
	header->urgent = (uint16_t)ahead;
}

/*
 * RFC 3168 6.1: the peer is told of congestion until it says that it reduced. RFC 9293 3.8.2,
 * SHLD-8.
 */
static void fill_ecn(struct tcp_socket *tcp, const struct tcp_outgoing *outgoing,
		     struct tcp_header *header)
{
	if (!tcp->has_ecn || outgoing->flags & (TCP_SYN | TCP_RST))
		return;
	if (tcp->ecn_echo)
		header->flags |= TCP_ECE;
	if (tcp->ecn_cwr && outgoing->length && !outgoing->retransmission) {
		header->flags |= TCP_CWR;
		tcp->ecn_cwr = false;
	}
}

/*
 * What the window field says; remembered, since the edge may not move back. RFC 9293 3.1, MUST-1,
 * REC-1.
 */
static uint16_t offer_window(struct tcp_socket *tcp, bool syn) NEEDS_NET_LOCK
{
	uint32_t window = tcp_receive_window(tcp);

	if (syn) { /* RFC 7323 2.2: never scaled */
		window = MIN(tcp->rcv_edge - tcp->rcv_nxt, UINT16_MAX);
		return (uint16_t)window;
	}
	if ((window == 0) != tcp->told_closed) {
		tcp->told_closed = window == 0;
		tcp_count_extra(tcp_net(tcp),
				window ? TCP_EXTRA_FROM_ZERO_WINDOW : TCP_EXTRA_TO_ZERO_WINDOW);
	}
	if (seq_after(tcp->rcv_nxt + window, tcp->rcv_edge))
		tcp->rcv_edge = tcp->rcv_nxt + window;
	return (uint16_t)(window >> tcp->rcv_wscale);
}

static void fill_header(struct tcp_socket *tcp, const struct tcp_outgoing *outgoing,
			struct tcp_header *header) NEEDS_NET_LOCK
{
	*header = (struct tcp_header){
		.source = tcp->inet.local.port,
		.destination = tcp->inet.remote.port,
		.seq = outgoing->seq,
		.flags = outgoing->flags,
		.window = offer_window(tcp, outgoing->flags & TCP_SYN),
	};
	if (acknowledges(tcp)) {
		header->flags |= TCP_ACK;
		header->ack = tcp->rcv_nxt;
	}
	fill_urgent(tcp, header);
	fill_ecn(tcp, outgoing, header);
}

/*
 * Left to the device where it can, or where it segments; else summed over header and pages. RFC
 * 9293 3.1, MUST-2.
 */
static void fill_checksum(const struct tcp_socket *tcp, struct sk_buff *skb)
{
	const struct inet_family *family = tcp->inet.family;
	uint32_t sum = family->pseudo_sum(tcp->inet.local.addr, tcp->inet.remote.addr, IPPROTO_TCP,
					  skb->len);

	if (tcp->device_features & NETDEV_CHECKSUM_OFFLOAD || skb->gso_size) {
		skb_checksum_leave(skb, TCP_CHECKSUM_AT, sum);
		return;
	}
	be16 field = checksum_fold(skb_checksum_add(skb, 0, skb->len, sum));

	memcpy(skb->data + TCP_CHECKSUM_AT, &field, sizeof(field));
}

/* The segment with its header; NULL: no memory. outgoing->length is cut to what fits. */
static struct sk_buff *build(struct tcp_socket *tcp, struct tcp_outgoing *outgoing,
			     uint64_t now_us) NEEDS_NET_LOCK
{
	struct sk_buff *skb = skb_alloc(tcp_net(tcp), SKB_HEADROOM);
	struct tcp_header header;

	if (!skb)
		return NULL;
	skb_reserve(skb, SKB_HEADROOM);
	if (outgoing->length &&
	    tcp_stream_attach(&tcp->stream, outgoing->seq + (outgoing->flags & TCP_SYN ? 1 : 0),
			      &outgoing->length, skb))
		outgoing->flags &= (uint8_t) ~(TCP_FIN | TCP_PSH); /* the end did not fit */
	if (!(outgoing->flags & TCP_SYN))
		fill_options(tcp, now_us, outgoing);
	fill_header(tcp, outgoing, &header);
	tcp_emit(&header, &outgoing->options,
		 skb_push(skb, TCP_HEADER_MIN + tcp_options_length(&outgoing->options)));
	if (outgoing->length > tcp->mss && !outgoing->probe) {
		skb->gso_size = tcp->mss;
		skb->gso_type = header.flags & TCP_CWR ? SKB_GSO_TCP4 | SKB_GSO_ECN : SKB_GSO_TCP4;
	}
	fill_checksum(tcp, skb);
	return skb;
}

/* What this segment tells need not be told again. */
static void note_acknowledged(struct tcp_socket *tcp, bool sack_left_out) NEEDS_NET_LOCK
{
	tcp->last_ack_sent = tcp->rcv_nxt;
	tcp->ack_now = tcp->ack_now && sack_left_out;
	tcp->ack_pending = false;
	timer_disarm(&tcp->delayed_ack);
}

static void count_sent(struct tcp_socket *tcp, const struct tcp_outgoing *outgoing,
		       uint64_t now_us) NEEDS_NET_LOCK
{
	struct net *net = tcp_net(tcp);
	uint32_t segments = outgoing->length > tcp->mss
				    ? (outgoing->length + tcp->mss - 1) / tcp->mss
				    : 1;

	tcp->count.segments_out += segments;
	tcp_of(net)->statistics[TCP_STAT_OUT_SEGMENTS] += segments;
	if (outgoing->flags & TCP_RST)
		tcp_count(net, TCP_STAT_OUT_RESETS);
	if (outgoing->retransmission) {
		tcp_of(net)->statistics[TCP_STAT_RETRANSMITTED] += segments;
		tcp->count.retransmissions += segments;
		tcp->count.bytes_retransmitted += outgoing->length;
	}
	if (!outgoing->length)
		return;
	tcp->count.data_segments_out += segments;
	tcp->count.bytes_sent += outgoing->length;
	/* Answering soon after the peer's data: acknowledgements may wait for the answers. */
	if (tcp->last_data_received_us &&
	    now_us - tcp->last_data_received_us < TCP_DELAYED_ACK_MAX_US)
		tcp->interactive = true;
	tcp->last_data_sent_us = now_us;
}

int tcp_transmit(struct tcp_socket *tcp, struct tcp_outgoing *outgoing)
{
	const struct inet_socket *inet = &tcp->inet;
	struct net *net = tcp_net(tcp);
	uint64_t now_us = net_batch_time(net);
	struct sk_buff *skb = build(tcp, outgoing, now_us);

	if (!skb)
		return -ENOMEM;

	const struct inet_send how = {
		.source = inet->local.addr,
		.destination = inet->remote.addr,
		.protocol = IPPROTO_TCP,
		.ttl = inet->ttl > 0 ? (uint8_t)inet->ttl : 0,
		.tos = (uint8_t)((inet->tos & ~ECN_MASK) |
				 (tcp->has_ecn && outgoing->length && !outgoing->retransmission
					  ? ECN_ECT0
					  : 0)),
		.dont_fragment = inet->mtu_discover != IP_PMTUDISC_DONT &&
				 !tcp->mtu.no_dont_fragment,
		.ifindex = inet->socket.bound_ifindex,
		.options = inet->options_length ? inet->options : NULL,
		.options_length = inet->options_length,
	};

	count_sent(tcp, outgoing, now_us);
	if (acknowledges(tcp))
		note_acknowledged(tcp, outgoing->sack_left_out);
	return inet->family->send(net, skb, &how);
}
