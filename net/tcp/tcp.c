/*
 * The stack's TCP, and a control block's life: its defaults, OPEN and CLOSE (RFC 9293 3.10.1,
 * 3.10.4), and the one place where states change (3.3.2).
 */
#include "net/tcp/tcp.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page.h"
#include "kernel/string.h"
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_state.h"

/* Linux's defaults, but for tcp_mem, which follows from the memory there is. */
static const struct tcp_settings default_settings = {
	.tcp_rmem = {4096, 131072, 6291456},
	.tcp_wmem = {4096, 65536, 6291456},
	.tcp_window_scaling = 1,
	.tcp_timestamps = 1,
	.tcp_sack = 1,
	.tcp_dsack = 1,
	.tcp_ecn = 2,
	.tcp_syncookies = 1,
	.tcp_max_syn_backlog = 1024,
	.tcp_synack_retries = 5,
	.tcp_syn_retries = 6,
	.tcp_retries1 = 3,
	.tcp_retries2 = 15,
	.tcp_max_orphans = 8192,
	.tcp_fin_timeout = 60,
	.tcp_keepalive_time = 7200,
	.tcp_keepalive_intvl = 75,
	.tcp_keepalive_probes = 9,
	.tcp_max_tw_buckets = 65536,
	.tcp_tw_reuse = 2,
	.tcp_fastopen = 1,
	.tcp_slow_start_after_idle = 1,
	.tcp_moderate_rcvbuf = 1,
	.tcp_mtu_probing = 1,
	.tcp_base_mss = 1024,
	.tcp_challenge_ack_limit = INT32_MAX,
	.tcp_invalid_ratelimit = 500,
	.tcp_notsent_lowat = INT32_MAX,
	.tcp_frto = 2,
	.tcp_recovery = 1,
	.tcp_early_retrans = 3,
	.tcp_reordering = 3,
	.tcp_max_reordering = 300,
};

struct tcp_state_of_net *tcp_of(struct net *net)
{
	return net->state[NET_STATE_TCP];
}

void tcp_count(struct net *net, enum tcp_statistic which)
{
	tcp_of(net)->statistics[which]++;
}

void tcp_count_extra(struct net *net, enum tcp_extra_statistic which)
{
	tcp_of(net)->extra[which]++;
}

/* ---- The stack's ---- */

/* At most a quarter of the memory for all queues; pressure from three quarters of that on. */
static void choose_memory_limits(struct tcp_settings *settings)
{
	uint64_t pages = page_statistics().total / 4;
	int32_t high = (int32_t)MIN(pages, (uint64_t)INT32_MAX);

	settings->tcp_mem[0] = high / 2;
	settings->tcp_mem[1] = high / 4 * 3;
	settings->tcp_mem[2] = MAX(high, 1);
}

int tcp_init(struct net *net)
{
	struct tcp_state_of_net *state = kzalloc(sizeof(*state));

	if (!state)
		return -ENOMEM;
	state->net = net;
	state->settings = default_settings;
	state->congestion_control = &tcp_cubic;
	choose_memory_limits(&state->settings);
	net_lock(net);
	net->state[NET_STATE_TCP] = state;
	tcp_secrets_draw(net, &state->secrets);
	tcp_table_init(net, &state->table);
	tcp_requests_init(net, &state->requests);
	tcp_timewaits_init(net, &state->timewaits);
	state->kind = (struct inet_kind){
		.type = SOCK_STREAM, .protocol = IPPROTO_TCP, .ops = &tcp_socket_ops};
	inet_kind_register(net, &state->kind);

	int error = tcp_ip4_init(net);

	net_unlock(net);
	return error;
}

/* Orphans that still talk to their peers. */
static void drop_connections(struct tcp_state_of_net *state) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp;

	hash_table_for_each_safe(tcp, &state->table.connections, inet.node)
		tcp_set_state(tcp, TCP_CLOSE);
}

void tcp_destroy(struct net *net)
{
	struct tcp_state_of_net *state = tcp_of(net);

	net_lock(net);
	drop_connections(state);
	tcp_requests_free(&state->requests);
	tcp_timewaits_free(&state->timewaits);
	tcp_table_free(&state->table);
	list_remove(&state->kind.link);
	net->state[NET_STATE_TCP] = NULL;
	net_unlock(net);
	kfree(state);
}

/* ---- A control block's ---- */

/* What a connection leaves behind in its control block: connect to AF_UNSPEC begins anew. */
static void forget_connection(struct tcp_socket *tcp)
{
	tcp->passive = tcp->fin_queued = tcp->fin_received = tcp->connecting = false;
	tcp->more = tcp->urgent_out = tcp->dsack_due = false;
	tcp->ack_now = tcp->ack_pending = tcp->interactive = false;
	tcp->has_wscale = tcp->has_sack = tcp->has_timestamps = tcp->has_ecn = false;
	tcp->ecn_echo = tcp->ecn_cwr = tcp->ecn_seen = false;
	tcp->iss = tcp->snd_una = tcp->snd_nxt = tcp->snd_wnd = tcp->snd_wnd_max = 0;
	tcp->push_end = tcp->small_sent = tcp->snd_up = 0;
	tcp->irs = tcp->rcv_nxt = tcp->rcv_edge = tcp->copied_seq = tcp->rcv_up = 0;
	tcp->urgent_state = TCP_URGENT_NONE;
	tcp->snd_wscale = tcp->rcv_wscale = 0;
	tcp->ts_recent_us = 0;
	tcp->soft_error = 0;
	tcp->probes_sent = 0;
	tcp->fastopen_try = tcp->fastopen_data_acked = false;
	memset(&tcp->count, 0, sizeof(tcp->count));
	memset(&tcp->tune, 0, sizeof(tcp->tune));
}

void tcp_setup(struct tcp_socket *tcp)
{
	struct socket *socket = &tcp->inet.socket;
	const struct tcp_state_of_net *state = tcp_of(socket->net);

	forget_connection(tcp);
	tcp->state = TCP_CLOSE;
	if (!tcp->port) /* connect to AF_UNSPEC leaves it bound */
		list_init(&tcp->port_link);
	tcp_stream_init(&tcp->stream, 0);
	tcp_timers_init(tcp);
	tcp->ato_us = TCP_DELAYED_ACK_MAX_US;
	tcp->peer_mss = TCP_MSS_DEFAULT;
	tcp->mss = TCP_MSS_DEFAULT;
	if (!socket->receive_buffer_chosen)
		socket->receive_buffer = state->settings.tcp_rmem[1];
	if (!socket->send_buffer_chosen)
		socket->send_buffer = state->settings.tcp_wmem[1];
	tcp_recovery_setup(tcp);
	if (!tcp->congestion.ops)
		tcp_congestion_choose(tcp, state->congestion_control);
}

static bool counts_as_established(uint8_t state)
{
	return state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT;
}

/* The counters of RFC 4022 that follow from a change of state. */
static void count_change(struct net *net, uint8_t from, uint8_t to) NEEDS_NET_LOCK
{
	uint64_t *established = &tcp_of(net)->statistics[TCP_STAT_CURRENT_ESTABLISHED];

	*established += counts_as_established(to);
	*established -= counts_as_established(from);
	if (to == TCP_CLOSE && (from == TCP_SYN_SENT || from == TCP_SYN_RECV))
		tcp_count(net, TCP_STAT_ATTEMPT_FAILS);
	if (to == TCP_CLOSE && counts_as_established(from))
		tcp_count(net, TCP_STAT_ESTABLISHED_RESETS);
	if (to == TCP_SYN_SENT)
		tcp_count(net, TCP_STAT_ACTIVE_OPENS);
}

/* CLOSED: everything is given up but what the process may still read. */
static void give_up_all(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	struct net *net = tcp_net(tcp);

	tcp_timers_stop(tcp);
	tcp_table_remove(tcp);
	tcp_scoreboard_free(tcp);
	tcp_memory_give(net, tcp->stream.charged);
	tcp_stream_free(&tcp->stream);
	tcp_reassembly_free(tcp);
	if (tcp->orphan || !tcp->inet.port_bound)
		tcp_table_unbind(tcp);
	if (tcp->orphan && tcp->counted_orphan)
		tcp_of(net)->orphans--;
	tcp->counted_orphan = false;
	tcp->inet.socket.listening = false;
}

void tcp_set_state(struct tcp_socket *tcp, enum tcp_state state)
{
	struct socket *socket = &tcp->inet.socket;
	uint8_t before = tcp->state;

	if (before == state)
		return;
	if (state == TCP_TIME_WAIT) { /* which is no state of a control block's: tcp_timewait.h */
		tcp_timewait_enter(tcp);
		state = TCP_CLOSE;
	}
	count_change(socket->net, before, state);
	if (before == TCP_CLOSE)
		socket_get(socket);
	if (before == TCP_LISTEN)
		tcp_listen_stop(tcp);
	tcp->state = state;
	if (state != TCP_CLOSE) {
		if (state == TCP_ESTABLISHED)
			socket_wake(socket, POLLOUT | POLLWRNORM);
		return;
	}
	give_up_all(tcp);
	socket_wake(socket, POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
	socket_put(socket);
}

/* RFC 9293 3.6, MUST-12 */
void tcp_fail(struct tcp_socket *tcp, int error)
{
	tcp->inet.socket.error = error;
	tcp->inet.socket.shutdown = SHUTDOWN_RECEIVE | SHUTDOWN_SEND;
	tcp_set_state(tcp, TCP_CLOSE);
}

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

/* ---- OPEN, active: RFC 9293 3.10.1 ---- */

/* RFC 9293 3.7.1, SHLD-5, SHLD-6 */
static void offer_options(struct tcp_socket *tcp, struct tcp_options *options) NEEDS_NET_LOCK
{
	const struct tcp_settings *settings = &tcp_of(tcp_net(tcp))->settings;
	bool answer = tcp->state == TCP_SYN_RECV; /* then only what the peer offered too */

	options->mss = tcp->advertised_mss;
	options->has_window_scale = answer ? tcp->has_wscale : settings->tcp_window_scaling != 0;
	options->window_scale = tcp->rcv_wscale;
	options->sack_permitted = answer ? tcp->has_sack : settings->tcp_sack != 0;
	options->has_timestamps = answer ? tcp->has_timestamps : settings->tcp_timestamps != 0;
	options->ts_value = tcp_timestamp(tcp, net_now(tcp_net(tcp)));
	options->ts_echo = answer ? tcp->ts_recent : 0;
}

/* RFC 3168 6.1.1: asked for once; a SYN that got lost may have been lost for that. */
static uint8_t ecn_flags(const struct tcp_socket *tcp, bool again)
{
	bool ask = tcp_of(tcp_net(tcp))->settings.tcp_ecn == 1 && !again;

	if (tcp->state == TCP_SYN_RECV)
		return tcp->has_ecn ? TCP_ECE : 0;
	return ask ? TCP_ECE | TCP_CWR : 0;
}

/* The SYN, or in SYN_RECV the SYN-ACK. Data of a Fast Open goes with the first. */
static void send_syn(struct tcp_socket *tcp, bool again) NEEDS_NET_LOCK
{
	struct tcp_outgoing outgoing = {
		.seq = tcp->iss,
		.flags = (uint8_t)(TCP_SYN | ecn_flags(tcp, again)),
		.retransmission = again,
	};

	offer_options(tcp, &outgoing.options);
	if (tcp->fastopen_try && !again && tcp->state == TCP_SYN_SENT)
		outgoing.length = MIN(tcp_fastopen_syn(tcp, &outgoing.options),
				      tcp->stream.end - tcp->stream.start);
	if (again)
		tcp_count_extra(tcp_net(tcp), TCP_EXTRA_SYN_RETRANSMITS);
	tcp_transmit(tcp, &outgoing);
	if (outgoing.length && tcp_note_sent(tcp, tcp->iss + 1, tcp->iss + 1 + outgoing.length))
		tcp->snd_nxt = tcp->iss + 1 + outgoing.length;
}

/* RFC 6528; above the last number of a connection in TIME_WAIT between the same ends: RFC 6191. */
static void choose_iss(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	const struct endpoint *local = &tcp->inet.local, *remote = &tcp->inet.remote;

	tcp->iss = tcp_secret_iss(tcp_net(tcp), local, remote);
	if (tcp->reuses_timewait && !seq_after(tcp->iss, tcp->iss_above))
		tcp->iss = tcp->iss_above + UINT16_MAX + 2;
	tcp->reuses_timewait = false;
	tcp->ts_offset = tcp_secret_timestamp_offset(tcp_net(tcp), local, remote);
}

/* Everything that a SYN says and a SYN-ACK answers. */
static void prepare_opening(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	uint32_t window;

	tcp_mtu_setup(tcp);
	tcp_choose_window_scale(tcp_net(tcp), tcp->inet.socket.receive_buffer,
				tcp_of(tcp_net(tcp))->settings.tcp_window_scaling, &window,
				&tcp->rcv_wscale);
	tcp->rcv_nxt = 0;
	tcp->rcv_edge = window;
	tcp->snd_una = tcp->iss;
	tcp->snd_nxt = tcp->iss + 1;
	tcp->snd_wl1 = tcp->snd_wl2 = 0;
	tcp->small_sent = tcp->snd_up = tcp->push_end = tcp->iss;
	tcp_stream_init(&tcp->stream, tcp->iss + 1);
	tcp_recovery_setup(tcp);
}

int tcp_open_active(struct tcp_socket *tcp)
{
	choose_iss(tcp);
	prepare_opening(tcp);
	if (tcp->syn_data) {
		tcp_stream_append(&tcp->stream, tcp->syn_data);
		tcp_memory_force(tcp_net(tcp), tcp->stream.charged);
		tcp->syn_data = NULL;
	}
	tcp->last_receive_us = net_now(tcp_net(tcp));
	tcp_set_state(tcp, TCP_SYN_SENT);
	send_syn(tcp, false);
	tcp_arm(tcp, TCP_TIMER_RTO, net_now(tcp_net(tcp)) + tcp_rto(tcp));
	return 0;
}

void tcp_send_syn_ack(struct tcp_socket *tcp)
{
	send_syn(tcp, false);
	tcp_arm(tcp, TCP_TIMER_RTO, net_now(tcp_net(tcp)) + tcp_rto(tcp));
}

/*
 * RFC 6298 5.5, RFC 9293 3.8.1: the SYN again, after twice the time. RFC 9293 3.8.3, MUST-22,
 * MUST-23.
 */
void tcp_syn_expired(struct tcp_socket *tcp)
{
	uint64_t now_us = net_now(tcp_net(tcp));

	if (!tcp->recovery.first_timeout_us)
		tcp->recovery.first_timeout_us = now_us - tcp_rto(tcp);
	if (tcp_gave_up(tcp))
		return;
	tcp->rtt.backoff++;
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_TIMEOUTS);
	send_syn(tcp, true);
	tcp_arm(tcp, TCP_TIMER_RTO, now_us + tcp_rto(tcp));
}

/* ---- CLOSE: RFC 9293 3.10.4 ---- */

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
	if (!tcp->orphan)
		return;
	if (seconds < 0)
		tcp_abort(tcp, ECONNRESET);
	else
		tcp_arm_end(tcp, net_now(tcp_net(tcp)) + (uint64_t)seconds * USEC_PER_SEC);
}
