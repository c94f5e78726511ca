/* IPv4 headers: bytes to a checked structure and back (RFC 791 3.1). */
#include "net/ipv4/ipv4_wire.h"

#include "kernel/byteorder.h"
#include "kernel/string.h"
#include "net/core/checksum.h"

#define FLAG_DONT_FRAGMENT 0x4000
#define FLAG_MORE_FRAGMENTS 0x2000
#define OFFSET_MASK 0x1fff /* in units of 8 bytes */

static void read_fields(const uint8_t *bytes, struct ip4_header *header)
{
	uint16_t fragment = get_be16(bytes + 6);

	header->header_length = (uint8_t)((bytes[0] & 15) * 4);
	header->tos = bytes[1];
	header->total_length = get_be16(bytes + 2);
	header->id = get_be16(bytes + 4);
	header->dont_fragment = fragment & FLAG_DONT_FRAGMENT;
	header->more_fragments = fragment & FLAG_MORE_FRAGMENTS;
	header->fragment_offset = (uint16_t)((fragment & OFFSET_MASK) * 8);
	header->ttl = bytes[8];
	header->protocol = bytes[9];
	header->source = get_be32(bytes + 12);
	header->destination = get_be32(bytes + 16);
	header->options = header->header_length > IP4_HEADER_MIN ? bytes + IP4_HEADER_MIN : NULL;
}

/*
 * RFC 1122 3.2.1.1, 3.2.1.2: version and checksum are verified, a packet that fails is silently
 * discarded.
 */
enum drop_reason ip4_parse(const uint8_t *bytes, size_t available, size_t length,
			   struct ip4_header *header)
{
	if (available < IP4_HEADER_MIN)
		return DROP_IP4_SHORT;
	if (bytes[0] >> 4 != 4)
		return DROP_IP4_BAD_VERSION;

	size_t header_length = (bytes[0] & 15u) * 4;

	if (header_length < IP4_HEADER_MIN || header_length > length)
		return DROP_IP4_BAD_HEADER_LENGTH;
	if (header_length > available)
		return DROP_IP4_SHORT;
	if (checksum_fold(checksum_add_header(bytes, header_length)).raw != 0)
		return DROP_IP4_BAD_CHECKSUM;
	read_fields(bytes, header);
	if (header->total_length < header_length || header->total_length > length)
		return DROP_IP4_BAD_TOTAL_LENGTH;
	return DROP_NONE;
}

enum drop_reason ip4_parse_quoted(const uint8_t *bytes, size_t available, struct ip4_header *header)
{
	if (available < IP4_HEADER_MIN)
		return DROP_IP4_SHORT;
	if (bytes[0] >> 4 != 4)
		return DROP_IP4_BAD_VERSION;
	read_fields(bytes, header);
	if (header->header_length < IP4_HEADER_MIN)
		return DROP_IP4_BAD_HEADER_LENGTH;
	if (header->header_length > available)
		return DROP_IP4_SHORT;
	return DROP_NONE;
}

void ip4_emit(const struct ip4_header *header, uint8_t *bytes)
{
	uint16_t fragment = (uint16_t)(header->fragment_offset / 8);

	if (header->dont_fragment)
		fragment |= FLAG_DONT_FRAGMENT;
	if (header->more_fragments)
		fragment |= FLAG_MORE_FRAGMENTS;
	bytes[0] = (uint8_t)(4 << 4 | header->header_length / 4);
	bytes[1] = header->tos;
	put_be16(bytes + 2, header->total_length);
	put_be16(bytes + 4, header->id);
	put_be16(bytes + 6, fragment);
	bytes[8] = header->ttl;
	bytes[9] = header->protocol;
	put_be16(bytes + 10, 0);
	put_be32(bytes + 12, header->source);
	put_be32(bytes + 16, header->destination);
	if (header->header_length > IP4_HEADER_MIN)
		memmove(bytes + IP4_HEADER_MIN, header->options,
			header->header_length - IP4_HEADER_MIN);

	be16 checksum = checksum_fold(checksum_add_header(bytes, header->header_length));

	memcpy(bytes + 10, &checksum, sizeof(checksum));
}
