/*
 * Who may do what with a file: the owner's, the group's or everybody else's permissions against the
 * file system ids and the groups of the calling process, and the capabilities that go beyond them:
 * path_resolution(7), credentials(7), capabilities(7).
 *
 * Process context. Nothing sleeps or allocates. What is asked for is R_OK, W_OK, X_OK (which for a
 * directory is searching it); refused is -EACCES, or -EPERM where only the owner may.
 */
#ifndef KERNEL_FS_PERMISSION_H
#define KERNEL_FS_PERMISSION_H

#include "include/uapi/fcntl.h"
#include "kernel/types.h"

struct inode;

/* For whom one asks. The supplementary groups are the calling process's in any case. */
struct subject {
	uint32_t uid, gid;
	uint64_t capabilities; /* bit n is capability n */
};

struct subject subject_acting(void); /* by the file system ids: all calls but access(2) */
struct subject subject_real(void);   /* by the real ids */

/* 0, or -EACCES when one of the `wanted` is missing. */
int subject_may(const struct subject *subject, const struct inode *inode, uint32_t wanted);

/* The same for the caller as it acts. */
int may_access(const struct inode *inode, uint32_t wanted);

/* The caller may run the file as a program, or another with it as interpreter: 0 or -EACCES. */
int may_run(const struct inode *inode);

/* Whether the caller may make names in `directory`: 0 or -EACCES. */
int may_add_name(const struct inode *directory);

/*
 * Whether the caller may take a name of `inode` away: -EACCES by the directory; -EPERM when that is
 * sticky, and neither it nor the inode is the caller's.
 */
int may_remove_name(const struct inode *directory, const struct inode *inode);

/* The file is the caller's, or CAP_FOWNER makes up for it. */
bool is_owner(const struct inode *inode);

/* `gid` is one of the groups for which the caller acts. */
bool in_group(uint32_t gid);

/*
 * Gives a new inode what comes from its directory: with S_ISGID, its group. Takes S_ISGID from a
 * program whose group is not the caller's.
 */
void inherit_group(struct inode *inode, const struct inode *directory);

/*
 * The contents were changed: a program no longer runs as somebody else, unless the caller has
 * CAP_FSETID.
 */
void drop_set_ids(struct inode *inode);

/* The inode's mode without the bits that do not outlive a change of the owner. */
uint32_t mode_without_set_ids(const struct inode *inode);

#endif
