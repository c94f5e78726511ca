/* Numbers from a command line, strictly: nothing before or behind, and within bounds. */
#ifndef USERLAND_LIB_ARGUMENT_H
#define USERLAND_LIB_ARGUMENT_H

#include <stdbool.h>
#include <stdint.h>

bool argument_number(const char *text, unsigned long min, unsigned long max, unsigned long *number);

/* "1.5" seconds as microseconds, at most a day. */
bool argument_seconds(const char *text, uint64_t *microseconds);

#endif
