/* The round trip and the retransmission timeout: RFC 6298. */
#include "net/tcp/tcp_state.h"

#define MIN_RTT_WINDOW_US (300 * USEC_PER_SEC)

static void note_minimum(struct tcp_rtt *rtt, uint32_t sample_us, uint64_t now_us)
{
	if (sample_us > rtt->min_us && now_us - rtt->min_since_us < MIN_RTT_WINDOW_US)
		return;
	rtt->min_us = sample_us;
	rtt->min_since_us = now_us;
}

/*
 * RFC 6298 2.2 and 2.3. As on Linux the floor of 200 ms is one of the variation: the timeout is
 * always so much more than the round trip.
 */
void tcp_rtt_sample(struct tcp_socket *tcp, uint32_t rtt_us)
{
	struct tcp_rtt *rtt = &tcp->rtt;

	rtt_us = MAX(rtt_us, 1u);
	rtt->latest_us = rtt_us;
	note_minimum(rtt, rtt_us, net_now(tcp_net(tcp)));
	if (!rtt->srtt_us) {
		rtt->srtt_us = rtt_us;
		rtt->rttvar_us = rtt_us / 2;
	} else {
		uint32_t distance = rtt_us > rtt->srtt_us ? rtt_us - rtt->srtt_us
							  : rtt->srtt_us - rtt_us;

		rtt->rttvar_us = rtt->rttvar_us - rtt->rttvar_us / 4 + distance / 4;
		rtt->srtt_us = rtt->srtt_us - rtt->srtt_us / 8 + rtt_us / 8;
	}
	uint64_t rto_us = rtt->srtt_us + MAX(4ull * rtt->rttvar_us, TCP_RTO_MIN_US);

	rtt->rto_us = (uint32_t)MIN(rto_us, TCP_RTO_MAX_US);
}

/* RFC 6298 5.5, MUST-19: doubled for each time that it ran out. */
uint32_t tcp_rto(const struct tcp_socket *tcp)
{
	uint64_t rto_us = tcp->rtt.rto_us;

	for (uint32_t i = 0; i < tcp->rtt.backoff && rto_us < TCP_RTO_MAX_US; i++)
		rto_us *= 2;
	return (uint32_t)MIN(rto_us, TCP_RTO_MAX_US);
}
