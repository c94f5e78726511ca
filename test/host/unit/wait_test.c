/* Wait lists and the waits made of them: no wake-up is lost, deadlines and signals end a sleep. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/clock.h"
#include "kernel/errno.h"
#include "kernel/wait.h"
#include "test/host/services/host.h"

#define EVENT_A 1
#define EVENT_B 4

struct listener {
	struct waiter waiter;
	uint32_t calls, events;
};

static void listen(struct waiter *waiter, uint32_t events)
{
	struct listener *listener = container_of(waiter, struct listener, waiter);

	listener->calls++;
	listener->events |= events;
}

static void everybody_joined_is_told(void **state __unused)
{
	struct listener first = {.waiter.wake = listen}, second = {.waiter.wake = listen};
	struct wait_list list;

	wait_list_init(&list);
	wait_list_wake(&list, EVENT_A); /* nobody there */
	waiter_join(&first.waiter, &list);
	waiter_join(&second.waiter, &list);
	wait_list_wake(&list, EVENT_A);
	waiter_leave(&first.waiter);
	waiter_leave(&first.waiter); /* harmless */
	wait_list_wake(&list, EVENT_B);
	assert_int_equal(first.events, EVENT_A);
	assert_int_equal(second.events, EVENT_A | EVENT_B);
	assert_int_equal(second.calls, 2);
	waiter_leave(&second.waiter);
}

static void leave_when_woken(struct waiter *waiter, uint32_t events)
{
	listen(waiter, events);
	waiter_leave(waiter);
}

static void a_waiter_may_leave_while_it_is_told(void **state __unused)
{
	struct listener listeners[3] = {0};
	struct wait_list list;

	wait_list_init(&list);
	for (uint32_t i = 0; i < 3; i++) {
		listeners[i].waiter.wake = leave_when_woken;
		waiter_join(&listeners[i].waiter, &list);
	}
	wait_list_wake(&list, EVENT_A);
	wait_list_wake(&list, EVENT_A);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(listeners[i].calls, 1);
}

static void a_closed_list_lets_go_of_its_waiters(void **state __unused)
{
	struct listener listener = {.waiter.wake = listen};
	struct wait_list *list = malloc(sizeof(*list));

	wait_list_init(list);
	waiter_join(&listener.waiter, list);
	wait_list_close(list);
	free(list);
	waiter_leave(&listener.waiter);
	assert_int_equal(listener.calls, 0);
}

static void many_wake_ups_are_one_sleep(void **state __unused)
{
	struct thread_waiter waiter;
	struct wait_list list;

	wait_list_init(&list);
	thread_waiter_join(&waiter, &list);
	for (uint32_t i = 0; i < 5; i++)
		wait_list_wake(&list, EVENT_A);
	assert_int_equal(thread_waiter_sleep(&waiter, TIME_NEVER), 0);
	assert_int_equal(thread_waiter_sleep(&waiter, clock_now_us()), -ETIMEDOUT);
	thread_waiter_leave(&waiter);
}

static void a_signal_ends_the_sleep(void **state __unused)
{
	struct thread_waiter waiter;
	struct wait_list list;

	wait_list_init(&list);
	thread_waiter_join(&waiter, &list);
	host_signal(true);
	assert_int_equal(thread_waiter_sleep(&waiter, TIME_NEVER), -ERESTARTSYS);
	host_signal(false);
	thread_waiter_leave(&waiter);
}

static void the_deadline_ends_the_sleep(void **state __unused)
{
	uint64_t start_us = clock_now_us();
	struct thread_waiter waiter;
	struct wait_list list;

	wait_list_init(&list);
	thread_waiter_join(&waiter, &list);
	assert_int_equal(thread_waiter_sleep(&waiter, start_us + 3000), -ETIMEDOUT);
	assert_true(clock_now_us() >= start_us + 3000);
	thread_waiter_leave(&waiter);
}

/* A producer and a consumer: the consumer never sleeps through an item. */
struct pipe {
	struct wait_list wait;
	uint32_t produced;
};

#define ITEMS 2000

static void *produce(void *argument)
{
	struct pipe *pipe = argument;

	for (uint32_t i = 0; i < ITEMS; i++) {
		__atomic_fetch_add(&pipe->produced, 1, __ATOMIC_SEQ_CST);
		wait_list_wake(&pipe->wait, EVENT_A);
		if (i % 64 == 0)
			usleep(50);
	}
	return NULL;
}

static void no_wake_up_is_lost(void **state __unused)
{
	uint64_t deadline_us = clock_now_us() + 20 * USEC_PER_SEC;
	struct pipe pipe = {.produced = 0};
	uint32_t consumed = 0;
	pthread_t producer;

	wait_list_init(&pipe.wait);
	pthread_create(&producer, NULL, produce, &pipe);
	while (consumed < ITEMS) {
		struct thread_waiter waiter;

		thread_waiter_join(&waiter, &pipe.wait);
		while (__atomic_load_n(&pipe.produced, __ATOMIC_SEQ_CST) == consumed)
			assert_int_equal(thread_waiter_sleep(&waiter, deadline_us), 0);
		consumed++;
		thread_waiter_leave(&waiter);
	}
	pthread_join(producer, NULL);
}

static void semaphores_count(void **state __unused)
{
	struct semaphore sem;

	sem_init(&sem, 2);
	assert_true(sem_try(&sem));
	assert_int_equal(sem_wait(&sem), 0);
	assert_false(sem_try(&sem));
	assert_int_equal(sem_wait_until(&sem, 0), -ETIMEDOUT);
	sem_post(&sem);
	assert_int_equal(sem_wait_until(&sem, 0),
			 0); /* what is there is taken even after the deadline */
	sem_destroy(&sem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_joined_is_told),
		cmocka_unit_test(a_waiter_may_leave_while_it_is_told),
		cmocka_unit_test(a_closed_list_lets_go_of_its_waiters),
		cmocka_unit_test(many_wake_ups_are_one_sleep),
		cmocka_unit_test(a_signal_ends_the_sleep),
		cmocka_unit_test(the_deadline_ends_the_sleep),
		cmocka_unit_test(no_wake_up_is_lost),
		cmocka_unit_test(semaphores_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
