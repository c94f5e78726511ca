/*
 * poll(2): what may hold of a descriptor. epoll uses the same bits.
 */
#ifndef UAPI_POLL_H
#define UAPI_POLL_H

#include <stdint.h>

#define POLLIN 0x0001
#define POLLPRI 0x0002
#define POLLOUT 0x0004
#define POLLERR 0x0008  /* always reported */
#define POLLHUP 0x0010  /* always reported */
#define POLLNVAL 0x0020 /* always reported: no such descriptor */
#define POLLRDNORM 0x0040
#define POLLRDBAND 0x0080
#define POLLWRNORM 0x0100
#define POLLWRBAND 0x0200
#define POLLMSG 0x0400
#define POLLRDHUP 0x2000

struct pollfd {
	int32_t fd; /* negative: skipped */
	int16_t events;
	int16_t revents;
};

#endif
