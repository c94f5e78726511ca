/*
 * Ending a program in an orderly way: Ctrl-C and SIGTERM are let in only while it waits, so that
 * none gets lost between a look at stop_requested() and the wait.
 */
#ifndef USERLAND_LIB_STOP_H
#define USERLAND_LIB_STOP_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/* From here on the two signals do nothing but make stop_requested() true. */
void stop_on_signals(void);

bool stop_requested(void);

/*
 * poll() until `deadline` (clock.h; CLOCK_NEVER waits for ever). Returns how many descriptors are
 * ready; 0 at the deadline or when a signal came.
 */
int stop_poll(struct pollfd *descriptors, unsigned count, uint64_t deadline);

#endif
