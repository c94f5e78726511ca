/*
 * Byte order is in the type: a be16, be32 or be64 holds a value as it stands on the wire, and the
 * compiler refuses to compare it with, or assign it to, a number in host order.
 *
 * The get_/put_ functions read and write at any alignment; parsers use them on packet bytes that
 * skb_may_pull has vouched for.
 */
#ifndef KERNEL_BYTEORDER_H
#define KERNEL_BYTEORDER_H

#include "include/uapi/byteorder.h"
#include "kernel/types.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arm64 and x86-64 are little-endian");

static inline be16 cpu_to_be16(uint16_t x)
{
	return (be16){__builtin_bswap16(x)};
}
static inline be32 cpu_to_be32(uint32_t x)
{
	return (be32){__builtin_bswap32(x)};
}
static inline be64 cpu_to_be64(uint64_t x)
{
	return (be64){__builtin_bswap64(x)};
}
static inline uint16_t be16_to_cpu(be16 x)
{
	return __builtin_bswap16(x.raw);
}
static inline uint32_t be32_to_cpu(be32 x)
{
	return __builtin_bswap32(x.raw);
}
static inline uint64_t be64_to_cpu(be64 x)
{
	return __builtin_bswap64(x.raw);
}

static inline uint16_t get_be16(const void *bytes)
{
	uint16_t raw;
	__builtin_memcpy(&raw, bytes, sizeof(raw));
	return __builtin_bswap16(raw);
}

static inline uint32_t get_be32(const void *bytes)
{
	uint32_t raw;
	__builtin_memcpy(&raw, bytes, sizeof(raw));
	return __builtin_bswap32(raw);
}

static inline void put_be16(void *bytes, uint16_t x)
{
	uint16_t raw = __builtin_bswap16(x);
	__builtin_memcpy(bytes, &raw, sizeof(raw));
}

static inline void put_be32(void *bytes, uint32_t x)
{
	uint32_t raw = __builtin_bswap32(x);
	__builtin_memcpy(bytes, &raw, sizeof(raw));
}

static inline uint16_t get_le16(const void *bytes)
{
	uint16_t raw;
	__builtin_memcpy(&raw, bytes, sizeof(raw));
	return raw;
}

static inline uint32_t get_le32(const void *bytes)
{
	uint32_t raw;
	__builtin_memcpy(&raw, bytes, sizeof(raw));
	return raw;
}

#endif
