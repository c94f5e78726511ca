/*
 * Inodes: what a name in the file system stands for. The file system is in memory and page-backed:
 * a regular file's pages are what read copies, mmap maps and sendfile hands to TCP.
 *
 * Process context. Nothing in here sleeps, and the kernel does not preempt itself: an operation on
 * the tree is atomic because it runs to its end.
 */
#ifndef KERNEL_FS_INODE_H
#define KERNEL_FS_INODE_H

#include "include/uapi/stat.h"
#include "kernel/fs/page_index.h"
#include "kernel/lib/tree.h"
#include "kernel/list.h"
#include "kernel/mm/page.h"
#include "kernel/types.h"

struct directory_entry;
struct directory_sink;
struct file;
struct file_ops;
struct inode;

struct inode_ops {
	/*
	 * Directories that are made up as they are read (/proc/PID): a name's inode with a
	 * reference, or NULL.
	 */
	struct inode *(*lookup)(struct inode *directory, const char *name);
	/*
	 * Feeds the made-up entries, whose positions begin at DIRECTORY_MADE_UP; see directory.h.
	 */
	int (*list)(struct inode *directory, struct file *file, struct directory_sink *sink);

	/*
	 * A symbolic link's target when it is made up (/proc/self/exe). Returns its length or a
	 * negative errno.
	 */
	int64_t (*read_link)(struct inode *link, char *target, size_t size);

	/*
	 * /proc/PID/exe and fd/N lead to an object, not to a name: 0 and the inode with a
	 * reference, -ENOENT, or -EACCES when the process is none of the caller's.
	 */
	int (*follow)(struct inode *link, struct inode **result);

	/* Opening; sets file->ops and file->private. NULL: a regular file or directory. */
	int (*open)(struct inode *inode, struct file *file);

	/* The last reference went: frees `private`. */
	void (*release)(struct inode *inode);
};

/*
 * Also st_dev: names are not linked or moved from one to another. Only the first can be written by
 * processes.
 */
enum filesystem {
	FILESYSTEM_MEMORY = 1,
	FILESYSTEM_PROC,
	FILESYSTEM_PIPE,
	FILESYSTEM_SOCKET, /* open sockets, whose numbers are their stack's */
	FILESYSTEM_PTS,
	FILESYSTEM_SYS,
};

struct inode {
	uint32_t references;
	uint32_t mode; /* S_IFMT and permissions */
	uint32_t uid, gid;
	uint32_t links;
	enum filesystem filesystem;
	uint64_t number;
	uint64_t device; /* st_rdev of character devices */
	uint64_t size;
	int64_t atime_ns, mtime_ns, ctime_ns; /* since 1970, or before it */
	const struct inode_ops *ops;          /* NULL: the in-memory file system's own */
	void *private;

	bool stays; /* though it has no name, it does not go with the processes that use it */
	struct page_index pages; /* regular files; how many are present is st_blocks */

	struct list_head entries; /* directories: struct directory_entry, by position */
	struct tree names;        /* the same by name */
	uint64_t next_position;
	struct list_head watches; /* inotify's */
	struct inode *parent;     /* directories: a reference; the root's is itself, without one */

	struct directory_entry *entry; /* its (latest) name; NULL when it has none */
	char *link_target;             /* symbolic links */
};

/*
 * A new inode with one reference and no name, owned by the calling process; NULL when memory is
 * out.
 */
struct inode *inode_create(enum filesystem filesystem, uint32_t mode);

struct inode *inode_get(struct inode *inode);
void inode_put(struct inode *inode); /* NULL is harmless */

/* Inodes that there are: /proc/sys/fs/inode-nr. */
uint64_t inode_count(void);

/* A number that no other inode, pipe or socket has. */
uint64_t inode_next_number(void);

/* Sets mtime and ctime, or ctime alone, to the present. */
void inode_modified(struct inode *inode);
void inode_changed(struct inode *inode);

/*
 * The page of a regular file at `index`, with a reference; holes are filled. NULL: beyond the end,
 * not a regular file, or no memory.
 */
struct page *inode_page(struct inode *inode, uint64_t index);

/*
 * The same for a process that touches a mapping. A file without a name is its memory (MAP_SHARED |
 * MAP_ANONYMOUS, memfd), of which there may be as much as of any: the caller has seen to that. Not
 * so what stays.
 */
struct page *inode_page_for_fault(struct inode *inode, uint64_t index);

/*
 * A file without a name whose pages these are; it takes references. NULL: no memory. For mmap of
 * memory that somebody else fills.
 */
struct inode *inode_of_pages(struct page *const *pages, uint64_t count);

/*
 * Bytes of a regular file into kernel memory (exec's headers). Returns the bytes read, short at the
 * end.
 */
int64_t inode_read(struct inode *inode, void *to, uint64_t n, uint64_t position);

/* Files, directories and names have all the memory that they may have: -ENOSPC. */
bool file_system_full(void);

/*
 * The page at `index` to be written, without a reference, made if there is none; the file's size is
 * the caller's business. NULL: -ENOSPC.
 */
struct page *inode_page_for_write(struct inode *inode, uint64_t index);

/* The page at `index` without a reference, or NULL for a hole. */
static inline struct page *inode_page_present(const struct inode *inode, uint64_t index)
{
	return page_index_get(&inode->pages, index);
}

#define INODE_SIZE_MAX (1ull << 40) /* bytes of a regular file: beyond it, EFBIG */

/*
 * Before a file grows, and when it has shrunk: the rest of its last page reads as zeroes, whatever
 * a mapping has written there (mmap(2)) or was cut off.
 */
void inode_clear_behind_end(struct inode *inode);

/* Frees what lies beyond the new size, or leaves a hole. 0 or -EFBIG. */
int inode_truncate(struct inode *inode, uint64_t size);

/* Gives pages [first, end) back, so that they read as zeroes. */
void inode_free_pages(struct inode *inode, uint64_t first, uint64_t end);

/*
 * Resolves a path of the calling process; `directory_fd` as openat's. A kernel string. Returns 0
 * and the inode with a reference, or a negative errno.
 */
int path_resolve(int directory_fd, const char *path, bool follow_last_link, struct inode **result);

/* Where stat(2) says that a file is: its inode's, or what Linux says of what has no name. */
enum filesystem file_filesystem(const struct file *file);

/*
 * The absolute path of an inode under the calling process's root, for getcwd and /proc links; "
 * (deleted)" follows where the name is gone. Returns its length or -ENAMETOOLONG.
 */
int64_t inode_path(struct inode *inode, char *path, size_t size);

#endif
