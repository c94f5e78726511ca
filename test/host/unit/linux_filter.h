/*
 * This machine's own kernel as the judge of classic BPF programs: a filter on a real AF_UNIX
 * datagram socket. Knows nothing of Vitrine, whose headers have the same names.
 */
#ifndef TEST_HOST_UNIT_LINUX_FILTER_H
#define TEST_HOST_UNIT_LINUX_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False: this machine has no such filters, or keeps them from us. */
bool linux_filter_open(void);
void linux_filter_close(void);

/* Attaches `count` instructions of 8 bytes each. 0, or errno. */
int linux_filter_attach(const void *program, uint16_t count);

/* How many of the packet's bytes the attached filter lets through; 0: none. */
size_t linux_filter_verdict(const void *packet, size_t size);

#endif
