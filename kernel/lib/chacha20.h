/*
 * The ChaCha20 block function (RFC 8439 2.3).
 */
#ifndef KERNEL_LIB_CHACHA20_H
#define KERNEL_LIB_CHACHA20_H

#include "kernel/types.h"

#define CHACHA20_KEY_WORDS 8
#define CHACHA20_BLOCK_SIZE 64

/* One block of key stream. `counter_and_nonce`: the block counter, then three words of nonce. */
void chacha20_block(uint8_t out[CHACHA20_BLOCK_SIZE], const uint32_t key[CHACHA20_KEY_WORDS],
		    const uint32_t counter_and_nonce[4]);

#endif
