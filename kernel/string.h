/*
 * The part of <string.h> and <stdio.h> that the kernel has, with the C library's meanings; the
 * host build takes the C library's own.
 */
#ifndef KERNEL_STRING_H
#define KERNEL_STRING_H

#include "kernel/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *bytes, int byte, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

/*
 * %d %i %u %x %X %o %c %s %p %% with l, ll, z, h, hh, width, precision (also *), and the - 0 + #
 * flags.
 */
int snprintf(char *to, size_t size, const char *format, ...) __printf(3, 4);
int vsnprintf(char *to, size_t size, const char *format, va_list args) __printf(3, 0);

/* Copies with truncation; `to` always ends with NUL when size > 0. Returns the bytes copied. */
static inline size_t strscpy(char *to, const char *from, size_t size)
{
	size_t n = 0;
	if (size == 0)
		return 0;
	while (n + 1 < size && from[n]) {
		to[n] = from[n];
		n++;
	}
	to[n] = '\0';
	return n;
}

#endif
