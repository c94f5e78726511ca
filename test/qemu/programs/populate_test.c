/*
 * Bringing in memory that has no end, MAP_POPULATE and its kin: others run meanwhile, and a signal
 * ends it.
 */
#define _GNU_SOURCE 1
#include "test/qemu/programs/check.h"

#include <signal.h>
#include <sys/mman.h>

#define MADV_POPULATE_READ 22 /* newer than the C library */
#define BYTES (1ul << 38)

static char *map_much(int flags)
{
	return mmap(NULL, BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1,
		    0);
}

static int map_and_populate(void)
{
	return map_much(MAP_POPULATE) == MAP_FAILED;
}

static int advise(void)
{
	return madvise(map_much(0), BYTES, MADV_POPULATE_READ);
}

static int lock(void)
{
	return mlock(map_much(0), BYTES);
}

static int lock_all(void)
{
	map_much(0);
	return mlockall(MCL_CURRENT);
}

/* What ends it must be this signal, not the want of memory to which it leads. */
static void end_in_the_middle(int (*function)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(function());
	usleep(50000);
	CHECK(kill(pid, SIGTERM) == 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void others_run_and_end_it(void)
{
	int (*const functions[])(void) = {map_and_populate, advise, lock, lock_all};

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		end_in_the_middle(functions[i]);
}

RUN_TESTS({"others run and end it", others_run_and_end_it})
