/*
 * How 10 MiB get through links good and bad: for 9 sizes of buffers, for frames lost in both
 * directions, in order and not, damaged and not. Each line is one transfer in virtual time:
 *
 *	usage: transfer_table [KIND...]      (0 to 3: lines of these kinds of link; none: all)
 *
 * tools/transfer-table compares the lines with those that are checked in.
 */
#include <stdio.h>
#include <stdlib.h>

#include "test/host/simulator/transfer.h"

#define BYTES (10u << 20)
#define BUFFER_LEAST (4 << 10)
#define BUFFER_MOST (1 << 20)
#define DELAY_US (10 * USEC_PER_MSEC)
#define RATE_BPS 100000000ull
#define QUEUE_BYTES (128u << 10)
#define REORDER 0.05
#define REORDER_DEPTH 20
#define CORRUPT 0.01
/* With a third of all frames lost, 15 timeouts in a row (tcp_retries2) are not so rare. */
#define RETRIES 100

static const double losses[] = {0, 0.01, 0.03, 0.10, 0.20, 0.30};

static const struct {
	const char *name;
	double reorder, corrupt;
} kinds[] = {
	{"in order", 0, 0},
	{"reordered", REORDER, 0},
	{"corrupted", 0, CORRUPT},
	{"both", REORDER, CORRUPT},
};

static void print_row(size_t kind, int32_t buffer, double loss)
{
	const struct fault_settings faults = {
		.loss = loss,
		.reorder = kinds[kind].reorder,
		.reorder_depth = REORDER_DEPTH,
		.corrupt = kinds[kind].corrupt,
		.delay_us = DELAY_US,
		.rate_bps = RATE_BPS,
		.queue_bytes = QUEUE_BYTES,
	};
	const struct transfer_settings settings = {
		.seed = 1,
		.bytes = BYTES,
		.there = faults,
		.back = faults,
		.buffer = buffer,
		.retries = RETRIES,
	};
	struct transfer *transfer = transfer_open(&settings);

	while (transfer_step(transfer))
		;
	printf("%-10s %4d KiB %3.0f %% %9llu ms %6u sent %5u again %5llu timeouts%s%s\n",
	       kinds[kind].name, buffer >> 10, loss * 100,
	       (unsigned long long)((transfer->world->now_us - transfer->began_us) / USEC_PER_MSEC),
	       transfer->sender->count.data_segments_out, transfer->sender->count.retransmissions,
	       (unsigned long long)transfer_count(transfer, TCP_EXTRA_TIMEOUTS),
	       transfer->trouble ? " FAILED: " : "", transfer->trouble ? transfer->trouble : "");
	transfer_close(transfer);
}

static void print_kind(size_t kind)
{
	for (int32_t buffer = BUFFER_LEAST; buffer <= BUFFER_MOST; buffer *= 2) {
		for (size_t i = 0; i < ARRAY_SIZE(losses); i++)
			print_row(kind, buffer, losses[i]);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t kind = strtoul(argv[i], NULL, 10);

		if (kind < ARRAY_SIZE(kinds))
			print_kind(kind);
	}
	for (size_t kind = 0; argc == 1 && kind < ARRAY_SIZE(kinds); kind++)
		print_kind(kind);
	return EXIT_SUCCESS;
}
