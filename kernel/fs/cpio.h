/*
 * The initramfs: archives in the "newc" cpio format, one after the other, with zero bytes between
 * them.
 */
#ifndef KERNEL_FS_CPIO_H
#define KERNEL_FS_CPIO_H

#include "kernel/types.h"

/* One member of an archive. Pointers lead into the archive; `name` ends with NUL inside it. */
struct cpio_member {
	const char *name;
	uint32_t mode, uid, gid, links;
	uint64_t inode_number; /* members with one number and several links are one file */
	uint64_t mtime;        /* seconds since 1970 */
	uint32_t device_major, device_minor; /* of a device node */
	const uint8_t *data;
	uint64_t size;
};

enum cpio_result {
	CPIO_MEMBER,  /* *member is filled in, *offset moved behind it */
	CPIO_END,     /* nothing but zeroes up to the end */
	CPIO_INVALID, /* *reason says why, *offset where */
};

/*
 * Parses the member at *offset of `archive`; a trailer is skipped with the zeroes behind it, so
 * that archives may be concatenated. Touches only [archive, archive + size). Pure.
 */
enum cpio_result cpio_next(const uint8_t *archive, uint64_t size, uint64_t *offset,
			   struct cpio_member *member, const char **reason);

/*
 * Unpacks into the root directory; what is there already is replaced. Logs what is wrong. Boot; 0
 * or a negative errno.
 */
int cpio_unpack(const void *archive, uint64_t size);

#endif
