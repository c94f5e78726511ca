/*
 * ICMP on the wire (RFC 792): headers, and what an error means to a socket. Pure functions.
 */
#ifndef NET_IPV4_ICMP_WIRE_H
#define NET_IPV4_ICMP_WIRE_H

#include "kernel/types.h"
#include "net/core/inet.h"
#include "net/ipv4/ipv4_wire.h"

#define ICMP_HEADER_LENGTH 8
#define ICMP_QUOTED_MIN 8 /* transport bytes that every error quotes: RFC 792 */

struct icmp_header {
	uint8_t type, code;
	uint32_t info; /* the second word, host order: MTU, pointer, or the two halves below */
	uint16_t id, sequence; /* of echo */
};

/*
 * Reads ICMP_HEADER_LENGTH bytes. The checksum covers the whole message and is the caller's to
 * verify.
 */
void icmp_parse(const uint8_t *bytes, struct icmp_header *header);

/* Writes ICMP_HEADER_LENGTH bytes with a zero checksum. */
void icmp_emit(uint8_t type, uint8_t code, uint32_t info, uint8_t *bytes);

/* Types 3, 4, 5, 11, 12, and those unknown to us: no error is sent about these (RFC 1122 3.2.2). */
bool icmp_type_is_error(uint8_t type);

/*
 * What an error of type 3, 11 or 12 about the packet `inner` stands for, as Linux tells programs. A
 * next-hop MTU of 0 is replaced by RFC 1191's plateau below the packet's length; one below 68 gives
 * mtu 0, which nobody may use.
 */
struct icmp_error icmp_meaning(const struct icmp_header *header, const struct ip4_header *inner);

#endif
