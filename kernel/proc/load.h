/*
 * Load averages: how many threads ran or wanted to, on average over 1, 5 and 15 minutes.
 *
 * No tick samples them. The time that threads spend runnable is summed as the run queue changes,
 * and the averages are brought up to date in steps of five seconds when somebody changes the queue
 * or looks.
 */
#ifndef KERNEL_PROC_LOAD_H
#define KERNEL_PROC_LOAD_H

#include "kernel/types.h"

#define LOAD_AVERAGES 3

/* `runnable` threads from now on. Interrupts masked. */
void load_changes(uint32_t runnable);

/* In hundredths. */
void load_averages(uint32_t load[LOAD_AVERAGES]);

#endif
