/*
 * Numbers in network byte order, at any alignment. Included by .c files only, so that a program may
 * use a library of this directory beside another definition of these names.
 */
#ifndef USERLAND_LIB_BYTES_H
#define USERLAND_LIB_BYTES_H

#include <stdint.h>

static inline uint16_t get_be16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t get_be32(const uint8_t *bytes)
{
	return (uint32_t)get_be16(bytes) << 16 | get_be16(bytes + 2);
}

static inline void put_be16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static inline void put_be32(uint8_t *bytes, uint32_t value)
{
	put_be16(bytes, (uint16_t)(value >> 16));
	put_be16(bytes + 2, (uint16_t)value);
}

#endif
