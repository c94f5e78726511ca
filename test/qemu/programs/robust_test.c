/*
 * Robust futexes: what a thread that ends leaves to those who wait, and who may ask for its list.
 */
#define _GNU_SOURCE 1
#include "test/qemu/programs/check.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/syscall.h>

struct lock {
	struct robust_list link;
	uint32_t word;
};

static struct lock lock;
static struct robust_list_head head;

static void *wait_for_word(void *argument)
{
	uint32_t value = *(uint32_t *)argument;
	const struct timespec limit = {.tv_sec = 10};

	CHECK(syscall(SYS_futex, &lock.word, FUTEX_WAIT, value, &limit, NULL, 0) == 0);
	return NULL;
}

/* Until somebody waits: a requeue onto the same word counts and moves nobody. */
static void await_waiter(void)
{
	while (syscall(SYS_futex, &lock.word, FUTEX_REQUEUE, 0, 1L, &head, 0) == 0)
		usleep(1000);
	CHECK(syscall(SYS_futex, &head, FUTEX_REQUEUE, 0, 1L, &lock.word, 0) == 1);
}

static void *end_in_the_middle(void *argument)
{
	head.list.next = &head.list;
	head.futex_offset = offsetof(struct lock, word);
	head.list_op_pending = &lock.link;
	CHECK(syscall(SYS_set_robust_list, &head, sizeof(head)) == 0);
	syscall(SYS_exit, 0);
	return argument;
}

/* A raw thread, which the C library's own robust list does not concern. */
static void run_and_end(void)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, end_in_the_middle, NULL) == 0);
}

/*
 * The thread has released the word, or was woken to take it, and ends before it could do the next
 * step: whoever waits must be woken in its place.
 */
static void a_wake_up_is_not_lost_with_its_thread(void)
{
	const uint32_t words[] = {0, FUTEX_WAITERS};

	for (size_t i = 0; i < 2; i++) {
		uint32_t value = words[i];
		pthread_t waiter;

		lock.word = value;
		CHECK(pthread_create(&waiter, NULL, wait_for_word, &value) == 0);
		await_waiter();
		run_and_end();
		CHECK(pthread_join(waiter, NULL) == 0);
		CHECK(lock.word == value);
	}
}

static int ask_for_list_of_parent(void)
{
	struct robust_list_head *found;
	size_t size;

	CHECK(syscall(SYS_get_robust_list, 0, &found, &size) == 0);
	CHECK(syscall(SYS_get_robust_list, getppid(), &found, &size) == 0);
	CHECK(setgid(1000) == 0 && setuid(1000) == 0);
	CHECK(syscall(SYS_get_robust_list, 0, &found, &size) == 0);
	CHECK_ERROR(syscall(SYS_get_robust_list, getppid(), &found, &size), EPERM);
	CHECK_ERROR(syscall(SYS_get_robust_list, 32767, &found, &size), ESRCH);
	return 0;
}

static void others_lists_are_their_own_business(void)
{
	CHECK(status_of(ask_for_list_of_parent) == 0);
}

RUN_TESTS({"a wake-up is not lost with its thread", a_wake_up_is_not_lost_with_its_thread},
	  {"others' lists are their own business", others_lists_are_their_own_business})
