/*
 * The tool's time, and packets in time. The clock stands still but for what the tool asks: a
 * microsecond for each gettimeofday, so that it may wait in a loop; what usleep says; and in
 * netdev_receive as far as to the next packet. On the way each timer runs at its own time, and each
 * thread that was woken does its part before time goes on; so a script gives the same packets at
 * the same microseconds each time.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "kernel/clock.h"
#include "kernel/errno.h"
#include "kernel/timer.h"
#include "test/host/packetdrill/instance.h"
#include "test/host/packetdrill/interface.h"
#include "test/host/services/host.h"

#define START_US (1000 * USEC_PER_SEC)
#define LONGEST_SILENCE_US (3600 * USEC_PER_SEC) /* netdev_receive: then there will be no packet */
/* Of the machine's time: how long a call that has ended may take to ask for the clock's. */
#define REPORT_NS (50 * 1000 * 1000l)

/* Is the calling thread the one that moves the clock? */
static _Thread_local bool moves_the_clock;

/*
 * When a call that blocked returns, the tool asks for the time at once, to know when it ended.
 * Until then the clock stands still.
 */
static pthread_mutex_t report_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t reported = PTHREAD_COND_INITIALIZER;
static bool report_awaited;

static void await_report(bool awaited)
{
	pthread_mutex_lock(&report_lock);
	report_awaited = awaited;
	pthread_cond_broadcast(&reported);
	pthread_mutex_unlock(&report_lock);
}

static void wait_for_report(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += REPORT_NS;
	until.tv_sec += until.tv_nsec / (long)NSEC_PER_SEC;
	until.tv_nsec %= (long)NSEC_PER_SEC;
	pthread_mutex_lock(&report_lock);
	while (report_awaited &&
	       pthread_cond_timedwait(&reported, &report_lock, &until) != ETIMEDOUT)
		;
	report_awaited = false;
	pthread_mutex_unlock(&report_lock);
}

/* ---- Inside ---- */

void call_begin(void)
{
	host_enter();
	if (!moves_the_clock)
		await_report(false);
}

int64_t call_end(int64_t result)
{
	if (!moves_the_clock)
		await_report(true);
	host_leave();
	if (result >= 0)
		return result;
	errno = result == -ERESTARTSYS ? EINTR : (int)-result;
	return -1;
}

/* Those who were woken take their turn, and report when they are done. */
static void let_others_go_on(void)
{
	host_leave();
	host_enter();
	host_leave();
	wait_for_report();
	host_enter();
}

static void settle(void)
{
	while (stack_run())
		;
	let_others_go_on();
}

/* ---- Time ---- */

static uint64_t next_event(void)
{
	return MIN(stack_next(), host_next_deadline());
}

/* To `target`, by way of all that is due until then. */
static void move_clock_to(uint64_t target_us)
{
	uint64_t next_us;

	while ((next_us = next_event()) <= target_us) {
		if (next_us > clock_now_us())
			host_clock_advance_to(next_us);
		settle();
	}
	if (target_us > clock_now_us())
		host_clock_advance_to(target_us);
}

/* The tool's first thread blocks: the world goes on; false: nothing is left to happen in it. */
static bool go_on(void *context __unused, uint64_t deadline_us)
{
	uint64_t next_us = MIN(next_event(), deadline_us);

	if (next_us == TIME_NEVER) {
		host_signal(true); /* as when somebody who waits in vain is interrupted */
		return true;
	}
	if (next_us > clock_now_us())
		host_clock_advance_to(next_us);
	while (stack_run())
		;
	return true;
}

static int interface_usleep(void *userdata __unused, useconds_t us)
{
	call_begin();
	move_clock_to(clock_now_us() + us);
	return (int)call_end(0);
}

static int interface_gettimeofday(void *userdata __unused, struct timeval *time,
				  struct timezone *zone __unused)
{
	call_begin();
	if (moves_the_clock)
		move_clock_to(clock_now_us() + 1);
	time->tv_sec = (time_t)(clock_now_us() / USEC_PER_SEC);
	time->tv_usec = (suseconds_t)(clock_now_us() % USEC_PER_SEC);
	host_leave();
	return 0;
}

/* ---- The wire ---- */

static int interface_send(void *userdata __unused, const void *packet, size_t count)
{
	call_begin();
	int error = stack_receive(packet, count);

	settle();
	return (int)call_end(error);
}

/* As stack_take, later when there is no packet now; 0: none will come by itself. */
static int64_t next_packet(void *to, size_t room, uint64_t *time_us)
{
	uint64_t give_up_us = clock_now_us() + LONGEST_SILENCE_US;
	int64_t length;

	settle();
	while (!(length = stack_take(to, room, time_us))) {
		uint64_t next_us = next_event();

		if (next_us > give_up_us)
			return 0;
		move_clock_to(next_us);
	}
	return length;
}

static int interface_receive(void *userdata __unused, void *packet, size_t *count,
			     long long *time_us)
{
	uint64_t sent_us = 0;

	call_begin();
	int64_t length = next_packet(packet, *count, &sent_us);

	*count = length > 0 ? (size_t)length : 0;
	*time_us = (long long)sent_us;
	return (int)call_end(MIN(length, 0));
}

void clock_start(void)
{
	host_clock_virtual(START_US);
	host_on_sleep(go_on, NULL);
	host_signal(false);
	moves_the_clock = true;
	report_awaited = false;
}

void clock_fill_interface(struct packetdrill_interface *out)
{
	out->netdev_send = interface_send;
	out->netdev_receive = interface_receive;
	out->usleep = interface_usleep;
	out->gettimeofday = interface_gettimeofday;
}
