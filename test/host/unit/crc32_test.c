/* CRC-32: the values that everybody knows, and eight bytes at once against one bit at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "userland/lib/crc32.h"

static uint32_t bit_by_bit(const uint8_t *bytes, size_t length)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void known_values(void **state)
{
	(void)state;
	assert_int_equal(crc32_add(0, "", 0), 0);
	assert_int_equal(crc32_add(0, "123456789", 9), 0xcbf43926);
	assert_int_equal(crc32_add(0, "The quick brown fox jumps over the lazy dog", 43),
			 0x414fa339);
}

static void every_length_and_alignment(void **state)
{
	uint8_t bytes[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 89 + 7);
	for (size_t start = 0; start < 9; start++)
		for (size_t length = 0; start + length <= sizeof(bytes); length++)
			assert_int_equal(crc32_add(0, bytes + start, length),
					 bit_by_bit(bytes + start, length));
}

static void a_sum_goes_on(void **state)
{
	const char text[] = "a text in two pieces, cut anywhere";
	const size_t length = sizeof(text) - 1;

	(void)state;
	for (size_t cut = 0; cut <= length; cut++)
		assert_int_equal(crc32_add(crc32_add(0, text, cut), text + cut, length - cut),
				 crc32_add(0, text, length));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values),
		cmocka_unit_test(every_length_and_alignment),
		cmocka_unit_test(a_sum_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
