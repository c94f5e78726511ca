/*
 * A reduction of the window that proves needless is taken back: what was thought lost was only
 * late. The evidence is an echoed timestamp (Eifel: RFC 3522), D-SACKs (RFC 3708), or after a
 * timeout the arrival of what was sent once only (F-RTO: RFC 5682).
 */
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_state.h"

void tcp_undo_prepare(struct tcp_socket *tcp)
{
	struct tcp_recovery *recovery = &tcp->recovery;
	const struct tcp_congestion *congestion = &tcp->congestion;

	recovery->undo_possible = true;
	recovery->undo_sent = false;
	recovery->undo_point = tcp->snd_una;
	recovery->undo_retransmissions = 0;
	recovery->undo_ssthresh = congestion->ssthresh;
	/* In the middle of a reduction the window is smaller than it shall be. */
	recovery->undo_cwnd = tcp_in_reduction(tcp) ? MAX(congestion->cwnd, congestion->ssthresh)
						    : congestion->cwnd;
}

void tcp_undo_sent(struct tcp_socket *tcp, uint32_t bytes, uint64_t now_us)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (recovery->state < TCP_CA_RECOVERY)
		return;
	recovery->undo_retransmissions += bytes;
	if (!recovery->undo_sent)
		recovery->undo_stamp = tcp_timestamp(tcp, now_us);
	recovery->undo_sent = true;
}

/* RFC 4015 3.2: as it was before, and all that is marked lost is in flight. */
static void take_back(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	struct tcp_recovery *recovery = &tcp->recovery;
	struct tcp_congestion *congestion = &tcp->congestion;

	congestion->cwnd = MAX(congestion->cwnd, recovery->undo_cwnd);
	congestion->ssthresh = MAX(congestion->ssthresh, recovery->undo_ssthresh);
	if (congestion->ops->undone)
		congestion->ops->undone(tcp);
	tcp_scoreboard_recall_lost(&tcp->scoreboard);
	recovery->counted_to = tcp->snd_una - 1;
	recovery->undo_possible = false;
	recovery->frto = TCP_FRTO_NONE;
	recovery->state = TCP_CA_OPEN;
}

/* RFC 3522: what was sent again is acknowledged with a timestamp from before that. */
static bool shown_by_timestamp(const struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	return tcp->has_timestamps && ack->segment->options.has_timestamps && ack->resent_acked &&
	       seq_before(ack->segment->options.ts_echo, tcp->recovery.undo_stamp);
}

/* RFC 3708: every retransmission was reported to have come a second time. */
static bool shown_by_dsacks(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (!ack->dsack || ack->dsack_of_probe ||
	    seq_before(ack->dsack_start, recovery->undo_point))
		return false;
	recovery->undo_retransmissions -= MIN(recovery->undo_retransmissions,
					      ack->dsack_end - ack->dsack_start);
	return recovery->undo_retransmissions == 0;
}

/* The late segment was overtaken by all that arrived before it. */
static void learn_from_timestamp(struct tcp_socket *tcp,
				 const struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	if (tcp->recovery.state == TCP_CA_LOSS)
		return; /* everything was late, in order */
	tcp_rack_widen(tcp);
	if (!tcp->has_sack)
		tcp_note_reordering(tcp, (tcp->recovery.duplicate_acks + 1) * tcp->mss);
	else if (seq_after(tcp->recovery.forward_acked, ack->prior_una))
		tcp_note_reordering(tcp, tcp->recovery.forward_acked - ack->prior_una);
}

bool tcp_undo_if_needless(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	const struct tcp_recovery *recovery = &tcp->recovery;
	enum tcp_extra_statistic kind = TCP_EXTRA_DSACK_UNDOS;

	if (!recovery->undo_possible || !recovery->undo_sent)
		return false;
	if (recovery->state >= TCP_CA_RECOVERY && shown_by_timestamp(tcp, ack)) {
		kind = recovery->state == TCP_CA_LOSS ? TCP_EXTRA_LOSS_UNDOS : TCP_EXTRA_FULL_UNDOS;
		learn_from_timestamp(tcp, ack);
	} else if (!shown_by_dsacks(tcp, ack)) {
		return false;
	}
	tcp_count_extra(tcp_net(tcp), kind);
	take_back(tcp);
	return true;
}

/* ---- F-RTO: RFC 5682 3.1, with SACK; as far as it goes, without ---- */

/* Step 1. Not while an earlier timeout's data is still missing. */
void tcp_frto_begin(struct tcp_socket *tcp)
{
	bool on = tcp_of(tcp_net(tcp))->settings.tcp_frto != 0;

	tcp->recovery.frto = on && tcp->recovery.state != TCP_CA_LOSS ? TCP_FRTO_RESENT
								      : TCP_FRTO_NONE;
}

static bool may_send_new_data(const struct tcp_socket *tcp)
{
	return seq_after(tcp->stream.end, tcp->snd_nxt) &&
	       seq_after(tcp->snd_una + tcp->snd_wnd, tcp->snd_nxt);
}

/*
 * What was sent once, before the timeout, has arrived. Without SACK it may have arrived long ago,
 * and been acknowledged only now with a retransmission.
 */
static bool original_arrived(const struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	return ack->original && (tcp->has_sack || !ack->resent_acked);
}

bool tcp_frto_acknowledged(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (recovery->frto == TCP_FRTO_NONE)
		return false;
	if (original_arrived(tcp, ack) && recovery->undo_possible) { /* step 3b */
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_SPURIOUS_TIMEOUTS);
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_LOSS_UNDOS);
		take_back(tcp);
		return true;
	}
	if (recovery->frto == TCP_FRTO_NEW_DATA) {
		if (ack->delivered || ack->duplicate)
			recovery->frto = TCP_FRTO_NONE; /* step 3a: the loss was real */
	} else if (ack->acked) {                        /* step 2b */
		recovery->frto = may_send_new_data(tcp) ? TCP_FRTO_NEW_DATA : TCP_FRTO_NONE;
	}
	return false;
}
