/*
 * Advisory locks on regular files: fcntl's record locks, which belong to a descriptor table (so to
 * a process), and those of flock(2) and F_OFD_*, which belong to an open file. All stand in one
 * short list, since few programs hold any.
 */
#ifndef KERNEL_FS_RECORD_LOCK_H
#define KERNEL_FS_RECORD_LOCK_H

#include "kernel/fs/file.h"
#include "kernel/types.h"

/*
 * F_GETLK, F_SETLK, F_SETLKW and their F_OFD_ forms; `argument` leads to a struct flock in the
 * process.
 */
int64_t record_lock_fcntl(struct file *file, int command, user_addr_t argument);

/*
 * One of the table's descriptors of `file` is being closed: the process loses its record locks on
 * that inode.
 */
void record_locks_drop(const struct file_table *table, const struct file *file);

/* The file itself goes: its flock and F_OFD_ locks end. */
void file_locks_drop(const struct file *file);

void lock_syscalls_init(void);

#endif
