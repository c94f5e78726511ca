/* The table: medians, and the range in which the middle 80 % of the rounds lie. */
#include <stdio.h>
#include <stdlib.h>

#include "test/host/bench/speed/speed.h"

struct summary {
	double low, median, high;
};

static int compare(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return (difference > 0) - (difference < 0);
}

/* Sorts the values. */
static struct summary summarise(double *values, uint32_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return (struct summary){
		.low = values[count / 10],
		.median = values[count / 2],
		.high = values[count - 1 - count / 10],
	};
}

static double *allocate(uint32_t count)
{
	double *values = calloc(count, sizeof(*values));

	if (!values)
		abort();
	return values;
}

static struct summary summarise_times(const struct row *row)
{
	double *ns = allocate(row->rounds);

	for (uint32_t i = 0; i < row->rounds; i++)
		ns[i] = row->ns[i];
	struct summary summary = summarise(ns, row->rounds);

	free(ns);
	return summary;
}

static struct summary summarise_ratios(const struct row *row)
{
	double *ratios = allocate(row->rounds);

	for (uint32_t i = 0; i < row->rounds; i++)
		ratios[i] = row->ns[i] / row->earlier->ns[i];
	struct summary summary = summarise(ratios, row->rounds);

	free(ratios);
	return summary;
}

/* How a rate is told. */
struct scale {
	double factor; /* from units a second */
	const char *name;
};

static const struct scale scales[] = {
	[UNIT_PACKET] = {1e-6, "million/s"},
	[UNIT_CONNECTION] = {1e-3, "thousand/s"},
	[UNIT_KIB] = {8192e-9, "Gbit/s"},
};

static const char *const unit_names[] = {
	[UNIT_PACKET] = "packet",
	[UNIT_CONNECTION] = "connection",
	[UNIT_KIB] = "KiB",
};

void report_heading(const struct benchmark_group *group)
{
	printf("%-44s %14s %-10s  %10s  %s\n", "", "ns a", unit_names[group->unit],
	       scales[group->unit].name, "goal");
}

static void report_ratio(const struct row *row)
{
	const struct benchmark *benchmark = row->benchmark;
	struct summary ratio = summarise_ratios(row);

	printf("    times %-34s %9.2f (%5.2f to %5.2f)", benchmark->compared_to, ratio.median,
	       ratio.low, ratio.high);
	if (benchmark->goal_ratio > 0)
		printf("  %10s  at most %.1f: %s", "", benchmark->goal_ratio,
		       ratio.median <= benchmark->goal_ratio ? "yes" : "NO");
	putchar('\n');
}

void report_row(const struct row *row)
{
	const struct benchmark *benchmark = row->benchmark;
	struct summary ns = summarise_times(row);
	double rate = 1e9 / ns.median * scales[row->group->unit].factor;

	printf("%-44s %9.1f (%5.0f to %5.0f)  %10.2f", benchmark->name, ns.median, ns.low, ns.high,
	       rate);
	if (benchmark->goal > 0)
		printf("  at least %.1f: %s", benchmark->goal,
		       rate >= benchmark->goal ? "yes" : "NO");
	putchar('\n');
	if (row->earlier)
		report_ratio(row);
}
