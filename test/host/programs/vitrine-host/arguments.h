/* The command line of vitrine-host. */
#ifndef TEST_HOST_PROGRAMS_VITRINE_HOST_ARGUMENTS_H
#define TEST_HOST_PROGRAMS_VITRINE_HOST_ARGUMENTS_H

#include <stdbool.h>

#include "net/core/addr.h"
#include "test/host/programs/vitrine-host/services.h"
#include "userland/lib/netconfig.h"

struct arguments {
	const char *tap;
	struct mac mac;           /* given, or a random local one */
	bool dhcp;                /* else `address` */
	struct netconfig address; /* origin "static" */
	const char *pcap;         /* NULL: none */
	bool offload;
	bool services[SERVICE_COUNT];
};

/* Ends the program with one line on stderr when something is wrong, and after --help. */
void arguments_parse(int argc, char **argv, struct arguments *arguments);

#endif
