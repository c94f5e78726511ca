/*
 * Resource limits and usage: prlimit64(2), getrlimit(2), setrlimit(2), getrusage(2), times(2). The
 * limits are kept where those who enforce them look: process->limits (RLIMIT_NOFILE and FSIZE in
 * kernel/fs, CPU in kernel/time, STACK and NPROC here).
 */
#include "include/uapi/resource.h"
#include "kernel/clock.h"
#include "kernel/machine.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/process.h"
#include "kernel/proc/usage.h"
#include "kernel/syscall.h"
#include "kernel/time/cpu_timer.h"
#include "kernel/user.h"

#define USEC_PER_TICK (USEC_PER_SEC / USER_HZ)

static int set_limit(struct process *process, uint32_t resource, const struct rlimit *new)
{
	struct rlimit *limit = &process->limits[resource];

	if (new->rlim_cur > new->rlim_max)
		return -EINVAL;
	if (new->rlim_max > limit->rlim_max && !user_may(CAP_SYS_RESOURCE))
		return -EPERM;
	*limit = *new;
	if (resource == RLIMIT_CPU)
		cpu_timer_watch(process);
	return 0;
}

static int64_t change_limit(struct process *process, uint32_t resource, user_addr_t new_from,
			    user_addr_t old_to)
{
	struct rlimit old, new;
	int error;

	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	old = process->limits[resource];
	if (new_from) {
		if (copy_from_user(&new, new_from, sizeof(new)))
			return -EFAULT;
		error = set_limit(process, resource, &new);
		if (error)
			return error;
	}
	return old_to ? copy_to_user(old_to, &old, sizeof(old)) : 0;
}

SYSCALL4(prlimit64, int32_t, pid, uint32_t, resource, user_addr_t, new, user_addr_t, old)
{
	struct process *process = pid == 0 ? current_process() : process_find(pid);

	if (!process || process->pid == 0)
		return -ESRCH;
	if (!process_may_inspect(process) && !user_may(CAP_SYS_RESOURCE))
		return -EPERM;
	return change_limit(process, resource, new, old);
}

SYSCALL2(getrlimit, uint32_t, resource, user_addr_t, to)
{
	return to ? change_limit(current_process(), resource, 0, to) : -EFAULT;
}

SYSCALL2(setrlimit, uint32_t, resource, user_addr_t, from)
{
	return from ? change_limit(current_process(), resource, from, 0) : -EFAULT;
}

SYSCALL2(getrusage, int, who, user_addr_t, to)
{
	struct process *process = current_process();
	struct thread *thread;
	struct rusage usage;
	uint64_t user_us, system_us;

	switch (who) {
	case RUSAGE_SELF:
		process_cpu_time(process, &user_us, &system_us);
		usage = rusage_of(user_us, system_us, process_memory_peak(process),
				  process->page_faults);
		list_for_each_entry(thread, &process->threads, of_process) {
			usage.ru_nvcsw += (int64_t)thread->voluntary_switches;
			usage.ru_nivcsw += (int64_t)thread->involuntary_switches;
		}
		break;
	case RUSAGE_THREAD:
		thread = current_thread();
		/* Memory is the process's, and faults are not counted for each thread. */
		usage = rusage_of(arch_ticks_to_us(thread->user_ticks),
				  arch_ticks_to_us(thread->system_ticks),
				  process_memory_peak(process), 0);
		usage.ru_nvcsw = (int64_t)thread->voluntary_switches;
		usage.ru_nivcsw = (int64_t)thread->involuntary_switches;
		break;
	case RUSAGE_CHILDREN:
		usage = rusage_of(process->children_user_us, process->children_system_us,
				  process->children_memory_peak, process->children_page_faults);
		break;
	default:
		return -EINVAL;
	}
	return copy_to_user(to, &usage, sizeof(usage));
}

SYSCALL1(times, user_addr_t, to)
{
	const struct process *process = current_process();
	uint64_t user_us, system_us;
	struct tms tms;

	process_cpu_time(current_process(), &user_us, &system_us);
	tms = (struct tms){
		.tms_utime = (int64_t)(user_us / USEC_PER_TICK),
		.tms_stime = (int64_t)(system_us / USEC_PER_TICK),
		.tms_cutime = (int64_t)(process->children_user_us / USEC_PER_TICK),
		.tms_cstime = (int64_t)(process->children_system_us / USEC_PER_TICK),
	};
	if (to && copy_to_user(to, &tms, sizeof(tms)))
		return -EFAULT;
	return (int64_t)(clock_now_us() / USEC_PER_TICK);
}

void limits_syscalls_init(void)
{
	syscall_register(SYS_prlimit64, sys_prlimit64);
	syscall_register(SYS_getrlimit, sys_getrlimit);
	syscall_register(SYS_setrlimit, sys_setrlimit);
	syscall_register(SYS_getrusage, sys_getrusage);
	syscall_register(SYS_times, sys_times);
}
