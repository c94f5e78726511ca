/*
 * Work on many bytes with the processor's SIMD registers. Those hold what the running process has
 * in them; every function gives the ones that it used back as they were, so that any context may
 * call, interrupts too.
 */
#ifndef KERNEL_VECTOR_H
#define KERNEL_VECTOR_H

#include "kernel/types.h"

#define VECTOR_COPY_MIN 128
#define VECTOR_SUM_STEP 64

/* As memcpy; n is at least VECTOR_COPY_MIN. Neither range may fault. */
void vector_copy(void *to, const void *from, size_t n);

/* The sum of the 32-bit words, in the processor's order; n is a multiple of VECTOR_SUM_STEP. */
uint64_t vector_sum(const void *from, size_t n);

#endif
