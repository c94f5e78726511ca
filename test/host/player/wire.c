/*
 * Segments as IP packets, and back. Written without the stack's own code for headers and options,
 * which is what the scripts test.
 */
#include <string.h>

#include "net/tcp/tcp_wire.h"
#include "test/host/player/private.h"

#define IP_HEADER 20
#define TCP_FIXED 20
#define PROTOCOL_ICMP 1
#define PROTOCOL_TCP 6
#define TTL 64
#define DONT_FRAGMENT 0x4000
#define ICMP_QUOTED 8 /* bytes of the TCP header: RFC 792 */
#define ECN_MASK 3

static void put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
	put16(to, value >> 16);
	put16(to + 2, value);
}

static uint32_t get16(const uint8_t *from)
{
	return (uint32_t)from[0] << 8 | from[1];
}

static uint32_t get32(const uint8_t *from)
{
	return get16(from) << 16 | get16(from + 2);
}

/* RFC 1071: the sum of 16-bit words, folded; 0xffff over a packet whose checksum is right. */
static uint32_t sum16(const uint8_t *bytes, uint32_t length, uint32_t sum)
{
	for (uint32_t i = 0; i + 1 < length; i += 2)
		sum += get16(bytes + i);
	if (length % 2)
		sum += (uint32_t)bytes[length - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* With the pseudo-header (RFC 9293 3.1): both addresses stand at 12 of the IP header. */
static uint32_t sum_tcp(const uint8_t *packet, uint32_t length)
{
	uint32_t sum = sum16(packet + 12, 8, PROTOCOL_TCP + length - IP_HEADER);

	return sum16(packet + IP_HEADER, length - IP_HEADER, sum);
}

/* ---- From the wire ---- */

static int64_t relative(uint32_t number, uint32_t isn)
{
	return (int32_t)(number - isn);
}

/* A SYN echoes nothing (RFC 7323 3.2). */
static void decode_timestamps(struct player *player, struct flow *flow, const uint8_t *data,
			      bool echoes, struct segment_option *option)
{
	int64_t now_ms = player_time_us(player) / (int64_t)USEC_PER_MSEC;

	if (!flow->stack_ts_offset) /* the first one shows the clock as it is now */
		flow->stack_ts_offset = get32(data) - flow_timestamp(player, 0, now_ms);
	flow->ts_recent = get32(data);
	option->count = echoes ? 2 : 1;
	option->numbers[0] = flow_timestamp_ms(player, flow->stack_ts_offset, get32(data));
	option->numbers[1] = flow_timestamp_ms(player, flow->peer_ts_offset, get32(data + 4));
}

static void decode_option(struct player *player, struct flow *flow, const uint8_t *option_bytes,
			  bool echoes, struct segment_option *option)
{
	const uint8_t *data = option_bytes + 2;
	uint8_t length = (uint8_t)(option_bytes[1] - 2);

	option->kind = option_bytes[0];
	switch (option->kind) {
	case OPTION_MSS:
		option->numbers[option->count++] = get16(data);
		break;
	case OPTION_WINDOW_SCALE:
		option->numbers[option->count++] = data[0];
		break;
	case OPTION_SACK:
		for (uint8_t at = 0; at + 4 <= length; at += 4)
			option->numbers[option->count++] = relative(get32(data + at), flow->irs);
		break;
	case OPTION_TIMESTAMPS:
		decode_timestamps(player, flow, data, echoes, option);
		break;
	default:
		memcpy(option->bytes, data, length);
		option->length = length;
		break;
	}
}

static void decode_options(struct player *player, struct flow *flow, const uint8_t *at,
			   const uint8_t *end, struct segment *segment)
{
	while (at < end && *at != OPTION_END) {
		if (*at == OPTION_NOP) {
			at++;
			continue;
		}
		if (end - at < 2 || at[1] < 2 || at[1] > end - at ||
		    segment->option_count == SEGMENT_OPTIONS_MAX)
			player_fail(player, "the stack sent malformed options");
		decode_option(player, flow, at, segment->flags & TCP_ACK,
			      &segment->options[segment->option_count++]);
		at += at[1];
	}
}

static void decode_tcp(struct player *player, struct flow *flow, const uint8_t *tcp,
		       uint32_t length, struct segment *segment)
{
	uint32_t header = (uint32_t)(tcp[12] >> 4) * 4;

	if (header < TCP_FIXED || header > length)
		player_fail(player, "the stack sent a data offset of %u bytes", header);
	segment->flags = tcp[13];
	if (segment->flags & TCP_SYN && (!flow->iss_known || flow->iss != get32(tcp + 4))) {
		flow->iss = get32(tcp + 4);
		flow->iss_known = true;
		flow->stack_next = 0;
	}
	segment->named = NAMED_ALL & ~(segment->flags & TCP_ACK ? 0u : (uint32_t)NAMED_ACK);
	segment->seq = get32(tcp + 4) - flow->iss;
	segment->ack = get32(tcp + 8) - flow->irs;
	segment->urgent = (uint16_t)get16(tcp + 18);
	segment->data = tcp + header;
	segment->length = length - header;
	decode_options(player, flow, tcp + TCP_FIXED, tcp + header, segment);
	bool scaled = !(segment->flags & TCP_SYN) && flow->stack_scale >= 0 &&
		      flow->peer_scale >= 0;

	segment->window = get16(tcp + 14) << (scaled ? flow->stack_scale : 0);
}

struct flow *wire_decode(struct player *player, const uint8_t *bytes, uint32_t length,
			 struct segment *segment)
{
	const uint8_t *tcp = bytes + IP_HEADER;

	memset(segment, 0, sizeof(*segment));
	if (length < IP_HEADER + TCP_FIXED || bytes[9] != PROTOCOL_TCP)
		return NULL;
	if (bytes[0] != 0x45 || get16(bytes + 2) != length)
		player_fail(player, "the stack sent an IP header of another length");
	if (sum16(bytes, IP_HEADER, 0) != UINT16_MAX || sum_tcp(bytes, length) != UINT16_MAX)
		player_fail(player, "the stack sent a wrong checksum");
	struct flow *flow = flow_by_ports(player, (uint16_t)get16(tcp), (uint16_t)get16(tcp + 2));

	if (!flow)
		player_fail(player, "the stack sent a segment from port %u to port %u", get16(tcp),
			    get16(tcp + 2));
	segment->ecn = bytes[1] & ECN_MASK;
	segment->dont_fragment = get16(bytes + 6) & DONT_FRAGMENT;
	decode_tcp(player, flow, tcp, length - IP_HEADER, segment);
	return flow;
}

/* ---- To the wire ---- */

static uint32_t encode_ip(uint8_t *packet, uint32_t length, uint8_t protocol, uint8_t ecn)
{
	memset(packet, 0, IP_HEADER);
	packet[0] = 0x45;
	packet[1] = ecn;
	put16(packet + 2, length);
	put16(packet + 6, DONT_FRAGMENT);
	packet[8] = TTL;
	packet[9] = protocol;
	put32(packet + 12, PLAYER_PEER_ADDRESS);
	put32(packet + 16, PLAYER_STACK_ADDRESS);
	put16(packet + 10, ~sum16(packet, IP_HEADER, 0));
	return length;
}

static uint8_t *encode_timestamps(const struct player *player, const struct flow *flow,
				  const struct segment_option *option, uint8_t *to)
{
	int64_t now_ms = player_time_us(player) / (int64_t)USEC_PER_MSEC;
	uint32_t echo = flow->stack_timestamps ? flow->ts_recent : 0;

	if (option->count > 1)
		echo = flow_timestamp(player, flow->stack_ts_offset, option->numbers[1]);
	put32(to, flow_timestamp(player, flow->peer_ts_offset,
				 option->count ? option->numbers[0] : now_ms));
	put32(to + 4, echo);
	return to + 8;
}

/* The option's data; returns behind them. */
static uint8_t *encode_data(const struct player *player, const struct flow *flow,
			    const struct segment_option *option, uint8_t *to)
{
	const uint8_t *bytes = option->any ? player->cookie : option->bytes;
	uint8_t length = option->any ? player->cookie_length : option->length;

	switch (option->kind) {
	case OPTION_MSS:
		put16(to, (uint32_t)option->numbers[0]);
		return to + 2;
	case OPTION_WINDOW_SCALE:
		*to = (uint8_t)option->numbers[0];
		return to + 1;
	case OPTION_SACK:
		for (uint8_t i = 0; i < option->count; i++, to += 4)
			put32(to, (uint32_t)option->numbers[i] + flow->iss);
		return to;
	case OPTION_TIMESTAMPS:
		return encode_timestamps(player, flow, option, to);
	default:
		memcpy(to, bytes, length);
		return to + length;
	}
}

static uint8_t *encode_option(const struct player *player, const struct flow *flow,
			      const struct segment_option *option, uint8_t *to)
{
	if (option->kind == OPTION_NO_TIMESTAMPS)
		return to;
	if (option->kind == OPTION_RAW) {
		memcpy(to, option->bytes, option->length);
		return to + option->length;
	}
	uint8_t *end = encode_data(player, flow, option, to + 2);

	to[0] = (uint8_t)option->kind;
	to[1] = (uint8_t)(end - to);
	return end;
}

/* RFC 7323 3.2: once agreed on, timestamps are in every segment. */
static void add_timestamps(const struct flow *flow, struct segment *segment)
{
	bool agreed = flow->stack_timestamps && flow->peer_timestamps;

	if (!agreed || segment->flags & (TCP_SYN | TCP_RST) ||
	    segment->option_count == SEGMENT_OPTIONS_MAX ||
	    segment_find_option(segment, OPTION_TIMESTAMPS) ||
	    segment_find_option(segment, OPTION_NO_TIMESTAMPS))
		return;
	segment->options[segment->option_count++] = (struct segment_option){
		.kind = OPTION_TIMESTAMPS};
	segment->named |= NAMED_OPTIONS;
}

/* What a line leaves out stays as it was, or is the next in order. */
static void fill_in(const struct flow *flow, struct segment *segment)
{
	if (!(segment->named & NAMED_SEQ))
		segment->seq = segment->flags & TCP_SYN ? 0 : flow->peer_next;
	if (!(segment->named & NAMED_ACK))
		segment->ack = flow->peer_ack;
	if (!(segment->named & NAMED_WINDOW))
		segment->window = flow->peer_window;
	segment->named |= NAMED_SEQ | NAMED_WINDOW | (segment->flags & TCP_ACK ? NAMED_ACK : 0u);
	add_timestamps(flow, segment);
}

static uint32_t window_field(const struct flow *flow, const struct segment *segment)
{
	bool scaled = !(segment->flags & TCP_SYN) && flow->stack_scale >= 0 &&
		      flow->peer_scale >= 0;

	return MIN(segment->window >> (scaled ? flow->peer_scale : 0), UINT16_MAX);
}

uint32_t wire_encode(struct player *player, struct flow *flow, struct segment *segment,
		     uint8_t *packet)
{
	uint8_t *tcp = packet + IP_HEADER, *at = tcp + TCP_FIXED;

	fill_in(flow, segment);
	for (uint32_t i = 0; i < segment->option_count; i++)
		at = encode_option(player, flow, &segment->options[i], at);
	while ((at - tcp) % 4)
		*at++ = OPTION_NOP;
	uint32_t header = (uint32_t)(at - tcp), length = IP_HEADER + header + segment->length;

	if (header > TCP_HEADER_MAX || length > WIRE_PACKET_MAX)
		player_fail(player, "the options or the data are too long");
	uint32_t first = segment->seq + (segment->flags & TCP_SYN ? 1 : 0);

	for (uint32_t i = 0; i < segment->length; i++)
		at[i] = segment->data ? segment->data[i] : flow_peer_byte(first + i);
	put16(tcp, flow->peer_port);
	put16(tcp + 2, flow->local_port);
	put32(tcp + 4, segment->seq + flow->irs);
	put32(tcp + 8, segment->flags & TCP_ACK ? segment->ack + flow->iss : 0);
	tcp[12] = (uint8_t)(header / 4 << 4);
	tcp[13] = segment->flags;
	put16(tcp + 14, window_field(flow, segment));
	put16(tcp + 16, 0);
	put16(tcp + 18, segment->urgent);
	encode_ip(packet, length, PROTOCOL_TCP, segment->ecn);
	put16(tcp + 16, ~sum_tcp(packet, length));
	return length;
}

/* The error quotes a packet of the stack's: RFC 792, with the next hop's MTU as RFC 1191 has it. */
uint32_t wire_encode_icmp(struct player *player __unused, const struct flow *flow,
			  const struct script_icmp *icmp, uint8_t *packet)
{
	uint8_t *message = packet + IP_HEADER, *quoted = message + 8, *tcp = quoted + IP_HEADER;
	uint32_t length = 8 + IP_HEADER + ICMP_QUOTED;

	memset(message, 0, length);
	message[0] = icmp->type;
	message[1] = icmp->code;
	put16(message + 6, icmp->mtu);
	encode_ip(quoted, IP_HEADER + TCP_FIXED, PROTOCOL_TCP, 0);
	put32(quoted + 12, PLAYER_STACK_ADDRESS);
	put32(quoted + 16, PLAYER_PEER_ADDRESS);
	put16(tcp, flow->local_port);
	put16(tcp + 2, flow->peer_port);
	put32(tcp + 4, icmp->seq + flow->iss);
	put16(message + 2, ~sum16(message, length, 0));
	return encode_ip(packet, IP_HEADER + length, PROTOCOL_ICMP, 0);
}
