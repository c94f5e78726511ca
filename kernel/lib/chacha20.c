/*
 * ChaCha20's block function, as RFC 8439 writes it.
 */
#include "kernel/lib/chacha20.h"

#define ROUNDS 20

static uint32_t rotate_left(uint32_t x, uint32_t n)
{
	return x << n | x >> (32 - n);
}

/* RFC 8439 2.1 */
static void quarter_round(uint32_t s[16], int a, int b, int c, int d)
{
	s[a] += s[b];
	s[d] = rotate_left(s[d] ^ s[a], 16);
	s[c] += s[d];
	s[b] = rotate_left(s[b] ^ s[c], 12);
	s[a] += s[b];
	s[d] = rotate_left(s[d] ^ s[a], 8);
	s[c] += s[d];
	s[b] = rotate_left(s[b] ^ s[c], 7);
}

void chacha20_block(uint8_t out[CHACHA20_BLOCK_SIZE], const uint32_t key[CHACHA20_KEY_WORDS],
		    const uint32_t counter_and_nonce[4])
{
	/* RFC 8439 2.3: "expand 32-byte k" */
	uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	uint32_t state[16];

	__builtin_memcpy(start + 4, key, CHACHA20_KEY_WORDS * sizeof(*key));
	__builtin_memcpy(start + 12, counter_and_nonce, 4 * sizeof(*counter_and_nonce));
	__builtin_memcpy(state, start, sizeof(state));
	for (int round = 0; round < ROUNDS; round += 2) {
		quarter_round(state, 0, 4, 8, 12);
		quarter_round(state, 1, 5, 9, 13);
		quarter_round(state, 2, 6, 10, 14);
		quarter_round(state, 3, 7, 11, 15);
		quarter_round(state, 0, 5, 10, 15);
		quarter_round(state, 1, 6, 11, 12);
		quarter_round(state, 2, 7, 8, 13);
		quarter_round(state, 3, 4, 9, 14);
	}
	for (int i = 0; i < 16; i++)
		state[i] += start[i];
	/* The words go out little-endian, as this processor has them. */
	__builtin_memcpy(out, state, sizeof(state));
}
