/*
 * Signal-driven input and output, fcntl(2) with O_ASYNC: whenever a file may have become ready, its
 * owner (F_SETOWN) gets SIGIO.
 */
#ifndef KERNEL_EVENT_ASYNC_H
#define KERNEL_EVENT_ASYNC_H

#include "kernel/types.h"

struct file;

/*
 * Begins to watch the file, or ends it; the last file_put ends it too. Files that are always ready
 * tell nothing. 0 or -ENOMEM. Process context.
 */
int async_watch(struct file *file, bool on);

#endif
