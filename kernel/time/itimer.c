/*
 * getitimer(2) and setitimer(2): ITIMER_REAL sends SIGALRM. The two timers that count CPU time are
 * refused: no tick runs that could watch them.
 */
#include "kernel/time/itimer.h"

#include "include/uapi/time.h"
#include "kernel/clock.h"
#include "kernel/proc/usage.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"
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

static struct itimerval read_timer(const struct process *process)
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

static bool timeval_valid(const struct timeval *time)
{
	return time->tv_sec >= 0 && time->tv_usec >= 0 && time->tv_usec < (int64_t)USEC_PER_SEC;
}

static uint64_t timeval_to_us(const struct timeval *time)
{
	struct timespec same = {time->tv_sec, time->tv_usec * (int64_t)NSEC_PER_USEC};

	return timespec_to_us(&same);
}

SYSCALL2(getitimer, int, which, user_addr_t, to)
{
	struct itimerval value;

	if (which != ITIMER_REAL)
		return -EINVAL;
	value = read_timer(current_process());
	return copy_to_user(to, &value, sizeof(value));
}

SYSCALL3(setitimer, int, which, user_addr_t, from, user_addr_t, old_to)
{
	struct process *process = current_process();
	struct itimerval old, value = {0};
	uint64_t first_us;

	if (which != ITIMER_REAL)
		return -EINVAL;
	if (from && copy_from_user(&value, from, sizeof(value)))
		return -EFAULT;
	if (!timeval_valid(&value.it_value) || !timeval_valid(&value.it_interval))
		return -EINVAL;
	old = read_timer(process);
	itimer_stop(process);
	first_us = timeval_to_us(&value.it_value);
	if (first_us) {
		process->real_interval_us = timeval_to_us(&value.it_interval);
		clock_timer_arm(&process->real_timer, clock_now_us() + first_us);
	}
	return old_to ? copy_to_user(old_to, &old, sizeof(old)) : 0;
}

void itimer_syscalls_init(void)
{
	syscall_register(SYS_getitimer, sys_getitimer);
	syscall_register(SYS_setitimer, sys_setitimer);
}
