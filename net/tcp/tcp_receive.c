/*
 * Received data: into the receive queue in order, the window that is offered, acknowledging, urgent
 * data (RFC 9293 3.8.6, 3.10.7.4; RFC 1122 4.2.3.2; RFC 2018; RFC 2883).
 */
#include "kernel/string.h"
#include "net/tcp/tcp_reassembly.h"
#include "net/tcp/tcp_state.h"

#define RCV_MSS_LEAST 88 /* the estimate of the peer's segments starts and stays above it */
#define QUICK_ACKS 16    /* at the start of a connection, while the peer's window grows */

/* ---- The window ---- */

/* Bytes of buffer that are free, as payload: half of them is room for what packets weigh. */
static uint32_t buffer_space(const struct tcp_socket *tcp)
{
	const struct socket *socket = &tcp->inet.socket;
	int64_t room = (int64_t)socket->receive_buffer - socket->receive_queue.truesize -
		       tcp->out_of_order_bytes;
	uint32_t space = room > 0 ? (uint32_t)(room / 2) : 0;

	if (tcp->window_clamp)
		space = MIN(space, tcp->window_clamp);
	return MIN(space, TCP_WINDOW_MAX);
}

static uint32_t scaled_down(const struct tcp_socket *tcp, uint32_t window)
{
	return MIN(window >> tcp->rcv_wscale, UINT16_MAX) << tcp->rcv_wscale;
}

/* What is left of the window last offered, in whole units of the scale. */
static uint32_t offered(const struct tcp_socket *tcp)
{
	uint32_t unit = 1u << tcp->rcv_wscale;
	uint32_t left = seq_after(tcp->rcv_edge, tcp->rcv_nxt) ? tcp->rcv_edge - tcp->rcv_nxt : 0;

	return (left + unit - 1) & ~(unit - 1);
}

/*
 * RFC 9293 3.8.6.2.2, MUST-39: the right edge moves only by a full segment, or half of the buffer.
 * SHLD-14: it never moves to the left.
 */
uint32_t tcp_receive_window(struct tcp_socket *tcp)
{
	uint32_t now = offered(tcp), space = scaled_down(tcp, buffer_space(tcp));
	uint32_t step = MIN((uint32_t)tcp->inet.socket.receive_buffer / 4, (uint32_t)tcp->rcv_mss);

	if (space <= now || tcp_of(tcp_net(tcp))->memory_pressure)
		return MIN(now, (uint32_t)UINT16_MAX << tcp->rcv_wscale);
	if (space - now < step)
		return now;
	if (now == 0)
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_FROM_ZERO_WINDOW);
	return space;
}

/* RFC 7323 2.3: a scale with which the largest buffer that we would ever use can be told. */
void tcp_choose_window_scale(struct net *net, int32_t receive_buffer, bool scaling,
			     uint32_t *window, uint8_t *scale)
{
	uint32_t most = (uint32_t)MAX(receive_buffer, tcp_of(net)->settings.tcp_rmem[2]);

	*scale = 0;
	while (scaling && *scale < TCP_WINDOW_SCALE_MAX && (most >> *scale) > UINT16_MAX)
		(*scale)++;
	*window = MIN((uint32_t)receive_buffer / 2, UINT16_MAX);
}

void tcp_receive_setup(struct tcp_socket *tcp)
{
	tcp->rcv_mss = (uint16_t)MAX(MIN(tcp->advertised_mss, TCP_MSS_DEFAULT), RCV_MSS_LEAST);
	tcp->quick_acks = QUICK_ACKS;
	tcp->tune.seq = tcp->copied_seq;
	tcp->tune.round_us = net_now(tcp_net(tcp));
	tcp->tune.space = (uint32_t)tcp->inet.socket.receive_buffer / 4;
}

/* ---- Growing the buffer: as much again as the process took in one round trip ---- */

static void grow_buffer(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	struct socket *socket = &tcp->inet.socket;
	const struct tcp_state_of_net *state = tcp_of(socket->net);
	/* Twice for the growth of the sender's window, twice for what packets weigh. */
	uint64_t wanted = 4ull * tcp->tune.copied + 32ull * tcp->rcv_mss;

	tcp->tune.space = tcp->tune.copied;
	if (socket->receive_buffer_chosen || !state->settings.tcp_moderate_rcvbuf ||
	    state->memory_pressure)
		return;
	wanted = MIN(wanted, (uint64_t)state->settings.tcp_rmem[2]);
	if (wanted > (uint64_t)socket->receive_buffer)
		socket->receive_buffer = (int32_t)wanted;
}

void tcp_data_taken(struct tcp_socket *tcp, uint32_t bytes)
{
	uint64_t now_us = net_now(tcp_net(tcp));
	uint32_t before = offered(tcp);

	tcp->tune.copied += bytes;
	if (tcp->tune.rtt_us && now_us - tcp->tune.round_us >= tcp->tune.rtt_us) {
		if (tcp->tune.copied > tcp->tune.space)
			grow_buffer(tcp);
		tcp->tune.copied = 0;
		tcp->tune.round_us = now_us;
	}
	if (tcp->state != TCP_ESTABLISHED && tcp->state != TCP_FIN_WAIT1 &&
	    tcp->state != TCP_FIN_WAIT2)
		return;
	/* The peer is told when its window would at least double, or opens again. */
	uint32_t window = tcp_receive_window(tcp);

	if (window && window >= 2 * before)
		tcp_send_ack(tcp);
}

/* The receiver's idea of the round trip: by timestamps, else by the time that a window takes. */
static void measure_round_trip(struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	uint32_t sample;

	if (tcp->has_timestamps && segment->options.ts_echo && segment->payload >= tcp->rcv_mss) {
		sample = (tcp_timestamp(tcp, segment->now_us) - segment->options.ts_echo) *
			 (uint32_t)USEC_PER_MSEC;
		sample = MAX(sample, (uint32_t)USEC_PER_MSEC);
	} else if (!tcp->has_timestamps && seq_from(tcp->rcv_nxt, tcp->tune.rtt_seq)) {
		sample = tcp->tune.rtt_start_us
				 ? (uint32_t)(segment->now_us - tcp->tune.rtt_start_us)
				 : 0;
		tcp->tune.rtt_seq = tcp->rcv_nxt + offered(tcp);
		tcp->tune.rtt_start_us = segment->now_us;
	} else {
		return;
	}
	if (sample && (!tcp->tune.rtt_us || sample < tcp->tune.rtt_us))
		tcp->tune.rtt_us = sample;
	else if (sample)
		tcp->tune.rtt_us += (sample - tcp->tune.rtt_us) / 8;
}

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

/* What it fills, and what was kept behind that, up to the first byte that is missing. Owns skb. */
static void queue_with_kept(struct tcp_socket *tcp, struct sk_buff *skb) NEEDS_NET_LOCK
{
	while (skb && !tcp->fin_received) {
		struct sk_buff *rest = tcp_reassembly_cut(tcp, skb);

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

	if (tcp->fin_received || tcp_readable(tcp) >= low)
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
	measure_round_trip(tcp, segment);
	if (filled_hole || tcp->fin_received) /* RFC 5681 4.2, SHLD: at once */
		tcp->ack_now = true;
	else
		schedule_ack(tcp);
	wake_readers(tcp);
}

/* RFC 2018 4: the newest block first, each once. */
static void remember_block(struct tcp_socket *tcp, uint32_t seq)
{
	struct tcp_sack_block block = {seq, seq + 1};
	uint32_t kept = 1;
	struct tcp_sack_block all[TCP_SACK_BLOCKS_MAX] = {block};

	for (uint32_t i = 0; i < tcp->sack_recent_count && kept < TCP_SACK_BLOCKS_MAX; i++) {
		if (tcp->sack_recent[i].start != seq)
			all[kept++] = tcp->sack_recent[i];
	}
	memcpy(tcp->sack_recent, all, sizeof(all));
	tcp->sack_recent_count = (uint8_t)kept;
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
		remember_block(tcp, run.start);
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

/* RFC 2883 4: the first block of the next acknowledgement tells of bytes that came twice. */
void tcp_note_duplicate(struct tcp_socket *tcp, uint32_t start, uint32_t end)
{
	if (!tcp->has_sack || !tcp_of(tcp_net(tcp))->settings.tcp_dsack || !seq_before(start, end))
		return;
	tcp->dsack_due = true;
	tcp->dsack = (struct tcp_sack_block){start, end};
}

void tcp_sack_options(struct tcp_socket *tcp, struct tcp_options *options)
{
	uint32_t kept = 0;

	options->sack_count = 0;
	if (!tcp->has_sack)
		return;
	if (tcp->dsack_due)
		options->sack[options->sack_count++] = tcp->dsack;
	tcp->dsack_due = false;
	for (uint32_t i = 0; i < tcp->sack_recent_count; i++) {
		struct tcp_sack_block run;
		bool told = false;

		/* Runs that were joined, or became due, are no blocks of their own any more. */
		if (!tcp_reassembly_run(tcp, tcp->sack_recent[i].start, &run))
			continue;
		for (uint32_t j = 0; j < kept; j++)
			told |= tcp->sack_recent[j].start == run.start;
		if (told)
			continue;
		tcp->sack_recent[kept++] = run;
		if (options->sack_count < TCP_SACK_BLOCKS_MAX)
			options->sack[options->sack_count++] = run;
	}
	tcp->sack_recent_count = (uint8_t)kept;
}

/* ---- Urgent data: RFC 9293 3.8.5, MUST-30 to 34; RFC 6093 ---- */

/* The urgent byte is the one before the pointer's, as tcp(7) has it. */
static bool takes_urgent(const struct tcp_socket *tcp, uint32_t up)
{
	if (seq_upto(up, tcp->copied_seq))
		return false; /* read already */
	if (tcp->urgent_state == TCP_URGENT_NONE)
		return true;
	return seq_after(up, tcp->rcv_up);
}

/* RFC 9293 3.8.5, MUST-30, MUST-31, MUST-32, MUST-62 */
void tcp_receive_urgent(struct tcp_socket *tcp, const struct tcp_segment *segment,
			const struct sk_buff *skb)
{
	struct socket *socket = &tcp->inet.socket;

	if (segment->flags & TCP_URG && segment->header.urgent) {
		uint32_t up = segment->seq + segment->header.urgent;

		if (takes_urgent(tcp, up)) {
			tcp->rcv_up = up;
			tcp->urgent_state = TCP_URGENT_AWAITED;
			socket_wake(socket, POLLPRI);
		}
	}
	if (tcp->urgent_state != TCP_URGENT_AWAITED)
		return;
	/* Has the byte itself come? */
	uint32_t at = tcp->rcv_up - 1;

	if (!seq_within(at, segment->seq, segment->seq + segment->payload))
		return;
	skb_copy_bits(skb, at - segment->seq, &tcp->urgent_byte, 1);
	tcp->urgent_state = TCP_URGENT_READY;
	socket_wake(socket, POLLPRI);
}
