/*
 * What processes may say about scheduling. There is one processor, and there are the policies
 * without real time (priority.h): the calls tell so, and refuse anything else.
 */
#include "include/uapi/sched.h"
#include "kernel/proc/priority.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/process.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/usage.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

#define REALTIME_PRIORITY_MAX 99

/* The thread that a call means (0: the caller), or NULL. */
static struct thread *thread_meant(int32_t tid)
{
	return tid == 0 ? current_thread() : thread_find(tid);
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
	if (!thread_meant(tid))
		return -ESRCH;
	if (copy_to_user(to, &processors, sizeof(processors)))
		return -EFAULT;
	return sizeof(processors);
}

SYSCALL3(sched_setaffinity, int32_t, tid, uint64_t, size, user_addr_t, from)
{
	uint8_t processors;

	if (!thread_meant(tid))
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
	const struct thread *thread = thread_meant(tid);
	return thread ? thread->policy : -ESRCH;
}

SYSCALL2(sched_getparam, int32_t, tid, user_addr_t, to)
{
	struct sched_param param = {0};

	if (tid < 0 || !to)
		return -EINVAL;
	if (!thread_meant(tid))
		return -ESRCH;
	return copy_to_user(to, &param, sizeof(param));
}

static bool is_policy(int policy)
{
	return policy == SCHED_OTHER || policy == SCHED_FIFO || policy == SCHED_RR ||
	       policy == SCHED_BATCH || policy == SCHED_IDLE;
}

static bool is_realtime(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* 0 or a negative errno. sched(7): leaving SCHED_IDLE is as making the thread less nice. */
static int set_policy(struct thread *thread, int policy)
{
	int error = priority_may_change(thread->process);

	if (error)
		return error;
	if (is_realtime(policy))
		return -EPERM;
	if (thread->policy == SCHED_IDLE && policy != SCHED_IDLE && !priority_may_be(thread->nice))
		return -EPERM;
	priority_set_policy(thread, (uint8_t)policy);
	return 0;
}

static int64_t set_scheduler(int32_t tid, int policy, user_addr_t from)
{
	struct sched_param param;
	struct thread *thread = thread_meant(tid);

	if (tid < 0 || !from || !is_policy(policy))
		return -EINVAL;
	if (!thread)
		return -ESRCH;
	if (copy_from_user(&param, from, sizeof(param)))
		return -EFAULT;
	if (param.sched_priority < 0 || param.sched_priority > REALTIME_PRIORITY_MAX ||
	    is_realtime(policy) != (param.sched_priority > 0))
		return -EINVAL;
	return set_policy(thread, policy);
}

SYSCALL2(sched_setparam, int32_t, tid, user_addr_t, from)
{
	const struct thread *thread = thread_meant(tid);
	return set_scheduler(tid, thread ? thread->policy : SCHED_OTHER, from);
}

SYSCALL3(sched_setscheduler, int32_t, tid, int, policy, user_addr_t, from)
{
	return set_scheduler(tid, policy, from);
}

SYSCALL1(sched_get_priority_max, int, policy)
{
	if (!is_policy(policy))
		return -EINVAL;
	return is_realtime(policy) ? REALTIME_PRIORITY_MAX : 0;
}

SYSCALL1(sched_get_priority_min, int, policy)
{
	if (!is_policy(policy))
		return -EINVAL;
	return is_realtime(policy) ? 1 : 0;
}

SYSCALL2(sched_rr_get_interval, int32_t, tid, user_addr_t, to)
{
	const struct thread *thread = thread_meant(tid);

	if (tid < 0)
		return -EINVAL;
	if (!thread)
		return -ESRCH;
	struct timespec slice = timespec_from_ns(thread->slice_us * NSEC_PER_USEC);

	return copy_to_user(to, &slice, sizeof(slice));
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
	syscall_register(SYS_getcpu, sys_getcpu);
}
