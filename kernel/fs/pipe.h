/*
 * Pipes and named pipes.
 */
#ifndef KERNEL_FS_PIPE_H
#define KERNEL_FS_PIPE_H

#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/mm/page.h"

#define PIPE_SIZE_MAX (16 * PAGE_SIZE) /* bytes that a pipe may hold, and at first does */

/* Opening an inode of kind S_IFIFO: sleeps until the other end is opened, as fifo(7) says. */
int pipe_open(struct inode *inode, struct file *file);

/* F_GETPIPE_SZ: bytes it holds, or -EBADF for what is no pipe. */
int64_t pipe_size(const struct file *file);
/*
 * F_SETPIPE_SZ: makes it hold `least` bytes or more. The new size, -EBADF, -EPERM: more than any
 * holds, or -EBUSY: more wait in it.
 */
int64_t pipe_resize(struct file *file, uint32_t least);

/*
 * For splice(2), on an end of a pipe that was opened for it. They sleep until there are bytes or
 * room, unless `nonblock`. Answer how many bytes, or a negative errno.
 */
struct pipe_bytes {
	struct page *page; /* the caller's reference */
	uint32_t offset, length;
	uint64_t waiting; /* in the pipe, these among them */
	uint64_t at;      /* where in the stream */
};
/* The first bytes that wait, in one page; they stay in the pipe. 0: all writers are gone. */
int64_t pipe_peek(struct file *file, bool nonblock, struct pipe_bytes *bytes);
/* Takes `n` of them out, unless somebody else did meanwhile; gives the page back. */
void pipe_take_peeked(struct file *file, struct pipe_bytes *bytes, uint64_t n);
/* How many bytes fit. -EPIPE, and SIGPIPE, when nobody reads. */
int64_t pipe_wait_room(struct file *file, bool nonblock);

/*
 * tee(2): copies up to `n` of the bytes that wait in one pipe into another, which stay where they
 * are. How many, 0 when there are none, or -ENOMEM. Does not sleep.
 */
int64_t pipe_copy(struct file *from, struct file *to, uint64_t n);

void pipe_syscalls_init(void);
void splice_syscalls_init(void);
void tee_syscalls_init(void);

#endif
