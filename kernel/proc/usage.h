/*
 * CPU times in the forms that system calls give them.
 */
#ifndef KERNEL_PROC_USAGE_H
#define KERNEL_PROC_USAGE_H

#include "include/uapi/resource.h"
#include "include/uapi/time.h"
#include "kernel/types.h"

static inline struct timeval timeval_from_us(uint64_t us)
{
	return (struct timeval){
		.tv_sec = (int64_t)(us / USEC_PER_SEC),
		.tv_usec = (int64_t)(us % USEC_PER_SEC),
	};
}

static inline struct timespec timespec_from_ns(uint64_t ns)
{
	return (struct timespec){
		.tv_sec = (int64_t)(ns / NSEC_PER_SEC),
		.tv_nsec = (int64_t)(ns % NSEC_PER_SEC),
	};
}

/*
 * True when it is a time that a call may be given: no negative part, less than a second of
 * nanoseconds.
 */
static inline bool timespec_valid(const struct timespec *time)
{
	return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < (int64_t)NSEC_PER_SEC;
}

/* Microseconds, rounded up so that nobody wakes early; saturates far below TIME_NEVER. */
static inline uint64_t timespec_to_us(const struct timespec *time)
{
	uint64_t seconds = MIN((uint64_t)time->tv_sec, UINT64_MAX / USEC_PER_SEC / 4);

	return seconds * USEC_PER_SEC +
	       ((uint64_t)time->tv_nsec + NSEC_PER_USEC - 1) / NSEC_PER_USEC;
}

/* Times in microseconds, memory in bytes. No fault is a "major" one, which waits for a disk. */
static inline struct rusage rusage_of(uint64_t user_us, uint64_t system_us, uint64_t memory_peak,
				      uint64_t page_faults)
{
	return (struct rusage){
		.ru_utime = timeval_from_us(user_us),
		.ru_stime = timeval_from_us(system_us),
		.ru_maxrss = (int64_t)(memory_peak / 1024),
		.ru_minflt = (int64_t)page_faults,
	};
}

#endif
