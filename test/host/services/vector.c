/* kernel/vector.h, which the compiler makes vector instructions of by itself. */
#include "kernel/vector.h"

#include <string.h>

void vector_copy(void *to, const void *from, size_t n)
{
	memcpy(to, from, n);
}

/* The halves of 64-bit words go to two sums, so that no carry has to be looked at. */
uint64_t vector_sum(const void *from, size_t n)
{
	const uint8_t *at = from, *end = at + n;
	uint64_t low = 0, high = 0;

	for (; at < end; at += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		low += (uint32_t)word;
		high += word >> 32;
	}
	return low + high;
}
