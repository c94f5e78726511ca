/* /proc/net/snmp and /proc/net/netstat: a line of names and a line of numbers for each protocol. */
#include "net/ipv4/ipv4_statistics.h"

#include "include/uapi/icmp.h"
#include "kernel/lib/text.h"
#include "net/ipv4/icmp.h"
#include "net/ipv4/ipv4_state.h"
#include "net/ipv4/udp.h"

#define STATISTIC_NAME(name, text) text,
static const char *const ip4_names[] = {IP4_STATISTICS(STATISTIC_NAME)};
static const char *const extra_names[] = {IP4_EXTRA_STATISTICS(STATISTIC_NAME)};
static const char *const udp_names[] = {UDP_STATISTICS(STATISTIC_NAME)};
static const char *const icmp_names[] = {ICMP_STATISTICS(STATISTIC_NAME)};
#undef STATISTIC_NAME

/* The types that have columns of their own in "Icmp:", and their names there behind In and Out. */
static const struct {
	uint8_t type;
	const char *name;
} icmp_columns[] = {
	{ICMP_DEST_UNREACH, "DestUnreachs"},    {ICMP_TIME_EXCEEDED, "TimeExcds"},
	{ICMP_PARAMETERPROB, "ParmProbs"},      {ICMP_SOURCE_QUENCH, "SrcQuenchs"},
	{ICMP_REDIRECT, "Redirects"},           {ICMP_ECHO, "Echos"},
	{ICMP_ECHOREPLY, "EchoReps"},           {ICMP_TIMESTAMP, "Timestamps"},
	{ICMP_TIMESTAMPREPLY, "TimestampReps"}, {ICMP_ADDRESS, "AddrMasks"},
	{ICMP_ADDRESSREPLY, "AddrMaskReps"},
};

static void names(struct text *text, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		text_printf(text, " %s", list[i]);
}

static void numbers(struct text *text, const uint64_t *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		text_printf(text, " %llu", (unsigned long long)list[i]);
}

static void show_ip(struct text *text, const struct ip4_stack *stack)
{
	text_printf(text, "Ip: Forwarding DefaultTTL");
	names(text, ip4_names, IP4_STAT_COUNT);
	text_printf(text, "\nIp: %d %d", stack->settings.ip_forward ? 1 : 2,
		    stack->settings.ip_default_ttl);
	numbers(text, stack->statistics, IP4_STAT_COUNT);
	text_printf(text, "\n");
}

static void icmp_type_names(struct text *text, const char *direction)
{
	for (size_t i = 0; i < ARRAY_SIZE(icmp_columns); i++)
		text_printf(text, " %s%s", direction, icmp_columns[i].name);
}

static void icmp_type_numbers(struct text *text, const uint64_t *by_type)
{
	for (size_t i = 0; i < ARRAY_SIZE(icmp_columns); i++)
		numbers(text, &by_type[icmp_columns[i].type], 1);
}

static void show_icmp(struct text *text, const struct icmp_state *state)
{
	const size_t in = ICMP_STAT_OUT_MESSAGES; /* the counters before it are of input */

	text_printf(text, "Icmp:");
	names(text, icmp_names, in);
	icmp_type_names(text, "In");
	names(text, icmp_names + in, ICMP_STAT_COUNT - in);
	icmp_type_names(text, "Out");
	text_printf(text, "\nIcmp:");
	numbers(text, state->statistics, in);
	icmp_type_numbers(text, state->received);
	numbers(text, state->statistics + in, ICMP_STAT_COUNT - in);
	icmp_type_numbers(text, state->sent);
	text_printf(text, "\n");
}

/* "IcmpMsg:" lists the types that were seen at all, and is left out when there were none. */
static void show_icmp_types(struct text *text, const struct icmp_state *state)
{
	bool any = false;

	for (int type = 0; type < 256; type++)
		any |= state->received[type] || state->sent[type];
	if (!any)
		return;
	text_printf(text, "IcmpMsg:");
	for (int type = 0; type < 256; type++) {
		if (state->received[type])
			text_printf(text, " InType%d", type);
	}
	for (int type = 0; type < 256; type++) {
		if (state->sent[type])
			text_printf(text, " OutType%d", type);
	}
	text_printf(text, "\nIcmpMsg:");
	for (int type = 0; type < 256; type++) {
		if (state->received[type])
			numbers(text, &state->received[type], 1);
	}
	for (int type = 0; type < 256; type++) {
		if (state->sent[type])
			numbers(text, &state->sent[type], 1);
	}
	text_printf(text, "\n");
}

void statistics_show(struct text *text, const char *protocol, const char *const *list,
		     const uint64_t *values, size_t count)
{
	text_printf(text, "%s:", protocol);
	names(text, list, count);
	text_printf(text, "\n%s:", protocol);
	numbers(text, values, count);
	text_printf(text, "\n");
}

void ip4_show_snmp(struct text *text, void *context)
{
	struct net *net = context;

	net_lock(net);
	show_ip(text, ip4_stack(net));
	show_icmp(text, icmp_state(net));
	show_icmp_types(text, icmp_state(net));
	if (ip4_stack(net)->statistics_above)
		ip4_stack(net)->statistics_above->snmp(text, net);
	statistics_show(text, "Udp", udp_names, udp_state(net)->statistics, UDP_STAT_COUNT);
	statistics_show(text, "UdpLite", udp_names, udp_lite_state(net)->statistics,
			UDP_STAT_COUNT);
	net_unlock(net);
}

void ip4_show_netstat(struct text *text, void *context)
{
	struct net *net = context;

	net_lock(net);
	if (ip4_stack(net)->statistics_above)
		ip4_stack(net)->statistics_above->netstat(text, net);
	statistics_show(text, "IpExt", extra_names, ip4_stack(net)->extra, IP4_EXTRA_COUNT);
	net_unlock(net);
}
