/*
 * Packets for the stateful target: right by default, checksums included, and wrong where the input
 * wants them wrong.
 *
 * Each operation that makes a frame ends with `finish` bits (16 of them) and what these announce,
 * in this order:
 *
 *	0x0003	so many changes: an offset and a value each (a byte; from the IP header on)
 *	0x0004	the changes are made behind the checksums' back, not before they are filled in
 *	0x0008	IP options: a count (of 4 bytes) and the bytes
 *	0x0010	on wire 1
 *	0x0020	all but the first bytes lie in a page of their own: how many (a byte)
 *	0x00c0	the device says of the checksum: 0 nothing, 1 verified, 2 to be completed
 *	0x0100	to the broadcast MAC
 *	0x0200	to a multicast MAC, the group's
 *	0x0400	cut: by so many bytes (a byte)
 *	0x0800	padded: by so many bytes (a byte)
 *	0x1000	to a stranger's MAC
 *	0x2000	twice
 *	0x4000	it stands for several segments of TCP: the payload of each (a byte; units of 8)
 *	0x8000	one of them with CWR
 */
#ifndef TEST_HOST_FUZZ_STACK_PACKET_H
#define TEST_HOST_FUZZ_STACK_PACKET_H

#include "net/ethernet/arp_wire.h"
#include "test/host/fuzz/stack/stack.h"

#define FINISH_CHANGES 0x0003
#define FINISH_AFTER 0x0004
#define FINISH_OPTIONS 0x0008
#define FINISH_WIRE 0x0010
#define FINISH_PAGE 0x0020
#define FINISH_CHECKSUM 0x00c0
#define FINISH_VERIFIED 0x0040
#define FINISH_PARTIAL 0x0080
#define FINISH_BROADCAST 0x0100
#define FINISH_MULTICAST 0x0200
#define FINISH_CUT 0x0400
#define FINISH_PADDED 0x0800
#define FINISH_STRANGER 0x1000
#define FINISH_TWICE 0x2000
#define FINISH_LARGE 0x4000
#define FINISH_ECN 0x8000

/* An IP packet to be: what is above IP stands in `payload`. */
struct packet {
	ip4_t source, destination;
	uint8_t protocol;
	uint16_t id, fragment; /* fragment: flags and offset as on the wire */
	uint8_t *payload;
	size_t length;
};

/* Where a payload may be built: FRAME_MAX bytes. */
uint8_t *packet_area(void);

/* Adds the IP header, reads the finish bits, and delivers. */
void packet_finish(struct bench *bench, const struct packet *packet);
/* The same for what is not IP: `frame` from its Ethernet type on. */
void frame_finish(struct bench *bench, uint16_t ethertype, const uint8_t *payload, size_t length);

/* Fills in every checksum that can be, from the IP header on. */
void fix_checksums(uint8_t *packet, size_t length);
/* Whether those of a packet of ours are right; with `transport` false only IP's. */
bool checksums_are_right(const uint8_t *packet, size_t length, bool transport);

/* Whole frames; they return their length. */
size_t make_arp(uint8_t *frame, uint16_t operation, struct mac to, struct mac sender_mac,
		ip4_t sender, ip4_t target);
size_t make_echo(uint8_t *frame, struct mac to, struct mac from, ip4_t source, ip4_t destination);

#endif
