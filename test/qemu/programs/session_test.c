/* Sessions, process groups and identities. */
#define _GNU_SOURCE 1
#include "test/qemu/programs/check.h"

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static void groups(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		usleep(100000);
		_exit(getpgrp() == getpid() ? 0 : 1);
	}
	CHECK(getpgid(pid) == getpgrp() && getsid(pid) == getsid(0));
	CHECK_ERROR(setpgid(pid, 29999), EPERM);
	CHECK(setpgid(pid, pid) == 0 && getpgid(pid) == pid);
	CHECK(kill(-pid, 0) == 0);
	CHECK_ERROR(kill(-29999, 0), ESRCH);
	CHECK_ERROR(setpgid(1, 0), ESRCH);
	CHECK_ERROR(setpgid(0, -1), EINVAL);
	CHECK_ERROR(getpgid(29999), ESRCH);
	CHECK(waitpid(-pid, &status, 0) == pid && status == 0);
}

static int new_session(void)
{
	CHECK(setsid() == getpid() && getsid(0) == getpid() && getpgrp() == getpid());
	CHECK_ERROR(setsid(), EPERM);
	CHECK_ERROR(setpgid(0, 0), EPERM);
	return 0;
}

static void sessions(void)
{
	CHECK(status_of(new_session) == 0);
}

static int group_of_three(void)
{
	int status, killed = 0;

	CHECK(setpgid(0, 0) == 0);
	signal(SIGTERM, SIG_IGN);
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			signal(SIGTERM, SIG_DFL);
			for (;;)
				pause();
		}
	usleep(50000);
	CHECK(kill(0, SIGTERM) == 0);
	while (wait(&status) > 0)
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
	return killed;
}

static void signals_to_groups(void)
{
	CHECK(WEXITSTATUS(status_of(group_of_three)) == 3);
}

/* A terminal's stop does nothing to a group that no shell could continue. */
static int stop_orphaned(void)
{
	CHECK(setsid() > 0);
	raise(SIGTSTP);
	raise(SIGTTIN);
	return 0;
}

static void orphaned_groups_do_not_stop(void)
{
	CHECK(status_of(stop_orphaned) == 0);
}

/*
 * A stopped child in a group of its own; the parent ends, and with it whoever could continue the
 * child.
 */
static int leave_stopped_child(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		raise(SIGSTOP);
		for (;;)
			pause();
	}
	setpgid(pid, pid);
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	return 0;
}

static void stopped_orphans_are_hung_up(void)
{
	int ends[2];
	char byte;

	CHECK(pipe(ends) == 0);
	CHECK(status_of(leave_stopped_child) == 0);
	close(ends[1]);
	CHECK(read(ends[0], &byte, 1) == 0); /* the last holder of the other end is dead */
	close(ends[0]);
}

/* A session's first group is an orphan from the beginning: who ends in it changes nothing. */
static int end_beside_stopped_child(void)
{
	pid_t stopped, ended;
	int status;

	CHECK(setsid() > 0);
	stopped = fork();
	if (stopped == 0) {
		raise(SIGSTOP);
		for (;;)
			pause();
	}
	CHECK(waitpid(stopped, &status, WUNTRACED) == stopped && WIFSTOPPED(status));
	ended = fork();
	if (ended == 0)
		_exit(0);
	CHECK(waitpid(ended, &status, 0) == ended); /* its end would have sent SIGHUP */
	CHECK(waitpid(stopped, &status, WNOHANG | WCONTINUED) == 0);
	CHECK(kill(stopped, SIGKILL) == 0 && waitpid(stopped, &status, 0) == stopped);
	return 0;
}

static void old_orphans_are_left_alone(void)
{
	CHECK(status_of(end_beside_stopped_child) == 0);
}

static int give_up_rights(void)
{
	uid_t real, effective, saved;
	gid_t list[2] = {10, 20};

	CHECK(setgroups(2, list) == 0 && getgroups(0, NULL) == 2);
	CHECK(setgid(50) == 0 && getgid() == 50 && getegid() == 50);
	CHECK(setresuid(100, 101, 102) == 0);
	CHECK(getresuid(&real, &effective, &saved) == 0);
	CHECK(real == 100 && effective == 101 && saved == 102);
	CHECK(seteuid(102) == 0 && geteuid() == 102);
	CHECK_ERROR(setuid(0), EPERM);
	CHECK_ERROR(setgroups(0, NULL), EPERM);
	CHECK_ERROR(kill(1, SIGUSR1), EPERM);
	CHECK_ERROR(setgid(0), EPERM);
	return 0;
}

static void identities(void)
{
	CHECK(getuid() == 0 && geteuid() == 0);
	CHECK(status_of(give_up_rights) == 0);
	CHECK(getuid() == 0);
}

static void the_system(void)
{
	struct utsname names;
	struct sysinfo info;
	struct rlimit limit;
	cpu_set_t cpus;

	CHECK(uname(&names) == 0 && strcmp(names.sysname, "Linux") == 0);
	CHECK(strcmp(names.machine, "aarch64") == 0);
	CHECK(sysinfo(&info) == 0 && info.totalram > info.freeram && info.procs > 1);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 1024);
	limit.rlim_cur = limit.rlim_max + 1;
	CHECK_ERROR(setrlimit(RLIMIT_NOFILE, &limit), EINVAL);
	CHECK(sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) == 1);
	CHECK(getpriority(PRIO_PROCESS, 0) == 0);
}

static int fork_once(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : wait(NULL) != pid;
}

/* An ordinary user's: it counts the processes of that user, and is inherited. */
static int fork_within_limit(void)
{
	struct rlimit limit = {2, 2}; /* this one, and one more */

	CHECK(setresuid(4321, 4321, 4321) == 0 && setrlimit(RLIMIT_NPROC, &limit) == 0);
	CHECK(fork_once() == 0);
	CHECK(WEXITSTATUS(status_of(fork_once)) == EAGAIN); /* that is a third */
	CHECK(fork_once() == 0);
	limit.rlim_cur = 1;
	CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
	CHECK_ERROR(fork(), EAGAIN);
	limit.rlim_max = 3;
	CHECK_ERROR(setrlimit(RLIMIT_NPROC, &limit), EPERM);
	return 0;
}

/* More than there may be is refused, and nothing is lost. The superuser is not bound. */
static void too_many_processes(void)
{
	struct rlimit limit, before;

	CHECK(getrlimit(RLIMIT_NPROC, &before) == 0 && before.rlim_cur > 20);
	limit = before;
	limit.rlim_cur = 1;
	CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
	CHECK(fork_once() == 0);
	CHECK(setrlimit(RLIMIT_NPROC, &before) == 0);
	CHECK(status_of(fork_within_limit) == 0);
}

RUN_TESTS({"groups", groups}, {"sessions", sessions}, {"signals to groups", signals_to_groups},
	  {"orphaned groups do not stop", orphaned_groups_do_not_stop},
	  {"stopped orphans are hung up", stopped_orphans_are_hung_up},
	  {"old orphans are left alone", old_orphans_are_left_alone}, {"identities", identities},
	  {"the system", the_system}, {"too many processes", too_many_processes})
