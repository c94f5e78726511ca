/*
 * What an acknowledgement does: RFC 9293 3.10.7.4, fifth, in the synchronised states. First its
 * facts are worked out (window, cumulative acknowledgement, SACK), then recovery and congestion
 * control draw their conclusions.
 */
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_state.h"

uint32_t tcp_in_flight(const struct tcp_socket *tcp)
{
	const struct tcp_scoreboard *board = &tcp->scoreboard;
	uint32_t gone = board->sacked_bytes + board->lost_bytes;
	uint32_t outstanding = tcp->snd_nxt - tcp->snd_una;

	/* Without SACK each duplicate acknowledgement tells of one segment that left: RFC 6582. */
	if (!tcp->has_sack)
		gone += tcp->recovery.duplicate_acks * tcp->mss;
	return outstanding > gone ? outstanding - gone : 0;
}

bool tcp_note_sent(struct tcp_socket *tcp, uint32_t seq, uint32_t end)
{
	struct tcp_sent *sent = tcp_scoreboard_add(&tcp->scoreboard, seq, end,
						   net_now(tcp_net(tcp)));

	if (!sent)
		return false;
	sent->delivered = tcp->rate.delivered;
	sent->delivered_us = tcp->rate.delivered_us;
	if (tcp->recovery.state >= TCP_CA_RECOVERY)
		tcp->recovery.prr_out += end - seq;
	if (!timer_armed(&tcp->retransmit) || tcp->timer_kind == TCP_TIMER_PROBE ||
	    tcp->timer_kind == TCP_TIMER_PERSIST)
		tcp->rearm_due = true; /* tcp_note_output_done */
	return true;
}

/* ---- The window: RFC 9293 3.10.7.4, MUST-... SND.WL1 and SND.WL2 ---- */

/* Returns whether the peer's window is another one now. */
static bool update_window(struct tcp_socket *tcp, const struct tcp_segment *segment) NEEDS_NET_LOCK
{
	uint32_t before = tcp->snd_wnd;

	if (seq_before(segment->seq, tcp->snd_wl1) ||
	    (segment->seq == tcp->snd_wl1 && seq_before(segment->ack, tcp->snd_wl2)))
		return false;
	tcp->snd_wnd = segment->window;
	tcp->snd_wl1 = segment->seq;
	tcp->snd_wl2 = segment->ack;
	tcp->snd_wnd_max = MAX(tcp->snd_wnd_max, tcp->snd_wnd);
	if (tcp->snd_wnd && tcp->timer_kind == TCP_TIMER_PERSIST) {
		tcp_disarm(tcp);
		tcp->rtt.backoff = 0;
		tcp->recovery.first_timeout_us = 0;
	}
	return tcp->snd_wnd != before;
}

/* ---- What is newly delivered ---- */

static void acknowledge_records(struct tcp_socket *tcp,
				struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	struct tcp_scoreboard *board = &tcp->scoreboard;
	struct tcp_sent *sent;

	while ((sent = tcp_scoreboard_first(board)) && seq_before(sent->seq, ack->segment->ack)) {
		bool known = sent->sacked;
		bool whole = seq_upto(sent->end, ack->segment->ack);

		if (!known && whole)
			tcp_rack_delivered(tcp, sent, ack);
		ack->delivered += tcp_scoreboard_acknowledge(board, sent, ack->segment->ack);
		if (!whole)
			break;
	}
}

/* The cumulative acknowledgement: RFC 9293 3.4.1; the stream lets go of what arrived. */
static void acknowledge(struct tcp_socket *tcp, struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	ack->acked = ack->segment->ack - tcp->snd_una;
	if (!ack->acked)
		return;
	acknowledge_records(tcp, ack);
	tcp->snd_una = ack->segment->ack;
	tcp->count.bytes_acked += ack->acked;
	tcp_memory_give(tcp_net(tcp), tcp_stream_release(&tcp->stream, tcp->snd_una));
	tcp->rtt.backoff = 0; /* RFC 6298 5.7 */
	tcp->recovery.first_timeout_us = 0;
	tcp->mtu.black_hole_timeouts = 0;
	tcp->soft_error = 0;
	if (!tcp->has_sack && tcp->recovery.state < TCP_CA_RECOVERY)
		tcp->recovery.duplicate_acks = 0;
}

/* Marks the records of one SACK block. RFC 2018 5.1, RFC 6675 */
static void sack_block(struct tcp_socket *tcp, const struct tcp_sack_block *block,
		       struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	struct tcp_scoreboard *board = &tcp->scoreboard;
	uint32_t at = block->start;

	while (seq_before(at, block->end)) {
		struct tcp_sent *sent = tcp_scoreboard_find(board, at);

		if (!sent)
			return;
		at = sent->end;
		if (sent->sacked)
			continue;
		/* A record of several segments may be there in part. */
		if (seq_after(block->start, sent->seq)) {
			if (!tcp_scoreboard_split(board, sent, block->start))
				continue;
			sent = tcp_scoreboard_find(board, block->start);
		}
		if (seq_before(block->end, sent->end) &&
		    !tcp_scoreboard_split(board, sent, block->end))
			return;
		tcp_rack_delivered(tcp, sent, ack);
		ack->delivered += sent->end - sent->seq;
		at = sent->end;
		tcp_scoreboard_mark_sacked(board, sent);
	}
}

/* Edges reversed, or outside of what is under way, say nothing. */
static bool block_is_sane(const struct tcp_socket *tcp, const struct tcp_sack_block *block)
{
	return seq_before(block->start, block->end) && seq_after(block->start, tcp->snd_una) &&
	       seq_upto(block->end, tcp->snd_nxt);
}

/* RFC 2883 4: the first block below the acknowledgement, or within the second, is a duplicate. */
static bool is_dsack(const struct tcp_segment *segment)
{
	const struct tcp_sack_block *first = &segment->options.sack[0];
	const struct tcp_sack_block *second = &segment->options.sack[1];

	if (!seq_before(first->start, first->end))
		return false;
	if (seq_before(first->start, segment->ack))
		return seq_upto(first->end, segment->ack);
	return segment->options.sack_count > 1 && seq_from(first->start, second->start) &&
	       seq_upto(first->end, second->end);
}

static void take_dsack(struct tcp_socket *tcp, struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	const struct tcp_sack_block *block = &ack->segment->options.sack[0];

	ack->dsack = true;
	ack->dsack_bytes = block->end - block->start;
	tcp->count.duplicates_reported++;
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_DSACKS_RECEIVED);
	tcp_rack_note_duplicate(tcp);
}

static void process_sack(struct tcp_socket *tcp, struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	const struct tcp_options *options = &ack->segment->options;
	uint32_t first = 0;

	if (!tcp->has_sack || !options->sack_count)
		return;
	if (is_dsack(ack->segment)) {
		take_dsack(tcp, ack);
		first = 1;
	}
	for (uint32_t i = first; i < options->sack_count; i++) {
		if (block_is_sane(tcp, &options->sack[i]))
			sack_block(tcp, &options->sack[i], ack);
	}
}

/* ---- Measurements ---- */

/* RTTM: RFC 7323 4; with Karn's rule (RFC 6298 3) where there are no timestamps. */
static void measure_round_trip(struct tcp_socket *tcp,
			       struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	const struct tcp_options *options = &ack->segment->options;

	if (!ack->rtt_us && ack->acked && tcp->has_timestamps && options->has_timestamps &&
	    options->ts_echo) {
		uint32_t ms = tcp_timestamp(tcp, ack->segment->now_us) - options->ts_echo;

		if (ms < TCP_RTO_MAX_US / USEC_PER_MSEC)
			ack->rtt_us = MAX(ms, 1u) * (uint32_t)USEC_PER_MSEC;
	}
	if (ack->rtt_us)
		tcp_rtt_sample(tcp, ack->rtt_us);
}

static void measure_rate(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	struct tcp_rate *rate = &tcp->rate;
	uint64_t now_us = ack->segment->now_us;

	if (!ack->delivered)
		return;
	rate->delivered += ack->delivered;
	tcp->count.delivered += (ack->delivered + tcp->mss - 1) / tcp->mss;
	/* Over about a round trip. */
	if (now_us - rate->first_sent_us >= MAX(tcp->rtt.srtt_us, 1u)) {
		uint64_t elapsed_us = MAX(now_us - rate->first_sent_us, 1ull);

		rate->bytes_per_second = (rate->delivered - rate->round_delivered) * USEC_PER_SEC /
					 elapsed_us;
		rate->first_sent_us = now_us;
		rate->round_delivered = rate->delivered;
	}
	rate->delivered_us = now_us;
}

/* ---- Conclusions ---- */

static void grow_window(struct tcp_socket *tcp,
			const struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	const struct tcp_ack_sample sample = {
		.acked = ack->delivered,
		.in_flight = ack->prior_in_flight,
		.rtt_us = ack->rtt_us,
		.now_us = ack->segment->now_us,
	};

	if (!ack->delivered || !tcp_congestion_may_grow(tcp, ack->prior_in_flight))
		return;
	tcp->congestion.ops->acked(tcp, &sample);
	tcp->congestion.cwnd = MIN(tcp->congestion.cwnd, TCP_WINDOW_MAX);
}

/* RFC 5681 2: what counts as a duplicate acknowledgement. */
static bool is_duplicate(const struct tcp_socket *tcp, const struct tcp_acknowledgement *ack,
			 bool window_changed)
{
	const struct tcp_segment *segment = ack->segment;

	return !ack->acked && !segment->payload && !window_changed &&
	       !(segment->flags & (TCP_SYN | TCP_FIN)) && tcp->snd_una != tcp->snd_nxt;
}

void tcp_ack(struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	struct tcp_acknowledgement ack = {
		.segment = segment,
		.prior_una = tcp->snd_una,
		.prior_in_flight = tcp_in_flight(tcp),
	};
	bool nothing_sent = tcp->snd_una == tcp->snd_nxt;
	bool window_changed = update_window(tcp, segment);

	if (nothing_sent) {
		if (window_changed)
			tcp_write_space(tcp);
		return;
	}
	acknowledge(tcp, &ack);
	process_sack(tcp, &ack);
	ack.duplicate = is_duplicate(tcp, &ack, window_changed);
	measure_round_trip(tcp, &ack);
	measure_rate(tcp, &ack);
	tcp_probe_acknowledged(tcp, &ack);
	tcp_recover(tcp, &ack);
	if (tcp->recovery.state < TCP_CA_RECOVERY)
		grow_window(tcp, &ack);
	if (ack.acked)
		tcp_write_space(tcp);
	if ((ack.acked || ack.delivered) && tcp->timer_kind != TCP_TIMER_REORDER)
		tcp_rearm(tcp);
}
