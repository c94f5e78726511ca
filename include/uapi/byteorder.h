/*
 * Types of values that stand in network order, in structures that programs and the kernel
 * share. As integers they would be mixed up; kernel/byteorder.h has the functions that convert
 * them.
 */
#ifndef UAPI_BYTEORDER_H
#define UAPI_BYTEORDER_H

#include <stdint.h>

typedef struct {
	uint16_t raw;
} be16;
typedef struct {
	uint32_t raw;
} be32;
typedef struct {
	uint64_t raw;
} be64;

#endif
