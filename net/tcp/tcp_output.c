/*
 * What may be sent now: the windows of the peer and of congestion, Nagle, silly windows
 * (RFC 9293 3.7.4, 3.8.6.2.1; RFC 1122 4.2.3.4; RFC 5681).
 */
#include "kernel/errno.h"
#include "net/core/netdevice.h"
#include "net/tcp/tcp_scoreboard.h"
#include "net/tcp/tcp_state.h"

/* ---- Segments without data ---- */

static void send_bare(struct tcp_socket *tcp, uint32_t seq, uint8_t flags) NEEDS_NET_LOCK
{
	struct tcp_outgoing outgoing = {.seq = seq, .flags = flags};

	tcp_transmit(tcp, &outgoing);
}

/*
 * SND.NXT, or the window's end where the peer has taken it back: a segment beyond it would not be
 * heard, but only answered.
 */
static uint32_t acceptable_seq(const struct tcp_socket *tcp)
{
	return tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECV
		       ? tcp->snd_nxt
		       : seq_min(tcp->snd_nxt, tcp->snd_una + tcp->snd_wnd);
}

void tcp_send_ack(struct tcp_socket *tcp)
{
	send_bare(tcp, acceptable_seq(tcp), 0);
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_PURE_ACKS);
}

void tcp_send_reset(struct tcp_socket *tcp)
{
	send_bare(tcp, acceptable_seq(tcp), TCP_RST);
}

/* RFC 9293 3.8.4, SHLD-12 */
void tcp_send_keepalive(struct tcp_socket *tcp)
{
	send_bare(tcp, tcp->snd_una - 1, 0);
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_KEEPALIVES);
}

/* ---- How much, and whether ---- */

static bool may_send_data(const struct tcp_socket *tcp)
{
	switch (tcp->state) {
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
	case TCP_FIN_WAIT1:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		return true;
	case TCP_SYN_RECV:
		return !tcp_opening(tcp);
	default:
		return false;
	}
}

/* Bytes of data that were never sent. */
static uint32_t unsent(const struct tcp_socket *tcp)
{
	return seq_before(tcp->snd_nxt, tcp->stream.end) ? tcp->stream.end - tcp->snd_nxt : 0;
}

static bool fin_unsent(const struct tcp_socket *tcp)
{
	return tcp->fin_queued && seq_upto(tcp->snd_nxt, tcp->stream.end);
}

/* The peer's window beyond what is sent already. RFC 9293 3.8.6, MUST-34, SHLD-15. */
static uint32_t window_room(const struct tcp_socket *tcp)
{
	uint32_t edge = tcp->snd_una + tcp->snd_wnd;

	return seq_after(edge, tcp->snd_nxt) ? edge - tcp->snd_nxt : 0;
}

/*
 * RFC 896 as Minshall has it: a small segment waits only for another small one under way. RFC 9293
 * 3.7.4, SHLD-7.
 */
static bool nagle_allows(const struct tcp_socket *tcp, bool last)
{
	if (tcp->pushing || (last && tcp->fin_queued))
		return true;
	if (tcp->cork || tcp->more)
		return false;
	if (tcp->nodelay)
		return true;
	return seq_upto(tcp->small_sent, tcp->snd_una) || tcp->snd_una == tcp->snd_nxt;
}

/*
 * RFC 9293 3.8.6.2.1, MUST-38: a full segment; or all there is, Nagle allowing; or half of the
 * largest window the peer ever offered; or urgent data.
 */
static bool worth_sending(const struct tcp_socket *tcp, uint32_t length)
{
	bool last = length == unsent(tcp);

	if (length >= tcp->mss)
		return true;
	if (tcp->urgent_out && seq_after(tcp->snd_up, tcp->snd_nxt))
		return true;
	if (last)
		return nagle_allows(tcp, last);
	return length >= tcp->snd_wnd_max / 2;
}

/*
 * Bytes of the next segment; full ones go many at once: where the device cannot cut them, dev_xmit
 * does, and what lies between was done once. 0: nothing, or not now. RFC 9293 3.9.1.2, SHLD-27,
 * SHLD-28, MUST-60.
 */
static uint32_t next_length(struct tcp_socket *tcp, uint32_t congestion_room) NEEDS_NET_LOCK
{
	uint32_t length = MIN(unsent(tcp), window_room(tcp));

	if (congestion_room == 0)
		return 0;
	length = MIN(length, MAX(congestion_room, (uint32_t)tcp->mss));
	length = MIN(length, tcp_run_most(tcp));
	/* A last segment that is not full goes along when it may go at all. */
	if (length > tcp->mss && (length < unsent(tcp) || !nagle_allows(tcp, true)))
		length -= length % tcp->mss;
	return length && worth_sending(tcp, length) ? length : 0;
}

/* ---- Sending ---- */

/*
 * RFC 9293 3.9.1.2, MUST-61: PSH where a write ended, unless it said that more follows; at the end
 * of what leaves as one packet.
 */
static bool pushes(const struct tcp_socket *tcp, uint32_t length) NEEDS_NET_LOCK
{
	uint32_t end = tcp->snd_nxt + length;

	return length > tcp->mss || (length && (seq_within(tcp->push_end - 1, tcp->snd_nxt, end) ||
						tcp_run_ends(tcp, end)));
}

/* A segment of new data, or the FIN, at snd_nxt. False: stop. */
static bool send_new(struct tcp_socket *tcp, uint32_t length) NEEDS_NET_LOCK
{
	struct tcp_outgoing outgoing = {.seq = tcp->snd_nxt, .length = length};

	if (length == unsent(tcp) && fin_unsent(tcp))
		outgoing.flags |= TCP_FIN;
	if (pushes(tcp, length))
		outgoing.flags |= TCP_PSH;

	int error = tcp_transmit(tcp, &outgoing);

	if (error == -ENOMEM)
		return false;
	uint32_t end = outgoing.seq + outgoing.length + (outgoing.flags & TCP_FIN ? 1 : 0);

	/* Without a record it could not be sent again: it is as if it had not gone out. */
	if (!tcp_note_sent(tcp, outgoing.seq, end))
		return false;
	tcp->snd_nxt = end;
	if (outgoing.length % tcp->mss)
		tcp->small_sent = end;
	if (outgoing.length)
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_DATA_SENT);
	if (error == -EMSGSIZE)
		tcp_mtu_setup(
			tcp); /* the route changed: the segment is lost and sent again smaller */
	return !error;
}

/* New data as far as the windows go. True when the window of congestion ended it. */
static bool send_new_data(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	uint32_t length;

	if (!unsent(tcp) && !fin_unsent(tcp))
		return false;
	if (tcp->snd_una == tcp->snd_nxt)
		tcp_congestion_restart(tcp);
	tcp_mtu_probe(tcp);
	while (unsent(tcp)) {
		length = next_length(tcp, tcp_congestion_room(tcp));
		if (!length || !send_new(tcp, length))
			return unsent(tcp) && tcp_congestion_room(tcp) < tcp->mss;
	}
	/* A FIN that no data carried: it needs room in the peer's window, not in ours. */
	if (fin_unsent(tcp))
		send_new(tcp, 0);
	return false;
}

bool tcp_send_beyond(struct tcp_socket *tcp)
{
	uint32_t length = MIN(MIN(unsent(tcp), window_room(tcp)), (uint32_t)tcp->mss);

	return length && send_new(tcp, length);
}

/*
 * Data waits, nothing is under way that would bring an answer: the peer must be asked. RFC 9293
 * 3.8.6.1, SHLD-29. What TCP_CORK or MSG_MORE hold back goes out then too: tcp(7)'s 200 ms.
 */
static void start_persisting(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	if (tcp->snd_una != tcp->snd_nxt || (!unsent(tcp) && !fin_unsent(tcp)))
		return;
	if (timer_armed(&tcp->retransmit))
		return;
	tcp_arm(tcp, TCP_TIMER_PERSIST, net_batch_time(tcp_net(tcp)) + tcp_rto(tcp));
}

/* What the connection waits for now, `limited` by the window of congestion or not. */
static void note_busy(struct tcp_socket *tcp, bool limited) NEEDS_NET_LOCK
{
	enum tcp_busy kind = TCP_BUSY_NETWORK;

	if (tcp->snd_una == tcp->snd_nxt && !unsent(tcp))
		kind = TCP_BUSY_NOT;
	else if (unsent(tcp) && !limited && window_room(tcp) < MIN(unsent(tcp), (uint32_t)tcp->mss))
		kind = TCP_BUSY_WINDOW;
	else if (!unsent(tcp) && !limited && tcp->no_space)
		kind = TCP_BUSY_BUFFER;
	tcp_busy_set(tcp, kind);
}

void tcp_output(struct tcp_socket *tcp)
{
	bool limited = false;

	if (may_send_data(tcp)) {
		tcp_retransmit_lost(tcp);
		limited = send_new_data(tcp);
		tcp_note_output_done(tcp, limited);
		start_persisting(tcp);
		note_busy(tcp, limited);
	}
	if (tcp->state == TCP_CLOSE)
		return;
	if (tcp->ack_now)
		tcp_send_ack(tcp);
	else if (tcp->ack_pending)
		tcp_delay_ack(tcp);
}

void tcp_push(struct tcp_socket *tcp)
{
	tcp->pushing = true;
	tcp_output(tcp);
	tcp->pushing = false;
}

/* ---- Once for a batch ---- */

void tcp_output_later(struct tcp_socket *tcp)
{
	struct tcp_state_of_net *state = tcp_of(tcp_net(tcp));

	if (!list_empty(&tcp->output_due))
		return;
	list_append(&state->output_due, &tcp->output_due);
	net_defer(state->net, &state->deferred);
}

static void output_due(struct net_deferred *deferred) NEEDS_NET_LOCK
{
	struct tcp_state_of_net *state = container_of(deferred, struct tcp_state_of_net, deferred);

	while (!list_empty(&state->output_due)) {
		struct tcp_socket *tcp = list_first_entry(&state->output_due, struct tcp_socket,
							  output_due);
		struct socket *held = socket_get(&tcp->inet.socket);

		list_remove(&tcp->output_due);
		tcp_output(tcp);
		tcp_write_space(tcp); /* less waits to be sent: TCP_NOTSENT_LOWAT */
		socket_put(held);
	}
}

void tcp_output_init(struct tcp_state_of_net *state)
{
	list_init(&state->output_due);
	list_init(&state->deferred.link);
	state->deferred.run = output_due;
}

void tcp_output_stop(struct tcp_state_of_net *state)
{
	net_undefer(&state->deferred);
}

/*
 * RFC 9293 3.8.6.1, MUST-36: what the peer must answer. As much as fits its window, when that is
 * too small to be worth a segment otherwise; else the byte before the window, which it has.
 */
void tcp_send_window_probe(struct tcp_socket *tcp)
{
	uint32_t room = MIN(MIN(window_room(tcp), unsent(tcp)), (uint32_t)tcp->mss);

	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_WINDOW_PROBES);
	tcp->push_end = room ? tcp->snd_nxt + room : tcp->push_end;
	if (room)
		send_new(tcp, room);
	else
		send_bare(tcp, tcp->snd_una - 1, 0);
}
