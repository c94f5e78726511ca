/*
 * The tail loss probe (RFC 8985 7): when the last segments of a flight get lost, nothing behind
 * them makes the peer say so. One segment more, sent before the RTO, does.
 */
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_state.h"

#define PROBE_SLACK_US (2 * USEC_PER_MSEC)
#define DELAYED_ACK_WORST_US (200 * USEC_PER_MSEC) /* TLP.max_ack_delay */

/* ---- When ---- */

/* RFC 8985 7.2: a probe is of use while nothing is known to be missing. */
static bool is_of_use(const struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	const struct tcp_recovery *recovery = &tcp->recovery;

	return tcp->has_sack && recovery->state <= TCP_CA_DISORDER &&
	       !recovery->probe_outstanding && !tcp->scoreboard.sacked_bytes &&
	       !recovery->timeouts && tcp->rtt.srtt_us &&
	       tcp_of(tcp_net(tcp))->settings.tcp_early_retrans;
}

uint64_t tcp_probe_due(const struct tcp_socket *tcp, uint64_t now_us)
{
	uint64_t pto_us = 2ull * tcp->rtt.srtt_us;

	if (!is_of_use(tcp))
		return 0;
	/* The acknowledgement of a single segment may be delayed. */
	pto_us += tcp->snd_nxt - tcp->snd_una <= tcp->mss ? DELAYED_ACK_WORST_US : PROBE_SLACK_US;
	return now_us + pto_us;
}

/* ---- Sending: RFC 8985 7.3 ---- */

/* The last segment once more. */
static bool resend_last(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	struct tcp_scoreboard *board = &tcp->scoreboard;
	struct tcp_sent *last = tcp_scoreboard_last(board);
	uint32_t whole;

	if (!last || last->state != TCP_SENT_IN_FLIGHT)
		return false;
	whole = (last->end - last->seq - 1) / last->mss * last->mss;
	if (whole) /* of a record of many segments, only the last */
		last = tcp_scoreboard_split(board, last, last->seq + whole);
	return last && tcp_resend(tcp, last);
}

/* New data where there is some and the peer has room, beyond the window of congestion too. */
void tcp_probe_expired(struct tcp_socket *tcp)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (tcp->snd_una == tcp->snd_nxt)
		return;
	recovery->probe_was_retransmission = !tcp_send_beyond(tcp);
	if (!recovery->probe_was_retransmission || resend_last(tcp)) {
		recovery->probe_outstanding = true;
		recovery->probe_end = tcp->snd_nxt;
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_LOSS_PROBES);
	}
	if (tcp->state == TCP_CLOSE)
		return;
	/* Whether it went out or not: the RTO is next. */
	recovery->rto_base_us = net_batch_time(tcp_net(tcp));
	tcp_arm(tcp, TCP_TIMER_RTO, recovery->rto_base_us + tcp_rto(tcp));
}

/* ---- The answer: RFC 8985 7.4.1 ---- */

/* The probe repaired a loss that nobody saw: the window is reduced as for any other. */
static void respond_to_repaired_loss(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	struct tcp_congestion *congestion = &tcp->congestion;

	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_LOSS_PROBE_RECOVERIES);
	congestion->ssthresh = congestion->ops->reduce(tcp);
	congestion->cwnd = MIN(congestion->cwnd, congestion->ssthresh);
	tcp->ecn_cwr = tcp->has_ecn;
}

void tcp_probe_acknowledged(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	struct tcp_recovery *recovery = &tcp->recovery;

	if (!recovery->probe_outstanding || seq_before(tcp->snd_una, recovery->probe_end))
		return;
	if (!recovery->probe_was_retransmission) {
		recovery->probe_outstanding = false;
	} else if (ack->dsack_of_probe) { /* case 1: both the original and the probe came */
		recovery->probe_outstanding = false;
	} else if (seq_after(tcp->snd_una, recovery->probe_end)) {
		/* Case 3: later data is acknowledged, and nothing came twice. */
		recovery->probe_outstanding = false;
		respond_to_repaired_loss(tcp);
	} else if (ack->duplicate && !ack->segment->options.sack_count) { /* case 2: no D-SACK */
		recovery->probe_outstanding = false;
	}
}
