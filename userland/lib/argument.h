/*
 * Command lines: numbers, strictly (nothing before or behind, and within bounds), and complaints.
 */
#ifndef USERLAND_LIB_ARGUMENT_H
#define USERLAND_LIB_ARGUMENT_H

#include <stdbool.h>
#include <stdint.h>

bool argument_number(const char *text, unsigned long min, unsigned long max, unsigned long *number);

/* "1.5" seconds as microseconds, at most a day. */
bool argument_seconds(const char *text, uint64_t *microseconds);

/*
 * Ends the program with status 2 after a line on stderr, "PROGRAM: WHAT: VALUE", and a hint at
 * --help. `value` may be NULL, and so may `what`, where getopt() has complained already.
 */
__attribute__((noreturn)) void argument_wrong(const char *program, const char *what,
					      const char *value);

/*
 * The command line of a server that takes `-p PORT` and nothing else: the port, or `port` where
 * none is given. Ends the program after `--help`, for which it prints `usage`, and when something
 * is wrong.
 */
uint16_t argument_port_alone(const char *program, int argc, char **argv, const char *usage,
			     uint16_t port);

#endif
