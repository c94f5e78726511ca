/*
 * Recovery from loss: when it begins and ends (RFC 6675, RFC 6582, RFC 3168), and the sending again
 * of what is lost.
 */
#include "net/tcp/tcp_recovery.h"

#include "kernel/errno.h"
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_state.h"

void tcp_recovery_setup(struct tcp_socket *tcp)
{
	tcp_scoreboard_init(&tcp->scoreboard);
	tcp->recovery = (struct tcp_recovery){
		.reorder_multiplier = 1,
		.reordering = (uint32_t)tcp_of(tcp_net(tcp))->settings.tcp_reordering,
	};
	tcp->rtt = (struct tcp_rtt){.rto_us = TCP_RTO_INITIAL_US, .min_us = UINT32_MAX};
	tcp->rate = (struct tcp_rate){0};
}

/* ---- Beginning and end ---- */

/* One reduction a window, whatever the reasons for it: RFC 3168 6.1.2. */
static void begin_reduction(struct tcp_socket *tcp, uint32_t delivered) NEEDS_NET_LOCK
{
	tcp_undo_prepare(tcp);
	tcp->congestion.ssthresh = tcp->congestion.ops->reduce(tcp);
	tcp->ecn_cwr = tcp->has_ecn;
	tcp_prr_begin(tcp, delivered);
}

static void enter(struct tcp_socket *tcp, enum tcp_ca_state state)
{
	tcp->recovery.state = (uint8_t)state;
	tcp->recovery.recovery_point = tcp->snd_nxt;
	tcp->recovery.probe_outstanding = false;
}

void tcp_enter_recovery(struct tcp_socket *tcp, uint32_t delivered)
{
	if (tcp->recovery.state < TCP_CA_CWR)
		begin_reduction(tcp, delivered);
	enter(tcp, TCP_CA_RECOVERY);
	tcp_count_extra(tcp_net(tcp),
			tcp->has_sack ? TCP_EXTRA_SACK_RECOVERIES : TCP_EXTRA_RENO_RECOVERIES);
}

/* RFC 3168 6.1.2: the peer saw a mark; as if a segment had been lost, but none was. */
static void enter_cwr(struct tcp_socket *tcp, uint32_t delivered) NEEDS_NET_LOCK
{
	begin_reduction(tcp, delivered);
	enter(tcp, TCP_CA_CWR);
}

/* RFC 6675 5, RFC 6582 3.2: everything that was under way when it began has arrived. */
static void leave(struct tcp_socket *tcp)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (recovery->state != TCP_CA_LOSS) /* then slow start goes on */
		tcp->congestion.cwnd = tcp->congestion.ssthresh;
	if (recovery->state != TCP_CA_CWR)
		tcp_rack_recovered(tcp);
	recovery->state = TCP_CA_OPEN;
	recovery->frto = TCP_FRTO_NONE;
	recovery->duplicate_acks = 0;
}

/* ---- The states ---- */

bool tcp_peer_reneged(const struct tcp_socket *tcp)
{
	const struct tcp_sent *first;

	if (!tcp->scoreboard.sacked_bytes)
		return false;
	first = tcp_scoreboard_first(&tcp->scoreboard);
	return first && first->state == TCP_SENT_SACKED;
}

static bool detect_loss(struct tcp_socket *tcp,
			const struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	if (!tcp->has_sack)
		return tcp_dupack_detect(tcp, ack);
	if (tcp_of(tcp_net(tcp))->settings.tcp_recovery & 1)
		return tcp_rack_detect(tcp);
	return ack->delivered && tcp_sack_count_detect(tcp);
}

/*
 * Marks in the sequence space that were passed stay close behind, lest they lie ahead when the
 * numbers have come round.
 */
static void drag_marks(struct tcp_socket *tcp)
{
	struct tcp_recovery *recovery = &tcp->recovery;
	uint32_t behind = tcp->snd_una - 1;

	recovery->recovery_point = seq_max(recovery->recovery_point, behind);
	recovery->reorder_round_end = seq_max(recovery->reorder_round_end, behind);
	recovery->counted_to = seq_max(recovery->counted_to, behind);
}

static void settle(struct tcp_socket *tcp)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (recovery->state < TCP_CA_CWR)
		recovery->state = tcp->scoreboard.sacked_bytes || recovery->duplicate_acks
					  ? TCP_CA_DISORDER
					  : TCP_CA_OPEN;
}

void tcp_recover(struct tcp_socket *tcp, struct tcp_acknowledgement *ack)
{
	struct tcp_recovery *recovery = &tcp->recovery;
	bool lost;

	if (ack->congestion_experienced)
		recovery->undo_possible = false;
	if (tcp_undo_if_needless(tcp, ack)) {
		settle(tcp);
		return;
	}
	if (recovery->state >= TCP_CA_CWR && seq_from(tcp->snd_una, recovery->recovery_point))
		leave(tcp);
	drag_marks(tcp);
	if (recovery->state == TCP_CA_LOSS && tcp_frto_acknowledged(tcp, ack)) {
		settle(tcp);
		return;
	}
	lost = detect_loss(tcp, ack);
	if (lost && recovery->state < TCP_CA_RECOVERY && tcp_mtu_probe_lost(tcp))
		lost = false;
	if (lost && recovery->state < TCP_CA_RECOVERY)
		tcp_enter_recovery(tcp, ack->delivered);
	else if (ack->congestion_experienced && recovery->state < TCP_CA_CWR)
		enter_cwr(tcp, ack->delivered);
	if (ack->congestion_experienced) /* that reduction is not to be taken back */
		recovery->undo_possible = false;
	if (tcp_in_reduction(tcp))
		tcp_prr_delivered(tcp, ack->delivered, ack->acked && !lost);
	settle(tcp);
}

/* ---- Sending again ---- */

/* A segment of the size that fits now; the rest follows as a record of its own. */
static bool cut_to_segment(struct tcp_socket *tcp, struct tcp_sent *sent)
{
	bool fin = tcp->fin_queued && sent->end == tcp->stream.end + 1;

	if (sent->end - sent->seq - fin > tcp->mss &&
	    !tcp_scoreboard_split(&tcp->scoreboard, sent, sent->seq + tcp->mss))
		return false;
	return true;
}

bool tcp_resend(struct tcp_socket *tcp, struct tcp_sent *sent)
{
	uint64_t now_us = net_batch_time(tcp_net(tcp));
	struct tcp_outgoing outgoing = {.seq = sent->seq, .retransmission = true};

	if (!cut_to_segment(tcp, sent))
		return false;

	bool fin = tcp->fin_queued && sent->end == tcp->stream.end + 1;
	uint32_t end = sent->end - fin;

	outgoing.length = end - sent->seq;
	if (fin)
		outgoing.flags |= TCP_FIN;
	if (outgoing.length &&
	    (end == tcp->stream.end || seq_within(tcp->push_end - 1, sent->seq, end)))
		outgoing.flags |= TCP_PSH;
	if (tcp_transmit(tcp, &outgoing) == -ENOMEM)
		return false;
	/* More pieces of memory than a packet has room for: the rest is still to be sent. */
	if (outgoing.seq + outgoing.length != end)
		tcp_scoreboard_split(&tcp->scoreboard, sent, outgoing.seq + outgoing.length);
	if (sent->seq == tcp->snd_una)
		tcp->recovery.rto_base_us = now_us; /* the RTO is this transmission's */
	tcp_mtu_probe_resent(tcp, sent->seq);
	tcp_prr_sent(tcp, sent->end - sent->seq);
	tcp_undo_sent(tcp, sent->end - sent->seq, now_us);
	tcp_scoreboard_mark_resent(&tcp->scoreboard, sent, now_us);
	return true;
}

/*
 * At least one segment may always be under way, and the first may always be asked for again. RFC
 * 9293 3.8.6, MUST-34, SHLD-16.
 */
static bool may_resend(const struct tcp_socket *tcp, const struct tcp_sent *sent)
{
	uint32_t flight = tcp_in_flight(tcp);
	uint32_t length = MIN(sent->end - sent->seq, (uint32_t)tcp->mss);

	/* A window of one segment is one segment, however small: RFC 6298 5.4. */
	if (flight && (flight + length > tcp->congestion.cwnd || tcp->congestion.cwnd <= tcp->mss))
		return false;
	/* A window that shrank (RFC 9293 3.8.6, SHLD-15) does not take it. */
	return sent->seq == tcp->snd_una ||
	       seq_upto(sent->seq + length, tcp->snd_una + tcp->snd_wnd);
}

void tcp_retransmit_lost(struct tcp_socket *tcp)
{
	const enum tcp_extra_statistic kind = tcp->recovery.state == TCP_CA_LOSS
						      ? TCP_EXTRA_SLOW_START_RETRANSMITS
						      : TCP_EXTRA_FAST_RETRANSMITS;
	struct tcp_sent *sent;
	bool any = false;

	if (tcp->recovery.frto == TCP_FRTO_NEW_DATA)
		return;
	while ((sent = tcp_scoreboard_next_lost(&tcp->scoreboard)) && may_resend(tcp, sent)) {
		if (!tcp_resend(tcp, sent))
			break;
		tcp_count_extra(tcp_net(tcp), kind);
		any = true;
	}
	if (any)
		tcp_rearm(tcp);
}
