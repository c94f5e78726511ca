/*
 * Telling watchers what happens to files: inotify(7). Process context.
 *
 * A watch holds no reference to its inode: it ends with the inode. What an event on a file means
 * for those who watch its directory is found by the file's (latest) name; a file that has lost its
 * name tells its directory nothing more.
 */
#ifndef KERNEL_EVENT_INOTIFY_H
#define KERNEL_EVENT_INOTIFY_H

#include "include/uapi/inotify.h"
#include "kernel/fs/inode.h"

/*
 * Something happened to the inode: its own watches hear of it, and its directory's with its name.
 */
void inotify_inode_event(struct inode *inode, uint32_t mask);

/* A name came or went, or its inode was moved: the directory's watches hear of it. */
void inotify_name_event(struct inode *directory, const char *name, const struct inode *inode,
			uint32_t mask, uint32_t cookie);

/* Only the inode's own watches: IN_MOVE_SELF. */
void inotify_self_event(struct inode *inode, uint32_t mask);

/* Ties the two halves of a move together. */
uint32_t inotify_next_cookie(void);

/* The inode ends, and its watches with it. */
void inotify_inode_ends(struct inode *inode);

#endif
