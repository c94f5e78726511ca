/*
 * The front of the file system: what boot and the process code call.
 */
#ifndef KERNEL_FS_FS_H
#define KERNEL_FS_FS_H

#include "kernel/types.h"

struct file;
struct file_table;
struct inode;

/*
 * The empty root with its /dev and the devices that are no hardware's. Boot, with memory and the
 * clock working; before cpio_unpack and before anybody registers a device or a /proc file.
 */
void fs_init(void);
void fs_syscalls_init(void);

/* The root directory; the caller takes a reference of its own. */
struct inode *fs_root(void);

/*
 * A directory in the root, made if it is not there, without a reference. NULL when memory is out.
 * Boot.
 */
struct inode *fs_directory(const char *name);

/*
 * Opens `path` (absolute, a kernel string) as open(2) does. Returns 0 and a file with one
 * reference, or a negative errno.
 */
int file_open(const char *path, uint32_t flags, struct file **result);

/* Opens /dev/console as descriptors 0, 1 and 2 of the table of process 1. 0 or a negative errno. */
int console_open_std(struct file_table *table);

#endif
