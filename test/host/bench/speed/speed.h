/*
 * Benchmarks of the stack on the host: what a packet, a connection or a KiB costs, measured again
 * and again in turn.
 *
 * A group of benchmarks is one file, which offers a table of struct benchmark and stands in the
 * list of groups in speed.c. All benchmarks that were chosen are started, then a round measures
 * each of them once, and the next round begins: so that a slow moment of the machine does not fall
 * on one benchmark alone, and two of them can be compared round by round.
 */
#ifndef TEST_HOST_BENCH_SPEED_SPEED_H
#define TEST_HOST_BENCH_SPEED_SPEED_H

#include "kernel/types.h"

/* What is counted. */
enum unit {
	UNIT_PACKET,
	UNIT_CONNECTION,
	UNIT_KIB, /* of a stream; its rate is told in Gbit/s */
};

struct benchmark {
	const char *name;
	/* The name of an earlier one of the group: the table shows how many times its cost. NULL:
	 * none. */
	const char *compared_to;
	double goal;       /* the rate that it ought to reach, as the table tells rates; 0: none */
	double goal_ratio; /* to compared_to, at most; 0: none */
	const void *settings;

	/* What `run` works on; from `settings`. */
	void *(*start)(const struct benchmark *benchmark);
	/* The part that is measured: takes so many units through, a multiple of SPEED_BATCH. */
	void (*run)(void *bench, uint32_t count);
	void (*stop)(void *bench);
};

/* What a driver handles in one go. */
#define SPEED_BATCH 64

struct benchmark_group {
	const struct benchmark *benchmarks;
	uint32_t count;
	enum unit unit;
	uint32_t look_every; /* units between two looks at the clock: a multiple of SPEED_BATCH */
};

/* The groups: one file each. */
extern const struct benchmark_group udp_benchmarks;
extern const struct benchmark_group tcp_stream_benchmarks;
extern const struct benchmark_group tcp_connection_benchmarks;
extern const struct benchmark_group tcp_segment_benchmarks;

/*
 * The times of one benchmark, a row of the table. `earlier` is the row of compared_to; its samples
 * and this row's were taken in the same rounds.
 */
struct row {
	const struct benchmark *benchmark;
	const struct benchmark_group *group;
	const struct row *earlier;
	double *ns; /* a unit, by round */
	uint32_t rounds;
};

/* report.c */
void report_heading(const struct benchmark_group *group);
void report_row(const struct row *row);

#endif
