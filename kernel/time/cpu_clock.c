/*
 * Clocks that count CPU time: see cpu_clock.h.
 *
 * A negative number names a process or a thread: the complement of its id, then three bits, one of
 * which says that it is a thread, and two what counts.
 */
#include "kernel/time/cpu_clock.h"

#include "include/uapi/time.h"
#include "kernel/machine.h"
#include "kernel/proc/process.h"
#include "kernel/proc/sched.h"

#define CLOCK_ID_SHIFT 3
#define CLOCK_OF_THREAD 4
#define CLOCK_KIND_MASK 3
#define CLOCK_KIND_USER 1  /* else all that it used */
#define CLOCK_KIND_OTHER 3 /* a clock device's descriptor: there are none */

static uint64_t process_ns(struct process *process, bool user_only)
{
	uint64_t user_us, system_us;

	sched_account(false);
	process_cpu_time(process, &user_us, &system_us);
	return (user_us + (user_only ? 0 : system_us)) * NSEC_PER_USEC;
}

static uint64_t thread_ns(const struct thread *thread, bool user_only)
{
	sched_account(false);
	return arch_ticks_to_us(thread->user_ticks + (user_only ? 0 : thread->system_ticks)) *
	       NSEC_PER_USEC;
}

bool cpu_clock_is(int32_t clock)
{
	return clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
}

/* Id 0: the caller. */
static bool read_named(int32_t id, uint32_t kind, uint64_t *ns)
{
	bool user_only = (kind & CLOCK_KIND_MASK) == CLOCK_KIND_USER;

	if (kind & CLOCK_OF_THREAD) {
		const struct thread *thread = id ? thread_find(id) : current_thread();

		if (!thread || thread->process != current_process())
			return false;
		*ns = thread_ns(thread, user_only);
	} else {
		struct process *process = id ? process_find(id) : current_process();

		if (!process)
			return false;
		*ns = process_ns(process, user_only);
	}
	return true;
}

bool cpu_clock_read(int32_t clock, uint64_t *ns)
{
	uint32_t kind = (uint32_t)clock & (CLOCK_OF_THREAD | CLOCK_KIND_MASK);

	if (clock >= 0) {
		kind = clock == CLOCK_THREAD_CPUTIME_ID ? CLOCK_OF_THREAD : 0;
		return cpu_clock_is(clock) && read_named(0, kind, ns);
	}
	if ((kind & CLOCK_KIND_MASK) == CLOCK_KIND_OTHER)
		return false;
	return read_named((int32_t)(~(uint32_t)clock >> CLOCK_ID_SHIFT), kind, ns);
}
