#define _GNU_SOURCE 1
#include "userland/lib/clock.h"

#include <stddef.h>

uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * CLOCK_SECOND + (uint64_t)now.tv_nsec / 1000;
}

const struct timespec *clock_timeout(uint64_t deadline, struct timespec *timeout)
{
	uint64_t now = clock_now();
	uint64_t left = deadline > now ? deadline - now : 0;

	if (deadline == CLOCK_NEVER)
		return NULL;
	timeout->tv_sec = (time_t)(left / CLOCK_SECOND);
	timeout->tv_nsec = (long)(left % CLOCK_SECOND) * 1000;
	return timeout;
}
