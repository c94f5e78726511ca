/*
 * relay: a link with faults between two ends, each a TAP or the socket of a QEMU "-netdev dgram".
 *
 *	relay [--faults TEXT] [--back TEXT] [--seed N] [--pcap FILE] [--seconds N] END END
 *	END: tap=IFNAME, or unix=LOCAL,REMOTE (datagram sockets; QEMU's local.path is our REMOTE)
 *
 * The faults are the simulator's (test/host/simulator/faults.h), drawn from the seed; one epoll
 * loop, no polling.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "test/host/simulator/faults.h"
#include "test/host/simulator/pcap.h"
#include "test/host/tap/tap.h"

#define FRAMES_AT_ONCE 64 /* from one end before the other gets its turn */
#define ETHERNET_MINIMUM 14

struct end {
	const char *name;
	int fd;
	struct sockaddr_un peer; /* unix= only */
	const char *bound;       /* the socket's own path, to unlink */
	uint64_t refused;        /* frames that this end could not take */
};

struct relay {
	struct end ends[2];
	struct fault_link ways[2]; /* ways[i]: out of ends[i] */
	FILE *pcap;
	int timer;
	uint64_t start_us;
};

static const char usage[] =
	"Usage: relay [OPTION]... END END\n"
	"Joins two ends by a link with faults, until a signal or --seconds.\n"
	"\n"
	"END is tap=IFNAME, or unix=LOCAL,REMOTE: datagram sockets, one frame each, as QEMU's\n"
	"  -netdev dgram,id=n0,local.type=unix,local.path=REMOTE,"
	"remote.type=unix,remote.path=LOCAL\n"
	"\n"
	"  --faults TEXT   e.g. loss=1%,delay=20ms,jitter=2ms,rate=10mbit,queue=64k,reorder=5%,\n"
	"                  depth=20,duplicate=1%,corrupt=0.1%,burst=0.1%,burst-length=5,mtu=1500\n"
	"  --back TEXT     other faults for the way from the second END to the first\n"
	"  --seed N        the faults' seed (default: random, printed)\n"
	"  --pcap FILE     write every frame as it enters the link\n"
	"  --seconds N     end after N seconds\n"
	"  --help          this text\n";

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / NSEC_PER_USEC;
}

static void die(const char *what)
{
	fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void refuse(const char *what, const char *text)
{
	fprintf(stderr, "relay: %s '%s' (see --help)\n", what, text);
	exit(2);
}

static void fill_path(struct sockaddr_un *name, const char *path)
{
	name->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(name->sun_path))
		refuse("path too long:", path);
	strcpy(name->sun_path, path);
}

static void open_socket(struct end *end, char *paths)
{
	struct sockaddr_un local;
	char *comma = strchr(paths, ',');

	if (!comma)
		refuse("unix= wants LOCAL,REMOTE, not", paths);
	*comma = '\0';
	fill_path(&local, paths);
	fill_path(&end->peer, comma + 1);
	end->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	unlink(paths);
	if (end->fd < 0 || bind(end->fd, (struct sockaddr *)&local, sizeof(local)))
		die(paths);
	end->bound = paths;
}

static void open_end(struct end *end, char *text)
{
	end->name = strdup(text);
	if (strncmp(text, "tap=", 4) == 0) {
		end->fd = tap_open(text + 4, false);
		if (end->fd < 0)
			exit(1);
	} else if (strncmp(text, "unix=", 5) == 0) {
		open_socket(end, text + 5);
	} else {
		refuse("not an END:", text);
	}
}

/* One frame out; a full or absent receiver loses it, as a wire would. */
static void put_frame(struct end *end, const struct fault_frame *frame)
{
	ssize_t n = end->bound ? sendto(end->fd, frame->bytes, frame->length, 0,
					(const struct sockaddr *)&end->peer, sizeof(end->peer))
			       : write(end->fd, frame->bytes, frame->length);

	if (n < 0)
		end->refused++;
}

/* Takes what an end has to say, a bounded number of frames at a time. */
static void take_frames(struct relay *relay, int from)
{
	static uint8_t frame[FAULT_FRAME_MAX];

	for (int i = 0; i < FRAMES_AT_ONCE; i++) {
		ssize_t n = read(relay->ends[from].fd, frame, sizeof(frame));

		if (n < ETHERNET_MINIMUM)
			return;
		uint64_t now = now_us();

		if (relay->pcap)
			pcap_write(relay->pcap, frame, (uint32_t)n, now);
		if (!fault_link_send(&relay->ways[from], frame, (uint32_t)n, now - relay->start_us))
			die("memory");
	}
}

static void give_frames(struct relay *relay)
{
	uint64_t now = now_us() - relay->start_us;

	for (int from = 0; from < 2; from++) {
		struct fault_frame *frame;

		while ((frame = fault_link_receive(&relay->ways[from], now))) {
			put_frame(&relay->ends[!from], frame);
			free(frame);
		}
	}
}

/* The timer goes off when the next frame is due. */
static void set_timer(struct relay *relay)
{
	uint64_t next = MIN(fault_link_next(&relay->ways[0]), fault_link_next(&relay->ways[1]));
	struct itimerspec when = {0};

	if (next != UINT64_MAX) {
		next += relay->start_us;
		when.it_value.tv_sec = (time_t)(next / USEC_PER_SEC);
		when.it_value.tv_nsec = (long)(next % USEC_PER_SEC * NSEC_PER_USEC);
	}
	if (timerfd_settime(relay->timer, TFD_TIMER_ABSTIME, &when, NULL))
		die("timer");
}

static void watch(int epoll, int fd, uint32_t what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = what};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
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

static void run(struct relay *relay)
{
	enum { END_0, END_1, TIMER, SIGNAL };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[4];
	uint64_t expirations;

	relay->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	watch(epoll, relay->ends[0].fd, END_0);
	watch(epoll, relay->ends[1].fd, END_1);
	watch(epoll, relay->timer, TIMER);
	watch(epoll, open_signals(), SIGNAL);
	for (;;) {
		int n = epoll_wait(epoll, events, 4, -1);

		for (int i = 0; i < n; i++) {
			uint32_t what = events[i].data.u32;

			if (what == SIGNAL)
				return;
			if (what == TIMER)
				(void)!read(relay->timer, &expirations, sizeof(expirations));
			else
				take_frames(relay, (int)what);
		}
		give_frames(relay);
		set_timer(relay);
	}
}

static void report(const struct relay *relay)
{
	for (int from = 0; from < 2; from++) {
		const struct fault_counts *c = &relay->ways[from].counts;

		printf("%s -> %s: in %llu out %llu lost %llu burst %llu queue %llu long %llu "
		       "duplicated %llu corrupted %llu reordered %llu refused %llu\n",
		       relay->ends[from].name, relay->ends[!from].name, (unsigned long long)c->in,
		       (unsigned long long)c->out, (unsigned long long)c->lost,
		       (unsigned long long)c->burst_lost, (unsigned long long)c->queue_lost,
		       (unsigned long long)c->too_long, (unsigned long long)c->duplicated,
		       (unsigned long long)c->corrupted, (unsigned long long)c->reordered,
		       (unsigned long long)relay->ends[!from].refused);
	}
}

static void parse_faults(struct fault_settings *settings, const char *text)
{
	const char *bad = fault_settings_parse(settings, text);

	if (bad)
		refuse("not a fault setting:", bad);
}

static unsigned long parse_number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	if (end == text || *end)
		refuse("not a number:", text);
	return n;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"faults", required_argument, NULL, 'f'},
						{"back", required_argument, NULL, 'b'},
						{"seed", required_argument, NULL, 's'},
						{"pcap", required_argument, NULL, 'p'},
						{"seconds", required_argument, NULL, 't'},
						{"help", no_argument, NULL, 'h'},
						{0}};
	static struct relay relay;
	struct fault_settings there = {0}, back = {0};
	bool own_back = false;
	uint64_t seed = now_us();
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			parse_faults(&there, optarg);
			break;
		case 'b':
			parse_faults(&back, optarg);
			own_back = true;
			break;
		case 's':
			seed = parse_number(optarg);
			break;
		case 'p':
			relay.pcap = pcap_open(optarg);
			if (!relay.pcap)
				die(optarg);
			break;
		case 't':
			alarm((unsigned int)parse_number(optarg));
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (argc - optind != 2) {
		fputs(usage, stderr);
		return 2;
	}
	for (int i = 0; i < 2; i++)
		open_end(&relay.ends[i], argv[optind + i]);
	relay.start_us = now_us();
	fault_link_init(&relay.ways[0], &there, seed);
	fault_link_init(&relay.ways[1], own_back ? &back : &there, ~seed);
	printf("relay: seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	run(&relay);
	report(&relay);
	for (int i = 0; i < 2; i++) {
		fault_link_destroy(&relay.ways[i]);
		if (relay.ends[i].bound)
			unlink(relay.ends[i].bound);
	}
	return 0;
}
