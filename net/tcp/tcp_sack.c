/* SACK and D-SACK blocks brought to the scoreboard: RFC 2018 5.1, RFC 2883 5, RFC 6675 5. */
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_state.h"

/* ---- D-SACK ---- */

/* RFC 2883 4: a first block below the acknowledgement, or within the second, is a duplicate. */
static bool is_dsack(const struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	const struct tcp_sack_block *first = &segment->options.sack[0];
	const struct tcp_sack_block *second = &segment->options.sack[1];

	/* Of what was sent, and not so long ago that the numbers may have come round. */
	if (!seq_before(first->start, first->end) || seq_after(first->end, tcp->snd_nxt) ||
	    tcp->snd_nxt - first->start > TCP_WINDOW_MAX)
		return false;
	if (seq_before(first->start, segment->ack))
		return seq_upto(first->end, segment->ack);
	return segment->options.sack_count > 1 && seq_from(first->start, second->start) &&
	       seq_upto(first->end, second->end);
}

static void take_dsack(struct tcp_socket *tcp, struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	const struct tcp_sack_block *block = &ack->segment->options.sack[0];
	const struct tcp_recovery *recovery = &tcp->recovery;

	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_DSACKS_RECEIVED);
	/* The network doubled a packet: more of them than were ever sent again. */
	if (++tcp->count.duplicates_reported > tcp->count.retransmissions) {
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_DSACKS_IGNORED_NO_UNDO);
		return;
	}
	ack->dsack = true;
	ack->dsack_start = block->start;
	ack->dsack_end = block->end;
	ack->dsack_of_probe = recovery->probe_outstanding && recovery->probe_was_retransmission &&
			      block->end == recovery->probe_end;
}

/* ---- SACK ---- */

/*
 * The part of a record of several segments that a block covers, in whole segments: what tells of
 * less is not believed, so that nobody can cut a window into single bytes.
 */
static struct tcp_sack_block covered(const struct tcp_sent *sent,
				     const struct tcp_sack_block *block)
{
	struct tcp_sack_block part = {sent->seq, sent->end};

	if (seq_after(block->start, sent->seq)) {
		uint32_t before = block->start - sent->seq;

		part.start = sent->seq + (before + sent->mss - 1) / sent->mss * sent->mss;
	}
	if (seq_before(block->end, sent->end)) {
		uint32_t within = block->end - sent->seq;

		part.end = sent->seq + within / sent->mss * sent->mss;
	}
	return part;
}

/* Cuts the covered part out. NULL: there is none, or no memory for it. */
static struct tcp_sent *cut_out(struct tcp_scoreboard *board, struct tcp_sent *sent,
				const struct tcp_sack_block *block)
{
	struct tcp_sack_block part = covered(sent, block);

	if (!seq_before(part.start, part.end))
		return NULL;
	if (part.start != sent->seq)
		sent = tcp_scoreboard_split(board, sent, part.start);
	if (sent && part.end != sent->end && !tcp_scoreboard_split(board, sent, part.end))
		return NULL;
	return sent;
}

/* Each record that is newly SACKed costs a look-up; one that was is a single step. */
static void mark_block(struct tcp_socket *tcp, const struct tcp_sack_block *block,
		       struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	struct tcp_scoreboard *board = &tcp->scoreboard;
	uint32_t at = block->start;

	while (seq_before(at, block->end)) {
		struct tcp_sent *sent = tcp_scoreboard_find(board, at);

		if (!sent)
			return;
		at = sent->end;
		if (sent->state == TCP_SENT_SACKED)
			continue;
		sent = cut_out(board, sent, block);
		if (!sent)
			continue;
		tcp_note_delivered(tcp, sent, false, ack);
		ack->delivered += sent->end - sent->seq;
		tcp_scoreboard_mark_sacked(board, sent);
	}
}

/* Edges reversed, or outside of what is under way, say nothing. */
static bool is_sane(const struct tcp_socket *tcp, const struct tcp_sack_block *block)
{
	return seq_before(block->start, block->end) && seq_after(block->start, tcp->snd_una) &&
	       seq_upto(block->end, tcp->snd_nxt);
}

/* Below the acknowledgement, as one has it that was overtaken by another. */
static bool is_past(const struct tcp_socket *tcp, const struct tcp_sack_block *block)
{
	return seq_before(block->start, block->end) && seq_upto(block->end, tcp->snd_una);
}

void tcp_process_sack(struct tcp_socket *tcp, struct tcp_acknowledgement *ack)
{
	const struct tcp_options *options = &ack->segment->options;
	uint32_t first = 0;

	if (!options->sack_count)
		return;
	if (is_dsack(tcp, ack->segment)) {
		take_dsack(tcp, ack);
		first = 1;
	}
	for (uint32_t i = first; i < options->sack_count; i++) {
		if (is_sane(tcp, &options->sack[i]))
			mark_block(tcp, &options->sack[i], ack);
		else if (!is_past(tcp, &options->sack[i]))
			tcp_count_extra(tcp_net(tcp), TCP_EXTRA_SACKS_DISCARDED);
	}
}
