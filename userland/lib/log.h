/* One line for the kernel's log, where boot messages belong whoever writes them. */
#ifndef USERLAND_LIB_LOG_H
#define USERLAND_LIB_LOG_H

/* Writes a line, without the newline in `format`, to /dev/kmsg; to stderr where there is none. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
