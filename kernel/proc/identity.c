/*
 * Who a process is: its numbers, and the user and groups it acts for (credentials(7)). Everything
 * starts as user 0; the setters keep the rules of Linux, so that a program that gives up its rights
 * does not have them.
 */
#include "include/uapi/socket.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/process.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

#define UNCHANGED UINT32_MAX

SYSCALL0(getpid)
{
	return current_process()->pid;
}

SYSCALL0(getppid)
{
	const struct process *parent = current_process()->parent;

	return parent ? parent->pid : 0;
}

SYSCALL0(gettid)
{
	return current_thread()->tid;
}

SYSCALL1(set_tid_address, user_addr_t, word)
{
	current_thread()->clear_child_tid = word;
	return current_thread()->tid;
}

SYSCALL0(getuid)
{
	return current_process()->uid;
}

SYSCALL0(geteuid)
{
	return current_process()->euid;
}

SYSCALL0(getgid)
{
	return current_process()->gid;
}

SYSCALL0(getegid)
{
	return current_process()->egid;
}

void user_credentials(struct ucred *credentials)
{
	const struct process *process = current_process();

	*credentials = (struct ucred){
		.pid = process->pid, .uid = process->euid, .gid = process->egid};
}

void user_real_credentials(struct ucred *credentials)
{
	const struct process *process = current_process();

	*credentials = (struct ucred){
		.pid = process->pid, .uid = process->uid, .gid = process->gid};
}

static bool may_have(uint32_t id, uint32_t real, uint32_t effective, uint32_t saved,
		     uint32_t capability)
{
	return id == real || id == effective || id == saved || user_may(capability);
}

int user_may_claim(const struct ucred *credentials)
{
	const struct process *process = current_process();

	if (credentials->pid != process->pid && !user_may(CAP_SYS_ADMIN))
		return -EPERM;
	if (!may_have(credentials->uid, process->uid, process->euid, process->suid, CAP_SETUID) ||
	    !may_have(credentials->gid, process->gid, process->egid, process->sgid, CAP_SETGID))
		return -EPERM;
	return process_find(credentials->pid) ? 0 : -ESRCH;
}

bool process_may_inspect(const struct process *process)
{
	const struct process *caller = current_process();
	uint32_t uid = caller->fsuid, gid = caller->fsgid;

	if (process == caller)
		return true;
	bool same_user = process->uid == uid && process->euid == uid && process->suid == uid;
	bool same_group = process->gid == gid && process->egid == gid && process->sgid == gid;
	bool has_more = process->capabilities.permitted & ~caller->capabilities.effective;
	return (same_user && same_group && !has_more) || user_may(CAP_SYS_PTRACE);
}

/* A set of three ids: real, effective, saved. User and group ids obey the same rules. */
struct ids {
	uint32_t *real, *effective, *saved;
	uint32_t capability; /* by which they can become anything */
};

static struct ids user_ids(void)
{
	struct process *process = current_process();

	return (struct ids){&process->uid, &process->euid, &process->suid, CAP_SETUID};
}

static struct ids group_ids(void)
{
	struct process *process = current_process();

	return (struct ids){&process->gid, &process->egid, &process->sgid, CAP_SETGID};
}

static bool may_become(const struct ids *ids, uint32_t id)
{
	return id == UNCHANGED || user_may(ids->capability) || id == *ids->real ||
	       id == *ids->effective || id == *ids->saved;
}

static int64_t set_id(struct ids ids, uint32_t id)
{
	if (id == UNCHANGED)
		return -EINVAL;
	if (user_may(ids.capability)) {
		*ids.real = *ids.effective = *ids.saved = id;
		return 0;
	}
	if (id != *ids.real && id != *ids.saved)
		return -EPERM;
	*ids.effective = id;
	return 0;
}

static int64_t set_real_effective(struct ids ids, uint32_t real, uint32_t effective)
{
	uint32_t real_before = *ids.real;

	if (real != UNCHANGED && !user_may(ids.capability) && real != *ids.real &&
	    real != *ids.effective)
		return -EPERM;
	if (!may_become(&ids, effective))
		return -EPERM;
	if (real != UNCHANGED)
		*ids.real = real;
	if (effective != UNCHANGED)
		*ids.effective = effective;
	if (real != UNCHANGED || (effective != UNCHANGED && effective != real_before))
		*ids.saved = *ids.effective;
	return 0;
}

static int64_t set_all(struct ids ids, uint32_t real, uint32_t effective, uint32_t saved)
{
	if (!may_become(&ids, real) || !may_become(&ids, effective) || !may_become(&ids, saved))
		return -EPERM;
	if (real != UNCHANGED)
		*ids.real = real;
	if (effective != UNCHANGED)
		*ids.effective = effective;
	if (saved != UNCHANGED)
		*ids.saved = saved;
	return 0;
}

static int64_t get_all(struct ids ids, user_addr_t real, user_addr_t effective, user_addr_t saved)
{
	if (copy_to_user(real, ids.real, sizeof(*ids.real)) ||
	    copy_to_user(effective, ids.effective, sizeof(*ids.effective)) ||
	    copy_to_user(saved, ids.saved, sizeof(*ids.saved)))
		return -EFAULT;
	return 0;
}

/*
 * What a change of the user ids ends with: the file system's and the capabilities follow. `before`
 * is what they were.
 */
static int64_t user_ids_changed(const uint32_t before[3], int64_t result)
{
	struct process *process = current_process();

	if (result)
		return result;
	process->fsuid = process->euid;
	capabilities_follow_ids(process, before[0], before[1], before[2]);
	return 0;
}

static int64_t group_ids_changed(int64_t result)
{
	if (!result)
		current_process()->fsgid = current_process()->egid;
	return result;
}

#define USER_IDS(process)                                        \
	{                                                        \
		(process)->uid, (process)->euid, (process)->suid \
	}

SYSCALL1(setuid, uint32_t, id)
{
	const uint32_t before[3] = USER_IDS(current_process());

	return user_ids_changed(before, set_id(user_ids(), id));
}

SYSCALL1(setgid, uint32_t, id)
{
	return group_ids_changed(set_id(group_ids(), id));
}

SYSCALL2(setreuid, uint32_t, real, uint32_t, effective)
{
	const uint32_t before[3] = USER_IDS(current_process());

	return user_ids_changed(before, set_real_effective(user_ids(), real, effective));
}

SYSCALL2(setregid, uint32_t, real, uint32_t, effective)
{
	return group_ids_changed(set_real_effective(group_ids(), real, effective));
}

SYSCALL3(setresuid, uint32_t, real, uint32_t, effective, uint32_t, saved)
{
	const uint32_t before[3] = USER_IDS(current_process());

	return user_ids_changed(before, set_all(user_ids(), real, effective, saved));
}

SYSCALL3(setresgid, uint32_t, real, uint32_t, effective, uint32_t, saved)
{
	return group_ids_changed(set_all(group_ids(), real, effective, saved));
}

SYSCALL3(getresuid, user_addr_t, real, user_addr_t, effective, user_addr_t, saved)
{
	return get_all(user_ids(), real, effective, saved);
}

SYSCALL3(getresgid, user_addr_t, real, user_addr_t, effective, user_addr_t, saved)
{
	return get_all(group_ids(), real, effective, saved);
}

/* setfsuid(2), setfsgid(2): the id before, whether it is changed or not. */
SYSCALL1(setfsuid, uint32_t, id)
{
	struct process *process = current_process();
	struct ids ids = user_ids();
	uint32_t before = process->fsuid;

	if (id == UNCHANGED || (id != before && !may_become(&ids, id)))
		return before;
	process->fsuid = id;
	capabilities_follow_fsuid(process, before);
	return before;
}

SYSCALL1(setfsgid, uint32_t, id)
{
	struct process *process = current_process();
	struct ids ids = group_ids();
	uint32_t before = process->fsgid;

	if (id != UNCHANGED && (id == before || may_become(&ids, id)))
		process->fsgid = id;
	return before;
}

SYSCALL2(getgroups, int32_t, size, user_addr_t, to)
{
	const struct process *process = current_process();

	if (size < 0)
		return -EINVAL;
	if (size == 0)
		return process->group_count;
	if ((uint32_t)size < process->group_count)
		return -EINVAL;
	if (copy_to_user(to, process->groups, process->group_count * sizeof(uint32_t)))
		return -EFAULT;
	return process->group_count;
}

SYSCALL2(setgroups, uint64_t, size, user_addr_t, from)
{
	struct process *process = current_process();
	uint32_t groups[PROCESS_GROUPS_MAX];

	if (!user_may(CAP_SETGID))
		return -EPERM;
	if (size > PROCESS_GROUPS_MAX)
		return -EINVAL;
	if (copy_from_user(groups, from, size * sizeof(uint32_t)))
		return -EFAULT;
	memcpy(process->groups, groups, size * sizeof(uint32_t));
	process->group_count = (uint32_t)size;
	return 0;
}

void identity_syscalls_init(void)
{
	syscall_register(SYS_getpid, sys_getpid);
	syscall_register(SYS_getppid, sys_getppid);
	syscall_register(SYS_gettid, sys_gettid);
	syscall_register(SYS_set_tid_address, sys_set_tid_address);
	syscall_register(SYS_getuid, sys_getuid);
	syscall_register(SYS_geteuid, sys_geteuid);
	syscall_register(SYS_getgid, sys_getgid);
	syscall_register(SYS_getegid, sys_getegid);
	syscall_register(SYS_setuid, sys_setuid);
	syscall_register(SYS_setgid, sys_setgid);
	syscall_register(SYS_setreuid, sys_setreuid);
	syscall_register(SYS_setregid, sys_setregid);
	syscall_register(SYS_setresuid, sys_setresuid);
	syscall_register(SYS_setresgid, sys_setresgid);
	syscall_register(SYS_getresuid, sys_getresuid);
	syscall_register(SYS_getresgid, sys_getresgid);
	syscall_register(SYS_setfsuid, sys_setfsuid);
	syscall_register(SYS_setfsgid, sys_setfsgid);
	syscall_register(SYS_getgroups, sys_getgroups);
	syscall_register(SYS_setgroups, sys_setgroups);
}
