/*
 * The calling process's descriptors, as the system calls about them see them; file.h has what all
 * others need.
 */
#ifndef KERNEL_FS_FD_TABLE_H
#define KERNEL_FS_FD_TABLE_H

#include "kernel/fs/file.h"
#include "kernel/types.h"

#define FD_MAX (1 << 20) /* Linux's default fs.nr_open: no limit can be raised above it */

/* The descriptors that the process may have: RLIMIT_NOFILE. */
int fd_limit(void);

/*
 * Puts `file` at `fd` itself, closing what was there; takes over the caller's reference when it
 * succeeds. -EBADF, -ENOMEM.
 */
int fd_replace(struct file *file, int fd, bool close_on_exec);

int fd_close_on_exec(int fd); /* 0, 1 or -EBADF */
int fd_set_close_on_exec(int fd, bool on);

/* The first descriptor >= fd in use, or -1. */
int fd_next(int fd);

/* Gives the process a table of its own where it shares one. 0 or -ENOMEM. */
int fd_unshare(void);

void fd_syscalls_init(void);

#endif
