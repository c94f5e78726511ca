/*
 * speed: what packets, connections and streams cost in this stack, on one core of this machine. See
 * speed.h for how a benchmark is made, and `speed --help`.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test/host/bench/speed/speed.h"
#include "test/host/services/host.h"

#define ROUNDS 61
#define ROUNDS_QUICK 7
#define SAMPLE_NS 8000000 /* of one benchmark in one round */
#define WARM_UP_NS 1500000

static const struct benchmark_group *const groups[] = {
	&udp_benchmarks,
	&tcp_stream_benchmarks,
	&tcp_connection_benchmarks,
	&tcp_segment_benchmarks,
};

static const char usage[] =
	"Usage: speed [OPTION]...\n"
	"Measures what packets, connections and streams cost in Vitrine's network stack, on one\n"
	"core of this machine.\n"
	"\n"
	"  --only TEXT   only benchmarks whose name contains TEXT (may be given several times)\n"
	"  --quick       fewer rounds: a second or two instead of twenty\n"
	"  --units N     no table: takes N units through each benchmark, once, to be profiled\n"
	"  --list        the names of the benchmarks\n"
	"  --help        this text\n"
	"\n"
	"receive: a frame is copied into an sk_buff as a device would, netif_receive takes it to\n"
	"the socket's queue, recvfrom copies it out to the process. transmit: sendto copies in,\n"
	"the frame arrives at the device's xmit. Frames come and go in batches of 64 to a driver\n"
	"that does nothing else. \"offloaded\": the device takes care of the checksum.\n"
	"\n"
	"tcp: both ends are in this process, two stacks and a wire that carries frames from one\n"
	"to the other as a device with DMA does, without touching their bytes. stream: a process\n"
	"writes 64 KiB, the wire carries, a process reads; what is copied in and out is counted\n"
	"once.\n"
	"connections: connect, one byte each way, the server closes, the client closes, 64 at a\n"
	"time; virtual time passes so that as many as the row says are in TIME-WAIT. receive:\n"
	"segments of 64 bytes on connections drawn at random, and the process reads each.\n"
	"\n"
	"Each number is the median over the rounds, with the range of the middle 80 % of them.\n";

#define ONLY_MAX 16

struct options {
	const char *only[ONLY_MAX];
	uint32_t only_count;
	uint32_t rounds;
	uint32_t units; /* 0: measure */
	bool list;
};

/* Of the processor, for this thread: what else the machine does meanwhile is not counted. */
static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Units for at least so long; the nanoseconds that one of them took. */
static double run_for(const struct row *row, void *bench, uint64_t ns)
{
	uint32_t look_every = row->group->look_every;
	uint64_t start = now_ns(), passed, units = 0;

	do {
		row->benchmark->run(bench, look_every);
		units += look_every;
		passed = now_ns() - start;
	} while (passed < ns);
	return (double)passed / (double)units;
}

static bool chosen(const struct options *options, const struct benchmark *benchmark)
{
	for (uint32_t i = 0; i < options->only_count; i++) {
		if (strstr(benchmark->name, options->only[i]))
			return true;
	}
	return options->only_count == 0;
}

static const struct row *find_row(const struct row *rows, uint32_t count, const char *name)
{
	for (uint32_t i = 0; name && i < count; i++) {
		if (strcmp(rows[i].benchmark->name, name) == 0)
			return &rows[i];
	}
	return NULL;
}

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		abort();
	return memory;
}

static void measure(struct row *rows, void **benches, uint32_t count, uint32_t rounds)
{
	for (uint32_t round = 0; round < rounds; round++) {
		for (uint32_t i = 0; i < count; i++) {
			(void)run_for(&rows[i], benches[i], WARM_UP_NS);
			rows[i].ns[round] = run_for(&rows[i], benches[i], SAMPLE_NS);
		}
	}
}

static void measure_group(const struct benchmark_group *group, const struct options *options)
{
	struct row *rows = allocate(group->count, sizeof(*rows));
	void **benches = allocate(group->count, sizeof(*benches));
	uint32_t count = 0;

	for (uint32_t i = 0; i < group->count; i++) {
		const struct benchmark *benchmark = &group->benchmarks[i];

		if (!chosen(options, benchmark))
			continue;
		rows[count] = (struct row){
			.benchmark = benchmark,
			.group = group,
			.earlier = find_row(rows, count, benchmark->compared_to),
			.ns = allocate(options->rounds, sizeof(double)),
			.rounds = options->rounds,
		};
		benches[count++] = benchmark->start(benchmark);
	}
	measure(rows, benches, count, options->rounds);
	if (count)
		report_heading(group);
	for (uint32_t i = 0; i < count; i++)
		report_row(&rows[i]);
	for (uint32_t i = 0; i < count; i++) {
		rows[i].benchmark->stop(benches[i]);
		free(rows[i].ns);
	}
	free(benches);
	free(rows);
}

/* For a profiler: so many units of each, and nothing around them. */
static void run_once(const struct benchmark_group *group, const struct options *options)
{
	for (uint32_t i = 0; i < group->count; i++) {
		const struct benchmark *benchmark = &group->benchmarks[i];

		if (!chosen(options, benchmark))
			continue;
		void *bench = benchmark->start(benchmark);

		benchmark->run(bench, ALIGN_UP(options->units, (uint32_t)SPEED_BATCH));
		benchmark->stop(bench);
	}
}

static void list(const struct benchmark_group *group)
{
	for (uint32_t i = 0; i < group->count; i++)
		puts(group->benchmarks[i].name);
}

static void refuse(void)
{
	fputs(usage, stderr);
	exit(2);
}

static void read_options(struct options *options, int argc, char **argv)
{
	static const struct option names[] = {
		{"only", required_argument, NULL, 'o'},  {"quick", no_argument, NULL, 'q'},
		{"units", required_argument, NULL, 'u'}, {"list", no_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case 'o':
			if (options->only_count == ONLY_MAX)
				refuse();
			options->only[options->only_count++] = optarg;
			break;
		case 'q':
			options->rounds = ROUNDS_QUICK;
			break;
		case 'u':
			options->units = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'l':
			options->list = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			refuse();
		}
	}
	if (optind < argc)
		refuse();
}

int main(int argc, char **argv)
{
	struct options options = {.rounds = ROUNDS};

	read_options(&options, argc, argv);
	host_use_slabs();
	for (uint32_t i = 0; i < ARRAY_SIZE(groups); i++) {
		if (options.list)
			list(groups[i]);
		else if (options.units)
			run_once(groups[i], &options);
		else
			measure_group(groups[i], &options);
	}
	return 0;
}
