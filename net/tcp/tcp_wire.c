#include "net/tcp/tcp_wire.h"

#include "kernel/byteorder.h"
#include "kernel/string.h"

/* Kinds of options, and their lengths with kind and length. */
enum {
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_MSS = 2,
	OPTION_WINDOW_SCALE = 3,
	OPTION_SACK_PERMITTED = 4,
	OPTION_SACK = 5,
	OPTION_TIMESTAMPS = 8,
	OPTION_FASTOPEN = 34,
	OPTION_EXPERIMENTAL = 254, /* RFC 6994: two bytes say whose experiment */
	EXPERIMENT_FASTOPEN = 0xf989,

	LENGTH_MSS = 4,
	LENGTH_WINDOW_SCALE = 3,
	LENGTH_SACK_PERMITTED = 2,
	LENGTH_SACK_BLOCK = 8,
	LENGTH_TIMESTAMPS = 10,
};

/* Where the fields of the fixed header stand. */
enum {
	AT_SOURCE = 0,
	AT_DESTINATION = 2,
	AT_SEQ = 4,
	AT_ACK = 8,
	AT_OFFSET = 12, /* the upper four bits, in words; the others are reserved, and ignored */
	AT_FLAGS = 13,
	AT_WINDOW = 14,
	AT_URGENT = 18,
};

/*
 * RFC 9293 3.1. The reserved bits are none of our business (RFC 8311, RFC 9293 3.1). RFC 9293 3.1,
 * MUST-1: the window is unsigned.
 */
enum drop_reason tcp_parse(const uint8_t *bytes, size_t length, struct tcp_header *header)
{
	if (length < TCP_HEADER_MIN)
		return DROP_TCP_SHORT;
	*header = (struct tcp_header){
		.source = get_be16(bytes + AT_SOURCE),
		.destination = get_be16(bytes + AT_DESTINATION),
		.seq = get_be32(bytes + AT_SEQ),
		.ack = get_be32(bytes + AT_ACK),
		.header_length = (uint8_t)(bytes[AT_OFFSET] >> 4 << 2),
		.flags = bytes[AT_FLAGS],
		.window = get_be16(bytes + AT_WINDOW),
		.urgent = get_be16(bytes + AT_URGENT),
	};
	if (header->header_length < TCP_HEADER_MIN || header->header_length > length)
		return DROP_TCP_BAD_OFFSET;
	return DROP_NONE;
}

static void parse_sack(const uint8_t *data, size_t length, struct tcp_options *options)
{
	if (length == 0 || length % LENGTH_SACK_BLOCK ||
	    length > TCP_SACK_BLOCKS_MAX * LENGTH_SACK_BLOCK)
		return;
	options->sack_count = (uint8_t)(length / LENGTH_SACK_BLOCK);
	for (size_t i = 0; i < options->sack_count; i++) {
		options->sack[i].start = get_be32(data + i * LENGTH_SACK_BLOCK);
		options->sack[i].end = get_be32(data + i * LENGTH_SACK_BLOCK + 4);
	}
}

/* RFC 7413 4.1.1: empty, or 4 to 16 bytes, an even number. */
static void parse_fastopen(const uint8_t *data, size_t length, struct tcp_options *options)
{
	if (length && (length < 4 || length > TCP_FASTOPEN_COOKIE_MAX || length % 2))
		return;
	options->has_fastopen = true;
	options->fastopen_experimental = false;
	options->fastopen_length = (uint8_t)length;
	memcpy(options->fastopen, data, length);
}

static void parse_syn_option(uint8_t kind, const uint8_t *data, size_t length,
			     struct tcp_options *options)
{
	switch (kind) {
	case OPTION_MSS:
		if (length + 2 == LENGTH_MSS)
			options->mss = get_be16(data);
		break;
	case OPTION_WINDOW_SCALE:
		if (length + 2 != LENGTH_WINDOW_SCALE)
			break;
		options->has_window_scale = true;
		options->window_scale = MIN(data[0], TCP_WINDOW_SCALE_MAX); /* RFC 7323 2.3 */
		break;
	case OPTION_SACK_PERMITTED:
		if (length + 2 == LENGTH_SACK_PERMITTED)
			options->sack_permitted = true;
		break;
	case OPTION_FASTOPEN:
		parse_fastopen(data, length, options);
		break;
	case OPTION_EXPERIMENTAL:
		if (length < 2 || get_be16(data) != EXPERIMENT_FASTOPEN || options->has_fastopen)
			break;
		parse_fastopen(data + 2, length - 2, options);
		options->fastopen_experimental = options->has_fastopen;
		break;
	default:
		break;
	}
}

/*
 * The options of nearly every segment: two nops and timestamps (RFC 7323, appendix A). These are
 * read and written in one go.
 */
#define USUAL_LENGTH 12
#define USUAL_WORD 0x0101080au /* nop, nop, and the option's kind and length */

static bool are_usual(const struct tcp_options *options)
{
	return options->has_timestamps && !options->mss && !options->sack_permitted &&
	       !options->has_window_scale && !options->has_fastopen && !options->sack_count;
}

static void read_timestamps(const uint8_t *data, struct tcp_options *options)
{
	options->has_timestamps = true;
	options->ts_value = get_be32(data);
	options->ts_echo = get_be32(data + 4);
}

static void parse_option(uint8_t kind, const uint8_t *data, size_t length, bool syn,
			 struct tcp_options *options)
{
	if (kind == OPTION_TIMESTAMPS && length + 2 == LENGTH_TIMESTAMPS) {
		read_timestamps(data, options);
	} else if (kind == OPTION_SACK && !syn) {
		parse_sack(data, length, options);
	} else if (syn) {
		parse_syn_option(kind, data, length, options);
	}
}

/* RFC 9293 3.2, MUST-4 to 7. RFC 9293 3.1, MUST-4, MUST-5, MUST-6, MUST-7, MUST-64, MUST-68. */
void tcp_parse_options(const uint8_t *bytes, size_t length, bool syn, struct tcp_options *options)
{
	size_t at = 0;

	memset(options, 0, sizeof(*options));
	if (length == USUAL_LENGTH && get_be32(bytes) == USUAL_WORD) {
		read_timestamps(bytes + USUAL_LENGTH - LENGTH_TIMESTAMPS + 2, options);
		return;
	}
	while (at < length && bytes[at] != OPTION_END) {
		if (bytes[at] == OPTION_NOP) {
			at++;
			continue;
		}
		if (length - at < 2)
			return;
		size_t whole = bytes[at + 1];

		if (whole < 2 || whole > length - at)
			return;
		parse_option(bytes[at], bytes + at + 2, whole - 2, syn, options);
		at += whole;
	}
}

/* ---- Writing ---- */

static uint8_t *put_nops(uint8_t *to, size_t n)
{
	memset(to, OPTION_NOP, n);
	return to + n;
}

static uint8_t *put_timestamps(uint8_t *to, const struct tcp_options *options)
{
	*to++ = OPTION_TIMESTAMPS;
	*to++ = LENGTH_TIMESTAMPS;
	put_be32(to, options->ts_value);
	put_be32(to + 4, options->ts_echo);
	return to + 8;
}

/* SACK-permitted fills the two bytes before the timestamps, where nops would stand otherwise. */
static uint8_t *put_sack_permitted_and_timestamps(uint8_t *to, const struct tcp_options *options)
{
	if (options->sack_permitted || options->has_timestamps)
		to = put_nops(to, options->sack_permitted && options->has_timestamps ? 0 : 2);
	if (options->sack_permitted) {
		*to++ = OPTION_SACK_PERMITTED;
		*to++ = LENGTH_SACK_PERMITTED;
	}
	return options->has_timestamps ? put_timestamps(to, options) : to;
}

static uint8_t *put_fastopen(uint8_t *to, const struct tcp_options *options)
{
	size_t length = 2 + (size_t)options->fastopen_length;

	if (options->fastopen_experimental) {
		length += 2;
		*to++ = OPTION_EXPERIMENTAL;
		*to++ = (uint8_t)length;
		put_be16(to, EXPERIMENT_FASTOPEN);
		to += 2;
	} else {
		*to++ = OPTION_FASTOPEN;
		*to++ = (uint8_t)length;
	}
	memcpy(to, options->fastopen, options->fastopen_length);
	return put_nops(to + options->fastopen_length, (4 - length % 4) % 4);
}

static uint8_t *put_sack(uint8_t *to, const struct tcp_options *options, size_t blocks)
{
	to = put_nops(to, 2);
	*to++ = OPTION_SACK;
	*to++ = (uint8_t)(2 + blocks * LENGTH_SACK_BLOCK);
	for (size_t i = 0; i < blocks; i++) {
		put_be32(to, options->sack[i].start);
		put_be32(to + 4, options->sack[i].end);
		to += LENGTH_SACK_BLOCK;
	}
	return to;
}

/* RFC 9293 3.1, MUST-68, MUST-69; 3.2, MUST-65: MSS only where a SYN asks for it. */
static uint8_t *put_options(uint8_t *to, const struct tcp_options *options)
{
	const uint8_t *start = to;

	if (likely(are_usual(options))) {
		put_be32(to, USUAL_WORD);
		put_be32(to + 4, options->ts_value);
		put_be32(to + 8, options->ts_echo);
		return to + USUAL_LENGTH;
	}
	if (options->mss) {
		*to++ = OPTION_MSS;
		*to++ = LENGTH_MSS;
		put_be16(to, options->mss);
		to += 2;
	}
	to = put_sack_permitted_and_timestamps(to, options);
	if (options->has_window_scale) {
		to = put_nops(to, 1);
		*to++ = OPTION_WINDOW_SCALE;
		*to++ = LENGTH_WINDOW_SCALE;
		*to++ = options->window_scale;
	}
	if (options->has_fastopen)
		to = put_fastopen(to, options);

	size_t used = (size_t)(to - start);
	size_t room = TCP_OPTIONS_MAX - used < 4 ? 0
						 : (TCP_OPTIONS_MAX - used - 4) / LENGTH_SACK_BLOCK;
	size_t blocks = MIN((size_t)options->sack_count, room);

	return blocks ? put_sack(to, options, blocks) : to;
}

size_t tcp_options_length(const struct tcp_options *options)
{
	uint8_t scratch[TCP_OPTIONS_MAX + TCP_FASTOPEN_COOKIE_MAX];

	if (likely(are_usual(options)))
		return USUAL_LENGTH;
	return (size_t)(put_options(scratch, options) - scratch);
}

size_t tcp_emit(const struct tcp_header *header, const struct tcp_options *options, uint8_t *to)
{
	size_t length = (size_t)(put_options(to + TCP_HEADER_MIN, options) - to);

	put_be16(to + AT_SOURCE, header->source);
	put_be16(to + AT_DESTINATION, header->destination);
	put_be32(to + AT_SEQ, header->seq);
	put_be32(to + AT_ACK, header->ack);
	to[AT_OFFSET] = (uint8_t)(length << 2);
	to[AT_FLAGS] = header->flags;
	put_be16(to + AT_WINDOW, header->window);
	put_be16(to + TCP_CHECKSUM_AT, 0);
	put_be16(to + AT_URGENT, header->urgent);
	return length;
}
