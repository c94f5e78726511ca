#define _GNU_SOURCE 1
#include "userland/lib/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void log_line(const char *format, ...)
{
	char line[512];
	va_list arguments;
	int length, file;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	if (length > (int)sizeof(line) - 2)
		length = (int)sizeof(line) - 2;
	line[length++] = '\n';

	/* One write is one record, so that lines of several programs do not mix. */
	file = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (file < 0) {
		(void)!write(STDERR_FILENO, line, (size_t)length);
		return;
	}
	(void)!write(file, line, (size_t)length);
	close(file);
}
