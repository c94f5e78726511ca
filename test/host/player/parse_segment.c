/* A segment as a line writes it: 1:1001 PSH ACK 1 win 65535 <sack 2001:3001, ts 40 10> */
#include <stdlib.h>
#include <string.h>

#include "net/tcp/tcp_wire.h"
#include "test/host/player/parser.h"

#define ANY_NUMBER UINT32_MAX

/* ---- Options: <mss 1000, sackOK, ts, wscale 7> ---- */

static struct segment_option *add_option(struct parser *parser, struct segment *segment,
					 uint16_t kind)
{
	if (segment->option_count == SEGMENT_OPTIONS_MAX)
		parser_refuse(parser, "too many options");
	struct segment_option *option = &segment->options[segment->option_count++];

	option->kind = kind;
	return option;
}

static void add_number(struct parser *parser, struct segment_option *option, int64_t number)
{
	if (option->count == SEGMENT_OPTION_NUMBERS)
		parser_refuse(parser, "too many numbers for one option");
	option->numbers[option->count++] = number;
}

/* 0x0102: two bytes. */
static void parse_bytes(struct parser *parser, struct segment_option *option)
{
	const char *digits = parser_keep(parser);

	if (strncmp(digits, "0x", 2) != 0 || strlen(digits) % 2)
		parser_refuse(parser, "bytes are written as 0x and two digits for each");
	for (digits += 2; *digits; digits += 2) {
		const char byte[] = {digits[0], digits[1], '\0'};

		if (option->length == SEGMENT_OPTION_BYTES)
			parser_refuse(parser, "too many bytes for one option");
		option->bytes[option->length++] = (uint8_t)strtoul(byte, NULL, 16);
	}
}

static void parse_sack(struct parser *parser, struct segment_option *option)
{
	while (parser_token(parser)->kind == TOKEN_NUMBER) {
		add_number(parser, option, parser_number(parser, INT32_MIN, ANY_NUMBER));
		parser_expect(parser, ":");
		add_number(parser, option, parser_number(parser, INT32_MIN, ANY_NUMBER));
	}
}

/* `ts`: whatever it says; `ts 100 40`: value and echo; `ts 100 *` */
static void parse_timestamps(struct parser *parser, struct segment_option *option)
{
	option->any = parser_token(parser)->kind != TOKEN_NUMBER;
	if (option->any)
		return;
	add_number(parser, option, parser_number(parser, INT32_MIN, ANY_NUMBER));
	if (!parser_accept(parser, "*"))
		add_number(parser, option, parser_number(parser, INT32_MIN, ANY_NUMBER));
}

/* `fastopen` asks for a cookie; `fastopen cookie` is the one that the stack told last. */
static void parse_fastopen(struct parser *parser, struct segment_option *option)
{
	option->any = parser_accept(parser, "cookie");
	if (parser_token(parser)->kind == TOKEN_NUMBER)
		parse_bytes(parser, option);
}

static void parse_option(struct parser *parser, struct segment *segment)
{
	if (parser_accept(parser, "mss"))
		add_number(parser, add_option(parser, segment, OPTION_MSS),
			   parser_number(parser, 0, UINT16_MAX));
	else if (parser_accept(parser, "wscale"))
		add_number(parser, add_option(parser, segment, OPTION_WINDOW_SCALE),
			   parser_number(parser, 0, UINT8_MAX));
	else if (parser_accept(parser, "sackOK"))
		add_option(parser, segment, OPTION_SACK_PERMITTED);
	else if (parser_accept(parser, "sack"))
		parse_sack(parser, add_option(parser, segment, OPTION_SACK));
	else if (parser_accept(parser, "ts"))
		parse_timestamps(parser, add_option(parser, segment, OPTION_TIMESTAMPS));
	else if (parser_accept(parser, "no-ts"))
		add_option(parser, segment, OPTION_NO_TIMESTAMPS);
	else if (parser_accept(parser, "fastopen"))
		parse_fastopen(parser, add_option(parser, segment, OPTION_FASTOPEN));
	else if (parser_accept(parser, "raw"))
		parse_bytes(parser, add_option(parser, segment, OPTION_RAW));
	else
		parser_refuse(parser, "no such option");
}

static void parse_options(struct parser *parser, struct segment *segment)
{
	segment->named |= NAMED_OPTIONS;
	if (parser_accept(parser, ">"))
		return;
	do
		parse_option(parser, segment);
	while (parser_accept(parser, ","));
	parser_expect(parser, ">");
}

/* ---- The rest ---- */

/* 1:1001 */
static void parse_range(struct parser *parser, struct segment *segment)
{
	int64_t start = parser_number(parser, INT32_MIN, ANY_NUMBER), end;

	parser_expect(parser, ":");
	end = parser_number(parser, INT32_MIN, ANY_NUMBER);
	if (end < start)
		parser_refuse(parser, "the data ends before it begins");
	segment->named |= NAMED_SEQ;
	segment->seq = (uint32_t)start;
	segment->length = (uint32_t)(end - start);
}

static bool parse_flag(struct parser *parser, struct segment *segment)
{
	static const struct {
		const char *name;
		uint8_t flag;
	} flags[] = {
		{"SYN", TCP_SYN}, {"FIN", TCP_FIN}, {"RST", TCP_RST},
		{"ECE", TCP_ECE}, {"CWR", TCP_CWR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (parser_accept(parser, flags[i].name)) {
			segment->flags |= flags[i].flag;
			return true;
		}
	}
	return false;
}

/* The two bits of the IP header: RFC 3168 5. */
static bool parse_ecn(struct parser *parser, struct segment *segment)
{
	static const char *const names[] = {"not-ECT", "ECT1", "ECT0", "CE"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (parser_accept(parser, names[i])) {
			segment->named |= NAMED_ECN;
			segment->ecn = (uint8_t)i;
			return true;
		}
	}
	return false;
}

static bool parse_push(struct parser *parser, struct segment *segment)
{
	if (parser_accept(parser, "PSH"))
		segment->flags |= TCP_PSH;
	else if (!parser_accept(parser, "no-PSH"))
		return false;
	segment->named |= NAMED_PUSH;
	return true;
}

static bool parse_dont_fragment(struct parser *parser, struct segment *segment)
{
	segment->dont_fragment = parser_accept(parser, "DF");
	if (!segment->dont_fragment && !parser_accept(parser, "no-DF"))
		return false;
	segment->named |= NAMED_DONT_FRAGMENT;
	return true;
}

static bool parse_text(struct parser *parser, struct segment *segment)
{
	if (parser_token(parser)->kind != TOKEN_TEXT)
		return false;
	segment->length = parser_token(parser)->length;
	segment->data = (const uint8_t *)parser_keep(parser);
	return true;
}

/* ACK, ACK 1001, ACK 1001..3001 */
static void parse_ack(struct parser *parser, struct segment *segment, struct series *series)
{
	segment->flags |= TCP_ACK;
	if (parser_token(parser)->kind != TOKEN_NUMBER)
		return;
	segment->named |= NAMED_ACK;
	segment->ack = (uint32_t)parser_number(parser, INT32_MIN, ANY_NUMBER);
	series->last_ack = segment->ack;
	if (parser_accept(parser, ".."))
		series->last_ack = (uint32_t)parser_number(parser, segment->ack, ANY_NUMBER);
}

/* A name with a number behind it. */
static bool parse_field(struct parser *parser, struct segment *segment, struct series *series)
{
	if (parser_accept(parser, "ACK")) {
		parse_ack(parser, segment, series);
	} else if (parser_accept(parser, "by")) {
		series->step = (uint32_t)parser_number(parser, 1, UINT16_MAX);
	} else if (parser_accept(parser, "SEQ")) {
		segment->named |= NAMED_SEQ;
		segment->seq = (uint32_t)parser_number(parser, INT32_MIN, ANY_NUMBER);
	} else if (parser_accept(parser, "win")) {
		segment->named |= NAMED_WINDOW;
		segment->window = (uint32_t)parser_number(parser, 0, ANY_NUMBER);
	} else if (parser_accept(parser, "URG")) {
		segment->flags |= TCP_URG;
		segment->urgent = (uint16_t)parser_number(parser, 0, UINT16_MAX);
	} else {
		return false;
	}
	return true;
}

/* RFC 9293 3.1: once a connection is established, ACK is always set; so it goes without saying. */
static void imply_ack(struct segment *segment, bool left_out)
{
	if (!left_out && !(segment->flags & (TCP_SYN | TCP_RST)))
		segment->flags |= TCP_ACK;
}

void parse_segment(struct parser *parser, struct segment *segment, struct series *series)
{
	bool without_ack = false;

	while (parser_token(parser)->kind != TOKEN_END) {
		if (parser_token(parser)->kind == TOKEN_NUMBER)
			parse_range(parser, segment);
		else if (parser_accept(parser, "<"))
			parse_options(parser, segment);
		else if (parser_accept(parser, "no-ACK"))
			without_ack = true;
		else if (!parse_flag(parser, segment) && !parse_field(parser, segment, series) &&
			 !parse_push(parser, segment) && !parse_ecn(parser, segment) &&
			 !parse_dont_fragment(parser, segment) && !parse_text(parser, segment))
			parser_refuse(parser, "not a part of a segment");
	}
	imply_ack(segment, without_ack);
	if (segment->flags & TCP_SYN && segment->length && segment->named & NAMED_SEQ)
		segment->seq--; /* the SYN stands before its data */
}

/* ---- ICMP errors: RFC 792, RFC 1191 ---- */

void parse_icmp(struct parser *parser, struct script_icmp *icmp)
{
	static const struct {
		const char *name;
		uint8_t type, code;
	} errors[] = {
		{"net-unreachable", 3, 0},      {"host-unreachable", 3, 1},
		{"protocol-unreachable", 3, 2}, {"port-unreachable", 3, 3},
		{"frag-needed", 3, 4},          {"admin-prohibited", 3, 13},
		{"source-quench", 4, 0},        {"time-exceeded", 11, 0},
		{"parameter-problem", 12, 0},
	};
	size_t i = 0;

	while (i < ARRAY_SIZE(errors) && !parser_accept(parser, errors[i].name))
		i++;
	if (i == ARRAY_SIZE(errors))
		parser_refuse(parser, "no such ICMP error");
	icmp->type = errors[i].type;
	icmp->code = errors[i].code;
	if (parser_accept(parser, "mtu"))
		icmp->mtu = (uint16_t)parser_number(parser, 0, UINT16_MAX);
	parser_expect(parser, "SEQ");
	icmp->seq = (uint32_t)parser_number(parser, INT32_MIN, ANY_NUMBER);
}
