#include "userland/lib/crc32.h"

#include <stdbool.h>

#define POLYNOMIAL 0xedb88320 /* reflected */

enum { STRIDE = 8, BYTES = 256, BYTE_BITS = 8 };

/*
 * remainders[n][byte]: what the byte leaves of the division when n more bytes follow it. With eight
 * tables, eight bytes are divided at once.
 */
static uint32_t remainders[STRIDE][BYTES];
static bool ready;

static uint32_t remainder_of_byte(uint32_t byte)
{
	for (int bit = 0; bit < BYTE_BITS; bit++)
		byte = byte >> 1 ^ (byte & 1 ? POLYNOMIAL : 0);
	return byte;
}

static void make_tables(void)
{
	for (uint32_t byte = 0; byte < BYTES; byte++)
		remainders[0][byte] = remainder_of_byte(byte);
	for (int n = 1; n < STRIDE; n++) {
		for (uint32_t byte = 0; byte < BYTES; byte++) {
			uint32_t before = remainders[n - 1][byte];

			remainders[n][byte] = before >> BYTE_BITS ^ remainders[0][before & 0xff];
		}
	}
	ready = true;
}

static uint32_t divide_eight(uint32_t crc, const uint8_t *at)
{
	uint32_t first = crc ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
				(uint32_t)at[3] << 24);

	return remainders[7][first & 0xff] ^ remainders[6][first >> 8 & 0xff] ^
	       remainders[5][first >> 16 & 0xff] ^ remainders[4][first >> 24] ^
	       remainders[3][at[4]] ^ remainders[2][at[5]] ^ remainders[1][at[6]] ^
	       remainders[0][at[7]];
}

uint32_t crc32_add(uint32_t crc, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	if (!ready)
		make_tables();
	crc = ~crc;
	for (; length >= STRIDE; length -= STRIDE, at += STRIDE)
		crc = divide_eight(crc, at);
	for (; length; length--, at++)
		crc = crc >> BYTE_BITS ^ remainders[0][(crc ^ *at) & 0xff];
	return ~crc;
}
