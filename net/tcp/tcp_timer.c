/*
 * A connection's three timers. `retransmit` serves whatever the sender waits for (tcp_timer_kind),
 * `delayed_ack` the receiver, `idle` what happens when nothing does: keepalive, the end of
 * FIN_WAIT_2, the end of an orphan.
 */
#include "kernel/errno.h"
#include "net/tcp/tcp_state.h"

#define ORPHAN_RETRIES 8 /* where tcp_orphan_retries is 0 */

static struct tcp_settings *settings(const struct tcp_socket *tcp)
{
	return &tcp_of(tcp_net(tcp))->settings;
}

/* ---- Giving up ---- */

static int32_t retries_allowed(const struct tcp_socket *tcp)
{
	const struct tcp_settings *set = settings(tcp);

	if (tcp->state == TCP_SYN_SENT)
		return tcp->syn_retries ? tcp->syn_retries : set->tcp_syn_retries;
	if (tcp->state == TCP_SYN_RECV)
		return set->tcp_synack_retries;
	if (tcp->orphan)
		return set->tcp_orphan_retries ? set->tcp_orphan_retries : ORPHAN_RETRIES;
	return set->tcp_retries2;
}

/*
 * RFC 5482, the local part: unacknowledged, or before a closed window, for too long. RFC 9293
 * 3.8.3, MUST-21.
 */
uint64_t tcp_user_timeout_due(const struct tcp_socket *tcp)
{
	if (!tcp->user_timeout_ms || !tcp->recovery.first_timeout_us)
		return TIME_NEVER;
	return tcp->recovery.first_timeout_us + tcp->user_timeout_ms * USEC_PER_MSEC;
}

static bool user_timeout_passed(const struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	return net_batch_time(tcp_net(tcp)) >= tcp_user_timeout_due(tcp);
}

static void time_out(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_ABORTS_ON_TIMEOUT);
	tcp_fail(tcp, tcp->soft_error ? tcp->soft_error : ETIMEDOUT);
}

/* RFC 9293 3.8.3, MUST-20, SHLD-10, SHLD-11: R1 doubts the way, R2 ends the connection. */
bool tcp_gave_up(struct tcp_socket *tcp)
{
	bool opening = tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECV;
	uint8_t tries = opening ? tcp->rtt.backoff : tcp->recovery.timeouts;

	if (tries == settings(tcp)->tcp_retries1)
		tcp->inet.family->doubt(tcp_net(tcp), tcp->inet.remote.addr);
	if (tries < retries_allowed(tcp) && !user_timeout_passed(tcp))
		return false;
	time_out(tcp);
	return true;
}

/* ---- Retransmission ---- */

void tcp_arm(struct tcp_socket *tcp, enum tcp_timer_kind kind, uint64_t when_us)
{
	tcp->timer_kind = (uint8_t)kind;
	net_timer_arm(tcp_net(tcp), &tcp->retransmit, when_us);
}

void tcp_disarm(struct tcp_socket *tcp)
{
	tcp->timer_kind = TCP_TIMER_NONE;
	timer_disarm(&tcp->retransmit);
}

/* A peer that answers, and keeps its window closed, does not hold what nobody owns for ever. */
static bool orphan_waited_enough(const struct tcp_socket *tcp)
{
	return tcp->orphan && tcp_rto(tcp) >= TCP_RTO_MAX_US &&
	       tcp->rtt.backoff >= retries_allowed(tcp);
}

/*
 * RFC 9293 3.8.6.1, RFC 1122 4.2.2.17: probes, at growing distances, for as long as the peer
 * answers them (MUST-37).
 * RFC 9293 3.8.6.1, MUST-35, MUST-36, SHLD-30.
 */
static void persist_expired(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	uint64_t now_us = net_batch_time(tcp_net(tcp));

	if (!tcp->recovery.first_timeout_us) /* a peer that only answers does not begin it anew */
		tcp->recovery.first_timeout_us = now_us;
	if (tcp->probes_sent >= retries_allowed(tcp) || orphan_waited_enough(tcp) ||
	    user_timeout_passed(tcp)) {
		time_out(tcp);
		return;
	}
	tcp_send_window_probe(tcp);
	tcp->probes_sent++;
	if (tcp->rtt.backoff < UINT8_MAX)
		tcp->rtt.backoff++;
	if (tcp->state != TCP_CLOSE && !timer_armed(&tcp->retransmit))
		tcp_arm(tcp, TCP_TIMER_PERSIST,
			MIN(now_us + tcp_rto(tcp), tcp_user_timeout_due(tcp)));
}

static void retransmit_expired(struct timer *timer) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp = container_of(timer, struct tcp_socket, retransmit);
	enum tcp_timer_kind kind = tcp->timer_kind;
	struct socket *held = socket_get(&tcp->inet.socket);

	tcp->timer_kind = TCP_TIMER_NONE;
	if (tcp->state == TCP_SYN_SENT || tcp->state == TCP_SYN_RECV)
		tcp_syn_expired(tcp);
	else if (kind == TCP_TIMER_RTO)
		tcp_rto_expired(tcp);
	else if (kind == TCP_TIMER_PROBE)
		tcp_probe_expired(tcp);
	else if (kind == TCP_TIMER_REORDER)
		tcp_reorder_expired(tcp);
	else if (kind == TCP_TIMER_PERSIST)
		persist_expired(tcp);
	socket_put(held);
}

/* ---- Delayed acknowledgements ---- */

/* RFC 9293 3.8.6.3, SHLD-18, MUST-40 */
void tcp_delay_ack(struct tcp_socket *tcp)
{
	if (!timer_armed(&tcp->delayed_ack))
		net_timer_arm(tcp_net(tcp), &tcp->delayed_ack,
			      net_batch_time(tcp_net(tcp)) + tcp->ato_us);
}

static void delayed_ack_expired(struct timer *timer) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp = container_of(timer, struct tcp_socket, delayed_ack);

	if (!tcp->ack_pending)
		return;
	/* No answer carried it: the process does not talk back. */
	tcp->interactive = false;
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_DELAYED_ACKS);
	tcp_send_ack(tcp);
}

/* ---- Idle connections ---- */

static uint64_t seconds_or(uint32_t own_s, int32_t stack_s)
{
	return (own_s ? own_s : (uint32_t)stack_s) * USEC_PER_SEC;
}

/* RFC 9293 3.8.4, MUST-26, MUST-27, MUST-28 */
static uint64_t keepalive_idle_us(const struct tcp_socket *tcp)
{
	return seconds_or(tcp->keepalive_idle_s, settings(tcp)->tcp_keepalive_time);
}

static uint64_t keepalive_interval_us(const struct tcp_socket *tcp)
{
	return seconds_or(tcp->keepalive_interval_s, settings(tcp)->tcp_keepalive_intvl);
}

static bool alive(const struct tcp_socket *tcp)
{
	return tcp->state == TCP_ESTABLISHED || tcp->state == TCP_CLOSE_WAIT ||
	       tcp->state == TCP_FIN_WAIT1 || tcp->state == TCP_FIN_WAIT2;
}

/* RFC 9293 3.8.4, MUST-24, MUST-25 */
void tcp_keepalive_start(struct tcp_socket *tcp, uint64_t since_us)
{
	if (tcp->orphan || !alive(tcp))
		return;
	if (!tcp->inet.socket.keepalive) {
		net_timer_cancel(tcp_net(tcp), &tcp->idle);
		return;
	}
	net_timer_arm(tcp_net(tcp), &tcp->idle, since_us + keepalive_idle_us(tcp));
}

void tcp_keepalive_restart(struct tcp_socket *tcp)
{
	tcp_keepalive_start(tcp, tcp->last_receive_us);
}

void tcp_arm_end(struct tcp_socket *tcp, uint64_t when_us)
{
	net_timer_arm(tcp_net(tcp), &tcp->idle, when_us);
}

/* RFC 9293 3.8.4, MUST-29 */
static bool keepalive_failed(const struct tcp_socket *tcp, uint64_t silence_us)
{
	int32_t probes = tcp->keepalive_probes ? tcp->keepalive_probes
					       : settings(tcp)->tcp_keepalive_probes;

	if (tcp->user_timeout_ms)
		return tcp->probes_sent && silence_us >= tcp->user_timeout_ms * USEC_PER_MSEC;
	return tcp->probes_sent >= probes;
}

/* Data that is under way, or waits for the peer's window, asks for an answer by itself. */
static bool asks_anyway(const struct tcp_socket *tcp)
{
	return tcp->snd_una != tcp->snd_nxt || seq_before(tcp->snd_nxt, tcp->stream.end);
}

/* RFC 9293 3.8.4, MUST-24 to 29: only where asked for, and only on an idle connection. */
static void keepalive_expired(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	uint64_t now_us = net_batch_time(tcp_net(tcp));
	uint64_t silence_us = now_us - tcp->last_receive_us;

	if (!tcp->inet.socket.keepalive)
		return;
	if (asks_anyway(tcp) || silence_us < keepalive_idle_us(tcp)) {
		net_timer_arm(tcp_net(tcp), &tcp->idle,
			      silence_us < keepalive_idle_us(tcp)
				      ? tcp->last_receive_us + keepalive_idle_us(tcp)
				      : now_us + keepalive_idle_us(tcp));
		return;
	}
	if (keepalive_failed(tcp, silence_us)) {
		tcp_send_reset(tcp);
		time_out(tcp);
		return;
	}
	tcp_send_keepalive(tcp);
	tcp->probes_sent++;
	net_timer_arm(tcp_net(tcp), &tcp->idle, now_us + keepalive_interval_us(tcp));
}

static void idle_expired(struct timer *timer) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp = container_of(timer, struct tcp_socket, idle);
	struct socket *held = socket_get(&tcp->inet.socket);

	if (tcp->orphan)
		tcp_set_state(tcp, TCP_CLOSE);
	else
		keepalive_expired(tcp);
	socket_put(held);
}

/* ---- All of them ---- */

void tcp_timers_init(struct tcp_socket *tcp)
{
	timer_init(&tcp->retransmit, retransmit_expired);
	timer_init(&tcp->delayed_ack, delayed_ack_expired);
	timer_init(&tcp->idle, idle_expired);
	tcp->timer_kind = TCP_TIMER_NONE;
}

void tcp_timers_stop(struct tcp_socket *tcp)
{
	struct net *net = tcp_net(tcp);

	tcp->timer_kind = TCP_TIMER_NONE;
	net_timer_cancel(net, &tcp->retransmit);
	net_timer_cancel(net, &tcp->delayed_ack);
	net_timer_cancel(net, &tcp->idle);
}
