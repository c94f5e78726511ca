/* Segmentation of TCP over IPv4 in software; see segment.h. */
#include "net/core/segment.h"

#include "include/uapi/in.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/string.h"
#include "net/core/checksum.h"

/* Where the fields stand: RFC 791 3.1, RFC 9293 3.1. */
enum {
	IP_LENGTH_AT = 2,
	IP_ID_AT = 4,
	IP_FRAGMENT_AT = 6,
	IP_PROTOCOL_AT = 9,
	IP_CHECKSUM_AT = 10,
	IP_SOURCE_AT = 12,
	IP_DESTINATION_AT = 16,
	IP_HEADER_LEAST = 20,
	TCP_SEQUENCE_AT = 4,
	TCP_OFFSET_AT = 12,
	TCP_FLAGS_AT = 13,
	TCP_CHECKSUM_AT = 16,
	TCP_URGENT_AT = 18,
	TCP_HEADER_LEAST = 20,
};

#define IP_FRAGMENT_BITS 0x3fff /* more fragments, and the offset */

#define FLAG_FIN 0x01
#define FLAG_SYN 0x02
#define FLAG_RST 0x04
#define FLAG_PSH 0x08
#define FLAG_URG 0x20
#define FLAG_CWR 0x80

/* In front of each segment: room for what a device puts there. */
#define SEGMENT_HEADROOM 32

/* The headers of a packet, in bytes. */
struct shape {
	uint32_t network; /* from data to the IP header */
	uint32_t ip, tcp;
};

static uint32_t headers_length(const struct shape *shape)
{
	return shape->network + shape->ip + shape->tcp;
}

static uint32_t ip_header_length(const uint8_t *ip)
{
	return (ip[0] & 15u) * 4;
}

static uint32_t tcp_header_length(const uint8_t *tcp)
{
	return (tcp[TCP_OFFSET_AT] >> 4) * 4u;
}

/* Makes n bytes readable at data. 0, -EINVAL: there are not as many, -ENOMEM. */
static int pull(struct sk_buff *skb, size_t n)
{
	if (n > skb->len)
		return -EINVAL;
	return skb_may_pull(skb, n) ? 0 : -ENOMEM;
}

static bool ip_header_is_sound(const uint8_t *ip, uint32_t packet_length)
{
	return ip[0] >> 4 == 4 && ip_header_length(ip) >= IP_HEADER_LEAST &&
	       ip[IP_PROTOCOL_AT] == IPPROTO_TCP &&
	       !(get_be16(ip + IP_FRAGMENT_AT) & IP_FRAGMENT_BITS) &&
	       get_be16(ip + IP_LENGTH_AT) == packet_length;
}

/* 0, -EINVAL or -ENOMEM. */
static int find_shape(struct sk_buff *skb, size_t network, struct shape *shape)
{
	shape->network = (uint32_t)network;
	int error = pull(skb, network + IP_HEADER_LEAST);

	if (error)
		return error;
	if (!ip_header_is_sound(skb->data + network, skb->len - shape->network))
		return -EINVAL;
	shape->ip = ip_header_length(skb->data + network);
	error = pull(skb, network + shape->ip + TCP_HEADER_LEAST);
	if (error)
		return error;

	const uint8_t *tcp = skb->data + network + shape->ip;

	shape->tcp = tcp_header_length(tcp);
	if (shape->tcp < TCP_HEADER_LEAST || tcp[TCP_FLAGS_AT] & (FLAG_SYN | FLAG_RST) ||
	    headers_length(shape) >= skb->len)
		return -EINVAL;
	return pull(skb, headers_length(shape));
}

/* A checksum left to be filled in is this segment's, and not elsewhere. */
static bool checksum_is_tcps(const struct sk_buff *skb, const struct shape *shape)
{
	return skb->checksum != SKB_CHECKSUM_PARTIAL ||
	       (skb->csum_offset == TCP_CHECKSUM_AT &&
		skb->csum_start == skb_headroom(skb) + shape->network + shape->ip);
}

static int check(struct sk_buff *skb, size_t network, struct shape *shape)
{
	if (skb->gso_size < GSO_SIZE_MIN || (skb->gso_type & ~SKB_GSO_ECN) != SKB_GSO_TCP4)
		return -EINVAL;
	int error = find_shape(skb, network, shape);

	return error || checksum_is_tcps(skb, shape) ? error : -EINVAL;
}

int skb_check_segmentable(struct sk_buff *skb, size_t network)
{
	struct shape shape;

	return check(skb, network, &shape);
}

/* How far the payload has been given out: a place in the linear area, then in the fragments. */
struct payload_cursor {
	uint32_t linear;   /* bytes of the linear area given out, headers included */
	uint32_t fragment; /* the current one */
	uint32_t offset;   /* into it */
};

static void copy_fields(struct sk_buff *to, const struct sk_buff *from, const struct shape *shape)
{
	to->dev = from->dev;
	to->protocol = from->protocol;
	to->packet_type = from->packet_type;
	to->time_us = from->time_us;
	memcpy(to->control, from->control, sizeof(to->control));
	skb_mark_link_header(to);
	to->network_offset = (uint16_t)(to->link_offset + shape->network);
	to->transport_offset = (uint16_t)(to->network_offset + shape->ip);
}

/* Appends n bytes of pages that `to` shares with `from`; there is always room: see the caller. */
static void share_pages(struct sk_buff *to, const struct sk_buff *from,
			struct payload_cursor *cursor, uint32_t n)
{
	while (n > 0) {
		const struct skb_fragment *fragment = &from->fragments[cursor->fragment];
		uint32_t part = MIN(n, fragment->length - cursor->offset);

		page_get(fragment->page);
		if (skb_add_fragment(to, fragment->page, fragment->offset + cursor->offset, part))
			page_put(fragment->page);
		n -= part;
		cursor->offset += part;
		if (cursor->offset < fragment->length)
			continue;
		cursor->fragment++;
		cursor->offset = 0;
	}
}

/* The headers as they are, and the next n bytes of payload. NULL: no memory. */
static struct sk_buff *make_segment(const struct sk_buff *skb, const struct shape *shape,
				    struct payload_cursor *cursor, uint32_t n)
{
	uint32_t headers = headers_length(shape);
	uint32_t linear = MIN(n, (uint32_t)skb_linear_len(skb) - cursor->linear);
	struct sk_buff *segment = skb_alloc(skb->net, SEGMENT_HEADROOM + headers + linear);

	if (!segment)
		return NULL;
	skb_reserve(segment, SEGMENT_HEADROOM);
	copy_fields(segment, skb, shape);
	memcpy(skb_put(segment, headers), skb->data, headers);
	memcpy(skb_put(segment, linear), skb->data + cursor->linear, linear);
	cursor->linear += linear;
	share_pages(segment, skb, cursor, n - linear);
	return segment;
}

static void fix_ip_header(uint8_t *ip, const struct shape *shape, uint32_t length, uint32_t index)
{
	put_be16(ip + IP_LENGTH_AT, (uint16_t)length);
	put_be16(ip + IP_ID_AT, (uint16_t)(get_be16(ip + IP_ID_AT) + index));
	put_be16(ip + IP_CHECKSUM_AT, 0);

	be16 checksum = checksum_fold(checksum_add(ip, shape->ip, 0));

	memcpy(ip + IP_CHECKSUM_AT, &checksum, sizeof(checksum));
}

/* `offset` is the payload's in the whole; the urgent pointer counts from the sequence number. */
static void fix_tcp_header(uint8_t *tcp, uint32_t offset, bool last)
{
	uint16_t urgent = get_be16(tcp + TCP_URGENT_AT);

	put_be32(tcp + TCP_SEQUENCE_AT, get_be32(tcp + TCP_SEQUENCE_AT) + offset);
	if (!last)
		tcp[TCP_FLAGS_AT] &= (uint8_t) ~(FLAG_FIN | FLAG_PSH);
	if (offset > 0)
		tcp[TCP_FLAGS_AT] &= (uint8_t)~FLAG_CWR;
	if (!(tcp[TCP_FLAGS_AT] & FLAG_URG) || offset == 0)
		return;
	if (urgent <= offset)
		tcp[TCP_FLAGS_AT] &= (uint8_t)~FLAG_URG;
	put_be16(tcp + TCP_URGENT_AT, urgent > offset ? (uint16_t)(urgent - offset) : 0);
}

/* Leaves the sum over the payload to dev_xmit or the device. */
static void ask_for_checksum(struct sk_buff *segment, const struct shape *shape, uint32_t length)
{
	uint8_t *ip = skb_network_header(segment), *tcp = skb_transport_header(segment);
	uint32_t sum = checksum_pseudo4(get_be32(ip + IP_SOURCE_AT),
					get_be32(ip + IP_DESTINATION_AT), IPPROTO_TCP,
					(uint16_t)(length - shape->ip));
	be16 pseudo = {(uint16_t)~checksum_fold(sum).raw};

	memcpy(tcp + TCP_CHECKSUM_AT, &pseudo, sizeof(pseudo));
	segment->checksum = SKB_CHECKSUM_PARTIAL;
	segment->csum_start = segment->transport_offset;
	segment->csum_offset = TCP_CHECKSUM_AT;
}

/* 0, or -ENOMEM with some of the segments made. */
static int cut(const struct sk_buff *skb, const struct shape *shape, struct skb_queue *segments)
{
	uint32_t headers = headers_length(shape), payload = skb->len - headers;
	struct payload_cursor cursor = {.linear = headers};

	for (uint32_t offset = 0, index = 0; offset < payload; offset += skb->gso_size, index++) {
		uint32_t n = MIN(skb->gso_size, payload - offset);
		struct sk_buff *segment = make_segment(skb, shape, &cursor, n);
		uint32_t ip_length = shape->ip + shape->tcp + n;

		if (!segment)
			return -ENOMEM;
		fix_ip_header(skb_network_header(segment), shape, ip_length, index);
		fix_tcp_header(skb_transport_header(segment), offset, offset + n == payload);
		ask_for_checksum(segment, shape, ip_length);
		skb_queue_append(segments, segment);
	}
	return 0;
}

int skb_segment(struct sk_buff *skb, struct skb_queue *segments)
{
	struct shape shape;
	struct sk_buff *segment;

	skb_queue_init(segments);
	if (skb->network_offset < skb_headroom(skb))
		return -EINVAL;
	int error = check(skb, skb->network_offset - skb_headroom(skb), &shape);

	if (!error)
		error = cut(skb, &shape, segments);
	if (!error) {
		skb_free(skb);
		return 0;
	}
	while ((segment = skb_queue_take(segments)))
		skb_free(segment);
	return error;
}

uint32_t skb_segment_length(const struct sk_buff *skb)
{
	if (!skb->gso_size)
		return skb->len;
	uint32_t ip = ip_header_length(skb->data);

	return MIN(skb->len, ip + tcp_header_length(skb->data + ip) + skb->gso_size);
}
