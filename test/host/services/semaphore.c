/*
 * Semaphores. A thread that waits really sleeps, on a condition of its own, in the order in which
 * the threads came; sem_post hands its token to the first. The one thread that moves a virtual
 * clock is the exception: instead of sleeping it lets the world go on.
 */
#include "kernel/semaphore.h"

#include <errno.h>
#include <pthread.h>

#include "kernel/clock.h"
#include "kernel/errno.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "kernel/softirq.h"
#include "test/host/services/host.h"
#include "test/host/services/internal.h"

/*
 * host_enter: whose turn it is. Guarded by the machine's lock. Whoever is woken takes its turn
 * before anybody enters.
 */
static bool somebody_inside;
static uint32_t woken_inside; /* awake, and waiting for their turn */
static pthread_cond_t turn_is_free = PTHREAD_COND_INITIALIZER;
static _Thread_local bool inside;

/* A sleeping thread. Guarded, as every semaphore's members are, by the machine's lock. */
struct sleeper {
	struct list_head in_semaphore; /* sem->waiters */
	struct list_head in_machine;   /* sleepers */
	pthread_cond_t woken;
	uint64_t deadline_us;
	bool inside;    /* it gave its turn up and wants it back */
	bool has_token; /* sem_post gave it */
	bool awake;     /* no longer in a list: it runs as soon as the lock is free */
};

static struct list_head sleepers = LIST_HEAD_INIT(sleepers);
static uint32_t sleeper_count;
static pthread_cond_t sleeper_came = PTHREAD_COND_INITIALIZER;
static bool signal_is_pending; /* changes under the machine's lock */

bool signal_pending(void)
{
	return __atomic_load_n(&signal_is_pending, __ATOMIC_ACQUIRE);
}

static void give_turn_up(void)
{
	somebody_inside = false;
	pthread_cond_broadcast(&turn_is_free);
}

static void take_turn(void)
{
	while (somebody_inside)
		pthread_cond_wait(&turn_is_free, host_machine_lock());
	somebody_inside = true;
}

void host_enter(void)
{
	irq_flags_t flags = irq_save();

	while (somebody_inside || woken_inside)
		pthread_cond_wait(&turn_is_free, host_machine_lock());
	somebody_inside = inside = true;
	irq_restore(flags);
}

void host_leave(void)
{
	irq_flags_t flags = irq_save();

	inside = false;
	give_turn_up();
	irq_restore(flags);
}

void sem_init(struct semaphore *sem, int32_t count)
{
	sem->count = count;
	list_init(&sem->waiters);
	sem->host = NULL;
}

void sem_destroy(struct semaphore *sem)
{
	assert_always(list_empty(&sem->waiters));
}

static void fall_asleep(struct sleeper *sleeper, struct semaphore *sem, uint64_t deadline_us)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&sleeper->woken, &monotonic);
	pthread_condattr_destroy(&monotonic);
	sleeper->deadline_us = deadline_us;
	sleeper->has_token = sleeper->awake = false;
	sleeper->inside = inside;
	if (inside)
		give_turn_up();
	list_append(&sem->waiters, &sleeper->in_semaphore);
	list_append(&sleepers, &sleeper->in_machine);
	sleeper_count++;
	pthread_cond_broadcast(&sleeper_came);
}

static void wake(struct sleeper *sleeper)
{
	list_remove(&sleeper->in_semaphore);
	list_remove(&sleeper->in_machine);
	sleeper_count--;
	sleeper->awake = true;
	woken_inside += sleeper->inside;
	pthread_cond_signal(&sleeper->woken);
}

void sem_post(struct semaphore *sem)
{
	irq_flags_t flags = irq_save();

	if (list_empty(&sem->waiters)) {
		sem->count++;
	} else {
		struct sleeper *first = list_first_entry(&sem->waiters, struct sleeper,
							 in_semaphore);

		first->has_token = true;
		wake(first);
	}
	irq_restore(flags);
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
	irq_flags_t flags = irq_save();
	bool taken = take(sem);

	irq_restore(flags);
	return taken;
}

void host_wake_sleepers_due(uint64_t now_us)
{
	struct sleeper *sleeper, *next;

	list_for_each_entry_safe(sleeper, next, &sleepers, in_machine) {
		if (sleeper->deadline_us <= now_us)
			wake(sleeper);
	}
}

uint64_t host_next_deadline(void)
{
	struct sleeper *sleeper;
	uint64_t next_us = TIME_NEVER;
	irq_flags_t flags = irq_save();

	list_for_each_entry(sleeper, &sleepers, in_machine)
		next_us = MIN(next_us, sleeper->deadline_us);
	irq_restore(flags);
	return next_us;
}

void host_wait_for_sleepers(uint32_t count)
{
	irq_flags_t flags = irq_save();

	while (sleeper_count < count)
		pthread_cond_wait(&sleeper_came, host_machine_lock());
	irq_restore(flags);
}

void host_signal(bool pending)
{
	struct sleeper *sleeper, *next;
	irq_flags_t flags = irq_save();

	__atomic_store_n(&signal_is_pending, pending, __ATOMIC_RELEASE);
	if (pending) {
		list_for_each_entry_safe(sleeper, next, &sleepers, in_machine)
			wake(sleeper);
	}
	irq_restore(flags);
}

/* As sem_wait_until, but -EAGAIN instead of sleeping. */
static int look(struct semaphore *sem, uint64_t deadline_us)
{
	if (sem_try(sem))
		return 0;
	if (signal_pending())
		return -ERESTARTSYS;
	return clock_now_us() >= deadline_us ? -ETIMEDOUT : -EAGAIN;
}

/* The calling thread moves the clock: it sees to it that its own wait ends. */
static int wait_moving_clock(struct semaphore *sem, uint64_t deadline_us)
{
	int error;

	while ((error = look(sem, deadline_us)) == -EAGAIN) {
		if (host_sleep_step(deadline_us))
			continue;
		if (deadline_us == TIME_NEVER)
			panic("a thread sleeps for ever: nothing is left to wake it");
		host_clock_advance_to(deadline_us);
	}
	return error;
}

/* Until it is awake, or its deadline has come. The machine's lock is held. */
static void sleep_until_woken(struct sleeper *sleeper)
{
	struct timespec at;
	bool may_expire = host_clock_reaches_by_itself(sleeper->deadline_us, &at);
	int error = 0;

	while (!sleeper->awake && error != ETIMEDOUT)
		error = may_expire
				? pthread_cond_timedwait(&sleeper->woken, host_machine_lock(), &at)
				: pthread_cond_wait(&sleeper->woken, host_machine_lock());
	if (!sleeper->awake)
		wake(sleeper);
	pthread_cond_destroy(&sleeper->woken);
	if (sleeper->inside) {
		take_turn();
		woken_inside--;
	}
}

static int wait_asleep(struct semaphore *sem, uint64_t deadline_us)
{
	struct sleeper sleeper;
	irq_flags_t flags = irq_save();
	int error = look(sem, deadline_us);

	if (error == -EAGAIN) {
		fall_asleep(&sleeper, sem, deadline_us);
		sleep_until_woken(&sleeper);
		error = signal_pending() ? -ERESTARTSYS : -ETIMEDOUT;
		if (sleeper.has_token)
			error = 0;
	}
	irq_restore(flags);
	return error;
}

int sem_wait_until(struct semaphore *sem, uint64_t deadline_us)
{
	if (in_softirq())
		panic("sleeping inside a monitor or softirq");
	return host_sleeper_moves_clock() ? wait_moving_clock(sem, deadline_us)
					  : wait_asleep(sem, deadline_us);
}

int sem_wait(struct semaphore *sem)
{
	return sem_wait_until(sem, TIME_NEVER);
}
