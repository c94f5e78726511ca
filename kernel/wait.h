/*
 * Waiting for a condition, and for one of several: what blocking calls, poll, select and epoll
 * are made of.
 *
 * An object that can become ready (a socket, a pipe end, a terminal) has a `struct wait_list`. A
 * thread that wants to know joins with a `struct waiter`; wait_list_wake calls each waiter's
 * function, which as a rule posts the semaphore on which the thread sleeps. The list locks itself.
 *
 * The usual form, which loses no wake-up because joining comes before looking:
 *
 *	struct thread_waiter w;
 *	thread_waiter_join(&w, &object->wait);
 *	while (!(ready = look(object)))
 *		if ((error = thread_waiter_sleep(&w, deadline_us)))
 *			break;
 *	thread_waiter_leave(&w);
 */
#ifndef KERNEL_WAIT_H
#define KERNEL_WAIT_H

#include "kernel/list.h"
#include "kernel/semaphore.h"
#include "kernel/types.h"

struct wait_list {
	struct list_head waiters;
	uint32_t count; /* of them; changed atomically, for wait_list_has_waiters */
};

struct waiter {
	struct list_head link;
	struct wait_list *list; /* NULL while not joined */
	/*
	 * Called with interrupts masked, from any context: posts, marks, no more. `events`:
	 * POLLIN...
	 */
	void (*wake)(struct waiter *waiter, uint32_t events);
};

void wait_list_init(struct wait_list *list);

/* Before the object is freed: everybody still joined is detached. */
void wait_list_close(struct wait_list *list);

void waiter_join(struct waiter *waiter, struct wait_list *list);
void waiter_leave(struct waiter *waiter);

/*
 * A cheap look before wait_list_wake, without a lock: it may miss somebody who is joining at this
 * moment. Right where those who join look afterwards under a lock that the caller holds.
 */
static inline bool wait_list_has_waiters(const struct wait_list *list)
{
	return __atomic_load_n(&list->count, __ATOMIC_RELAXED) > 0;
}

/* Tells every waiter that `events` (POLLIN, POLLOUT, ...) may now hold. Any context. */
void wait_list_wake(struct wait_list *list, uint32_t events);

struct thread_waiter {
	struct waiter waiter;
	struct semaphore sem;
};

void thread_waiter_join(struct thread_waiter *w, struct wait_list *list);

/* 0 after a wake-up, -ERESTARTSYS on a signal, -ETIMEDOUT at the deadline (clock_now_us). */
int thread_waiter_sleep(struct thread_waiter *w, uint64_t deadline_us) __must_check;

void thread_waiter_leave(struct thread_waiter *w);

#endif
