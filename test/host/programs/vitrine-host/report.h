/* What vitrine-host says when it ends. */
#ifndef TEST_HOST_PROGRAMS_VITRINE_HOST_REPORT_H
#define TEST_HOST_PROGRAMS_VITRINE_HOST_REPORT_H

#include "test/host/programs/vitrine-host/stack.h"

/* Counters of the interface, the device, and the drops that are not zero. Before stack_stop. */
void report_counters(const struct stack *stack);

/*
 * After stack_stop: true, and no line, when nothing was left behind and the driver broke no rule of
 * the device.
 */
bool report_leftovers(const struct stack *stack, const struct host_leaks *leaks);

#endif
