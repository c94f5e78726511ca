/*
 * getitimer(2) and setitimer(2): ITIMER_REAL sends SIGALRM. What the two that count CPU time do is
 * in cpu_timer.c.
 */
#include "kernel/time/itimer.h"

#include "include/uapi/time.h"
#include "kernel/clock.h"
#include "kernel/proc/usage.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"
#include "kernel/time/cpu_timer.h"
#include "kernel/user.h"

/* Keeps to the multiples of the interval even when it runs late; what was missed is one signal. */
void itimer_real_expired(struct timer *timer)
{
	struct process *process = container_of(timer, struct process, real_timer);
	uint64_t interval_us = process->real_interval_us;

	signal_send_process(process, SIGALRM);
	if (interval_us) {
		uint64_t late_us = clock_now_us() - timer->when_us;

		clock_timer_arm(timer, timer->when_us + (late_us / interval_us + 1) * interval_us);
	}
}

void itimer_stop(struct process *process)
{
	process->real_interval_us = 0;
	clock_timer_cancel(&process->real_timer);
}

static struct itimerval read_real(const struct process *process)
{
	uint64_t now_us = clock_now_us();
	uint64_t left_us = 0;

	if (timer_armed(&process->real_timer))
		left_us = process->real_timer.when_us > now_us
				  ? process->real_timer.when_us - now_us
				  : 1; /* due: not zero, which would mean disarmed */
	return (struct itimerval){
		.it_interval = timeval_from_us(process->real_interval_us),
		.it_value = timeval_from_us(left_us),
	};
}

static void set_real(struct process *process, uint64_t first_us, uint64_t interval_us)
{
	itimer_stop(process);
	if (!first_us)
		return;
	process->real_interval_us = interval_us;
	clock_timer_arm(&process->real_timer, clock_now_us() + first_us);
}

static struct itimerval read_cpu(struct process *process, const struct cpu_interval *timer)
{
	uint64_t used_us = cpu_timer_used_us(process, timer);
	uint64_t left_us = 0;

	if (timer->due_us)
		left_us = timer->due_us > used_us ? timer->due_us - used_us : 1;
	return (struct itimerval){
		.it_interval = timeval_from_us(timer->interval_us),
		.it_value = timeval_from_us(left_us),
	};
}

static void set_cpu(struct process *process, struct cpu_interval *timer, uint64_t first_us,
		    uint64_t interval_us)
{
	cpu_timer_stop(process); /* it reads them */
	timer->due_us = first_us ? cpu_timer_used_us(process, timer) + first_us : 0;
	timer->interval_us = first_us ? interval_us : 0;
	cpu_timer_watch(process);
}

static bool timeval_valid(const struct timeval *time)
{
	return time->tv_sec >= 0 && time->tv_usec >= 0 && time->tv_usec < (int64_t)USEC_PER_SEC;
}

static uint64_t timeval_to_us(const struct timeval *time)
{
	struct timespec same = {time->tv_sec, time->tv_usec * (int64_t)NSEC_PER_USEC};

	return timespec_to_us(&same);
}

/* The timer that counts CPU time, or NULL: it counts real time. -EINVAL: it is none. */
static int find_timer(struct process *process, int which, struct cpu_interval **timer)
{
	switch (which) {
	case ITIMER_REAL:
		*timer = NULL;
		return 0;
	case ITIMER_VIRTUAL:
		*timer = &process->virtual_timer;
		return 0;
	case ITIMER_PROF:
		*timer = &process->profile_timer;
		return 0;
	default:
		return -EINVAL;
	}
}

SYSCALL2(getitimer, int, which, user_addr_t, to)
{
	struct process *process = current_process();
	struct cpu_interval *timer;
	struct itimerval value;
	int error = find_timer(process, which, &timer);

	if (error)
		return error;
	value = timer ? read_cpu(process, timer) : read_real(process);
	return copy_to_user(to, &value, sizeof(value));
}

SYSCALL3(setitimer, int, which, user_addr_t, from, user_addr_t, old_to)
{
	struct process *process = current_process();
	struct itimerval old, value = {0};
	struct cpu_interval *timer;
	int error = find_timer(process, which, &timer);

	if (error)
		return error;
	if (from && copy_from_user(&value, from, sizeof(value)))
		return -EFAULT;
	if (!timeval_valid(&value.it_value) || !timeval_valid(&value.it_interval))
		return -EINVAL;
	uint64_t first_us = timeval_to_us(&value.it_value);
	uint64_t interval_us = timeval_to_us(&value.it_interval);
	if (timer) {
		old = read_cpu(process, timer);
		set_cpu(process, timer, first_us, interval_us);
	} else {
		old = read_real(process);
		set_real(process, first_us, interval_us);
	}
	return old_to ? copy_to_user(old_to, &old, sizeof(old)) : 0;
}

void itimer_syscalls_init(void)
{
	syscall_register(SYS_getitimer, sys_getitimer);
	syscall_register(SYS_setitimer, sys_setitimer);
}
