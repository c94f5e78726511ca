/* Reno's congestion control: RFC 5681 3.1, counting bytes (RFC 3465). */
#include "net/tcp/tcp_congestion.h"

struct newreno {
	uint32_t counted; /* bytes acknowledged towards the next segment of growth */
};

_Static_assert(sizeof(struct newreno) <= sizeof(((struct tcp_congestion *)0)->private), "private");

static struct newreno *newreno(struct tcp_socket *tcp)
{
	return (struct newreno *)(void *)tcp->congestion.private;
}

static void init(struct tcp_socket *tcp)
{
	newreno(tcp)->counted = 0;
}

/* Slow start: a byte for each byte. Avoidance: a segment for each window of bytes. */
static void acked(struct tcp_socket *tcp, const struct tcp_ack_sample *sample)
{
	struct tcp_congestion *congestion = &tcp->congestion;
	uint32_t bytes = sample->acked;

	if (congestion->cwnd < congestion->ssthresh) {
		uint32_t step = MIN(bytes, congestion->ssthresh - congestion->cwnd);

		congestion->cwnd += step;
		bytes -= step;
	}
	newreno(tcp)->counted += bytes;
	while (newreno(tcp)->counted >= congestion->cwnd) {
		newreno(tcp)->counted -= congestion->cwnd;
		congestion->cwnd += tcp->mss;
	}
}

/* RFC 5681, equation 4: half of what is outstanding, of which the window may be more. */
static uint32_t reduce(struct tcp_socket *tcp)
{
	uint32_t flight = MIN(tcp->snd_nxt - tcp->snd_una, tcp->congestion.cwnd);

	newreno(tcp)->counted = 0;
	return MAX(flight / 2, 2u * tcp->mss);
}

const struct tcp_congestion_ops tcp_newreno = {
	.name = "reno",
	.init = init,
	.acked = acked,
	.reduce = reduce,
};
