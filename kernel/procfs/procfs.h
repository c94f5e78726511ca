/*
 * /proc: each file is registered by the code that serves it.
 *
 * A file's text is made whole when it is opened, and read from that snapshot: a reader sees one
 * moment and never holds anything up. Directories on the way are made as needed.
 */
#ifndef KERNEL_PROCFS_PROCFS_H
#define KERNEL_PROCFS_PROCFS_H

#include "kernel/lib/text.h"
#include "kernel/types.h"

typedef void proc_show(struct text *text, void *context);

/* `path` is below /proc: "net/arp". Process context; 0 or -ENOMEM. */
int proc_register(const char *path, proc_show *show, void *context);

/*
 * A file under /proc/sys whose text is a decimal number and which may be written: `path` is e.g.
 * "sys/net/ipv4/ip_forward". A value outside [min, max] is refused with -EINVAL.
 */
int proc_register_number(const char *path, int32_t *value, int32_t min, int32_t max);

/* The same for numbers in one file, separated by tabs (tcp_rmem). */
int proc_register_numbers(const char *path, int32_t *values, uint32_t count, int32_t min,
			  int32_t max);

/*
 * A writable file with functions of its own. `store` gets the text that was written
 * (NUL-terminated, without the last newline) and returns 0 or a negative errno.
 */
typedef int proc_store(const char *text, void *context);
int proc_register_writable(const char *path, proc_show *show, proc_store *store, void *context);

#endif
