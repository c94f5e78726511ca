/*
 * When acknowledgements stay away: the retransmission timeout (RFC 6298 5, RFC 5681 3.1), the probe
 * that goes before it (RFC 8985 7), and the end of RACK's window for reordering.
 */
#include "kernel/errno.h"
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_state.h"

#define PROBE_SLACK_US (2 * USEC_PER_MSEC)
#define DELAYED_ACK_WORST_US (200 * USEC_PER_MSEC) /* WCDelAckT */

void tcp_forget_sacks(struct tcp_socket *tcp)
{
	struct tcp_scoreboard *board = &tcp->scoreboard;

	for (struct tcp_sent *sent = tcp_scoreboard_first(board); sent;
	     sent = tcp_scoreboard_next(sent)) {
		if (!sent->sacked)
			continue;
		board->sacked_bytes -= sent->end - sent->seq;
		sent->sacked = false;
		sent->retransmitted = false;
		list_append(&board->by_time, &sent->by_time);
	}
}

/* ---- Which timer ---- */

/* RFC 8985 7.2: a probe is of use while nothing is known to be missing. */
static bool wants_probe(const struct tcp_socket *tcp)
{
	const struct tcp_recovery *recovery = &tcp->recovery;

	return tcp_of(tcp_net(tcp))->settings.tcp_early_retrans && tcp->has_sack &&
	       recovery->state <= TCP_CA_DISORDER && !recovery->probe_outstanding &&
	       !tcp->scoreboard.sacked_bytes && !tcp->rtt.backoff && tcp->rtt.srtt_us;
}

static uint64_t probe_timeout_us(const struct tcp_socket *tcp)
{
	uint64_t pto_us = 2ull * tcp->rtt.srtt_us;

	/* A single segment may be acknowledged late. */
	pto_us += tcp->scoreboard.records == 1 && tcp->snd_nxt - tcp->snd_una <= tcp->mss
			  ? DELAYED_ACK_WORST_US
			  : PROBE_SLACK_US;
	return MIN(pto_us, (uint64_t)tcp_rto(tcp));
}

void tcp_rearm(struct tcp_socket *tcp)
{
	uint64_t now_us = net_now(tcp_net(tcp));

	if (tcp->snd_una == tcp->snd_nxt) { /* RFC 6298 5.2 */
		if (tcp->timer_kind != TCP_TIMER_PERSIST)
			tcp_disarm(tcp);
		return;
	}
	if (wants_probe(tcp))
		tcp_arm(tcp, TCP_TIMER_PROBE, now_us + probe_timeout_us(tcp));
	else
		tcp_arm(tcp, TCP_TIMER_RTO, now_us + tcp_rto(tcp));
}

/* ---- The tail loss probe: RFC 8985 7.3, 7.4 ---- */

/* New data where there is some and the peer has room, else the last segment once more. */
static bool send_probe(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	struct tcp_scoreboard *board = &tcp->scoreboard;
	struct tcp_sent *last = tcp_scoreboard_last(board);

	if (tcp_send_beyond(tcp)) {
		tcp->recovery.probe_was_retransmission = false;
		return true;
	}
	if (!last || last->sacked)
		return false;
	/* Of a record of many segments, only the last one. */
	if (last->end - last->seq > tcp->mss) {
		last = tcp_scoreboard_split(board, last, last->end - tcp->mss);
		if (!last)
			return false;
	}
	tcp->recovery.probe_was_retransmission = true;
	return tcp_resend(tcp, last);
}

void tcp_probe_expired(struct tcp_socket *tcp)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (tcp->snd_una == tcp->snd_nxt)
		return;
	if (send_probe(tcp)) {
		recovery->probe_outstanding = true;
		recovery->probe_end = tcp->snd_nxt;
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_LOSS_PROBES);
	}
	tcp_arm(tcp, TCP_TIMER_RTO, net_now(tcp_net(tcp)) + tcp_rto(tcp));
}

/*
 * The probe is acknowledged. When it was a retransmission that the peer did not report as a
 * duplicate, it repaired a loss, for which the window is reduced as it would have been.
 */
void tcp_probe_acknowledged(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (!recovery->probe_outstanding || seq_before(tcp->snd_una, recovery->probe_end))
		return;
	recovery->probe_outstanding = false;
	if (!recovery->probe_was_retransmission || ack->dsack)
		return;
	if (tcp->has_timestamps && ack->segment->options.has_timestamps &&
	    recovery->retransmit_stamp &&
	    seq_before(ack->segment->options.ts_echo, recovery->retransmit_stamp))
		return; /* the original's */
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_LOSS_PROBE_RECOVERIES);
	tcp->congestion.ssthresh = tcp->congestion.ops->reduce(tcp);
	tcp->congestion.cwnd = MIN(tcp->congestion.cwnd, tcp->congestion.ssthresh);
}

/* ---- RACK's timer ---- */

void tcp_reorder_expired(struct tcp_socket *tcp)
{
	uint32_t again_us = tcp_rack_detect(tcp);

	if (!list_empty(&tcp->scoreboard.lost)) {
		if (tcp->recovery.state < TCP_CA_RECOVERY) {
			tcp_enter_recovery(tcp);
			tcp->congestion.cwnd = tcp_in_flight(tcp) + tcp->mss;
		}
		tcp_output(tcp);
	}
	if (tcp->state == TCP_CLOSE)
		return;
	if (again_us)
		tcp_arm(tcp, TCP_TIMER_REORDER, net_now(tcp_net(tcp)) + again_us);
	else
		tcp_rearm(tcp);
}

/* ---- The retransmission timeout ---- */

/* Everything not known to have arrived is thought lost: RFC 6675 5.1. */
static void mark_all_lost(struct tcp_socket *tcp)
{
	struct tcp_scoreboard *board = &tcp->scoreboard;

	for (struct tcp_sent *sent = tcp_scoreboard_first(board); sent;
	     sent = tcp_scoreboard_next(sent))
		tcp_scoreboard_mark_lost(board, sent);
}

static void enter_loss(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	struct tcp_recovery *recovery = &tcp->recovery;
	struct tcp_congestion *congestion = &tcp->congestion;
	bool again = recovery->state == TCP_CA_LOSS;

	if (!again) {
		if (recovery->state != TCP_CA_RECOVERY) {
			tcp_undo_prepare(tcp);
			congestion->ssthresh = congestion->ops->reduce(tcp);
		}
		if (congestion->ops->timed_out)
			congestion->ops->timed_out(tcp);
		recovery->frto = tcp_of(tcp_net(tcp))->settings.tcp_frto != 0;
		recovery->frto_point = tcp->snd_nxt;
	} else {
		recovery->frto = false;
	}
	recovery->state = TCP_CA_LOSS;
	recovery->recovery_point = tcp->snd_nxt;
	recovery->duplicate_acks = 0;
	recovery->probe_outstanding = false;
	congestion->cwnd = tcp->mss; /* RFC 5681 3.1, LW */
	if (!tcp->has_sack)
		tcp_forget_sacks(tcp);
	mark_all_lost(tcp);
}

void tcp_rto_expired(struct tcp_socket *tcp)
{
	uint64_t now_us = net_now(tcp_net(tcp));

	if (tcp->snd_una == tcp->snd_nxt)
		return;
	if (!tcp->recovery.first_timeout_us)
		tcp->recovery.first_timeout_us = now_us - tcp_rto(tcp);
	if (tcp_gave_up(tcp))
		return;
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_TIMEOUTS);
	enter_loss(tcp);
	tcp->rtt.backoff++; /* RFC 6298 5.5 */
	if (tcp->rtt.backoff > 1)
		tcp_mtu_timeout(tcp);
	tcp_output(tcp); /* 5.4: the earliest first */
	if (tcp->state != TCP_CLOSE)
		tcp_arm(tcp, TCP_TIMER_RTO, now_us + tcp_rto(tcp));
}
