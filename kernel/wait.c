/*
 * Wait lists: see wait.h. A list is guarded by irq_save, because interrupts wake and processes
 * join.
 */
#include "kernel/wait.h"

#include "kernel/lock.h"

void wait_list_init(struct wait_list *list)
{
	list_init(&list->waiters);
	list->count = 0;
}

/* With interrupts masked: nobody else changes it. */
static void set_count(struct wait_list *list, uint32_t count)
{
	__atomic_store_n(&list->count, count, __ATOMIC_RELAXED);
}

void wait_list_close(struct wait_list *list)
{
	irq_flags_t flags = irq_save();

	while (!list_empty(&list->waiters)) {
		struct waiter *waiter = list_first_entry(&list->waiters, struct waiter, link);

		list_remove(&waiter->link);
		waiter->list = NULL;
	}
	set_count(list, 0);
	irq_restore(flags);
}

void waiter_join(struct waiter *waiter, struct wait_list *list)
{
	irq_flags_t flags = irq_save();

	waiter->list = list;
	list_append(&list->waiters, &waiter->link);
	set_count(list, list->count + 1);
	irq_restore(flags);
}

void waiter_leave(struct waiter *waiter)
{
	irq_flags_t flags = irq_save();

	if (waiter->list) {
		set_count(waiter->list, waiter->list->count - 1);
		list_remove(&waiter->link);
		waiter->list = NULL;
	}
	irq_restore(flags);
}

void wait_list_wake(struct wait_list *list, uint32_t events)
{
	struct waiter *waiter, *following;
	irq_flags_t flags = irq_save();

	list_for_each_entry_safe(waiter, following, &list->waiters, link)
		waiter->wake(waiter, events);
	irq_restore(flags);
}

static void thread_waiter_wake(struct waiter *waiter, uint32_t events __unused)
{
	sem_post(&container_of(waiter, struct thread_waiter, waiter)->sem);
}

void thread_waiter_join(struct thread_waiter *w, struct wait_list *list)
{
	w->waiter.wake = thread_waiter_wake;
	sem_init(&w->sem, 0);
	waiter_join(&w->waiter, list);
}

int thread_waiter_sleep(struct thread_waiter *w, uint64_t deadline_us)
{
	int error = sem_wait_until(&w->sem, deadline_us);

	/* Many wake-ups are one: the caller looks again anyway. */
	while (sem_try(&w->sem))
		;
	return error;
}

void thread_waiter_leave(struct thread_waiter *w)
{
	waiter_leave(&w->waiter);
	sem_destroy(&w->sem);
}
