/*
 * execve: strings, limits, scripts, refusals, and what a process keeps. Runs itself again with an
 * argument to look from inside.
 */
#define _GNU_SOURCE 1
#include "test/qemu/programs/check.h"

#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define SELF "/proc/self/exe"

static int run(const char *path, char *const arguments[], char *const environment[])
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		execve(path, arguments, environment);
		_exit(200 + (errno < 50 ? errno : 50));
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(fchmod(file, mode) == 0);
	close(file);
}

static char *no_environment[] = {NULL};

static void strings_arrive(void)
{
	char *arguments[] = {"name", "strings", "", "two words", NULL};
	char *environment[] = {"A=1", "B=x y", NULL};

	CHECK(run(SELF, arguments, environment) == 0);
}

static int inside_strings(int count, char **arguments)
{
	CHECK(count == 4 && strcmp(arguments[0], "name") == 0);
	CHECK(strcmp(arguments[2], "") == 0 && strcmp(arguments[3], "two words") == 0);
	CHECK(strcmp(getenv("A"), "1") == 0 && strcmp(getenv("B"), "x y") == 0);
	CHECK(getauxval(AT_PAGESZ) == 4096 && getauxval(AT_CLKTCK) == 100);
	CHECK(getauxval(AT_UID) == 0 && getauxval(AT_SECURE) == 0);
	CHECK(getauxval(AT_HWCAP) & 3); /* FP and ASIMD */
	CHECK(strcmp((char *)getauxval(AT_EXECFN), SELF) == 0);
	CHECK(strcmp((char *)getauxval(AT_PLATFORM), "aarch64") == 0);
	CHECK(getauxval(AT_RANDOM) != 0 && getauxval(AT_PHENT) == sizeof(Elf64_Phdr));
	CHECK(((Elf64_Phdr *)getauxval(AT_PHDR))[0].p_type != PT_NULL);
	return 0;
}

static void limits(void)
{
	enum { MANY = 100 };
	static char *arguments[MANY + 3];
	static char block[131072];

	memset(block, 'x', sizeof(block) - 1);
	arguments[0] = "name";
	arguments[1] = "length";
	arguments[2] = block; /* 128 KiB with its NUL: the longest */
	CHECK(run(SELF, arguments, no_environment) == 0);
	for (int i = 2; i < MANY; i++)
		arguments[i] = block; /* 12 MiB in all */
	CHECK(run(SELF, arguments, no_environment) == 200 + E2BIG);
	char *longer = malloc(200000);
	memset(longer, 'y', 199999);
	longer[199999] = '\0';
	arguments[2] = longer;
	arguments[3] = NULL;
	CHECK(run(SELF, arguments, no_environment) == 200 + E2BIG);
	free(longer);
}

static void refusals(void)
{
	char *arguments[] = {"x", NULL};

	CHECK(run("/nowhere", arguments, no_environment) == 200 + ENOENT);
	CHECK(run("/proc", arguments, no_environment) == 200 + EACCES);
	write_file("/tmp/not-executable", "#!/bin/sh\n", 0644);
	CHECK(run("/tmp/not-executable", arguments, no_environment) == 200 + EACCES);
	write_file("/tmp/text", "hello\n", 0755);
	CHECK(run("/tmp/text", arguments, no_environment) == 200 + ENOEXEC);
	write_file("/tmp/empty", "", 0755);
	CHECK(run("/tmp/empty", arguments, no_environment) == 200 + ENOEXEC);
	write_file("/tmp/bad-elf", "\177ELF\2\1\1 and nothing more", 0755);
	CHECK(run("/tmp/bad-elf", arguments, no_environment) == 200 + ENOEXEC);
	CHECK_ERROR(execve(SELF, (char **)8, no_environment), EFAULT);
	CHECK_ERROR(execve((char *)8, arguments, no_environment), EFAULT);
	CHECK_ERROR(execve("", arguments, no_environment), ENOENT);
}

static void scripts(void)
{
	char *arguments[] = {"script", "5", NULL};

	write_file("/tmp/script", "#!/bin/sh\nexit $1\n", 0755);
	CHECK(run("/tmp/script", arguments, no_environment) == 5);
	write_file("/tmp/script", "#! /bin/sh -e \nfalse\nexit 3\n", 0755);
	CHECK(run("/tmp/script", arguments, no_environment) == 1);
	write_file("/tmp/interpreter", "#!/bin/sh\n[ $1 = /tmp/script ] && exit 33\n", 0755);
	write_file("/tmp/script", "#!/tmp/interpreter\n", 0755);
	CHECK(run("/tmp/script", arguments, no_environment) == 33);
	write_file("/tmp/script", "#!/nowhere\n", 0755);
	CHECK(run("/tmp/script", arguments, no_environment) == 200 + ENOENT);
	write_file("/tmp/script", "#!/tmp/script\n", 0755);
	CHECK(run("/tmp/script", arguments, no_environment) == 200 + ELOOP);
	write_file("/tmp/script", "#!\n", 0755);
	CHECK(run("/tmp/script", arguments, no_environment) == 200 + ENOEXEC);
}

/*
 * Descriptors without close-on-exec, ignored signals, the mask, pid and timers stay; handlers go.
 */
static void what_is_kept(void)
{
	char *arguments[] = {"name", "kept", NULL};
	struct itimerval timer = {.it_value.tv_sec = 100}, stop = {0};
	sigset_t set;
	int keep = dup2(0, 20), lose = fcntl(0, F_DUPFD_CLOEXEC, 21);

	CHECK(keep == 20 && lose == 21);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, (void (*)(int))_exit);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	CHECK(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
	CHECK(run(SELF, arguments, no_environment) == 0);
	CHECK(setitimer(ITIMER_REAL, &stop, NULL) == 0);
	CHECK(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0) == 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	close(keep);
	close(lose);
}

static int inside_kept(void)
{
	struct sigaction action;
	char name[16];
	sigset_t set;

	CHECK(fcntl(20, F_GETFD) == 0);
	CHECK_ERROR(fcntl(21, F_GETFD), EBADF);
	CHECK(sigaction(SIGUSR1, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
	CHECK(sigaction(SIGUSR2, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
	CHECK(sigprocmask(SIG_BLOCK, NULL, &set) == 0 && sigismember(&set, SIGHUP));
	CHECK(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1);
	CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "exe") == 0);
	CHECK(prctl(PR_SET_NAME, "a name that is too long") == 0);
	CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "a name that is ") == 0);
	return 0;
}

static void exec_by_descriptor(void)
{
	char *arguments[] = {"sh", "-c", "exit 8", NULL};
	int file = open("/bin/sh", O_RDONLY | O_CLOEXEC), status;
	pid_t pid = fork();

	if (pid == 0) {
		syscall(SYS_execveat, file, "", arguments, no_environment, AT_EMPTY_PATH);
		_exit(1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 8);
	close(file);
}

/* A child as clone(2) makes it, which shares what `flags` say and runs true(1). */
static pid_t clone_and_exec(unsigned long flags)
{
	char *arguments[] = {"true", NULL};
	pid_t pid = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);

	CHECK(pid >= 0);
	if (pid == 0) {
		execve("/bin/true", arguments, no_environment);
		_exit(1);
	}
	return pid;
}

/* What execve closes, it closes for the new program alone. */
static void descriptors_are_shared_no_more(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), status;
	pid_t pid = clone_and_exec(CLONE_FILES | SIGCHLD);

	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && close(fd) == 0);
}

/* clone(2) may name another signal than SIGCHLD, or none; a program that was run ends as all do. */
static void a_program_ends_with_sigchld(void)
{
	siginfo_t info;
	int status;
	pid_t pid = clone_and_exec(0);

	CHECK(waitid(P_PID, (id_t)pid, &info, (int)(WEXITED | WNOWAIT | __WALL)) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

int main(int count, char **arguments)
{
	static const struct test tests[] = {
		{"strings arrive", strings_arrive},
		{"limits", limits},
		{"refusals", refusals},
		{"scripts", scripts},
		{"what is kept", what_is_kept},
		{"exec by descriptor", exec_by_descriptor},
		{"descriptors are shared no more", descriptors_are_shared_no_more},
		{"a program ends with SIGCHLD", a_program_ends_with_sigchld},
	};

	if (count < 2)
		return run_tests(tests, sizeof(tests) / sizeof(tests[0]));
	if (strcmp(arguments[1], "strings") == 0)
		return inside_strings(count, arguments);
	if (strcmp(arguments[1], "length") == 0)
		return strlen(arguments[2]) == 131071 ? 0 : 1;
	return inside_kept();
}
