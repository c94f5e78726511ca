/*
 * Recovery from loss: when it begins and ends (RFC 6675, RFC 6582), how much may be sent meanwhile
 * (PRR: RFC 6937bis), and how a reduction that proves needless is taken back (RFC 3522, RFC 3708,
 * RFC 4015, RFC 5682).
 */
#include "net/tcp/tcp_recovery.h"

#include "kernel/errno.h"
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_state.h"

#define DUPLICATE_THRESHOLD 3

void tcp_recovery_setup(struct tcp_socket *tcp)
{
	list_init(&tcp->scoreboard.by_time);
	list_init(&tcp->scoreboard.lost);
	tcp->recovery = (struct tcp_recovery){
		.reorder_window_multiplier = 1,
		.reordering = DUPLICATE_THRESHOLD,
		.forward_acked = tcp->snd_una,
	};
	tcp->rtt = (struct tcp_rtt){.rto_us = TCP_RTO_INITIAL_US, .min_us = UINT32_MAX};
	tcp->rate = (struct tcp_rate){0};
	tcp->congestion.cwnd = TCP_INITIAL_WINDOW * (uint32_t)tcp->mss;
	tcp->congestion.ssthresh = UINT32_MAX;
	if (tcp->congestion.ops)
		tcp->congestion.ops->init(tcp);
}

/* ---- Undo ---- */

void tcp_undo_prepare(struct tcp_socket *tcp)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	recovery->undo_possible = true;
	recovery->undo_point = tcp->snd_una;
	recovery->undo_cwnd = tcp->congestion.cwnd;
	recovery->undo_ssthresh = tcp->congestion.ssthresh;
	recovery->undo_retransmissions = 0;
	recovery->retransmit_stamp = 0;
}

/* What is marked lost was only late. */
static void unmark_lost(struct tcp_socket *tcp)
{
	struct tcp_scoreboard *board = &tcp->scoreboard;
	struct tcp_sent *sent, *next;

	list_for_each_entry_safe(sent, next, &board->lost, by_time)
		tcp_scoreboard_mark_in_flight(board, sent);
}

bool tcp_undo(struct tcp_socket *tcp)
{
	struct tcp_recovery *recovery = &tcp->recovery;
	struct tcp_congestion *congestion = &tcp->congestion;

	if (!recovery->undo_possible)
		return false;
	recovery->undo_possible = false;
	congestion->cwnd = MAX(congestion->cwnd, recovery->undo_cwnd);
	congestion->ssthresh = MAX(congestion->ssthresh, recovery->undo_ssthresh);
	if (congestion->ops->undone)
		congestion->ops->undone(tcp);
	unmark_lost(tcp);
	tcp_count_extra(tcp_net(tcp), recovery->state == TCP_CA_LOSS ? TCP_EXTRA_LOSS_UNDOS
								     : TCP_EXTRA_FULL_UNDOS);
	recovery->state = TCP_CA_OPEN;
	return true;
}

/*
 * Eifel (RFC 3522): the acknowledgement echoes a timestamp from before the first retransmission, so
 * it is the original's. RFC 3708: every retransmission was reported to have come twice.
 */
static bool was_needless(const struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	const struct tcp_recovery *recovery = &tcp->recovery;

	if (!recovery->undo_possible)
		return false;
	if (tcp->has_timestamps && ack->segment->options.has_timestamps && ack->acked &&
	    recovery->retransmit_stamp &&
	    seq_before(ack->segment->options.ts_echo, recovery->retransmit_stamp))
		return true;
	return recovery->retransmit_stamp && recovery->undo_retransmissions == 0 && ack->dsack;
}

static void note_needless(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (!ack->dsack || !recovery->undo_possible)
		return;
	if (seq_before(ack->segment->options.sack[0].start, recovery->undo_point))
		return;
	recovery->undo_retransmissions -= MIN(recovery->undo_retransmissions, ack->dsack_bytes);
}

/* ---- Beginning and end ---- */

void tcp_enter_recovery(struct tcp_socket *tcp)
{
	struct tcp_recovery *recovery = &tcp->recovery;
	struct net *net = tcp_net(tcp);

	if (recovery->state >= TCP_CA_RECOVERY)
		return;
	tcp_undo_prepare(tcp);
	recovery->state = TCP_CA_RECOVERY;
	recovery->recovery_point = tcp->snd_nxt;
	recovery->prr_delivered = recovery->prr_out = 0;
	recovery->prr_start_flight = MAX(tcp->snd_nxt - tcp->snd_una, 1u);
	recovery->probe_outstanding = false;
	/* RFC 3168 6.1.2: one reduction a window, whatever the reasons for it. */
	if (!seq_before(tcp->snd_una, tcp->ecn_reduced_at) || !tcp->has_ecn) {
		tcp->congestion.ssthresh = tcp->congestion.ops->reduce(tcp);
		tcp->ecn_cwr = tcp->has_ecn;
		tcp->ecn_reduced_at = tcp->snd_nxt;
	}
	tcp_count_extra(net, tcp->has_sack ? TCP_EXTRA_SACK_RECOVERIES : TCP_EXTRA_RENO_RECOVERIES);
}

/* RFC 6675 5 (A), RFC 6582 3.2: everything that was under way when it began has arrived. */
static void leave_recovery(struct tcp_socket *tcp)
{
	struct tcp_recovery *recovery = &tcp->recovery;
	struct tcp_congestion *congestion = &tcp->congestion;

	if (recovery->state == TCP_CA_RECOVERY)
		congestion->cwnd = MAX(congestion->ssthresh, 2u * tcp->mss);
	recovery->state = TCP_CA_OPEN;
	recovery->duplicate_acks = 0;
	recovery->frto = false;
	tcp_rack_recovered(tcp);
}

/* ---- What is lost ---- */

/* Without SACK: three duplicates, then what each partial acknowledgement points at. RFC 6582 */
static void detect_by_duplicates(struct tcp_socket *tcp,
				 const struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	struct tcp_recovery *recovery = &tcp->recovery;
	struct tcp_sent *first = tcp_scoreboard_first(&tcp->scoreboard);

	if (ack->duplicate)
		recovery->duplicate_acks++;
	if (ack->acked && recovery->state >= TCP_CA_RECOVERY) {
		uint32_t segments = ack->acked / tcp->mss;

		recovery->duplicate_acks -= MIN(recovery->duplicate_acks, segments);
	}
	if (!first || first->lost)
		return;
	bool partial = ack->acked && recovery->state == TCP_CA_RECOVERY;

	if ((partial || recovery->duplicate_acks == DUPLICATE_THRESHOLD) && !first->retransmitted)
		tcp_scoreboard_mark_lost(&tcp->scoreboard, first);
}

/* RFC 2018 8: the peer dropped what it had SACKed; nothing of that is believed any more. */
static bool reneged(const struct tcp_socket *tcp)
{
	const struct tcp_sent *first = tcp_scoreboard_first(&tcp->scoreboard);

	return first && first->sacked;
}

static void detect_loss(struct tcp_socket *tcp,
			const struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	if (!tcp->has_sack) {
		detect_by_duplicates(tcp, ack);
		return;
	}
	uint32_t again_us = tcp_rack_detect(tcp);

	if (again_us)
		tcp_arm(tcp, TCP_TIMER_REORDER, ack->segment->now_us + again_us);
	else if (tcp->timer_kind == TCP_TIMER_REORDER)
		tcp_rearm(tcp);
}

/* ---- PRR ---- */

/* What may be sent for what was delivered: cwnd follows the flight down to ssthresh. */
static void reduce_proportionally(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	struct tcp_recovery *recovery = &tcp->recovery;
	struct tcp_congestion *congestion = &tcp->congestion;
	uint32_t flight = tcp_in_flight(tcp), delivered = ack->delivered, send;
	int64_t allowed;

	if (!tcp->has_sack && ack->duplicate)
		delivered = tcp->mss;
	recovery->prr_delivered += delivered;
	if (flight > congestion->ssthresh) {
		uint64_t share = (uint64_t)recovery->prr_delivered * congestion->ssthresh;

		allowed = (int64_t)((share + recovery->prr_start_flight - 1) /
				    recovery->prr_start_flight) -
			  recovery->prr_out;
	} else {
		allowed = MAX((int64_t)recovery->prr_delivered - recovery->prr_out,
			      (int64_t)delivered);
		if (ack->acked && list_empty(&tcp->scoreboard.lost))
			allowed += tcp->mss; /* nothing new is lost: a little faster */
		allowed = MIN(allowed, (int64_t)congestion->ssthresh - flight);
	}
	/* The first retransmission always goes out. */
	if (recovery->prr_out == 0)
		allowed = MAX(allowed, (int64_t)tcp->mss);
	send = allowed > 0 ? (uint32_t)allowed : 0;
	congestion->cwnd = flight + send;
}

/* ---- After a timeout: RFC 5682 ---- */

/*
 * What was sent only once is delivered although it was thought lost: the timeout was spurious. New
 * data, where there is some, tells; a retransmission would not.
 */
static bool timeout_was_spurious(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (!recovery->frto)
		return false;
	if (ack->original && seq_upto(ack->prior_una, recovery->frto_point) &&
	    seq_upto(tcp->snd_una, recovery->recovery_point))
		return true;
	if (ack->acked || ack->duplicate)
		recovery->frto = false;
	return false;
}

static void in_loss(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	if (timeout_was_spurious(tcp, ack) && tcp_undo(tcp)) {
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_SPURIOUS_TIMEOUTS);
		tcp->recovery.frto = false;
		return;
	}
	/* Slow start from one segment: RFC 5681 3.1, equation 2. */
	if (ack->delivered)
		tcp->congestion.ops->acked(tcp, &(struct tcp_ack_sample){
							.acked = ack->delivered,
							.in_flight = ack->prior_in_flight,
							.rtt_us = ack->rtt_us,
							.now_us = ack->segment->now_us,
						});
}

/* ---- The states ---- */

void tcp_recover(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	note_needless(tcp, ack);
	if (recovery->state >= TCP_CA_RECOVERY && was_needless(tcp, ack)) {
		tcp_undo(tcp);
		return;
	}
	if (recovery->state >= TCP_CA_RECOVERY && seq_from(tcp->snd_una, recovery->recovery_point))
		leave_recovery(tcp);
	if (reneged(tcp)) {
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_SACK_RENEGING);
		tcp_forget_sacks(tcp);
	}
	if (recovery->state == TCP_CA_LOSS)
		in_loss(tcp, ack);
	detect_loss(tcp, ack);
	if (recovery->state < TCP_CA_RECOVERY && !list_empty(&tcp->scoreboard.lost)) {
		tcp_enter_recovery(tcp);
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_FAST_RETRANSMITS);
	}
	if (recovery->state == TCP_CA_RECOVERY)
		reduce_proportionally(tcp, ack);
	else if (recovery->state < TCP_CA_CWR)
		recovery->state = tcp->scoreboard.sacked_bytes || recovery->duplicate_acks
					  ? TCP_CA_DISORDER
					  : TCP_CA_OPEN;
}

/* ---- Sending again ---- */

static void note_first_retransmission(struct tcp_socket *tcp, uint32_t length, uint64_t now_us)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	recovery->undo_retransmissions += length;
	if (!recovery->retransmit_stamp)
		recovery->retransmit_stamp = tcp_timestamp(tcp, now_us);
}

bool tcp_resend(struct tcp_socket *tcp, struct tcp_sent *sent)
{
	uint64_t now_us = net_now(tcp_net(tcp));
	bool fin = tcp->fin_queued && sent->end == tcp->stream.end + 1;
	struct tcp_outgoing outgoing = {.seq = sent->seq, .retransmission = true};

	/* A segment of the size that fits now; the rest follows as a record of its own. */
	if (sent->end - sent->seq - fin > tcp->mss) {
		if (!tcp_scoreboard_split(&tcp->scoreboard, sent, sent->seq + tcp->mss))
			return false;
		fin = false;
	}
	outgoing.length = sent->end - sent->seq - fin;
	if (fin)
		outgoing.flags |= TCP_FIN;
	if (sent->end - fin == tcp->stream.end ||
	    seq_within(tcp->push_end - 1, sent->seq, sent->end - fin))
		outgoing.flags |= TCP_PSH;
	if (tcp_transmit(tcp, &outgoing) == -ENOMEM)
		return false;
	tcp_scoreboard_mark_resent(&tcp->scoreboard, sent, now_us);
	note_first_retransmission(tcp, outgoing.length, now_us);
	if (tcp->recovery.state >= TCP_CA_RECOVERY)
		tcp->recovery.prr_out += outgoing.length;
	return true;
}

void tcp_retransmit_lost(struct tcp_socket *tcp)
{
	struct tcp_scoreboard *board = &tcp->scoreboard;
	bool any = false;

	while (!list_empty(&board->lost)) {
		struct tcp_sent *sent = list_first_entry(&board->lost, struct tcp_sent, by_time);
		uint32_t flight = tcp_in_flight(tcp);

		/* At least one segment may always be under way. */
		if (flight &&
		    flight + MIN(sent->end - sent->seq, (uint32_t)tcp->mss) > tcp->congestion.cwnd)
			break;
		if (!tcp_resend(tcp, sent))
			break;
		any = true;
	}
	if (any && !timer_armed(&tcp->retransmit))
		tcp_rearm(tcp);
}

uint32_t tcp_congestion_room(struct tcp_socket *tcp)
{
	uint32_t flight = tcp_in_flight(tcp), cwnd = tcp->congestion.cwnd;

	if (!list_empty(&tcp->scoreboard.lost))
		return 0; /* first what is missing */
	return cwnd > flight ? cwnd - flight : 0;
}

void tcp_congestion_echoed(struct tcp_socket *tcp)
{
	struct tcp_congestion *congestion = &tcp->congestion;

	if (seq_before(tcp->snd_una, tcp->ecn_reduced_at) || tcp->recovery.state >= TCP_CA_RECOVERY)
		return;
	congestion->ssthresh = congestion->ops->reduce(tcp);
	congestion->cwnd = MIN(congestion->cwnd, congestion->ssthresh);
	tcp->ecn_reduced_at = tcp->snd_nxt;
	tcp->ecn_cwr = true;
	tcp->count.delivered_ce++;
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_DELIVERED_CE);
}
