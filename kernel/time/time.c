/*
 * Reading and setting clocks: clock_gettime(2) and its older relatives. Sleeping is in sleep.c.
 */
#include "include/uapi/time.h"
#include "kernel/clock.h"
#include "kernel/proc/process.h"
#include "kernel/proc/usage.h"
#include "kernel/syscall.h"
#include "kernel/time/cpu_clock.h"
#include "kernel/time/interval.h"
#include "kernel/time/itimer.h"
#include "kernel/time/posix_timer.h"
#include "kernel/time/time.h"
#include "kernel/user.h"

/* Nanoseconds on a clock; false when there is no such clock. */
static bool read_clock(int32_t clock, uint64_t *ns)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		*ns = clock_realtime_ns();
		return true;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = clock_now_ns();
		return true;
	default:
		return cpu_clock_read(clock, ns);
	}
}

SYSCALL2(clock_gettime, int32_t, clock, user_addr_t, to)
{
	struct timespec time;
	uint64_t ns;

	if (!read_clock(clock, &ns))
		return -EINVAL;
	time = timespec_from_ns(ns);
	return copy_to_user(to, &time, sizeof(time));
}

/*
 * Coarse clocks are as fine as the others: reading the counter costs nothing. CPU time is counted
 * in microseconds.
 */
SYSCALL2(clock_getres, int32_t, clock, user_addr_t, to)
{
	struct timespec resolution = {.tv_nsec = cpu_clock_is(clock) ? (int64_t)NSEC_PER_USEC : 1};
	uint64_t ns;

	if (!read_clock(clock, &ns))
		return -EINVAL;
	return to ? copy_to_user(to, &resolution, sizeof(resolution)) : 0;
}

static int64_t set_realtime(const struct timespec *time)
{
	if (!timespec_valid(time) || (uint64_t)time->tv_sec > UINT64_MAX / NSEC_PER_SEC / 2)
		return -EINVAL;
	if (!user_may(CAP_SYS_TIME))
		return -EPERM;
	clock_set_realtime_ns((uint64_t)time->tv_sec * NSEC_PER_SEC + (uint64_t)time->tv_nsec);
	interval_timers_date_set();
	return 0;
}

SYSCALL2(clock_settime, int32_t, clock, user_addr_t, from)
{
	struct timespec time;
	uint64_t ns;

	if (clock != CLOCK_REALTIME)
		return read_clock(clock, &ns) ? -EPERM : -EINVAL;
	if (copy_from_user(&time, from, sizeof(time)))
		return -EFAULT;
	return set_realtime(&time);
}

SYSCALL2(gettimeofday, user_addr_t, time_to, user_addr_t, zone_to)
{
	struct timeval time = timeval_from_us(clock_realtime_ns() / NSEC_PER_USEC);
	struct timezone utc = {0};

	if (time_to && copy_to_user(time_to, &time, sizeof(time)))
		return -EFAULT;
	if (zone_to && copy_to_user(zone_to, &utc, sizeof(utc)))
		return -EFAULT;
	return 0;
}

SYSCALL2(settimeofday, user_addr_t, time_from, user_addr_t, zone_from)
{
	struct timezone zone;
	struct timespec time;
	struct timeval given;

	/*
	 * The kernel keeps UTC: a time zone is read and has no effect, as on every modern system.
	 */
	if (zone_from && copy_from_user(&zone, zone_from, sizeof(zone)))
		return -EFAULT;
	if (!time_from)
		return 0;
	if (copy_from_user(&given, time_from, sizeof(given)))
		return -EFAULT;
	if (given.tv_usec < 0 || given.tv_usec >= (int64_t)USEC_PER_SEC)
		return -EINVAL;
	time.tv_sec = given.tv_sec;
	time.tv_nsec = given.tv_usec * (int64_t)NSEC_PER_USEC;
	return set_realtime(&time);
}

void time_syscalls_init(void)
{
	syscall_register(SYS_clock_gettime, sys_clock_gettime);
	syscall_register(SYS_clock_getres, sys_clock_getres);
	syscall_register(SYS_clock_settime, sys_clock_settime);
	syscall_register(SYS_gettimeofday, sys_gettimeofday);
	syscall_register(SYS_settimeofday, sys_settimeofday);
	sleep_syscalls_init();
	itimer_syscalls_init();
	posix_timer_syscalls_init();
}
