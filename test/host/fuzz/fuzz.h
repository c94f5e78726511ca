/*
 * What the fuzz targets share: the door that libFuzzer calls, checks, and a reader of its input.
 *
 * A target is one file here, or one folder with a file of the same name. It reads its input as it
 * likes, and returns 0; whatever a sanitizer, CHECK or panic() dislikes ends the process, and
 * libFuzzer keeps the input. Nothing may be left of one input when the next one comes: the same
 * bytes must always do the same.
 */
#ifndef TEST_HOST_FUZZ_FUZZ_H
#define TEST_HOST_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernel/printk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold for every input. */
#define CHECK(condition)                                                            \
	do {                                                                        \
		if (!(condition))                                                   \
			panic("%s:%d: not so: %s", __FILE__, __LINE__, #condition); \
	} while (0)

/* The input, read from its beginning. What is not there reads as 0. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t fuzz_u8(struct fuzz_input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->at++;
}

static inline uint16_t fuzz_u16(struct fuzz_input *input)
{
	uint8_t high = fuzz_u8(input);

	return (uint16_t)(high << 8 | fuzz_u8(input));
}

static inline uint32_t fuzz_u32(struct fuzz_input *input)
{
	uint32_t high = fuzz_u16(input);

	return high << 16 | fuzz_u16(input);
}

/* Up to n bytes of it; *got says how many there were. */
static inline const uint8_t *fuzz_bytes(struct fuzz_input *input, size_t n, size_t *got)
{
	const uint8_t *bytes = input->at;

	*got = n < input->left ? n : input->left;
	input->at += *got;
	input->left -= *got;
	return bytes;
}

/*
 * The last n bytes of an array: what a parser may change or must not read beyond. An array is
 * cheaper than memory of the exact size, and a sanitizer watches over its end as well.
 */
static inline uint8_t *fuzz_copy_to_end(uint8_t *array, size_t size, const uint8_t *bytes, size_t n)
{
	uint8_t *to = array + size - n;

	if (n)
		memcpy(to, bytes, n);
	return to;
}

#endif
