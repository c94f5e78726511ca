/* Operations: frames of each protocol. Their last argument is packet.h's `finish`. */
#include "include/uapi/icmp.h"
#include "include/uapi/in.h"
#include "kernel/byteorder.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/icmp_wire.h"
#include "net/ipv4/igmp_wire.h"
#include "net/ipv4/ipv4_wire.h"
#include "net/ipv4/udp_wire.h"
#include "test/host/fuzz/stack/packet.h"
#include "test/host/fuzz/stack/stack.h"

#define FRAGMENT_MORE 0x2000
#define FLAG_BROADCAST_SOURCE 4

ip4_t read_address(struct bench *bench)
{
	static const ip4_t addresses[] = {
		OURS,
		PEER,
		GATEWAY,
		IP4(10, 0, 0, 255), /* our network's broadcast address */
		IP4(10, 0, 0, 77),  /* a neighbour who may not be there */
		IP4(192, 0, 2, 1),  /* behind the gateway */
		IP4(239, 1, 2, 3),  /* a group */
		IP4(224, 0, 0, 1),  /* all hosts */
		IP4_ANY,
		IP4_BROADCAST,
		IP4_LOOPBACK,
		OURS_BEHIND,
		PEER_BEHIND,
		IP4(240, 0, 0, 1), /* class E */
		IP4(127, 1, 2, 3),
		IP4(192, 0, 2, 2),
	};

	return addresses[read_u8(bench) % ARRAY_SIZE(addresses)];
}

uint16_t read_port(struct bench *bench)
{
	static const uint16_t ports[] = {1000, 1001, 0, 7, 53, 68, 80, 65535};
	uint8_t byte = read_u8(bench);

	if (byte & 0x80)
		return bound_port(byte % DESCRIPTORS);
	return ports[byte % ARRAY_SIZE(ports)];
}

size_t read_length(struct bench *bench)
{
	static const uint16_t lengths[] = {0,    1,    7,    8,    9,    20,   28,   64,
					   100,  536,  1000, 1400, 1472, 1473, 1480, 1500,
					   2048, 3000, 4096, 8000, 9000, 65507};
	uint8_t byte = read_u8(bench);

	return byte & 0x80 ? byte & 0x7fu : lengths[byte % ARRAY_SIZE(lengths)];
}

/* A pattern, so that a byte in the wrong place shows. */
static void fill(uint8_t *to, size_t length, uint8_t seed)
{
	for (size_t i = 0; i < length; i++)
		to[i] = (uint8_t)(seed + i);
}

/* From, to, ports, a length. */
static struct packet read_udp(struct bench *bench)
{
	struct packet packet = {.source = read_address(bench),
				.destination = read_address(bench),
				.protocol = IPPROTO_UDP,
				.payload = packet_area()};
	struct udp_header header = {.source = read_port(bench), .destination = read_port(bench)};
	size_t n = read_length(bench);

	header.length = (uint16_t)(UDP_HEADER_LENGTH + n);
	udp_emit(&header, packet.payload);
	fill(packet.payload + UDP_HEADER_LENGTH, n, (uint8_t)n);
	packet.length = UDP_HEADER_LENGTH + n;
	return packet;
}

/* Bit 2: UDP-Lite, and a byte for its coverage. The same bits are the identification. */
void op_udp(struct bench *bench, uint32_t bits)
{
	struct packet packet = read_udp(bench);

	packet.id = (uint16_t)bits;
	if (bits & 4) {
		packet.protocol = IPPROTO_UDPLITE;
		put_be16(packet.payload + 4, read_u8(bench));
	}
	packet_finish(bench, &packet);
}

/* From, to, type, code, the second word, a length. */
static struct packet read_icmp(struct bench *bench)
{
	struct packet packet = {.source = read_address(bench),
				.destination = read_address(bench),
				.protocol = IPPROTO_ICMP,
				.payload = packet_area()};
	uint8_t type = read_u8(bench), code = read_u8(bench);
	uint32_t info = read_u32(bench);
	size_t n = read_length(bench);

	icmp_emit(type, code, info, packet.payload);
	fill(packet.payload + ICMP_HEADER_LENGTH, n, 0);
	packet.length = ICMP_HEADER_LENGTH + n;
	return packet;
}

void op_icmp(struct bench *bench, uint32_t bits)
{
	struct packet packet = read_icmp(bench);

	packet.id = (uint16_t)bits;
	packet_finish(bench, &packet);
}

/*
 * An error about the frame sent `bits` frames ago: who says so, type (3, 11, 12, 5, 4 or any),
 * code, the second word's lower half, how much is quoted.
 */
void op_icmp_error(struct bench *bench, uint32_t bits)
{
	static const uint8_t types[] = {ICMP_DEST_UNREACH, ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB,
					ICMP_REDIRECT, ICMP_SOURCE_QUENCH};
	const struct sent_frame *sent = wire_sent(bench, bits);
	struct packet packet = {
		.source = read_address(bench), .protocol = IPPROTO_ICMP, .payload = packet_area()};
	uint8_t type = read_u8(bench), code = read_u8(bench);
	uint16_t info = read_u16(bench);
	size_t quoted = read_u8(bench);

	if (!sent || sent->length < ETHERNET_HEADER_LENGTH + IP4_HEADER_MIN)
		return;
	quoted = MIN(quoted, (size_t)sent->length - ETHERNET_HEADER_LENGTH);
	icmp_emit(type < 128 ? types[type % ARRAY_SIZE(types)] : type, code, info, packet.payload);
	memcpy(packet.payload + ICMP_HEADER_LENGTH, sent->bytes + ETHERNET_HEADER_LENGTH, quoted);
	packet.destination = get_be32(sent->bytes + ETHERNET_HEADER_LENGTH + 12);
	packet.length = ICMP_HEADER_LENGTH + quoted;
	packet_finish(bench, &packet);
}

/* Bit 0: a reply; bit 1: the sender's address is ours; who, about whom. */
void op_arp(struct bench *bench, uint32_t bits)
{
	struct arp_packet packet = {
		.operation = bits & 1 ? ARP_REPLY : ARP_REQUEST,
		.sender_mac = bits & 2 ? OUR_MAC[0] : PEER_MAC[0],
		.target_mac = OUR_MAC[0],
		.sender = read_address(bench),
		.target = read_address(bench),
	};

	if (bits & FLAG_BROADCAST_SOURCE)
		packet.sender_mac.bytes[5] = read_u8(bench);
	arp_emit(&packet, packet_area());
	frame_finish(bench, ETHERTYPE_ARP, packet_area(), ARP_PACKET_LENGTH);
}

/* Type (a query, or any), code, group, and to whom; bit 0: a query of version 3. */
void op_igmp(struct bench *bench, uint32_t bits)
{
	uint8_t type = read_u8(bench), code = read_u8(bench);
	ip4_t group = read_address(bench);
	struct packet packet = {.source = PEER,
				.destination = read_address(bench),
				.protocol = IPPROTO_IGMP,
				.payload = packet_area(),
				.length = bits & 1 ? IGMP_V3_QUERY_LENGTH : IGMP_MESSAGE_LENGTH};

	memset(packet.payload, 0, packet.length);
	igmp_emit(type < 128 ? IGMP_QUERY : type, group, packet.payload);
	packet.payload[1] = code;
	packet_finish(bench, &packet);
}

/*
 * One fragment by itself. Bit 0: more follow; bit 1: ICMP, else UDP; bit 2: offsets in units of 2
 * KiB. An identification, offset, bytes (units of 8), bytes beyond these (of 4).
 */
void op_fragment(struct bench *bench, uint32_t bits)
{
	uint8_t id = read_u8(bench), offset = read_u8(bench);
	size_t length = read_u8(bench) * 8u + read_u8(bench) % 8u;
	struct packet packet = {.source = PEER,
				.destination = read_address(bench),
				.protocol = bits & 2 ? IPPROTO_ICMP : IPPROTO_UDP,
				.id = id,
				.payload = packet_area(),
				.length = length};

	packet.fragment = (uint16_t)(bits & 4 ? offset << 8 : offset) & 0x1fff;
	if (bits & 1)
		packet.fragment |= FRAGMENT_MORE;
	fill(packet.payload, length, (uint8_t)(offset * 8));
	packet_finish(bench, &packet);
}

/*
 * A whole UDP datagram (bit 0: an echo request) in pieces: its arguments, the bytes of a piece
 * (units of 8, beyond the first), and in which order: bit 1: the last first; bit 2: each one twice.
 */
void op_pieces(struct bench *bench, uint32_t bits)
{
	static uint8_t whole[FRAME_MAX];
	struct packet packet = bits & 1 ? read_icmp(bench) : read_udp(bench);
	size_t total = packet.length, piece = 8u + read_u8(bench) * 8u, count;
	uint8_t header[IP4_HEADER_MIN];
	struct fuzz_input finish = *bench->input;

	/* The transport checksum of the whole, as if it were one packet. */
	const struct ip4_header ip = {.source = packet.source,
				      .destination = packet.destination,
				      .total_length = (uint16_t)(IP4_HEADER_MIN + total),
				      .header_length = IP4_HEADER_MIN,
				      .protocol = packet.protocol};

	ip4_emit(&ip, header);
	memcpy(packet.payload - IP4_HEADER_MIN, header, IP4_HEADER_MIN);
	fix_checksums(packet.payload - IP4_HEADER_MIN, IP4_HEADER_MIN + total);
	memcpy(whole, packet.payload, total);

	count = MIN((total + piece - 1) / piece, 64u);
	packet.id = (uint16_t)(bench->sent_count + total);
	for (size_t i = 0; i < count << (bits >> 2); i++) {
		size_t n = i >> (bits >> 2), at = (bits & 2 ? count - 1 - n : n) * piece;

		packet.length = MIN(piece, total - at);
		packet.fragment = (uint16_t)(at / 8 | (at + piece < total ? FRAGMENT_MORE : 0));
		memcpy(packet.payload, whole + at, packet.length);
		*bench->input = finish; /* all alike */
		packet_finish(bench, &packet);
	}
}

/* Bytes as they stand: an EtherType (2), a count, the bytes. */
void op_frame(struct bench *bench, uint32_t bits)
{
	static const uint16_t types[] = {ETHERTYPE_IP4, ETHERTYPE_ARP, ETHERTYPE_VLAN,
					 ETHERTYPE_IP6, 100};
	uint16_t ethertype = bits < ARRAY_SIZE(types) ? types[bits] : read_u16(bench);
	size_t length;
	const uint8_t *bytes = fuzz_bytes(bench->input, read_u8(bench), &length);

	frame_finish(bench, ethertype, bytes, length);
}

/* The frame sent `bits` frames ago comes back, as from whom it was sent to. */
void op_mirror(struct bench *bench, uint32_t bits)
{
	const struct sent_frame *sent = wire_sent(bench, bits);
	uint8_t *payload = packet_area();
	size_t length = sent ? sent->length : 0;
	uint8_t swapped[8];
	uint16_t ethertype;

	if (length < ETHERNET_HEADER_LENGTH)
		return;
	ethertype = get_be16(sent->bytes + 2 * MAC_LENGTH);
	length -= ETHERNET_HEADER_LENGTH;
	memcpy(payload, sent->bytes + ETHERNET_HEADER_LENGTH, length);
	if (ethertype == ETHERTYPE_IP4 && length >= IP4_HEADER_MIN + 4) {
		memcpy(swapped, payload + 16, 4);
		memcpy(swapped + 4, payload + 12, 4);
		memcpy(payload + 12, swapped, 8);
		memcpy(swapped, payload + 22, 2); /* the ports, when it has some */
		memcpy(swapped + 2, payload + 20, 2);
		if (payload[9] == IPPROTO_UDP || payload[9] == IPPROTO_UDPLITE ||
		    payload[9] == IPPROTO_TCP)
			memcpy(payload + 20, swapped, 4);
		fix_checksums(payload, length);
	}
	frame_finish(bench, ethertype, payload, length);
}
