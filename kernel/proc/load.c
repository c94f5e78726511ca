/*
 * Load averages: see load.h.
 */
#include "kernel/proc/load.h"

#include "kernel/clock.h"
#include "kernel/lock.h"

#define STEP_US (5 * USEC_PER_SEC)
#define STEPS_MAX 1000 /* after that many idle steps nothing is left of a load */
#define ONE 65536ull   /* fixed point */

/* exp(-5 s / 60 s), exp(-5 s / 300 s), exp(-5 s / 900 s), in units of 1/ONE. */
static const uint64_t kept[LOAD_AVERAGES] = {60296, 64453, 65173};

static struct {
	uint64_t average[LOAD_AVERAGES]; /* in units of 1/ONE threads */
	uint64_t step_start_us;
	uint64_t changed_us;
	uint64_t thread_us; /* spent runnable since step_start_us */
	uint32_t runnable;
} load;

/* The step that ended at step_start_us + STEP_US. */
static void end_step(void)
{
	uint64_t now = load.thread_us * ONE / STEP_US;

	for (uint32_t i = 0; i < LOAD_AVERAGES; i++)
		load.average[i] = (load.average[i] * kept[i] + now * (ONE - kept[i])) / ONE;
	load.thread_us = 0;
	load.step_start_us += STEP_US;
}

/* Sums up to the present. */
static void bring_up_to_date(void)
{
	uint64_t now_us = clock_now_us();

	for (uint32_t i = 0; now_us - load.step_start_us >= STEP_US && i < STEPS_MAX; i++) {
		uint64_t end_us = load.step_start_us + STEP_US;
		load.thread_us += (end_us - load.changed_us) * load.runnable;
		load.changed_us = end_us;
		end_step();
	}
	if (now_us - load.step_start_us >= STEP_US) {
		load.step_start_us = load.changed_us = now_us;
		load.thread_us = 0;
	}
	load.thread_us += (now_us - load.changed_us) * load.runnable;
	load.changed_us = now_us;
}

void load_changes(uint32_t runnable)
{
	bring_up_to_date();
	load.runnable = runnable;
}

void load_averages(uint32_t averages[LOAD_AVERAGES])
{
	irq_flags_t flags = irq_save();

	bring_up_to_date();
	for (uint32_t i = 0; i < LOAD_AVERAGES; i++)
		averages[i] = (uint32_t)((load.average[i] * 100 + ONE / 2) / ONE);
	irq_restore(flags);
}
