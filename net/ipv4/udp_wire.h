/*
 * UDP (RFC 768) and UDP-Lite (RFC 3828) on the wire. Pure functions.
 */
#ifndef NET_IPV4_UDP_WIRE_H
#define NET_IPV4_UDP_WIRE_H

#include "kernel/byteorder.h"
#include "kernel/types.h"
#include "net/core/drop.h"

#define UDP_HEADER_LENGTH 8
#define UDP_CHECKSUM_AT 6     /* in the header */
#define UDP_PAYLOAD_MAX 65507 /* in one IPv4 packet without options */

struct udp_header { /* in host order */
	uint16_t source, destination;
	uint16_t length;   /* bytes, with this header */
	uint16_t covered;  /* bytes of them, from the first, that the checksum is of */
	bool has_checksum; /* the field is not 0 */
};

/*
 * Parses the header of a datagram of `length` bytes, of which UDP_HEADER_LENGTH can be read when
 * that many are there. DROP_NONE, DROP_UDP_SHORT, or DROP_UDP_BAD_LENGTH: a length below the
 * header's or beyond the packet's end.
 */
enum drop_reason udp_parse(const uint8_t *bytes, size_t length, struct udp_header *header);

/*
 * The same for UDP-Lite, whose length is the packet's and whose checksum covers as much as it says.
 * DROP_NONE, DROP_UDP_SHORT, DROP_UDPLITE_BAD_COVERAGE (RFC 3828 3.1: less than the header, or
 * beyond the packet's end), DROP_UDPLITE_NO_CHECKSUM.
 */
enum drop_reason udp_lite_parse(const uint8_t *bytes, size_t length, struct udp_header *header);

/* Writes UDP_HEADER_LENGTH bytes with a zero checksum; UDP does not look at `covered`. */
void udp_emit(const struct udp_header *header, uint8_t *bytes);
void udp_lite_emit(const struct udp_header *header, uint8_t *bytes);

/*
 * Stores the folded sum of pseudo-header and datagram; 0 goes out as 0xffff (RFC 768, RFC 3828
 * 3.1).
 */
void udp_put_checksum(uint8_t *bytes, be16 checksum);

#endif
