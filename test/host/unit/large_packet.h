/*
 * Large packets for tests: one Ethernet frame with TCP over IPv4 that stands for several segments.
 * Its headers have options, its sequence number and identification wrap within it.
 */
#ifndef TEST_HOST_UNIT_LARGE_PACKET_H
#define TEST_HOST_UNIT_LARGE_PACKET_H

#include "net/core/segment.h"
#include "net/ethernet/ethernet.h"
#include "test/host/unit/ip4_fixture.h"

#define IP_OPTIONS 4 /* the headers of these tests have some, so that no length is the usual one */
#define TCP_OPTIONS 12
#define IP_LENGTH (20 + IP_OPTIONS)
#define TCP_LENGTH (20 + TCP_OPTIONS)
#define HEADERS (ETHERNET_HEADER_LENGTH + IP_LENGTH + TCP_LENGTH)
#define SEQUENCE 0xfffff000u /* wraps within the packet */
#define ID 0xfffe            /* so does this */
#define URGENT 3000

/* Flags of TCP. */
#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10
#define URG 0x20
#define ECE 0x40
#define CWR 0x80

/* The payload is linear, then in pages, of which each holds `piece`. */
struct large_packet {
	uint32_t length; /* of the payload */
	uint32_t linear;
	uint32_t piece; /* at most a page */
	uint16_t gso_size;
	uint8_t gso_type; /* 0: SKB_GSO_TCP4 */
	uint8_t flags;
};

/* The byte at this place of every packet's payload. */
uint8_t large_packet_byte(uint32_t at);

/* Writes the frame, from OURS to PEER. Returns its length: HEADERS and the payload's. */
size_t large_packet_write(uint8_t *frame, const struct large_packet *large);

/* The same as a packet to be sent, its headers marked, its checksum left to others. */
struct sk_buff *large_packet_make(struct net *net, const struct large_packet *large);

#endif
