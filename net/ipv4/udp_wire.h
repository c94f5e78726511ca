/*
 * UDP on the wire (RFC 768). Pure functions.
 */
#ifndef NET_IPV4_UDP_WIRE_H
#define NET_IPV4_UDP_WIRE_H

#include "kernel/byteorder.h"
#include "kernel/types.h"
#include "net/core/drop.h"

#define UDP_HEADER_LENGTH 8
#define UDP_PAYLOAD_MAX 65507 /* in one IPv4 packet without options */

struct udp_header { /* in host order */
	uint16_t source, destination;
	uint16_t length;   /* bytes, with this header */
	bool has_checksum; /* the field is not 0 */
};

/*
 * Parses the header of a datagram of `length` bytes, of which UDP_HEADER_LENGTH can be read when
 * that many are there. DROP_NONE, DROP_UDP_SHORT, or DROP_UDP_BAD_LENGTH: a length below the
 * header's or beyond the packet's end.
 */
enum drop_reason udp_parse(const uint8_t *bytes, size_t length, struct udp_header *header);

/* Writes UDP_HEADER_LENGTH bytes with a zero checksum. */
void udp_emit(const struct udp_header *header, uint8_t *bytes);

/* Stores the folded sum of pseudo-header and datagram; 0 goes out as 0xffff (RFC 768). */
void udp_put_checksum(uint8_t *bytes, be16 checksum);

#endif
