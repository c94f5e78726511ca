/*
 * The Internet checksum against a slow reference: every alignment, every short length, pieces,
 * updates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/random.h"
#include "net/core/checksum.h"

/* RFC 1071 as its section 1 describes it: 16-bit big-endian words, carries brought round. */
static uint16_t reference(const uint8_t *bytes, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i++) {
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

static void every_alignment_and_length(void **state __unused)
{
	for (size_t n = 0; n < 300; n++) {
		for (size_t align = 0; align < 16; align++) {
			uint8_t *block = malloc(align + n +
						1); /* nothing behind: reads beyond the end show */

			random_bytes(block, align + n);
			assert_int_equal(
				be16_to_cpu(checksum_fold(checksum_add(block + align, n, 0))),
				reference(block + align, n, 0));
			free(block);
		}
	}
}

static void long_and_extreme(void **state __unused)
{
	static uint8_t bytes[65536];

	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(be16_to_cpu(checksum_fold(checksum_add(bytes, sizeof(bytes), 0))),
			 reference(bytes, sizeof(bytes), 0));
	assert_int_equal(be16_to_cpu(checksum_fold(checksum_add(bytes, sizeof(bytes), UINT32_MAX))),
			 reference(bytes, sizeof(bytes), 0));
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(checksum_fold(checksum_add(bytes, sizeof(bytes), 0)).raw, 0xffff);
	random_bytes(bytes, sizeof(bytes));
	for (size_t n = 60000; n < 60100; n++)
		assert_int_equal(be16_to_cpu(checksum_fold(checksum_add(bytes, n, 0))),
				 reference(bytes, n, 0));
}

static void chained_pieces(void **state __unused)
{
	uint8_t bytes[512];

	random_bytes(bytes, sizeof(bytes));
	for (size_t cut = 0; cut <= sizeof(bytes); cut += 2) {
		uint32_t sum = checksum_add(bytes, cut, 0);

		sum = checksum_add(bytes + cut, sizeof(bytes) - cut, sum);
		assert_int_equal(be16_to_cpu(checksum_fold(sum)),
				 reference(bytes, sizeof(bytes), 0));
	}
}

static void joined_at_any_offset(void **state __unused)
{
	uint8_t bytes[301];

	random_bytes(bytes, sizeof(bytes));
	for (size_t first = 0; first <= 150; first++) {
		size_t second = first + 77;
		uint32_t sum = checksum_add(bytes, first, 0);

		sum = checksum_join(sum, checksum_add(bytes + first, 77, 0), first);
		sum = checksum_join(sum, checksum_add(bytes + second, sizeof(bytes) - second, 0),
				    second);
		assert_int_equal(be16_to_cpu(checksum_fold(sum)),
				 reference(bytes, sizeof(bytes), 0));
	}
}

static void pseudo_header(void **state __unused)
{
	const uint8_t header[12] = {10, 0, 2, 15, 192, 168, 255, 254, 0, 17, 0x12, 0x35};

	assert_int_equal(
		be16_to_cpu(checksum_fold(checksum_pseudo4(0x0a00020f, 0xc0a8fffe, 17, 0x1235))),
		reference(header, sizeof(header), 0));
	assert_int_equal(
		checksum_fold(checksum_pseudo4(UINT32_MAX, UINT32_MAX, 255, UINT16_MAX)).raw,
		checksum_fold(checksum_add("\xff\xff\xff\xff\xff\xff\xff\xff\0\xff\xff\xff", 12, 0))
			.raw);
}

static void updated_word(void **state __unused)
{
	uint8_t bytes[20];

	for (int round = 0; round < 1000; round++) {
		random_bytes(bytes, sizeof(bytes));
		bytes[0] |= 1; /* data that sums to zero does not occur in headers */
		be16 before, after, sum = checksum_fold(checksum_add(bytes, sizeof(bytes), 0));

		memcpy(&before, bytes + 8, sizeof(before));
		random_bytes(bytes + 8, 2);
		memcpy(&after, bytes + 8, sizeof(after));
		assert_int_equal(checksum_update(sum, before, after).raw,
				 checksum_fold(checksum_add(bytes, sizeof(bytes), 0)).raw);
	}
	/* The example of RFC 1624, section 4. */
	assert_int_equal(be16_to_cpu(checksum_update(cpu_to_be16(0xdd2f), cpu_to_be16(0x5555),
						     cpu_to_be16(0x3285))),
			 0x0000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_alignment_and_length),
		cmocka_unit_test(long_and_extreme),
		cmocka_unit_test(chained_pieces),
		cmocka_unit_test(joined_at_any_offset),
		cmocka_unit_test(pseudo_header),
		cmocka_unit_test(updated_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
