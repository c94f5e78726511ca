/*
 * wait4(2) and waitid(2): a parent hears how its children end, stop and go on.
 */
#include "include/uapi/wait.h"
#include "kernel/event/pidfd.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/process.h"
#include "kernel/proc/usage.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

struct wait_request {
	int which; /* P_ALL, P_PID, P_PGID */
	int32_t id;
	uint32_t options; /* WEXITED, WSTOPPED, WCONTINUED, WNOHANG, WNOWAIT, __WALL, __WCLONE */
};

struct wait_report {
	int32_t pid; /* 0: nothing to report */
	uint32_t uid;
	int code;   /* CLD_* */
	int status; /* as wait4 gives it */
	uint64_t user_us, system_us, memory_peak, page_faults;
};

static bool matches(const struct process *child, const struct wait_request *request)
{
	bool is_clone = child->exit_signal != SIGCHLD;

	if (!(request->options & __WALL) && is_clone != !!(request->options & __WCLONE))
		return false;
	switch (request->which) {
	case P_PID:
		return child->pid == request->id;
	case P_PGID:
		return child->pgid == request->id;
	default:
		return true;
	}
}

static bool has_news(const struct process *child, uint32_t options)
{
	if (child->zombie)
		return options & WEXITED;
	if (child->stopped)
		return options & WSTOPPED && !child->stop_reported;
	return options & WCONTINUED && child->continued;
}

static void take_news(struct process *child, uint32_t options, struct wait_report *report)
{
	report->pid = child->pid;
	report->uid = child->uid;
	process_cpu_time(child, &report->user_us, &report->system_us);
	report->user_us += child->children_user_us;
	report->system_us += child->children_system_us;
	report->memory_peak = MAX(process_memory_peak(child), child->children_memory_peak);
	report->page_faults = child->page_faults + child->children_page_faults;
	if (child->zombie) {
		report->code = child->exit_status & 0x7f ? CLD_KILLED : CLD_EXITED;
		report->status = child->exit_status;
	} else if (child->stopped) {
		report->code = CLD_STOPPED;
		report->status = WAIT_STATUS_STOPPED(child->stop_signal);
	} else {
		report->code = CLD_CONTINUED;
		report->status = WAIT_STATUS_CONTINUED;
	}
	if (options & WNOWAIT)
		return;
	if (child->zombie)
		process_reap(child);
	else if (child->stopped)
		child->stop_reported = true;
	else
		child->continued = false;
}

/* Looks once. 0 with or without news, or -ECHILD when there is no such child at all. */
static int look(const struct wait_request *request, struct wait_report *report)
{
	struct process *child;
	bool found = false;

	*report = (struct wait_report){0};
	list_for_each_entry(child, &current_process()->children, sibling) {
		if (!matches(child, request))
			continue;
		found = true;
		if (has_news(child, request->options)) {
			take_news(child, request->options, report);
			return 0;
		}
	}
	return found ? 0 : -ECHILD;
}

static int wait_for_child(const struct wait_request *request, struct wait_report *report)
{
	struct thread_waiter waiter;
	int error;

	thread_waiter_join(&waiter, &current_process()->child_wait);
	for (;;) {
		error = look(request, report);
		if (error || report->pid || request->options & WNOHANG)
			break;
		error = thread_waiter_sleep(&waiter, TIME_NEVER);
		if (error)
			break;
	}
	thread_waiter_leave(&waiter);
	return error;
}

static int give_usage(user_addr_t to, const struct wait_report *report)
{
	struct rusage usage = rusage_of(report->user_us, report->system_us, report->memory_peak,
					report->page_faults);

	return to ? copy_to_user(to, &usage, sizeof(usage)) : 0;
}

SYSCALL4(wait4, int32_t, pid, user_addr_t, status, uint32_t, options, user_addr_t, usage)
{
	struct wait_request request = {.which = P_ALL, .options = options | WEXITED};
	struct wait_report report;
	int error;

	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WALL | __WCLONE))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid > 0) {
		request.which = P_PID;
		request.id = pid;
	} else if (pid != -1) {
		request.which = P_PGID;
		request.id = pid == 0 ? current_process()->pgid : -pid;
	}
	error = wait_for_child(&request, &report);
	if (error || report.pid == 0)
		return error;
	if (status && copy_to_user(status, &report.status, sizeof(report.status)))
		return -EFAULT;
	if (give_usage(usage, &report))
		return -EFAULT;
	return report.pid;
}

static struct siginfo siginfo_of(const struct wait_report *report)
{
	struct siginfo info = {0};

	if (report->pid == 0)
		return info;
	info.si_signo = SIGCHLD;
	info.si_code = report->code;
	info.si_pid = report->pid;
	info.si_uid = report->uid;
	switch (report->code) {
	case CLD_EXITED:
	case CLD_STOPPED:
		info.si_status = report->status >> 8 & 0xff;
		break;
	case CLD_KILLED:
		info.si_status = report->status & 0x7f;
		break;
	default:
		info.si_status = SIGCONT;
	}
	return info;
}

/*
 * What waitid's first two arguments mean. 0 or a negative errno; `may_sleep` false: a descriptor
 * that must not.
 */
static int set_target(struct wait_request *request, int which, int32_t id, bool *may_sleep)
{
	request->which = which;
	request->id = id;
	switch (which) {
	case P_ALL:
		return 0;
	case P_PID:
		return id > 0 ? 0 : -EINVAL;
	case P_PGID:
		if (id == 0)
			request->id = current_process()->pgid;
		return id >= 0 ? 0 : -EINVAL;
	case P_PIDFD:
		*may_sleep = !pidfd_nonblocking(id);
		request->which = P_PID;
		request->id = pidfd_pid(id);
		return request->id < 0 ? request->id : 0;
	default:
		return -EINVAL;
	}
}

/* Waits, or not at all where the descriptor must not sleep: -EAGAIN. */
static int wait_for_target(struct wait_request *request, bool may_sleep, struct wait_report *report)
{
	bool asked_not_to = request->options & WNOHANG;
	int error;

	if (!may_sleep)
		request->options |= WNOHANG;
	error = wait_for_child(request, report);
	return !error && report->pid == 0 && !asked_not_to ? -EAGAIN : error;
}

SYSCALL5(waitid, int, which, int32_t, id, user_addr_t, info_to, uint32_t, options, user_addr_t,
	 usage)
{
	struct wait_request request = {.options = options};
	struct wait_report report;
	struct siginfo info;
	bool may_sleep = true;
	int error;

	if (options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WALL |
			__WCLONE))
		return -EINVAL;
	if (!(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	error = set_target(&request, which, id, &may_sleep);
	if (!error)
		error = wait_for_target(&request, may_sleep, &report);
	if (error)
		return error;
	info = siginfo_of(&report);
	if (info_to && copy_to_user(info_to, &info, sizeof(info)))
		return -EFAULT;
	return report.pid ? give_usage(usage, &report) : 0;
}

void wait_syscalls_init(void)
{
	syscall_register(SYS_wait4, sys_wait4);
	syscall_register(SYS_waitid, sys_waitid);
}
