/*
 * The TCP header and its options (RFC 9293 3.1, 3.2; RFC 7323; RFC 2018; RFC 7413): bytes to a
 * checked structure, and a structure to bytes. Pure functions; numbers in host order.
 */
#ifndef NET_TCP_TCP_WIRE_H
#define NET_TCP_TCP_WIRE_H

#include "kernel/types.h"
#include "net/core/drop.h"

#define TCP_HEADER_MIN 20
#define TCP_CHECKSUM_AT 16 /* in the header */
#define TCP_HEADER_MAX 60
#define TCP_OPTIONS_MAX 40
#define TCP_WINDOW_SCALE_MAX 14 /* RFC 7323 2.3 */
#define TCP_SACK_BLOCKS_MAX 4
#define TCP_FASTOPEN_COOKIE_MAX 16

/* The control bits, as in byte 13 of the header. */
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20
#define TCP_ECE 0x40
#define TCP_CWR 0x80

struct tcp_header {
	uint16_t source, destination;
	uint32_t seq, ack;
	uint8_t header_length; /* bytes, with options: 20..60 */
	uint8_t flags;         /* TCP_FIN... */
	uint16_t window;       /* as it stands on the wire, unscaled */
	uint16_t urgent;
};

struct tcp_sack_block {
	uint32_t start, end; /* [start, end) */
};

struct tcp_options {
	uint16_t mss; /* 0: absent */
	bool has_window_scale;
	uint8_t window_scale; /* at most TCP_WINDOW_SCALE_MAX: a larger one is taken as that */
	bool sack_permitted;
	bool has_timestamps;
	uint32_t ts_value, ts_echo;
	uint8_t sack_count;
	struct tcp_sack_block sack[TCP_SACK_BLOCKS_MAX];
	bool has_fastopen;          /* RFC 7413; a cookie of length 0 asks for one */
	bool fastopen_experimental; /* in the option that was used before the RFC: RFC 6994 */
	uint8_t fastopen_length;    /* 0, or an even number of 4..16 */
	uint8_t fastopen[TCP_FASTOPEN_COOKIE_MAX];
};

/*
 * Reads the fixed header from `bytes`, of which TCP_HEADER_MIN are there; `length` is the whole
 * segment's. DROP_NONE, or TCP_SHORT, TCP_BAD_OFFSET.
 */
enum drop_reason tcp_parse(const uint8_t *bytes, size_t length, struct tcp_header *header);

/*
 * Reads the options, the `length` bytes behind the fixed header. Unknown options are skipped
 * (MUST-6), a malformed one ends the reading (MUST-7: what came before it counts). Options that are
 * for SYN segments alone count only when `syn`.
 */
void tcp_parse_options(const uint8_t *bytes, size_t length, bool syn, struct tcp_options *options);

/* The bytes that tcp_emit_options will write: a multiple of 4, at most TCP_OPTIONS_MAX. */
size_t tcp_options_length(const struct tcp_options *options);

/*
 * Writes header and options to `to` (header->header_length is ignored: it follows from the
 * options); the checksum is left 0. Returns the header's length. The order is that of other stacks:
 * mss, sackOK, timestamps, nop, wscale; without timestamps mss, nop, nop, sackOK, nop, wscale; then
 * Fast Open; SACK blocks last, as many as there is room for.
 */
size_t tcp_emit(const struct tcp_header *header, const struct tcp_options *options, uint8_t *to);

#endif
