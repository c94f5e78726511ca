/*
 * To whom signals go and how many wait: one for a thread that blocks it disturbs no other,
 * and RLIMIT_SIGPENDING.
 */
#define _GNU_SOURCE 1
#include "test/qemu/programs/check.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define QUEUED_MAX 10

static pid_t sleeper_tid;
static pthread_t blocker;

static void ignore(int signal)
{
	(void)signal;
}

/* Until the thread sleeps in the kernel. */
static void await_sleep(pid_t tid)
{
	char path[64], line[256], state = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	while (state != 'S') {
		FILE *file = fopen(path, "r");
		const char *end = file && fgets(line, sizeof(line), file) ? strrchr(line, ')')
									  : NULL;

		CHECK(file && end && fclose(file) == 0);
		state = end[2];
	}
}

/* Blocks SIGUSR1 and waits for another signal. */
static void *block(void *argument)
{
	sigset_t end;
	int signal;

	sigemptyset(&end);
	sigaddset(&end, SIGUSR2);
	CHECK(sigwait(&end, &signal) == 0);
	return argument;
}

static void *send_to_blocker(void *argument)
{
	await_sleep(sleeper_tid);
	CHECK(pthread_kill(blocker, SIGUSR1) == 0);
	return argument;
}

static void a_blocked_signal_disturbs_nobody_else(void)
{
	struct epoll_event event;
	pthread_t sender;
	sigset_t both, one;
	int epoll = epoll_create1(0);

	signal(SIGUSR1, ignore);
	sigemptyset(&both);
	sigaddset(&both, SIGUSR1);
	sigaddset(&both, SIGUSR2);
	CHECK(pthread_sigmask(SIG_BLOCK, &both, NULL) == 0);
	CHECK(pthread_create(&blocker, NULL, block, NULL) == 0);
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	CHECK(pthread_sigmask(SIG_UNBLOCK, &one, NULL) == 0);
	sleeper_tid = gettid();
	CHECK(pthread_create(&sender, NULL, send_to_blocker, NULL) == 0);
	CHECK(epoll_wait(epoll, &event, 1, 300) == 0);
	CHECK(pthread_join(sender, NULL) == 0);
	CHECK(pthread_kill(blocker, SIGUSR2) == 0 && pthread_join(blocker, NULL) == 0);
	CHECK(pthread_sigmask(SIG_UNBLOCK, &both, NULL) == 0 && close(epoll) == 0);
}

static long delay_us;
static int handled[2]; /* a pipe: a byte for each signal */

static void tell(int signal)
{
	(void)signal;
	CHECK(write(handled[1], "h", 1) == 1);
}

/* Ends at about the time when the signal comes. By the call: the C library blocks signals. */
static void *arm_and_end(void *argument)
{
	const struct itimerval timer = {.it_value.tv_usec = delay_us};

	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	syscall(SYS_exit, 0);
	return argument;
}

/* Somebody handles it: the thread, or else the one that sleeps here. */
static void a_signal_is_not_lost_with_a_thread(void)
{
	struct pollfd wait;
	pthread_attr_t small;
	pthread_t thread;
	char byte;
	int ready;

	CHECK(pipe(handled) == 0 && signal(SIGALRM, tell) != SIG_ERR);
	wait = (struct pollfd){.fd = handled[0], .events = POLLIN};
	CHECK(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, 16384) == 0);
	for (delay_us = 1; delay_us < 400; delay_us++) {
		CHECK(pthread_create(&thread, &small, arm_and_end, NULL) == 0);
		do
			ready = poll(&wait, 1, 5000);
		while (ready == -1 && errno == EINTR);
		CHECK(ready == 1 && read(handled[0], &byte, 1) == 1);
	}
	CHECK(signal(SIGALRM, SIG_DFL) == tell);
}

static int queue_many(void)
{
	const struct rlimit limit = {QUEUED_MAX, QUEUED_MAX};
	const union sigval value = {.sival_int = 7};
	siginfo_t info;
	sigset_t set;

	CHECK(setuid(4000) == 0); /* nobody else's: the limit is of a user */
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	CHECK(setrlimit(RLIMIT_SIGPENDING, &limit) == 0);
	for (int i = 0; i < QUEUED_MAX; i++)
		CHECK(sigqueue(getpid(), SIGRTMIN, value) == 0);
	CHECK_ERROR(sigqueue(getpid(), SIGRTMIN, value), EAGAIN);
	CHECK(kill(getpid(), SIGRTMIN) == 0); /* kill(2) never fails for that: it adds nothing */
	CHECK(sigwaitinfo(&set, &info) == SIGRTMIN && info.si_value.sival_int == 7);
	CHECK(sigqueue(getpid(), SIGRTMIN, value) == 0);
	CHECK_ERROR(sigqueue(getpid(), SIGRTMIN, value), EAGAIN);
	for (int i = 0; i < QUEUED_MAX; i++)
		CHECK(sigwaitinfo(&set, &info) == SIGRTMIN);
	CHECK(sigpending(&set) == 0 && !sigismember(&set, SIGRTMIN));
	CHECK(sigqueue(getpid(), SIGRTMIN, value) == 0);
	return 0;
}

static void queues_are_limited(void)
{
	/* Twice: what ends with signals waiting no longer counts. */
	CHECK(status_of(queue_many) == 0);
	CHECK(status_of(queue_many) == 0);
}

RUN_TESTS({"a blocked signal disturbs nobody else", a_blocked_signal_disturbs_nobody_else},
	  {"a signal is not lost with a thread", a_signal_is_not_lost_with_a_thread},
	  {"queues are limited", queues_are_limited})
