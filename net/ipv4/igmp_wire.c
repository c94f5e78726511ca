/* IGMP messages: bytes to a checked structure and back. */
#include "net/ipv4/igmp_wire.h"

#include "kernel/byteorder.h"
#include "kernel/string.h"
#include "net/core/checksum.h"

#define V1_MAX_RESPONSE_US (10 * USEC_PER_SEC) /* RFC 3376 7.2.1 */
#define CODE_UNIT_US (100 * USEC_PER_MSEC)

/* RFC 3376 4.1.1: from 128 on, a number of 4 bits with an exponent of 3. */
static uint32_t decode_max_response(uint8_t code)
{
	if (code < 128)
		return code;
	return (uint32_t)((code & 15) | 16) << ((code >> 4 & 7) + 3);
}

static void read_query(const uint8_t *bytes, size_t length, struct igmp_message *message)
{
	uint8_t code = bytes[1];

	if (length >= IGMP_V3_QUERY_LENGTH) {
		message->version = 3;
		message->max_response_us = decode_max_response(code) * CODE_UNIT_US;
	} else if (code == 0) {
		message->version = 1;
		message->max_response_us = V1_MAX_RESPONSE_US;
	} else {
		message->version = 2;
		message->max_response_us = code * CODE_UNIT_US;
	}
}

bool igmp_parse(const uint8_t *bytes, size_t length, struct igmp_message *message)
{
	if (length < IGMP_MESSAGE_LENGTH || checksum_fold(checksum_add(bytes, length, 0)).raw != 0)
		return false;
	*message = (struct igmp_message){.type = bytes[0], .group = get_be32(bytes + 4)};
	if (message->type != IGMP_QUERY)
		return true;
	/* RFC 3376 7.1: a query is of 8 bytes, or of at least 12. */
	if (length > IGMP_MESSAGE_LENGTH && length < IGMP_V3_QUERY_LENGTH)
		return false;
	read_query(bytes, length, message);
	return message->group == 0 || ip4_is_multicast(message->group);
}

static void put_checksum(uint8_t *bytes, size_t length)
{
	be16 checksum = checksum_fold(checksum_add(bytes, length, 0));

	memcpy(bytes + 2, &checksum, sizeof(checksum));
}

void igmp_emit(uint8_t type, ip4_t group, uint8_t *bytes)
{
	bytes[0] = type;
	bytes[1] = 0;
	put_be16(bytes + 2, 0);
	put_be32(bytes + 4, group);
	put_checksum(bytes, IGMP_MESSAGE_LENGTH);
}

void igmp_emit_record(enum igmp_record_type type, ip4_t group, uint8_t *bytes)
{
	bytes[0] = (uint8_t)type;
	bytes[1] = 0;           /* no auxiliary data */
	put_be16(bytes + 2, 0); /* no sources */
	put_be32(bytes + 4, group);
}

void igmp_emit_report_head(uint16_t count, uint8_t *bytes)
{
	memset(bytes, 0, IGMP_MESSAGE_LENGTH);
	bytes[0] = IGMP_V3_REPORT;
	put_be16(bytes + 6, count);
	put_checksum(bytes, IGMP_MESSAGE_LENGTH * (count + 1u));
}
