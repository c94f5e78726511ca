/* getrusage(2), wait4(2): the most memory that a process and its children had, and their faults. */
#define _GNU_SOURCE 1
#include "test/qemu/programs/check.h"

#include <sys/mman.h>
#include <sys/resource.h>

#define PAGE 4096
#define PAGES 5000
#define KIB (PAGES * PAGE / 1024)

static void touch_memory(void)
{
	char *memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	CHECK(memory != MAP_FAILED);
	for (size_t i = 0; i < PAGES; i++)
		memory[i * PAGE] = 1;
	CHECK(munmap(memory, PAGES * PAGE) == 0);
}

static struct rusage usage_of(int who)
{
	struct rusage usage;

	CHECK(getrusage(who, &usage) == 0);
	return usage;
}

static int use_memory(void)
{
	struct rusage before = usage_of(RUSAGE_SELF), after;

	CHECK(before.ru_maxrss > 0 && before.ru_maxrss < KIB && before.ru_minflt > 0);
	touch_memory();
	after = usage_of(RUSAGE_SELF);
	CHECK(after.ru_maxrss >= KIB && after.ru_maxrss < 2 * KIB);
	CHECK(after.ru_minflt >= before.ru_minflt + PAGES);
	CHECK(usage_of(RUSAGE_THREAD).ru_maxrss == after.ru_maxrss);
	CHECK(usage_of(RUSAGE_CHILDREN).ru_maxrss == 0);
	return 0;
}

/* What another program had at most in the same process stays. */
static int use_memory_and_exec(void)
{
	touch_memory();
	return execl("/bin/true", "true", NULL);
}

/* As a shell: the memory was its child's. */
static int have_child_use_memory(void)
{
	CHECK(status_of(use_memory) == 0);
	CHECK(usage_of(RUSAGE_SELF).ru_maxrss < KIB);
	return 0;
}

static void check_child(int (*function)(void))
{
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(function());
	CHECK(wait4(pid, &status, 0, &usage) == pid && status == 0);
	CHECK(usage.ru_maxrss >= KIB && usage.ru_maxrss < 2 * KIB && usage.ru_minflt >= PAGES);
	CHECK(usage_of(RUSAGE_CHILDREN).ru_maxrss >= usage.ru_maxrss);
	CHECK(usage_of(RUSAGE_CHILDREN).ru_minflt >= usage.ru_minflt);
}

static void memory_and_faults(void)
{
	check_child(use_memory);
	check_child(use_memory_and_exec);
	check_child(have_child_use_memory);
}

RUN_TESTS({"memory and faults", memory_and_faults})
