/* The services that vitrine-host can offer: a table with one row for each. */
#ifndef TEST_HOST_PROGRAMS_VITRINE_HOST_SERVICES_H
#define TEST_HOST_PROGRAMS_VITRINE_HOST_SERVICES_H

#include <stdbool.h>
#include <stddef.h>

struct server;

enum service_index {
	SERVICE_ECHO,
	SERVICE_DISCARD,
	SERVICE_CHARGEN,
	SERVICE_COUNT,
};

/* The row of that name, or -1. */
int service_find(const char *name);

/* One line of --help for each. */
void services_describe(char *text, size_t size);

/* Opens the sockets of what is wanted. 0 or a negative errno, after one line on stderr. */
int services_start(struct server *server, const bool wanted[SERVICE_COUNT]);

#endif
