/*
 * What is lost, by counting what came behind it: RFC 6675 where the peer SACKs and RACK is off
 * (tcp_recovery), RFC 6582 (NewReno) where it does not SACK.
 */
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_state.h"

/* ---- With SACK ---- */

/*
 * The record below which all is lost: enough segments were SACKed above it. NULL: none. Nothing
 * below `counted_to` is looked at again, so that in all each record is looked at a few times.
 */
static struct tcp_sent *boundary(const struct tcp_socket *tcp, uint32_t from)
{
	const struct tcp_scoreboard *board = &tcp->scoreboard;
	struct tcp_sent *sent = tcp_scoreboard_find(board, board->highest_sacked - 1);
	uint32_t above = 0;

	for (; sent && seq_after(sent->seq, from); sent = tcp_scoreboard_previous(sent)) {
		if (sent->state != TCP_SENT_SACKED)
			continue;
		above += sent->segments;
		if (above >= tcp->recovery.reordering)
			return sent;
	}
	return NULL;
}

/* RFC 6675 4, IsLost, for all at once. */
bool tcp_sack_count_detect(struct tcp_socket *tcp)
{
	struct tcp_scoreboard *board = &tcp->scoreboard;
	uint32_t from = seq_max(tcp->recovery.counted_to, tcp->snd_una);
	struct tcp_sent *end, *sent;
	bool any = false;

	if (!board->sacked_bytes)
		return false;
	end = boundary(tcp, from);
	if (!end)
		return false;
	for (sent = tcp_scoreboard_find(board, from); sent != end;
	     sent = tcp_scoreboard_next(sent)) {
		if (sent->state != TCP_SENT_IN_FLIGHT || sent->retransmitted)
			continue;
		tcp_scoreboard_mark_lost(board, sent);
		any = true;
	}
	tcp->recovery.counted_to = end->seq;
	return any;
}

/* ---- Without ---- */

/* RFC 6582 3.2: the third duplicate, unless an earlier recovery's retransmissions caused it. */
static bool enough_duplicates(const struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	const struct tcp_recovery *recovery = &tcp->recovery;

	return ack->duplicate && recovery->duplicate_acks >= recovery->reordering &&
	       seq_after(tcp->snd_una, recovery->recovery_point);
}

/* RFC 6582 3.2, steps 2 and 3: in recovery every partial acknowledgement shows the next hole. */
bool tcp_dupack_detect(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	struct tcp_scoreboard *board = &tcp->scoreboard;
	struct tcp_sent *first = tcp_scoreboard_first(board);

	if (!first || first->state != TCP_SENT_IN_FLIGHT || first->retransmitted)
		return false;
	if (tcp->recovery.state == TCP_CA_RECOVERY ? !ack->acked : !enough_duplicates(tcp, ack))
		return false;
	if (first->end - first->seq > first->mss &&
	    !tcp_scoreboard_split(board, first, first->seq + first->mss))
		return false;
	tcp_scoreboard_mark_lost(board, first);
	return true;
}
