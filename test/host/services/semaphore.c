/*
 * Semaphores: one condition for all, which is plenty for tests; a virtual clock needs no
 * threads at all.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "kernel/clock.h"
#include "kernel/errno.h"
#include "kernel/printk.h"
#include "kernel/semaphore.h"
#include "kernel/softirq.h"
#include "test/host/services/host.h"
#include "test/host/services/internal.h"

static pthread_cond_t posted;
static pthread_once_t posted_once = PTHREAD_ONCE_INIT;
static bool signal_is_pending;

static void make_condition(void)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&posted, &attributes);
	pthread_condattr_destroy(&attributes);
}

static pthread_cond_t *condition(void)
{
	pthread_once(&posted_once, make_condition);
	return &posted;
}

void sem_init(struct semaphore *sem, int32_t count)
{
	sem->count = count;
	list_init(&sem->waiters);
	sem->host = NULL;
}

void sem_destroy(struct semaphore *sem __unused)
{
}

void sem_post(struct semaphore *sem)
{
	pthread_mutex_lock(host_machine_lock());
	sem->count++;
	pthread_cond_broadcast(condition());
	pthread_mutex_unlock(host_machine_lock());
}

static bool take(struct semaphore *sem)
{
	if (sem->count <= 0)
		return false;
	sem->count--;
	return true;
}

bool sem_try(struct semaphore *sem)
{
	pthread_mutex_lock(host_machine_lock());
	bool taken = take(sem);

	pthread_mutex_unlock(host_machine_lock());
	return taken;
}

static int wait_virtual(struct semaphore *sem, uint64_t deadline_us)
{
	for (;;) {
		if (sem_try(sem))
			return 0;
		if (signal_is_pending)
			return -ERESTARTSYS;
		if (clock_now_us() >= deadline_us)
			return -ETIMEDOUT;
		if (host_sleep_step(deadline_us))
			continue;
		if (deadline_us == TIME_NEVER)
			panic("a thread sleeps for ever: nothing is left to wake it");
		host_clock_advance_to(deadline_us);
	}
}

static int wait_real(struct semaphore *sem, uint64_t deadline_us)
{
	int error = 0;
	struct timespec until;

	host_timespec(deadline_us, &until);
	pthread_mutex_lock(host_machine_lock());
	while (!take(sem)) {
		if (signal_is_pending) {
			error = -ERESTARTSYS;
			break;
		}
		if (deadline_us == TIME_NEVER) {
			pthread_cond_wait(condition(), host_machine_lock());
		} else if (pthread_cond_timedwait(condition(), host_machine_lock(), &until) ==
			   ETIMEDOUT) {
			error = take(sem) ? 0 : -ETIMEDOUT;
			break;
		}
	}
	pthread_mutex_unlock(host_machine_lock());
	return error;
}

int sem_wait_until(struct semaphore *sem, uint64_t deadline_us)
{
	if (in_softirq())
		panic("sleeping inside a monitor or softirq");
	return host_clock_is_virtual() ? wait_virtual(sem, deadline_us)
				       : wait_real(sem, deadline_us);
}

int sem_wait(struct semaphore *sem)
{
	return sem_wait_until(sem, TIME_NEVER);
}

void host_signal(bool pending)
{
	pthread_mutex_lock(host_machine_lock());
	signal_is_pending = pending;
	pthread_cond_broadcast(condition());
	pthread_mutex_unlock(host_machine_lock());
}

bool signal_pending(void);
bool signal_pending(void)
{
	return signal_is_pending;
}
