/*
 * System calls while memory is at its end: somebody else is killed for it, and the calls of those
 * who are not do what they always do. Runs as the machine's largest program but one, its child.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>

#include "test/qemu/programs/check.h"

#define PAGE 4096ul
#define ROUNDS 4

static char *fresh(size_t size, int kind)
{
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

/* Sleeps with most of the memory; ended by the kernel when others need it. */
static pid_t start_large_process(void)
{
	struct sysinfo info;
	int ready[2];
	char byte;

	CHECK(sysinfo(&info) == 0 && pipe(ready) == 0);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		size_t size = info.freeram / 4 * 3;
		memset(fresh(size, MAP_PRIVATE), 1, size);
		CHECK(write(ready[1], "r", 1) == 1);
		for (;;)
			pause();
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	CHECK(close(ready[0]) == 0 && close(ready[1]) == 0);
	return pid;
}

/* Each of them writes to memory that nobody has touched. */
static void calls_into_fresh_memory(int zero)
{
	int kind = rand() % 2 ? MAP_PRIVATE : MAP_SHARED;
	char *memory = fresh(8 * PAGE, kind);

	CHECK(read(zero, memory, 16) == 16);
	CHECK(fstat(zero, (struct stat *)(memory + PAGE)) == 0);
	CHECK(getcwd(memory + 2 * PAGE, PAGE));
	CHECK(syscall(SYS_futex, memory + 3 * PAGE, FUTEX_WAKE, 1, NULL, NULL, 0) == 0);
	CHECK(syscall(SYS_getrandom, memory + 4 * PAGE, 100, 0) == 100);
	CHECK(munmap(memory, 8 * PAGE) == 0);
}

/* Memory that no page fault gives, so that the end of it comes within a system call. */
static void fill_a_pipe(void)
{
	static char bytes[PAGE];
	int ends[2];

	if (pipe2(ends, O_NONBLOCK) == 0)
		while (write(ends[1], bytes, sizeof(bytes)) > 0)
			;
}

static void other_calls_go_on(void)
{
	int zero = open("/dev/zero", O_RDONLY), status;
	pid_t pid = start_large_process();

	while (waitpid(pid, &status, WNOHANG) == 0) {
		fill_a_pipe();
		calls_into_fresh_memory(zero);
	}
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	calls_into_fresh_memory(zero);
}

int main(void)
{
	const struct rlimit files = {65536, 65536};

	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		printf("round %d\n", i);
		fflush(stdout);
		other_calls_go_on();
		for (int fd = 3; fd < 65536; fd++)
			close(fd);
	}
	return 0;
}
