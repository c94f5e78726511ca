/*
 * readv(2), writev(2): one piece of scattered memory.
 */
#ifndef UAPI_UIO_H
#define UAPI_UIO_H

#include <stdint.h>

struct iovec {
	uint64_t iov_base; /* an address in the process */
	uint64_t iov_len;
};

#endif
