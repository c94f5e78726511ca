/*
 * IGMP messages (net/ipv4/igmp_wire.h). The input: one byte whose lowest bit asks for a right
 * checksum, then the message. The same bytes are also read as groups that are to be reported.
 */
#include "net/ipv4/igmp_wire.h"

#include "kernel/byteorder.h"
#include "kernel/types.h"
#include "net/core/checksum.h"
#include "test/host/fuzz/fuzz.h"

#define RIGHT_CHECKSUM 1
#define MESSAGE_MAX 256
#define RESPONSE_MAX_US (31 * 1024 * 100 * USEC_PER_MSEC) /* the largest code of RFC 3376 4.1.1 */

static void check_parse(const uint8_t *bytes, size_t length)
{
	struct igmp_message message;

	if (!igmp_parse(bytes, length, &message))
		return;
	CHECK(length >= IGMP_MESSAGE_LENGTH);
	CHECK(message.type == bytes[0] && message.group == get_be32(bytes + 4));
	if (message.type != IGMP_QUERY)
		return;
	CHECK(message.group == 0 || ip4_is_multicast(message.group));
	CHECK(message.version >= 1 && message.version <= 3);
	CHECK((message.version == 3) == (length >= IGMP_V3_QUERY_LENGTH));
	CHECK(message.max_response_us <= RESPONSE_MAX_US);
}

/* Versions 1 and 2. */
static void check_emit(struct fuzz_input input)
{
	static const uint8_t types[] = {IGMP_V1_REPORT, IGMP_V2_REPORT, IGMP_V2_LEAVE};
	uint8_t type = types[fuzz_u8(&input) % ARRAY_SIZE(types)], bytes[IGMP_MESSAGE_LENGTH];
	ip4_t group = fuzz_u32(&input);
	struct igmp_message message;

	igmp_emit(type, group, bytes);
	CHECK(igmp_parse(bytes, sizeof(bytes), &message));
	CHECK(message.type == type && message.group == group);
}

static void check_report(struct fuzz_input input)
{
	uint8_t bytes[MESSAGE_MAX + IGMP_MESSAGE_LENGTH];
	struct igmp_message message;
	uint16_t count = 0;

	while (input.left >= 5 && count < MESSAGE_MAX / IGMP_MESSAGE_LENGTH) {
		enum igmp_record_type type = 1 + fuzz_u8(&input) % 4;

		count++;
		igmp_emit_record(type, fuzz_u32(&input), bytes + IGMP_MESSAGE_LENGTH * count);
	}
	igmp_emit_report_head(count, bytes);
	CHECK(igmp_parse(bytes, IGMP_MESSAGE_LENGTH * (count + 1u), &message));
	CHECK(message.type == IGMP_V3_REPORT && get_be16(bytes + 6) == count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t area[MESSAGE_MAX];
	struct fuzz_input input = {data, size};
	uint8_t flags = fuzz_u8(&input);
	size_t length;
	const uint8_t *from = fuzz_bytes(&input, MESSAGE_MAX, &length);
	uint8_t *bytes = fuzz_copy_to_end(area, sizeof(area), from, length);

	if (flags & RIGHT_CHECKSUM && length >= 4) {
		put_be16(bytes + 2, 0);
		be16 checksum = checksum_fold(checksum_add(bytes, length, 0));

		memcpy(bytes + 2, &checksum, sizeof(checksum));
	}
	check_parse(bytes, length);
	check_emit((struct fuzz_input){from, length});
	check_report((struct fuzz_input){from, length});
	return 0;
}
