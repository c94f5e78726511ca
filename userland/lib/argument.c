#include "userland/lib/argument.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

bool argument_number(const char *text, unsigned long min, unsigned long max, unsigned long *number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*number = strtoul(text, &end, 10);
	return *end == '\0' && errno == 0 && *number >= min && *number <= max;
}

bool argument_seconds(const char *text, uint64_t *microseconds)
{
	char *end;
	double seconds;

	if (!isdigit((unsigned char)*text) && *text != '.')
		return false;
	seconds = strtod(text, &end);
	if (end == text || *end != '\0' || !(seconds <= 86400))
		return false;
	*microseconds = (uint64_t)(seconds * 1e6 + 0.5);
	return true;
}

void argument_wrong(const char *program, const char *what, const char *value)
{
	if (what)
		fprintf(stderr, "%s: %s%s%s\n", program, what, value ? ": " : "",
			value ? value : "");
	fprintf(stderr, "Try `%s --help`.\n", program);
	exit(2);
}

uint16_t argument_port_alone(const char *program, int argc, char **argv, const char *usage,
			     uint16_t port)
{
	static const struct option long_options[] = {{"help", no_argument, NULL, 'h'}, {0}};
	unsigned long number = port;
	int option;

	while ((option = getopt_long(argc, argv, "p:h", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (option != 'p')
			argument_wrong(program, NULL, NULL);
		if (!argument_number(optarg, 1, 65535, &number))
			argument_wrong(program, "not a port", optarg);
	}
	if (optind < argc)
		argument_wrong(program, "not an option", argv[optind]);
	return (uint16_t)number;
}
