/* /proc/net/sockstat: how many sockets there are, and what their queues hold. */
#include "net/ipv4/ipv4_state.h"
#include "net/ipv4/raw.h"
#include "net/ipv4/udp.h"

void ip4_show_sockstat(struct text *text, void *context)
{
	struct net *net = context;
	const struct ip4_stack *stack = ip4_stack(net);

	net_lock(net);
	text_printf(text, "sockets: used %llu\n",
		    (unsigned long long)__atomic_load_n(&net->live_sockets, __ATOMIC_RELAXED));
	if (stack->statistics_above)
		stack->statistics_above->sockstat(text, net);
	text_printf(text, "UDP: inuse %u\n", udp_state(net)->table.by_port.count);
	text_printf(text, "UDPLITE: inuse %u\n", udp_lite_state(net)->table.by_port.count);
	text_printf(text, "RAW: inuse %u\n", raw_state(net)->count);
	text_printf(text, "FRAG: inuse %u memory %u\n", stack->reassembly.table.count,
		    stack->reassembly.bytes);
	net_unlock(net);
}
