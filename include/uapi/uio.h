/*
 * readv(2), writev(2): one piece of scattered memory; the flags of preadv2(2), pwritev2(2).
 */
#ifndef UAPI_UIO_H
#define UAPI_UIO_H

#include <stdint.h>

struct iovec {
	uint64_t iov_base; /* an address in the process */
	uint64_t iov_len;
};

#define RWF_HIPRI 0x01
#define RWF_DSYNC 0x02
#define RWF_SYNC 0x04
#define RWF_NOWAIT 0x08
#define RWF_APPEND 0x10

#endif
