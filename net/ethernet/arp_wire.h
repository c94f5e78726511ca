/*
 * ARP packets for IPv4 over Ethernet (RFC 826): bytes to a checked structure and back. Pure
 * functions.
 */
#ifndef NET_ETHERNET_ARP_WIRE_H
#define NET_ETHERNET_ARP_WIRE_H

#include "kernel/types.h"
#include "net/core/addr.h"
#include "net/core/drop.h"

#define ARP_PACKET_LENGTH 28
#define ARP_REQUEST 1
#define ARP_REPLY 2

struct arp_packet {         /* addresses in host order */
	uint16_t operation; /* ARP_REQUEST or ARP_REPLY */
	struct mac sender_mac, target_mac;
	ip4_t sender, target;
};

/* DROP_NONE, or DROP_ARP_MALFORMED: cut, not IPv4 over Ethernet, or another operation. */
enum drop_reason arp_parse(const uint8_t *bytes, size_t length, struct arp_packet *packet);

/* Writes ARP_PACKET_LENGTH bytes. */
void arp_emit(const struct arp_packet *packet, uint8_t *bytes);

#endif
