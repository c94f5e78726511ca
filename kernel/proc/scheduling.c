/*
 * What processes may say about scheduling. There is one processor, one policy (SCHED_OTHER) and one
 * priority: the calls tell so, and refuse anything else.
 */
#include "include/uapi/sched.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/process.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/usage.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

#define NICE_ZERO 20 /* getpriority's answer: 20 - nice */
#define REALTIME_PRIORITY_MAX 99

static bool thread_exists(int32_t tid)
{
	return tid == 0 || thread_find(tid);
}

SYSCALL0(sched_yield)
{
	schedule();
	return 0;
}

SYSCALL3(sched_getaffinity, int32_t, tid, uint64_t, size, user_addr_t, to)
{
	uint64_t processors = 1;

	if (size < sizeof(processors) || size % sizeof(processors))
		return -EINVAL;
	if (!thread_exists(tid))
		return -ESRCH;
	if (copy_to_user(to, &processors, sizeof(processors)))
		return -EFAULT;
	return sizeof(processors);
}

SYSCALL3(sched_setaffinity, int32_t, tid, uint64_t, size, user_addr_t, from)
{
	uint8_t processors;

	if (!thread_exists(tid))
		return -ESRCH;
	if (size == 0)
		return -EINVAL;
	if (copy_from_user(&processors, from, sizeof(processors)))
		return -EFAULT;
	return processors & 1 ? 0 : -EINVAL;
}

SYSCALL1(sched_getscheduler, int32_t, tid)
{
	if (tid < 0)
		return -EINVAL;
	return thread_exists(tid) ? SCHED_OTHER : -ESRCH;
}

SYSCALL2(sched_getparam, int32_t, tid, user_addr_t, to)
{
	struct sched_param param = {0};

	if (tid < 0 || !to)
		return -EINVAL;
	if (!thread_exists(tid))
		return -ESRCH;
	return copy_to_user(to, &param, sizeof(param));
}

static int64_t set_policy(int32_t tid, int policy, user_addr_t from)
{
	struct sched_param param;

	if (tid < 0 || !from)
		return -EINVAL;
	if (!thread_exists(tid))
		return -ESRCH;
	if (copy_from_user(&param, from, sizeof(param)))
		return -EFAULT;
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return -EPERM;
	return policy == SCHED_OTHER && param.sched_priority == 0 ? 0 : -EINVAL;
}

SYSCALL2(sched_setparam, int32_t, tid, user_addr_t, from)
{
	return set_policy(tid, SCHED_OTHER, from);
}

SYSCALL3(sched_setscheduler, int32_t, tid, int, policy, user_addr_t, from)
{
	return set_policy(tid, policy, from);
}

SYSCALL1(sched_get_priority_max, int, policy)
{
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return REALTIME_PRIORITY_MAX;
	return policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE ? 0 : -EINVAL;
}

SYSCALL1(sched_get_priority_min, int, policy)
{
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return 1;
	return policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE ? 0 : -EINVAL;
}

SYSCALL2(sched_rr_get_interval, int32_t, tid, user_addr_t, to)
{
	struct timespec slice = timespec_from_ns(SLICE_US * NSEC_PER_USEC);

	if (tid < 0)
		return -EINVAL;
	if (!thread_exists(tid))
		return -ESRCH;
	return copy_to_user(to, &slice, sizeof(slice));
}

SYSCALL2(getpriority, int, which, int32_t, who)
{
	if (which != PRIO_PROCESS && which != PRIO_PGRP && which != PRIO_USER)
		return -EINVAL;
	if (which == PRIO_PROCESS && !thread_exists(who))
		return -ESRCH;
	return NICE_ZERO;
}

/* The present priority may be asked for; another is refused rather than ignored. */
SYSCALL3(setpriority, int, which, int32_t, who, int, nice)
{
	if (which != PRIO_PROCESS && which != PRIO_PGRP && which != PRIO_USER)
		return -EINVAL;
	if (which == PRIO_PROCESS && !thread_exists(who))
		return -ESRCH;
	return nice == 0 ? 0 : -EACCES;
}

SYSCALL3(getcpu, user_addr_t, cpu_to, user_addr_t, node_to, user_addr_t, unused)
{
	uint32_t zero = 0;

	(void)unused;
	if (cpu_to && copy_to_user(cpu_to, &zero, sizeof(zero)))
		return -EFAULT;
	if (node_to && copy_to_user(node_to, &zero, sizeof(zero)))
		return -EFAULT;
	return 0;
}

void scheduling_syscalls_init(void)
{
	syscall_register(SYS_sched_yield, sys_sched_yield);
	syscall_register(SYS_sched_getaffinity, sys_sched_getaffinity);
	syscall_register(SYS_sched_setaffinity, sys_sched_setaffinity);
	syscall_register(SYS_sched_getscheduler, sys_sched_getscheduler);
	syscall_register(SYS_sched_setscheduler, sys_sched_setscheduler);
	syscall_register(SYS_sched_getparam, sys_sched_getparam);
	syscall_register(SYS_sched_setparam, sys_sched_setparam);
	syscall_register(SYS_sched_get_priority_max, sys_sched_get_priority_max);
	syscall_register(SYS_sched_get_priority_min, sys_sched_get_priority_min);
	syscall_register(SYS_sched_rr_get_interval, sys_sched_rr_get_interval);
	syscall_register(SYS_getpriority, sys_getpriority);
	syscall_register(SYS_setpriority, sys_setpriority);
	syscall_register(SYS_getcpu, sys_getcpu);
}
