/* ARP on the wire (RFC 826, "Packet format"). */
#include "net/ethernet/arp_wire.h"

#include "kernel/byteorder.h"
#include "kernel/string.h"

/* Where each field stands. */
enum {
	AT_HARDWARE_TYPE = 0,
	AT_PROTOCOL_TYPE = 2,
	AT_HARDWARE_LENGTH = 4,
	AT_PROTOCOL_LENGTH = 5,
	AT_OPERATION = 6,
	AT_SENDER_MAC = 8,
	AT_SENDER = 14,
	AT_TARGET_MAC = 18,
	AT_TARGET = 24,
};

#define HARDWARE_ETHERNET 1
#define PROTOCOL_IP4 0x0800
#define IP4_LENGTH 4

enum drop_reason arp_parse(const uint8_t *bytes, size_t length, struct arp_packet *packet)
{
	if (length < ARP_PACKET_LENGTH)
		return DROP_ARP_MALFORMED;
	if (get_be16(bytes + AT_HARDWARE_TYPE) != HARDWARE_ETHERNET ||
	    get_be16(bytes + AT_PROTOCOL_TYPE) != PROTOCOL_IP4 ||
	    bytes[AT_HARDWARE_LENGTH] != MAC_LENGTH || bytes[AT_PROTOCOL_LENGTH] != IP4_LENGTH)
		return DROP_ARP_MALFORMED;

	packet->operation = get_be16(bytes + AT_OPERATION);
	if (packet->operation != ARP_REQUEST && packet->operation != ARP_REPLY)
		return DROP_ARP_MALFORMED;
	memcpy(packet->sender_mac.bytes, bytes + AT_SENDER_MAC, MAC_LENGTH);
	memcpy(packet->target_mac.bytes, bytes + AT_TARGET_MAC, MAC_LENGTH);
	packet->sender = get_be32(bytes + AT_SENDER);
	packet->target = get_be32(bytes + AT_TARGET);
	return DROP_NONE;
}

void arp_emit(const struct arp_packet *packet, uint8_t *bytes)
{
	put_be16(bytes + AT_HARDWARE_TYPE, HARDWARE_ETHERNET);
	put_be16(bytes + AT_PROTOCOL_TYPE, PROTOCOL_IP4);
	bytes[AT_HARDWARE_LENGTH] = MAC_LENGTH;
	bytes[AT_PROTOCOL_LENGTH] = IP4_LENGTH;
	put_be16(bytes + AT_OPERATION, packet->operation);
	memcpy(bytes + AT_SENDER_MAC, packet->sender_mac.bytes, MAC_LENGTH);
	put_be32(bytes + AT_SENDER, packet->sender);
	memcpy(bytes + AT_TARGET_MAC, packet->target_mac.bytes, MAC_LENGTH);
	put_be32(bytes + AT_TARGET, packet->target);
}
