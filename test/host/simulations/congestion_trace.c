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

/* A stretch of time in which all frames are lost. */
struct outage {
	double from_s, to_s;
};

struct scenario {
	const char *name;
	const struct tcp_congestion_ops *congestion;
	uint64_t rate_bps, delay_us; /* of the link, each way */
	uint32_t queue_bytes;
	double seconds;
	struct outage outages[2];
};

/* A round trip of 40 ms at 50 Mbit/s is 250 KB; the queue holds as much. */
#define SLOW_START \
	.rate_bps = 50 * MBIT, .delay_us = 20000, .queue_bytes = 250 * KIB, .seconds = 1.2

/* 60 ms at 20 Mbit/s: 150 KB. */
#define AVOIDANCE .rate_bps = 20 * MBIT, .delay_us = 30000, .queue_bytes = 150 * KIB, .seconds = 60

/* 100 ms at 100 Mbit/s: 1.25 MB; one loss, and the way back. */
#define LONG_FAT                                                                            \
	.rate_bps = 100 * MBIT, .delay_us = 50000, .queue_bytes = 400 * KIB, .seconds = 40, \
	.outages = {{5.000, 5.0005}}

static const struct scenario scenarios[] = {
	{"slow-start-cubic", &tcp_cubic, SLOW_START},
	{"slow-start-reno", &tcp_newreno, SLOW_START},
	{"sawtooth-cubic", &tcp_cubic, AVOIDANCE},
	{"sawtooth-reno", &tcp_newreno, AVOIDANCE},
	{"long-fat-cubic", &tcp_cubic, LONG_FAT},
	{"long-fat-reno", &tcp_newreno, LONG_FAT},
	{"recovery", &tcp_cubic, .rate_bps = 10 * MBIT, .delay_us = 30000, .queue_bytes = 100 * KIB,
	 .seconds = 4, .outages = {{3.000, 3.006}}},
	{"timeout", &tcp_cubic, .rate_bps = 10 * MBIT, .delay_us = 20000, .queue_bytes = 100 * KIB,
	 .seconds = 8, .outages = {{3.0, 4.5}}},
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

static double segments(const struct tcp_socket *tcp, uint32_t bytes)
{
	return (double)bytes / tcp->mss;
}

/* A line, unless it says what the last one said but for the time. */
static void print_line(const struct transfer *transfer, char *last, size_t size)
{
	const struct tcp_socket *tcp = transfer->sender;
	uint32_t ssthresh = tcp->congestion.ssthresh == UINT32_MAX ? 0 : tcp->congestion.ssthresh;
	char line[200];

	snprintf(line, sizeof(line), "%.2f %.2f %.2f %.2f %.1f %.2f %.2f %u %llu %u",
		 segments(tcp, tcp->congestion.cwnd), segments(tcp, ssthresh),
		 segments(tcp, tcp_in_flight(tcp)), segments(tcp, tcp->scoreboard.lost_bytes),
		 (double)tcp->rtt.srtt_us / USEC_PER_MSEC, segments(tcp, tcp->snd_una - tcp->iss),
		 segments(tcp, tcp->snd_nxt - tcp->iss), tcp->count.retransmissions,
		 (unsigned long long)transfer_count(transfer, TCP_EXTRA_TIMEOUTS),
		 (unsigned)tcp->recovery.state);
	if (strcmp(line, last) == 0)
		return;
	printf("%.6f %s\n", (double)(transfer->world->now_us - transfer->began_us) / USEC_PER_SEC,
	       line);
	snprintf(last, size, "%s", line);
}

static bool is_out(const struct scenario *scenario, double now_s)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenario->outages); i++) {
		if (now_s >= scenario->outages[i].from_s && now_s < scenario->outages[i].to_s)
			return true;
	}
	return false;
}

static void run(const struct scenario *scenario)
{
	const struct fault_settings faults = {
		.rate_bps = scenario->rate_bps,
		.delay_us = scenario->delay_us,
		.queue_bytes = scenario->queue_bytes,
	};
	struct fault_settings broken = faults;
	const struct transfer_settings settings = {
		.seed = 1,
		.bytes = BYTES,
		.there = faults,
		.back = faults,
		.buffer = BUFFER,
		.congestion = scenario->congestion,
	};
	struct transfer *transfer = transfer_open(&settings);
	double now_s = 0;
	char last[200] = "";
	bool out = false;

	broken.loss = 1;
	while (now_s < scenario->seconds && transfer_step(transfer)) {
		now_s = (double)(transfer->world->now_us - transfer->began_us) / USEC_PER_SEC;
		if (is_out(scenario, now_s) != out) {
			out = !out;
			fault_link_set(&transfer->link->way[0], out ? &broken : &faults);
		}
		print_line(transfer, last, sizeof(last));
	}
	transfer_close(transfer);
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
