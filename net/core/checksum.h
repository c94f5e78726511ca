/*
 * The Internet checksum (RFC 1071). Sums are folded lazily: a 32-bit partial sum of 16-bit words in
 * the order in which they stand in memory, so that no byte is swapped until the end.
 */
#ifndef NET_CORE_CHECKSUM_H
#define NET_CORE_CHECKSUM_H

#include "kernel/byteorder.h"
#include "kernel/types.h"

/*
 * Adds n bytes to `sum`. When pieces are chained, each but the last has an even length. Eight bytes
 * at a time or better.
 */
uint32_t checksum_add(const void *bytes, size_t n, uint32_t sum);

/* From a 64-bit sum to a 32-bit one; the second addition takes in the carry of the first. */
static inline uint32_t checksum_narrow(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (uint32_t)sum;
}

/* The sum of an IPv4 header: n is a multiple of 4, and at least 20. */
static inline uint32_t checksum_add_header(const void *bytes, size_t n)
{
	const uint8_t *at = bytes, *end = at + n;
	uint64_t first, second;
	uint32_t word;

	__builtin_memcpy(&first, at, sizeof(first));
	__builtin_memcpy(&second, at + sizeof(first), sizeof(second));
	unsigned __int128 sum = (unsigned __int128)first + second;

	for (at += sizeof(first) + sizeof(second); at < end; at += sizeof(word)) {
		__builtin_memcpy(&word, at, sizeof(word));
		sum += word;
	}
	first = (uint64_t)sum;
	return checksum_narrow((first & UINT32_MAX) + (first >> 32) + (uint64_t)(sum >> 64));
}

/* Joins the sum of a piece that began at an odd or even `offset` into the whole. */
uint32_t checksum_join(uint32_t sum, uint32_t piece, size_t offset);

/* The 16 bits to store (in memory order): the complement of the folded sum. */
static inline be16 checksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (be16){(uint16_t)~sum};
}

/* The IPv4 pseudo-header's sum; addresses in host order. */
uint32_t checksum_pseudo4(uint32_t source, uint32_t destination, uint8_t protocol, uint16_t length);

/* RFC 1624: the checksum field's new value when one 16-bit word of the data changes. */
be16 checksum_update(be16 checksum, be16 before, be16 after);

#endif
