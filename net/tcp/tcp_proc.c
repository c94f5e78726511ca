/*
 * /proc/net/tcp in Linux's format, TCP's lines of /proc/net/{snmp,netstat}, and the tunables under
 * /proc/sys/net/ipv4.
 */
#include "kernel/errno.h"
#include "kernel/fs/procfs.h"
#include "kernel/string.h"
#include "net/ipv4/ipv4_state.h"
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_state.h"

#define LINE_WIDTH 149           /* without the newline */
#define TICKS_PER_SECOND 100     /* USER_HZ, in which Linux shows timers */
#define RTO_ALGORITHM 1          /* RFC 4022: other(1) */
#define MAXIMUM_CONNECTIONS "-1" /* no fixed limit */

#define STATISTIC_NAME(name, text) text,
static const char *const names[] = {TCP_STATISTICS(STATISTIC_NAME)};
static const char *const extra_names[] = {TCP_EXTRA_STATISTICS(STATISTIC_NAME)};
#undef STATISTIC_NAME

/* The number that column "tr" shows for what a timer waits for. */
enum shown_timer { SHOWN_NONE, SHOWN_RETRANSMIT, SHOWN_KEEPALIVE, SHOWN_TIME_WAIT, SHOWN_PROBE };

/* One line's numbers. */
struct line {
	const struct endpoint *local, *remote;
	uint8_t state;
	uint32_t send_queue, receive_queue; /* bytes */
	enum shown_timer timer;
	uint64_t due_us; /* 0: no timer */
	uint32_t retransmits, uid, probes;
	uint64_t inode;
	uint32_t references;
};

struct listing {
	struct text *text;
	uint64_t now_us;
	uint32_t slot;
};

/* The bytes of the wire read as a little-endian number. */
static uint32_t shown(const struct endpoint *endpoint)
{
	return endpoint->addr.family == AF_INET ? __builtin_bswap32(endpoint->addr.v4) : 0;
}

static unsigned long ticks_until(uint64_t due_us, uint64_t now_us)
{
	return due_us > now_us ? (due_us - now_us) * TICKS_PER_SECOND / USEC_PER_SEC : 0;
}

static void show_line(struct listing *listing, const struct line *line)
{
	struct text *text = listing->text;
	size_t before = text->length;

	text_printf(text, "%4u: %08X:%04X %08X:%04X %02X %08X:%08X %02X:%08lX %08X %5u %8u %lu %u",
		    listing->slot++, shown(line->local), line->local->port, shown(line->remote),
		    line->remote->port, line->state, line->send_queue, line->receive_queue,
		    line->timer, ticks_until(line->due_us, listing->now_us), line->retransmits,
		    line->uid, line->probes, (unsigned long)line->inode, line->references);

	size_t width = text->length - before;

	text_printf(text, "%*s\n", width < LINE_WIDTH ? (int)(LINE_WIDTH - width) : 0, "");
}

static enum shown_timer shown_timer(const struct tcp_socket *tcp, uint64_t *due_us)
{
	if (timer_armed(&tcp->retransmit)) {
		*due_us = tcp->retransmit.when_us;
		return tcp->timer_kind == TCP_TIMER_PERSIST ? SHOWN_PROBE : SHOWN_RETRANSMIT;
	}
	if (timer_armed(&tcp->idle)) {
		*due_us = tcp->idle.when_us;
		return SHOWN_KEEPALIVE;
	}
	*due_us = 0;
	return SHOWN_NONE;
}

static void show_socket(struct listing *listing, const struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	const struct socket *socket = &tcp->inet.socket;
	bool listening = tcp->state == TCP_LISTEN;
	struct line line = {
		.local = &tcp->inet.local,
		.remote = &tcp->inet.remote,
		.state = tcp->state,
		.send_queue = listening ? 0 : tcp->stream.end - tcp->snd_una,
		.receive_queue = listening ? tcp->listen->accept_length : tcp_readable(tcp),
		.retransmits = tcp->rtt.backoff,
		.uid = socket->uid,
		.probes = tcp->probes_sent,
		.inode = tcp->orphan ? 0 : socket->inode_number,
		.references = socket->references,
	};

	line.timer = shown_timer(tcp, &line.due_us);
	show_line(listing, &line);
}

static void show_listeners(struct listing *listing, const struct tcp_table *table) NEEDS_NET_LOCK
{
	struct tcp_port *port;

	hash_table_for_each_safe(port, &table->ports, node) {
		const struct tcp_socket *tcp;

		list_for_each_entry(tcp, &port->sockets, port_link) {
			if (tcp->state == TCP_LISTEN)
				show_socket(listing, tcp);
		}
	}
}

static void show_requests(struct listing *listing,
			  const struct tcp_requests *requests) NEEDS_NET_LOCK
{
	const struct tcp_request *request;

	hash_table_for_each_safe(request, &requests->table, node) {
		show_line(listing, &(struct line){
					   .local = &request->local,
					   .remote = &request->remote,
					   .state = TCP_SYN_RECV,
					   .timer = SHOWN_RETRANSMIT,
					   .due_us = request->due_us,
					   .retransmits = request->retries,
				   });
	}
}

static void show_timewaits(struct listing *listing,
			   const struct tcp_timewaits *timewaits) NEEDS_NET_LOCK
{
	const struct tcp_timewait *timewait;

	hash_table_for_each_safe(timewait, &timewaits->table, node) {
		show_line(listing, &(struct line){
					   .local = &timewait->local,
					   .remote = &timewait->remote,
					   .state = TCP_TIME_WAIT,
					   .timer = SHOWN_TIME_WAIT,
					   .due_us = timewait->due_us,
				   });
	}
}

static void show_sockets(struct text *text, void *context)
{
	struct net *net = context;
	struct tcp_state_of_net *state = tcp_of(net);
	struct listing listing = {.text = text, .now_us = net_now(net)};
	const struct tcp_socket *tcp;

	text_printf(text, "%-*s\n", LINE_WIDTH,
		    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt"
		    "   uid  timeout inode");
	net_lock(net);
	show_listeners(&listing, &state->table);
	hash_table_for_each_safe(tcp, &state->table.connections, inet.node)
		show_socket(&listing, tcp);
	show_requests(&listing, &state->requests);
	show_timewaits(&listing, &state->timewaits);
	net_unlock(net);
}

static void show_snmp(struct text *text, struct net *net) NEEDS_NET_LOCK
{
	const uint64_t *values = tcp_of(net)->statistics;

	text_printf(text, "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn");
	for (size_t i = 0; i < TCP_STAT_COUNT; i++)
		text_printf(text, " %s", names[i]);
	text_printf(text, "\nTcp: %d %llu %llu " MAXIMUM_CONNECTIONS, RTO_ALGORITHM,
		    (unsigned long long)(TCP_RTO_MIN_US / USEC_PER_MSEC),
		    (unsigned long long)(TCP_RTO_MAX_US / USEC_PER_MSEC));
	for (size_t i = 0; i < TCP_STAT_COUNT; i++)
		text_printf(text, " %llu", (unsigned long long)values[i]);
	text_printf(text, "\n");
}

static void show_netstat(struct text *text, struct net *net) NEEDS_NET_LOCK
{
	statistics_show(text, "TcpExt", extra_names, tcp_of(net)->extra, TCP_EXTRA_COUNT);
}

static const struct ip4_statistics_above statistics = {
	.snmp = show_snmp,
	.netstat = show_netstat,
};

#define SETTING(name, min, max)                                                \
	{                                                                      \
#name, offsetof(struct tcp_settings, name),                    \
			sizeof(((struct tcp_settings *)0)->name) / 4, min, max \
	}

static const struct {
	const char *name;
	size_t offset;
	uint32_t count;
	int32_t min, max;
} settings_files[] = {
	SETTING(tcp_rmem, 1, INT32_MAX),
	SETTING(tcp_wmem, 1, INT32_MAX),
	SETTING(tcp_mem, 1, INT32_MAX),
	SETTING(tcp_window_scaling, 0, 1),
	SETTING(tcp_timestamps, 0, 2),
	SETTING(tcp_sack, 0, 1),
	SETTING(tcp_dsack, 0, 1),
	SETTING(tcp_ecn, 0, 2),
	SETTING(tcp_syncookies, 0, 2),
	SETTING(tcp_max_syn_backlog, 1, 1 << 20),
	SETTING(tcp_synack_retries, 0, TCP_REQUEST_RETRIES),
	SETTING(tcp_syn_retries, 1, 127),
	SETTING(tcp_retries1, 0, 255),
	SETTING(tcp_retries2, 0, 255),
	SETTING(tcp_orphan_retries, 0, 255),
	SETTING(tcp_max_orphans, 0, INT32_MAX),
	SETTING(tcp_fin_timeout, 0, 3600),
	SETTING(tcp_keepalive_time, 1, 32767),
	SETTING(tcp_keepalive_intvl, 1, 32767),
	SETTING(tcp_keepalive_probes, 1, 127),
	SETTING(tcp_max_tw_buckets, 0, INT32_MAX),
	SETTING(tcp_tw_reuse, 0, 2),
	SETTING(tcp_rfc1337, 0, 1),
	SETTING(tcp_fastopen, 0, INT32_MAX),
	SETTING(tcp_slow_start_after_idle, 0, 1),
	SETTING(tcp_moderate_rcvbuf, 0, 1),
	SETTING(tcp_mtu_probing, 0, 2),
	SETTING(tcp_base_mss, TCP_MSS_FLOOR, 65495),
	SETTING(tcp_challenge_ack_limit, 0, INT32_MAX),
	SETTING(tcp_invalid_ratelimit, 0, 3600 * 1000),
	SETTING(tcp_min_tso_segs, 1, 255),
	SETTING(tcp_notsent_lowat, 0, INT32_MAX),
	SETTING(tcp_frto, 0, 2),
	SETTING(tcp_recovery, 0, 7),
	SETTING(tcp_early_retrans, 0, 4),
	SETTING(tcp_reordering, 3, 300),
	SETTING(tcp_max_reordering, 3, 1000),
	SETTING(tcp_abort_on_overflow, 0, 1),
};

static int register_settings(struct tcp_settings *settings)
{
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(settings_files); i++) {
		int32_t *values = (int32_t *)((char *)settings + settings_files[i].offset);

		snprintf(path, sizeof(path), "sys/net/ipv4/%s", settings_files[i].name);
		if (proc_register_numbers(path, values, settings_files[i].count,
					  settings_files[i].min, settings_files[i].max))
			return -ENOMEM;
	}
	return 0;
}

static void show_congestion_control(struct text *text, void *net)
{
	text_printf(text, "%s\n", tcp_of(net)->congestion_control->name);
}

static int store_congestion_control(const char *name, void *net)
{
	const struct tcp_congestion_ops *ops = tcp_congestion_find(name);

	if (!ops)
		return -ENOENT;
	tcp_of(net)->congestion_control = ops;
	return 0;
}

static void show_available(struct text *text, void *net __unused)
{
	char list[64];

	tcp_congestion_names(list, sizeof(list));
	text_printf(text, "%s\n", list);
}

int tcp_proc_init(struct net *net)
{
	net_lock(net);
	ip4_stack(net)->statistics_above = &statistics;
	net_unlock(net);
	if (proc_register("net/tcp", show_sockets, net) ||
	    proc_register_writable("sys/net/ipv4/tcp_congestion_control", show_congestion_control,
				   store_congestion_control, net) ||
	    proc_register("sys/net/ipv4/tcp_available_congestion_control", show_available, net) ||
	    tcp_fastopen_proc_init(net))
		return -ENOMEM;
	return register_settings(&tcp_of(net)->settings);
}
