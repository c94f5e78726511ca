/*
 * Open files: what a descriptor names, and the table of descriptors of a process.
 *
 * A `struct file` is reference-counted: the descriptor table holds one reference for each
 * descriptor, and a system call holds one while it works on it, so that a close in another thread
 * never frees a file in use. Each kind of file (regular, pipe, socket, terminal, device, /proc)
 * is a `struct file_ops`; a NULL method answers what Linux answers: EINVAL for read and write,
 * ENOTTY for ioctl, ESPIPE for seek, always ready for poll, ENODEV for mmap.
 *
 * All of it is process context.
 */
#ifndef KERNEL_FS_FILE_H
#define KERNEL_FS_FILE_H

#include "kernel/iov.h"
#include "kernel/list.h"
#include "kernel/types.h"
#include "kernel/wait.h"

struct inode;
struct file;
struct page;
struct async;
struct poll_table;
struct directory_sink;

struct file_ops {
	/*
	 * Read to, or write from, `iov`, at *position, which is moved (pipes, sockets and terminals
	 * ignore it). Return the bytes moved or a negative errno. They sleep unless the file has
	 * O_NONBLOCK, and then answer -EAGAIN.
	 */
	int64_t (*read)(struct file *file, struct iov *iov, uint64_t *position);
	int64_t (*write)(struct file *file, struct iov *iov, uint64_t *position);

	/*
	 * Writes part of a page, which may be kept and sent as it stands instead of a copy; the
	 * caller's reference. `more` follows at once. NULL: write does it.
	 */
	int64_t (*write_page)(struct file *file, struct page *page, uint32_t offset,
			      uint32_t length, bool more);

	/*
	 * Returns POLL* events that hold now, after joining (poll_join) the lists that tell of
	 * changes.
	 */
	uint32_t (*poll)(struct file *file, struct poll_table *table);

	int64_t (*ioctl)(struct file *file, uint32_t command, uint64_t argument);
	/*
	 * mmap, from offset 0, of a file that is no regular one: an inode whose pages are its
	 * memory, with a reference. 0, -ENODEV, -EINVAL.
	 */
	int (*memory)(struct file *file, uint64_t length, struct inode **result);
	int64_t (*seek)(struct file *file, int64_t offset, int whence);

	/* Feeds directory entries from file->position on to `sink` until it is full. */
	int (*list)(struct file *file, struct directory_sink *sink);

	/*
	 * Bytes that wait in it and would be free if it went: what a process that holds it is
	 * charged when memory is out. NULL: none to speak of.
	 */
	uint64_t (*held)(const struct file *file);

	/*
	 * A descriptor of it is being closed, and still holds its reference. NULL: only the last
	 * one matters.
	 */
	void (*descriptor_closed)(struct file *file);

	/* The last reference went. */
	void (*release)(struct file *file);

	/*
	 * What fstat says of a file without an inode (S_IFSOCK...; 0: S_IFREG), and /proc/PID/fd/N:
	 * "kind:[number]".
	 */
	uint32_t mode;
	const char *kind;
};

struct file {
	uint32_t references;
	uint32_t flags; /* O_ACCMODE, O_APPEND, O_NONBLOCK, O_DIRECTORY, O_PATH... */
	uint64_t position;
	const struct file_ops *ops;
	struct inode *inode; /* a reference; NULL for what has no name: sockets, epoll */
	uint64_t number;     /* st_ino where there is no inode: unique, given by file_create */
	uint32_t mode;       /* and its permissions: 0777, or what fchmod made of a socket's */
	void *private;       /* the kind's own */
	int32_t owner_pid;   /* F_SETOWN: who gets SIGURG and SIGIO; 0: nobody */
	struct async *async; /* O_ASYNC: who tells the owner; NULL: nobody */
	struct list_head epoll_items; /* of the epolls that watch it */
};

/*
 * A file of a kind of its own, with one reference, or NULL. `flags`: O_ACCMODE, O_NONBLOCK... Takes
 * over no reference to anything. The last file_put calls ops->release, then gives up file->inode.
 */
struct file *file_create(const struct file_ops *ops, void *private, uint32_t flags);

/* Files that there are, open or passed around: /proc/sys/fs/file-nr. */
uint64_t file_count(void);

struct file *file_get(struct file *file);
void file_put(struct file *file); /* NULL is harmless */

/*
 * The calling process's file at `fd` with a reference for the caller, or NULL (-EBADF). A file
 * opened with O_PATH only names an inode: fd_get does not find it, fd_get_path does.
 */
struct file *fd_get(int fd);
struct file *fd_get_path(int fd);

/*
 * Puts `file` at the lowest free descriptor >= `lowest`, and takes over the caller's reference when
 * it succeeds. Returns the descriptor or -EMFILE/-ENOMEM.
 */
int fd_install(struct file *file, int lowest, bool close_on_exec);

/*
 * Whether there is a descriptor left: for who asks before it does what cannot be undone. False:
 * -EMFILE.
 */
bool fd_available(void);

int fd_close(int fd); /* 0 or -EBADF */

/* The descriptor tables themselves: what clone, exec and exit do with them. */
struct file_table;
struct file_table *file_table_create(void);
struct file_table *file_table_get(struct file_table *table);  /* CLONE_FILES */
struct file_table *file_table_copy(struct file_table *table); /* fork */
void file_table_put(struct file_table *table);
void file_table_close_on_exec(struct file_table *table);

/*
 * poll, select, epoll: `events` wanted is for the kind to use as a hint. A NULL table asks only for
 * the present state. poll_join may be called once for each list that the file has.
 */
void poll_join(struct poll_table *table, struct wait_list *list);

/* True when the file's flags say that it must not sleep. */
bool file_nonblocking(const struct file *file);

/*
 * Reading and writing as the system calls do: -EBADF when the file was not opened for it.
 * `position` is the file's own or the caller's.
 */
int64_t file_read(struct file *file, struct iov *iov, uint64_t *position);
int64_t file_write(struct file *file, struct iov *iov, uint64_t *position);

/* The `seek` of what has no end to seek from: SEEK_SET and SEEK_CUR. */
int64_t file_seek_plainly(struct file *file, int64_t offset, int whence);

/*
 * The events that hold now; a kind without a poll method is always ready for reading and writing.
 */
uint32_t file_poll(struct file *file, struct poll_table *table);

/*
 * For fs/ and /proc/PID: the file at `fd` of any table with a reference, or NULL; whether one of
 * its descriptors is of `file`; the first descriptor >= `fd` in use, or -1.
 */
struct file *file_table_file(struct file_table *table, int fd);
bool file_table_has(const struct file_table *table, const struct file *file);
int file_table_next(struct file_table *table, int fd);

/* As fd_install, in any table: what gives process 1 its standard descriptors. */
int file_table_install(struct file_table *table, struct file *file, int lowest, bool close_on_exec);

#endif
