/*
 * What the tests of ARP start from: a stack whose eth0 has 10.0.0.1, as far as ARP is told, and the
 * means to hear and say ARP on its wire.
 */
#ifndef TEST_HOST_UNIT_ARP_FIXTURE_H
#define TEST_HOST_UNIT_ARP_FIXTURE_H

#include "net/ethernet/arp.h"
#include "net/ethernet/arp_wire.h"
#include "net/ethernet/ethernet_private.h"
#include "test/host/unit/fixture.h"

#define OURS IP4(10, 0, 0, 1)
#define PEER IP4(10, 0, 0, 2)
#define STRANGER IP4(10, 0, 0, 3)
#define GATEWAY IP4(10, 0, 0, 254)
#define SECOND USEC_PER_SEC

static const struct mac STRANGER_MAC = {{0x02, 0, 0, 0, 0, 3}};
static const struct mac GATEWAY_MAC = {{0x02, 0, 0, 0, 0, 0xfe}};

extern struct fixture arp_stack;
extern ip4_t arp_our_address; /* what is answered for; OURS at first */

/* What ARP told the layer above. */
extern uint32_t arp_unreachable_count, arp_conflict_count;
extern ip4_t arp_conflict_address;

int arp_set_up(void **state);
int arp_tear_down(void **state);

/* An ARP packet from (mac, sender) about `target`. */
void arp_arrives(uint16_t operation, struct mac mac, ip4_t sender, ip4_t target);

/* One IPv4 packet, of one byte, to `next_hop`. */
void packet_leaves(ip4_t next_hop, uint8_t mark);

/* The i-th frame sent must be an ARP packet to `destination`. */
struct arp_packet sent_arp(uint32_t i, struct mac destination);

/* The i-th frame sent must be our request to `destination` about `target`. */
void assert_request(uint32_t i, struct mac destination, ip4_t target);

/* The i-th frame sent must be the IPv4 packet `mark` to `destination`. */
void assert_packet(uint32_t i, struct mac destination, uint8_t mark);

struct arp_entry *entry_of(ip4_t address);

/* The neighbour becomes known because we sent it something. */
void make_known(ip4_t address, struct mac mac);

/* SIOCSARP. */
int set_entry(ip4_t address, struct mac mac, bool permanent);

/* Whatever happened, a request for our address is answered. */
void assert_still_alive(void);

/* A different one for each i. */
struct mac numbered_mac(uint32_t i);

#endif
