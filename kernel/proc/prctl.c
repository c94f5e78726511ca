/*
 * prctl(2), capget(2), capset(2). The superuser has every capability, everybody else none; they
 * come and go with the user id.
 */
#include "include/uapi/prctl.h"

#include "kernel/proc/proc.h"
#include "kernel/proc/process.h"
#include "kernel/proc/signal_pending.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

static int64_t set_name(user_addr_t from)
{
	struct thread *thread = current_thread();
	char name[PROCESS_NAME_MAX];
	int64_t length = copy_string_from_user(name, from, sizeof(name));

	if (length == -EFAULT)
		return length;
	if (length < 0 && copy_from_user(name, from, sizeof(name) - 1))
		return -EFAULT;
	name[sizeof(name) - 1] = '\0';
	strscpy(thread->name, name, sizeof(thread->name));
	if (thread->tid == thread->process->pid)
		strscpy(thread->process->name, name, sizeof(thread->process->name));
	return 0;
}

static int64_t get_name(user_addr_t to)
{
	char name[PROCESS_NAME_MAX] = "";

	strscpy(name, current_thread()->name, sizeof(name));
	return copy_to_user(to, name, sizeof(name));
}

SYSCALL5(prctl, int, option, uint64_t, a, uint64_t, b, uint64_t, c, uint64_t, d)
{
	struct process *process = current_process();

	switch (option) {
	case PR_SET_NAME:
		return set_name(a);
	case PR_GET_NAME:
		return get_name(a);
	case PR_SET_PDEATHSIG:
		if (a != 0 && (a >= NSIG))
			return -EINVAL;
		process->parent_death_signal = (int)a;
		return 0;
	case PR_GET_PDEATHSIG:
		return copy_to_user(a, &process->parent_death_signal, sizeof(int));
	case PR_GET_DUMPABLE: /* nothing is ever dumped */
	case PR_GET_KEEPCAPS:
	case PR_GET_NO_NEW_PRIVS:
		return 0;
	case PR_SET_DUMPABLE:
		return a <= 1 ? 0 : -EINVAL;
	case PR_SET_NO_NEW_PRIVS: /* execve never gives any */
		return a == 1 && !b && !c && !d ? 0 : -EINVAL;
	case PR_CAPBSET_READ:
		return a <= CAP_LAST_CAP ? 1 : -EINVAL;
	default:
		return -EINVAL;
	}
}

#define CAPABILITIES_ALL ((1ull << (CAP_LAST_CAP + 1)) - 1)

static uint64_t capabilities_of(const struct process *process)
{
	return process->euid == 0 ? CAPABILITIES_ALL : 0;
}

/*
 * How many cap_user_data the version has; 0 for one that is not known, which is corrected in user
 * memory.
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
	return 0;
}

SYSCALL2(capget, user_addr_t, header_at, user_addr_t, data_to)
{
	struct cap_user_data data[2] = {0};
	struct cap_user_header header;
	struct process *process;
	uint32_t words;
	int64_t error = cap_words(header_at, &header, &words);

	if (error == -EINVAL && !data_to)
		return 0; /* a question about the version */
	if (error)
		return error;
	process = header.pid ? process_find(header.pid) : current_process();
	if (!process)
		return -ESRCH;
	for (uint32_t i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = (uint32_t)(capabilities_of(process) >>
								   (32 * i));
	return data_to ? copy_to_user(data_to, data, words * sizeof(data[0])) : 0;
}

/*
 * Giving up capabilities would have to be kept and checked; since nothing here asks for one but the
 * superuser's id, dropping is accepted when nothing more than is there is asked for.
 */
SYSCALL2(capset, user_addr_t, header_at, user_addr_t, data_from)
{
	struct cap_user_data data[2] = {0};
	struct cap_user_header header;
	uint64_t effective, permitted;
	uint32_t words;
	int64_t error = cap_words(header_at, &header, &words);

	if (error)
		return error;
	if (header.pid && header.pid != current_process()->pid)
		return -EPERM;
	if (copy_from_user(data, data_from, words * sizeof(data[0])))
		return -EFAULT;
	effective = data[0].effective | (uint64_t)data[1].effective << 32;
	permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	if (effective & ~permitted || permitted & ~capabilities_of(current_process()))
		return -EPERM;
	return 0;
}

void prctl_syscalls_init(void)
{
	syscall_register(SYS_prctl, sys_prctl);
	syscall_register(SYS_capget, sys_capget);
	syscall_register(SYS_capset, sys_capset);
}
