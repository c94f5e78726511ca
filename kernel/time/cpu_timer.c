/*
 * Watching CPU time: see cpu_timer.h.
 *
 * CPU time runs no faster than the clock: a process is looked at when it could have used up what
 * was left, and no sooner than a tick later, so that one that sleeps just before its time costs
 * little. A signal may come so much late.
 */
#include "kernel/time/cpu_timer.h"

#include "include/uapi/resource.h"
#include "include/uapi/signal.h"
#include "kernel/clock.h"
#include "kernel/lock.h"
#include "kernel/signal/signal.h"

#define TICK_US (10 * USEC_PER_MSEC)

struct cpu_use {
	uint64_t user_us, all_us;
};

static struct cpu_use use_of(struct process *process)
{
	uint64_t user_us, system_us;
	irq_flags_t flags = irq_save();

	process_cpu_time(process, &user_us, &system_us);
	irq_restore(flags);
	return (struct cpu_use){user_us, user_us + system_us};
}

uint64_t cpu_timer_used_us(struct process *process, const struct cpu_interval *interval)
{
	struct cpu_use use = use_of(process);

	return interval == &process->virtual_timer ? use.user_us : use.all_us;
}

/* Sends the signal if it is time. Microseconds that are left, or TIME_NEVER. */
static uint64_t run_interval(struct process *process, struct cpu_interval *interval,
			     uint64_t used_us, int signal)
{
	if (!interval->due_us)
		return TIME_NEVER;
	if (used_us < interval->due_us)
		return interval->due_us - used_us;
	signal_send_process(process, signal);
	if (!interval->interval_us) {
		interval->due_us = 0;
		return TIME_NEVER;
	}
	uint64_t missed = (used_us - interval->due_us) / interval->interval_us;
	interval->due_us += (missed + 1) * interval->interval_us;
	return interval->due_us - used_us;
}

/* From the soft limit on SIGXCPU once a second, at the hard one SIGKILL. As run_interval. */
static uint64_t check_limit(struct process *process, uint64_t used_us)
{
	const struct rlimit *limit = &process->limits[RLIMIT_CPU];
	uint64_t used_s = used_us / USEC_PER_SEC, next_s;

	if (used_s >= limit->rlim_max) {
		signal_send_process(process, SIGKILL);
		return TIME_NEVER;
	}
	if (used_s >= MAX(limit->rlim_cur, process->cpu_warning_s)) {
		signal_send_process(process, SIGXCPU);
		process->cpu_warning_s = used_s + 1;
	}
	next_s = MIN(MAX(limit->rlim_cur, process->cpu_warning_s), limit->rlim_max);
	return next_s > TIME_NEVER / USEC_PER_SEC ? TIME_NEVER : next_s * USEC_PER_SEC - used_us;
}

void cpu_timer_watch(struct process *process)
{
	clock_timer_cancel(&process->cpu_timer); /* nobody else looks meanwhile */
	if (process->exiting)
		return; /* or the timer would outlive it */
	struct cpu_use use = use_of(process);
	uint64_t left_us = check_limit(process, use.all_us);

	left_us = MIN(left_us,
		      run_interval(process, &process->virtual_timer, use.user_us, SIGVTALRM));
	left_us = MIN(left_us, run_interval(process, &process->profile_timer, use.all_us, SIGPROF));
	if (left_us != TIME_NEVER)
		clock_timer_arm(&process->cpu_timer, clock_now_us() + MAX(left_us, TICK_US));
}

void cpu_timer_expired(struct timer *timer)
{
	cpu_timer_watch(container_of(timer, struct process, cpu_timer));
}

void cpu_timer_stop(struct process *process)
{
	clock_timer_cancel(&process->cpu_timer);
}
