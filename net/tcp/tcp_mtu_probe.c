/*
 * Probing for a larger path MTU (RFC 4821 7, RFC 8899 5): one segment of new data is sent longer
 * than the others. When it is acknowledged, all may be as long; when it alone gets lost, the path
 * does not take it, and its data goes out again in smaller pieces.
 */
#include "kernel/errno.h"
#include "net/tcp/tcp_scoreboard.h"
#include "net/tcp/tcp_state.h"

#define SEARCH_END 32     /* bytes: what is gained by less is not worth a probe */
#define SEGMENTS_BEHIND 3 /* so that its loss shows */

void tcp_mtu_search(struct tcp_socket *tcp, uint32_t high, uint64_t delay_us)
{
	tcp->mtu.search_high = (uint16_t)high;
	tcp->mtu.probe_next_us = net_batch_time(tcp_net(tcp)) + delay_us;
}

/* All of the range first: often it was another loss. Then halves. */
static uint32_t next_size(const struct tcp_socket *tcp)
{
	uint32_t low = tcp->mtu.path, high = tcp->mtu.search_high;

	return high == tcp->mtu.route ? high : (low + high + 1) / 2;
}

/* What is known by now suffices; later the path may have changed. */
static void finish_search(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	if (tcp->mtu.path >= tcp->mtu.route)
		tcp->mtu.search_high = 0;
	else
		tcp_mtu_search(tcp, tcp->mtu.route, TCP_MTU_RAISE_US);
}

static bool may_probe(const struct tcp_socket *tcp, uint32_t length) NEEDS_NET_LOCK
{
	uint32_t behind = SEGMENTS_BEHIND * (uint32_t)tcp->mss;
	uint32_t edge = tcp->snd_una + tcp->snd_wnd;

	return tcp->recovery.state == TCP_CA_OPEN &&
	       seq_from(tcp->stream.end, tcp->snd_nxt + length + behind) &&
	       seq_from(edge, tcp->snd_nxt + length + behind) &&
	       tcp->congestion.cwnd >= tcp_in_flight(tcp) + length;
}

void tcp_mtu_probe(struct tcp_socket *tcp)
{
	uint64_t now_us = net_batch_time(tcp_net(tcp));
	uint32_t size, length;

	if (!tcp->mtu.search_high || tcp->mtu.probe_size || now_us < tcp->mtu.probe_next_us)
		return;
	size = next_size(tcp);
	length = tcp_mss_for_path(tcp, size);
	if (length < tcp->mss + SEARCH_END) {
		finish_search(tcp);
		return;
	}
	if (!may_probe(tcp, length))
		return;

	struct tcp_outgoing outgoing = {.seq = tcp->snd_nxt, .length = length, .probe = true};

	if (tcp_transmit(tcp, &outgoing) == -ENOMEM ||
	    !tcp_note_sent(tcp, outgoing.seq, outgoing.seq + outgoing.length))
		return;
	tcp->snd_nxt += outgoing.length;
	tcp_scoreboard_last(&tcp->scoreboard)->mss = (uint16_t)length; /* one segment */
	tcp_scoreboard_last(&tcp->scoreboard)->segments = 1;
	tcp->mtu.probe_size = (uint16_t)size;
	tcp->mtu.probe_seq = outgoing.seq;
	tcp->mtu.probe_end = tcp->snd_nxt;
}

void tcp_mtu_acknowledged(struct tcp_socket *tcp)
{
	if (!tcp->mtu.probe_size || seq_before(tcp->snd_una, tcp->mtu.probe_end))
		return;
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_MTU_PROBE_SUCCESSES);
	tcp_mtu_set_path(tcp, tcp->mtu.probe_size);
	tcp->mtu.probe_size = 0;
}

bool tcp_mtu_probe_lost(struct tcp_socket *tcp)
{
	const struct tcp_sent *sent;

	if (!tcp->mtu.probe_size)
		return false;
	sent = tcp_scoreboard_find(&tcp->scoreboard, tcp->mtu.probe_seq);
	if (!sent || sent->state != TCP_SENT_LOST)
		return false;
	if (tcp->scoreboard.lost_bytes != tcp->mtu.probe_end - tcp->mtu.probe_seq)
		return false; /* others too: that is congestion, and tells nothing of the size */
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_MTU_PROBE_FAILURES);
	tcp->mtu.search_high = tcp->mtu.probe_size - 1;
	tcp->mtu.probe_size = 0;
	return true;
}

void tcp_mtu_probe_resent(struct tcp_socket *tcp, uint32_t seq)
{
	if (tcp->mtu.probe_size && seq == tcp->mtu.probe_seq)
		tcp->mtu.probe_size = 0;
}
