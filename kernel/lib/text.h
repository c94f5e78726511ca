/*
 * A growing text: what a /proc file's show function writes into. Running out of memory is
 * remembered and reported once at the end, so that show functions need no error paths.
 */
#ifndef KERNEL_LIB_TEXT_H
#define KERNEL_LIB_TEXT_H

#include "kernel/types.h"

struct text {
	char *bytes; /* kmalloc'ed; not NUL-terminated */
	size_t length;
	size_t capacity;
	bool failed; /* memory ran out */
};

void text_init(struct text *text);
void text_free(struct text *text);
void text_printf(struct text *text, const char *format, ...) __printf(2, 3);
void text_append(struct text *text, const void *bytes, size_t n);

#endif
