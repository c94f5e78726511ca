/* The relay's command line. */
#ifndef TEST_HOST_PROGRAMS_RELAY_ARGUMENTS_H
#define TEST_HOST_PROGRAMS_RELAY_ARGUMENTS_H

#include "test/host/simulator/faults.h"

struct arguments {
	struct fault_settings faults[2]; /* of the way out of end 0, and out of end 1 */
	uint64_t seed;
	const char *pcap;     /* or NULL */
	unsigned int seconds; /* 0: until a signal */
	const char *ends[2];
};

/* Fills in *arguments, or ends the program: 0 after --help, 2 after one line on stderr. */
void arguments_parse(int argc, char **argv, struct arguments *arguments);

#endif
