/*
 * TCP headers and options (net/tcp/tcp_wire.h). The input: one byte whose lowest bit says whether
 * the options are a SYN's, two bytes that say how many more bytes the segment has than can be read,
 * then those that can be read.
 */
#include "net/tcp/tcp_wire.h"

#include "test/host/fuzz/fuzz.h"

#define AVAILABLE_MAX 128

static bool same_options(const struct tcp_options *a, const struct tcp_options *b)
{
	return a->mss == b->mss && a->has_window_scale == b->has_window_scale &&
	       (!a->has_window_scale || a->window_scale == b->window_scale) &&
	       a->sack_permitted == b->sack_permitted && a->has_timestamps == b->has_timestamps &&
	       (!a->has_timestamps || (a->ts_value == b->ts_value && a->ts_echo == b->ts_echo)) &&
	       a->sack_count == b->sack_count &&
	       memcmp(a->sack, b->sack, a->sack_count * sizeof(a->sack[0])) == 0 &&
	       a->has_fastopen == b->has_fastopen &&
	       (!a->has_fastopen || (a->fastopen_length == b->fastopen_length &&
				     memcmp(a->fastopen, b->fastopen, a->fastopen_length) == 0));
}

static void check_options(const struct tcp_options *options, bool syn)
{
	CHECK(options->sack_count <= TCP_SACK_BLOCKS_MAX);
	CHECK(!options->has_window_scale || options->window_scale <= TCP_WINDOW_SCALE_MAX);
	if (options->has_fastopen) {
		uint8_t length = options->fastopen_length;

		CHECK(length == 0 || (length >= 4 && length <= 16 && length % 2 == 0));
	}
	if (!syn) {
		CHECK(options->mss == 0 && !options->has_window_scale);
		CHECK(!options->sack_permitted);
	}
}

/*
 * What was read can be written and read again. All of a header's options together may not have room
 * once they are padded: then some SACK blocks are left out, and nothing else.
 */
static void check_round_trip(const struct tcp_header *header, const struct tcp_options *options,
			     bool syn)
{
	uint8_t bytes[TCP_HEADER_MAX];
	size_t planned = tcp_options_length(options);
	struct tcp_options expected = *options, read;
	struct tcp_header again;
	size_t length;

	CHECK(planned <= TCP_OPTIONS_MAX && planned % 4 == 0);
	length = tcp_emit(header, options, bytes);
	CHECK(length == TCP_HEADER_MIN + planned);
	CHECK(tcp_parse(bytes, length, &again) == DROP_NONE);
	CHECK(again.header_length == length);
	CHECK(again.source == header->source && again.destination == header->destination);
	CHECK(again.seq == header->seq && again.ack == header->ack);
	CHECK(again.flags == header->flags && again.window == header->window);
	CHECK(again.urgent == header->urgent);
	tcp_parse_options(bytes + TCP_HEADER_MIN, length - TCP_HEADER_MIN, syn, &read);
	CHECK(read.sack_count <= expected.sack_count);
	expected.sack_count = read.sack_count;
	CHECK(same_options(&expected, &read));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t area[AVAILABLE_MAX];
	struct fuzz_input input = {data, size};
	bool syn = fuzz_u8(&input) & 1;
	size_t beyond = fuzz_u16(&input), available;
	const uint8_t *from = fuzz_bytes(&input, AVAILABLE_MAX, &available);
	uint8_t *bytes = fuzz_copy_to_end(area, sizeof(area), from, available);
	struct tcp_header header;
	struct tcp_options options;

	if (available < TCP_HEADER_MIN)
		beyond = 0;

	enum drop_reason reason = tcp_parse(bytes, available + beyond, &header);

	CHECK(reason == DROP_NONE || reason == DROP_TCP_SHORT || reason == DROP_TCP_BAD_OFFSET);
	if (reason != DROP_NONE)
		return 0;
	CHECK(header.header_length >= TCP_HEADER_MIN && header.header_length <= TCP_HEADER_MAX);
	CHECK(header.header_length <= available + beyond);
	if (header.header_length > available)
		return 0;
	/* The options stand at the end, where nobody may read on. */
	fuzz_copy_to_end(area, sizeof(area), from, header.header_length);
	tcp_parse_options(area + sizeof(area) - header.header_length + TCP_HEADER_MIN,
			  header.header_length - TCP_HEADER_MIN, syn, &options);
	check_options(&options, syn);
	check_round_trip(&header, &options, syn);
	return 0;
}
