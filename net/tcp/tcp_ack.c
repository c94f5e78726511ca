/*
 * What an acknowledgement does: RFC 9293 3.10.7.4, fifth, in the synchronised states. First its
 * facts are worked out (window, cumulative acknowledgement, SACK, round trip), then recovery and
 * congestion control draw their conclusions.
 */
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_state.h"

/* ---- What is in flight ---- */

/* RFC 6675 4, SetPipe: what was SACKed has left, and so has what is lost and not sent again. */
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
	uint64_t now_us = net_batch_time(tcp_net(tcp));
	struct tcp_sent *sent = tcp_scoreboard_add(&tcp->scoreboard, seq, end, tcp->mss, now_us);

	if (!sent)
		return false;
	if (tcp->scoreboard.records == 1) /* RFC 6298 5.1 */
		tcp->recovery.rto_base_us = now_us;
	tcp_rate_sent(tcp, sent, now_us);
	tcp_prr_sent(tcp, end - seq);
	if (!timer_armed(&tcp->retransmit) || tcp->timer_kind == TCP_TIMER_PROBE ||
	    tcp->timer_kind == TCP_TIMER_PERSIST)
		tcp->rearm_due = true; /* tcp_note_output_done */
	return true;
}

/* ---- The window ---- */

/*
 * RFC 9293 3.10.7.4: SND.WL1 and SND.WL2 keep an old segment from changing the window.
 * Returns whether it is another one now.
 */
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

/* The round trips that a segment tells of when it was sent once: RFC 6298 3. */
static void note_round_trip(const struct tcp_sent *sent, bool cumulatively,
			    struct tcp_acknowledgement *ack)
{
	uint32_t rtt_us = (uint32_t)MAX(ack->segment->now_us - sent->sent_us, 1ull);
	uint32_t *longest = cumulatively ? &ack->acked_rtt_us : &ack->sacked_rtt_us;

	if (*longest == UINT32_MAX || rtt_us > *longest)
		*longest = rtt_us;
	ack->least_rtt_us = MIN(ack->least_rtt_us, rtt_us);
}

void tcp_note_delivered(struct tcp_socket *tcp, const struct tcp_sent *sent, bool cumulatively,
			struct tcp_acknowledgement *ack)
{
	if (sent->retransmitted) {
		ack->resent_acked |= cumulatively;
	} else {
		if (!tcp_waited_for_timeout(tcp, sent->sent_us))
			note_round_trip(sent, cumulatively, ack);
		ack->original |= seq_upto(sent->end, tcp->recovery.recovery_point);
	}
	tcp_rack_delivered(tcp, sent, ack);
	tcp_rate_delivered(tcp, sent, ack);
}

static void acknowledge_records(struct tcp_socket *tcp,
				struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	struct tcp_scoreboard *board = &tcp->scoreboard;
	uint32_t upto = ack->segment->ack;
	struct tcp_sent *sent;

	while ((sent = tcp_scoreboard_first(board)) && seq_before(sent->seq, upto)) {
		bool whole = seq_upto(sent->end, upto);
		struct tcp_sent part = *sent; /* of many segments, those that arrived */

		part.end = seq_min(sent->end, upto);
		if (sent->state != TCP_SENT_SACKED)
			tcp_note_delivered(tcp, &part, true, ack);
		ack->delivered += tcp_scoreboard_acknowledge(board, sent, upto);
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
	tcp->recovery.rto_base_us = ack->segment->now_us; /* RFC 6298 5.3 */
	tcp->recovery.timeouts = 0;
	tcp->recovery.first_timeout_us = 0;
	tcp->soft_error = 0;
}

/* RFC 5681 2: what counts as a duplicate acknowledgement. */
static bool is_duplicate(const struct tcp_socket *tcp, const struct tcp_segment *segment,
			 bool window_changed)
{
	return segment->ack == tcp->snd_una && !segment->payload && !window_changed &&
	       !(segment->flags & (TCP_SYN | TCP_FIN)) && tcp->snd_una != tcp->snd_nxt;
}

/*
 * Without SACK the duplicates stand for the segments that arrived: each is counted once, when it
 * comes, and not again when it is acknowledged. RFC 6937bis 6, DeliveredData
 */
static void count_duplicates(struct tcp_socket *tcp, struct tcp_acknowledgement *ack)
{
	uint32_t *duplicates = &tcp->recovery.duplicate_acks;

	if (ack->duplicate) {
		++*duplicates;
		ack->delivered = tcp->mss;
		return;
	}
	if (!ack->acked)
		return;
	/* One segment filled the hole; behind it were those that the duplicates told of. */
	uint32_t behind = MIN(ack->acked > tcp->mss ? ack->acked / tcp->mss - 1 : 0, *duplicates);

	ack->delivered = ack->acked - behind * tcp->mss;
	*duplicates = tcp->recovery.state < TCP_CA_RECOVERY ? 0 : *duplicates - behind;
}

static void count_delivered(struct tcp_socket *tcp,
			    const struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	struct tcp_state_of_net *state = tcp_of(tcp_net(tcp));
	uint32_t segments = (ack->delivered + tcp->mss - 1) / tcp->mss;

	tcp->count.delivered += segments;
	state->extra[TCP_EXTRA_DELIVERED] += segments;
	if (!ack->congestion_experienced)
		return;
	tcp->count.delivered_ce += segments;
	state->extra[TCP_EXTRA_DELIVERED_CE] += segments;
}

/* ---- Conclusions ---- */

/*
 * RFC 5681 3.1: acknowledgements of new data let the window grow; after a timeout too, which is
 * slow start. During a reduction PRR has the say.
 */
static void grow_window(struct tcp_socket *tcp,
			const struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	const struct tcp_recovery *recovery = &tcp->recovery;
	struct tcp_ack_sample sample = {
		.acked = ack->delivered,
		.in_flight = ack->prior_in_flight,
		.rtt_us = ack->least_rtt_us == UINT32_MAX ? 0 : ack->least_rtt_us,
		.now_us = ack->segment->now_us,
	};

	if (!ack->delivered || recovery->state == TCP_CA_CWR || recovery->state == TCP_CA_RECOVERY)
		return;
	/* Where the order is often lost, data that comes out of it counts like any other. */
	if (!ack->acked && recovery->reordering <= TCP_DUPLICATE_THRESHOLD)
		return;
	if (recovery->state == TCP_CA_LOSS) {
		/* RFC 3465 2.3: what it fills may have arrived long ago. */
		if (!tcp->has_sack)
			sample.acked = MIN(sample.acked, (uint32_t)tcp->mss);
	} else if (!tcp_congestion_may_grow(tcp)) {
		return;
	}
	tcp->congestion.ops->acked(tcp, &sample);
	tcp->congestion.cwnd = MIN(tcp->congestion.cwnd, TCP_WINDOW_MAX);
}

static void draw_conclusions(struct tcp_socket *tcp, struct tcp_acknowledgement *ack) NEEDS_NET_LOCK
{
	tcp_probe_acknowledged(tcp, ack);
	tcp_mtu_acknowledged(tcp);
	tcp_recover(tcp, ack);
	grow_window(tcp, ack);
	if (ack->acked)
		tcp_write_space(tcp);
	if (ack->acked || ack->delivered || tcp->recovery.reorder_due_us ||
	    tcp->timer_kind == TCP_TIMER_REORDER)
		tcp_rearm(tcp);
}

void tcp_ack(struct tcp_socket *tcp, const struct tcp_segment *segment)
{
	struct tcp_acknowledgement ack = {
		.segment = segment,
		.prior_una = tcp->snd_una,
		.prior_in_flight = tcp_in_flight(tcp),
		.acked_rtt_us = UINT32_MAX,
		.sacked_rtt_us = UINT32_MAX,
		.least_rtt_us = UINT32_MAX,
		.congestion_experienced = tcp->has_ecn && segment->flags & TCP_ECE,
	};
	bool overtaken = seq_before(segment->ack, tcp->snd_una); /* only its SACK is of interest */
	bool window_changed = !overtaken && update_window(tcp, segment);

	if (tcp->snd_una == tcp->snd_nxt && !segment->options.sack_count)
		return;
	ack.duplicate = is_duplicate(tcp, segment, window_changed);
	if (!overtaken)
		acknowledge(tcp, &ack);
	if (tcp->has_sack)
		tcp_process_sack(tcp, &ack);
	else
		count_duplicates(tcp, &ack);
	tcp_rack_update(tcp, &ack);
	tcp_measure_round_trip(tcp, &ack);
	tcp_rate_measure(tcp, &ack);
	count_delivered(tcp, &ack);
	draw_conclusions(tcp, &ack);
}
