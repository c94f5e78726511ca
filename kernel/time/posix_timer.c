/*
 * POSIX timers, timer_create(2). While a timer's signal waits to be taken, further expirations are
 * counted in it (si_overrun) and not sent.
 */
#include "kernel/time/posix_timer.h"

#include "include/uapi/time.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/signal/signal.h"
#include "kernel/signal/signal_pending.h"
#include "kernel/syscall.h"
#include "kernel/time/cpu_clock.h"
#include "kernel/time/interval.h"
#include "kernel/user.h"

#define TIMERS_MAX 256              /* of a process */
#define PAUSE_US USEC_PER_MSEC      /* signals come no faster; what is faster is overruns */
#define OVERRUN_MAX (INT32_MAX - 1) /* POSIX: DELAYTIMER_MAX */

struct posix_timer {
	struct list_head link; /* process->posix_timers, by id */
	struct interval_timer timer;
	struct process *process;
	int32_t id;
	int32_t notify; /* SIGEV_SIGNAL, SIGEV_THREAD_ID, SIGEV_NONE */
	int32_t tid;    /* SIGEV_THREAD_ID */
	int32_t signal;
	uint64_t value;        /* the program's own */
	int32_t taken_overrun; /* of the signal last taken */
};

static struct posix_timer *find_timer(struct process *process, int32_t id)
{
	struct posix_timer *timer;

	list_for_each_entry(timer, &process->posix_timers, link)
		if (timer->id == id)
			return timer;
	return NULL;
}

/* A thread of the process, or NULL. */
static struct thread *find_thread(struct process *process, int32_t tid)
{
	struct thread *thread = thread_find(tid);

	return thread && thread->process == process ? thread : NULL;
}

static void timer_expired(struct interval_timer *expired)
{
	struct posix_timer *timer = container_of(expired, struct posix_timer, timer);
	struct thread *thread = NULL;
	uint64_t count = interval_timer_take(expired, PAUSE_US);
	struct siginfo info = {.si_signo = timer->signal, .si_code = SI_TIMER};

	info.si_timerid = timer->id;
	info.si_overrun = (int32_t)MIN(count - 1, (uint64_t)OVERRUN_MAX);
	info.si_value = timer->value;
	if (timer->notify == SIGEV_NONE)
		return;
	if (timer->notify == SIGEV_THREAD_ID) {
		thread = find_thread(timer->process, timer->tid);
		if (!thread)
			return;
	}
	if (!signal_count_overrun(timer->process, thread, &info))
		signal_send_info(timer->process, thread, &info);
}

void posix_timer_signal_taken(const struct siginfo *info)
{
	struct posix_timer *timer = find_timer(current_process(), info->si_timerid);

	if (timer)
		timer->taken_overrun = info->si_overrun;
}

/* Puts it at the lowest free number. False when there are too many. */
static bool add_timer(struct process *process, struct posix_timer *timer)
{
	struct list_head *place = &process->posix_timers;
	struct posix_timer *other;
	int32_t id = 0;

	list_for_each_entry(other, &process->posix_timers, link) {
		if (other->id != id) {
			place = &other->link;
			break;
		}
		id++;
	}
	if (id >= TIMERS_MAX)
		return false;
	timer->id = id;
	list_append(place, &timer->link); /* before `place` */
	return true;
}

static void delete_timer(struct posix_timer *timer)
{
	interval_timer_stop(&timer->timer);
	list_remove(&timer->link);
	kfree(timer);
}

void posix_timers_delete(struct process *process)
{
	struct posix_timer *timer, *following;

	list_for_each_entry_safe(timer, following, &process->posix_timers, link)
		delete_timer(timer);
}

/* What `event` asks for. 0 or -EINVAL. */
static int set_event(struct posix_timer *timer, const struct sigevent *event)
{
	timer->notify = event->sigev_notify;
	timer->signal = event->sigev_signo;
	timer->tid = event->sigev_notify_thread_id;
	timer->value = event->sigev_value;
	switch (event->sigev_notify) {
	case SIGEV_NONE:
		return 0;
	case SIGEV_THREAD_ID:
		if (!find_thread(current_process(), timer->tid))
			return -EINVAL;
		return signal_valid(timer->signal) ? 0 : -EINVAL;
	case SIGEV_SIGNAL:
		return signal_valid(timer->signal) ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

/* CPU time is not watched: no tick runs that could. */
static int check_clock(int32_t clock)
{
	if (interval_clock_valid(clock))
		return 0;
	return cpu_clock_is(clock) ? -EOPNOTSUPP : -EINVAL;
}

/* A stopped timer in the process's list. 0 or a negative errno. */
static int create_timer(int32_t clock, const struct sigevent *event, struct posix_timer **made)
{
	struct process *process = current_process();
	struct posix_timer *timer = kzalloc(sizeof(*timer));
	int error;

	if (!timer)
		return -EAGAIN;
	error = set_event(timer, event);
	if (!error && !add_timer(process, timer))
		error = -EAGAIN;
	if (error) {
		kfree(timer);
		return error;
	}
	timer->process = process;
	interval_timer_init(&timer->timer, clock, timer_expired);
	*made = timer;
	return 0;
}

SYSCALL3(timer_create, int32_t, clock, user_addr_t, event_at, user_addr_t, id_to)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	struct posix_timer *timer;
	int error = check_clock(clock);

	if (error)
		return error;
	if (event_at && copy_from_user(&event, event_at, sizeof(event)))
		return -EFAULT;
	error = create_timer(clock, &event, &timer);
	if (error)
		return error;
	if (!event_at)
		timer->value = (uint32_t)timer->id;
	if (copy_to_user(id_to, &timer->id, sizeof(timer->id))) {
		delete_timer(timer);
		return -EFAULT;
	}
	return 0;
}

SYSCALL4(timer_settime, int32_t, id, uint32_t, flags, user_addr_t, from, user_addr_t, old_to)
{
	struct posix_timer *timer;
	struct itimerspec value, old;

	if (copy_from_user(&value, from, sizeof(value)))
		return -EFAULT;
	timer = find_timer(current_process(), id);
	if (!timer || !interval_value_valid(&value))
		return -EINVAL;
	old = interval_timer_value(&timer->timer);
	interval_timer_set(&timer->timer, flags & TIMER_ABSTIME, &value);
	timer->taken_overrun = 0;
	return old_to ? copy_to_user(old_to, &old, sizeof(old)) : 0;
}

SYSCALL2(timer_gettime, int32_t, id, user_addr_t, to)
{
	struct posix_timer *timer = find_timer(current_process(), id);
	struct itimerspec value;

	if (!timer)
		return -EINVAL;
	value = interval_timer_value(&timer->timer);
	return copy_to_user(to, &value, sizeof(value));
}

SYSCALL1(timer_getoverrun, int32_t, id)
{
	struct posix_timer *timer = find_timer(current_process(), id);

	return timer ? timer->taken_overrun : -EINVAL;
}

SYSCALL1(timer_delete, int32_t, id)
{
	struct posix_timer *timer = find_timer(current_process(), id);

	if (!timer)
		return -EINVAL;
	delete_timer(timer);
	return 0;
}

void posix_timer_syscalls_init(void)
{
	syscall_register(SYS_timer_create, sys_timer_create);
	syscall_register(SYS_timer_settime, sys_timer_settime);
	syscall_register(SYS_timer_gettime, sys_timer_gettime);
	syscall_register(SYS_timer_getoverrun, sys_timer_getoverrun);
	syscall_register(SYS_timer_delete, sys_timer_delete);
}
