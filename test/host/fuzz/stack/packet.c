/* See packet.h. */
#include "test/host/fuzz/stack/packet.h"

#include "include/uapi/icmp.h"
#include "include/uapi/in.h"
#include "kernel/byteorder.h"
#include "net/core/checksum.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/icmp_wire.h"
#include "net/ipv4/ipv4_wire.h"

#define HEADROOM (ETHERNET_HEADER_LENGTH + IP4_HEADER_MAX)

static uint8_t frame_area[HEADROOM + FRAME_MAX + 256];

uint8_t *packet_area(void)
{
	return frame_area + HEADROOM;
}

static void put_checksum(uint8_t *at, uint32_t sum)
{
	be16 checksum = checksum_fold(sum);

	memcpy(at, &checksum, sizeof(checksum));
}

/* Where a protocol's checksum stands in its header; 0: it has none that we know. */
static size_t checksum_offset(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return 6;
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_ICMP:
	case IPPROTO_IGMP:
		return 2;
	default:
		return 0;
	}
}

static uint32_t start_sum(const uint8_t *packet, size_t length)
{
	uint8_t protocol = packet[9];

	if (protocol != IPPROTO_UDP && protocol != IPPROTO_UDPLITE && protocol != IPPROTO_TCP)
		return 0;
	return checksum_pseudo4(get_be32(packet + 12), get_be32(packet + 16), protocol,
				(uint16_t)length);
}

/* The packet's header length, or 0 when there is no sound header. */
static size_t header_of(const uint8_t *packet, size_t length)
{
	size_t header = length >= IP4_HEADER_MIN ? (packet[0] & 15u) * 4 : 0;

	return header >= IP4_HEADER_MIN && header <= length ? header : 0;
}

/* Bytes of a whole transport packet with a checksum, or 0: a fragment, or cut. */
static size_t transport_length(const uint8_t *packet, size_t length, size_t header)
{
	size_t total = get_be16(packet + 2), offset = checksum_offset(packet[9]);

	if (get_be16(packet + 6) & 0x3fff || total > length || offset == 0 ||
	    total < header + offset + 2)
		return 0;
	return total - header;
}

/* How many of the n bytes of a transport packet its checksum is of: of UDP-Lite's, it says so. */
static size_t covered(const uint8_t *packet, size_t header, size_t n)
{
	size_t coverage = packet[9] == IPPROTO_UDPLITE ? get_be16(packet + header + 4) : 0;

	return coverage && coverage < n ? coverage : n;
}

static uint32_t transport_sum(const uint8_t *packet, size_t header, size_t n)
{
	return checksum_add(packet + header, covered(packet, header, n), start_sum(packet, n));
}

void fix_checksums(uint8_t *packet, size_t length)
{
	size_t header = header_of(packet, length), n;

	if (header == 0)
		return;
	put_be16(packet + 10, 0);
	put_checksum(packet + 10, checksum_add(packet, header, 0));
	n = transport_length(packet, length, header);
	if (n == 0)
		return;
	uint8_t *field = packet + header + checksum_offset(packet[9]);

	put_be16(field, 0);
	put_checksum(field, transport_sum(packet, header, n));
	if ((packet[9] == IPPROTO_UDP || packet[9] == IPPROTO_UDPLITE) && get_be16(field) == 0)
		put_be16(field, 0xffff);
}

bool checksums_are_right(const uint8_t *packet, size_t length, bool transport)
{
	size_t header = header_of(packet, length), n;

	if (header == 0 || checksum_fold(checksum_add(packet, header, 0)).raw != 0)
		return false;
	n = transport ? transport_length(packet, length, header) : 0;
	if (n == 0 || (packet[9] == IPPROTO_UDP && get_be16(packet + header + 6) == 0))
		return true;
	return checksum_fold(transport_sum(packet, header, n)).raw == 0;
}

/* Reads IP options from the input to `to`; returns their length. */
static size_t read_options(struct bench *bench, uint16_t finish, uint8_t *to)
{
	size_t length = 0, got;

	if (!(finish & FINISH_OPTIONS))
		return 0;
	length = read_u8(bench) % 11u * 4;
	memset(to, 0, length);
	const uint8_t *from = fuzz_bytes(bench->input, length, &got);

	if (got)
		memcpy(to, from, got);
	return length;
}

static void change(struct bench *bench, uint8_t *bytes, size_t length, uint16_t finish)
{
	for (uint16_t i = 0; i < (finish & FINISH_CHANGES); i++) {
		size_t at = read_u8(bench);
		uint8_t value = read_u8(bench);

		if (length)
			bytes[at % length] = value;
	}
}

static void put_mac(uint8_t *to, struct mac mac)
{
	memcpy(to, mac.bytes, MAC_LENGTH);
}

static struct mac destination_of(const struct bench *bench, uint16_t finish, ip4_t address)
{
	if (finish & FINISH_BROADCAST)
		return MAC_BROADCAST;
	if (finish & FINISH_MULTICAST)
		return (struct mac){
			{1, 0, 0x5e, address >> 16 & 0x7f, address >> 8 & 255, address & 255}};
	if (finish & FINISH_STRANGER)
		return (struct mac){{2, 0, 0, 0, 0, 0x77}};
	return bench->wires[finish & FINISH_WIRE ? 1 : 0].mac;
}

/* The frame stands complete but for its Ethernet header, which gets in front. */
static void deliver(struct bench *bench, uint8_t *payload, size_t length, uint16_t ethertype,
		    struct mac to, uint16_t finish)
{
	uint32_t wire = finish & FINISH_WIRE ? 1 : 0;
	uint8_t *frame = payload - ETHERNET_HEADER_LENGTH;

	if (finish & FINISH_CUT) {
		size_t less = read_u8(bench);

		length -= MIN(less, length);
	}
	if (finish & FINISH_PADDED) {
		size_t more = read_u8(bench);

		memset(payload + length, 0, more);
		length += more;
	}
	put_mac(frame, to);
	put_mac(frame + MAC_LENGTH, PEER_MAC[wire]);
	put_be16(frame + 2 * MAC_LENGTH, ethertype);
	for (int i = finish & FINISH_TWICE ? 2 : 1; i > 0; i--)
		wire_deliver(bench, wire, frame, ETHERNET_HEADER_LENGTH + length, finish);
}

void packet_finish(struct bench *bench, const struct packet *packet)
{
	uint8_t options[40];
	uint16_t finish = read_u16(bench);
	size_t options_length = read_options(bench, finish, options);
	size_t header = IP4_HEADER_MIN + options_length, length = header + packet->length;
	uint8_t *bytes = packet->payload - header;
	const struct ip4_header ip = {
		.source = packet->source,
		.destination = packet->destination,
		.total_length = (uint16_t)MIN(length, (size_t)PACKET_MAX),
		.id = packet->id,
		.header_length = (uint8_t)header,
		.ttl = packet->protocol == IPPROTO_IGMP ? 1 : 64,
		.protocol = packet->protocol,
		.options = options,
	};

	length = MIN(length, (size_t)PACKET_MAX);
	ip4_emit(&ip, bytes);
	put_be16(bytes + 6, packet->fragment);
	if (!(finish & FINISH_AFTER))
		change(bench, bytes, length, finish);
	fix_checksums(bytes, length);
	if (finish & FINISH_AFTER)
		change(bench, bytes, length, finish);
	deliver(bench, bytes, length, ETHERTYPE_IP4,
		destination_of(bench, finish, packet->destination), finish);
}

void frame_finish(struct bench *bench, uint16_t ethertype, const uint8_t *payload, size_t length)
{
	uint16_t finish = read_u16(bench);
	uint8_t *bytes = packet_area();

	if (length && bytes != payload)
		memcpy(bytes, payload, length);
	change(bench, bytes, length, finish);
	deliver(bench, bytes, length, ethertype, destination_of(bench, finish, 0), finish);
}

size_t make_arp(uint8_t *frame, uint16_t operation, struct mac to, struct mac sender_mac,
		ip4_t sender, ip4_t target)
{
	const struct arp_packet packet = {.operation = operation,
					  .sender_mac = sender_mac,
					  .sender = sender,
					  .target = target};

	put_mac(frame, to);
	put_mac(frame + MAC_LENGTH, sender_mac);
	put_be16(frame + 2 * MAC_LENGTH, ETHERTYPE_ARP);
	arp_emit(&packet, frame + ETHERNET_HEADER_LENGTH);
	return ETHERNET_HEADER_LENGTH + ARP_PACKET_LENGTH;
}

size_t make_echo(uint8_t *frame, struct mac to, struct mac from, ip4_t source, ip4_t destination)
{
	const struct ip4_header ip = {
		.source = source,
		.destination = destination,
		.total_length = IP4_HEADER_MIN + ICMP_HEADER_LENGTH,
		.header_length = IP4_HEADER_MIN,
		.ttl = 64,
		.protocol = IPPROTO_ICMP,
	};
	uint8_t *bytes = frame + ETHERNET_HEADER_LENGTH;

	put_mac(frame, to);
	put_mac(frame + MAC_LENGTH, from);
	put_be16(frame + 2 * MAC_LENGTH, ETHERTYPE_IP4);
	ip4_emit(&ip, bytes);
	icmp_emit(ICMP_ECHO, 0, 0x00770001, bytes + IP4_HEADER_MIN);
	fix_checksums(bytes, ip.total_length);
	return ETHERNET_HEADER_LENGTH + ip.total_length;
}
