/*
 * The Internet checksum, RFC 1071. Its sum does not care in which units one adds as long as carries
 * come back in at the bottom, so most of it is summed by words of 32 bits.
 */
#include "net/core/checksum.h"

#include "kernel/vector.h"

#define VECTOR_LEAST 256 /* bytes: below, saving SIMD registers costs more than they gain */

static inline uint64_t load64(const uint8_t *bytes)
{
	uint64_t word;

	__builtin_memcpy(&word, bytes, sizeof(word));
	return word;
}

static inline uint64_t load32(const uint8_t *bytes)
{
	uint32_t word;

	__builtin_memcpy(&word, bytes, sizeof(word));
	return word;
}

static inline uint16_t fold32(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The last 0 to 7 bytes, as they would stand in a word padded with zeroes. */
static inline uint64_t load_rest(const uint8_t *bytes, size_t n)
{
	uint64_t word = 0;
	size_t at = 0;

	if (n & 4) {
		word = load32(bytes);
		at = 4;
	}
	if (n & 2) {
		word |= (uint64_t)(bytes[at] | bytes[at + 1] << 8) << (8 * at);
		at += 2;
	}
	if (n & 1)
		word |= (uint64_t)bytes[at] << (8 * at);
	return word;
}

uint32_t checksum_add(const void *bytes, size_t n, uint32_t initial)
{
	const uint8_t *at = bytes;
	unsigned __int128 sum = initial; /* carries gather in its upper half */

	if (n >= VECTOR_LEAST) {
		size_t part = ALIGN_DOWN(n, (size_t)VECTOR_SUM_STEP);

		sum += vector_sum(at, part);
		at += part;
		n -= part;
	}
	for (; n >= 8; n -= 8, at += 8)
		sum += load64(at);
	sum += load_rest(at, n);

	uint64_t low = (uint64_t)sum;

	return checksum_narrow((low & UINT32_MAX) + (low >> 32) + (uint64_t)(sum >> 64));
}

uint32_t checksum_join(uint32_t sum, uint32_t piece, size_t offset)
{
	/*
	 * A piece at an odd offset has its bytes in the other half of each word (RFC 1071, section
	 * 2 B).
	 */
	if (offset & 1)
		piece = __builtin_bswap16(fold32(piece));
	return checksum_narrow((uint64_t)sum + piece);
}

uint32_t checksum_pseudo4(uint32_t source, uint32_t destination, uint8_t protocol, uint16_t length)
{
	uint64_t sum = (uint64_t)__builtin_bswap32(source) + __builtin_bswap32(destination);

	return checksum_narrow(sum + ((uint32_t)protocol << 8) + __builtin_bswap16(length));
}

be16 checksum_update(be16 checksum, be16 before, be16 after)
{
	/* RFC 1624, equation 3: HC' = ~(~HC + ~m + m'). */
	uint32_t sum = (uint16_t)~checksum.raw + (uint32_t)(uint16_t)~before.raw + after.raw;

	return (be16){(uint16_t)~fold32(sum)};
}
