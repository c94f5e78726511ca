/* Nice values and the policies without real time: nice(1), renice(1), chrt(1). */
#include "test/qemu/programs/check.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define NICEST 19

static int policy_of(pid_t tid)
{
	return (int)syscall(SYS_sched_getscheduler, tid);
}

/* musl's own wrapper refuses to set one. */
static int set_policy(pid_t tid, int policy, int priority)
{
	struct sched_param param = {.sched_priority = priority};

	return (int)syscall(SYS_sched_setscheduler, tid, policy, &param);
}

static void values_are_kept_and_inherited(void)
{
	CHECK(getpriority(PRIO_PROCESS, 0) == 0 && nice(5) == 5);
	CHECK(setpriority(PRIO_PROCESS, 0, 100) == 0 && getpriority(PRIO_PROCESS, 0) == 19);
	CHECK(setpriority(PRIO_PROCESS, 0, -100) == 0 && getpriority(PRIO_PROCESS, 0) == -20);
	CHECK(setpriority(PRIO_PROCESS, 0, 7) == 0);
	pid_t child = fork();
	if (child == 0)
		_exit(getpriority(PRIO_PROCESS, 0));
	int status;
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
	CHECK_ERROR(setpriority(PRIO_PROCESS, 99999, 0), ESRCH);
	CHECK_ERROR(setpriority(9, 0, 0), EINVAL);
}

static void of_a_group(void)
{
	int ready[2];
	char byte;

	CHECK(pipe(ready) == 0);
	pid_t child = fork();
	if (child == 0) {
		setpgid(0, 0);
		write(ready[1], "x", 1);
		pause();
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	CHECK(setpriority(PRIO_PGRP, child, 11) == 0 && getpriority(PRIO_PROCESS, child) == 11);
	CHECK(setpriority(PRIO_PROCESS, 0, 3) == 0 && getpriority(PRIO_PGRP, child) == 11);
	CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}

static void proc_tells_them(void)
{
	char name[64], state;
	int pid, priority, value;

	CHECK(setpriority(PRIO_PROCESS, 0, 4) == 0);
	FILE *stat = fopen("/proc/self/stat", "r");
	CHECK(stat);
	CHECK(fscanf(stat, "%d %63s %c", &pid, name, &state) == 3);
	for (int i = 4; i < 18; i++)
		CHECK(fscanf(stat, "%*s") == 0);
	CHECK(fscanf(stat, "%d %d", &priority, &value) == 2 && priority == 24 && value == 4);
	fclose(stat);
}

static int as_nobody(void)
{
	if (setresuid(NOBODY, NOBODY, NOBODY) || setpriority(PRIO_PROCESS, 0, 12))
		return 1;
	if (setpriority(PRIO_PROCESS, 0, 11) == 0 || errno != EACCES)
		return 2;
	if (setpriority(PRIO_PROCESS, 1, 12) == 0 || errno != EPERM)
		return 3;
	if (set_policy(1, SCHED_BATCH, 0) == 0 || errno != EPERM)
		return 4;
	if (set_policy(0, SCHED_IDLE, 0) || policy_of(0) != SCHED_IDLE)
		return 5;
	return set_policy(0, SCHED_OTHER, 0) == 0 || errno != EPERM ? 6 : 0;
}

static void users_become_nicer_only(void)
{
	CHECK(status_of(as_nobody) == 0);
}

static void policies(void)
{
	CHECK(policy_of(0) == SCHED_OTHER);
	CHECK(set_policy(0, SCHED_BATCH, 0) == 0 && policy_of(0) == SCHED_BATCH);
	CHECK(set_policy(0, SCHED_IDLE, 0) == 0 && policy_of(0) == SCHED_IDLE);
	CHECK(set_policy(0, SCHED_OTHER, 0) == 0);
	CHECK_ERROR(set_policy(0, SCHED_OTHER, 1), EINVAL);
	CHECK_ERROR(set_policy(0, SCHED_FIFO, 0), EINVAL);
	CHECK_ERROR(set_policy(0, SCHED_FIFO, 1), EPERM);
	CHECK_ERROR(set_policy(0, 77, 0), EINVAL);
	CHECK_ERROR(set_policy(99999, SCHED_OTHER, 0), ESRCH);
}

static void burn(int value, volatile unsigned long *count)
{
	setpriority(PRIO_PROCESS, 0, value);
	for (;;)
		++*count;
}

/*
 * Slices of 93 ms against some of 0.1 ms, so that even on a loaded machine the one has many times
 * what the other has. Both count for as long as a third sleeps.
 */
static void the_nicer_gets_less(void)
{
	volatile unsigned long *counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t children[2];

	CHECK(counts != MAP_FAILED);
	setpriority(PRIO_PROCESS, 0, 0);
	for (int i = 0; i < 2; i++) {
		children[i] = fork();
		if (children[i] == 0)
			burn(i ? NICEST : -10, &counts[i]);
	}
	usleep(400000);
	for (int i = 0; i < 2; i++)
		CHECK(kill(children[i], SIGKILL) == 0 && waitpid(children[i], NULL, 0) > 0);
	CHECK(counts[1] > 0 && counts[0] > 3 * counts[1]);
}

RUN_TESTS({"values are kept and inherited", values_are_kept_and_inherited},
	  {"of a group", of_a_group}, {"proc tells them", proc_tells_them}, {"policies", policies},
	  {"users become nicer only", users_become_nicer_only},
	  {"the nicer gets less", the_nicer_gets_less})
