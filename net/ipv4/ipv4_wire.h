/*
 * IPv4 on the wire (RFC 791): bytes to a checked structure and back. Pure functions.
 */
#ifndef NET_IPV4_IPV4_WIRE_H
#define NET_IPV4_IPV4_WIRE_H

#include "kernel/types.h"
#include "net/core/addr.h"
#include "net/core/drop.h"

#define IP4_HEADER_MIN 20
#define IP4_HEADER_MAX 60
#define IP4_PACKET_MAX 65535

struct ip4_header { /* all in host order */
	ip4_t source, destination;
	uint16_t total_length, id;
	uint16_t fragment_offset; /* bytes */
	uint8_t header_length;    /* bytes, 20..60 */
	uint8_t tos, ttl, protocol;
	bool dont_fragment, more_fragments;
	const uint8_t *options; /* header_length - 20 bytes, not copied; NULL when there are none */
};

/*
 * Parses a header of which `available` bytes can be read, of a packet of `length` bytes in all.
 * Checks version, header length, checksum and total length, in this order. Returns DROP_NONE or the
 * reason; `available` short of the header's own length gives DROP_IP4_SHORT (or
 * DROP_IP4_BAD_HEADER_LENGTH when the packet itself is shorter).
 */
enum drop_reason ip4_parse(const uint8_t *bytes, size_t available, size_t length,
			   struct ip4_header *header);

/* For the inner header of an ICMP error: no checksum or total-length check (the packet is cut). */
enum drop_reason ip4_parse_quoted(const uint8_t *bytes, size_t available,
				  struct ip4_header *header);

/* Writes header->header_length bytes with the checksum in place. */
void ip4_emit(const struct ip4_header *header, uint8_t *bytes);

#endif
