/*
 * Answers to segments that should not have come, and how many there may be: so that nobody can use
 * us against others, two ends do not answer each other for ever, and the number of our answers
 * tells a stranger nothing. RFC 5961 7
 */
#include "net/tcp/tcp_state.h"

/* A connection gives one in about half a second, at a distance that nobody can foresee. */
static bool connection_may_answer(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	struct net *net = tcp_net(tcp);
	uint64_t pause_us = (uint64_t)tcp_of(net)->settings.tcp_invalid_ratelimit * USEC_PER_MSEC;
	uint64_t now_us = net_batch_time(net);

	if (now_us < tcp->challenge_us)
		return false;
	/* Without a limit there is still an end, where both ends are ours. */
	tcp->challenge_us = now_us + MAX(pause_us - net_random_u32(net) % (pause_us / 4 + 1), 1);
	return true;
}

/*
 * tcp_challenge_ack_limit: all connections together, in each second another number around it. A
 * fixed one could be counted from outside, so by default there is none.
 */
bool tcp_challenge_allowed(struct net *net)
{
	struct tcp_state_of_net *state = tcp_of(net);
	uint64_t second = net_batch_time(net) / USEC_PER_SEC;
	uint32_t limit = (uint32_t)state->settings.tcp_challenge_ack_limit;

	if (limit == INT32_MAX)
		return true;
	if (state->challenges.second != second) {
		state->challenges.second = second;
		state->challenges.left = limit ? (limit + 1) / 2 + net_random_u32(net) % limit : 0;
	}
	if (state->challenges.left == 0)
		return false;
	state->challenges.left--;
	return true;
}

void tcp_challenge(struct tcp_socket *tcp)
{
	struct net *net = tcp_net(tcp);

	if (!connection_may_answer(tcp) || !tcp_challenge_allowed(net)) {
		tcp_count_extra(net, TCP_EXTRA_ACK_SKIPPED_CHALLENGE);
		return;
	}
	tcp_count_extra(net, TCP_EXTRA_CHALLENGE_ACKS);
	tcp_send_ack(tcp);
}

/* Text and FIN are part of no endless exchange, and their sender needs the answer. */
void tcp_answer_unacceptable(struct tcp_socket *tcp, const struct tcp_segment *segment,
			     enum tcp_extra_statistic skipped)
{
	if (segment->payload || segment->flags & TCP_FIN || connection_may_answer(tcp))
		tcp_send_ack(tcp);
	else
		tcp_count_extra(tcp_net(tcp), skipped);
}
