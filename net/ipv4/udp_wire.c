/* UDP and UDP-Lite headers: bytes to a checked structure and back. */
#include "net/ipv4/udp_wire.h"

#include "kernel/string.h"

/* All but the third field, which the two protocols use each in its way. */
static void parse_common(const uint8_t *bytes, struct udp_header *header)
{
	header->source = get_be16(bytes);
	header->destination = get_be16(bytes + 2);
	header->has_checksum = get_be16(bytes + UDP_CHECKSUM_AT) != 0;
}

enum drop_reason udp_parse(const uint8_t *bytes, size_t length, struct udp_header *header)
{
	if (length < UDP_HEADER_LENGTH)
		return DROP_UDP_SHORT;
	parse_common(bytes, header);
	header->length = get_be16(bytes + 4);
	header->covered = header->length;
	if (header->length < UDP_HEADER_LENGTH || header->length > length)
		return DROP_UDP_BAD_LENGTH;
	return DROP_NONE;
}

/* RFC 3828 3.1, RFC3828-2, RFC3828-3, RFC3828-5 */
enum drop_reason udp_lite_parse(const uint8_t *bytes, size_t length, struct udp_header *header)
{
	if (length < UDP_HEADER_LENGTH)
		return DROP_UDP_SHORT;
	parse_common(bytes, header);
	header->length = (uint16_t)length;
	header->covered = get_be16(bytes + 4);
	if (header->covered == 0)
		header->covered = header->length;
	if (header->covered < UDP_HEADER_LENGTH || header->covered > length)
		return DROP_UDPLITE_BAD_COVERAGE;
	return header->has_checksum ? DROP_NONE : DROP_UDPLITE_NO_CHECKSUM;
}

static void emit(const struct udp_header *header, uint16_t third, uint8_t *bytes)
{
	put_be16(bytes, header->source);
	put_be16(bytes + 2, header->destination);
	put_be16(bytes + 4, third);
	put_be16(bytes + UDP_CHECKSUM_AT, 0);
}

void udp_emit(const struct udp_header *header, uint8_t *bytes)
{
	emit(header, header->length, bytes);
}

void udp_lite_emit(const struct udp_header *header, uint8_t *bytes)
{
	emit(header, header->covered, bytes);
}

void udp_put_checksum(uint8_t *bytes, be16 checksum)
{
	if (checksum.raw == 0)
		checksum.raw = 0xffff;
	memcpy(bytes + UDP_CHECKSUM_AT, &checksum, sizeof(checksum));
}
