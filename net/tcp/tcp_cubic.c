/*
 * CUBIC (RFC 9438) with HyStart++ (RFC 9406). The window follows a cubic of the time since the last
 * reduction: W(t) = C (t - K)^3 + W_max, with C = 0.4 segments a cubic second and a reduction to
 * 0.7. In integers: windows in bytes, times in milliseconds.
 */
#include "net/tcp/tcp_congestion.h"

#include "net/tcp/tcp_state.h"

#define BETA_TENTHS 7u
#define MS_CUBED_PER_SEGMENT 2500000000ull /* 1 / C: so many ms^3 are one segment */
#define TIME_LIMIT_MS 100000               /* of (t - K), so that its cube fits 64 bits */

/* HyStart++: RFC 9406 4.3 */
#define MIN_RTT_THRESH_US 4000u
#define MAX_RTT_THRESH_US 16000u
#define RTT_DIVISOR 8u
#define RTT_SAMPLES 8u
#define CSS_GROWTH_DIVISOR 4u
#define CSS_ROUNDS 5u

struct cubic {
	uint64_t epoch_us;  /* when the current stage of avoidance began; 0: not yet */
	uint32_t w_max;     /* bytes: the window before the last reduction */
	uint32_t k_ms;      /* when the curve comes back to it */
	uint32_t estimate;  /* W_est: what Reno would have */
	uint32_t remainder; /* of the growth, in bytes times cwnd */
	uint32_t prior;     /* cwnd before the last reduction */

	/* Slow start. */
	uint32_t round_end;
	uint32_t last_round_rtt_us, round_rtt_us; /* the least of each; UINT32_MAX: none */
	uint16_t samples;
	bool conservative; /* CSS */
	uint8_t css_rounds;
	uint32_t css_baseline_us;
};

_Static_assert(sizeof(struct cubic) <= sizeof(((struct tcp_congestion *)0)->private), "private");

static struct cubic *cubic(struct tcp_socket *tcp)
{
	return (struct cubic *)(void *)tcp->congestion.private;
}

static void init(struct tcp_socket *tcp)
{
	*cubic(tcp) = (struct cubic){
		.last_round_rtt_us = UINT32_MAX,
		.round_rtt_us = UINT32_MAX,
		.round_end = tcp->snd_nxt,
	};
}

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

/* ---- Slow start: RFC 9406 4.2 ---- */

static void begin_round(struct cubic *c, uint32_t end)
{
	c->round_end = end;
	c->last_round_rtt_us = c->round_rtt_us;
	c->round_rtt_us = UINT32_MAX;
	c->samples = 0;
}

static void leave_slow_start(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	tcp->congestion.ssthresh = tcp->congestion.cwnd;
	cubic(tcp)->conservative = false;
}

/* The round trip grew within the round: the path's queue fills. */
static bool delay_grew(const struct cubic *c)
{
	uint32_t threshold = MIN(MAX(c->last_round_rtt_us / RTT_DIVISOR, MIN_RTT_THRESH_US),
				 MAX_RTT_THRESH_US);

	return c->samples >= RTT_SAMPLES && c->last_round_rtt_us != UINT32_MAX &&
	       c->round_rtt_us != UINT32_MAX && c->round_rtt_us >= c->last_round_rtt_us + threshold;
}

static void watch_delay(struct tcp_socket *tcp, const struct tcp_ack_sample *sample) NEEDS_NET_LOCK
{
	struct cubic *c = cubic(tcp);

	if (sample->rtt_us) {
		c->round_rtt_us = MIN(c->round_rtt_us, sample->rtt_us);
		c->samples++;
	}
	if (!c->conservative && delay_grew(c)) {
		c->conservative = true;
		c->css_baseline_us = c->round_rtt_us;
		c->css_rounds = 0;
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_HYSTART_DELAY_DETECTED);
	} else if (c->conservative && c->samples >= RTT_SAMPLES &&
		   c->round_rtt_us < c->css_baseline_us) {
		c->conservative = false; /* it was not the queue */
	}
	if (seq_before(tcp->snd_una, c->round_end))
		return;
	if (c->conservative && ++c->css_rounds >= CSS_ROUNDS)
		leave_slow_start(tcp);
	begin_round(c, tcp->snd_nxt);
}

/* Returns the bytes that are left for avoidance. */
static uint32_t slow_start(struct tcp_socket *tcp,
			   const struct tcp_ack_sample *sample) NEEDS_NET_LOCK
{
	struct tcp_congestion *congestion = &tcp->congestion;
	uint32_t growth = sample->acked;

	watch_delay(tcp, sample);
	if (congestion->cwnd >= congestion->ssthresh)
		return sample->acked;
	if (cubic(tcp)->conservative)
		growth /= CSS_GROWTH_DIVISOR;
	uint32_t step = MIN(growth, congestion->ssthresh - congestion->cwnd);

	congestion->cwnd += step;
	return growth - step;
}

/* ---- Avoidance: RFC 9438 4.2 to 4.5 ---- */

static void begin_epoch(struct tcp_socket *tcp, uint64_t now_us)
{
	struct cubic *c = cubic(tcp);
	uint32_t cwnd = tcp->congestion.cwnd;

	c->epoch_us = now_us;
	c->estimate = cwnd;
	c->remainder = 0;
	if (c->w_max <= cwnd) {
		c->w_max = cwnd;
		c->k_ms = 0;
		return;
	}
	c->k_ms = cube_root((c->w_max - cwnd) * MS_CUBED_PER_SEGMENT / tcp->mss);
}

/* W_cubic(t), in bytes. */
static uint32_t curve(const struct tcp_socket *tcp, const struct cubic *c, uint64_t t_ms)
{
	int64_t distance = (int64_t)MIN(t_ms, (uint64_t)INT32_MAX) - c->k_ms;

	distance = MIN(MAX(distance, -TIME_LIMIT_MS), TIME_LIMIT_MS);
	int64_t offset = distance * distance * distance / (int64_t)(MS_CUBED_PER_SEGMENT / 1000) *
			 tcp->mss / 1000;

	return (uint32_t)MIN(MAX(c->w_max + offset, (int64_t)tcp->mss), (int64_t)TCP_WINDOW_MAX);
}

/* W_est: alpha is 3 (1 - beta) / (1 + beta) = 9/17 until it has caught up, then 1. */
static void grow_estimate(struct tcp_socket *tcp, struct cubic *c, uint32_t bytes)
{
	uint64_t growth = (uint64_t)bytes * tcp->mss / MAX(tcp->congestion.cwnd, 1u);

	if (c->estimate < c->prior)
		growth = growth * 9 / 17;
	c->estimate += (uint32_t)growth;
}

static void avoid(struct tcp_socket *tcp, uint32_t bytes, uint64_t now_us)
{
	struct tcp_congestion *congestion = &tcp->congestion;
	struct cubic *c = cubic(tcp);
	uint32_t cwnd = congestion->cwnd, target;

	if (!c->epoch_us)
		begin_epoch(tcp, now_us);
	grow_estimate(tcp, c, bytes);
	target = curve(tcp, c, (now_us - c->epoch_us + tcp->rtt.srtt_us) / USEC_PER_MSEC);
	target = MIN(MAX(target, cwnd), cwnd + cwnd / 2);
	if (target < c->estimate) {
		congestion->cwnd = c->estimate; /* the Reno-friendly region */
		return;
	}
	/* (target - cwnd) / cwnd for each byte acknowledged; what is below a byte is kept. */
	uint64_t growth = (uint64_t)(target - cwnd) * bytes + c->remainder;

	congestion->cwnd += (uint32_t)(growth / cwnd);
	c->remainder = (uint32_t)(growth % cwnd);
}

static void acked(struct tcp_socket *tcp, const struct tcp_ack_sample *sample) NEEDS_NET_LOCK
{
	uint32_t bytes = sample->acked;

	if (tcp->congestion.cwnd < tcp->congestion.ssthresh)
		bytes = slow_start(tcp, sample);
	if (bytes && tcp->congestion.cwnd >= tcp->congestion.ssthresh)
		avoid(tcp, bytes, sample->now_us);
}

/* RFC 9438 4.6, and fast convergence, 4.7 */
static uint32_t reduce(struct tcp_socket *tcp)
{
	struct cubic *c = cubic(tcp);
	uint32_t cwnd = tcp->congestion.cwnd;

	c->prior = cwnd;
	c->w_max = cwnd < c->w_max ? cwnd / 20 * (10 + BETA_TENTHS) : cwnd;
	c->epoch_us = 0;
	c->conservative = false;
	return MAX(cwnd / 10 * BETA_TENTHS, 2u * tcp->mss);
}

/* RFC 9438 4.9 */
static void undone(struct tcp_socket *tcp)
{
	cubic(tcp)->w_max = MAX(cubic(tcp)->w_max, cubic(tcp)->prior);
	cubic(tcp)->epoch_us = 0;
}

/* RFC 9438 4.8 */
static void timed_out(struct tcp_socket *tcp)
{
	cubic(tcp)->epoch_us = 0;
	begin_round(cubic(tcp), tcp->snd_nxt);
}

/* RFC 9438 5.8: time in which nothing was sent does not let the window grow. */
static void restarted(struct tcp_socket *tcp, uint64_t idle_us)
{
	if (cubic(tcp)->epoch_us)
		cubic(tcp)->epoch_us += idle_us;
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
