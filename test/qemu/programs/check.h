/*
 * What the test programs share. A program runs its tests one after the other and ends with status 0
 * when all of them hold; the first broken check says where, and ends it with status 1.
 */
#ifndef TEST_QEMU_PROGRAMS_CHECK_H
#define TEST_QEMU_PROGRAMS_CHECK_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition)                                                                      \
	do {                                                                                  \
		if (!(condition)) {                                                           \
			fprintf(stderr, "%s:%d: %s does not hold (errno %d: %s)\n", __FILE__, \
				__LINE__, #condition, errno, strerror(errno));                \
			_exit(1);                                                             \
		}                                                                             \
	} while (0)

/* A call that must fail in one way. */
#define CHECK_ERROR(call, error)         \
	do {                             \
		errno = 0;               \
		CHECK((call) == -1);     \
		CHECK(errno == (error)); \
	} while (0)

struct test {
	const char *name;
	void (*run)(void);
};

static inline int run_tests(const struct test *tests, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		printf("%s\n", tests[i].name);
		fflush(stdout);
		tests[i].run();
	}
	return 0;
}

#define RUN_TESTS(...)                                                     \
	int main(void)                                                     \
	{                                                                  \
		const struct test tests[] = {__VA_ARGS__};                 \
		return run_tests(tests, sizeof(tests) / sizeof(tests[0])); \
	}

/* The wait status of a child that runs `function` and ends with what it returns. */
static inline int status_of(int (*function)(void))
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(function());
	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

static inline uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

#endif
