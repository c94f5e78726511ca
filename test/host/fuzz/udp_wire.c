/*
 * UDP's headers, and the same bytes as UDP-Lite's (net/ipv4/udp_wire.h). The input: two bytes that
 * say how many more bytes the datagram has than can be read, then those that can be read.
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

static void check_udp(const uint8_t *bytes, size_t length)
{
	struct udp_header header;
	enum drop_reason reason = udp_parse(bytes, length, &header);

	if (reason == DROP_UDP_SHORT) {
		CHECK(length < UDP_HEADER_LENGTH);
		return;
	}
	if (reason == DROP_UDP_BAD_LENGTH) {
		CHECK(header.length < UDP_HEADER_LENGTH || header.length > length);
		return;
	}
	CHECK(reason == DROP_NONE);
	CHECK(header.length >= UDP_HEADER_LENGTH && header.length <= length);
	CHECK(header.covered == header.length);
	CHECK(header.has_checksum == (bytes[6] || bytes[7]));
	check_round_trip(bytes, &header);
}

/* A coverage of 0 and one of the whole length mean the same: the second is what is written. */
static void check_lite_round_trip(const uint8_t *bytes, const struct udp_header *header)
{
	uint8_t again[UDP_HEADER_LENGTH];
	struct udp_header read;

	udp_lite_emit(header, again);
	CHECK(memcmp(again, bytes, 4) == 0);
	CHECK(udp_lite_parse(again, header->length, &read) == DROP_UDPLITE_NO_CHECKSUM);
	memcpy(again + 6, bytes + 6, 2);
	CHECK(udp_lite_parse(again, header->length, &read) == DROP_NONE);
	CHECK(read.source == header->source && read.destination == header->destination);
	CHECK(read.length == header->length && read.covered == header->covered);
}

/* What is accepted has its header covered, and nothing beyond its end. */
static void check_lite(const uint8_t *bytes, size_t length)
{
	struct udp_header header;
	enum drop_reason reason = udp_lite_parse(bytes, length, &header);

	if (reason == DROP_UDP_SHORT) {
		CHECK(length < UDP_HEADER_LENGTH);
		return;
	}
	if (reason == DROP_UDPLITE_BAD_COVERAGE) {
		CHECK(header.covered < UDP_HEADER_LENGTH || header.covered > length);
		return;
	}
	CHECK(header.length == length);
	CHECK(header.covered >= UDP_HEADER_LENGTH && header.covered <= length);
	if (reason == DROP_UDPLITE_NO_CHECKSUM) {
		CHECK(!bytes[6] && !bytes[7]);
		return;
	}
	CHECK(reason == DROP_NONE);
	check_lite_round_trip(bytes, &header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	size_t beyond = fuzz_u16(&input);
	size_t length = input.left < UDP_HEADER_LENGTH ? input.left : input.left + beyond;

	check_udp(input.at, length);
	if (length <= UINT16_MAX) /* IP has no longer ones */
		check_lite(input.at, length);
	return 0;
}
