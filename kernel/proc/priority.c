/*
 * getpriority(2), setpriority(2), and the slices that follow from them: see priority.h.
 */
#include "kernel/proc/priority.h"

#include "include/uapi/capability.h"
#include "include/uapi/resource.h"
#include "include/uapi/sched.h"
#include "kernel/errno.h"
#include "kernel/proc/sched.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

#define SLICE_MAX_US (100 * USEC_PER_MSEC)
#define SLICE_IDLE_US 50

static uint32_t slice_us(int nice, uint8_t policy)
{
	uint32_t us = SLICE_US;

	if (policy == SCHED_IDLE)
		return SLICE_IDLE_US;
	for (int i = 0; i < nice; i++)
		us = us * 4 / 5;
	for (int i = 0; i > nice; i--)
		us = us * 5 / 4;
	return MIN(us, SLICE_MAX_US);
}

static void set_priority(struct thread *thread, int nice, uint8_t policy)
{
	thread->nice = (int8_t)nice;
	thread->policy = policy;
	thread->slice_us = slice_us(nice, policy);
}

void priority_init(struct thread *thread)
{
	set_priority(thread, 0, SCHED_OTHER);
}

void priority_inherit(struct thread *thread, const struct thread *parent)
{
	set_priority(thread, parent->nice, parent->policy);
}

void priority_set_policy(struct thread *thread, uint8_t policy)
{
	set_priority(thread, thread->nice, policy);
}

int priority_may_change(const struct process *process)
{
	uint32_t uid = current_process()->euid;

	if (uid == process->uid || uid == process->euid)
		return 0;
	return user_may(CAP_SYS_NICE) ? 0 : -EPERM;
}

bool priority_may_be(int nice)
{
	uint64_t limit = current_process()->limits[RLIMIT_NICE].rlim_cur;

	return (uint64_t)(NICE_ZERO - nice) <= limit || user_may(CAP_SYS_NICE);
}

/* A call to getpriority or setpriority, and what it has come to. */
struct request {
	int which; /* PRIO_PROCESS, PRIO_PGRP, PRIO_USER */
	int32_t who;
	int (*visit)(struct request *request, struct thread *thread);
	int nice; /* to set; or the lowest found */
	int result;
};

static bool is_meant(const struct request *request, const struct process *process)
{
	if (request->which == PRIO_USER)
		return process->uid == (uint32_t)request->who;
	return process->pgid == request->who;
}

static int visit_process(struct process *process, void *context)
{
	struct request *request = context;
	struct thread *thread;

	if (!is_meant(request, process))
		return 0;
	list_for_each_entry(thread, &process->threads, of_process)
		request->result = request->visit(request, thread);
	return 0;
}

/* Calls request->visit for all who are meant. Its last answer; -ESRCH when there is nobody. */
static int visit_all(struct request *request)
{
	struct thread *thread;

	request->result = -ESRCH;
	switch (request->which) {
	case PRIO_PROCESS:
		thread = request->who ? thread_find(request->who) : current_thread();
		return thread ? request->visit(request, thread) : -ESRCH;
	case PRIO_PGRP:
		if (!request->who)
			request->who = current_process()->pgid;
		break;
	case PRIO_USER:
		if (!request->who)
			request->who = (int32_t)current_process()->uid;
		break;
	default:
		return -EINVAL;
	}
	process_for_each(visit_process, request);
	return request->result;
}

static int find_lowest(struct request *request, struct thread *thread)
{
	request->nice = MIN(request->nice, thread->nice);
	return 0;
}

SYSCALL2(getpriority, int, which, int32_t, who)
{
	struct request request = {
		.which = which, .who = who, .visit = find_lowest, .nice = NICE_MAX};
	int error = visit_all(&request);

	return error ? error : NICE_ZERO - request.nice;
}

/* The first refusal is the answer, though the others may have been served. */
static int set_nice(struct request *request, struct thread *thread)
{
	int earlier = request->result == -ESRCH ? 0 : request->result;
	int error = priority_may_change(thread->process);

	if (!error && request->nice < thread->nice && !priority_may_be(request->nice))
		error = -EACCES;
	if (!error)
		set_priority(thread, request->nice, thread->policy);
	return earlier ? earlier : error;
}

SYSCALL3(setpriority, int, which, int32_t, who, int, nice)
{
	struct request request = {.which = which,
				  .who = who,
				  .visit = set_nice,
				  .nice = MIN(MAX(nice, NICE_MIN), NICE_MAX)};

	return visit_all(&request);
}

void priority_syscalls_init(void)
{
	syscall_register(SYS_getpriority, sys_getpriority);
	syscall_register(SYS_setpriority, sys_setpriority);
}
