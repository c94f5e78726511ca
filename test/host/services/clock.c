/* The machine's clock: real, or virtual and moved by hand. */
#include <pthread.h>
#include <time.h>

#include "kernel/clock.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "test/host/services/host.h"
#include "test/host/services/internal.h"

/* Threads read these at any time; they change under the machine's lock. */
static bool is_virtual;
static uint64_t virtual_now_us;

/* With a virtual clock: the thread that moves it, and how it goes on when it would sleep. */
static _Thread_local bool moves_the_clock;
static bool (*sleep_function)(void *context, uint64_t deadline_us);
static void *sleep_context;

static bool clock_is_virtual(void)
{
	return __atomic_load_n(&is_virtual, __ATOMIC_ACQUIRE);
}

static uint64_t virtual_now(void)
{
	return __atomic_load_n(&virtual_now_us, __ATOMIC_ACQUIRE);
}

void host_clock_virtual(uint64_t start_us)
{
	__atomic_store_n(&virtual_now_us, start_us, __ATOMIC_RELEASE);
	__atomic_store_n(&is_virtual, true, __ATOMIC_RELEASE);
	moves_the_clock = true;
}

void host_clock_real(void)
{
	__atomic_store_n(&is_virtual, false, __ATOMIC_RELEASE);
	moves_the_clock = false;
}

void host_clock_advance_to(uint64_t now_us)
{
	assert_always(clock_is_virtual() && now_us >= virtual_now());
	irq_flags_t flags = irq_save();

	__atomic_store_n(&virtual_now_us, now_us, __ATOMIC_RELEASE);
	host_wake_sleepers_due(now_us);
	irq_restore(flags);
}

void host_on_sleep(bool (*advance)(void *context, uint64_t deadline_us), void *context)
{
	sleep_function = advance;
	sleep_context = context;
}

bool host_sleeper_moves_clock(void)
{
	return clock_is_virtual() && moves_the_clock;
}

bool host_sleep_step(uint64_t deadline_us)
{
	return sleep_function && sleep_function(sleep_context, deadline_us);
}

bool host_clock_reaches_by_itself(uint64_t deadline_us, struct timespec *at)
{
	if (deadline_us == TIME_NEVER || clock_is_virtual())
		return false;
	at->tv_sec = (time_t)(deadline_us / USEC_PER_SEC);
	at->tv_nsec = (long)(deadline_us % USEC_PER_SEC * NSEC_PER_USEC);
	return true;
}

uint64_t clock_now_ns(void)
{
	struct timespec now;

	if (clock_is_virtual())
		return virtual_now() * NSEC_PER_USEC;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

uint64_t clock_now_us(void)
{
	return clock_is_virtual() ? virtual_now() : clock_now_ns() / NSEC_PER_USEC;
}

uint64_t clock_realtime_ns(void)
{
	struct timespec now;

	if (clock_is_virtual())
		return virtual_now() * NSEC_PER_USEC;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}
