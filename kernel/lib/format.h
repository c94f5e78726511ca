/*
 * printf's formatting. The kernel's snprintf and vsnprintf are this; under its own name it can be
 * tested on the host beside the C library's.
 */
#ifndef KERNEL_LIB_FORMAT_H
#define KERNEL_LIB_FORMAT_H

#include "kernel/types.h"

/*
 * Writes at most size - 1 bytes and a NUL (nothing when size is 0). Returns the length that the
 * whole text has. %d %i %u %x %X %o %c %s %p %% with hh h l ll z j t, width and precision (also *),
 * and the flags - 0 + space #.
 */
int format_text(char *to, size_t size, const char *format, va_list args) __printf(3, 0);

#endif
