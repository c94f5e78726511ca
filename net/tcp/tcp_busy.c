/* How long a connection waited for what while it had something to send: struct tcp_info. */
#include "net/tcp/tcp_state.h"

void tcp_busy_set(struct tcp_socket *tcp, enum tcp_busy kind)
{
	uint64_t now_us = net_batch_time(tcp_net(tcp));

	if (kind == tcp->busy.kind)
		return;
	tcp->busy.us[tcp->busy.kind] += now_us - tcp->busy.since_us;
	tcp->busy.kind = kind;
	tcp->busy.since_us = now_us;
}

uint64_t tcp_busy_us(const struct tcp_socket *tcp, enum tcp_busy kind)
{
	uint64_t since_us = net_batch_time(tcp_net(tcp)) - tcp->busy.since_us;

	return tcp->busy.us[kind] + (tcp->busy.kind == kind ? since_us : 0);
}
