/*
 * rename(2): the checks in the order in which Linux makes them, then one change that cannot fail
 * half-way.
 */
#include "kernel/errno.h"
#include "kernel/event/inotify.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/names.h"
#include "kernel/fs/path.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/syscalls.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/syscall.h"

/* Things that hold for the two names whatever stands at the new one. */
static int check_names(const struct path *old, const struct path *new, uint32_t flags)
{
	if (path_ends_in_dots(old))
		return -EBUSY;
	if (path_ends_in_dots(new))
		return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	if (old->parent->filesystem != new->parent->filesystem)
		return -EXDEV;
	if (!old->inode)
		return -ENOENT;
	if (new->inode && (flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (!new->inode && (flags & RENAME_EXCHANGE))
		return -ENOENT;
	if (!S_ISDIR(old->inode->mode) &&
	    (old->trailing_slash || (new->trailing_slash && !(flags & RENAME_EXCHANGE))))
		return -ENOTDIR;
	if (directory_is_within(new->parent, old->inode))
		return -EINVAL;
	if (new->inode && directory_is_within(old->parent, new->inode))
		return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (old->inode->filesystem != FILESYSTEM_MEMORY)
		return -EBUSY; /* /proc itself */
	int error = names_may_change(old->parent);
	return error ? error : names_may_change(new->parent);
}

/* Whether what stands at the new name may be replaced. */
static int check_replaced(const struct inode *old, const struct inode *replaced)
{
	if (replaced->filesystem != FILESYSTEM_MEMORY)
		return -EBUSY;
	if (S_ISDIR(old->mode) && !S_ISDIR(replaced->mode))
		return -ENOTDIR;
	if (!S_ISDIR(old->mode) && S_ISDIR(replaced->mode))
		return -EISDIR;
	return directory_empty(replaced) ? 0 : -ENOTEMPTY;
}

/* Whether the caller may take the old name away and make, or replace, the new one. */
static int check_permissions(const struct path *old, const struct path *new, uint32_t flags)
{
	bool moves = old->parent != new->parent;
	int error = may_remove_name(old->parent, old->inode);
	if (!error && new->inode)
		error = may_remove_name(new->parent, new->inode);
	else if (!error)
		error = may_add_name(new->parent);
	/* A directory that moves gets another "..". */
	if (!error && moves && S_ISDIR(old->inode->mode))
		error = may_access(old->inode, W_OK);
	if (!error && moves && (flags & RENAME_EXCHANGE) && S_ISDIR(new->inode->mode))
		error = may_access(new->inode, W_OK);
	return error;
}

static void tell_move(struct inode *from, const char *old_name, struct inode *to,
		      const char *new_name, struct inode *moved)
{
	uint32_t cookie = inotify_next_cookie();

	inotify_name_event(from, old_name, moved, IN_MOVED_FROM, cookie);
	inotify_name_event(to, new_name, moved, IN_MOVED_TO, cookie);
	inotify_self_event(moved, IN_MOVE_SELF);
}

static int rename_paths(const struct path *old, const struct path *new, uint32_t flags)
{
	int error = check_names(old, new, flags);
	if (error)
		return error;
	if (old->inode == new->inode)
		return 0; /* two names of one file: nothing is done */
	error = check_permissions(old, new, flags);
	if (error)
		return error;

	struct directory_entry *source = directory_find(old->parent, old->name);
	struct directory_entry *target = directory_find(new->parent, new->name);
	if (flags & RENAME_EXCHANGE) {
		directory_exchange(source, target);
		tell_move(old->parent, old->name, new->parent, new->name, old->inode);
		tell_move(new->parent, new->name, old->parent, old->name, new->inode);
		return 0;
	}
	if (target) {
		error = check_replaced(old->inode, new->inode);
		if (error)
			return error;
		directory_replace(target, old->inode);
	} else {
		error = directory_add(new->parent, new->name, old->inode);
		if (error)
			return error;
	}
	directory_remove(source);
	tell_move(old->parent, old->name, new->parent, new->name, old->inode);
	if (new->inode)
		inotify_self_event(new->inode, IN_ATTRIB); /* it has a link less */
	return 0;
}

static int rename_strings(int old_fd, const char *old_name, int new_fd, const char *new_name,
			  uint32_t flags)
{
	struct path old, new;
	int error = path_walk(old_fd, old_name, PATH_NAME_ONLY, &old);
	if (error)
		return error;
	error = path_walk(new_fd, new_name, PATH_NAME_ONLY, &new);
	if (!error) {
		error = rename_paths(&old, &new, flags);
		path_release(&new);
	}
	path_release(&old);
	return error;
}

SYSCALL5(renameat2, int, old_fd, user_addr_t, old_path, int, new_fd, user_addr_t, new_path,
	 uint32_t, flags)
{
	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	int error;
	char *old_name = path_from_user(old_path, &error);
	if (!old_name)
		return error;
	char *new_name = path_from_user(new_path, &error);
	if (new_name)
		error = rename_strings(old_fd, old_name, new_fd, new_name, flags);
	kfree(new_name);
	kfree(old_name);
	return error;
}

SYSCALL4(renameat, int, old_fd, user_addr_t, old_path, int, new_fd, user_addr_t, new_path)
{
	return call_renameat2(old_fd, old_path, new_fd, new_path, 0);
}

void rename_syscalls_init(void)
{
	syscall_register(SYS_renameat, sys_renameat);
	syscall_register(SYS_renameat2, sys_renameat2);
}
