/*
 * A segment arrives for a connection: RFC 9293 3.10.7.3 (SYN-SENT) and 3.10.7.4 (all other states),
 * in the RFC's own order, one function for each of its steps.
 *
 * A step answers whether the next one is to follow; one that says no has disposed of the packet.
 */
#include "kernel/errno.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_reply.h"
#include "net/tcp/tcp_state.h"

#define PAWS_IDLE_US (24ull * 24 * 3600 * USEC_PER_SEC) /* RFC 7323 5.5 */

static bool drop(struct sk_buff *skb, enum drop_reason reason)
{
	skb_drop(skb, reason);
	return false;
}

/* ---- Answers to what should not have come ---- */

/*
 * RFC 5961 7: a connection answers such segments once in about half a second, at a distance that
 * nobody can foresee.
 */
static bool challenge_allowed(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	struct net *net = tcp_net(tcp);
	uint64_t pause_us = (uint64_t)tcp_of(net)->settings.tcp_invalid_ratelimit * USEC_PER_MSEC;
	uint64_t now_us = net_now(net);

	if (now_us < tcp->challenge_us)
		return false;
	tcp->challenge_us = now_us + pause_us -
			    (pause_us ? net_random_u32(net) % (pause_us / 4 + 1) : 0);
	return true;
}

void tcp_challenge(struct tcp_socket *tcp)
{
	if (!challenge_allowed(tcp)) {
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_ACK_SKIPPED_CHALLENGE);
		return;
	}
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_CHALLENGE_ACKS);
	tcp_send_ack(tcp);
}

/* An acknowledgement for a segment that is not acceptable; bare ones could go on for ever. */
static void answer_unacceptable(struct tcp_socket *tcp, const struct tcp_segment *segment,
				enum tcp_extra_statistic skipped) NEEDS_NET_LOCK
{
	if (segment->payload || segment->flags & TCP_FIN || challenge_allowed(tcp))
		tcp_send_ack(tcp);
	else
		tcp_count_extra(tcp_net(tcp), skipped);
}

/* ---- What a SYN tells: RFC 9293 3.7.1, RFC 7323 2 and 3, RFC 2018 2 ---- */

static void learn_options(struct tcp_socket *tcp, const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	const struct tcp_settings *settings = &tcp_of(tcp_net(tcp))->settings;
	const struct tcp_options *options = &segment->options;

	tcp->peer_mss = MAX(options->mss ? options->mss : TCP_MSS_DEFAULT, TCP_MSS_FLOOR);
	tcp->has_wscale = options->has_window_scale && settings->tcp_window_scaling;
	tcp->snd_wscale = tcp->has_wscale ? options->window_scale : 0;
	if (!tcp->has_wscale)
		tcp->rcv_wscale = 0;
	tcp->has_sack = options->sack_permitted && settings->tcp_sack;
	tcp->has_timestamps = options->has_timestamps && settings->tcp_timestamps;
	if (tcp->has_timestamps) {
		tcp->ts_recent = options->ts_value;
		tcp->ts_recent_us = segment->now_us;
	}
}

/* RFC 3168 6.1.1: a SYN asks with both bits, a SYN-ACK agrees with ECE alone. */
static bool agrees_on_ecn(const struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	int32_t ecn = tcp_of(tcp_net(tcp))->settings.tcp_ecn;
	uint8_t bits = segment->flags & (TCP_ECE | TCP_CWR);

	if (segment->flags & TCP_ACK)
		return ecn == 1 && bits == TCP_ECE;
	return ecn != 0 && bits == (TCP_ECE | TCP_CWR);
}

static void learn_syn(struct tcp_socket *tcp, const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	uint32_t window = tcp->rcv_edge - tcp->rcv_nxt;

	tcp->irs = segment->seq;
	tcp->rcv_nxt = segment->seq + 1;
	tcp->copied_seq = tcp->rcv_nxt;
	tcp->last_ack_sent = tcp->rcv_nxt;
	tcp->rcv_edge = tcp->rcv_nxt + window;
	learn_options(tcp, segment);
	tcp->has_ecn = agrees_on_ecn(tcp, segment);
	tcp->snd_wnd = tcp->snd_wnd_max = segment->header.window; /* never scaled in a SYN */
	tcp->snd_wl1 = segment->seq;
	tcp->snd_wl2 = segment->ack;
	tcp_mtu_setup(tcp);
	tcp_receive_setup(tcp);
}

/* The handshake is over. */
static void become_established(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	tcp_congestion_start(tcp, tcp->rtt.backoff);
	tcp->rtt.backoff = 0;
	tcp_tune_send_buffer(tcp);
	tcp_set_state(tcp, TCP_ESTABLISHED);
	tcp_keepalive_restart(tcp);
	if (tcp->fin_received)
		tcp_set_state(tcp, TCP_CLOSE_WAIT);
	if (tcp->fin_queued) { /* closed before it was open */
		tcp->fin_queued = false;
		tcp_close_sending(tcp);
	}
}

/* ---- SYN-SENT: RFC 9293 3.10.7.3 ---- */

/* First, check the ACK bit. False: the packet is gone. */
static bool syn_sent_ack(struct tcp_socket *tcp, const struct tcp_segment *segment,
			 struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (!(segment->flags & TCP_ACK))
		return true;
	if (seq_after(segment->ack, tcp->iss) && seq_upto(segment->ack, tcp->snd_nxt))
		return true;
	tcp_reply_reset(skb->net, tcp->inet.inet, segment);
	return drop(skb, DROP_TCP_BAD_ACK);
}

/* Second, check the RST bit. */
static bool syn_sent_reset(struct tcp_socket *tcp, const struct tcp_segment *segment,
			   struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (!(segment->flags & TCP_RST))
		return true;
	if (!(segment->flags & TCP_ACK))
		return drop(skb, DROP_TCP_BAD_RESET);
	tcp_fail(tcp, ECONNREFUSED);
	return drop(skb, DROP_TCP_RESET);
}

/* Data of a Fast Open that the SYN-ACK did not take: it was not sent, as it were. */
static void take_back_unaccepted(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	tcp->fastopen_data_acked = tcp->snd_una != tcp->iss + 1;
	tcp_scoreboard_free(tcp);
	tcp->snd_nxt = tcp->snd_una;
}

/* Fourth, check the SYN bit: our SYN is answered. */
static void syn_sent_answered(struct tcp_socket *tcp, struct tcp_segment *segment,
			      struct sk_buff *skb) NEEDS_NET_LOCK
{
	bool first_try = tcp->rtt.backoff == 0;

	learn_syn(tcp, segment);
	if (first_try)
		tcp_rtt_sample(tcp, (uint32_t)(segment->now_us - tcp->last_receive_us));
	tcp->recovery.first_timeout_us = 0;
	tcp_disarm(tcp);
	tcp->last_receive_us = segment->now_us;
	tcp->snd_una = segment->ack;
	tcp_memory_give(tcp_net(tcp), tcp_stream_release(&tcp->stream, tcp->snd_una));
	if (tcp->fastopen_try)
		tcp_fastopen_answered(tcp, segment);
	take_back_unaccepted(tcp);
	become_established(tcp);
	tcp->ack_now = true;
	tcp_pass_syn(segment);
	if (segment->payload || segment->flags & TCP_FIN)
		tcp_receive_text(tcp, segment, skb);
	else
		skb_free(skb);
	if (tcp->state != TCP_CLOSE)
		tcp_output(tcp);
}

/* A SYN without an acknowledgement: both sides open at once. Figure 7. RFC 9293 3.5, MUST-10. */
static void simultaneous_open(struct tcp_socket *tcp, const struct tcp_segment *segment,
			      struct sk_buff *skb) NEEDS_NET_LOCK
{
	learn_syn(tcp, segment);
	tcp_set_state(tcp, TCP_SYN_RECV);
	tcp_send_syn_ack(tcp);
	skb_free(skb); /* what it carries will come again */
}

static void receive_in_syn_sent(struct tcp_socket *tcp, struct tcp_segment *segment,
				struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (!syn_sent_ack(tcp, segment, skb) || !syn_sent_reset(tcp, segment, skb))
		return;
	/* Third, security: nothing is kept of it. Fifth: neither SYN nor RST. */
	if (!(segment->flags & TCP_SYN))
		drop(skb, DROP_TCP_BAD_FLAGS);
	else if (segment->flags & TCP_ACK)
		syn_sent_answered(tcp, segment, skb);
	else
		simultaneous_open(tcp, segment, skb);
}

/* ---- First, check the sequence number ---- */

/* RFC 7323 5.3, R1: older than what was seen. */
static bool is_old_duplicate(const struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	if (!tcp->has_timestamps || !segment->options.has_timestamps || !tcp->ts_recent_us)
		return false;
	if (segment->flags & TCP_RST)
		return false;
	if (seq_from(segment->options.ts_value, tcp->ts_recent))
		return false;
	return segment->now_us - tcp->ts_recent_us < PAWS_IDLE_US;
}

/* The four cases of RFC 9293 3.4, table 6. */
static bool is_acceptable(const struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	uint32_t window = seq_after(tcp->rcv_edge, tcp->rcv_nxt) ? tcp->rcv_edge - tcp->rcv_nxt : 0;
	uint32_t last = segment->seq + segment->length - 1;

	if (segment->length == 0)
		return segment->seq == tcp->rcv_nxt ||
		       seq_within(segment->seq, tcp->rcv_nxt, tcp->rcv_nxt + window);
	return seq_within(segment->seq, tcp->rcv_nxt, tcp->rcv_nxt + window) ||
	       seq_within(last, tcp->rcv_nxt, tcp->rcv_nxt + window) ||
	       (seq_before(segment->seq, tcp->rcv_nxt) && window && seq_from(last, tcp->rcv_nxt));
}

/* A zero window takes no data, but what a segment says otherwise counts (MUST-66). */
static bool control_counts(const struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	return seq_upto(tcp->rcv_edge, tcp->rcv_nxt) && segment->seq == tcp->rcv_nxt;
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
	uint32_t room = seq_after(tcp->rcv_edge, segment->seq) ? tcp->rcv_edge - segment->seq : 0;

	if (segment->payload > room) {
		skb_trim(skb, room);
		segment->payload = room;
		segment->flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
		tcp->ack_now = true;
	}
}

static void refuse_sequence(struct tcp_socket *tcp, const struct tcp_segment *segment,
			    struct sk_buff *skb) NEEDS_NET_LOCK
{
	bool old = seq_upto(segment->seq + segment->length, tcp->rcv_nxt);

	if (segment->flags & TCP_RST) {
		drop(skb, DROP_TCP_BAD_RESET);
		return;
	}
	if (old && segment->payload) {
		tcp_note_duplicate(tcp, segment->seq, segment->seq + segment->payload);
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_DSACKS_SENT);
	}
	answer_unacceptable(tcp, segment, TCP_EXTRA_ACK_SKIPPED_SEQUENCE);
	drop(skb, old ? DROP_TCP_DUPLICATE : DROP_TCP_OUTSIDE_WINDOW);
}

/* RFC 9293 3.10.7.4, first */
static bool check_sequence(struct tcp_socket *tcp, struct tcp_segment *segment,
			   struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (is_old_duplicate(tcp, segment)) {
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_PAWS_REJECTED);
		if (segment->payload)
			tcp_note_duplicate(tcp, segment->seq, segment->seq + segment->payload);
		answer_unacceptable(tcp, segment, TCP_EXTRA_ACK_SKIPPED_PAWS);
		return drop(skb, DROP_TCP_OLD_TIMESTAMP);
	}
	/* RFC 5961 4.2: a SYN is questioned wherever it lies. */
	if (segment->flags & TCP_SYN && !(segment->flags & TCP_RST)) {
		if (tcp->state != TCP_SYN_RECV || segment->seq != tcp->irs) {
			tcp_count_extra(tcp_net(tcp), TCP_EXTRA_SYN_CHALLENGES);
			tcp_challenge(tcp);
			return drop(skb, DROP_TCP_BAD_SYN);
		}
		tcp_pass_syn(segment); /* the other half of a simultaneous open */
	}
	if (!is_acceptable(tcp, segment) && !control_counts(tcp, segment)) {
		refuse_sequence(tcp, segment, skb);
		return false;
	}
	trim_to_window(tcp, segment, skb);
	return true;
}

/* RFC 7323 4.3, (2): the timestamp that is echoed next. */
static void update_ts_recent(struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	if (!tcp->has_timestamps || !segment->options.has_timestamps)
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
 * RFC 5961 3.2: only the exact number is believed; another one in the window is questioned. RFC
 * 9293 3.5, MUST-11: one that came by LISTEN is a request, and goes back there.
 */
static bool check_reset(struct tcp_socket *tcp, const struct tcp_segment *segment,
			struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (!(segment->flags & TCP_RST))
		return true;
	if (segment->header.seq != tcp->rcv_nxt) {
		tcp_challenge(tcp);
		return drop(skb, DROP_TCP_BAD_RESET);
	}
	tcp_fail(tcp, reset_error(tcp));
	return drop(skb, DROP_TCP_RESET);
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
		tcp_reply_reset(skb->net, tcp->inet.inet, segment);
		return drop(skb, DROP_TCP_BAD_ACK);
	}
	tcp->snd_una = tcp->iss + 1;
	tcp->snd_wnd = window_of(tcp, segment);
	tcp->snd_wnd_max = MAX(tcp->snd_wnd_max, tcp->snd_wnd);
	tcp->snd_wl1 = segment->seq;
	tcp->snd_wl2 = segment->ack;
	tcp->recovery.first_timeout_us = 0;
	tcp_disarm(tcp);
	become_established(tcp);
	if (segment->header.flags & TCP_SYN)
		tcp->ack_now = true;
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
	if (tcp->state == TCP_CLOSE || !advance_closing(tcp)) {
		skb_free(skb);
		return false;
	}
	return true;
}

/* RFC 3168 6.1.3: a mark is echoed until the sender says that it heard. */
static void check_congestion_marks(struct tcp_socket *tcp,
				   const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	if (!tcp->has_ecn)
		return;
	if (segment->flags & TCP_CWR)
		tcp->ecn_echo = false;
	if (segment->congestion_experienced) {
		tcp->ecn_echo = true;
		tcp->ecn_seen = true;
		tcp->ack_now = true;
	}
}

/* ---- Sixth, URG; seventh, the segment text; eighth, FIN ---- */

static bool takes_data(const struct tcp_socket *tcp)
{
	return tcp->state == TCP_ESTABLISHED || tcp->state == TCP_FIN_WAIT1 ||
	       tcp->state == TCP_FIN_WAIT2 || (tcp->state == TCP_SYN_RECV && tcp->fastopen_passive);
}

/* The peer's FIN is next in the stream: RFC 9293 3.10.7.4, eighth. */
static void receive_fin(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	tcp->inet.socket.shutdown |= SHUTDOWN_RECEIVE;
	tcp->ack_now = true;
	switch (tcp->state) {
	case TCP_SYN_RECV: /* CLOSE_WAIT follows when the handshake is over */
		break;
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
	return tcp->orphan && seq_after(segment->seq + segment->payload, tcp->rcv_nxt);
}

void tcp_receive_text(struct tcp_socket *tcp, struct tcp_segment *segment, struct sk_buff *skb)
{
	bool ended = tcp->fin_received;

	if (!takes_data(tcp) || (!segment->payload && !(segment->flags & TCP_FIN))) {
		skb_free(skb);
		return;
	}
	if (segment->payload && nobody_reads(tcp, segment)) {
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_ABORTS_ON_DATA);
		tcp_abort(tcp, ECONNRESET);
		drop(skb, DROP_TCP_AFTER_CLOSE);
		return;
	}
	tcp_receive_urgent(tcp, segment, skb);
	tcp_receive_data(tcp, segment, skb);
	if (tcp->fin_received && !ended)
		receive_fin(tcp);
}

/* RFC 9293 3.10.7.4, MUST-59 */
void tcp_receive_segment(struct tcp_socket *tcp, struct tcp_segment *segment, struct sk_buff *skb)
{
	tcp->count.segments_in++;
	if (tcp->state == TCP_SYN_SENT) {
		receive_in_syn_sent(tcp, segment, skb);
		return;
	}
	if (!check_sequence(tcp, segment, skb) || !check_reset(tcp, segment, skb))
		return;
	/* Third, security, and fourth, SYN: the one is nothing here, the other was seen to. */
	update_ts_recent(tcp, segment);
	tcp->last_receive_us = segment->now_us;
	tcp->probes_sent = 0;
	if (!check_ack(tcp, segment, skb))
		return;
	check_congestion_marks(tcp, segment);
	tcp_receive_text(tcp, segment, skb);
	if (tcp->state != TCP_CLOSE)
		tcp_output(tcp);
}
