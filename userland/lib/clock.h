/* Monotonic time in microseconds, as everything in this directory counts it. */
#ifndef USERLAND_LIB_CLOCK_H
#define USERLAND_LIB_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND 1000000ull
#define CLOCK_NEVER UINT64_MAX

uint64_t clock_now(void);

/* How long ppoll() may wait from now until `deadline`; NULL, for ever, when that is CLOCK_NEVER. */
const struct timespec *clock_timeout(uint64_t deadline, struct timespec *timeout);

#endif
