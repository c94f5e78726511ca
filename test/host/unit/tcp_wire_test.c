/* The TCP header and its options: bytes to a structure and back (RFC 9293 3.1, 3.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/types.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_wire.h"

/* A SYN as Linux sends it, from a trace: mss 1460, sackOK, timestamps, nop, wscale 7. */
static const uint8_t syn_bytes[40] = {
	0xc0, 0x01, 0x00, 0x50, 0x12, 0x34, 0x56, 0x78, 0x00, 0x00, 0x00, 0x00, 0xa0, 0x02,
	0xfa, 0xf0, 0x00, 0x00, 0x00, 0x00, 0x02, 0x04, 0x05, 0xb4, 0x04, 0x02, 0x08, 0x0a,
	0x01, 0x02, 0x03, 0x04, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x07,
};
static const struct tcp_header syn_header = {
	.source = 0xc001,
	.destination = 80,
	.seq = 0x12345678,
	.header_length = 40,
	.flags = TCP_SYN,
	.window = 64240,
};
static const struct tcp_options syn_options = {
	.mss = 1460,
	.has_window_scale = true,
	.window_scale = 7,
	.sack_permitted = true,
	.has_timestamps = true,
	.ts_value = 0x01020304,
};

static void assert_options(const struct tcp_options *options, const struct tcp_options *expected)
{
	assert_int_equal(options->mss, expected->mss);
	assert_int_equal(options->has_window_scale, expected->has_window_scale);
	assert_int_equal(options->window_scale, expected->window_scale);
	assert_int_equal(options->sack_permitted, expected->sack_permitted);
	assert_int_equal(options->has_timestamps, expected->has_timestamps);
	assert_int_equal(options->ts_value, expected->ts_value);
	assert_int_equal(options->ts_echo, expected->ts_echo);
	assert_int_equal(options->sack_count, expected->sack_count);
	assert_memory_equal(options->sack, expected->sack, sizeof(options->sack));
	assert_int_equal(options->has_fastopen, expected->has_fastopen);
	assert_int_equal(options->fastopen_length, expected->fastopen_length);
	assert_memory_equal(options->fastopen, expected->fastopen, sizeof(options->fastopen));
}

/* ---- The header ---- */

/* MUST-1 */
static void a_header_is_read(void **state __unused)
{
	struct tcp_header header;

	assert_int_equal(tcp_parse(syn_bytes, sizeof(syn_bytes), &header), DROP_NONE);
	assert_int_equal(header.source, syn_header.source);
	assert_int_equal(header.destination, syn_header.destination);
	assert_int_equal(header.seq, syn_header.seq);
	assert_int_equal(header.ack, 0);
	assert_int_equal(header.header_length, 40);
	assert_int_equal(header.flags, TCP_SYN);
	assert_int_equal(header.window, 64240);
	assert_int_equal(header.urgent, 0);
}

static void every_offset_in_every_length(void **state __unused)
{
	uint8_t bytes[64] = {0};
	struct tcp_header header;

	for (size_t length = 0; length <= sizeof(bytes); length++) {
		for (uint32_t words = 0; words < 16; words++) {
			enum drop_reason expected = DROP_NONE;

			if (length < TCP_HEADER_MIN)
				expected = DROP_TCP_SHORT;
			else if (words < 5 || words * 4 > length)
				expected = DROP_TCP_BAD_OFFSET;
			bytes[12] = (uint8_t)(words << 4);
			assert_int_equal(tcp_parse(bytes, length, &header), expected);
			if (expected == DROP_NONE)
				assert_int_equal(header.header_length, words * 4);
		}
	}
}

/* RFC 9293 3.1: reserved bits are ignored; all eight control bits are read. */
static void every_bit_of_the_flags(void **state __unused)
{
	uint8_t bytes[TCP_HEADER_MIN] = {0};
	struct tcp_header header;

	for (uint32_t flags = 0; flags < 256; flags++) {
		for (uint32_t reserved = 0; reserved < 16; reserved++) {
			bytes[12] = (uint8_t)(0x50 | reserved);
			bytes[13] = (uint8_t)flags;
			assert_int_equal(tcp_parse(bytes, sizeof(bytes), &header), DROP_NONE);
			assert_int_equal(header.flags, flags);
		}
	}
}

/* ---- Options ---- */

/* MUST-4, MUST-5 */
static void options_of_a_syn(void **state __unused)
{
	struct tcp_options options;

	tcp_parse_options(syn_bytes + TCP_HEADER_MIN, 20, true, &options);
	assert_options(&options, &syn_options);
	/* The same bytes in another segment: only the timestamps mean something there. */
	tcp_parse_options(syn_bytes + TCP_HEADER_MIN, 20, false, &options);
	assert_options(&options,
		       &(struct tcp_options){.has_timestamps = true, .ts_value = 0x01020304});
}

static bool says_anything(const struct tcp_options *options)
{
	return options->mss || options->has_window_scale || options->sack_permitted ||
	       options->has_timestamps || options->sack_count || options->has_fastopen;
}

/* Every known kind with every length, of which so many bytes are there, or fewer. */
static void every_length_of_every_kind(void **state __unused)
{
	static const struct {
		uint8_t kind, length;
	} right[] = {{2, 4}, {3, 3}, {4, 2}, {8, 10}};
	uint8_t bytes[TCP_OPTIONS_MAX];

	for (uint32_t i = 0; i < ARRAY_SIZE(right); i++) {
		for (uint32_t length = 0; length < 256; length++) {
			struct tcp_options options;
			bool counts = length == right[i].length;

			memset(bytes, 1, sizeof(bytes));
			bytes[0] = right[i].kind;
			bytes[1] = (uint8_t)length;
			tcp_parse_options(bytes, sizeof(bytes), true, &options);
			assert_int_equal(says_anything(&options), counts);
			tcp_parse_options(bytes, right[i].length - 1u, true, &options);
			assert_false(says_anything(&options));
		}
	}
}

/* MUST-6, MUST-64: unknown ones are skipped; MUST-7: a malformed one ends the reading. */
static void unknown_and_malformed(void **state __unused)
{
	static const uint8_t unknown[] = {77, 5, 1, 2, 3, 2, 4, 0x05, 0xb4};
	static const uint8_t kind_alone[] = {2, 4, 0x05, 0xb4, 77};
	static const uint8_t malformed[] = {2, 4, 0x05, 0xb4, 77, 1, 3, 3, 7};
	static const uint8_t too_long[] = {2, 4, 0x05, 0xb4, 77, 6, 3, 3, 7};
	static const uint8_t ended[] = {0, 2, 4, 0x05, 0xb4};
	const struct tcp_options only_mss = {.mss = 1460}, nothing = {0};
	struct tcp_options options;

	tcp_parse_options(unknown, sizeof(unknown), true, &options);
	assert_options(&options, &only_mss);
	tcp_parse_options(kind_alone, sizeof(kind_alone), true, &options);
	assert_options(&options, &only_mss);
	tcp_parse_options(malformed, sizeof(malformed), true, &options);
	assert_options(&options, &only_mss);
	tcp_parse_options(too_long, sizeof(too_long), true, &options);
	assert_options(&options, &only_mss);
	tcp_parse_options(ended, sizeof(ended), true, &options);
	assert_options(&options, &nothing);
	tcp_parse_options(NULL, 0, true, &options);
	assert_options(&options, &nothing);
}

/* RFC 7323 2.3: more than 14 is taken for 14. */
static void window_scales(void **state __unused)
{
	for (uint32_t scale = 0; scale < 256; scale++) {
		const uint8_t bytes[] = {3, 3, (uint8_t)scale};
		struct tcp_options options;

		tcp_parse_options(bytes, sizeof(bytes), true, &options);
		assert_true(options.has_window_scale);
		assert_int_equal(options.window_scale, MIN(scale, 14u));
	}
}

static void sack_blocks_of_every_length(void **state __unused)
{
	uint8_t bytes[44];

	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	bytes[0] = 5;
	for (uint32_t length = 0; length <= sizeof(bytes); length++) {
		struct tcp_options options;
		bool right = length > 2 && (length - 2) % 8 == 0 && length <= 34;

		bytes[1] = (uint8_t)length;
		tcp_parse_options(bytes, length < 2 ? 2 : length, false, &options);
		assert_int_equal(options.sack_count, right ? (length - 2) / 8 : 0);
		if (!right)
			continue;
		assert_int_equal(options.sack[0].start, 0x02030405);
		assert_int_equal(options.sack[0].end, 0x06070809);
		tcp_parse_options(bytes, length, true, &options); /* of no SYN */
		assert_int_equal(options.sack_count, 0);
	}
}

/* RFC 7413 4.1.1 */
static void fastopen_cookies_of_every_length(void **state __unused)
{
	uint8_t bytes[40] = {34};

	for (uint32_t length = 2; length <= sizeof(bytes); length++) {
		struct tcp_options options;
		uint32_t cookie = length - 2;
		bool right = cookie == 0 || (cookie >= 4 && cookie <= 16 && cookie % 2 == 0);

		bytes[1] = (uint8_t)length;
		memset(bytes + 2, 0xc0, sizeof(bytes) - 2);
		tcp_parse_options(bytes, length, true, &options);
		assert_int_equal(options.has_fastopen, right);
		assert_int_equal(options.fastopen_length, right ? cookie : 0);
		if (right && cookie)
			assert_memory_equal(options.fastopen, bytes + 2, cookie);
	}
}

/* ---- Writing ---- */

static void a_syn_is_written_as_others_do(void **state __unused)
{
	uint8_t bytes[TCP_HEADER_MAX];

	assert_int_equal(tcp_options_length(&syn_options), 20);
	assert_int_equal(tcp_emit(&syn_header, &syn_options, bytes), 40);
	assert_memory_equal(bytes, syn_bytes, sizeof(syn_bytes));
}

static struct tcp_options combination(uint32_t bits, uint8_t blocks)
{
	struct tcp_options options = {
		.mss = bits & 1 ? 536 : 0,
		.sack_permitted = bits & 2,
		.has_window_scale = bits & 4,
		.window_scale = bits & 4 ? 14 : 0,
		.has_timestamps = bits & 8,
		.ts_value = bits & 8 ? 0xfffffffe : 0,
		.ts_echo = bits & 8 ? 0x80000001 : 0,
		.has_fastopen = bits & 48,
		.fastopen_length = bits & 32 ? 8 : 0,
		.sack_count = blocks,
	};

	memset(options.fastopen, 0x5a, options.fastopen_length);
	for (uint32_t i = 0; i < blocks; i++)
		options.sack[i] = (struct tcp_sack_block){0xfffffff0 + i * 100, i * 100 + 50};
	return options;
}

/*
 * What is written is read back the same, in whole words, and never beyond the room there is.
 * MUST-68, MUST-69
 */
static void every_combination_comes_back(void **state __unused)
{
	const struct tcp_header header = {
		.source = 1, .destination = 0xffff, .seq = 1u << 31, .ack = 7, .urgent = 0xabcd};

	for (uint32_t bits = 0; bits < 64; bits++) {
		uint8_t bytes[TCP_HEADER_MAX + 8];
		struct tcp_options options = combination(bits, 0), back;
		struct tcp_header header_back;
		size_t length;

		memset(bytes, 0xee, sizeof(bytes));
		length = tcp_emit(&header, &options, bytes);
		assert_int_equal(length % 4, 0);
		assert_true(length <= TCP_HEADER_MAX);
		assert_int_equal(bytes[length], 0xee);
		assert_int_equal(length, TCP_HEADER_MIN + tcp_options_length(&options));
		assert_int_equal(tcp_parse(bytes, length, &header_back), DROP_NONE);
		assert_int_equal(header_back.header_length, length);
		assert_int_equal(header_back.urgent, 0xabcd);
		tcp_parse_options(bytes + TCP_HEADER_MIN, length - TCP_HEADER_MIN, true, &back);
		assert_options(&back, &options);
	}
}

/* Four blocks without timestamps, three with them: RFC 2018 3. */
static void as_many_blocks_as_there_is_room_for(void **state __unused)
{
	for (uint8_t blocks = 0; blocks <= TCP_SACK_BLOCKS_MAX; blocks++) {
		for (uint32_t timestamps = 0; timestamps <= 8; timestamps += 8) {
			struct tcp_options options = combination(timestamps, blocks), back;
			uint8_t bytes[TCP_HEADER_MAX];
			size_t length = tcp_emit(&syn_header, &options, bytes);

			assert_true(length <= TCP_HEADER_MAX);
			tcp_parse_options(bytes + TCP_HEADER_MIN, length - TCP_HEADER_MIN, false,
					  &back);
			assert_int_equal(back.sack_count, timestamps ? MIN(blocks, 3) : blocks);
			assert_memory_equal(back.sack, options.sack,
					    back.sack_count * sizeof(back.sack[0]));
		}
	}
}

/* ---- Sequence numbers: tcp_seq.h ---- */

static void sequence_numbers_go_round(void **state __unused)
{
	static const uint32_t bases[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffff00, 0xffffffff};

	for (uint32_t i = 0; i < ARRAY_SIZE(bases); i++) {
		uint32_t a = bases[i], b = a + 1, far = a + 0x7fffffff;

		assert_true(seq_before(a, b) && seq_before(a, far) && !seq_before(a, a));
		assert_true(seq_after(b, a) && seq_after(far, a) && !seq_after(a, a));
		assert_true(seq_upto(a, a) && seq_upto(a, b) && !seq_upto(b, a));
		assert_true(seq_from(a, a) && seq_from(b, a) && !seq_from(a, b));
		assert_true(seq_within(a, a, b) && !seq_within(b, a, b) && !seq_within(a, a, a));
		assert_int_equal(seq_max(a, b), b);
		assert_int_equal(seq_min(a, b), a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_read),
		cmocka_unit_test(every_offset_in_every_length),
		cmocka_unit_test(every_bit_of_the_flags),
		cmocka_unit_test(options_of_a_syn),
		cmocka_unit_test(every_length_of_every_kind),
		cmocka_unit_test(unknown_and_malformed),
		cmocka_unit_test(window_scales),
		cmocka_unit_test(sack_blocks_of_every_length),
		cmocka_unit_test(fastopen_cookies_of_every_length),
		cmocka_unit_test(a_syn_is_written_as_others_do),
		cmocka_unit_test(every_combination_comes_back),
		cmocka_unit_test(as_many_blocks_as_there_is_room_for),
		cmocka_unit_test(sequence_numbers_go_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
