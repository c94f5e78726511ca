/*
 * A cursor over the memory of a read, write, send or receive: one or more pieces, in the calling
 * process or (for the kernel's own use and on the host) in kernel memory.
 */
#ifndef KERNEL_IOV_H
#define KERNEL_IOV_H

#include "kernel/types.h"

#define IOV_MAX_SEGMENTS 1024 /* Linux's UIO_MAXIOV */

struct iov_segment {
	uint64_t base; /* a user_addr_t, or a kernel pointer */
	uint64_t length;
};

struct iov {
	bool in_kernel;
	struct iov_segment *segments;  /* the current one first */
	uint32_t segment_count;        /* left, with the current one */
	uint64_t offset;               /* into the current one */
	uint64_t remaining;            /* bytes left in all */
	struct iov_segment single;     /* storage for the one-piece case */
	struct iov_segment *allocated; /* to free: iov_from_user's array, or NULL */
};

/* One piece. */
void iov_init_user(struct iov *iov, user_addr_t base, uint64_t length);
void iov_init_kernel(struct iov *iov, void *base, uint64_t length);

/*
 * Reads an array of `count` struct iovec from the process. Returns 0, -EFAULT, -EINVAL (count or
 * total too large) or -ENOMEM. End with iov_release.
 */
int iov_from_user(struct iov *iov, user_addr_t iovec, uint64_t count) __must_check;
void iov_release(struct iov *iov);

/*
 * Moves the cursor by n bytes copied. 0 or -EFAULT; n is at most iov->remaining. Process
 * context.
 */
int iov_copy_from(struct iov *iov, void *to, size_t n) __must_check;       /* memory -> kernel */
int iov_copy_to(struct iov *iov, const void *from, size_t n) __must_check; /* kernel -> memory */
int iov_clear(struct iov *iov, size_t n) __must_check;                     /* zeroes -> memory */
void iov_skip(struct iov *iov, size_t n);

#endif
