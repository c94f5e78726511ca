/*
 * Making names: what open with O_CREAT, mkdir, mknod, symlink, link and bind(AF_UNIX) share.
 */
#ifndef KERNEL_FS_NAMES_H
#define KERNEL_FS_NAMES_H

#include "kernel/fs/path.h"

/*
 * Whether entries may be made in, or taken from, `directory`: 0, -EPERM (in /proc) or -ENOENT (it
 * was removed).
 */
int names_may_change(const struct inode *directory);

/*
 * Makes an inode of `mode` (complete: kind and permissions) where the walk ended without one, and
 * puts it in path->inode. 0, -EEXIST, -ENOENT (also in /proc, where nothing can be made), -EACCES,
 * -ENOSPC.
 */
int name_create(struct path *path, uint32_t mode);

#endif
