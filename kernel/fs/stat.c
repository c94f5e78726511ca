/*
 * stat(2), statx(2), statfs(2), access(2): what is known about a file.
 */
#include "include/uapi/fcntl.h"
#include "include/uapi/statfs.h"
#include "kernel/errno.h"
#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/path.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/syscalls.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/user.h"

/* Rounded down, so that the nanoseconds are never negative. */
static int64_t whole_seconds(int64_t ns)
{
	int64_t seconds = ns / (int64_t)NSEC_PER_SEC;
	return ns % (int64_t)NSEC_PER_SEC < 0 ? seconds - 1 : seconds;
}

static uint64_t nanoseconds(int64_t ns)
{
	return (uint64_t)(ns - whole_seconds(ns) * (int64_t)NSEC_PER_SEC);
}

static void stat_inode(const struct inode *inode, struct stat *stat)
{
	*stat = (struct stat){
		.st_dev = inode->filesystem,
		.st_ino = inode->number,
		.st_mode = inode->mode,
		.st_nlink = inode->links,
		.st_uid = inode->uid,
		.st_gid = inode->gid,
		.st_rdev = inode->device,
		.st_size = (int64_t)inode->size,
		.st_blksize = PAGE_SIZE,
		.st_blocks = (int64_t)(inode->pages.count * (PAGE_SIZE / 512)),
		.st_atime = whole_seconds(inode->atime_ns),
		.st_atime_nsec = nanoseconds(inode->atime_ns),
		.st_mtime = whole_seconds(inode->mtime_ns),
		.st_mtime_nsec = nanoseconds(inode->mtime_ns),
		.st_ctime = whole_seconds(inode->ctime_ns),
		.st_ctime_nsec = nanoseconds(inode->ctime_ns),
	};
}

static void stat_file(const struct file *file, struct stat *stat)
{
	if (file->inode) {
		stat_inode(file->inode, stat);
		return;
	}
	*stat = (struct stat){
		.st_dev = file_filesystem(file),
		.st_ino = file->number,
		.st_mode = file->ops->mode | file->mode,
		.st_nlink = 1,
		.st_blksize = PAGE_SIZE,
	};
}

static int stat_fd(int fd, struct stat *stat)
{
	struct file *file = fd_get_path(fd);
	if (!file)
		return -EBADF;
	stat_file(file, stat);
	file_put(file);
	return 0;
}

/*
 * A path, or with AT_EMPTY_PATH and "" the descriptor. A NULL path counts as "" there, as in newer
 * Linux.
 */
static int stat_at(int directory_fd, user_addr_t path, uint32_t flags, struct stat *stat)
{
	char first = '\0';
	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	if ((flags & AT_EMPTY_PATH) && directory_fd >= 0) {
		if (path && copy_from_user(&first, path, 1))
			return -EFAULT;
		if (first == '\0')
			return stat_fd(directory_fd, stat);
	}
	struct inode *inode;
	int error = path_at(directory_fd, path, flags, &inode);
	if (error)
		return error;
	stat_inode(inode, stat);
	inode_put(inode);
	return 0;
}

SYSCALL4(newfstatat, int, directory_fd, user_addr_t, path, user_addr_t, to, uint32_t, flags)
{
	struct stat stat;
	int error = stat_at(directory_fd, path, flags, &stat);
	return error ? error : copy_to_user(to, &stat, sizeof(stat));
}

SYSCALL2(fstat, int, fd, user_addr_t, to)
{
	struct stat stat;
	int error = stat_fd(fd, &stat);
	return error ? error : copy_to_user(to, &stat, sizeof(stat));
}

SYSCALL5(statx, int, directory_fd, user_addr_t, path, uint32_t, flags, uint32_t, mask, user_addr_t,
	 to)
{
	if ((mask & STATX_RESERVED) || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	struct stat stat;
	int error = stat_at(directory_fd, path, flags & ~(uint32_t)AT_STATX_SYNC_TYPE, &stat);
	if (error)
		return error;
	struct statx statx = {
		.stx_mask = STATX_BASIC_STATS,
		.stx_blksize = (uint32_t)stat.st_blksize,
		.stx_nlink = stat.st_nlink,
		.stx_uid = stat.st_uid,
		.stx_gid = stat.st_gid,
		.stx_mode = (uint16_t)stat.st_mode,
		.stx_ino = stat.st_ino,
		.stx_size = (uint64_t)stat.st_size,
		.stx_blocks = (uint64_t)stat.st_blocks,
		.stx_atime = {.tv_sec = stat.st_atime, .tv_nsec = (uint32_t)stat.st_atime_nsec},
		.stx_mtime = {.tv_sec = stat.st_mtime, .tv_nsec = (uint32_t)stat.st_mtime_nsec},
		.stx_ctime = {.tv_sec = stat.st_ctime, .tv_nsec = (uint32_t)stat.st_ctime_nsec},
		.stx_rdev_major = (uint32_t)(stat.st_rdev >> 8) & 0xfff,
		.stx_rdev_minor = (uint32_t)((stat.st_rdev & 0xff) |
					     ((stat.st_rdev >> 12) & 0xfff00)),
		.stx_dev_minor = (uint32_t)stat.st_dev,
	};
	return copy_to_user(to, &statx, sizeof(statx));
}

static void statfs_filesystem(enum filesystem filesystem, struct statfs *statfs)
{
	static const int64_t types[] = {
		[FILESYSTEM_MEMORY] = TMPFS_MAGIC,     [FILESYSTEM_PROC] = PROC_SUPER_MAGIC,
		[FILESYSTEM_PIPE] = PIPEFS_MAGIC,      [FILESYSTEM_SOCKET] = SOCKFS_MAGIC,
		[FILESYSTEM_PTS] = DEVPTS_SUPER_MAGIC, [FILESYSTEM_SYS] = SYSFS_MAGIC,
	};
	*statfs = (struct statfs){
		.f_type = types[filesystem],
		.f_bsize = PAGE_SIZE,
		.f_frsize = PAGE_SIZE,
		.f_fsid = {(int32_t)filesystem, 0},
		.f_namelen = NAME_MAX,
		.f_flags = ST_VALID,
	};
	if (filesystem != FILESYSTEM_MEMORY)
		return;
	struct page_statistics memory = page_statistics();
	statfs->f_blocks = memory.total;
	statfs->f_bfree = statfs->f_bavail = memory.free;
	/* An inode costs some hundred bytes, so memory would hold about eight in a page. */
	statfs->f_files = memory.total * 8;
	statfs->f_ffree = memory.free * 8;
}

static int64_t statfs_to_user(enum filesystem filesystem, user_addr_t to)
{
	struct statfs statfs;
	statfs_filesystem(filesystem, &statfs);
	return copy_to_user(to, &statfs, sizeof(statfs));
}

SYSCALL2(statfs, user_addr_t, path, user_addr_t, to)
{
	struct inode *inode;
	int error = path_at(AT_FDCWD, path, 0, &inode);
	if (error)
		return error;
	int64_t result = statfs_to_user(inode->filesystem, to);
	inode_put(inode);
	return result;
}

SYSCALL2(fstatfs, int, fd, user_addr_t, to)
{
	struct file *file = fd_get_path(fd);
	if (!file)
		return -EBADF;
	int64_t result = statfs_to_user(file_filesystem(file), to);
	file_put(file);
	return result;
}

/* By the real ids, unless AT_EACCESS asks for what an open would find. */
SYSCALL4(faccessat2, int, directory_fd, user_addr_t, path, uint32_t, mode, uint32_t, flags)
{
	if ((mode & ~(uint32_t)(R_OK | W_OK | X_OK)) ||
	    (flags & ~(uint32_t)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	struct subject subject = flags & AT_EACCESS ? subject_acting() : subject_real();
	struct inode *inode;
	int error = path_at_as(&subject, directory_fd, path, flags, &inode);
	if (error)
		return error;
	error = subject_may(&subject, inode, mode);
	inode_put(inode);
	return error;
}

SYSCALL3(faccessat, int, directory_fd, user_addr_t, path, uint32_t, mode)
{
	return call_faccessat2(directory_fd, path, mode, 0);
}

void stat_syscalls_init(void)
{
	syscall_register(SYS_newfstatat, sys_newfstatat);
	syscall_register(SYS_fstat, sys_fstat);
	syscall_register(SYS_statx, sys_statx);
	syscall_register(SYS_statfs, sys_statfs);
	syscall_register(SYS_fstatfs, sys_fstatfs);
	syscall_register(SYS_faccessat, sys_faccessat);
	syscall_register(SYS_faccessat2, sys_faccessat2);
}
