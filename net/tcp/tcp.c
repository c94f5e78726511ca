/*
 * The stack's TCP, and a control block's life: its defaults, and the one place where states change
 * (RFC 9293 3.3.2).
 */
#include "net/tcp/tcp.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page.h"
#include "kernel/string.h"
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_state.h"

/* One of kmalloc's sizes: with its file and its places in tables, 2 KiB while it is idle. */
_Static_assert(sizeof(struct tcp_socket) <= 1792, "an idle connection is to cost 2 KiB in all");

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
	.tcp_syn_retries =
		7, /* Linux has 6: 127 s. RFC 9293 3.8.3, MUST-23: three minutes at least */
	.tcp_retries1 = 3,
	.tcp_retries2 = 15,
	.tcp_max_orphans = 8192,
	.tcp_fin_timeout = 60,
	.tcp_keepalive_time = 7200,
	.tcp_keepalive_intvl = 75,
	.tcp_keepalive_probes = 9,
	.tcp_max_tw_buckets = 65536,
	.tcp_tw_reuse = 2,
	.tcp_rfc1337 = 1,
	.tcp_fastopen = 1,
	.tcp_min_tso_segs = 2,
	.tcp_slow_start_after_idle = 1,
	.tcp_moderate_rcvbuf = 1,
	.tcp_adv_win_scale = 1,
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
	tcp_output_init(state);
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
	tcp_page_close(&state->open_page);
	tcp_output_stop(state);
	list_remove(&state->kind.link);
	net->state[NET_STATE_TCP] = NULL;
	net_unlock(net);
	kfree(state);
}

/* ---- A control block's ---- */

/* What a connection leaves behind in its control block: connect to AF_UNSPEC begins anew. */
static void forget_connection(struct tcp_socket *tcp)
{
	tcp->fin_queued = tcp->fin_received = tcp->connecting = false;
	tcp->no_space = false;
	tcp->more = tcp->urgent_out = tcp->dsack_due = false;
	tcp->ack_now = tcp->ack_pending = tcp->interactive = false;
	tcp->has_wscale = tcp->has_sack = tcp->has_timestamps = tcp->has_ecn = false;
	tcp->ecn_echo = tcp->ecn_cwr = tcp->ecn_seen = false;
	tcp->iss = tcp->snd_una = tcp->snd_nxt = tcp->snd_wnd = tcp->snd_wnd_max = 0;
	tcp->push_end = tcp->small_sent = tcp->snd_up = 0;
	tcp->irs = tcp->rcv_nxt = tcp->rcv_edge = tcp->copied_seq = tcp->rcv_up = 0;
	tcp->urgent_state = TCP_URGENT_NONE;
	tcp->told_closed = false;
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
	list_init(&tcp->output_due);
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
	list_remove(&tcp->output_due);
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
		if (state == TCP_ESTABLISHED) {
			tcp->count.established_us = net_batch_time(socket->net);
			tcp->count.delivered++; /* our SYN */
			socket_wake(socket, POLLOUT | POLLWRNORM);
		}
		return;
	}
	give_up_all(tcp);
	socket_wake(socket, POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
	socket_put(socket);
}
