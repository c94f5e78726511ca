/*
 * openat(2): from a path to a file and its descriptor.
 */
#include "include/uapi/fcntl.h"
#include "kernel/errno.h"
#include "kernel/event/inotify.h"
#include "kernel/fs/devfs.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/fd_table.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/names.h"
#include "kernel/fs/path.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/regular.h"
#include "kernel/fs/syscalls.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/process.h"
#include "kernel/syscall.h"

/* Flags that only matter while opening; the rest stays in file->flags for F_GETFL. */
#define OPENING_FLAGS (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)

/* Of an O_PATH file, which can only be named. */
static const struct file_ops path_file_ops;

/* Gives the file the functions of its kind. */
static int open_kind(struct inode *inode, struct file *file)
{
	if (inode->ops && inode->ops->open)
		return inode->ops->open(inode, file);
	switch (inode->mode & S_IFMT) {
	case S_IFREG:
		file->ops = &regular_file_ops;
		return 0;
	case S_IFDIR:
		file->ops = &directory_file_ops;
		return 0;
	case S_IFCHR:
		return char_device_open(inode, file);
	case S_IFIFO:
		return pipe_open(inode, file);
	default:
		return -ENXIO; /* sockets, block devices */
	}
}

/* What the inode's kind says about the flags, before anything is changed. */
static int check_flags(const struct inode *inode, uint32_t flags)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	if ((flags & O_DIRECTORY) && !S_ISDIR(inode->mode))
		return -ENOTDIR;
	if (S_ISLNK(inode->mode) && !(flags & O_PATH))
		return -ELOOP;
	if (flags & O_PATH)
		return 0;
	if (S_ISDIR(inode->mode) && (writes || (flags & (O_CREAT | O_TRUNC))))
		return -EISDIR;
	return 0;
}

/* What the caller has to be allowed for opening it so. 0, -EACCES or -EPERM. */
static int check_permissions(const struct inode *inode, uint32_t flags)
{
	static const uint32_t wanted[] = {
		[O_RDONLY] = R_OK,
		[O_WRONLY] = W_OK,
		[O_RDWR] = R_OK | W_OK,
		[O_ACCMODE] = R_OK | W_OK, /* for ioctls alone; neither will do */
	};
	if (flags & O_PATH)
		return 0;
	int error = may_access(inode, wanted[flags & O_ACCMODE] | (flags & O_TRUNC ? W_OK : 0));
	if (error)
		return error;
	return (flags & O_NOATIME) && !is_owner(inode) ? -EPERM : 0;
}

/* A file on `inode` with one reference. `flags` are open's; that they may be is known. */
static int open_inode(struct inode *inode, uint32_t flags, struct file **result)
{
	int error = 0;
	struct file *file = file_create(&path_file_ops, NULL, flags);
	if (!file)
		return -ENOMEM;
	file->inode = inode_get(inode);
	if (!(flags & O_PATH))
		error = open_kind(inode, file);
	if (error) {
		file->ops = &path_file_ops; /* whose release does nothing */
		file_put(file);
		return error;
	}
	file->flags &= ~(uint32_t)OPENING_FLAGS;
	if (!(flags & O_PATH))
		file->flags |=
			O_LARGEFILE; /* Linux adds it for 64-bit programs; F_GETFL shows it */
	if ((flags & O_TRUNC) && file->ops == &regular_file_ops) {
		drop_set_ids(inode);
		inode_truncate(inode, 0);
		inotify_inode_event(inode, IN_MODIFY);
	}
	if (!(flags & O_PATH))
		inotify_inode_event(inode, IN_OPEN);
	*result = file;
	return 0;
}

/*
 * The inode to open, made if it is missing and O_CREAT is given. Who makes a file may open it
 * whatever its mode.
 */
static int find_or_create(struct path *path, uint32_t flags, uint32_t mode)
{
	if (path->inode) {
		if ((flags & O_CREAT) && (flags & O_EXCL))
			return -EEXIST;
		int error = check_flags(path->inode, flags);
		return error ? error : check_permissions(path->inode, flags);
	}
	if (!(flags & O_CREAT))
		return -ENOENT;
	if (path->trailing_slash)
		return -EISDIR;
	return name_create(path, S_IFREG | (mode & 07777 & ~current_process()->umask));
}

static int open_path(int directory_fd, const char *name, uint32_t flags, uint32_t mode,
		     struct file **result)
{
	bool exclusive = (flags & O_CREAT) && (flags & O_EXCL);
	enum path_end end = exclusive            ? PATH_NAME_ONLY
			    : flags & O_NOFOLLOW ? PATH_NO_FOLLOW
						 : PATH_FOLLOW;
	struct path path;
	int error = path_walk(directory_fd, name, end, &path);
	if (error)
		return error;
	error = find_or_create(&path, flags, mode);
	if (!error)
		error = open_inode(path.inode, flags, result);
	path_release(&path);
	return error;
}

static int create_unnamed(const struct inode *directory, uint32_t mode, struct inode **result)
{
	if (!S_ISDIR(directory->mode))
		return -ENOTDIR;
	int error = may_add_name(directory);
	if (error)
		return error;
	if (directory->filesystem != FILESYSTEM_MEMORY)
		return -EOPNOTSUPP;
	mode = S_IFREG | (mode & 07777 & ~current_process()->umask);
	*result = inode_create(FILESYSTEM_MEMORY, mode);
	if (!*result)
		return -ENOSPC;
	inherit_group(*result, directory);
	return 0;
}

/* O_TMPFILE: a regular file without a name in the file system of the directory. */
static int open_unnamed(int directory_fd, const char *name, uint32_t flags, uint32_t mode,
			struct file **result)
{
	if ((flags & O_ACCMODE) == O_RDONLY)
		return -EINVAL;
	struct inode *directory;
	int error = path_resolve(directory_fd, name, true, &directory);
	if (error)
		return error;
	struct inode *inode = NULL;
	error = create_unnamed(directory, mode, &inode);
	inode_put(directory);
	if (!error)
		error = open_inode(inode, flags & ~(uint32_t)O_TMPFILE, result);
	inode_put(inode);
	return error;
}

int file_open(const char *path, uint32_t flags, struct file **result)
{
	return open_path(AT_FDCWD, path, flags, 0, result);
}

static int64_t open_descriptor(int directory_fd, const char *name, uint32_t flags, uint32_t mode)
{
	struct file *file;
	int error;
	if (!fd_available())
		return -EMFILE;
	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if ((flags & O_TMPFILE) == O_TMPFILE)
		error = open_unnamed(directory_fd, name, flags, mode, &file);
	else if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		error = -EINVAL;
	else
		error = open_path(directory_fd, name, flags, mode, &file);
	if (error)
		return error;
	int fd = fd_install(file, 0, flags & O_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

SYSCALL4(openat, int, directory_fd, user_addr_t, path, uint32_t, flags, uint32_t, mode)
{
	int error;
	char *name = path_from_user(path, &error);
	if (!name)
		return error;
	int64_t fd = open_descriptor(directory_fd, name, flags, mode);
	kfree(name);
	return fd;
}

void open_syscalls_init(void)
{
	syscall_register(SYS_openat, sys_openat);
}
