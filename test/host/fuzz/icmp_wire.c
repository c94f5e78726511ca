/*
 * ICMP headers, and what errors mean (net/ipv4/icmp_wire.h). The input: two bytes for the length of
 * the packet that an error quotes, then the message; what is missing of its header is 0.
 */
#include "net/ipv4/icmp_wire.h"

#include "include/uapi/icmp.h"
#include "test/host/fuzz/fuzz.h"

static void check_round_trip(const uint8_t *bytes, const struct icmp_header *header)
{
	uint8_t again[ICMP_HEADER_LENGTH];
	struct icmp_header read;

	CHECK(header->info == ((uint32_t)header->id << 16 | header->sequence));
	icmp_emit(header->type, header->code, header->info, again);
	CHECK(again[2] == 0 && again[3] == 0);
	CHECK(memcmp(again, bytes, 2) == 0 && memcmp(again + 4, bytes + 4, 4) == 0);
	icmp_parse(again, &read);
	CHECK(read.type == header->type && read.code == header->code);
	CHECK(read.info == header->info && read.id == header->id);
	CHECK(read.sequence == header->sequence);
}

/* A program always hears of an error that has a number, and of an MTU that IPv4 can live with. */
static void check_meaning(const struct icmp_header *header, const struct ip4_header *inner)
{
	struct icmp_error error = icmp_meaning(header, inner);
	bool needs_fragments = header->type == ICMP_DEST_UNREACH &&
			       header->code == ICMP_FRAG_NEEDED;

	CHECK(error.error > 0 && error.error < 134);
	CHECK(error.type == header->type && error.code == header->code);
	CHECK(error.mtu == 0 || (needs_fragments && error.mtu >= 68 && error.mtu <= 65535));
	if (needs_fragments && (header->info & 0xffff) == 0)
		CHECK(error.mtu == 68 || error.mtu < inner->total_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct ip4_header inner = {.total_length = fuzz_u16(&input),
				   .header_length = IP4_HEADER_MIN};
	struct icmp_header header;
	uint8_t bytes[ICMP_HEADER_LENGTH];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = fuzz_u8(&input);
	icmp_parse(bytes, &header);
	check_round_trip(bytes, &header);
	check_meaning(&header, &inner);
	CHECK(!(icmp_type_is_error(header.type) &&
		(header.type == ICMP_ECHO || header.type == ICMP_ECHOREPLY)));
	return 0;
}
