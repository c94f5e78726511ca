/* Waiting: the one place where vitrine-host sleeps. */
#ifndef TEST_HOST_PROGRAMS_VITRINE_HOST_LOOP_H
#define TEST_HOST_PROGRAMS_VITRINE_HOST_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct loop {
	int epoll, timer, tap;
	uint32_t interests;    /* EPOLLIN, EPOLLOUT: what the TAP is watched for */
	uint64_t deadline_us;  /* for which the timer is set, or TIME_NEVER */
	sigset_t open_signals; /* while it sleeps */
};

/* From here on SIGINT and SIGTERM end the loop. Ends the program when the system refuses. */
void loop_init(struct loop *loop, int tap);

/* Has a signal come? */
bool loop_stopped(void);

/*
 * Sleeps until the TAP is ready for one of `interests`, `deadline_us` has come (by clock_now_us;
 * TIME_NEVER), or a signal. Returns the TAP's EPOLL* events, 0 when there are none. A deadline that
 * has passed lets it only look.
 */
uint32_t loop_wait(struct loop *loop, uint32_t interests, uint64_t deadline_us);

#endif
