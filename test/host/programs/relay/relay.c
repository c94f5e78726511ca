/*
 * relay: a link with faults between two ends, each a TAP or the socket of a QEMU "-netdev dgram".
 *
 *	arguments    the command line
 *	end          TAPs and sockets: frames in and out
 *	this file    the loop, and the report
 *
 * The faults are the simulator's (test/host/simulator/faults.h); one thread, one epoll loop, no
 * polling. An end is read only while the other has room, so that a slow receiver slows its sender
 * down instead of losing what the faults did not mean to lose.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "test/host/programs/relay/arguments.h"
#include "test/host/programs/relay/end.h"
#include "test/host/simulator/pcap.h"

enum watched { END_0, END_1, TIMER, SIGNAL, WATCHED_COUNT };

struct relay {
	struct end ends[2];
	struct fault_link ways[2]; /* ways[i]: out of ends[i] */
	uint32_t interests[2];     /* what each end is watched for */
	bool more_to_read[2];
	int reading; /* of which end frames are just arriving */
	int epoll, timer;
	uint64_t timer_us;         /* for which the timer is set */
	uint64_t start_us, now_us; /* since the start: the same run has much the same times */
	FILE *pcap;
};

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / NSEC_PER_USEC;
}

static void look_at_clock(struct relay *relay)
{
	relay->now_us = clock_us(CLOCK_MONOTONIC) - relay->start_us;
}

static void frame_arrived(void *context, const uint8_t *bytes, uint32_t length)
{
	struct relay *relay = context;

	if (relay->pcap)
		pcap_write(relay->pcap, bytes, length, clock_us(CLOCK_REALTIME));
	if (!fault_link_send(&relay->ways[relay->reading], bytes, length, relay->now_us))
		die("memory");
}

static void read_end(struct relay *relay, int from)
{
	relay->reading = from;
	relay->more_to_read[from] = end_read(&relay->ends[from], frame_arrived, relay);
}

/* Waiting */

static void watch(struct relay *relay, int operation, int fd, enum watched what, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u32 = what};

	if (epoll_ctl(relay->epoll, operation, fd, &event))
		die("epoll");
}

/* SIGINT, SIGTERM and the alarm of --seconds end the relay in good order. */
static int open_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGALRM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

static void prepare_waiting(struct relay *relay)
{
	relay->epoll = epoll_create1(EPOLL_CLOEXEC);
	relay->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	relay->timer_us = UINT64_MAX;
	if (relay->epoll < 0 || relay->timer < 0)
		die("epoll");
	for (int i = 0; i < 2; i++)
		watch(relay, EPOLL_CTL_ADD, relay->ends[i].fd, END_0 + i, 0);
	watch(relay, EPOLL_CTL_ADD, relay->timer, TIMER, EPOLLIN);
	watch(relay, EPOLL_CTL_ADD, open_signals(), SIGNAL, EPOLLIN);
}

static void set_interests(struct relay *relay, int i)
{
	const struct end *own = &relay->ends[i], *other = &relay->ends[!i];
	uint32_t wanted = other->full ? 0 : EPOLLIN;

	if (own->full && !own->retry_us)
		wanted |= EPOLLOUT;
	/* Set again each time it is to be waited for: the kernel looks anew whom it is about. */
	if (wanted == relay->interests[i] && !(wanted & EPOLLOUT))
		return;
	watch(relay, EPOLL_CTL_MOD, own->fd, END_0 + i, wanted);
	relay->interests[i] = wanted;
}

/*
 * The timer goes off when the next frame is due at an end that has room, or is to be tried again.
 */
static void set_timer(struct relay *relay)
{
	struct itimerspec when = {0};
	uint64_t next = UINT64_MAX;

	for (int from = 0; from < 2; from++) {
		const struct end *to = &relay->ends[!from];

		if (to->retry_us)
			next = MIN(next, to->retry_us);
		else if (!to->full)
			next = MIN(next, fault_link_next(&relay->ways[from]));
	}
	if (next == relay->timer_us)
		return;
	relay->timer_us = next;
	if (next != UINT64_MAX) {
		uint64_t at_us = next + relay->start_us;

		when.it_value.tv_sec = (time_t)(at_us / USEC_PER_SEC);
		when.it_value.tv_nsec = (long)(at_us % USEC_PER_SEC * NSEC_PER_USEC);
	}
	if (timerfd_settime(relay->timer, TFD_TIMER_ABSTIME, &when, NULL))
		die("timer");
}

static void timer_expired(struct relay *relay)
{
	uint64_t expirations;

	(void)!read(relay->timer, &expirations, sizeof(expirations));
	relay->timer_us = UINT64_MAX;
}

static void end_ready(struct relay *relay, int i, uint32_t events)
{
	if (events & EPOLLOUT)
		end_writable(&relay->ends[i]);
	/* EPOLLERR, EPOLLHUP: the read says what is wrong. */
	relay->more_to_read[i] |= (events & ~(uint32_t)EPOLLOUT) != 0;
}

/* Sleeps until something happens; with `busy` it only looks. False: a signal came. */
static bool wait(struct relay *relay, bool busy)
{
	struct epoll_event events[WATCHED_COUNT];

	for (int i = 0; i < 2; i++)
		set_interests(relay, i);
	set_timer(relay);
	int n = epoll_wait(relay->epoll, events, WATCHED_COUNT, busy ? 0 : -1);

	for (int i = 0; i < n; i++) {
		switch (events[i].data.u32) {
		case SIGNAL:
			return false;
		case TIMER:
			timer_expired(relay);
			break;
		default:
			end_ready(relay, (int)events[i].data.u32, events[i].events);
		}
	}
	return true;
}

/* One turn for each way: what arrived goes in, what is due comes out. True: there is more. */
static bool work(struct relay *relay)
{
	bool more = false;

	look_at_clock(relay);
	for (int from = 0; from < 2; from++) {
		struct end *to = &relay->ends[!from];

		if (relay->more_to_read[from] && !to->full)
			read_end(relay, from);
		more |= end_write(to, &relay->ways[from], relay->now_us);
		more |= relay->more_to_read[from] && !to->full;
	}
	return more;
}

/* 0 after a signal, 1 when an end is gone. */
static int run(struct relay *relay)
{
	bool more = false;

	while (wait(relay, more)) {
		more = work(relay);
		for (int i = 0; i < 2; i++) {
			if (!relay->ends[i].gone)
				continue;
			fprintf(stderr, "relay: %s: it was deleted\n", relay->ends[i].name);
			return 1;
		}
	}
	return 0;
}

static void report(const struct relay *relay, int from)
{
	const struct fault_counts *c = &relay->ways[from].counts;
	const struct end *to = &relay->ends[!from];

	printf("%s -> %s: in %llu out %llu lost %llu burst %llu queue %llu long %llu "
	       "duplicated %llu corrupted %llu reordered %llu refused %llu absent %llu\n",
	       relay->ends[from].name, to->name, (unsigned long long)c->in,
	       (unsigned long long)c->out, (unsigned long long)c->lost,
	       (unsigned long long)c->burst_lost, (unsigned long long)c->queue_lost,
	       (unsigned long long)c->too_long, (unsigned long long)c->duplicated,
	       (unsigned long long)c->corrupted, (unsigned long long)c->reordered,
	       (unsigned long long)to->refused, (unsigned long long)to->absent);
}

static void start(struct relay *relay, const struct arguments *arguments)
{
	if (arguments->pcap) {
		relay->pcap = pcap_open(arguments->pcap);
		if (!relay->pcap)
			die(arguments->pcap);
	}
	for (int i = 0; i < 2; i++) {
		end_open(&relay->ends[i], arguments->ends[i]);
		fault_link_init(&relay->ways[i], &arguments->faults[i],
				i ? ~arguments->seed : arguments->seed);
	}
	prepare_waiting(relay);
	relay->start_us = clock_us(CLOCK_MONOTONIC);
	if (arguments->seconds)
		alarm(arguments->seconds);
	/* Whoever waits for this line knows that both ends are there. */
	printf("relay: seed %llu\n", (unsigned long long)arguments->seed);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct relay relay;
	struct arguments arguments;

	arguments_parse(argc, argv, &arguments);
	start(&relay, &arguments);
	int status = run(&relay);

	for (int from = 0; from < 2; from++)
		report(&relay, from);
	for (int i = 0; i < 2; i++) {
		fault_link_clear(&relay.ways[i]);
		end_close(&relay.ends[i]);
	}
	if (relay.pcap)
		fclose(relay.pcap);
	return status;
}
