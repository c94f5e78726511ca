/* CRC-32 as zlib and Ethernet count it (IEEE 802.3, reflected). Not for several threads at once. */
#ifndef USERLAND_LIB_CRC32_H
#define USERLAND_LIB_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Adds bytes to a sum that starts as 0. */
uint32_t crc32_add(uint32_t crc, const void *bytes, size_t length);

#endif
