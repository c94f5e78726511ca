/*
 * Directories: named entries in a tree, by which a name is found; and in a list, each with a
 * position that never changes, so that a listing which goes on while entries come and go misses
 * none of those that stay.
 */
#ifndef KERNEL_FS_DIRECTORY_H
#define KERNEL_FS_DIRECTORY_H

#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/types.h"

/*
 * Positions in a listing: 0 ".", 1 "..", then the entries, then those that inode_ops->list makes
 * up.
 */
#define DIRECTORY_FIRST_ENTRY 2
#define DIRECTORY_MADE_UP (1ull << 32)

struct directory_entry {
	struct list_head link;    /* directory->entries; an entry made up for /proc is on no list */
	struct tree_node by_name; /* directory->names, likewise */
	struct inode *directory;  /* where it stands; no reference */
	struct inode *inode;      /* a reference */
	uint64_t position;
	char name[];
};

/* Where a listing goes. */
struct directory_sink {
	/* False: full, and the entry was not taken. `next` is the position after it. */
	bool (*add)(struct directory_sink *sink, const char *name, uint64_t inode_number,
		    uint32_t mode, uint64_t next);
};

/* A name's inode with a reference, or NULL. "." and ".." are the path walker's. */
struct inode *directory_lookup(struct inode *directory, const char *name);

/* Adds a name that is not there. Takes a reference of its own; counts the link. 0 or -ENOSPC. */
int directory_add(struct inode *directory, const char *name, struct inode *inode);

/* The entry of `name`, or NULL. */
struct directory_entry *directory_find(struct inode *directory, const char *name);

/* Takes the name away, and with it a link and a reference. */
void directory_remove(struct directory_entry *entry);

/* The name comes to stand for another inode; what it stood for loses it. */
void directory_replace(struct directory_entry *entry, struct inode *inode);

/* Two names change inodes. */
void directory_exchange(struct directory_entry *a, struct directory_entry *b);

bool directory_empty(const struct inode *directory);

/* The directory itself, or a directory above it: what a rename must not move into. */
bool directory_is_within(struct inode *directory, struct inode *above);

/*
 * Gives an inode of a made-up directory its name and place, for inode_path and "..". The inode
 * holds a reference to the directory; both end with the inode. 0 or -ENOMEM.
 */
int directory_name_made_up(struct inode *directory, const char *name, struct inode *inode);

/* Takes that name away again: the inode shows as deleted to those who still have it. */
void directory_unname_made_up(struct inode *inode);

extern const struct file_ops directory_file_ops;

void directory_syscalls_init(void);

#endif
