/*
 * Is an address free? The probe of RFC 5227 section 2.1.1, and the ARP packets that say "no". Pure
 * functions over ARP packets without their Ethernet header; addresses in host byte order.
 */
#ifndef USERLAND_LIB_ARP_PROBE_H
#define USERLAND_LIB_ARP_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARP_PACKET_LENGTH 28

/* A request for `address` that names no sender, so that nobody learns anything from it. */
void arp_probe_emit(uint32_t address, const uint8_t hardware[6], uint8_t packet[ARP_PACKET_LENGTH]);

/*
 * Does this packet, sent by another than `hardware`, come from the owner of `address`, or from one
 * that probes for it at this moment? A malformed packet says nothing.
 */
bool arp_probe_conflict(const uint8_t *packet, size_t length, uint32_t address,
			const uint8_t hardware[6]);

#endif
