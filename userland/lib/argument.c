#include "userland/lib/argument.h"

#include <ctype.h>
#include <errno.h>
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
