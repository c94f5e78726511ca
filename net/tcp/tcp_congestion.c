/* Which algorithm, and what all have in common: growth only where the window is used. */
#include "net/tcp/tcp_congestion.h"

#include "kernel/lib/format.h"
#include "kernel/string.h"
#include "net/tcp/tcp_state.h"

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

/* RFC 5681 4.1, RFC 2861: after a pause the path is found out anew, though not from nothing. */
void tcp_congestion_restart(struct tcp_socket *tcp)
{
	struct tcp_congestion *congestion = &tcp->congestion;
	uint32_t initial = TCP_INITIAL_WINDOW * (uint32_t)tcp->mss;
	uint64_t idle_us = net_now(tcp_net(tcp)) - tcp->last_data_sent_us, rto_us = tcp_rto(tcp);

	if (!tcp->last_data_sent_us || idle_us <= rto_us)
		return;
	if (congestion->ops->restarted)
		congestion->ops->restarted(tcp, idle_us);
	if (!tcp_of(tcp_net(tcp))->settings.tcp_slow_start_after_idle)
		return;
	congestion->ssthresh = MAX(congestion->ssthresh, congestion->cwnd / 4 * 3);
	for (; idle_us > rto_us && congestion->cwnd > initial; idle_us -= rto_us)
		congestion->cwnd = MAX(congestion->cwnd / 2, initial);
}

void tcp_note_output_done(struct tcp_socket *tcp, bool limited)
{
	struct tcp_congestion *congestion = &tcp->congestion;

	congestion->cwnd_limited = limited;
	congestion->cwnd_used = MAX(congestion->cwnd_used, tcp_in_flight(tcp));
	if (tcp->rearm_due)
		tcp_rearm(tcp);
	tcp->rearm_due = false;
}

/* RFC 7661 4.3: a window that is not used says nothing about the path. */
bool tcp_congestion_may_grow(const struct tcp_socket *tcp, uint32_t in_flight)
{
	const struct tcp_congestion *congestion = &tcp->congestion;

	if (congestion->cwnd_limited)
		return true;
	return congestion->cwnd < congestion->ssthresh && in_flight >= congestion->cwnd / 2;
}
