/* The memory of all connections together (tcp_mem), and buffers that grow with a connection. */
#include "net/tcp/tcp_state.h"

/* Bytes of the limit by its place in tcp_mem: low, pressure, high. */
static uint64_t limit(const struct tcp_state_of_net *state, int which)
{
	return (uint64_t)state->settings.tcp_mem[which] << PAGE_SHIFT;
}

static void note_pressure(struct net *net) NEEDS_NET_LOCK
{
	struct tcp_state_of_net *state = tcp_of(net);
	bool pressed = state->memory_used > limit(state, 1) ||
		       (state->memory_pressure && state->memory_used > limit(state, 0));

	if (pressed && !state->memory_pressure)
		tcp_count_extra(net, TCP_EXTRA_MEMORY_PRESSURES);
	state->memory_pressure = pressed;
}

bool tcp_memory_full(struct net *net)
{
	const struct tcp_state_of_net *state = tcp_of(net);

	return state->memory_used >= limit(state, 2);
}

void tcp_memory_force(struct net *net, uint32_t bytes)
{
	tcp_of(net)->memory_used += bytes;
	note_pressure(net);
}

bool tcp_memory_take(struct net *net, uint32_t bytes)
{
	if (tcp_memory_full(net))
		return false;
	tcp_memory_force(net, bytes);
	return true;
}

void tcp_memory_give(struct net *net, uint32_t bytes)
{
	tcp_of(net)->memory_used -= bytes;
	note_pressure(net);
}

/*
 * What a segment may cost beside its data; with them it is reckoned at a power of two, as if each
 * stood in a packet of its own. That is how Linux sees it, and what programs see in SO_SNDBUF.
 */
#define SEGMENT_HEADERS 576
#define SEGMENT_PACKET 256

static uint64_t weight_of_segment(const struct tcp_socket *tcp)
{
	uint64_t weight = SEGMENT_PACKET;

	while (weight < tcp->mss + SEGMENT_HEADERS)
		weight *= 2;
	return weight + SEGMENT_PACKET;
}

/*
 * The send buffer holds two windows of congestion, so that one is there to be sent while the other
 * is being acknowledged.
 */
void tcp_tune_send_buffer(struct tcp_socket *tcp)
{
	struct socket *socket = &tcp->inet.socket;
	const struct tcp_state_of_net *state = tcp_of(socket->net);
	uint32_t segments = MAX(tcp->congestion.cwnd / tcp->mss, TCP_INITIAL_WINDOW);
	uint64_t wanted = 2 * weight_of_segment(tcp) * MAX(segments, tcp->recovery.reordering + 1);

	if (socket->send_buffer_chosen || state->memory_pressure)
		return;
	wanted = MIN(wanted, (uint64_t)state->settings.tcp_wmem[2]);
	if (wanted > (uint64_t)socket->send_buffer)
		socket->send_buffer = (int32_t)wanted;
}
