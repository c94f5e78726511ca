/*
 * SipHash-2-4 (Aumasson and Bernstein): a short-input pseudorandom function. Who does not know the
 * key can neither foresee nor produce its values.
 */
#ifndef KERNEL_LIB_SIPHASH_H
#define KERNEL_LIB_SIPHASH_H

#include "kernel/types.h"

uint64_t siphash(const uint64_t key[2], const void *bytes, size_t length);

#endif
