/*
 * Changing what stat shows: permissions, owner, times. What changes sizes is in resize.c.
 */
#include "include/uapi/fcntl.h"
#include "include/uapi/time.h"
#include "kernel/clock.h"
#include "kernel/errno.h"
#include "kernel/event/inotify.h"
#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/path.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/syscalls.h"
#include "kernel/proc/process.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

#define PERMISSION_BITS 07777

/*
 * The inode behind a descriptor with a reference, or NULL and *error: EBADF; EINVAL for what has
 * none.
 */
static struct inode *inode_of_descriptor(int fd, int *error)
{
	struct file *file = fd_get(fd);
	if (!file) {
		*error = -EBADF;
		return NULL;
	}
	struct inode *inode = file->inode ? inode_get(file->inode) : NULL;
	file_put(file);
	*error = inode ? 0 : -EINVAL;
	return inode;
}

/* What can be changed: /proc and /sys are as the kernel shows them. */
static int check_change(const struct inode *inode)
{
	return inode->filesystem == FILESYSTEM_PROC || inode->filesystem == FILESYSTEM_SYS ? -EPERM
											   : 0;
}

static int change_mode(struct inode *inode, uint32_t mode)
{
	int error = check_change(inode);
	if (error)
		return error;
	if (!is_owner(inode))
		return -EPERM;
	if (S_ISLNK(inode->mode))
		return -EOPNOTSUPP;
	if (!in_group(inode->gid) && !user_may(CAP_FSETID))
		mode &= ~(uint32_t)S_ISGID;
	inode->mode = (inode->mode & S_IFMT) | (mode & PERMISSION_BITS);
	inode_changed(inode);
	inotify_inode_event(inode, IN_ATTRIB);
	return 0;
}

/* What has no inode: a socket's permissions are shown, and nobody asks for them. */
static int change_file_mode(int fd, uint32_t mode)
{
	struct file *file = fd_get(fd);
	int error = file ? -EINVAL : -EBADF;
	if (file && S_ISSOCK(file->ops->mode)) {
		file->mode = mode & PERMISSION_BITS;
		error = 0;
	}
	file_put(file);
	return error;
}

SYSCALL2(fchmod, int, fd, uint32_t, mode)
{
	int error;
	struct inode *inode = inode_of_descriptor(fd, &error);
	if (!inode)
		return error == -EINVAL ? change_file_mode(fd, mode) : error;
	error = change_mode(inode, mode);
	inode_put(inode);
	return error;
}

SYSCALL3(fchmodat, int, directory_fd, user_addr_t, path, uint32_t, mode)
{
	struct inode *inode;
	int error = path_at(directory_fd, path, 0, &inode);
	if (error)
		return error;
	error = change_mode(inode, mode);
	inode_put(inode);
	return error;
}

/* chown(2): who is not privileged may only give a file of his own to a group of his own. */
static bool may_change_owner(const struct inode *inode, uint32_t uid, uint32_t gid)
{
	bool is_his = inode->uid == current_process()->fsuid;
	bool may_user = uid == UINT32_MAX || (is_his && uid == inode->uid);
	bool may_group = gid == UINT32_MAX || (is_his && (gid == inode->gid || in_group(gid)));
	return (may_user && may_group) || user_may(CAP_CHOWN);
}

/* An id of UINT32_MAX (-1) leaves that one as it is. */
static int change_owner(struct inode *inode, uint32_t uid, uint32_t gid)
{
	int error = check_change(inode);
	if (error)
		return error;
	uint32_t mode = S_ISDIR(inode->mode) ? inode->mode : mode_without_set_ids(inode);
	if (!may_change_owner(inode, uid, gid) || (mode != inode->mode && !is_owner(inode)))
		return -EPERM;
	if (uid != UINT32_MAX)
		inode->uid = uid;
	if (gid != UINT32_MAX)
		inode->gid = gid;
	inode->mode = mode;
	inode_changed(inode);
	inotify_inode_event(inode, IN_ATTRIB);
	return 0;
}

SYSCALL3(fchown, int, fd, uint32_t, uid, uint32_t, gid)
{
	int error;
	struct inode *inode = inode_of_descriptor(fd, &error);
	if (!inode)
		return error;
	error = change_owner(inode, uid, gid);
	inode_put(inode);
	return error;
}

SYSCALL5(fchownat, int, directory_fd, user_addr_t, path, uint32_t, uid, uint32_t, gid, uint32_t,
	 flags)
{
	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	struct inode *inode;
	int error = path_at(directory_fd, path, flags, &inode);
	if (error)
		return error;
	error = change_owner(inode, uid, gid);
	inode_put(inode);
	return error;
}

#define TIME_MAX_S ((int64_t)(INT64_MAX / NSEC_PER_SEC) - 1) /* before or after 1970 */

/* One of utimensat's two times. 0 or -EINVAL. */
static int apply_time(const struct timespec *time, int64_t now_ns, int64_t *field)
{
	if (time->tv_nsec == UTIME_OMIT)
		return 0;
	if (time->tv_nsec == UTIME_NOW) {
		*field = now_ns;
		return 0;
	}
	if (time->tv_nsec < 0 || time->tv_nsec >= (int64_t)NSEC_PER_SEC)
		return -EINVAL;
	int64_t seconds = CLAMP(time->tv_sec, -TIME_MAX_S, TIME_MAX_S);
	*field = seconds * (int64_t)NSEC_PER_SEC + time->tv_nsec;
	return 0;
}

/*
 * utimensat(2): who may write a file may say that he has just done so; other times are the owner's
 * to set.
 */
static int check_times(const struct inode *inode, const struct timespec times[2])
{
	if (times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT)
		return 0;
	if (is_owner(inode))
		return 0;
	if (times[0].tv_nsec == UTIME_NOW && times[1].tv_nsec == UTIME_NOW)
		return may_access(inode, W_OK);
	return -EPERM;
}

static int change_times(struct inode *inode, const struct timespec times[2])
{
	int error = check_change(inode);
	if (!error)
		error = check_times(inode, times);
	if (error)
		return error;
	int64_t now = (int64_t)clock_realtime_ns(), atime = inode->atime_ns,
		mtime = inode->mtime_ns;
	error = apply_time(&times[0], now, &atime);
	if (!error)
		error = apply_time(&times[1], now, &mtime);
	if (error)
		return error;
	inode->atime_ns = atime;
	inode->mtime_ns = mtime;
	inode->ctime_ns = now;
	inotify_inode_event(inode, IN_ATTRIB);
	return 0;
}

SYSCALL4(utimensat, int, directory_fd, user_addr_t, path, user_addr_t, times_at, uint32_t, flags)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (times_at && copy_from_user(times, times_at, sizeof(times)))
		return -EFAULT;
	struct inode *inode;
	int error = 0;
	if (!path) /* futimens(fd) */
		inode = inode_of_descriptor(directory_fd, &error);
	else
		error = path_at(directory_fd, path, flags, &inode);
	if (error)
		return error;
	error = change_times(inode, times);
	inode_put(inode);
	return error;
}

void attribute_syscalls_init(void)
{
	syscall_register(SYS_fchmod, sys_fchmod);
	syscall_register(SYS_fchmodat, sys_fchmodat);
	syscall_register(SYS_fchown, sys_fchown);
	syscall_register(SYS_fchownat, sys_fchownat);
	syscall_register(SYS_utimensat, sys_utimensat);
}
