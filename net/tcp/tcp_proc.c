/*
 * /proc/net/tcp in Linux's format, TCP's lines of /proc/net/{snmp,netstat}, and the tunables under
 * /proc/sys/net/ipv4.
 */
#include "kernel/errno.h"
#include "kernel/procfs/procfs.h"
#include "kernel/string.h"
#include "net/ipv4/ipv4_state.h"
#include "net/tcp/tcp_congestion.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_state.h"
#include "net/tcp/tcp_view.h"

#define LINE_WIDTH 149           /* without the newline */
#define TICKS_PER_SECOND 100     /* USER_HZ, in which Linux shows timers */
#define RTO_ALGORITHM 1          /* RFC 4022: other(1) */
#define MAXIMUM_CONNECTIONS "-1" /* no fixed limit */

#define STATISTIC_NAME(name, text) text,
static const char *const names[] = {TCP_STATISTICS(STATISTIC_NAME)};
static const char *const extra_names[] = {TCP_EXTRA_STATISTICS(STATISTIC_NAME)};
#undef STATISTIC_NAME

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

/* A listener's backlog is no queue of bytes, and not shown. */
static void show_line(struct listing *listing, const struct tcp_view *view)
{
	struct text *text = listing->text;
	size_t before = text->length;

	text_printf(text, "%4u: %08X:%04X %08X:%04X %02X %08X:%08X %02X:%08lX %08X %5u %8u %lu %u",
		    listing->slot++, shown(view->local), view->local->port, shown(view->remote),
		    view->remote->port, view->state,
		    view->state == TCP_LISTEN ? 0 : view->send_queue, view->receive_queue,
		    view->timer, ticks_until(view->due_us, listing->now_us), view->retransmits,
		    view->uid, view->probes, (unsigned long)view->inode, view->references);

	size_t width = text->length - before;

	text_printf(text, "%*s\n", width < LINE_WIDTH ? (int)(LINE_WIDTH - width) : 0, "");
}

static void show_sockets(struct text *text, void *context)
{
	struct net *net = context;
	struct listing listing = {.text = text, .now_us = net_now(net)};
	struct tcp_view_cursor cursor = {0};
	struct tcp_view view;

	text_printf(text, "%-*s\n", LINE_WIDTH,
		    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt"
		    "   uid  timeout inode");
	net_lock(net);
	while (tcp_view_next(net, &cursor, &view))
		show_line(&listing, &view);
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

/* Sockets that have a port and listen; struct tcp_port is the table's entry. */
static uint32_t count_listeners(const struct tcp_table *table) NEEDS_NET_LOCK
{
	struct tcp_port *port;
	uint32_t count = 0;

	hash_table_for_each_safe(port, &table->ports, node)
		count += port->listeners.count;
	return count;
}

/* proc(5): in use, without a file, in TIME_WAIT, sockets in all; what they hold, in pages. */
static void show_sockstat(struct text *text, struct net *net) NEEDS_NET_LOCK
{
	const struct tcp_state_of_net *state = tcp_of(net);
	uint32_t in_use = state->table.connections.count + count_listeners(&state->table);

	text_printf(text, "TCP: inuse %u orphan %u tw %u alloc %u mem %llu\n", in_use,
		    state->orphans, state->timewaits.count,
		    __atomic_load_n(&state->sockets, __ATOMIC_RELAXED),
		    (unsigned long long)(ALIGN_UP(state->memory_used, PAGE_SIZE) / PAGE_SIZE));
}

static const struct ip4_statistics_above statistics = {
	.snmp = show_snmp,
	.netstat = show_netstat,
	.sockstat = show_sockstat,
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
	SETTING(tcp_adv_win_scale, 1, 1),
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
