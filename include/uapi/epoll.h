/*
 * epoll(7). The events are poll's (poll.h), with flags in the upper bits.
 */
#ifndef UAPI_EPOLL_H
#define UAPI_EPOLL_H

#include <stdint.h>

#define EPOLL_CLOEXEC 02000000

#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3

#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP (1u << 29)
#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)

/* Not packed on arm64. */
struct epoll_event {
	uint32_t events;
	uint64_t data; /* the program's own */
};
_Static_assert(sizeof(struct epoll_event) == 16, "struct epoll_event");

#endif
