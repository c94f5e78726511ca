#define _GNU_SOURCE 1
#include "userland/lib/stop.h"

#include <signal.h>
#include <stddef.h>

#include "userland/lib/clock.h"

static volatile sig_atomic_t stopping;
static sigset_t while_waiting;

static void on_stop(int number)
{
	(void)number;
	stopping = 1;
}

void stop_on_signals(void)
{
	struct sigaction action = {.sa_handler = on_stop};
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &while_waiting);
	sigdelset(&while_waiting, SIGINT);
	sigdelset(&while_waiting, SIGTERM);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool stop_requested(void)
{
	return stopping != 0;
}

int stop_poll(struct pollfd *descriptors, unsigned count, uint64_t deadline)
{
	struct timespec timeout;
	int ready = ppoll(descriptors, count, clock_timeout(deadline, &timeout), &while_waiting);

	return ready > 0 ? ready : 0;
}
