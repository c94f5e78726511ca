/*
 * Making and removing names: mkdir, mknod, symlink, link, unlink, rmdir; and readlink.
 */
#include "kernel/fs/names.h"

#include "kernel/errno.h"
#include "kernel/event/inotify.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/syscalls.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/process.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

int names_may_change(const struct inode *directory)
{
	if (directory->filesystem != FILESYSTEM_MEMORY)
		return -EPERM;
	return directory->links == 0 ? -ENOENT : 0;
}

int name_create(struct path *path, uint32_t mode)
{
	if (path->inode)
		return -EEXIST;
	if (names_may_change(path->parent))
		return -ENOENT;
	int error = may_add_name(path->parent);
	if (error)
		return error;
	if (file_system_full())
		return -ENOSPC;
	struct inode *inode = inode_create(FILESYSTEM_MEMORY, mode);
	if (!inode)
		return -ENOSPC;
	inherit_group(inode, path->parent);
	error = directory_add(path->parent, path->name, inode);
	if (error) {
		inode_put(inode);
		return error;
	}
	path->inode = inode;
	inotify_name_event(path->parent, path->name, inode, IN_CREATE, 0);
	return 0;
}

/*
 * Walks to where a name is to be made; an existing one is -EEXIST. Only a directory's may end in a
 * slash.
 */
static int walk_to_new(int directory_fd, const char *name, bool directory, struct path *path)
{
	int error = path_walk(directory_fd, name, PATH_NAME_ONLY, path);
	if (error)
		return error;
	if (path->inode)
		error = -EEXIST;
	else if (path->trailing_slash && !directory)
		error = -ENOENT;
	if (error)
		path_release(path);
	return error;
}

static int make_node(int directory_fd, const char *name, uint32_t mode, uint64_t device)
{
	struct path path;
	int error = walk_to_new(directory_fd, name, S_ISDIR(mode), &path);
	if (error)
		return error;
	uint32_t kept = S_IFMT | (07777 & ~current_process()->umask);
	error = name_create(&path, mode & kept);
	if (!error)
		path.inode->device = device;
	path_release(&path);
	return error;
}

SYSCALL3(mkdirat, int, directory_fd, user_addr_t, path, uint32_t, mode)
{
	int error;
	char *name = path_from_user(path, &error);
	if (!name)
		return error;
	error = make_node(directory_fd, name, S_IFDIR | (mode & 01777), 0);
	kfree(name);
	return error;
}

SYSCALL4(mknodat, int, directory_fd, user_addr_t, path, uint32_t, mode, uint32_t, device)
{
	if ((mode & S_IFMT) == 0)
		mode |= S_IFREG;
	if (S_ISDIR(mode))
		return -EPERM;
	if (!S_ISREG(mode) && !S_ISCHR(mode) && !S_ISBLK(mode) && !S_ISFIFO(mode) &&
	    !S_ISSOCK(mode))
		return -EINVAL;
	if ((S_ISCHR(mode) || S_ISBLK(mode)) && !user_may(CAP_MKNOD))
		return -EPERM;
	int error;
	char *name = path_from_user(path, &error);
	if (!name)
		return error;
	error = make_node(directory_fd, name, mode, S_ISCHR(mode) || S_ISBLK(mode) ? device : 0);
	kfree(name);
	return error;
}

static int make_symlink(const char *target, int directory_fd, const char *name)
{
	size_t size = strlen(target) + 1;
	if (size == 1)
		return -ENOENT;
	char *copy = kmalloc(size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, target, size);

	struct path path;
	int error = walk_to_new(directory_fd, name, false, &path);
	if (!error) {
		error = name_create(&path, S_IFLNK | 0777);
		if (!error) {
			path.inode->link_target = copy;
			path.inode->size = size - 1;
			copy = NULL;
		}
		path_release(&path);
	}
	kfree(copy);
	return error;
}

SYSCALL3(symlinkat, user_addr_t, target, int, directory_fd, user_addr_t, path)
{
	int error;
	char *target_name = path_from_user(target, &error);
	if (!target_name)
		return error;
	char *name = path_from_user(path, &error);
	if (name)
		error = make_symlink(target_name, directory_fd, name);
	kfree(name);
	kfree(target_name);
	return error;
}

static int check_link(const struct inode *inode, const struct inode *directory)
{
	if (directory->filesystem != inode->filesystem)
		return -EXDEV;
	int error = may_add_name(directory);
	if (error)
		return error;
	return S_ISDIR(inode->mode) ? -EPERM : names_may_change(directory);
}

static int make_link(struct inode *inode, int directory_fd, const char *name)
{
	struct path path;
	int error = walk_to_new(directory_fd, name, false, &path);
	if (error)
		return error;
	error = check_link(inode, path.parent);
	if (!error && file_system_full())
		error = -ENOSPC;
	if (!error)
		error = directory_add(path.parent, path.name, inode);
	if (!error) {
		inotify_self_event(inode, IN_ATTRIB);
		inotify_name_event(path.parent, path.name, inode, IN_CREATE, 0);
	}
	path_release(&path);
	return error;
}

SYSCALL5(linkat, int, old_fd, user_addr_t, old_path, int, new_fd, user_addr_t, new_path, uint32_t,
	 flags)
{
	if (flags & ~(uint32_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	/* An open file is no permission to give it a name that others may find. */
	if ((flags & AT_EMPTY_PATH) && !user_may(CAP_DAC_READ_SEARCH))
		return -ENOENT;
	uint32_t at_flags = flags & AT_EMPTY_PATH;
	if (!(flags & AT_SYMLINK_FOLLOW))
		at_flags |= AT_SYMLINK_NOFOLLOW;
	struct inode *inode;
	int error = path_at(old_fd, old_path, at_flags, &inode);
	if (error)
		return error;
	char *name = path_from_user(new_path, &error);
	if (name)
		error = make_link(inode, new_fd, name);
	kfree(name);
	inode_put(inode);
	return error;
}

static int check_unlink(const struct path *path)
{
	if (path_ends_in_dots(path))
		return -EISDIR;
	if (!path->inode)
		return -ENOENT;
	if (path->trailing_slash)
		return S_ISDIR(path->inode->mode) ? -EISDIR : -ENOTDIR;
	int error = may_remove_name(path->parent, path->inode);
	if (error)
		return error;
	return S_ISDIR(path->inode->mode) ? -EISDIR : names_may_change(path->parent);
}

static int check_rmdir(const struct path *path)
{
	if (path->name[0] == '\0')
		return -EBUSY;
	if (strcmp(path->name, ".") == 0)
		return -EINVAL;
	if (strcmp(path->name, "..") == 0)
		return -ENOTEMPTY;
	if (!path->inode)
		return -ENOENT;
	int error = may_remove_name(path->parent, path->inode);
	if (error)
		return error;
	if (!S_ISDIR(path->inode->mode))
		return -ENOTDIR;
	error = names_may_change(path->parent);
	if (error)
		return error;
	if (path->inode->filesystem != FILESYSTEM_MEMORY)
		return -EBUSY; /* /proc itself */
	return directory_empty(path->inode) ? 0 : -ENOTEMPTY;
}

static void remove_name(const struct path *path)
{
	directory_remove(directory_find(path->parent, path->name));
	if (!S_ISDIR(path->inode->mode))
		inotify_self_event(path->inode, IN_ATTRIB); /* it has a link less */
	inotify_name_event(path->parent, path->name, path->inode, IN_DELETE, 0);
}

SYSCALL3(unlinkat, int, directory_fd, user_addr_t, user_path, uint32_t, flags)
{
	if (flags & ~(uint32_t)AT_REMOVEDIR)
		return -EINVAL;
	int error;
	char *name = path_from_user(user_path, &error);
	if (!name)
		return error;
	struct path path;
	error = path_walk(directory_fd, name, PATH_NAME_ONLY, &path);
	kfree(name);
	if (error)
		return error;
	error = flags & AT_REMOVEDIR ? check_rmdir(&path) : check_unlink(&path);
	if (!error)
		remove_name(&path);
	path_release(&path);
	return error;
}

SYSCALL4(readlinkat, int, directory_fd, user_addr_t, path, user_addr_t, to, int32_t, size)
{
	if (size <= 0)
		return -EINVAL;
	/* An empty path means the link that directory_fd was opened on (O_PATH and O_NOFOLLOW). */
	uint32_t flags = AT_SYMLINK_NOFOLLOW | (directory_fd >= 0 ? AT_EMPTY_PATH : 0);
	struct inode *inode;
	int error = path_at(directory_fd, path, flags, &inode);
	if (error)
		return error;
	char *target = kmalloc(PATH_MAX);
	int64_t length = !target ? -ENOMEM : path_read_link(inode, target, PATH_MAX);
	if (length > 0) {
		length = MIN(length, (int64_t)size);
		if (copy_to_user(to, target, (size_t)length))
			length = -EFAULT;
	}
	kfree(target);
	inode_put(inode);
	return length;
}

void names_syscalls_init(void)
{
	syscall_register(SYS_mkdirat, sys_mkdirat);
	syscall_register(SYS_mknodat, sys_mknodat);
	syscall_register(SYS_symlinkat, sys_symlinkat);
	syscall_register(SYS_linkat, sys_linkat);
	syscall_register(SYS_unlinkat, sys_unlinkat);
	syscall_register(SYS_readlinkat, sys_readlinkat);
}
