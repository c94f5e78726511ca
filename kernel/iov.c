#include "kernel/iov.h"

#include "include/uapi/uio.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "kernel/user.h"

/* Linux's MAX_RW_COUNT: no call moves more, so that every count fits an int. */
#define TRANSFER_MAX 0x7ffff000ull

static void init_single(struct iov *iov, uint64_t base, uint64_t length)
{
	iov->single = (struct iov_segment){.base = base, .length = length};
	iov->segments = &iov->single;
	iov->segment_count = 1;
	iov->offset = 0;
	iov->remaining = length;
	iov->allocated = NULL;
}

void iov_init_user(struct iov *iov, user_addr_t base, uint64_t length)
{
	iov->in_kernel = false;
	init_single(iov, base, MIN(length, TRANSFER_MAX));
}

void iov_init_kernel(struct iov *iov, void *base, uint64_t length)
{
	iov->in_kernel = true;
	init_single(iov, (uint64_t)(uintptr_t)base, length);
}

/*
 * Turns struct iovec, as read from the process, into segments; shortens what exceeds TRANSFER_MAX.
 */
static int fill_segments(struct iov *iov, const struct iovec *vectors, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t length = vectors[i].iov_len;
		if (length > (uint64_t)INT64_MAX)
			return -EINVAL;
		length = MIN(length, TRANSFER_MAX - iov->remaining);
		iov->segments[i].base = vectors[i].iov_base;
		iov->segments[i].length = length;
		iov->remaining += length;
	}
	return 0;
}

int iov_from_user(struct iov *iov, user_addr_t iovec, uint64_t count)
{
	if (count > IOV_MAX_SEGMENTS)
		return -EINVAL;
	iov_init_user(iov, 0, 0);
	if (count == 0)
		return 0;

	/* The two structures have one layout, so the array is converted where it lies. */
	_Static_assert(sizeof(struct iovec) == sizeof(struct iov_segment), "same size");
	size_t size = count * sizeof(struct iovec);
	struct iovec *vectors = kmalloc(size);
	if (!vectors)
		return -ENOMEM;
	iov->allocated = (struct iov_segment *)vectors;
	iov->segments = iov->allocated;
	iov->segment_count = (uint32_t)count;

	int error = copy_from_user(vectors, iovec, size);
	if (!error)
		error = fill_segments(iov, vectors, count);
	if (error)
		iov_release(iov);
	return error;
}

void iov_release(struct iov *iov)
{
	kfree(iov->allocated);
	iov->allocated = NULL;
	iov->remaining = 0;
}

/* Bytes that lie together at the cursor, at most n. Passes over segments that are used up. */
static size_t contiguous(struct iov *iov, size_t n, uint64_t *address)
{
	while (iov->offset == iov->segments->length && iov->segment_count > 1) {
		iov->segments++;
		iov->segment_count--;
		iov->offset = 0;
	}
	*address = iov->segments->base + iov->offset;
	return MIN(n, iov->segments->length - iov->offset);
}

static void advance(struct iov *iov, size_t n)
{
	iov->offset += n;
	iov->remaining -= n;
}

static void *kernel_pointer(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

int iov_copy_from(struct iov *iov, void *to, size_t n)
{
	uint8_t *bytes = to;
	while (n > 0) {
		uint64_t address;
		size_t part = contiguous(iov, n, &address);
		if (iov->in_kernel)
			memcpy(bytes, kernel_pointer(address), part);
		else if (copy_from_user(bytes, address, part))
			return -EFAULT;
		advance(iov, part);
		bytes += part;
		n -= part;
	}
	return 0;
}

int iov_copy_to(struct iov *iov, const void *from, size_t n)
{
	const uint8_t *bytes = from;
	while (n > 0) {
		uint64_t address;
		size_t part = contiguous(iov, n, &address);
		if (iov->in_kernel)
			memcpy(kernel_pointer(address), bytes, part);
		else if (copy_to_user(address, bytes, part))
			return -EFAULT;
		advance(iov, part);
		bytes += part;
		n -= part;
	}
	return 0;
}

int iov_clear(struct iov *iov, size_t n)
{
	while (n > 0) {
		uint64_t address;
		size_t part = contiguous(iov, n, &address);
		if (iov->in_kernel)
			memset(kernel_pointer(address), 0, part);
		else if (clear_user(address, part))
			return -EFAULT;
		advance(iov, part);
		n -= part;
	}
	return 0;
}

void iov_skip(struct iov *iov, size_t n)
{
	while (n > 0) {
		uint64_t address;
		size_t part = contiguous(iov, n, &address);
		advance(iov, part);
		n -= part;
	}
}
