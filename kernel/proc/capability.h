/*
 * Capabilities, capabilities(7): what of the superuser's rights a process has. They come with user
 * id 0 and go with it, unless the process asked to keep them and gave the others up by itself.
 */
#ifndef KERNEL_PROC_CAPABILITY_H
#define KERNEL_PROC_CAPABILITY_H

#include "include/uapi/capability.h"
#include "kernel/types.h"

struct process;

#define CAPABILITIES_ALL ((1ull << (CAP_LAST_CAP + 1)) - 1)

struct capabilities {
	uint64_t effective; /* what counts; bit n is capability n */
	uint64_t permitted; /* what effective may become */
	uint64_t inheritable;
	bool keep; /* PR_SET_KEEPCAPS: `permitted` outlives the change to another user */
};

static inline uint64_t capability_bit(uint32_t capability)
{
	return 1ull << capability;
}

bool process_has_capability(const struct process *process, uint32_t capability);

/* The user ids were changed from these; the capabilities follow. */
void capabilities_follow_ids(struct process *process, uint32_t uid, uint32_t euid, uint32_t suid);

/* Only the file system's user id was changed, from this one. */
void capabilities_follow_fsuid(struct process *process, uint32_t fsuid);

/* execve: user 0 has them all again, everybody else none. */
void capabilities_follow_exec(struct process *process);

void capability_syscalls_init(void);

#endif
