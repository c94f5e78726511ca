/*
 * nanosleep(2) and clock_nanosleep(2).
 */
#include "include/uapi/time.h"
#include "kernel/clock.h"
#include "kernel/proc/usage.h"
#include "kernel/semaphore.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"
#include "kernel/time/time.h"
#include "kernel/user.h"

/* 0 at the time, -ERESTARTSYS on a signal. */
static int sleep_until(uint64_t deadline_us)
{
	struct semaphore never;

	sem_init(&never, 0);
	return sem_wait_until(&never, deadline_us) == -ETIMEDOUT ? 0 : -ERESTARTSYS;
}

static int give_remaining(user_addr_t to, uint64_t deadline_us)
{
	uint64_t now_us = clock_now_us();
	uint64_t left_us = deadline_us > now_us ? deadline_us - now_us : 0;
	struct timespec left = timespec_from_ns(left_us * NSEC_PER_USEC);

	return to ? copy_to_user(to, &left, sizeof(left)) : 0;
}

static int64_t sleep_for(const struct timespec *time, user_addr_t remaining)
{
	uint64_t deadline_us = restart_deadline(clock_now_us() + timespec_to_us(time));

	if (sleep_until(deadline_us) == 0)
		return 0;
	if (give_remaining(remaining, deadline_us))
		return -EFAULT;
	return restart_until(deadline_us);
}

static int64_t sleep_until_time(const struct timespec *time, bool realtime)
{
	uint64_t deadline_us = timespec_to_us(time);
	uint64_t realtime_us = clock_realtime_ns() / NSEC_PER_USEC;

	if (realtime)
		deadline_us = deadline_us > realtime_us ? clock_now_us() + deadline_us - realtime_us
							: 0;
	return sleep_until(deadline_us) == 0 ? 0 : -ERESTARTNOHAND;
}

SYSCALL2(nanosleep, user_addr_t, time_from, user_addr_t, remaining)
{
	struct timespec time;

	if (copy_from_user(&time, time_from, sizeof(time)))
		return -EFAULT;
	if (!timespec_valid(&time))
		return -EINVAL;
	return sleep_for(&time, remaining);
}

SYSCALL4(clock_nanosleep, int32_t, clock, uint32_t, flags, user_addr_t, time_from, user_addr_t,
	 remaining)
{
	struct timespec time;

	if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_MONOTONIC_RAW ||
	    clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE)
		return -EOPNOTSUPP;
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
		return -EINVAL;
	if (copy_from_user(&time, time_from, sizeof(time)))
		return -EFAULT;
	if (!timespec_valid(&time))
		return -EINVAL;
	if (flags & TIMER_ABSTIME)
		return sleep_until_time(&time, clock == CLOCK_REALTIME);
	return sleep_for(&time, remaining);
}

void sleep_syscalls_init(void)
{
	syscall_register(SYS_nanosleep, sys_nanosleep);
	syscall_register(SYS_clock_nanosleep, sys_clock_nanosleep);
}
