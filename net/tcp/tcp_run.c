/*
 * Runs: the pieces in which the stream leaves. A run is made of whole segments that go down as one
 * packet, which is cut at the device at the latest. Its last segment carries PSH, so that a
 * receiver which puts segments together again hands them up at once.
 *
 * What a process writes is collected in runs of a fixed goal; the last run stays open for more
 * until it is full. What leaves at one time may be less: half the window of congestion, so that two
 * packets are under way, and about a millisecond's worth, so that others at the bottleneck do not
 * wait. That is how Linux does it, and tools that watch it count on it.
 */
#include "kernel/printk.h"
#include "net/tcp/tcp_state.h"

#define RUN_BYTES_MAX 65000u      /* with headers below 64 KiB */
#define RATE_SHIFT 10             /* a 1024th of what goes in a second */
#define SHORT_RTT_SHIFT 9         /* paths shorter than some milliseconds get more ... */
#define SHORT_RTT_HALVINGS_MAX 31 /* ... halved for each 512 us */

/* Whole segments of at most `bytes`, but one. */
static uint32_t whole_segments(const struct tcp_socket *tcp, uint32_t bytes)
{
	assert_always(tcp->mss);
	return MAX(bytes - bytes % tcp->mss, (uint32_t)tcp->mss);
}

/* Not more than half of what the peer's window ever was: it can acknowledge one half meanwhile. */
static uint32_t goal(const struct tcp_socket *tcp)
{
	uint32_t most = tcp->snd_wnd_max > TCP_MSS_DEFAULT ? tcp->snd_wnd_max / 2
							   : tcp->snd_wnd_max;

	return whole_segments(tcp, MIN(RUN_BYTES_MAX, most ? most : RUN_BYTES_MAX));
}

/* Where the open run begins: what was sent of it is no longer part of it. */
static uint32_t open_start(const struct tcp_socket *tcp)
{
	return seq_max(tcp->run_start, tcp->snd_nxt);
}

uint32_t tcp_run_open_room(const struct tcp_socket *tcp)
{
	uint32_t used = tcp->stream.end - seq_min(open_start(tcp), tcp->stream.end);
	uint32_t most = goal(tcp);

	return used && used < most ? most - used : 0;
}

uint32_t tcp_run_begin(struct tcp_socket *tcp)
{
	tcp->run_start = tcp->stream.end;
	return goal(tcp);
}

/* Bytes that go in about a millisecond at the present rate. */
static uint32_t paced_bytes(const struct tcp_socket *tcp)
{
	const struct tcp_congestion *congestion = &tcp->congestion;
	uint64_t bytes = MAX(congestion->cwnd, tcp->snd_nxt - tcp->snd_una);
	uint32_t halvings = tcp->rtt.min_us >> SHORT_RTT_SHIFT;

	if (!tcp->rtt.srtt_us)
		return RUN_BYTES_MAX;
	bytes = bytes * USEC_PER_SEC / tcp->rtt.srtt_us >> RATE_SHIFT;
	/* Slow start doubles the window in a round; later it needs some room to grow. */
	bytes = congestion->cwnd < congestion->ssthresh / 2 ? bytes * 2 : bytes * 6 / 5;
	if (halvings <= SHORT_RTT_HALVINGS_MAX)
		bytes += RUN_BYTES_MAX >> halvings;
	return (uint32_t)MIN(bytes, RUN_BYTES_MAX);
}

/* From `seq` to the end of its run, which is a whole number of goals before the open one; or 0. */
static uint32_t to_edge(const struct tcp_socket *tcp, uint32_t seq)
{
	return seq_before(seq, tcp->run_start) ? (tcp->run_start - seq) % goal(tcp) : 0;
}

uint32_t tcp_run_most(const struct tcp_socket *tcp)
{
	uint32_t segments = (uint32_t)tcp_of(tcp_net(tcp))->settings.tcp_min_tso_segs;
	uint32_t most = MAX(paced_bytes(tcp), segments * tcp->mss);
	uint32_t edge = to_edge(tcp, tcp->snd_nxt);

	most = MIN(MIN(most, tcp->congestion.cwnd / 2), goal(tcp));
	return whole_segments(tcp, edge >= tcp->mss ? MIN(most, edge) : most);
}

bool tcp_run_ends(const struct tcp_socket *tcp, uint32_t seq)
{
	return seq_upto(seq, tcp->run_start) && !((tcp->run_start - seq) % goal(tcp));
}
