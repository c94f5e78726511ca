/*
 * When acknowledgements stay away: which timer runs, the end of RACK's window for reordering, and
 * the retransmission timeout (RFC 6298 5, RFC 5681 3.1).
 */
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_state.h"

#define RENEGING_LEAST_US (10 * USEC_PER_MSEC)

/* ---- Which timer ---- */

static uint64_t rto_due(const struct tcp_socket *tcp, uint64_t now_us)
{
	uint64_t due_us = tcp->recovery.rto_base_us + tcp_rto(tcp);

	/* What was SACKed and is missing again may come in a moment; else it is sent again. */
	if (tcp_peer_reneged(tcp))
		due_us = MIN(due_us, now_us + MAX(tcp->rtt.srtt_us / 2, RENEGING_LEAST_US));
	due_us = MIN(due_us, tcp_user_timeout_due(tcp));
	return MAX(due_us, now_us + 1);
}

/*
 * One timer serves all: RACK's, the probe's, the RTO's. The RTO's time does not move by the others'
 * running before it (RFC 8985 7.2).
 */
void tcp_rearm(struct tcp_socket *tcp)
{
	uint64_t now_us = net_batch_time(tcp_net(tcp)), probe_us;

	if (tcp->snd_una == tcp->snd_nxt) { /* RFC 6298 5.2 */
		if (tcp->timer_kind != TCP_TIMER_PERSIST)
			tcp_disarm(tcp);
		return;
	}
	if (tcp->recovery.reorder_due_us) {
		tcp_arm(tcp, TCP_TIMER_REORDER, tcp->recovery.reorder_due_us);
		return;
	}
	probe_us = tcp_probe_due(tcp, now_us);
	if (probe_us)
		tcp_arm(tcp, TCP_TIMER_PROBE, MIN(probe_us, rto_due(tcp, now_us)));
	else
		tcp_arm(tcp, TCP_TIMER_RTO, rto_due(tcp, now_us));
}

/* ---- RACK's timer: RFC 8985 6.2, step 5 ---- */

void tcp_reorder_expired(struct tcp_socket *tcp)
{
	if (tcp_rack_detect(tcp)) {
		if (tcp->recovery.state < TCP_CA_RECOVERY && !tcp_mtu_probe_lost(tcp))
			tcp_enter_recovery(tcp, 0);
		if (tcp_in_reduction(tcp))
			tcp_prr_allow_one(tcp);
		tcp_output(tcp);
	}
	if (tcp->state != TCP_CLOSE)
		tcp_rearm(tcp);
}

/* ---- The retransmission timeout ---- */

/*
 * RFC 5681 3.1, RFC 6675 5.1: all that is not known to have arrived is thought lost, and slow start
 * begins from one segment. A second timeout in a row does not reduce ssthresh again, nor does one
 * in a window that was reduced already.
 */
static void enter_loss(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	struct tcp_recovery *recovery = &tcp->recovery;
	struct tcp_congestion *congestion = &tcp->congestion;

	tcp_frto_begin(tcp);
	if (recovery->state != TCP_CA_LOSS) {
		tcp_undo_prepare(tcp);
		if (!tcp_in_reduction(tcp))
			congestion->ssthresh = congestion->ops->reduce(tcp);
		if (congestion->ops->timed_out)
			congestion->ops->timed_out(tcp);
		tcp->ecn_cwr = tcp->has_ecn;
	}
	recovery->state = TCP_CA_LOSS;
	recovery->recovery_point = tcp->snd_nxt;
	recovery->duplicate_acks = 0;
	recovery->probe_outstanding = false;
	recovery->reorder_due_us = 0;
	if (tcp_peer_reneged(tcp)) {
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_SACK_RENEGING);
		tcp_scoreboard_forget_sacks(&tcp->scoreboard);
	}
	tcp_scoreboard_lose_all(&tcp->scoreboard);
}

/*
 * A peer whose window shrank to nothing while data was under way is not one that fails to answer:
 * it is asked for as long as it does (RFC 9293 3.8.6.1, MUST-37).
 * SHLD-17.
 */
static bool is_only_closed(const struct tcp_socket *tcp, uint64_t now_us)
{
	return !tcp->snd_wnd && now_us - tcp->last_receive_us <= 2ull * tcp_rto(tcp);
}

void tcp_rto_expired(struct tcp_socket *tcp)
{
	struct tcp_recovery *recovery = &tcp->recovery;
	uint64_t now_us = net_batch_time(tcp_net(tcp));

	if (tcp->snd_una == tcp->snd_nxt)
		return;
	if (!recovery->first_timeout_us)
		recovery->first_timeout_us = now_us - tcp_rto(tcp);
	if (!is_only_closed(tcp, now_us) && tcp_gave_up(tcp))
		return;
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_TIMEOUTS);
	enter_loss(tcp);
	if (tcp->rtt.backoff < UINT8_MAX) /* RFC 6298 5.5 */
		tcp->rtt.backoff++;
	if (recovery->timeouts < UINT8_MAX)
		recovery->timeouts++;
	tcp_mtu_timeout(tcp);
	tcp->congestion.cwnd = tcp->mss; /* RFC 5681 3.1, LW */
	recovery->rto_base_us = recovery->timeout_us = now_us;
	tcp_output(tcp); /* 5.4: the earliest first */
	if (tcp->state != TCP_CLOSE)
		tcp_rearm(tcp);
}
