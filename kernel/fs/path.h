/*
 * Paths: from a string to an inode, or to the directory and the name where one is to be made.
 */
#ifndef KERNEL_FS_PATH_H
#define KERNEL_FS_PATH_H

#include "include/uapi/fcntl.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/permission.h"
#include "kernel/types.h"

#define PATH_LINKS_MAX 40 /* symbolic links followed in one resolution; then ELOOP */

/* What a path led to. Both inodes are references; end with path_release. */
struct path {
	struct inode *parent;    /* NULL when a /proc link led straight to the object */
	struct inode *inode;     /* NULL: the last name does not exist (all before it does) */
	char name[NAME_MAX + 1]; /* the last name; "", "." or ".." when the path ends so */
	bool trailing_slash;     /* the path ended in one, so only a directory will do */
};

/* What to do with a symbolic link at the end of a path. */
enum path_end {
	PATH_FOLLOW,
	PATH_NO_FOLLOW, /* but a slash behind it means the directory it leads to */
	/* Not even then: the name is to be made or removed. The caller checks trailing_slash. */
	PATH_NAME_ONLY,
};

/*
 * Walks `path` from `directory_fd` (AT_FDCWD or a descriptor of a directory). Returns 0 or a
 * negative errno: ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EBADF, ENOMEM; EACCES for a directory that
 * the caller may not search.
 */
int path_walk(int directory_fd, const char *path, enum path_end end, struct path *result);

/* The same for somebody else than the caller as it acts. */
int path_walk_as(const struct subject *subject, int directory_fd, const char *path,
		 enum path_end end, struct path *result);
void path_release(struct path *path);

/* A symbolic link's target, with a NUL. Returns its length; -EINVAL when it is no link. */
int64_t path_read_link(struct inode *link, char *target, size_t size);

/* True when the last name is none that could be made or removed. */
bool path_ends_in_dots(const struct path *path);

/*
 * The path string of a system call: kmalloc'ed (kfree), or NULL and *error: EFAULT, ENAMETOOLONG,
 * ENOMEM.
 */
char *path_from_user(user_addr_t path, int *error);

/*
 * The inode that an *at call names: `path` in the process from `directory_fd`; with AT_EMPTY_PATH
 * in `flags` and an empty path, the descriptor's own; AT_SYMLINK_NOFOLLOW. 0 and a reference, or a
 * negative errno.
 */
int path_at(int directory_fd, user_addr_t path, uint32_t flags, struct inode **result);

/* The same, walked for `subject`. */
int path_at_as(const struct subject *subject, int directory_fd, user_addr_t path, uint32_t flags,
	       struct inode **result);

#endif
