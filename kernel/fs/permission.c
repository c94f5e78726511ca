#include "kernel/fs/permission.h"

#include "kernel/errno.h"
#include "kernel/fs/inode.h"
#include "kernel/proc/process.h"
#include "kernel/user.h"

#define OWNER_SHIFT 6 /* where the three permissions stand in a mode */
#define GROUP_SHIFT 3

struct subject subject_acting(void)
{
	const struct process *process = current_process();

	return (struct subject){process->fsuid, process->fsgid, process->capabilities.effective};
}

/* access(2): user 0 asks with all the rights that it may have, everybody else with none. */
struct subject subject_real(void)
{
	const struct process *process = current_process();

	return (struct subject){process->uid, process->gid,
				process->uid == 0 ? process->capabilities.permitted : 0};
}

static bool has_group(const struct process *process, uint32_t first, uint32_t gid)
{
	if (gid == first)
		return true;
	for (uint32_t i = 0; i < process->group_count; i++)
		if (process->groups[i] == gid)
			return true;
	return false;
}

bool in_group(uint32_t gid)
{
	const struct process *process = current_process();

	return has_group(process, process->fsgid, gid);
}

/* The first class that fits counts, even where a later one would allow more. */
static uint32_t allowed(const struct subject *subject, const struct inode *inode)
{
	if (subject->uid == inode->uid)
		return inode->mode >> OWNER_SHIFT;
	if (has_group(current_process(), subject->gid, inode->gid))
		return inode->mode >> GROUP_SHIFT;
	return inode->mode;
}

/* Running is not among the superuser's rights: a file that nobody may run is no program. */
static bool overrides(const struct subject *subject, const struct inode *inode, uint32_t wanted)
{
	bool directory = S_ISDIR(inode->mode);
	bool only_looks = directory ? !(wanted & W_OK) : wanted == R_OK;
	bool runs = !directory && (wanted & X_OK);

	if (subject->capabilities & capability_bit(CAP_DAC_OVERRIDE))
		return !runs || inode->mode & 0111;
	return only_looks && subject->capabilities & capability_bit(CAP_DAC_READ_SEARCH);
}

int subject_may(const struct subject *subject, const struct inode *inode, uint32_t wanted)
{
	if (overrides(subject, inode, wanted))
		return 0;
	return wanted & ~allowed(subject, inode) ? -EACCES : 0;
}

int may_access(const struct inode *inode, uint32_t wanted)
{
	struct subject subject = subject_acting();

	return subject_may(&subject, inode, wanted);
}

int may_run(const struct inode *inode)
{
	return S_ISREG(inode->mode) ? may_access(inode, X_OK) : -EACCES;
}

int may_add_name(const struct inode *directory)
{
	return may_access(directory, W_OK | X_OK);
}

int may_remove_name(const struct inode *directory, const struct inode *inode)
{
	uint32_t uid = current_process()->fsuid;
	int error = may_access(directory, W_OK | X_OK);

	if (error || !(directory->mode & S_ISVTX) || directory->uid == uid || inode->uid == uid)
		return error;
	return user_may(CAP_FOWNER) ? 0 : -EPERM;
}

bool is_owner(const struct inode *inode)
{
	return inode->uid == current_process()->fsuid || user_may(CAP_FOWNER);
}

/* Who is not of a group may not make its programs. */
static bool keeps_set_group(const struct inode *inode)
{
	return in_group(inode->gid) || user_may(CAP_FSETID);
}

void inherit_group(struct inode *inode, const struct inode *directory)
{
	if (directory->mode & S_ISGID) {
		inode->gid = directory->gid;
		if (S_ISDIR(inode->mode))
			inode->mode |= S_ISGID;
	}
	if (!S_ISDIR(inode->mode) && inode->mode & S_IXGRP && !keeps_set_group(inode))
		inode->mode &= ~(uint32_t)S_ISGID;
}

uint32_t mode_without_set_ids(const struct inode *inode)
{
	uint32_t mode = inode->mode & ~(uint32_t)S_ISUID;

	if (mode & S_IXGRP || !keeps_set_group(inode))
		mode &= ~(uint32_t)S_ISGID;
	return mode;
}

void drop_set_ids(struct inode *inode)
{
	if (inode->mode & (S_ISUID | S_ISGID) && S_ISREG(inode->mode) && !user_may(CAP_FSETID))
		inode->mode = mode_without_set_ids(inode);
}
