/*
 * Packet captures in the classic pcap format, microseconds, Ethernet: what wireshark and
 * tcpdump read.
 */
#ifndef TEST_HOST_SIMULATOR_PCAP_H
#define TEST_HOST_SIMULATOR_PCAP_H

#include <stdio.h>

#include "kernel/types.h"

#define PCAP_FRAME_MAX 65549

/* A new file with its header written, or NULL with errno set. */
FILE *pcap_open(const char *path);

/* One frame, flushed, so that a crash leaves what came before it. */
void pcap_write(FILE *pcap, const void *bytes, uint32_t length, uint64_t time_us);

/* One that pcap_open and pcap_write made; NULL with errno set (EINVAL: it is not such a file). */
FILE *pcap_open_read(const char *path);

/*
 * The next frame into `bytes` (PCAP_FRAME_MAX): its length, -ENODATA at the end of the file, or
 * -EINVAL when it is cut or damaged.
 */
int32_t pcap_read(FILE *pcap, uint8_t *bytes, uint64_t *time_us);

#endif
