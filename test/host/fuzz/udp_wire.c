/*
 * UDP headers (net/ipv4/udp_wire.h). The input: two bytes that say how many more bytes the datagram
 * has than can be read, then those that can be read.
 */
#include "net/ipv4/udp_wire.h"

#include "test/host/fuzz/fuzz.h"

static void check_round_trip(const uint8_t *bytes, const struct udp_header *header)
{
	uint8_t again[UDP_HEADER_LENGTH];
	struct udp_header read;

	udp_emit(header, again);
	CHECK(memcmp(again, bytes, 6) == 0);
	CHECK(udp_parse(again, header->length, &read) == DROP_NONE);
	CHECK(!read.has_checksum);
	udp_put_checksum(again, (be16){.raw = (uint16_t)(bytes[6] | bytes[7] << 8)});
	CHECK(udp_parse(again, header->length, &read) == DROP_NONE);
	CHECK(read.has_checksum); /* 0 goes out as 0xffff */
	CHECK(read.source == header->source && read.destination == header->destination);
	CHECK(read.length == header->length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	size_t beyond = fuzz_u16(&input);
	size_t length = input.left < UDP_HEADER_LENGTH ? input.left : input.left + beyond;
	struct udp_header header;
	enum drop_reason reason = udp_parse(input.at, length, &header);

	if (reason == DROP_UDP_SHORT) {
		CHECK(length < UDP_HEADER_LENGTH);
		return 0;
	}
	if (reason == DROP_UDP_BAD_LENGTH) {
		CHECK(header.length < UDP_HEADER_LENGTH || header.length > length);
		return 0;
	}
	CHECK(reason == DROP_NONE);
	CHECK(header.length >= UDP_HEADER_LENGTH && header.length <= length);
	CHECK(header.has_checksum == (input.at[6] || input.at[7]));
	check_round_trip(input.at, &header);
	return 0;
}
