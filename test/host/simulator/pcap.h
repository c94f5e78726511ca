/*
 * Packet captures in the classic pcap format, microseconds, Ethernet: what wireshark and
 * tcpdump read.
 */
#ifndef TEST_HOST_SIMULATOR_PCAP_H
#define TEST_HOST_SIMULATOR_PCAP_H

#include <stdio.h>

#include "kernel/types.h"

/* A new file with its header written, or NULL with errno set. */
FILE *pcap_open(const char *path);

/* One frame, flushed, so that a crash leaves what came before it. */
void pcap_write(FILE *pcap, const void *bytes, uint32_t length, uint64_t time_us);

#endif
