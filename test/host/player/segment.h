/*
 * One TCP segment in the script's terms: written in a line, or read from the wire. Sequence numbers
 * are relative to the ISN of the side that sent them, timestamps are milliseconds of the script's
 * time, windows are in bytes.
 */
#ifndef TEST_HOST_PLAYER_SEGMENT_H
#define TEST_HOST_PLAYER_SEGMENT_H

#include "kernel/types.h"

#define SEGMENT_OPTIONS_MAX 10
#define SEGMENT_OPTION_NUMBERS 8
#define SEGMENT_OPTION_BYTES 40
#define SEGMENT_TEXT_MAX 512 /* of segment_print */

enum option_kind {
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_MSS = 2,
	OPTION_WINDOW_SCALE = 3,
	OPTION_SACK_PERMITTED = 4,
	OPTION_SACK = 5,
	OPTION_TIMESTAMPS = 8,
	OPTION_FASTOPEN = 34,
	/* Not on the wire: */
	OPTION_RAW = 256,           /* `bytes` as they stand, for what is malformed */
	OPTION_NO_TIMESTAMPS = 257, /* the line leaves them out on purpose */
};

struct segment_option {
	uint16_t kind; /* enum option_kind, or an unknown one's number */
	bool any;      /* the value is not looked at */
	uint8_t count; /* of numbers */
	int64_t numbers[SEGMENT_OPTION_NUMBERS];
	uint8_t length; /* of bytes */
	uint8_t bytes[SEGMENT_OPTION_BYTES];
};

/* What a line says; what it leaves out has a default, or is not compared. */
enum segment_named {
	NAMED_SEQ = 1,
	NAMED_ACK = 2, /* the number; the flag stands in `flags` */
	NAMED_WINDOW = 4,
	NAMED_PUSH = 8,
	NAMED_OPTIONS = 16,
	NAMED_ECN = 32,
	NAMED_DONT_FRAGMENT = 64,
	NAMED_ALL = 127,
};

struct segment {
	uint32_t named;
	uint8_t flags;       /* TCP_SYN... of net/tcp/tcp_wire.h */
	uint8_t ecn;         /* of the IP header: 0, 1, 2 (ECT0), 3 (CE) */
	bool dont_fragment;  /* of the IP header */
	uint32_t seq, ack;   /* relative */
	uint32_t length;     /* bytes of data */
	uint32_t window;     /* bytes */
	uint16_t urgent;     /* the pointer as in the header */
	const uint8_t *data; /* of a line: NULL for the pattern; of the wire: the payload */
	struct segment_option options[SEGMENT_OPTIONS_MAX];
	uint32_t option_count;
};

const struct segment_option *segment_find_option(const struct segment *segment, uint16_t kind);

/* In the notation of the scripts; of what is not named, nothing. `to` has SEGMENT_TEXT_MAX. */
void segment_print(const struct segment *segment, char *to);

/* NULL when `got` (from the wire) is as `expected` says; else what is not. */
const char *segment_compare(const struct segment *expected, const struct segment *got);

#endif
