/*
 * How a connection ends from our side: CLOSE (RFC 9293 3.10.4) and ABORT (3.10.5); and what becomes
 * of one whose process is gone.
 */
#include "kernel/errno.h"
#include "net/tcp/tcp_state.h"

/* RFC 9293 3.6, MUST-12 */
void tcp_fail(struct tcp_socket *tcp, int error)
{
	tcp->inet.socket.error = error;
	tcp->inet.socket.shutdown = SHUTDOWN_RECEIVE | SHUTDOWN_SEND;
	tcp_set_state(tcp, TCP_CLOSE);
}

/* RFC 9293 3.10.5 */
void tcp_abort(struct tcp_socket *tcp, int error)
{
	switch (tcp->state) {
	case TCP_SYN_RECV:
	case TCP_ESTABLISHED:
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_CLOSE_WAIT:
		tcp_send_reset(tcp);
		break;
	default:
		break;
	}
	tcp_fail(tcp, error);
}

/* A connection without a file: bounded in number and in time. */
static void become_orphan(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	struct tcp_state_of_net *state = tcp_of(tcp_net(tcp));

	net_timer_cancel(tcp_net(tcp), &tcp->idle); /* keepalive */
	tcp->counted_orphan = true;
	if (++state->orphans > (uint32_t)state->settings.tcp_max_orphans) {
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_ABORTS_ON_MEMORY);
		tcp_abort(tcp, ECONNRESET);
		return;
	}
	if (tcp->state == TCP_FIN_WAIT2)
		tcp_enter_fin_wait2(tcp);
}

static void queue_fin(struct tcp_socket *tcp, enum tcp_state next) NEEDS_NET_LOCK
{
	tcp->fin_queued = true;
	tcp->more = tcp->cork = false;
	tcp->push_end = tcp->stream.end;
	tcp_set_state(tcp, next);
	tcp_output(tcp);
}

void tcp_close_sending(struct tcp_socket *tcp)
{
	switch (tcp->state) {
	case TCP_SYN_RECV: /* the FIN goes out when the connection stands */
		tcp->fin_queued = true;
		break;
	case TCP_ESTABLISHED:
		queue_fin(tcp, TCP_FIN_WAIT1);
		break;
	case TCP_CLOSE_WAIT:
		queue_fin(tcp, TCP_LAST_ACK);
		break;
	default:
		break;
	}
	if (tcp->orphan && !tcp->counted_orphan && tcp->state != TCP_CLOSE)
		become_orphan(tcp);
}

/* TCP_LINGER2, tcp_fin_timeout: an orphan does not wait for the peer's FIN for ever. */
void tcp_enter_fin_wait2(struct tcp_socket *tcp)
{
	int32_t seconds = tcp->linger2_s ? tcp->linger2_s
					 : tcp_of(tcp_net(tcp))->settings.tcp_fin_timeout;

	tcp_set_state(tcp, TCP_FIN_WAIT2);
	if (!tcp->orphan) {
		socket_wake(&tcp->inet.socket, POLLOUT | POLLWRNORM); /* a close that lingers */
		return;
	}
	if (seconds >= 0) {
		tcp_arm_end(tcp, net_batch_time(tcp_net(tcp)) + (uint64_t)seconds * USEC_PER_SEC);
		return;
	}
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_ABORTS_ON_LINGER);
	tcp_abort(tcp, ECONNRESET);
}
