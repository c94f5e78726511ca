/*
 * What a file's poll method joins, seen from the waiting side: poll and select put a waiter for
 * each list on one semaphore, epoll puts one for each list on the item.
 */
#ifndef KERNEL_EVENT_POLL_H
#define KERNEL_EVENT_POLL_H

#include "kernel/types.h"
#include "kernel/wait.h"

struct file;

struct poll_table {
	/* Called by poll_join; remembers failure itself. */
	void (*join)(struct poll_table *table, struct wait_list *list);
};

/* The last reference to the file goes: no epoll watches it any more. */
void epoll_forget_file(struct file *file);

#endif
