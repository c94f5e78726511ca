/* The connections of a script: ports, numbers, and what the peer remembers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/clock.h"
#include "net/tcp/tcp_secret.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_wire.h"
#include "test/host/player/private.h"
#include "test/host/services/host.h"

#define CLIENT_PORT 40000 /* of the first flow; the next ones follow */
#define ISN_WRAP 0xffffff00
#define ISN_PEER 0x30000000
#define TIMESTAMP_PEER 1000000 /* at the script's zero */
#define ISS_TICK_US 4          /* RFC 9293 3.4.1: the ISN's clock */
#define PATTERN_PRIME 251

struct flow *flow_find(struct player *player, const char *name)
{
	for (uint32_t i = 0; i < player->flow_count; i++) {
		if (strcmp(player->flows[i].name, name) == 0)
			return &player->flows[i];
	}
	if (player->flow_count == PLAYER_FLOWS_MAX)
		player_fail(player, "too many connections");
	struct flow *flow = &player->flows[player->flow_count++];

	snprintf(flow->name, sizeof(flow->name), "%s", name);
	flow->stack_scale = flow->peer_scale = -1;
	flow->peer_window = UINT16_MAX;
	flow->read_next = 1;
	return flow;
}

struct flow *flow_by_ports(struct player *player, uint16_t local_port, uint16_t peer_port)
{
	for (uint32_t i = 0; i < player->flow_count; i++) {
		struct flow *flow = &player->flows[i];

		if (flow->local_port == local_port && flow->peer_port == peer_port)
			return flow;
	}
	return NULL;
}

uint8_t flow_stack_byte(uint32_t seq)
{
	return (uint8_t)('a' + seq % 26);
}

uint8_t flow_peer_byte(uint32_t seq)
{
	return (uint8_t)(seq % PATTERN_PRIME);
}

/* ---- ISNs ---- */

/*
 * The stack's ISN is a hash of both ends plus a clock (RFC 6528 3), so each number has its moment:
 * the clock is put forward to it, by less than five hours.
 */
static void choose_isn(struct player *player, const struct flow *flow, uint32_t wanted)
{
	struct net *net = &player->stack.net;
	const struct endpoint local = {.addr = net_addr_ip4(PLAYER_STACK_ADDRESS),
				       .port = flow->local_port};
	const struct endpoint remote = {.addr = net_addr_ip4(PLAYER_PEER_ADDRESS),
					.port = flow->peer_port};

	net_lock(net);
	uint32_t ticks = wanted - tcp_secret_iss(net, &local, &remote);

	net_unlock(net);
	uint64_t ahead_us = (uint64_t)ticks * ISS_TICK_US;

	player->zero_us += ahead_us;
	host_clock_advance_to(clock_now_us() + ahead_us);
}

void flow_open(struct player *player, struct flow *flow, bool active)
{
	if (flow->local_port)
		return;
	uint16_t client = (uint16_t)(CLIENT_PORT + (flow - player->flows));

	flow->local_port = active ? client : PLAYER_SERVER_PORT;
	flow->peer_port = active ? PLAYER_SERVER_PORT : client;
	flow->irs = player->wrap ? ISN_WRAP : ISN_PEER;
	flow->irs_known = true;
	if (!player->numbers_chosen && (player->wrap || player->isn_wanted))
		choose_isn(player, flow, player->isn_wanted ? player->isn : ISN_WRAP);
	player->numbers_chosen = true;
	flow->peer_ts_offset = (player->wrap ? ISN_WRAP : TIMESTAMP_PEER) -
			       (uint32_t)(player->zero_us / USEC_PER_MSEC);
}

/* ---- Timestamps ---- */

static int64_t clock_ms(const struct player *player, int64_t ms)
{
	return (int64_t)(player->zero_us / USEC_PER_MSEC) + ms;
}

uint32_t flow_timestamp(const struct player *player, uint32_t offset, int64_t ms)
{
	return (uint32_t)clock_ms(player, ms) + offset;
}

int64_t flow_timestamp_ms(const struct player *player, uint32_t offset, uint32_t timestamp)
{
	return (int32_t)(timestamp - offset - (uint32_t)clock_ms(player, 0));
}

/* ---- What the peer remembers ---- */

static void learn_syn(struct flow *flow, const struct segment *segment, bool stack)
{
	const struct segment_option *scale = segment_find_option(segment, OPTION_WINDOW_SCALE);
	bool timestamps = segment_find_option(segment, OPTION_TIMESTAMPS);
	int shift = scale ? (int)MIN(scale->numbers[0], TCP_WINDOW_SCALE_MAX) : -1;

	*(stack ? &flow->stack_scale : &flow->peer_scale) = shift;
	*(stack ? &flow->stack_timestamps : &flow->peer_timestamps) = timestamps;
}

static uint32_t end_of(const struct segment *segment)
{
	return segment->seq + segment->length + (segment->flags & TCP_SYN ? 1 : 0) +
	       (segment->flags & TCP_FIN ? 1 : 0);
}

void flow_note_sent(struct player *player, struct flow *flow, const struct segment *segment)
{
	const struct segment_option *cookie = segment_find_option(segment, OPTION_FASTOPEN);

	if (segment->flags & TCP_SYN)
		learn_syn(flow, segment, true);
	if (cookie && cookie->length) {
		memcpy(player->cookie, cookie->bytes, cookie->length);
		player->cookie_length = cookie->length;
	}
	if (!(segment->flags & TCP_RST) && seq_after(end_of(segment), flow->stack_next))
		flow->stack_next = end_of(segment);
}

void flow_note_injected(struct flow *flow, const struct segment *segment)
{
	if (segment->flags & TCP_SYN)
		learn_syn(flow, segment, false);
	if (!(segment->flags & TCP_RST) && seq_after(end_of(segment), flow->peer_next))
		flow->peer_next = end_of(segment);
	if (segment->flags & TCP_ACK)
		flow->peer_ack = segment->ack;
	flow->peer_window = segment->window;
	flow->peer_spoke_text |= segment->data != NULL;
}
