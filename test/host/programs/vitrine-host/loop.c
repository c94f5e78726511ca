/*
 * epoll, a timer and two signals; see loop.h.
 *
 * The signals are let in only while the loop sleeps, so that none is lost between a look at
 * loop_stopped() and the sleep. They have handlers, not a signalfd: a debugger sees a signal only
 * when it is delivered, and Ctrl-C must stop the program there.
 */
#include "test/host/programs/vitrine-host/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "kernel/clock.h"
#include "kernel/timer.h"

enum watched {
	WATCHED_TAP,
	WATCHED_TIMER,
	WATCHED_COUNT,
};

static volatile sig_atomic_t stopped;

static void stop(int signal_number __unused)
{
	stopped = 1;
}

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "vitrine-host: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void watch(struct loop *loop, int operation, int fd, enum watched what, uint32_t interests)
{
	struct epoll_event event = {.events = interests, .data.u32 = what};

	if (epoll_ctl(loop->epoll, operation, fd, &event))
		die("epoll");
}

static void catch_signals(struct loop *loop)
{
	const struct sigaction action = {.sa_handler = stop};
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, &loop->open_signals);
	sigdelset(&loop->open_signals, SIGINT);
	sigdelset(&loop->open_signals, SIGTERM);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

void loop_init(struct loop *loop, int tap)
{
	memset(loop, 0, sizeof(*loop));
	loop->tap = tap;
	loop->deadline_us = TIME_NEVER;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->epoll < 0 || loop->timer < 0)
		die("epoll");
	watch(loop, EPOLL_CTL_ADD, loop->tap, WATCHED_TAP, 0);
	watch(loop, EPOLL_CTL_ADD, loop->timer, WATCHED_TIMER, EPOLLIN);
	catch_signals(loop);
}

bool loop_stopped(void)
{
	return stopped;
}

static void set_timer(struct loop *loop, uint64_t deadline_us)
{
	struct itimerspec when = {0};

	if (deadline_us == loop->deadline_us)
		return;
	loop->deadline_us = deadline_us;
	if (deadline_us != TIME_NEVER) {
		when.it_value.tv_sec = (time_t)(deadline_us / USEC_PER_SEC);
		when.it_value.tv_nsec = (long)(deadline_us % USEC_PER_SEC * NSEC_PER_USEC);
	}
	if (timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &when, NULL))
		die("timer");
}

static void timer_expired(struct loop *loop)
{
	uint64_t expirations;

	(void)!read(loop->timer, &expirations, sizeof(expirations));
	loop->deadline_us = TIME_NEVER; /* it has to be set again */
}

uint32_t loop_wait(struct loop *loop, uint32_t interests, uint64_t deadline_us)
{
	struct epoll_event events[WATCHED_COUNT];
	uint32_t ready = 0;
	bool only_look = deadline_us <= clock_now_us();

	if (interests != loop->interests)
		watch(loop, EPOLL_CTL_MOD, loop->tap, WATCHED_TAP, interests);
	loop->interests = interests;
	if (!only_look)
		set_timer(loop, deadline_us);

	int n = epoll_pwait(loop->epoll, events, WATCHED_COUNT, only_look ? 0 : -1,
			    &loop->open_signals);

	for (int i = 0; i < n; i++) {
		if (events[i].data.u32 == WATCHED_TIMER)
			timer_expired(loop);
		else
			ready = events[i].events;
	}
	return ready;
}
