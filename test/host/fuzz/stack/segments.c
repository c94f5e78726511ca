/*
 * Operations: TCP segments, out of the blue or as answers to ours, so that the input gets into a
 * connection without guessing numbers. Written by hand: what is to be tested does not test itself.
 */
#include "include/uapi/in.h"
#include "kernel/byteorder.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/ipv4_wire.h"
#include "test/host/fuzz/stack/packet.h"
#include "test/host/fuzz/stack/stack.h"

#define TCP_HEADER 20
#define FLAG_FIN 0x01
#define FLAG_SYN 0x02
#define FLAG_RST 0x04
#define FLAG_ACK 0x10
#define OPTION_TIMESTAMPS 8

/* What the second byte of a segment announces. */
#define WITH_MSS 0x01   /* two bytes follow */
#define WITH_SCALE 0x02 /* one */
#define WITH_SACK_OK 0x04
#define WITH_TIMESTAMPS 0x08 /* a signed byte: how far from the one echoed */
#define WITH_SACK 0x10       /* two bytes: where a block begins behind ack, and its length */
#define WITH_RAW 0x20        /* a count and so many bytes */
#define WITH_PAYLOAD 0x40    /* a length */
#define WITH_WINDOW 0x80     /* two bytes; else 65535 */

struct segment {
	uint16_t source, destination;
	uint32_t seq, ack;
	uint8_t flags;
	uint32_t their_timestamp; /* of the segment answered */
};

static size_t put_options(struct bench *bench, uint8_t with, const struct segment *segment,
			  uint8_t *at)
{
	uint8_t *start = at;

	if (with & WITH_MSS) {
		*at++ = 2;
		*at++ = 4;
		put_be16(at, read_u16(bench));
		at += 2;
	}
	if (with & WITH_SCALE) {
		*at++ = 3;
		*at++ = 3;
		*at++ = read_u8(bench);
	}
	if (with & WITH_SACK_OK) {
		*at++ = 4;
		*at++ = 2;
	}
	if (with & WITH_TIMESTAMPS) {
		int32_t offset = read_signed(bench);

		*at++ = OPTION_TIMESTAMPS;
		*at++ = 10;
		put_be32(at, (uint32_t)(bench->now_us / 1000 + (uint64_t)(int64_t)offset));
		put_be32(at + 4, segment->their_timestamp);
		at += 8;
	}
	if (with & WITH_SACK) {
		uint32_t from = segment->ack + read_u8(bench) * 100u;

		*at++ = 5;
		*at++ = 10;
		put_be32(at, from);
		put_be32(at + 4, from + read_u8(bench) * 100u);
		at += 8;
	}
	if (with & WITH_RAW) {
		size_t got;
		const uint8_t *bytes = fuzz_bytes(bench->input, read_u8(bench) % 12u, &got);

		if (got)
			memcpy(at, bytes, got);
		at += got;
	}
	while ((at - start) % 4)
		*at++ = 1;
	return (size_t)(at - start);
}

static void finish_segment(struct bench *bench, struct packet *packet,
			   const struct segment *segment)
{
	uint8_t *bytes = packet->payload, with = read_u8(bench);
	size_t options = put_options(bench, with, segment, bytes + TCP_HEADER);
	size_t header = TCP_HEADER + MIN(options, (size_t)40);
	size_t payload = with & WITH_PAYLOAD ? read_length(bench) : 0;

	put_be16(bytes, segment->source);
	put_be16(bytes + 2, segment->destination);
	put_be32(bytes + 4, segment->seq);
	put_be32(bytes + 8, segment->ack);
	bytes[12] = (uint8_t)(header / 4 << 4);
	bytes[13] = segment->flags;
	put_be16(bytes + 14, with & WITH_WINDOW ? read_u16(bench) : 65535);
	put_be32(bytes + 16, 0);
	for (size_t i = 0; i < payload; i++)
		bytes[header + i] = (uint8_t)(segment->seq + i);
	packet->length = header + payload;
	packet_finish(bench, packet);
}

/* From, to, ports, flags, seq, ack (a byte each, times 65536). */
void op_tcp(struct bench *bench, uint32_t bits)
{
	struct packet packet = {.source = read_address(bench),
				.destination = read_address(bench),
				.protocol = IPPROTO_TCP,
				.id = (uint16_t)bits,
				.payload = packet_area()};
	struct segment segment = {.source = read_port(bench),
				  .destination = read_port(bench),
				  .flags = read_u8(bench),
				  .seq = (uint32_t)read_u8(bench) << 16,
				  .ack = (uint32_t)read_u8(bench) << 16};

	finish_segment(bench, &packet, &segment);
}

/* Our timestamp in a segment of ours, for the echo; 0: it has none. */
static uint32_t timestamp_of(const uint8_t *tcp, size_t length)
{
	size_t end = MIN((size_t)(tcp[12] >> 4) * 4, length);

	for (size_t at = TCP_HEADER; at + 10 <= end; at += tcp[at] == 1 ? 1 : MAX(tcp[at + 1], 1)) {
		if (tcp[at] == OPTION_TIMESTAMPS)
			return get_be32(tcp + at + 2);
	}
	return 0;
}

/* What a peer would say next: everything acknowledged, its next byte where we expect it. */
static struct segment answer_to(const uint8_t *tcp, size_t length, size_t total)
{
	size_t header = (size_t)(tcp[12] >> 4) * 4;
	uint32_t occupied = (uint32_t)(total > header ? total - header : 0);

	if (tcp[13] & (FLAG_SYN | FLAG_FIN))
		occupied++;
	return (struct segment){.source = get_be16(tcp + 2),
				.destination = get_be16(tcp),
				.seq = get_be32(tcp + 8),
				.ack = get_be32(tcp + 4) + occupied,
				.their_timestamp = timestamp_of(tcp, length)};
}

/*
 * An answer to the segment sent `bits` frames ago: flags (0: what is due), then how far sequence
 * and acknowledgement numbers are off (a signed byte each; 128 stands for far).
 */
void op_tcp_answer(struct bench *bench, uint32_t bits)
{
	const struct sent_frame *sent = wire_sent(bench, bits);
	const uint8_t *ip = sent ? sent->bytes + ETHERNET_HEADER_LENGTH : NULL;
	uint8_t flags = read_u8(bench), seq_off = read_u8(bench), ack_off = read_u8(bench);
	size_t header = IP4_HEADER_MIN + ETHERNET_HEADER_LENGTH;

	if (!sent || sent->length < header + TCP_HEADER || ip[9] != IPPROTO_TCP || ip[0] != 0x45)
		return;
	struct segment segment = answer_to(ip + IP4_HEADER_MIN, sent->length - header,
					   get_be16(ip + 2) - (size_t)IP4_HEADER_MIN);
	struct packet packet = {.source = get_be32(ip + 16),
				.destination = get_be32(ip + 12),
				.protocol = IPPROTO_TCP,
				.payload = packet_area()};
	bool first = ip[IP4_HEADER_MIN + 13] == FLAG_SYN;

	if (first) /* it has no acknowledgement to go by: a number of our own */
		segment.seq = 1000000;
	segment.seq += seq_off == 128 ? 1u << 30 : (uint32_t)(int8_t)seq_off;
	segment.ack += ack_off == 128 ? 1u << 30 : (uint32_t)(int8_t)ack_off;
	segment.flags = flags ? flags : (uint8_t)(FLAG_ACK | (first ? FLAG_SYN : 0));
	finish_segment(bench, &packet, &segment);
}
