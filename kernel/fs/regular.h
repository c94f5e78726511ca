/*
 * Open regular files of the in-memory file system.
 */
#ifndef KERNEL_FS_REGULAR_H
#define KERNEL_FS_REGULAR_H

#include "kernel/fs/file.h"

extern const struct file_ops regular_file_ops;

#endif
