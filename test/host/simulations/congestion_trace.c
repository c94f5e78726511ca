/*
 * What a sender does on a link, as numbers for a plot: one transfer in virtual time, and a line for
 * each moment at which something of it changed.
 *
 *	usage: congestion_trace SCENARIO
 *
 * Columns: seconds since the connection stood; cwnd, ssthresh (0: none yet), bytes in flight, lost
 * and not sent again, each in segments; the smoothed round trip in milliseconds; bytes acknowledged
 * and sent, in segments; segments sent again, timeouts, and the state (enum tcp_ca_state), so far.
 * tools/plots makes the handbook's plots of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tcp/tcp_congestion.h"
#include "test/host/simulator/transfer.h"

#define BYTES (1u << 30) /* more than any scenario has time for */
#define BUFFER (4 << 20) /* so that the window of congestion is the only limit */
#define MBIT 1000000ull
#define KIB 1024u

struct scenario {
	const char *name;
	const struct tcp_congestion_ops *congestion;
	uint64_t rate_bps, delay_us; /* of the link, each way */
	uint32_t queue_bytes;
	double seconds;
	double dead_from_s, dead_to_s; /* all frames are lost; 0, 0: never */
};

/* A round trip of 40 ms at 40 Mbit/s is 138 segments; the queue holds 353. */
#define SLOW_START .rate_bps = 40 * MBIT, .delay_us = 20000, .queue_bytes = 500 * KIB, .seconds = 2

/* 60 ms at 20 Mbit/s: 104 segments; the queue holds 106. */
#define AVOIDANCE .rate_bps = 20 * MBIT, .delay_us = 30000, .queue_bytes = 150 * KIB, .seconds = 60

/* 100 ms at 100 Mbit/s: 863 segments; one loss, and the way back. */
#define LONG_FAT                                                                            \
	.rate_bps = 100 * MBIT, .delay_us = 50000, .queue_bytes = 400 * KIB, .seconds = 40, \
	.dead_from_s = 5, .dead_to_s = 5.0005

static const struct scenario scenarios[] = {
	{"slow-start-cubic", &tcp_cubic, SLOW_START},
	{"slow-start-reno", &tcp_newreno, SLOW_START},
	{"sawtooth-cubic", &tcp_cubic, AVOIDANCE},
	{"sawtooth-reno", &tcp_newreno, AVOIDANCE},
	{"long-fat-cubic", &tcp_cubic, LONG_FAT},
	{"long-fat-reno", &tcp_newreno, LONG_FAT},
	{"recovery", &tcp_cubic, .rate_bps = 10 * MBIT, .delay_us = 30000, .queue_bytes = 100 * KIB,
	 .seconds = 4, .dead_from_s = 3, .dead_to_s = 3.012},
	{"timeout", &tcp_cubic, .rate_bps = 10 * MBIT, .delay_us = 20000, .queue_bytes = 100 * KIB,
	 .seconds = 6, .dead_from_s = 3, .dead_to_s = 4},
};

static const struct scenario *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
		if (strcmp(scenarios[i].name, name) == 0)
			return &scenarios[i];
	}
	fprintf(stderr, "congestion_trace: no scenario %s\n", name);
	exit(EXIT_FAILURE);
}

/* What a line is printed of. */
struct trace {
	struct transfer *transfer;
	uint32_t mss;   /* at first: what a segment is, for every line */
	char last[200]; /* line, without its time */
};

static double segments(const struct trace *trace, uint32_t bytes)
{
	return (double)bytes / trace->mss;
}

/* A line, unless it says what the last one said but for the time. */
static void print_line(struct trace *trace)
{
	const struct transfer *transfer = trace->transfer;
	const struct tcp_socket *tcp = transfer->sender;
	uint32_t ssthresh = tcp->congestion.ssthresh == UINT32_MAX ? 0 : tcp->congestion.ssthresh;
	char line[sizeof(trace->last)];

	snprintf(line, sizeof(line), "%.2f %.2f %.2f %.2f %.1f %.2f %.2f %u %llu %u",
		 segments(trace, tcp->congestion.cwnd), segments(trace, ssthresh),
		 segments(trace, tcp_in_flight(tcp)), segments(trace, tcp->scoreboard.lost_bytes),
		 (double)tcp->rtt.srtt_us / USEC_PER_MSEC, segments(trace, tcp->snd_una - tcp->iss),
		 segments(trace, tcp->snd_nxt - tcp->iss), tcp->count.retransmissions,
		 (unsigned long long)transfer_count(transfer, TCP_EXTRA_TIMEOUTS),
		 (unsigned)tcp->recovery.state);
	if (strcmp(line, trace->last) == 0)
		return;
	printf("%.6f %s\n", (double)(transfer->world->now_us - transfer->began_us) / USEC_PER_SEC,
	       line);
	memcpy(trace->last, line, sizeof(line));
}

static void run_until(struct trace *trace, double seconds)
{
	struct transfer *transfer = trace->transfer;

	transfer->stop_us = transfer->began_us + (uint64_t)(seconds * USEC_PER_SEC);
	while (transfer->world->now_us < transfer->stop_us && transfer_step(transfer))
		print_line(trace);
}

static void run(const struct scenario *scenario)
{
	const struct fault_settings faults = {
		.rate_bps = scenario->rate_bps,
		.delay_us = scenario->delay_us,
		.queue_bytes = scenario->queue_bytes,
	};
	struct fault_settings dead = faults;
	const struct transfer_settings settings = {
		.seed = 1,
		.bytes = BYTES,
		.there = faults,
		.back = faults,
		.buffer = BUFFER,
		.congestion = scenario->congestion,
	};
	struct trace trace = {.transfer = transfer_open(&settings)};

	trace.mss = trace.transfer->sender->mss;
	dead.loss = 1;
	if (scenario->dead_to_s > 0) {
		run_until(&trace, scenario->dead_from_s);
		fault_link_set(&trace.transfer->link->way[0], &dead);
		run_until(&trace, scenario->dead_to_s);
		fault_link_set(&trace.transfer->link->way[0], &faults);
	}
	run_until(&trace, scenario->seconds);
	transfer_close(trace.transfer);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: congestion_trace SCENARIO\n");
		return EXIT_FAILURE;
	}
	run(find(argv[1]));
	return EXIT_SUCCESS;
}
