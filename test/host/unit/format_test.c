/*
 * The kernel's printf against the C library's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "kernel/lib/format.h"

static void check(const char *format, ...) __printf(1, 2);
static void check(const char *format, ...)
{
	char expected[256], actual[256];
	va_list args, again;

	va_start(args, format);
	va_copy(again, args);
	int expected_length = vsnprintf(expected, sizeof(expected), format, args);
	int actual_length = format_text(actual, sizeof(actual), format, again);
	va_end(again);
	va_end(args);
	assert_string_equal(actual, expected);
	assert_int_equal(actual_length, expected_length);
}

static void integers(void **state __unused)
{
	static const long values[] = {
		0, 1, -1, 42, -42, 65535, 2147483647, -2147483647 - 1, INT64_MAX, INT64_MIN};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		check("%d|%i|%u|%x|%X|%o", (int)values[i], (int)values[i], (unsigned)values[i],
		      (unsigned)values[i], (unsigned)values[i], (unsigned)values[i]);
		check("%ld|%lu|%lx|%lX|%lo", values[i], (unsigned long)values[i],
		      (unsigned long)values[i], (unsigned long)values[i], (unsigned long)values[i]);
		check("%lld|%llu|%zu|%zd|%jd", (long long)values[i], (unsigned long long)values[i],
		      (size_t)values[i], (ptrdiff_t)values[i], (intmax_t)values[i]);
		check("%hd|%hu|%hhd|%hhu", (short)values[i], (unsigned short)values[i],
		      (signed char)values[i], (unsigned char)values[i]);
		check("%5d|%-5d|%05d|%+d|% d", (int)values[i], (int)values[i], (int)values[i],
		      (int)values[i], (int)values[i]);
		check("%#x|%#X|%#o|%08x|%#010x", (unsigned)values[i], (unsigned)values[i],
		      (unsigned)values[i], (unsigned)values[i], (unsigned)values[i]);
		check("%.3d|%8.3d|%-8.3d|%.0d|%+.5d", (int)values[i], (int)values[i],
		      (int)values[i], (int)values[i], (int)values[i]);
	}
}

static void strings(void **state __unused)
{
	check("%s|%10s|%-10s|%.2s|%10.2s|%-10.2s", "text", "text", "text", "text", "text", "text");
	check("%*s|%-*s|%.*s|%*d", 8, "a", 8, "b", 1, "cd", -6, 7);
	check("%c|%3c|%-3c|%%", 'x', 'y', 'z');
	check("%p", (void *)0x1234);
	check("no conversion at all");
	check("%s", "");
}

static int format(char *to, size_t size, const char *text, ...) __printf(3, 4);
static int format(char *to, size_t size, const char *text, ...)
{
	va_list args;

	va_start(args, text);
	int length = format_text(to, size, text, args);
	va_end(args);
	return length;
}

static void truncation(void **state __unused)
{
	for (size_t size = 0; size <= 4; size++) {
		char expected[] = "####", actual[] = "####";

		assert_int_equal(format(actual, size, "%s", "abcdef"), 6);
		snprintf(expected, size, "%s", "abcdef");
		assert_memory_equal(actual, expected, sizeof(actual));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(strings),
		cmocka_unit_test(truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
