/*
 * What packetdrill asks of a stack that is built as a shared object: one function, which fills a
 * table of functions. docs/host.md says how the tool is told of ours.
 *
 * `userdata` comes first in each; the rest, and what is returned, is as in the C library: -1 and
 * errno on error. Structures and constants are the C library's of this machine.
 *
 * The thread that calls packetdrill_interface_init is the one that moves the clock: it makes the
 * calls that do not block, and all of netdev_*, usleep and gettimeofday. Another thread makes those
 * that block; they sleep until the first one has brought about what they wait for.
 */
#ifndef TEST_HOST_PACKETDRILL_INTERFACE_H
#define TEST_HOST_PACKETDRILL_INTERFACE_H

#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

struct packetdrill_interface {
	void *userdata;
	void (*free)(void *userdata);

	int (*socket)(void *userdata, int domain, int type, int protocol);
	int (*bind)(void *userdata, int fd, const struct sockaddr *name, socklen_t length);
	int (*listen)(void *userdata, int fd, int backlog);
	int (*accept)(void *userdata, int fd, struct sockaddr *name, socklen_t *length);
	int (*connect)(void *userdata, int fd, const struct sockaddr *name, socklen_t length);

	ssize_t (*read)(void *userdata, int fd, void *to, size_t n);
	ssize_t (*readv)(void *userdata, int fd, const struct iovec *vectors, int count);
	ssize_t (*recv)(void *userdata, int fd, void *to, size_t n, int flags);
	ssize_t (*recvfrom)(void *userdata, int fd, void *to, size_t n, int flags,
			    struct sockaddr *name, socklen_t *length);
	ssize_t (*recvmsg)(void *userdata, int fd, struct msghdr *message, int flags);

	ssize_t (*write)(void *userdata, int fd, const void *from, size_t n);
	ssize_t (*writev)(void *userdata, int fd, const struct iovec *vectors, int count);
	ssize_t (*send)(void *userdata, int fd, const void *from, size_t n, int flags);
	ssize_t (*sendto)(void *userdata, int fd, const void *from, size_t n, int flags,
			  const struct sockaddr *name, socklen_t length);
	ssize_t (*sendmsg)(void *userdata, int fd, const struct msghdr *message, int flags);

	int (*fcntl)(void *userdata, int fd, int command, ...);
	int (*ioctl)(void *userdata, int fd, unsigned long request, ...);

	int (*close)(void *userdata, int fd);
	int (*shutdown)(void *userdata, int fd, int how);
	int (*getsockopt)(void *userdata, int fd, int level, int option, void *value,
			  socklen_t *length);
	int (*setsockopt)(void *userdata, int fd, int level, int option, const void *value,
			  socklen_t length);
	int (*poll)(void *userdata, struct pollfd *fds, nfds_t count, int timeout_ms);

	/* A raw IP packet, without a link header, arrives at the stack. */
	int (*netdev_send)(void *userdata, const void *packet, size_t count);
	/*
	 * The next packet that leaves the stack, and when it did, in microseconds. *count is the
	 * room on entry, and the packet's length on return; 0: nothing will be sent unless
	 * something else happens first. The clock jumps to the moment.
	 */
	int (*netdev_receive)(void *userdata, void *packet, size_t *count, long long *time_us);

	int (*usleep)(void *userdata, useconds_t us);
	int (*gettimeofday)(void *userdata, struct timeval *time, struct timezone *zone);

	int (*epoll_create)(void *userdata, int size);
	int (*epoll_ctl)(void *userdata, int epoll_fd, int operation, int fd,
			 struct epoll_event *event);
	int (*epoll_wait)(void *userdata, int epoll_fd, struct epoll_event *events, int max,
			  int timeout_ms);
	int (*pipe)(void *userdata, int fds[2]);
	int (*splice)(void *userdata, int from, loff_t *from_offset, int to, loff_t *to_offset,
		      size_t n, unsigned int flags);
};

/*
 * `flags`: words separated by spaces, each of which may be left out.
 *
 *	local=ADDR/LEN   the stack's address; 192.168.0.1/16
 *	gateway=ADDR     where everything else is; 192.168.0.2
 *	mtu=N            bytes; 1500
 *	seed=N           of the stack's random numbers; 1
 *	NAME=VALUE       a tunable by its name under /proc/sys: net.ipv4.tcp_rmem=4096,65536,99999
 *
 * What cannot be understood is told on stderr and ends the program. One instance at a time: `free`
 * comes before the next.
 */
typedef void packetdrill_interface_init_function(const char *flags,
						 struct packetdrill_interface *out);
packetdrill_interface_init_function packetdrill_interface_init;

#endif
