/* Processes: fork, exit, wait4, waitid, orphans, vfork. */
#define _GNU_SOURCE 1
#include "test/qemu/programs/check.h"

#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char **environ;

static int exit_42(void)
{
	return 42;
}

static int die_of_sigterm(void)
{
	raise(SIGTERM);
	return 0;
}

static int touch_null(void)
{
	*(volatile int *)16 = 1;
	return 0;
}

static int run_data(void)
{
	static uint32_t data = 0xd65f03c0; /* ret */

	((void (*)(void))(uintptr_t)&data)();
	return 0;
}

static void statuses(void)
{
	int status = status_of(exit_42);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	status = status_of(die_of_sigterm);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	status = status_of(touch_null);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	status = status_of(run_data);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void wait_errors(void)
{
	pid_t pid;
	int status;

	CHECK_ERROR(wait(&status), ECHILD);
	CHECK_ERROR(waitpid(1, &status, 0), ECHILD);
	CHECK_ERROR(waitpid(-1, &status, 0x4000), EINVAL);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		usleep(50000);
		_exit(7);
	}
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	CHECK_ERROR(waitpid(pid + 1000, &status, 0), ECHILD);
	CHECK(waitpid(0, &status, 0) == pid); /* the same group */
	CHECK(WEXITSTATUS(status) == 7);
	CHECK_ERROR(waitpid(pid, &status, 0), ECHILD);
}

static void memory_is_copied(void)
{
	static char bytes[1 << 20];
	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	CHECK(shared != MAP_FAILED);
	memset(bytes, 'p', sizeof(bytes));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			CHECK(bytes[i] == 'p');
		memset(bytes, 'c', sizeof(bytes));
		*shared = 99;
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		CHECK(bytes[i] == 'p');
	CHECK(*shared == 99);
	munmap(shared, 4096);
}

static void many_children(void)
{
	int sum = 0, status;

	for (int i = 0; i < 50; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0)
			_exit(i);
	}
	for (int i = 0; i < 50; i++) {
		CHECK(wait(&status) > 0);
		sum += WEXITSTATUS(status);
	}
	CHECK(sum == 49 * 50 / 2);
}

static void waitid_reports(void)
{
	siginfo_t info = {0};
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(5);
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
	CHECK(info.si_pid == pid && info.si_code == CLD_EXITED && info.si_status == 5);
	CHECK(waitid(P_ALL, 0, &info, WEXITED) == 0);
	CHECK(info.si_pid == pid && info.si_signo == SIGCHLD);
	CHECK_ERROR(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
	CHECK_ERROR(waitid(P_ALL, 0, &info, 0), EINVAL);
}

/* The middle process ends; the last one must find itself a child of init. */
static void orphans_go_to_init(void)
{
	int ends[2], status;
	pid_t parent_of_orphan = 0;
	pid_t pid;

	CHECK(pipe(ends) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		if (fork() == 0) {
			while (getppid() != 1)
				usleep(1000);
			parent_of_orphan = getppid();
			write(ends[1], &parent_of_orphan, sizeof(parent_of_orphan));
		}
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(read(ends[0], &parent_of_orphan, sizeof(parent_of_orphan)) ==
	      sizeof(parent_of_orphan));
	CHECK(parent_of_orphan == 1);
	close(ends[0]);
	close(ends[1]);
}

static void ignored_children_leave_nothing(void)
{
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 5; i++)
		if (fork() == 0)
			_exit(0);
	CHECK_ERROR(wait(NULL), ECHILD); /* after the last of them */
	signal(SIGCHLD, SIG_DFL);
}

static volatile int changed;

static int change(void *argument)
{
	usleep(20000); /* the parent waits all the same */
	changed = *(int *)argument;
	_exit(3);
}

static void vfork_lends_its_memory(void)
{
	static char stack[16384] __attribute__((aligned(16)));
	int value = 5, status;
	pid_t pid = clone(change, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &value);

	CHECK(pid > 0 && changed == 5);
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3);
}

static void spawn(void)
{
	char *arguments[] = {"sh", "-c", "exit 9", NULL};
	int status;
	pid_t pid;

	CHECK(posix_spawn(&pid, "/bin/sh", NULL, NULL, arguments, environ) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 9);
	CHECK(posix_spawn(&pid, "/nowhere", NULL, NULL, arguments, environ) == ENOENT);
}

static void children_cost_time(void)
{
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		uint64_t end = now_us() + 50000;

		while (now_us() < end)
			;
		_exit(0);
	}
	CHECK(wait4(pid, &status, 0, &usage) == pid);
	CHECK(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec >= 25000);
	CHECK(getrusage(RUSAGE_CHILDREN, &usage) == 0);
	CHECK(usage.ru_utime.tv_sec + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec > 0);
}

RUN_TESTS({"statuses", statuses}, {"wait errors", wait_errors},
	  {"memory is copied", memory_is_copied}, {"many children", many_children},
	  {"waitid reports", waitid_reports}, {"orphans go to init", orphans_go_to_init},
	  {"ignored children leave nothing", ignored_children_leave_nothing},
	  {"vfork lends its memory", vfork_lends_its_memory}, {"spawn", spawn},
	  {"children cost time", children_cost_time})
