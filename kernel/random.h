/*
 * Random numbers: a ChaCha20 generator with fast key erasure, seeded at boot from the device tree
 * (/chosen rng-seed, kaslr-seed), RNDR where the CPU has it, and the counter; stirred by
 * interrupts' arrival times. Code in net/ asks its stack (net_random_*), so that tests can seed it.
 */
#ifndef KERNEL_RANDOM_H
#define KERNEL_RANDOM_H

#include "kernel/types.h"

/* Mixes entropy in. Any context. */
void random_stir(const void *bytes, size_t n);

/* Fills with unpredictable bytes; never blocks. Any context. */
void random_bytes(void *to, size_t n);
uint32_t random_u32(void);
uint64_t random_u64(void);

/* Seeds the generator. Boot, after devicetree_init. */
void random_init(void);

#endif
