/*
 * What the files that serve the system calls of sockets share among themselves. Process context, no
 * lock held.
 */
#ifndef NET_CORE_SOCKET_CALL_H
#define NET_CORE_SOCKET_CALL_H

#include "net/core/socket.h"

/*
 * A system call at work on a descriptor: holds the file, so that a close elsewhere does not free
 * it.
 */
struct socket_call {
	struct file *file;
	struct socket *socket;
};

/* 0, -EBADF or -ENOTSOCK. */
int64_t socket_call_begin(struct socket_call *call, int fd) __must_check;

/* Gives the file back; returns `result`. */
int64_t socket_call_end(struct socket_call *call, int64_t result);

/* 0, -EINVAL (longer than any address) or -EFAULT. */
int socket_name_from_user(struct sockaddr_storage *name, user_addr_t from,
			  uint32_t length) __must_check;

/*
 * As much as the socklen_t at `length_at` leaves room for; the full length goes there. 0, -EINVAL
 * or -EFAULT.
 */
int socket_name_to_user(const struct sockaddr_storage *name, uint32_t length, user_addr_t to,
			user_addr_t length_at) __must_check;

/* Registers sendto, recvfrom, sendmsg, recvmsg, sendmmsg, recvmmsg. */
void socket_transfer_init(void);

#endif
