/*
 * IPv4 headers (net/ipv4/ipv4_wire.h), whole and as ICMP errors quote them.
 *
 * The input: one byte whose lowest bit asks for a right checksum, two bytes that say how many more
 * bytes the packet has than can be read, and the bytes that can be read.
 */
#include "net/ipv4/ipv4_wire.h"

#include "kernel/byteorder.h"
#include "net/core/checksum.h"
#include "test/host/fuzz/fuzz.h"

#define RIGHT_CHECKSUM 1
#define AVAILABLE_MAX 128

static bool same(const struct ip4_header *a, const struct ip4_header *b)
{
	return a->source == b->source && a->destination == b->destination &&
	       a->total_length == b->total_length && a->id == b->id &&
	       a->fragment_offset == b->fragment_offset && a->header_length == b->header_length &&
	       a->tos == b->tos && a->ttl == b->ttl && a->protocol == b->protocol &&
	       a->dont_fragment == b->dont_fragment && a->more_fragments == b->more_fragments &&
	       memcmp(a->options ? a->options : (const uint8_t *)"",
		      b->options ? b->options : (const uint8_t *)"",
		      a->header_length - IP4_HEADER_MIN) == 0;
}

static void check_fields(const uint8_t *bytes, size_t available, const struct ip4_header *header)
{
	CHECK(header->header_length >= IP4_HEADER_MIN);
	CHECK(header->header_length <= IP4_HEADER_MAX);
	CHECK(header->header_length % 4 == 0 && header->header_length <= available);
	CHECK(header->fragment_offset % 8 == 0);
	CHECK(header->options == (header->header_length > 20 ? bytes + 20 : NULL));
}

/* Written and read once more it is the same, and so are the bytes, but for the reserved bit. */
static void check_round_trip(const uint8_t *bytes, const struct ip4_header *header)
{
	uint8_t again[IP4_HEADER_MAX];
	struct ip4_header read;

	ip4_emit(header, again);
	CHECK(ip4_parse(again, header->header_length, header->total_length, &read) == DROP_NONE);
	CHECK(same(header, &read));
	if (bytes[6] & 0x80)
		return;
	again[10] = bytes[10]; /* 0 has two forms */
	again[11] = bytes[11];
	CHECK(memcmp(again, bytes, header->header_length) == 0);
}

static void check_parse(const uint8_t *bytes, size_t available, size_t length)
{
	struct ip4_header header, quoted;
	enum drop_reason reason = ip4_parse(bytes, available, length, &header);

	if (reason == DROP_NONE) {
		check_fields(bytes, available, &header);
		CHECK(header.total_length >= header.header_length);
		CHECK(header.total_length <= length);
		check_round_trip(bytes, &header);
		CHECK(ip4_parse_quoted(bytes, available, &quoted) == DROP_NONE);
		CHECK(same(&header, &quoted));
		return;
	}
	CHECK(reason == DROP_IP4_SHORT || reason == DROP_IP4_BAD_VERSION ||
	      reason == DROP_IP4_BAD_HEADER_LENGTH || reason == DROP_IP4_BAD_CHECKSUM ||
	      reason == DROP_IP4_BAD_TOTAL_LENGTH);
	reason = ip4_parse_quoted(bytes, available, &quoted);
	if (reason == DROP_NONE)
		check_fields(bytes, available, &quoted);
}

static void fix_checksum(uint8_t *bytes, size_t available)
{
	size_t length = available ? (bytes[0] & 15u) * 4 : 0;
	be16 checksum;

	if (length < IP4_HEADER_MIN || length > available)
		return;
	put_be16(bytes + 10, 0);
	checksum = checksum_fold(checksum_add(bytes, length, 0));
	memcpy(bytes + 10, &checksum, sizeof(checksum));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t area[AVAILABLE_MAX];
	struct fuzz_input input = {data, size};
	uint8_t flags = fuzz_u8(&input);
	size_t beyond = fuzz_u16(&input), available;
	const uint8_t *from = fuzz_bytes(&input, AVAILABLE_MAX, &available);
	uint8_t *bytes = fuzz_copy_to_end(area, sizeof(area), from, available);

	if (flags & RIGHT_CHECKSUM)
		fix_checksum(bytes, available);
	check_parse(bytes, available, available + beyond);
	return 0;
}
