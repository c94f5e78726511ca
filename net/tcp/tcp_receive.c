/*
 * Received data: into the receive queue in order, or kept until it is; and when it is acknowledged
 * (RFC 9293 3.10.7.4, 3.8.6.3; RFC 1122 4.2.3.2).
 */
#include "net/tcp/tcp_reassembly.h"
#include "net/tcp/tcp_state.h"

/* ---- Acknowledging ---- */

/*
 * RFC 1122 4.2.3.2, RFC 5681 4.2: every second full segment at once, others within 40 ms; at the
 * start of a connection each one, since the peer's window grows by acknowledgements.
 * RFC 9293 3.8.6.3, SHLD-19; 3.10.7.4, MUST-58.
 */
static void schedule_ack(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	bool two_segments = tcp->rcv_nxt - tcp->last_ack_sent > tcp->rcv_mss;

	if (two_segments && tcp_receive_window(tcp) >= tcp->rcv_mss) {
		tcp->ack_now = true;
	} else if (tcp->quick_acks && !tcp->quickack_off && !tcp->interactive) {
		tcp->quick_acks--;
		tcp->ack_now = true;
	} else {
		tcp->ack_pending = true;
	}
}

static void note_segment_size(struct tcp_socket *tcp, const struct tcp_segment *segment,
			      uint16_t gso_size)
{
	uint32_t size = gso_size ? gso_size : segment->payload;

	if (size > tcp->rcv_mss)
		tcp->rcv_mss = (uint16_t)MIN(size, (uint32_t)tcp->advertised_mss);
}

/* ---- Data ---- */

/* The next bytes of the stream. Owns skb. */
static void queue_in_order(struct tcp_socket *tcp, struct sk_buff *skb) NEEDS_NET_LOCK
{
	const struct tcp_control *control = TCP_CONTROL(skb);
	bool fin = control->fin;

	tcp->rcv_nxt = control->end + fin;
	tcp->count.bytes_received += skb->len;
	if (fin)
		tcp->fin_received = true;
	tcp_queue_append(tcp, skb);
}

/* As tcp_reassembly_cut; the first bytes that have come already are reported: RFC 2883 4.1. */
static struct sk_buff *cut(struct tcp_socket *tcp, struct sk_buff *skb) NEEDS_NET_LOCK
{
	uint32_t end = TCP_CONTROL(skb)->end;
	struct sk_buff *rest = tcp_reassembly_cut(tcp, skb);
	uint32_t kept = TCP_CONTROL(skb)->end;
	struct tcp_sack_block run;

	if (kept != end && !tcp->dsack_due && tcp_reassembly_run(tcp, kept, &run))
		tcp_note_duplicate(tcp, kept, seq_min(end, run.end));
	return rest;
}

/* What it fills, and what was kept behind that, up to the first byte that is missing. Owns skb. */
static void queue_with_kept(struct tcp_socket *tcp, struct sk_buff *skb) NEEDS_NET_LOCK
{
	while (skb && !tcp->fin_received) {
		struct sk_buff *rest = cut(tcp, skb);

		queue_in_order(tcp, skb);
		while (!tcp->fin_received && (skb = tcp_reassembly_take(tcp)))
			queue_in_order(tcp, skb);
		skb = rest;
	}
	if (!tcp->fin_received)
		return;
	/* Nothing can follow the end. */
	tcp_reassembly_free(tcp);
	if (skb)
		skb_drop(skb, DROP_TCP_AFTER_CLOSE);
}

static void wake_readers(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	const struct socket *socket = &tcp->inet.socket;
	uint32_t low = MIN((uint32_t)socket->receive_low, (uint32_t)socket->receive_buffer / 4);

	if (tcp->fin_received || tcp->reader_has_some || tcp_readable(tcp) >= low)
		socket_wake(&tcp->inet.socket, POLLIN | POLLRDNORM);
}

static void receive_in_order(struct tcp_socket *tcp, const struct tcp_segment *segment,
			     struct sk_buff *skb) NEEDS_NET_LOCK
{
	bool filled_hole = tcp->out_of_order_segments != 0;

	if (segment->payload && !tcp_queue_takes_more(tcp)) {
		tcp->ack_pending = true;
		skb_drop(skb, DROP_TCP_MEMORY);
		return;
	}
	queue_with_kept(tcp, skb);
	tcp_window_round_trip(tcp, segment);
	if (filled_hole || tcp->fin_received) /* RFC 5681 4.2, SHLD: at once */
		tcp->ack_now = true;
	else
		schedule_ack(tcp);
	wake_readers(tcp);
}

static void receive_out_of_order(struct tcp_socket *tcp, struct sk_buff *skb) NEEDS_NET_LOCK
{
	const struct tcp_control *control = TCP_CONTROL(skb);
	uint32_t seq = control->seq, end = control->end;
	struct tcp_sack_block run;

	tcp->count.out_of_order++;
	tcp->ack_now = true; /* RFC 5681 4.2 */
	if (tcp_reassembly_run(tcp, seq, &run)) {
		tcp_note_duplicate(tcp, seq, seq_min(end, run.end));
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_DSACKS_OUT_OF_ORDER_SENT);
	}
	tcp_reassembly_add(tcp, skb);
	if (tcp->has_sack && tcp_reassembly_run(tcp, seq, &run))
		tcp_sack_remember(tcp, run.start);
}

void tcp_receive_data(struct tcp_socket *tcp, const struct tcp_segment *segment,
		      struct sk_buff *skb)
{
	struct tcp_control *control = TCP_CONTROL(skb);

	note_segment_size(tcp, segment, skb->gso_size);
	*control = (struct tcp_control){
		.seq = segment->seq,
		.end = segment->seq + segment->payload,
		.fin = segment->flags & TCP_FIN,
	};
	if (segment->payload) {
		tcp->last_data_received_us = segment->now_us;
		tcp->count.data_segments_in++;
	}
	if (segment->seq == tcp->rcv_nxt)
		receive_in_order(tcp, segment, skb);
	else
		receive_out_of_order(tcp, skb);
}
