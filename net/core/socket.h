/*
 * Sockets: what every family and type shares. A kind of socket (UDP, raw IPv4, ICMP datagram,
 * packet) embeds `struct socket` first and is a table of functions, struct socket_ops.
 *
 * The calls below are those of socket(2) and its kin on kernel memory: the system calls
 * (net/core/socket_syscalls.c) and the host library stand on them. They answer the errno of Linux's
 * manual pages, in process context, without the net lock, and they sleep unless told not to.
 *
 * Reference counting: the file holds one; the packets charged to the socket (skb_set_owner) hold
 * one together; a lookup that leaves the net lock takes one. socket_close detaches it from its
 * protocol at once.
 */
#ifndef NET_CORE_SOCKET_H
#define NET_CORE_SOCKET_H

#include "include/uapi/poll.h"
#include "include/uapi/socket.h"
#include "kernel/errno.h"
#include "kernel/iov.h"
#include "kernel/list.h"
#include "kernel/wait.h"
#include "net/core/addr.h"
#include "net/core/net.h"
#include "net/core/skbuff.h"

struct file;
struct poll_table;
struct socket;
struct socket_filter;

/* What sendmsg and recvmsg carry. All in kernel memory except what `iov` says. */
struct message {
	uint32_t name_length; /* send: 0 for none; receive: 0 when there is none to tell */
	struct iov iov;
	/*
	 * sendfile: `iov` describes part of this page, from page_offset on, which may be queued
	 * instead of a copy; NULL otherwise. The caller's reference.
	 */
	struct page *page;
	uint32_t page_offset;
	const void *control; /* send: ancillary data, whole; NULL for none */
	size_t control_length;
	void *control_to;    /* receive: where ancillary data goes, or NULL */
	size_t control_room; /* receive: MSG_CTRUNC in flags_out when it does not suffice */
	size_t control_used;
	uint32_t flags;     /* MSG_* asked for */
	uint32_t flags_out; /* receive: MSG_TRUNC, MSG_CTRUNC, MSG_ERRQUEUE */
	/* The first name_length bytes count. Send: destination; receive: filled with the source. */
	struct sockaddr_storage name;
};

/* A message without name, bytes and ancillary data. */
static inline void message_init(struct message *message, uint32_t flags)
{
	__builtin_memset(message, 0, offsetof(struct message, name));
	message->flags = flags;
}

/* Appends one cmsg with the ABI's alignment; sets MSG_CTRUNC when it does not fit. */
void message_put_control(struct message *message, int level, int type, const void *data,
			 size_t length);

/*
 * Walks the ancillary data of a message to be sent: the header behind `previous` (NULL: the first),
 * or NULL at the end. *error is -EINVAL when a header does not fit in the data, else 0. The data
 * stands at CMSG_DATA of the header, checked to be all there.
 */
const struct cmsghdr *message_next_control(const struct message *message,
					   const struct cmsghdr *previous, int *error);
#define CMSG_DATA(header) ((const void *)((const struct cmsghdr *)(header) + 1))

struct socket_ops {
	size_t size; /* of the structure that embeds struct socket */

	/* Ready to use, unbound. 0 or a negative errno. Needs the net lock. */
	int (*open)(struct socket *socket);
	/* Off every table; the queues are emptied by the caller. Needs the net lock. */
	void (*close)(struct socket *socket);
	/*
	 * After `close` and after a descriptor of the socket was closed, which others may share.
	 * Gives up what cannot be given up under the net lock. NULL: nothing. Without the net lock.
	 */
	void (*closed)(struct socket *socket);
	void (*descriptor_closed)(struct socket *socket);
	/*
	 * The last reference went: frees what hangs on the structure. NULL: nothing. Any context.
	 */
	void (*free)(struct socket *socket);

	/*
	 * Need the net lock. Addresses are checked for length by the method (EINVAL, EAFNOSUPPORT).
	 */
	int (*bind)(struct socket *socket, const struct sockaddr_storage *name, uint32_t length);
	int (*connect)(struct socket *socket, const struct sockaddr_storage *name, uint32_t length);
	int (*disconnect)(struct socket *socket); /* connect to AF_UNSPEC */
	int (*shutdown)(struct socket *socket, int how);
	int (*name)(struct socket *socket, bool peer, struct sockaddr_storage *name,
		    uint32_t *length);

	/*
	 * Need NOT the net lock: they take it around what needs it, and sleep. Bytes or a negative
	 * errno.
	 */
	int64_t (*sendmsg)(struct socket *socket, struct message *message);
	int64_t (*recvmsg)(struct socket *socket, struct message *message);

	/*
	 * SO_LINGER: called before `close`, may sleep until what was sent is acknowledged. NULL:
	 * nothing to wait for. Without the net lock.
	 */
	void (*linger)(struct socket *socket);

	/* Streams only (TCP); NULL gives EOPNOTSUPP. Without the net lock. */
	int (*listen)(struct socket *socket, int backlog);
	int (*accept)(struct socket *socket, struct socket **child, uint32_t flags);
	/*
	 * A connect that may sleep, in place of `connect`. NULL: `connect` is used. Without the net
	 * lock.
	 */
	int (*connect_wait)(struct socket *socket, const struct sockaddr_storage *name,
			    uint32_t length, bool nonblock);
	/*
	 * A bind that looks into the file system, in place of `bind`. NULL: `bind` is used. Without
	 * the net lock.
	 */
	int (*bind_wait)(struct socket *socket, const struct sockaddr_storage *name,
			 uint32_t length);
	/* socketpair(2): connects two fresh sockets of the kind. NULL: EOPNOTSUPP. */
	int (*pair)(struct socket *a, struct socket *b);

	/* SO_PEERCRED. NULL: nobody. Needs the net lock. */
	void (*peer_credentials)(const struct socket *socket, struct ucred *credentials);

	/*
	 * Options of the kind's own levels (SOL_SOCKET is served by the core). Values are in kernel
	 * memory. Need the net lock. -ENOPROTOOPT for what is not there. getsockopt: *length holds
	 * the room on entry, of which no more is written, and on return the value's length, or the
	 * room that it would take.
	 */
	int (*setsockopt)(struct socket *socket, int level, int option, const void *value,
			  uint32_t length);
	int (*getsockopt)(struct socket *socket, int level, int option, void *value,
			  uint32_t *length);

	/* An option of SOL_SOCKET was set. NULL: nobody's concern. Needs the net lock. */
	void (*option_set)(struct socket *socket, int option);

	/*
	 * -ENOTTY: not mine; the core then tries the families' and the interface ioctls. `argument`
	 * is in kernel memory, copied both ways (net/core/socket_file.c has the sizes); pointers
	 * within it are kernel addresses too: the name at rtentry.rt_dev (or 0), the array at
	 * ifconf.ifc_buf (0: only the length is asked). Needs the net lock.
	 */
	int (*ioctl)(struct socket *socket, uint32_t command, void *argument);

	/*
	 * mmap of `length` bytes: the pages, which are the socket's, and their number. Whoever maps
	 * them takes references. NULL: ENODEV. Needs the net lock.
	 */
	int (*memory)(struct socket *socket, uint64_t length, struct page *const **pages,
		      uint64_t *count);

	/* POLL* that hold now. NULL: the core's own for datagrams. Needs the net lock. */
	uint32_t (*ready)(struct socket *socket);
};

/*
 * With thousands of sockets, cache misses are most of what a packet costs. So what each packet asks
 * for stands together in front, in two cache lines.
 */
struct socket {
	struct net *net;
	const struct socket_ops *ops;
	struct wait_list wait;
	uint32_t references;
	int bound_ifindex; /* SO_BINDTODEVICE; 0: any */
	int error;         /* pending, positive errno: SO_ERROR, or what the next call returns */
	uint32_t send_charged; /* truesize of packets on their way out */
	/* Bytes of truesize: SO_RCVBUF, SO_SNDBUF as getsockopt shows them. */
	int32_t receive_buffer, send_buffer;

	struct skb_queue receive_queue;
	struct skb_queue error_queue; /* IP_RECVERR; each charged to receive */
	uint16_t family;              /* AF_* */
	uint16_t protocol;            /* what the family made of the argument */
	uint8_t type;                 /* SOCK_* */
	uint8_t shutdown;             /* 1: receive, 2: send */
	bool filtered;                /* there is a filter */
	bool reuse_port, broadcast, no_check;
	bool timestamp;
	bool stamp_asked; /* SIOCGSTAMP was used: packets are stamped from then on */
	uint32_t drops;   /* packets refused because the receive buffer was full */

	struct list_head link;        /* the kind's own list or table */
	struct socket_filter *filter; /* net/core/socket_filter.h; NULL: takes every packet */
	uint64_t receive_timeout_us, send_timeout_us; /* 0: none */
	uint64_t last_stamp_us;
	uint64_t inode_number;   /* what /proc/net shows and fstat gives */
	const struct file *file; /* by which processes reach it; NULL: not yet, or no more */
	int32_t receive_low;     /* SO_RCVLOWAT */
	uint32_t priority, mark;
	uint32_t linger_seconds;
	uint32_t uid;                                   /* who made it */
	bool receive_buffer_chosen, send_buffer_chosen; /* by the process: TCP leaves them alone */
	bool reuse_address, keepalive, oob_inline, linger, dont_route, passcred, timestamp_ns;
	bool listening;
	bool filter_locked : 1;     /* SO_LOCK_FILTER */
	bool sends_past_errors : 1; /* a pending error waits for recvmsg; sendmsg goes on */
	bool closed;                /* detached from its protocol; only references keep it */
};

_Static_assert(offsetof(struct socket, link) <= 2 * CACHE_LINE, "for each packet: two lines");

#define SHUTDOWN_RECEIVE 1
#define SHUTDOWN_SEND 2

/* One address family; registered by the room that serves it. */
struct socket_family {
	struct list_head link; /* net->families */
	uint16_t family;
	/*
	 * The table for (type, protocol), setting *protocol when 0 stands for a default; or a
	 * negative errno through *error: ESOCKTNOSUPPORT, EPROTONOSUPPORT.
	 */
	const struct socket_ops *(*find)(struct net *net, int type, int *protocol, int *error);
	/*
	 * Interface ioctls of the family (SIOCSIFADDR, SIOCADDRT, SIOCSARP...), as struct
	 * socket_ops.ioctl. -ENOTTY: not mine. NULL: none.
	 */
	int (*ioctl)(struct net *net, uint32_t command, void *argument);
};
void socket_family_register(struct net *net, struct socket_family *family);

/* `type` may carry SOCK_NONBLOCK and SOCK_CLOEXEC, which are ignored here. */
int socket_create(struct net *net, int family, int type, int protocol, struct socket **result);
/* Two sockets that are connected to each other. 0 or a negative errno. */
int socket_create_pair(struct net *net, int family, int type, int protocol, struct socket *pair[2]);
/*
 * For a connection that a listener accepts: a socket of its kind with its options of SOL_SOCKET,
 * opened, with one reference, which is the future file's. NULL: no memory.
 */
struct socket *socket_create_child(const struct socket *listener) NEEDS_NET_LOCK;
void socket_close(struct socket *socket); /* gives up the caller's reference */
struct socket *socket_get(struct socket *socket);
void socket_put(struct socket *socket); /* any context, with or without the net lock */

int socket_bind(struct socket *socket, const struct sockaddr_storage *name, uint32_t length);
int socket_connect(struct socket *socket, const struct sockaddr_storage *name, uint32_t length,
		   bool nonblock);
int socket_listen(struct socket *socket, int backlog);
int socket_accept(struct socket *socket, struct socket **child, bool nonblock);
int socket_shutdown(struct socket *socket, int how);
int socket_name(struct socket *socket, bool peer, struct sockaddr_storage *name, uint32_t *length);
int64_t socket_sendmsg(struct socket *socket, struct message *message);
int64_t socket_recvmsg(struct socket *socket, struct message *message);
int socket_setsockopt(struct socket *socket, int level, int option, const void *value,
		      uint32_t length);
int socket_getsockopt(struct socket *socket, int level, int option, void *value, uint32_t *length);
int socket_ioctl(struct socket *socket, uint32_t command, void *argument);
uint32_t socket_poll(struct socket *socket, struct poll_table *table);

/*
 * What follows is for the kinds of sockets.
 *
 * A blocking call: waits for changes on the socket, with a deadline by the stack's clock.
 *
 *	socket_wait_begin(&wait, socket, socket->receive_timeout_us);
 *	net_lock(net);
 *	while (!(ready = look(socket)) && !error) {
 *		net_unlock(net);
 *		error = socket_wait_sleep(&wait);
 *		net_lock(net);
 *	}
 *	net_unlock(net);
 *	socket_wait_end(&wait);
 */
struct socket_wait {
	struct thread_waiter thread;
	struct timer timer;
	struct socket *socket;
	bool has_deadline, expired;
};
/* `timeout_us` from now; 0: no deadline. */
void socket_wait_begin(struct socket_wait *wait, struct socket *socket, uint64_t timeout_us)
	EXCLUDES(net_lock_held);
/*
 * 0 after a wake-up; -EAGAIN at the deadline; on a signal -ERESTARTSYS, or -EINTR when there is a
 * deadline (signal(7)).
 */
int socket_wait_sleep(struct socket_wait *wait) EXCLUDES(net_lock_held) __must_check;
void socket_wait_end(struct socket_wait *wait) EXCLUDES(net_lock_held);

/* Tells everybody who waits on the socket that `events` (POLL*) may hold now. */
void socket_wake(struct socket *socket, uint32_t events) NEEDS_NET_LOCK;
/* Urgent data is announced: POLLPRI, and SIGURG for the file's owner. socket_file.c */
void socket_tell_urgent(struct socket *socket) NEEDS_NET_LOCK;

/* POLL* of a datagram socket: what `ready` NULL stands for. */
uint32_t socket_datagram_ready(struct socket *socket) NEEDS_NET_LOCK;

/* The cmsgs that SO_TIMESTAMP asks for, about a packet that is being received. */
void socket_tell_timestamp(struct socket *socket, const struct sk_buff *skb,
			   struct message *message);
static inline void socket_put_timestamp(struct socket *socket, const struct sk_buff *skb,
					struct message *message)
{
	if (unlikely(socket->timestamp || socket->stamp_asked))
		socket_tell_timestamp(socket, skb, message);
}

/*
 * Queues a received packet, or drops it (SOCKET_BUFFER_FULL, drops++) beyond receive_buffer and
 * returns false. Owns skb. Wakes POLLIN.
 */
bool socket_queue_receive(struct socket *socket, struct sk_buff *skb) NEEDS_NET_LOCK;

/*
 * Takes the first packet, sleeping by the socket's timeout and the flags' MSG_DONTWAIT; with
 * MSG_PEEK a clone, the packet stays. 0 or a negative errno (the pending error first, -EAGAIN,
 * -ERESTARTSYS); *result NULL after shutdown. Without the net lock.
 */
int socket_wait_receive(struct socket *socket, uint32_t flags, struct sk_buff **result)
	EXCLUDES(net_lock_held);

/*
 * Waits until there is room in the send buffer: by the socket's timeout and the flags'
 * MSG_DONTWAIT, without the net lock meanwhile. 0, -EAGAIN, -EPIPE after shutdown, the pending
 * error, or what a signal gives.
 */
int socket_wait_send_room(struct socket *socket, uint32_t flags) NEEDS_NET_LOCK __must_check;

/*
 * sendmsg of sockets that send a message in one packet: copies the message's bytes into a packet,
 * behind SKB_HEADROOM, charges it to the send buffer, sleeping while that is full, and gives it to
 * `transmit`, which owns it and returns 0 or a negative errno. Bytes sent or a negative errno
 * (-ENOBUFS: no memory). Without the net lock; `transmit` needs it.
 */
typedef int socket_transmit(struct socket *socket, const struct message *message,
			    struct sk_buff *skb);
int64_t socket_send_datagram(struct socket *socket, struct message *message,
			     socket_transmit *transmit) EXCLUDES(net_lock_held);

/*
 * Queues a packet that tells of an error (IP_RECVERR), within the receive buffer. Owns skb. Wakes
 * POLLERR.
 */
void socket_queue_error(struct socket *socket, struct sk_buff *skb) NEEDS_NET_LOCK;

/* Takes the first of the error queue, or NULL (MSG_ERRQUEUE never sleeps). */
struct sk_buff *socket_take_queued_error(struct socket *socket) EXCLUDES(net_lock_held);

/* Sets the pending error (positive errno) and wakes. */
void socket_set_error(struct socket *socket, int error) NEEDS_NET_LOCK;

/* Takes and clears the pending error; 0 when none. Negative errno. */
int socket_take_error(struct socket *socket) NEEDS_NET_LOCK;

/* Registers socket, bind, sendmsg ... with the kernel. Boot. */
void socket_syscalls_init(void);

/*
 * A file for the socket, taking over its reference, with O_NONBLOCK in `flags`. NULL when memory is
 * out.
 */
struct file *socket_file_create(struct socket *socket, uint32_t flags);
/* The socket behind a descriptor's file, or NULL (-ENOTSOCK). */
struct socket *socket_of_file(struct file *file);

/* AF_PACKET: registers the family. 0 or -ENOMEM. */
int packet_init(struct net *net);
void packet_destroy(struct net *net);
/* Registers /proc/net/packet. Process context. 0 or -ENOMEM. */
int packet_proc_init(struct net *net);

#endif
