/* Which algorithm; and what all have in common: a window that is not used does not grow. */
#include "net/tcp/tcp_congestion.h"

#include "kernel/lib/format.h"
#include "kernel/string.h"
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_state.h"

#define RTO_WITHOUT_SAMPLE_US (3 * USEC_PER_SEC) /* RFC 6298 5.7 */
#define RECORDS_PER_SEGMENT 4                    /* of the window: how small segments may be */
#define RECORDS_LEAST 256

static const struct tcp_congestion_ops *const algorithms[] = {&tcp_cubic, &tcp_newreno};

const struct tcp_congestion_ops *tcp_congestion_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		if (strcmp(algorithms[i]->name, name) == 0)
			return algorithms[i];
	}
	return NULL;
}

void tcp_congestion_names(char *to, size_t size)
{
	snprintf(to, size, "%s %s", tcp_newreno.name, tcp_cubic.name);
}

void tcp_congestion_choose(struct tcp_socket *tcp, const struct tcp_congestion_ops *ops)
{
	struct tcp_congestion *congestion = &tcp->congestion;

	congestion->ops = ops;
	memset(congestion->private, 0, sizeof(congestion->private));
	ops->init(tcp);
}

/*
 * RFC 6928; RFC 5681 3.1: one segment where the handshake had to be tried again (a first repetition
 * may be the path's being slower than a second).
 * RFC 9293 3.8.2, MUST-19.
 */
void tcp_congestion_start(struct tcp_socket *tcp, uint32_t syn_timeouts)
{
	struct tcp_congestion *congestion = &tcp->congestion;
	struct tcp_recovery *recovery = &tcp->recovery;

	if (!tcp->rtt.srtt_us && syn_timeouts)
		tcp->rtt.rto_us = RTO_WITHOUT_SAMPLE_US;
	congestion->cwnd = (syn_timeouts > 1 ? 1 : TCP_INITIAL_WINDOW) * (uint32_t)tcp->mss;
	congestion->ssthresh = UINT32_MAX;
	congestion->usage_end = tcp->snd_una;
	congestion->flight_max = congestion->idle_flight_max = 0;
	congestion->used_us = net_batch_time(tcp_net(tcp));
	recovery->forward_acked = tcp->snd_una;
	recovery->recovery_point = recovery->reorder_round_end = tcp->snd_una - 1;
	recovery->counted_to = tcp->snd_una - 1;
	tcp_congestion_choose(tcp, congestion->ops);
}

/* ---- Is the window used? RFC 7661, RFC 2861 ---- */

/*
 * RFC 5681 4.1, RFC 2861 3.1: after a pause of an RTO the path is found out anew, though not from
 * nothing: the window is halved for each RTO of it.
 */
void tcp_congestion_restart(struct tcp_socket *tcp)
{
	struct tcp_congestion *congestion = &tcp->congestion;
	uint32_t initial = TCP_INITIAL_WINDOW * (uint32_t)tcp->mss;
	uint64_t idle_us = net_batch_time(tcp_net(tcp)) - tcp->last_data_sent_us,
		 rto_us = tcp_rto(tcp);

	if (!tcp->last_data_sent_us || idle_us <= rto_us)
		return;
	if (congestion->ops->restarted)
		congestion->ops->restarted(tcp, idle_us);
	congestion->used_us = net_batch_time(tcp_net(tcp));
	congestion->idle_flight_max = 0;
	if (!tcp_of(tcp_net(tcp))->settings.tcp_slow_start_after_idle)
		return;
	congestion->ssthresh = MAX(congestion->ssthresh, congestion->cwnd / 4 * 3);
	for (; idle_us > rto_us && congestion->cwnd > initial; idle_us -= rto_us)
		congestion->cwnd = MAX(congestion->cwnd / 2, initial);
}

/* RFC 2861 3.2: the process sends less than the window for an RTO; half of the rest is given up. */
static void decay(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	struct tcp_congestion *congestion = &tcp->congestion;
	uint32_t initial = TCP_INITIAL_WINDOW * (uint32_t)tcp->mss;
	uint32_t used = MAX(congestion->idle_flight_max, initial);

	congestion->used_us = net_batch_time(tcp_net(tcp));
	congestion->idle_flight_max = 0;
	if (tcp->recovery.state != TCP_CA_OPEN || used >= congestion->cwnd)
		return;
	congestion->ssthresh = MAX(congestion->ssthresh, congestion->cwnd / 4 * 3);
	congestion->cwnd = congestion->cwnd / 2 + used / 2;
}

/*
 * The strongest sign of a round counts: that the window was the limit, or else the most in
 * flight.
 */
static void note_use(struct tcp_socket *tcp, bool limited) NEEDS_NET_LOCK
{
	struct tcp_congestion *congestion = &tcp->congestion;
	uint32_t flight = tcp->snd_nxt - tcp->snd_una;

	if (limited || seq_from(tcp->snd_una, congestion->usage_end) ||
	    (!congestion->cwnd_limited && flight > congestion->flight_max)) {
		congestion->cwnd_limited = limited;
		congestion->flight_max = flight;
		congestion->usage_end = tcp->snd_nxt;
	}
	if (congestion->cwnd_limited) {
		congestion->used_us = net_batch_time(tcp_net(tcp));
		congestion->idle_flight_max = 0;
		return;
	}
	congestion->idle_flight_max = MAX(congestion->idle_flight_max, flight);
	if (tcp_of(tcp_net(tcp))->settings.tcp_slow_start_after_idle &&
	    net_batch_time(tcp_net(tcp)) - congestion->used_us >= tcp_rto(tcp))
		decay(tcp);
}

void tcp_note_output_done(struct tcp_socket *tcp, bool limited)
{
	if (tcp->snd_una != tcp->snd_nxt)
		note_use(tcp, limited);
	if (!limited && seq_upto(tcp->stream.end, tcp->snd_nxt) && !tcp->scoreboard.lost_bytes)
		tcp_rate_app_limited(tcp);
	if (tcp->rearm_due)
		tcp_rearm(tcp);
	tcp->rearm_due = false;
}

/* RFC 7661 4.3; in slow start the window grows to twice of what was used. */
bool tcp_congestion_may_grow(const struct tcp_socket *tcp)
{
	const struct tcp_congestion *congestion = &tcp->congestion;

	if (congestion->cwnd_limited)
		return true;
	return congestion->cwnd < congestion->ssthresh &&
	       congestion->cwnd < 2ull * congestion->flight_max;
}

/*
 * What is missing goes first. Very small segments are limited in number as well: records cost us.
 */
uint32_t tcp_congestion_room(struct tcp_socket *tcp)
{
	const struct tcp_scoreboard *board = &tcp->scoreboard;
	uint32_t flight = tcp_in_flight(tcp), cwnd = tcp->congestion.cwnd;
	uint32_t room = cwnd > flight ? cwnd - flight : 0;

	if (tcp_scoreboard_next_lost(board) && tcp->recovery.frto != TCP_FRTO_NEW_DATA)
		return 0;
	if (board->records >= MAX(cwnd / tcp->mss * RECORDS_PER_SEGMENT, (uint32_t)RECORDS_LEAST))
		return 0;
	if (flight && room < MIN(tcp->stream.end - tcp->snd_nxt, (uint32_t)tcp->mss))
		return 0;
	return room;
}
