/*
 * RACK (RFC 8985 6): a segment is lost when one that was sent later was delivered, and a window of
 * time for reordering has passed. The records in flight stand in the order of their last
 * transmission, so that only what is lost is looked at.
 */
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_state.h"

#define MULTIPLIER_MAX 20
#define PERSISTENCE 16               /* recoveries for which a larger window is kept */
#define GRANULARITY_US USEC_PER_MSEC /* what is lost within it is found at once */

/* Was (a_us, a_end) sent after (b_us, b_end)? RFC 8985 6.2, RACK_sent_after */
static bool sent_after(uint64_t a_us, uint32_t a_end, uint64_t b_us, uint32_t b_end)
{
	return a_us > b_us || (a_us == b_us && seq_after(a_end, b_end));
}

/* An acknowledgement of a retransmission so early that it must be the original's. */
static bool is_ambiguous(const struct tcp_socket *tcp, const struct tcp_sent *sent,
			 const struct tcp_segment *segment)
{
	if (!sent->retransmitted)
		return false;
	if (tcp->has_timestamps && segment->options.has_timestamps &&
	    seq_before(segment->options.ts_echo, tcp_timestamp(tcp, sent->sent_us)))
		return true;
	return tcp->rtt.min_us != UINT32_MAX && segment->now_us - sent->sent_us < tcp->rtt.min_us;
}

/* ---- Reordering ---- */

void tcp_note_reordering(struct tcp_socket *tcp, uint32_t distance)
{
	const struct tcp_settings *settings = &tcp_of(tcp_net(tcp))->settings;
	struct tcp_recovery *recovery = &tcp->recovery;
	uint32_t segments = (distance + tcp->mss - 1) / tcp->mss;

	recovery->reordering_seen = true;
	tcp->count.reorderings++;
	tcp_count_extra(tcp_net(tcp),
			tcp->has_sack ? TCP_EXTRA_SACK_REORDERING : TCP_EXTRA_TIMESTAMP_REORDERING);
	segments = MIN(segments, (uint32_t)settings->tcp_max_reordering);
	recovery->reordering = MAX(recovery->reordering, segments);
}

/* RFC 8985 6.2, step 3: a segment below one that was delivered before, not sent again, came late.*/
static void detect_reordering(struct tcp_socket *tcp, const struct tcp_sent *sent,
			      struct tcp_acknowledgement *ack)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (seq_after(sent->end, recovery->forward_acked))
		recovery->forward_acked = sent->end;
	else if (seq_before(sent->end, recovery->forward_acked) && !sent->retransmitted)
		ack->reordered = MAX(ack->reordered, recovery->forward_acked - sent->seq);
}

/* ---- What was delivered ---- */

void tcp_rack_delivered(struct tcp_socket *tcp, const struct tcp_sent *sent,
			struct tcp_acknowledgement *ack)
{
	detect_reordering(tcp, sent, ack);
	if (is_ambiguous(tcp, sent, ack->segment))
		return;
	if (!sent_after(sent->sent_us, sent->end, ack->rack_us, ack->rack_end))
		return;
	ack->rack_us = sent->sent_us;
	ack->rack_end = sent->end;
}

/* RFC 8985 6.2, step 4, first half */
void tcp_rack_widen(struct tcp_socket *tcp)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (seq_before(tcp->snd_una, recovery->reorder_round_end))
		return;
	recovery->reorder_round_end = tcp->snd_nxt;
	recovery->reorder_persist = PERSISTENCE;
	if (recovery->reorder_multiplier < MULTIPLIER_MAX)
		recovery->reorder_multiplier++;
}

void tcp_rack_update(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (ack->reordered)
		tcp_note_reordering(tcp, ack->reordered);
	if (ack->dsack && !ack->dsack_of_probe)
		tcp_rack_widen(tcp);
	if (!ack->rack_us)
		return;
	recovery->rack_rtt_us = (uint32_t)(ack->segment->now_us - ack->rack_us);
	if (sent_after(ack->rack_us, ack->rack_end, recovery->rack_sent_us, recovery->rack_end)) {
		recovery->rack_sent_us = ack->rack_us;
		recovery->rack_end = ack->rack_end;
	}
}

void tcp_rack_recovered(struct tcp_socket *tcp)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (recovery->reorder_persist && --recovery->reorder_persist == 0)
		recovery->reorder_multiplier = 1;
}

/* ---- What is lost ---- */

/* RFC 8985 6.2, step 4, second half. Microseconds. */
static uint32_t reorder_window(const struct tcp_socket *tcp)
{
	const struct tcp_recovery *recovery = &tcp->recovery;
	uint32_t least_us = tcp->rtt.min_us == UINT32_MAX ? 0 : tcp->rtt.min_us;

	if (!recovery->reordering_seen &&
	    (recovery->state >= TCP_CA_RECOVERY ||
	     tcp->scoreboard.sacked_segments >= TCP_DUPLICATE_THRESHOLD))
		return 0;
	return (uint32_t)MIN((uint64_t)least_us * recovery->reorder_multiplier / 4,
			     (uint64_t)tcp->rtt.srtt_us);
}

/*
 * Was it sent before what RACK knows to have arrived? In the same microsecond sequence numbers
 * decide, but for a retransmission: that came later than what it is a repetition of.
 */
static bool is_overtaken(const struct tcp_recovery *recovery, const struct tcp_sent *sent)
{
	if (sent->retransmitted && sent->sent_us == recovery->rack_sent_us)
		return false;
	return sent_after(recovery->rack_sent_us, recovery->rack_end, sent->sent_us, sent->end);
}

/* RFC 8985 6.2, step 5 */
bool tcp_rack_detect(struct tcp_socket *tcp)
{
	struct tcp_recovery *recovery = &tcp->recovery;
	struct tcp_scoreboard *board = &tcp->scoreboard;
	uint64_t now_us = net_batch_time(tcp_net(tcp));
	uint64_t patience_us = (uint64_t)recovery->rack_rtt_us + reorder_window(tcp);
	struct tcp_sent *sent, *next;
	bool any = false;

	recovery->reorder_due_us = 0;
	list_for_each_entry_safe(sent, next, &board->in_flight, by_time) {
		if (!is_overtaken(recovery, sent))
			break;
		if (sent->sent_us + patience_us > now_us) {
			recovery->reorder_due_us = MAX(sent->sent_us + patience_us,
						       now_us + GRANULARITY_US);
			break;
		}
		if (sent->retransmitted)
			tcp_count_extra(tcp_net(tcp), TCP_EXTRA_LOST_RETRANSMISSIONS);
		tcp_scoreboard_mark_lost(board, sent);
		any = true;
	}
	return any;
}
