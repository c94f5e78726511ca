/* What a script asserts beside packets and results: states, struct tcp_info, counters, poll. */
#include <string.h>

#include "net/tcp/tcp_state.h"
#include "test/host/player/private.h"

/* ---- States, by the names of RFC 9293 3.3.2 ---- */

static const char *const states[] = {
	[TCP_ESTABLISHED] = "ESTABLISHED",
	[TCP_SYN_SENT] = "SYN-SENT",
	[TCP_SYN_RECV] = "SYN-RECEIVED",
	[TCP_FIN_WAIT1] = "FIN-WAIT-1",
	[TCP_FIN_WAIT2] = "FIN-WAIT-2",
	[TCP_TIME_WAIT] = "TIME-WAIT",
	[TCP_CLOSE] = "CLOSED",
	[TCP_CLOSE_WAIT] = "CLOSE-WAIT",
	[TCP_LAST_ACK] = "LAST-ACK",
	[TCP_LISTEN] = "LISTEN",
	[TCP_CLOSING] = "CLOSING",
};

/* Half-open connections and those in TIME-WAIT have no socket. */
static enum tcp_state state_of(struct player *player, const struct flow *flow) NEEDS_NET_LOCK
{
	const struct tcp_state_of_net *tcp = tcp_of(&player->stack.net);
	const struct endpoint local = {.addr = net_addr_ip4(PLAYER_STACK_ADDRESS),
				       .port = flow->local_port};
	const struct endpoint remote = {.addr = net_addr_ip4(PLAYER_PEER_ADDRESS),
					.port = flow->peer_port};
	uint32_t hash = tcp_table_hash(&tcp->table, &local, &remote);
	const struct tcp_socket *connection = tcp_table_find(&tcp->table, hash, &local, &remote);

	if (connection)
		return connection->state;
	if (tcp_timewait_find(&tcp->timewaits, hash, &local, &remote))
		return TCP_TIME_WAIT;
	if (tcp_request_find(&tcp->requests, hash, &local, &remote))
		return TCP_SYN_RECV;
	return flow->socket ? tcp_socket(flow->socket)->state : TCP_CLOSE;
}

static void check_state(struct player *player, const struct command *command, struct flow *flow)
{
	const char *expected = command_word(player, command, 0);
	struct net *net = &player->stack.net;

	net_lock(net);
	enum tcp_state state = state_of(player, flow);

	net_unlock(net);
	if (strcmp(states[state], expected) != 0)
		player_fail(player, "the state is %s, not %s", states[state], expected);
}

/* ---- Comparing: NAME OPERATOR NUMBER ... ---- */

static bool holds(struct player *player, int64_t value, const char *operator, int64_t number)
{
	if (strcmp(operator, "=") == 0)
		return value == number;
	if (strcmp(operator, "!=") == 0)
		return value != number;
	if (strcmp(operator, "<") == 0)
		return value < number;
	if (strcmp(operator, ">") == 0)
		return value > number;
	if (strcmp(operator, "<=") == 0)
		return value <= number;
	if (strcmp(operator, ">=") == 0)
		return value >= number;
	player_fail(player, "%s compares nothing", operator);
}

static void compare(struct player *player, const struct command *command, int64_t value,
		    int64_t number)
{
	const char *name = command_word(player, command, 0);

	if (!holds(player, value, command_word(player, command, 1), number))
		player_fail(player, "%s is %lld", name, (long long)value);
}

/* ---- struct tcp_info ---- */

#define FIELD(name)                                                          \
	{                                                                    \
#name, offsetof(struct tcp_info, tcpi_##name),               \
			sizeof(((const struct tcp_info *)NULL)->tcpi_##name) \
	}

static const struct field {
	const char *name;
	size_t offset, size;
} fields[] = {
	FIELD(ca_state),
	FIELD(retransmits),
	FIELD(probes),
	FIELD(backoff),
	FIELD(options),
	FIELD(rto),
	FIELD(ato),
	FIELD(snd_mss),
	FIELD(rcv_mss),
	FIELD(unacked),
	FIELD(sacked),
	FIELD(lost),
	FIELD(retrans),
	FIELD(pmtu),
	FIELD(rcv_ssthresh),
	FIELD(rtt),
	FIELD(rttvar),
	FIELD(snd_ssthresh),
	FIELD(snd_cwnd),
	FIELD(advmss),
	FIELD(reordering),
	FIELD(rcv_rtt),
	FIELD(rcv_space),
	FIELD(total_retrans),
	FIELD(bytes_acked),
	FIELD(bytes_received),
	FIELD(segs_out),
	FIELD(segs_in),
	FIELD(notsent_bytes),
	FIELD(min_rtt),
	FIELD(data_segs_in),
	FIELD(data_segs_out),
	FIELD(delivery_rate),
	FIELD(delivered),
	FIELD(delivered_ce),
	FIELD(bytes_sent),
	FIELD(bytes_retrans),
	FIELD(dsack_dups),
	FIELD(reord_seen),
	FIELD(rcv_ooopack),
	FIELD(snd_wnd),
	FIELD(last_data_sent),
	FIELD(last_data_recv),
	FIELD(last_ack_recv),
};

static int64_t field_of(struct player *player, const struct tcp_info *info, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		uint64_t value = 0;

		if (strcmp(fields[i].name, name) != 0)
			continue;
		memcpy(&value, (const uint8_t *)info + fields[i].offset, fields[i].size);
		return (int64_t)value;
	}
	player_fail(player, "struct tcp_info has no tcpi_%s", name);
}

/* tcpi_ca_state is written by name. */
static int64_t info_number(struct player *player, const struct value *value)
{
	static const char *const names[] = {"Open", "Disorder", "CWR", "Recovery", "Loss"};

	if (value->kind == VALUE_NUMBER)
		return value->number;
	for (size_t i = 0; i < ARRAY_SIZE(names) && value->kind == VALUE_WORD; i++) {
		if (strcmp(names[i], value->text) == 0)
			return (int64_t)i;
	}
	player_fail(player, "this is no number");
}

static void check_info(struct player *player, const struct command *command, struct flow *flow)
{
	struct tcp_info info;
	uint32_t length = sizeof(info);

	if (!flow->socket || socket_getsockopt(flow->socket, SOL_TCP, TCP_INFO, &info, &length))
		player_fail(player, "there is no socket to ask");
	compare(player, command, field_of(player, &info, command_word(player, command, 0)),
		info_number(player, &command->arguments[2]));
}

/* ---- Counters of /proc/net/snmp and netstat, from the script's beginning ---- */

#define STATISTIC_NAME(name, text) text,
static const char *const names[] = {TCP_STATISTICS(STATISTIC_NAME)};
static const char *const extra_names[] = {TCP_EXTRA_STATISTICS(STATISTIC_NAME)};
#undef STATISTIC_NAME

static uint64_t counter_of(struct player *player, const char *name) NEEDS_NET_LOCK
{
	const struct tcp_state_of_net *tcp = tcp_of(&player->stack.net);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], name) == 0)
			return tcp->statistics[i] - player->counts_before[i];
	}
	for (size_t i = 0; i < ARRAY_SIZE(extra_names); i++) {
		if (strcmp(extra_names[i], name) == 0)
			return tcp->extra[i] - player->extra_before[i];
	}
	return UINT64_MAX;
}

static void check_count(struct player *player, const struct command *command,
			struct flow *flow __unused)
{
	struct net *net = &player->stack.net;
	const char *name = command_word(player, command, 0);

	net_lock(net);
	uint64_t value = counter_of(player, name);

	net_unlock(net);
	if (value == UINT64_MAX)
		player_fail(player, "there is no counter %s", name);
	compare(player, command, (int64_t)value, command_number(player, command, 2));
}

/* ---- poll: exactly these ---- */

static void check_poll(struct player *player, const struct command *command, struct flow *flow)
{
	const uint32_t shown = POLLIN | POLLOUT | POLLPRI | POLLERR | POLLHUP | POLLRDHUP;
	uint32_t expected = 0;

	for (uint32_t i = 0; i < command->argument_count; i++)
		expected |= (uint32_t)name_of_flag(command_word(player, command, i));
	if (!flow->socket)
		player_fail(player, "there is no socket to ask");
	uint32_t ready = socket_poll(flow->socket, NULL) & shown;

	if (ready != expected)
		player_fail(player, "poll says%s%s%s%s%s%s", ready & POLLIN ? " POLLIN" : "",
			    ready & POLLOUT ? " POLLOUT" : "", ready & POLLPRI ? " POLLPRI" : "",
			    ready & POLLERR ? " POLLERR" : "", ready & POLLHUP ? " POLLHUP" : "",
			    ready & POLLRDHUP ? " POLLRDHUP" : "");
}

bool checks_play(struct player *player, const struct command *command, struct flow *flow)
{
	if (strcmp(command->word, "state") == 0)
		check_state(player, command, flow);
	else if (strcmp(command->word, "info") == 0)
		check_info(player, command, flow);
	else if (strcmp(command->word, "count") == 0)
		check_count(player, command, flow);
	else if (strcmp(command->word, "poll") == 0)
		check_poll(player, command, flow);
	else
		return false;
	return true;
}
