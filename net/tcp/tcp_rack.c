/*
 * RACK (RFC 8985): a segment is lost when one that was sent later was delivered, and a window of
 * time for reordering has passed. The records in flight stand in the order of their last
 * transmission, so that only what is lost is looked at.
 */
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_state.h"

#define DUPLICATE_THRESHOLD 3 /* DupThresh: RFC 5681 */
#define MULTIPLIER_MAX 20
#define PERSISTENCE 16 /* recoveries for which a larger window is kept */

/* Was (a_us, a_end) sent after (b_us, b_end)? RFC 8985 5.2, RACK_sent_after */
static bool sent_after(uint64_t a_us, uint32_t a_end, uint64_t b_us, uint32_t b_end)
{
	return a_us > b_us || (a_us == b_us && seq_after(a_end, b_end));
}

/* An acknowledgement of a retransmission so early that it must be the original's: step 1. */
static bool is_ambiguous(const struct tcp_socket *tcp, const struct tcp_sent *sent,
			 const struct tcp_segment *segment, uint32_t rtt_us)
{
	if (!sent->retransmitted)
		return false;
	if (segment->options.has_timestamps && tcp->has_timestamps &&
	    seq_before(segment->options.ts_echo, tcp_timestamp(tcp, sent->sent_us)))
		return true;
	return rtt_us < tcp->rtt.min_us && tcp->rtt.min_us != UINT32_MAX;
}

/* Step 3: a segment below one that was delivered before, and not sent again, came late. */
static void detect_reordering(struct tcp_socket *tcp, const struct tcp_sent *sent) NEEDS_NET_LOCK
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (seq_after(sent->end, recovery->forward_acked)) {
		recovery->forward_acked = sent->end;
		return;
	}
	if (sent->retransmitted || sent->transmissions > 1 ||
	    !seq_before(sent->end, recovery->forward_acked))
		return;
	if (!recovery->reordering_seen)
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_SACK_REORDERING);
	recovery->reordering_seen = true;
	tcp->count.reorderings++;
}

void tcp_rack_delivered(struct tcp_socket *tcp, const struct tcp_sent *sent,
			struct tcp_acknowledgement *ack)
{
	struct tcp_recovery *recovery = &tcp->recovery;
	uint32_t rtt_us = (uint32_t)(ack->segment->now_us - sent->sent_us);

	if (sent->transmissions == 1) {
		ack->original = true;
		ack->rtt_us = MAX(rtt_us, 1u);
	} else {
		ack->resent = true;
	}
	detect_reordering(tcp, sent);
	if (is_ambiguous(tcp, sent, ack->segment, rtt_us))
		return;
	recovery->rack_rtt_us = rtt_us;
	if (sent_after(sent->sent_us, sent->end, recovery->rack_sent_us, recovery->rack_end)) {
		recovery->rack_sent_us = sent->sent_us;
		recovery->rack_end = sent->end;
	}
}

/* Step 4 */
static uint32_t reorder_window(const struct tcp_socket *tcp)
{
	const struct tcp_recovery *recovery = &tcp->recovery;
	uint32_t least_us = tcp->rtt.min_us == UINT32_MAX ? 0 : tcp->rtt.min_us;

	if (!recovery->reordering_seen) {
		if (recovery->state >= TCP_CA_RECOVERY)
			return 0;
		if (tcp->scoreboard.sacked_bytes >= DUPLICATE_THRESHOLD * (uint32_t)tcp->mss)
			return 0;
	}
	uint32_t window_us = least_us / 4 * MAX(recovery->reorder_window_multiplier, 1);

	return MIN(window_us, tcp->rtt.srtt_us);
}

void tcp_rack_note_duplicate(struct tcp_socket *tcp)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	recovery->reorder_persist = PERSISTENCE;
	if (seq_before(tcp->snd_una, recovery->reorder_round_end))
		return; /* once a round trip */
	recovery->reorder_round_end = tcp->snd_nxt;
	if (recovery->reorder_window_multiplier < MULTIPLIER_MAX)
		recovery->reorder_window_multiplier++;
}

void tcp_rack_recovered(struct tcp_socket *tcp)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (recovery->reorder_persist && --recovery->reorder_persist == 0)
		recovery->reorder_window_multiplier = 1;
}

/* Step 5 */
uint32_t tcp_rack_detect(struct tcp_socket *tcp)
{
	const struct tcp_recovery *recovery = &tcp->recovery;
	struct tcp_scoreboard *board = &tcp->scoreboard;
	uint64_t now_us = net_now(tcp_net(tcp));
	uint64_t patience_us = (uint64_t)recovery->rack_rtt_us + reorder_window(tcp);
	struct tcp_sent *sent, *next;

	if (!recovery->rack_sent_us)
		return 0;
	list_for_each_entry_safe(sent, next, &board->by_time, by_time) {
		if (!sent_after(recovery->rack_sent_us, recovery->rack_end, sent->sent_us,
				sent->end))
			return 0;
		if (sent->sent_us + patience_us > now_us)
			return (uint32_t)(sent->sent_us + patience_us - now_us);
		if (sent->retransmitted)
			tcp_count_extra(tcp_net(tcp), TCP_EXTRA_LOST_RETRANSMISSIONS);
		tcp_scoreboard_mark_lost(board, sent);
	}
	return 0;
}
