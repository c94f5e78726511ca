/*
 * A segment arrives for a connection: RFC 9293 3.10.7.4, in the RFC's own order, one function for
 * each of its steps.
 *
 * A step answers whether the next one is to follow; one that says no has disposed of the packet.
 */
#include "kernel/errno.h"
#include "net/tcp/tcp_reply.h"
#include "net/tcp/tcp_state.h"

#define PAWS_IDLE_US (24ull * 24 * 3600 * USEC_PER_SEC) /* RFC 7323 5.5 */

static bool drop(struct sk_buff *skb, enum drop_reason reason)
{
	skb_drop(skb, reason);
	return false;
}

/* ---- First, check the sequence number ---- */

/* RFC 7323 5.3, R1: older than what was seen. */
static bool is_old_duplicate(const struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	if (!tcp->has_timestamps || !segment->options.has_timestamps)
		return false;
	if (seq_from(segment->options.ts_value, tcp->ts_recent))
		return false;
	return segment->now_us - tcp->ts_recent_us < PAWS_IDLE_US;
}

/* What is left of the window that was advertised. */
static uint32_t receive_window(const struct tcp_socket *tcp)
{
	return seq_after(tcp->rcv_edge, tcp->rcv_nxt) ? tcp->rcv_edge - tcp->rcv_nxt : 0;
}

/* Cuts off what was received before, and what lies beyond the window. */
static void trim_to_window(struct tcp_socket *tcp, struct tcp_segment *segment,
			   struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (seq_before(segment->seq, tcp->rcv_nxt)) {
		uint32_t old = MIN(tcp->rcv_nxt - segment->seq, segment->payload);

		tcp_note_duplicate(tcp, segment->seq, segment->seq + old);
		skb_trim_front(skb, old);
		segment->seq += old;
		segment->payload -= old;
		if (segment->header.urgent > old)
			segment->header.urgent -= (uint16_t)old;
		else
			segment->flags &= (uint8_t)~TCP_URG;
		tcp->ack_now = true;
	}
	uint32_t room = tcp->rcv_edge - segment->seq; /* which is not beyond it */

	if (segment->payload > room) {
		skb_trim(skb, room);
		segment->payload = room;
		segment->flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
		tcp->ack_now = true;
	}
}

static bool refuse_old_timestamp(struct tcp_socket *tcp, const struct tcp_segment *segment,
				 struct sk_buff *skb) NEEDS_NET_LOCK
{
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_PAWS_REJECTED);
	if (segment->payload)
		tcp_note_duplicate(tcp, segment->seq, segment->seq + segment->payload);
	tcp_answer_unacceptable(tcp, segment, TCP_EXTRA_ACK_SKIPPED_PAWS);
	return drop(skb, DROP_TCP_OLD_TIMESTAMP);
}

static bool refuse_sequence(struct tcp_socket *tcp, const struct tcp_segment *segment,
			    struct sk_buff *skb) NEEDS_NET_LOCK
{
	bool old = seq_upto(segment->seq + segment->length, tcp->rcv_nxt);

	if (old && segment->payload) {
		tcp_note_duplicate(tcp, segment->seq, segment->seq + segment->payload);
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_DSACKS_SENT);
	}
	tcp_answer_unacceptable(tcp, segment, TCP_EXTRA_ACK_SKIPPED_SEQUENCE);
	return drop(skb, old ? DROP_TCP_DUPLICATE : DROP_TCP_OUTSIDE_WINDOW);
}

/*
 * RFC 9293 3.10.7.4, first, but for RST and SYN, whose sequence numbers have rules of their own.
 * MUST-66: where there is no window, what comes at RCV.NXT is heard; and a FIN takes no room.
 */
static bool check_sequence(struct tcp_socket *tcp, struct tcp_segment *segment,
			   struct sk_buff *skb) NEEDS_NET_LOCK
{
	uint32_t window = receive_window(tcp);

	if (!seq_acceptable(segment->seq, segment->length, tcp->rcv_nxt, window) &&
	    (window || segment->seq != tcp->rcv_nxt))
		return refuse_sequence(tcp, segment, skb);
	if (window)
		trim_to_window(tcp, segment, skb);
	return true;
}

/* RFC 7323 4.3, (2): the timestamp that is echoed next. */
static void update_ts_recent(struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	if (!tcp->has_timestamps || !segment->options.has_timestamps)
		return;
	/* What acknowledges bytes that were never sent is believed in nothing. */
	if (segment->flags & TCP_ACK && seq_after(segment->ack, tcp->snd_nxt))
		return;
	if (seq_after(segment->seq, tcp->last_ack_sent) ||
	    seq_before(segment->options.ts_value, tcp->ts_recent))
		return;
	tcp->ts_recent = segment->options.ts_value;
	tcp->ts_recent_us = segment->now_us;
}

/* ---- Second, check the RST bit ---- */

/* RFC 9293 3.6, MUST-12 */
static int reset_error(const struct tcp_socket *tcp)
{
	switch (tcp->state) {
	case TCP_SYN_RECV:
		return ECONNREFUSED;
	case TCP_CLOSE_WAIT:
		return EPIPE;
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		return 0;
	default:
		return ECONNRESET;
	}
}

/*
 * RFC 9293 3.10.7.4, second; RFC 5961 3.2: only the exact number is believed; another one in the
 * window is questioned. RFC 9293 3.5, MUST-11: one that came by LISTEN is a request, and goes back
 * there.
 */
static void receive_reset(struct tcp_socket *tcp, const struct tcp_segment *segment,
			  struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (segment->seq == tcp->rcv_nxt) {
		tcp_fail(tcp, reset_error(tcp));
		skb_drop(skb, DROP_TCP_RESET);
		return;
	}
	if (seq_within(segment->seq, tcp->rcv_nxt, tcp->rcv_nxt + receive_window(tcp)))
		tcp_challenge(tcp);
	skb_drop(skb, DROP_TCP_BAD_RESET);
}

/* ---- Fourth, check the SYN bit ---- */

/* Figure 7: the other half of a simultaneous open. The same SYN as before, and our own is known. */
static bool completes_opening(const struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	return tcp->state == TCP_SYN_RECV && segment->seq == tcp->irs && segment->flags & TCP_ACK &&
	       segment->ack == tcp->snd_nxt;
}

/* RFC 5961 4.2: wherever it lies, it is questioned. */
static bool check_syn(struct tcp_socket *tcp, struct tcp_segment *segment,
		      struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (!(segment->flags & TCP_SYN))
		return true;
	if (completes_opening(tcp, segment)) {
		tcp_pass_syn(segment);
		return true;
	}
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_SYN_CHALLENGES);
	tcp_challenge(tcp);
	return drop(skb, DROP_TCP_BAD_SYN);
}

/* ---- Fifth, check the ACK field ---- */

/* SEG.WND: never scaled where a SYN stood. RFC 7323 2.2 */
static uint32_t window_of(const struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	uint8_t scale = segment->header.flags & TCP_SYN ? 0 : tcp->snd_wscale;

	return (uint32_t)segment->header.window << scale;
}

/* SYN-RECEIVED: of a simultaneous open, or of a Fast Open. */
static bool syn_received_ack(struct tcp_socket *tcp, const struct tcp_segment *segment,
			     struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (!seq_after(segment->ack, tcp->iss) || seq_after(segment->ack, tcp->snd_nxt)) {
		tcp_reply_reset(skb->net, tcp->inet.family, segment);
		return drop(skb, DROP_TCP_BAD_ACK);
	}
	tcp->snd_una = tcp->iss + 1;
	tcp->snd_wnd = window_of(tcp, segment);
	tcp->snd_wnd_max = MAX(tcp->snd_wnd_max, tcp->snd_wnd);
	tcp->snd_wl1 = segment->seq;
	tcp->snd_wl2 = segment->ack;
	tcp->recovery.first_timeout_us = 0;
	tcp_disarm(tcp);
	tcp_become_established(tcp);
	if (tcp->snd_nxt != tcp->snd_una) /* data went out before, after a Fast Open */
		tcp_rearm(tcp);
	return true;
}

/* RFC 5961 5.2: what it acknowledges must have been sent, and not too long ago. */
static bool ack_is_plausible(const struct tcp_socket *tcp, uint32_t ack)
{
	return seq_upto(ack, tcp->snd_nxt) && seq_from(ack, tcp->snd_una - tcp->snd_wnd_max);
}

static bool fin_acknowledged(const struct tcp_socket *tcp)
{
	return tcp->fin_queued && seq_after(tcp->snd_una, tcp->stream.end);
}

/* Where an acknowledged FIN leads. False: the connection is over. */
static bool advance_closing(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	if (!fin_acknowledged(tcp))
		return true;
	switch (tcp->state) {
	case TCP_FIN_WAIT1:
		tcp_enter_fin_wait2(tcp);
		break;
	case TCP_CLOSING:
		tcp_set_state(tcp, TCP_TIME_WAIT);
		break;
	case TCP_LAST_ACK:
		tcp_set_state(tcp, TCP_CLOSE);
		break;
	default:
		break;
	}
	return tcp->state != TCP_CLOSE;
}

static bool check_ack(struct tcp_socket *tcp, struct tcp_segment *segment,
		      struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (!(segment->flags & TCP_ACK))
		return drop(skb, DROP_TCP_BAD_FLAGS);
	if (tcp->state == TCP_SYN_RECV && !syn_received_ack(tcp, segment, skb))
		return false;
	if (!ack_is_plausible(tcp, segment->ack)) {
		tcp_challenge(tcp);
		return drop(skb, DROP_TCP_BAD_ACK);
	}
	segment->window = window_of(tcp, segment);
	tcp->last_ack_received_us = segment->now_us;
	tcp_ack(tcp, segment);
	if (tcp->urgent_out && seq_upto(tcp->snd_up, tcp->snd_una))
		tcp->urgent_out = false;
	if (advance_closing(tcp))
		return true;
	if (segment->payload || segment->flags & TCP_FIN)
		return drop(skb, DROP_TCP_AFTER_CLOSE);
	skb_free(skb);
	return false;
}

/* ---- Sixth, URG; seventh, the segment text; eighth, FIN ---- */

static bool takes_data(const struct tcp_socket *tcp)
{
	return tcp->state == TCP_ESTABLISHED || tcp->state == TCP_FIN_WAIT1 ||
	       tcp->state == TCP_FIN_WAIT2 ||
	       tcp->state == TCP_SYN_RECV; /* with a Fast Open's SYN */
}

/* The peer's FIN is next in the stream: RFC 9293 3.10.7.4, eighth. */
static void receive_fin(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	tcp->inet.socket.shutdown |= SHUTDOWN_RECEIVE;
	tcp->ack_now = true;
	switch (tcp->state) {
	case TCP_ESTABLISHED:
		tcp_set_state(tcp, TCP_CLOSE_WAIT);
		break;
	case TCP_FIN_WAIT1:
		tcp_set_state(tcp, TCP_CLOSING);
		break;
	default: /* FIN_WAIT2 */
		tcp_send_ack(tcp);
		tcp_set_state(tcp, TCP_TIME_WAIT);
		return;
	}
	socket_wake(&tcp->inet.socket, POLLIN | POLLRDNORM | POLLRDHUP);
}

/* RFC 1122 4.2.2.13: data for a process that closed, or will not read, is answered by a reset. */
static bool nobody_reads(const struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	return tcp->orphan && segment->payload;
}

/* Seventh and eighth, of a segment that has text or FIN. */
static void receive_text_and_fin(struct tcp_socket *tcp, const struct tcp_segment *segment,
				 struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (segment->payload && !receive_window(tcp)) { /* its ACK and URG counted: MUST-66 */
		tcp->ack_now = true;
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_ZERO_WINDOW_DROPS);
		skb_drop(skb, DROP_TCP_WINDOW_CLOSED);
		return;
	}
	tcp_receive_data(tcp, segment, skb);
	if (tcp->fin_received)
		receive_fin(tcp);
}

void tcp_receive_text(struct tcp_socket *tcp, struct tcp_segment *segment, struct sk_buff *skb)
{
	bool bare = !segment->payload && !(segment->flags & TCP_FIN);

	if (!takes_data(tcp)) { /* the peer's FIN has come before */
		if (bare)
			skb_free(skb);
		else
			skb_drop(skb, DROP_TCP_AFTER_CLOSE);
		return;
	}
	if (nobody_reads(tcp, segment)) {
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_ABORTS_ON_DATA);
		tcp_reply_reset(skb->net, tcp->inet.family, segment);
		tcp_fail(tcp, ECONNRESET);
		skb_drop(skb, DROP_TCP_AFTER_CLOSE);
		return;
	}
	tcp_receive_urgent(tcp, segment, skb); /* sixth: RFC 9293 3.8.5, without text too */
	if (bare)
		skb_free(skb);
	else
		receive_text_and_fin(tcp, segment, skb);
}

/*
 * First, second and fourth. (Third, security, is nothing here.) A reset and a SYN come before the
 * others because RFC 5961 judges their sequence numbers by itself.
 */
static bool belongs_here(struct tcp_socket *tcp, struct tcp_segment *segment,
			 struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (segment->flags & TCP_RST) {
		receive_reset(tcp, segment, skb);
		return false;
	}
	if (is_old_duplicate(tcp, segment))
		return refuse_old_timestamp(tcp, segment, skb);
	return check_syn(tcp, segment, skb) && check_sequence(tcp, segment, skb);
}

/* RFC 9293 3.10.7.4, MUST-59 */
void tcp_receive_segment(struct tcp_socket *tcp, struct tcp_segment *segment, struct sk_buff *skb)
{
	tcp->count.segments_in++;
	if (tcp->state == TCP_SYN_SENT) {
		tcp_receive_in_syn_sent(tcp, segment, skb);
		return;
	}
	if (!belongs_here(tcp, segment, skb))
		return;
	update_ts_recent(tcp, segment);
	tcp->last_receive_us = segment->now_us;
	tcp->probes_sent = 0;
	if (!check_ack(tcp, segment, skb))
		return;
	tcp_ecn_received(tcp, segment);
	tcp_receive_text(tcp, segment, skb);
	if (tcp->state == TCP_CLOSE)
		return;
	/* RFC 5681 4.2: out of order, each segment is answered; in order, those of a batch. */
	if (tcp->out_of_order_segments || tcp->dsack_due)
		tcp_output(tcp);
	else
		tcp_output_later(tcp);
}
