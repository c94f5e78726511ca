/* The round trip and the retransmission timeout: RFC 6298. */
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_state.h"

#define MIN_RTT_WINDOW_US (300 * USEC_PER_SEC)

static void note_minimum(struct tcp_rtt *rtt, uint32_t sample_us, uint64_t now_us)
{
	if (sample_us > rtt->min_us && now_us - rtt->min_since_us < MIN_RTT_WINDOW_US)
		return;
	rtt->min_us = sample_us;
	rtt->min_since_us = now_us;
}

/* RFC 6298 2.2 and 2.3, with alpha 1/8 and beta 1/4. */
static void smooth(struct tcp_rtt *rtt, uint32_t rtt_us)
{
	if (!rtt->srtt_us) {
		rtt->srtt_us = rtt_us;
		rtt->rttvar_us = rtt_us / 2;
		return;
	}
	uint32_t distance = rtt_us > rtt->srtt_us ? rtt_us - rtt->srtt_us : rtt->srtt_us - rtt_us;

	rtt->rttvar_us = (uint32_t)((3ull * rtt->rttvar_us + distance + 2) / 4);
	rtt->srtt_us = (uint32_t)((7ull * rtt->srtt_us + rtt_us + 4) / 8);
}

/*
 * The RTO is srtt and a margin of 4 rttvar. With many samples in a round trip (RFC 7323 4) rttvar
 * forgets too soon: as on Linux the margin grows at once, and shrinks by a quarter a round to what
 * the worst of the round needed. Its floor is that of the RTO, which so is always above srtt.
 * RFC1122-3.
 */
static void update_rto(struct tcp_socket *tcp)
{
	struct tcp_rtt *rtt = &tcp->rtt;
	uint32_t margin_us = (uint32_t)MAX(4ull * rtt->rttvar_us, TCP_RTO_MIN_US);

	margin_us = (uint32_t)MIN(margin_us, TCP_RTO_MAX_US);
	rtt->round_margin_us = MAX(rtt->round_margin_us, margin_us);
	rtt->margin_us = MAX(rtt->margin_us, margin_us);
	if (seq_from(tcp->snd_una, rtt->round_end)) {
		rtt->margin_us -= (rtt->margin_us - rtt->round_margin_us) / 4;
		rtt->round_margin_us = 0;
		rtt->round_end = tcp->snd_nxt;
	}
	rtt->rto_us = (uint32_t)MIN((uint64_t)rtt->srtt_us + rtt->margin_us, TCP_RTO_MAX_US);
}

void tcp_rtt_sample(struct tcp_socket *tcp, uint32_t rtt_us)
{
	struct tcp_rtt *rtt = &tcp->rtt;

	rtt_us = (uint32_t)CLAMP(rtt_us, 1u, TCP_RTO_MAX_US);
	if (!rtt->srtt_us)
		rtt->round_end = tcp->snd_nxt;
	note_minimum(rtt, rtt_us, net_batch_time(tcp_net(tcp)));
	smooth(rtt, rtt_us);
	update_rto(tcp);
	rtt->backoff = 0; /* RFC 6298 5.7: a new measurement ends the back-off, nothing else */
}

/*
 * What arrived before a timeout and whose acknowledgement was lost is acknowledged when the
 * retransmission comes. Taken for a round trip, that wait would make the next timeout as long, and
 * a few of them in a row two minutes long. A path that really is so slow shows with what is sent
 * from then on, while the RTO is backed off.
 */
bool tcp_waited_for_timeout(const struct tcp_socket *tcp, uint64_t sent_us)
{
	return tcp->recovery.state == TCP_CA_LOSS && sent_us < tcp->recovery.timeout_us;
}

/* RTTM: RFC 7323 4.1. Only what moves the left edge echoes the timestamp that it should. */
static uint32_t round_trip_by_timestamp(const struct tcp_socket *tcp,
					const struct tcp_acknowledgement *ack)
{
	const struct tcp_options *options = &ack->segment->options;
	uint32_t ms;

	if (!ack->acked || !tcp->has_timestamps || !options->has_timestamps || !options->ts_echo)
		return 0;
	if (tcp->recovery.state == TCP_CA_LOSS &&
	    seq_before(options->ts_echo, tcp_timestamp(tcp, tcp->recovery.timeout_us)))
		return 0;
	ms = tcp_timestamp(tcp, ack->segment->now_us) - options->ts_echo;
	if (ms >= TCP_RTO_MAX_US / USEC_PER_MSEC)
		return 0;
	return MAX(ms, 1u) * (uint32_t)USEC_PER_MSEC;
}

/*
 * RFC 6298 3, Karn's rule: never from what was sent twice; nor from what stood behind that and was
 * acknowledged with it, since it may have waited there.
 * RFC 9293 3.8.1, MUST-18; RFC 6298, RFC1122-1.
 */
void tcp_measure_round_trip(struct tcp_socket *tcp, const struct tcp_acknowledgement *ack)
{
	uint32_t rtt_us = 0;

	if (ack->least_rtt_us != UINT32_MAX && !ack->resent_acked)
		note_minimum(&tcp->rtt, ack->least_rtt_us, ack->segment->now_us);
	if (ack->acked_rtt_us != UINT32_MAX && !ack->resent_acked)
		rtt_us = ack->acked_rtt_us;
	else if (ack->sacked_rtt_us != UINT32_MAX)
		rtt_us = ack->sacked_rtt_us;
	else
		rtt_us = round_trip_by_timestamp(tcp, ack);
	if (rtt_us)
		tcp_rtt_sample(tcp, rtt_us);
}

/* RFC 6298 5.5, MUST-19: doubled for each time that it ran out. RFC1122-2: a SYN's too. */
uint32_t tcp_rto(const struct tcp_socket *tcp)
{
	uint64_t rto_us = tcp->rtt.rto_us;

	for (uint32_t i = 0; i < tcp->rtt.backoff && rto_us < TCP_RTO_MAX_US; i++)
		rto_us *= 2;
	return (uint32_t)MIN(rto_us, TCP_RTO_MAX_US);
}
