/*
 * CUBIC (RFC 9438), with HyStart++ in its first slow start. After a reduction the window follows a
 * cubic of the time: W(t) = C (t - K)^3 + W_max, with C = 0.4 segments a cubic second and a
 * reduction to 0.7. In integers: windows in bytes, times in milliseconds.
 */
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_hystart.h"
#include "net/tcp/tcp_state.h"

#define BETA_TENTHS 7u
#define MS_CUBED_PER_SEGMENT 2500000000ll /* 1 / C: so many ms^3 are one segment */
#define TIME_LIMIT_MS 1000000             /* of |t - K|, so that its cube fits 64 bits */

/* An epoch of avoidance; 4.1.2's variables by what they are. */
struct epoch {
	uint64_t began_us; /* t_epoch; 0: not yet */
	uint32_t w_max;    /* where the curve is flat */
	uint32_t k_ms;     /* when it gets there */
	uint32_t estimate; /* W_est: what Reno would have */
	uint32_t prior;    /* cwnd_prior: before the last reduction */
};

struct cubic {
	struct epoch now, before; /* before the last reduction: undo */
	uint32_t remainder;       /* of growth, below a byte: in 1 / cwnd of one */
	uint32_t counted;         /* bytes towards the estimate's next segment */
	struct tcp_hystart hystart;
};

_Static_assert(sizeof(struct cubic) <= sizeof(((struct tcp_congestion *)0)->private), "private");

static struct cubic *cubic(struct tcp_socket *tcp)
{
	return (struct cubic *)(void *)tcp->congestion.private;
}

static void init(struct tcp_socket *tcp)
{
	*cubic(tcp) = (struct cubic){0};
	tcp_hystart_init(&cubic(tcp)->hystart, tcp->snd_nxt);
}

/* ---- Slow start ---- */

/* RFC 9406 4.2: only while ssthresh is not known. True: slow start ends with this. */
static bool watch_delay(struct tcp_socket *tcp, const struct tcp_ack_sample *sample,
			uint32_t *growth) NEEDS_NET_LOCK
{
	struct tcp_hystart *hystart = &cubic(tcp)->hystart;
	bool before = hystart->conservative;

	if (tcp->congestion.ssthresh != UINT32_MAX)
		return false;
	switch (tcp_hystart_acked(hystart, tcp->snd_una, tcp->snd_nxt, sample->rtt_us)) {
	case TCP_HYSTART_SLOW_START:
		return false;
	case TCP_HYSTART_CONSERVATIVE:
		*growth /= TCP_HYSTART_CSS_DIVISOR;
		if (!before)
			tcp_count_extra(tcp_net(tcp), TCP_EXTRA_HYSTART_DELAY_DETECTED);
		return false;
	case TCP_HYSTART_DONE:
		break;
	}
	return true;
}

/* Returns the bytes that are left for avoidance. */
static uint32_t slow_start(struct tcp_socket *tcp,
			   const struct tcp_ack_sample *sample) NEEDS_NET_LOCK
{
	struct tcp_congestion *congestion = &tcp->congestion;
	uint32_t growth = sample->acked, step;

	if (watch_delay(tcp, sample, &growth)) {
		congestion->ssthresh = congestion->cwnd;
		return growth;
	}
	step = MIN(growth, congestion->ssthresh - congestion->cwnd);
	congestion->cwnd += step;
	return growth - step;
}

/* ---- Avoidance: RFC 9438 4.2 to 4.5 ---- */

/* The largest r with r^3 <= x. */
static uint32_t cube_root(uint64_t x)
{
	uint32_t root = 0;

	for (int bit = 20; bit >= 0; bit--) {
		uint64_t larger = root | 1u << bit;

		if (larger * larger * larger <= x)
			root = (uint32_t)larger;
	}
	return root;
}

/* 4.2, figure 2. Without a larger window before, what lies ahead is unknown: K is 0. */
static void begin_epoch(struct tcp_socket *tcp, uint64_t now_us)
{
	struct epoch *epoch = &cubic(tcp)->now;
	uint32_t cwnd = tcp->congestion.cwnd;

	epoch->began_us = now_us;
	epoch->estimate = cwnd;
	cubic(tcp)->remainder = cubic(tcp)->counted = 0;
	if (epoch->w_max <= cwnd) {
		epoch->w_max = cwnd;
		epoch->k_ms = 0;
		return;
	}
	epoch->k_ms = cube_root((uint64_t)(epoch->w_max - cwnd) * MS_CUBED_PER_SEGMENT / tcp->mss);
}

/* 4.2, figure 1: W_cubic(t), in bytes. */
static uint32_t curve(const struct tcp_socket *tcp, const struct epoch *epoch, uint64_t t_us)
{
	int64_t distance = (int64_t)(t_us / USEC_PER_MSEC) - epoch->k_ms, offset;

	distance = CLAMP(distance, -TIME_LIMIT_MS, TIME_LIMIT_MS);
	offset = distance * distance * distance / (MS_CUBED_PER_SEGMENT / 1000) * tcp->mss / 1000;
	return (uint32_t)CLAMP(epoch->w_max + offset, (int64_t)tcp->mss, (int64_t)TCP_WINDOW_MAX);
}

/* 4.3: alpha is 3 (1 - beta) / (1 + beta) = 9/17 until it has caught up with before, then 1. */
static void grow_estimate(struct tcp_socket *tcp, uint32_t bytes)
{
	struct cubic *c = cubic(tcp);
	uint32_t cwnd = tcp->congestion.cwnd;

	c->counted += c->now.estimate < c->now.prior ? (uint32_t)(bytes * 9ull / 17) : bytes;
	for (; c->counted >= cwnd; c->counted -= cwnd)
		c->now.estimate = MIN(c->now.estimate + tcp->mss, TCP_WINDOW_MAX);
}

static void avoid(struct tcp_socket *tcp, uint32_t bytes, uint64_t now_us)
{
	struct cubic *c = cubic(tcp);
	uint32_t cwnd = tcp->congestion.cwnd, target;
	uint64_t t_us, growth;

	if (!c->now.began_us)
		begin_epoch(tcp, now_us);
	t_us = now_us - c->now.began_us;
	grow_estimate(tcp, bytes);
	if (curve(tcp, &c->now, t_us) < c->now.estimate) { /* the Reno-friendly region */
		tcp->congestion.cwnd = MAX(cwnd, c->now.estimate);
		return;
	}
	/* 4.2: (target - cwnd) / cwnd for each byte; what is below a byte is kept. */
	target = curve(tcp, &c->now, t_us + tcp->rtt.srtt_us);
	target = CLAMP(target, cwnd, cwnd + cwnd / 2);
	growth = (uint64_t)(target - cwnd) * bytes + c->remainder;
	tcp->congestion.cwnd += (uint32_t)(growth / cwnd);
	c->remainder = (uint32_t)(growth % cwnd);
}

static void acked(struct tcp_socket *tcp, const struct tcp_ack_sample *sample) NEEDS_NET_LOCK
{
	uint32_t bytes = sample->acked;

	if (tcp->congestion.cwnd < tcp->congestion.ssthresh)
		bytes = slow_start(tcp, sample);
	if (bytes)
		avoid(tcp, bytes, sample->now_us);
}

/* ---- Events ---- */

/* RFC 9438 4.6; and 4.7, fast convergence: a window below the last one leaves room for others. */
static uint32_t reduce(struct tcp_socket *tcp)
{
	struct cubic *c = cubic(tcp);
	uint32_t cwnd = tcp->congestion.cwnd;

	c->before = c->now;
	c->now.prior = cwnd;
	c->now.w_max = cwnd < c->now.w_max ? (uint32_t)(cwnd * (10ull + BETA_TENTHS) / 20) : cwnd;
	c->now.began_us = 0;
	return (uint32_t)MAX((uint64_t)cwnd * BETA_TENTHS / 10, 2ull * tcp->mss);
}

/* RFC 9438 4.9.1 and 4.9.2 */
static void undone(struct tcp_socket *tcp)
{
	cubic(tcp)->now = cubic(tcp)->before;
}

/* RFC 9438 4.8: the next stage of avoidance begins at its own window, with K 0. */
static void timed_out(struct tcp_socket *tcp)
{
	cubic(tcp)->now.began_us = 0;
	cubic(tcp)->now.w_max = 0;
}

/* RFC 9438 5.8: time in which nothing was sent does not let the window grow. */
static void restarted(struct tcp_socket *tcp, uint64_t idle_us)
{
	if (cubic(tcp)->now.began_us)
		cubic(tcp)->now.began_us += idle_us;
}

const struct tcp_congestion_ops tcp_cubic = {
	.name = "cubic",
	.init = init,
	.acked = acked,
	.reduce = reduce,
	.undone = undone,
	.timed_out = timed_out,
	.restarted = restarted,
};
