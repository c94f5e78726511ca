/*
 * Pipes and named pipes.
 */
#ifndef KERNEL_FS_PIPE_H
#define KERNEL_FS_PIPE_H

#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"

/* Opening an inode of kind S_IFIFO: sleeps until the other end is opened, as fifo(7) says. */
int pipe_open(struct inode *inode, struct file *file);

/* F_GETPIPE_SZ: bytes it holds, or -EBADF for what is no pipe. The size is fixed. */
int64_t pipe_size(const struct file *file);

void pipe_syscalls_init(void);

#endif
