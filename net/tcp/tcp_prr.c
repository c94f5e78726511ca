/*
 * Proportional rate reduction (RFC 6937bis): while the window is being reduced, what is sent
 * follows what is delivered, in the proportion that makes the flight end at ssthresh.
 */
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_state.h"

bool tcp_in_reduction(const struct tcp_socket *tcp)
{
	return tcp->recovery.state == TCP_CA_RECOVERY || tcp->recovery.state == TCP_CA_CWR;
}

/* RFC 6937bis 6, on entering: RecoverFS is what had not been delivered before. */
void tcp_prr_begin(struct tcp_socket *tcp, uint32_t delivered)
{
	struct tcp_recovery *recovery = &tcp->recovery;
	uint32_t arrived = tcp->has_sack ? tcp->scoreboard.sacked_bytes
					 : recovery->duplicate_acks * tcp->mss;
	uint32_t outstanding = tcp->snd_nxt - tcp->snd_una;

	recovery->prr_delivered = recovery->prr_out = 0;
	recovery->prr_start_flight = (outstanding > arrived ? outstanding - arrived : 0) +
				     delivered;
}

/*
 * More is in flight than there shall be in the end: so much for each byte that was delivered; in
 * whole segments, rounded up.
 */
static uint32_t proportional(const struct tcp_socket *tcp)
{
	const struct tcp_recovery *recovery = &tcp->recovery;
	uint64_t share = (uint64_t)recovery->prr_delivered * tcp->congestion.ssthresh;
	uint64_t start = MAX(recovery->prr_start_flight, 1u);
	uint64_t allowed = (share + start - 1) / start;

	if (allowed <= recovery->prr_out)
		return 0;
	allowed -= recovery->prr_out;
	return (uint32_t)MIN((allowed + tcp->mss - 1) / tcp->mss * tcp->mss, TCP_WINDOW_MAX);
}

/*
 * Less is in flight: what was delivered may be replaced (PRR-CRB), and a segment more while nothing
 * else is lost (PRR-SSRB).
 */
static uint32_t catching_up(const struct tcp_socket *tcp, uint32_t flight, uint32_t delivered,
			    bool safe)
{
	const struct tcp_recovery *recovery = &tcp->recovery;
	uint32_t owed = recovery->prr_delivered > recovery->prr_out
				? recovery->prr_delivered - recovery->prr_out
				: 0;
	uint32_t allowed = MAX(owed, delivered) + (safe ? tcp->mss : 0);

	return MIN(allowed, tcp->congestion.ssthresh - flight);
}

void tcp_prr_delivered(struct tcp_socket *tcp, uint32_t delivered, bool safe)
{
	struct tcp_recovery *recovery = &tcp->recovery;
	uint32_t flight = tcp_in_flight(tcp), send;

	recovery->prr_delivered += delivered;
	send = flight > tcp->congestion.ssthresh ? proportional(tcp)
						 : catching_up(tcp, flight, delivered, safe);
	if (recovery->prr_out == 0) /* the first retransmission always goes out */
		send = MAX(send, (uint32_t)tcp->mss);
	tcp->congestion.cwnd = flight + send;
}

void tcp_prr_allow_one(struct tcp_socket *tcp)
{
	tcp_prr_delivered(tcp, 0, false);
	tcp->congestion.cwnd = MAX(tcp->congestion.cwnd, tcp_in_flight(tcp) + tcp->mss);
}

void tcp_prr_sent(struct tcp_socket *tcp, uint32_t bytes)
{
	if (tcp_in_reduction(tcp))
		tcp->recovery.prr_out += bytes;
}
