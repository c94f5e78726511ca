/* UDP headers: bytes to a checked structure and back. */
#include "net/ipv4/udp_wire.h"

#include "kernel/string.h"

enum drop_reason udp_parse(const uint8_t *bytes, size_t length, struct udp_header *header)
{
	if (length < UDP_HEADER_LENGTH)
		return DROP_UDP_SHORT;
	header->source = get_be16(bytes);
	header->destination = get_be16(bytes + 2);
	header->length = get_be16(bytes + 4);
	header->has_checksum = get_be16(bytes + 6) != 0;
	if (header->length < UDP_HEADER_LENGTH || header->length > length)
		return DROP_UDP_BAD_LENGTH;
	return DROP_NONE;
}

void udp_emit(const struct udp_header *header, uint8_t *bytes)
{
	put_be16(bytes, header->source);
	put_be16(bytes + 2, header->destination);
	put_be16(bytes + 4, header->length);
	put_be16(bytes + 6, 0);
}

void udp_put_checksum(uint8_t *bytes, be16 checksum)
{
	if (checksum.raw == 0)
		checksum.raw = 0xffff;
	memcpy(bytes + 6, &checksum, sizeof(checksum));
}
