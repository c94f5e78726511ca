#include "userland/lib/arp_probe.h"

#include <string.h>

#include "userland/lib/bytes.h"

/* Positions of RFC 826's fields for Ethernet and IPv4. */
enum {
	AT_OPERATION = 6,
	AT_SENDER_HARDWARE = 8,
	AT_SENDER_ADDRESS = 14,
	AT_TARGET_ADDRESS = 24,
};

/* Hardware type 1, protocol 0x0800, address lengths 6 and 4. */
static const uint8_t ethernet_ipv4[AT_OPERATION] = {0, 1, 8, 0, 6, 4};

enum { REQUEST = 1, REPLY = 2 };

void arp_probe_emit(uint32_t address, const uint8_t hardware[6], uint8_t packet[ARP_PACKET_LENGTH])
{
	memset(packet, 0, ARP_PACKET_LENGTH);
	memcpy(packet, ethernet_ipv4, sizeof(ethernet_ipv4));
	put_be16(packet + AT_OPERATION, REQUEST);
	memcpy(packet + AT_SENDER_HARDWARE, hardware, 6);
	put_be32(packet + AT_TARGET_ADDRESS, address);
}

bool arp_probe_conflict(const uint8_t *packet, size_t length, uint32_t address,
			const uint8_t hardware[6])
{
	uint16_t operation;
	uint32_t sender;

	if (length < ARP_PACKET_LENGTH || memcmp(packet, ethernet_ipv4, sizeof(ethernet_ipv4)) != 0)
		return false;
	operation = get_be16(packet + AT_OPERATION);
	if (operation != REQUEST && operation != REPLY)
		return false;
	if (memcmp(packet + AT_SENDER_HARDWARE, hardware, 6) == 0)
		return false;
	sender = get_be32(packet + AT_SENDER_ADDRESS);
	if (sender == address)
		return true;
	return operation == REQUEST && sender == 0 &&
	       get_be32(packet + AT_TARGET_ADDRESS) == address;
}
