/*
 * String functions with the C library's meanings. The machine's memcpy, memmove and memset are
 * assembly (kernel/arch/arm64/memory.S); the host build takes all of these from its C library.
 */
#include "kernel/string.h"
#include "kernel/lib/format.h"

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *left = a, *right = b;

	for (; n >= 8; n -= 8, left += 8, right += 8) {
		uint64_t x, y;
		__builtin_memcpy(&x, left, 8);
		__builtin_memcpy(&y, right, 8);
		if (x != y)
			break;
	}
	for (; n > 0; n--, left++, right++)
		if (*left != *right)
			return *left - *right;
	return 0;
}

void *memchr(const void *bytes, int byte, size_t n)
{
	const uint8_t *at = bytes;

	for (; n > 0; n--, at++)
		if (*at == (uint8_t)byte)
			return (void *)at;
	return NULL;
}

size_t strlen(const char *s)
{
	const char *end = s;

	while (*end)
		end++;
	return end - s;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n > 0; n--, a++, b++) {
		if (*a != *b)
			return (uint8_t)*a - (uint8_t)*b;
		if (!*a)
			return 0;
	}
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	for (;; s++) {
		if (*s == (char)c)
			last = s;
		if (!*s)
			return (char *)last;
	}
}

int vsnprintf(char *to, size_t size, const char *format, va_list args)
{
	return format_text(to, size, format, args);
}

int snprintf(char *to, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int length = format_text(to, size, format, args);
	va_end(args);
	return length;
}
