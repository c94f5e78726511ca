/*
 * The window that we offer, and the buffer that stands behind it, which grows with what the process
 * takes in a round trip (RFC 9293 3.8.6; RFC 7323 2).
 */
#include "net/tcp/tcp_state.h"

#define RCV_MSS_LEAST 88 /* the estimate of the peer's segments starts and stays above it */
#define QUICK_ACKS 16    /* at the start of a connection, while the peer's window grows */

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
	return space;
}

/* RFC 7323 2.3: a scale with which the largest buffer that we would ever use can be told. */
void tcp_choose_window_scale(const struct tcp_socket *tcp, bool scaling, uint32_t *window,
			     uint8_t *scale)
{
	int32_t buffer = tcp->inet.socket.receive_buffer;
	uint32_t most = (uint32_t)MAX(buffer, tcp_of(tcp_net(tcp))->settings.tcp_rmem[2]);
	uint32_t clamp = tcp->window_clamp ? tcp->window_clamp : UINT32_MAX;

	most = MIN(most, clamp);
	*scale = 0;
	while (scaling && *scale < TCP_WINDOW_SCALE_MAX && (most >> *scale) > UINT16_MAX)
		(*scale)++;
	*window = MIN(MIN((uint32_t)buffer / 2, UINT16_MAX), clamp);
}

void tcp_receive_setup(struct tcp_socket *tcp)
{
	tcp->rcv_mss = (uint16_t)MAX(MIN(tcp->advertised_mss, TCP_MSS_DEFAULT), RCV_MSS_LEAST);
	tcp->quick_acks = QUICK_ACKS;
	tcp->tune.seq = tcp->copied_seq;
	tcp->tune.round_us = net_batch_time(tcp_net(tcp));
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
	uint64_t now_us = net_batch_time(tcp_net(tcp));
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

/* By timestamps, else by the time that a window takes. */
void tcp_window_round_trip(struct tcp_socket *tcp, const struct tcp_segment *segment)
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
