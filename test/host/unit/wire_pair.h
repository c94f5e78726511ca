/* Two ends of a wire for whole frames, in place of a TAP: the host's own sockets. */
#ifndef TEST_HOST_UNIT_WIRE_PAIR_H
#define TEST_HOST_UNIT_WIRE_PAIR_H

/* Fills in two non-blocking descriptors; what is written to one is read from the other. 0 or -1. */
int wire_pair_make(int ends[2]);

#endif
