#include "kernel/proc/capability.h"

#include "kernel/proc/process.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

bool process_has_capability(const struct process *process, uint32_t capability)
{
	return process->capabilities.effective & capability_bit(capability);
}

bool user_may(uint32_t capability)
{
	return process_has_capability(current_process(), capability);
}

void capabilities_follow_ids(struct process *process, uint32_t uid, uint32_t euid, uint32_t suid)
{
	struct capabilities *has = &process->capabilities;
	bool was_root = uid == 0 || euid == 0 || suid == 0;
	bool is_root = process->uid == 0 || process->euid == 0 || process->suid == 0;

	if (was_root && !is_root) {
		has->effective = 0;
		if (!has->keep)
			has->permitted = 0;
	}
	if (euid == 0 && process->euid != 0)
		has->effective = 0;
	if (euid != 0 && process->euid == 0)
		has->effective = has->permitted;
}

/* Those that matter for files, which go and come with the file system's user id alone. */
static uint64_t file_capabilities(void)
{
	return capability_bit(CAP_CHOWN) | capability_bit(CAP_DAC_OVERRIDE) |
	       capability_bit(CAP_DAC_READ_SEARCH) | capability_bit(CAP_FOWNER) |
	       capability_bit(CAP_FSETID) | capability_bit(CAP_MKNOD);
}

void capabilities_follow_fsuid(struct process *process, uint32_t fsuid)
{
	struct capabilities *has = &process->capabilities;

	if (fsuid == 0 && process->fsuid != 0)
		has->effective &= ~file_capabilities();
	if (fsuid != 0 && process->fsuid == 0)
		has->effective |= has->permitted & file_capabilities();
}

void capabilities_follow_exec(struct process *process)
{
	struct capabilities *has = &process->capabilities;
	bool root = process->uid == 0 || process->euid == 0;

	process->suid = process->fsuid = process->euid;
	process->sgid = process->fsgid = process->egid;
	has->permitted = root ? CAPABILITIES_ALL : 0;
	has->effective = process->euid == 0 ? has->permitted : 0;
	has->keep = false;
}

/*
 * How many cap_user_data the version has; for one that is not known -EINVAL, and it is corrected in
 * user memory.
 */
static int64_t cap_words(user_addr_t header_at, struct cap_user_header *header, uint32_t *words)
{
	uint32_t preferred = LINUX_CAPABILITY_VERSION_3;

	if (copy_from_user(header, header_at, sizeof(*header)))
		return -EFAULT;
	if (header->version == LINUX_CAPABILITY_VERSION_1)
		*words = 1;
	else if (header->version == LINUX_CAPABILITY_VERSION_2 ||
		 header->version == LINUX_CAPABILITY_VERSION_3)
		*words = 2;
	else
		return copy_to_user(header_at, &preferred, sizeof(preferred)) ? -EFAULT : -EINVAL;
	return header->pid < 0 ? -EINVAL : 0;
}

SYSCALL2(capget, user_addr_t, header_at, user_addr_t, data_to)
{
	struct cap_user_data data[2] = {0};
	const struct capabilities *has;
	const struct thread *thread;
	struct cap_user_header header;
	uint32_t words;
	int64_t error = cap_words(header_at, &header, &words);

	if (error == -EINVAL && !data_to)
		return 0; /* a question about the version */
	if (error)
		return error;
	thread = header.pid ? thread_find(header.pid) : current_thread();
	if (!thread)
		return -ESRCH;
	has = &thread->process->capabilities;
	for (uint32_t i = 0; i < 2; i++)
		data[i] = (struct cap_user_data){
			.effective = (uint32_t)(has->effective >> (32 * i)),
			.permitted = (uint32_t)(has->permitted >> (32 * i)),
			.inheritable = (uint32_t)(has->inheritable >> (32 * i)),
		};
	return data_to ? copy_to_user(data_to, data, words * sizeof(data[0])) : 0;
}

/* Rights can be given up, or switched off and on again, but not gained. */
static int64_t set_capabilities(struct capabilities *has, const struct capabilities *wanted)
{
	uint64_t addable = has->inheritable | has->permitted;

	if (has->effective & capability_bit(CAP_SETPCAP))
		addable |= CAPABILITIES_ALL;
	if (wanted->permitted & ~has->permitted || wanted->effective & ~wanted->permitted ||
	    wanted->inheritable & ~addable)
		return -EPERM;
	has->effective = wanted->effective;
	has->permitted = wanted->permitted;
	has->inheritable = wanted->inheritable;
	return 0;
}

SYSCALL2(capset, user_addr_t, header_at, user_addr_t, data_from)
{
	struct process *process = current_process();
	struct cap_user_data data[2] = {0};
	struct cap_user_header header;
	struct capabilities wanted;
	uint32_t words;
	int64_t error = cap_words(header_at, &header, &words);

	if (error)
		return error;
	if (header.pid && header.pid != process->pid && header.pid != current_thread()->tid)
		return -EPERM;
	if (copy_from_user(data, data_from, words * sizeof(data[0])))
		return -EFAULT;
	wanted = (struct capabilities){
		.effective = data[0].effective | (uint64_t)data[1].effective << 32,
		.permitted = data[0].permitted | (uint64_t)data[1].permitted << 32,
		.inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32,
	};
	wanted.effective &= CAPABILITIES_ALL;
	wanted.permitted &= CAPABILITIES_ALL;
	wanted.inheritable &= CAPABILITIES_ALL;
	return set_capabilities(&process->capabilities, &wanted);
}

void capability_syscalls_init(void)
{
	syscall_register(SYS_capget, sys_capget);
	syscall_register(SYS_capset, sys_capset);
}
