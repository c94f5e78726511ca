/* What the files of AF_UNIX share among themselves. */
#ifndef NET_UNIX_UNIX_PRIVATE_H
#define NET_UNIX_UNIX_PRIVATE_H

#include "net/core/socket.h"

struct file;
struct inode;
struct text;
struct unix_outgoing;

#define UNIX_NAME_BUCKETS 64
/* Bytes of a message in one piece of memory, with its sk_buff 32 KiB; larger ones are in pages. */
#define UNIX_LINEAR_MAX (32768 - sizeof(struct sk_buff))
#define UNIX_FILES_MAX 253 /* of one message: Linux's SCM_MAX_FD */

/* A name, shared by the socket, what it has sent and the connections that it accepted. */
struct unix_address {
	uint32_t references; /* changed atomically */
	uint32_t length;     /* of the sockaddr, as getsockname tells it */
	sa_family_t family;
	char path[UNIX_PATH_MAX + 1]; /* abstract: after a NUL; else NUL-terminated */
};

struct unix_socket {
	struct socket socket; /* first; socket.link is in state->sockets */

	struct unix_address *address; /* its name, a reference; NULL: none */
	bool binding;                 /* is being given one */
	struct inode *inode;          /* bound to a path: a reference */
	struct hlist_node by_name;    /* abstract: in state->names */

	/* To whom it is connected, a reference, perhaps closed meanwhile; NULL: to nobody. */
	struct unix_socket *peer;
	struct ucred peer_credentials; /* SO_PEERCRED */

	/* SOCK_DGRAM: the sockets that are connected to this one, by their sender_link. */
	struct list_head senders, sender_link;
	bool awaited; /* somebody found its queue full, and is woken when that is over */

	/* Listening: connections that wait for accept, by their pending_link. */
	struct list_head pending, pending_link;
	uint32_t pending_count, backlog;
	struct ucred credentials; /* of who called listen */

	/* SOCK_STREAM: one reader at a time has the head of the queue; others wait. */
	bool reading, reader_waits;

	/* unix_collect.c */
	uint32_t in_flight; /* references to its file that queued messages hold */
	bool reached;
	struct list_head reached_link;
};

struct unix_state { /* net->state[NET_STATE_UNIX] */
	struct socket_family family;
	struct list_head sockets; /* all: struct unix_socket.socket.link */
	struct hlist_head names[UNIX_NAME_BUCKETS];
	uint32_t next_name;    /* where autobind looks first */
	int32_t datagrams_max; /* /proc/sys/net/unix/max_dgram_qlen */

	struct list_head users;     /* struct unix_user: who has files in queued messages */
	uint64_t sockets_in_flight; /* of them, sockets of this family */
	struct list_head dead;      /* struct unix_rights that nobody will receive */
	bool burying;
};

static inline struct unix_state *unix_state(struct net *net)
{
	return net->state[NET_STATE_UNIX];
}

static inline struct unix_socket *unix_socket(struct socket *socket)
{
	return container_of(socket, struct unix_socket, socket);
}

static inline bool unix_connects(const struct unix_socket *unix)
{
	return unix->socket.type != SOCK_DGRAM;
}

/* Files that travel with a message; it holds a reference on each. */
struct unix_rights {
	struct list_head link;    /* state->dead */
	struct unix_user *sender; /* in whose count they are; NULL: in no queue */
	uint32_t count;
	struct file *files[];
};

/* What a queued message tells besides its bytes. */
struct unix_control {
	struct unix_rights *rights;  /* NULL: none */
	struct unix_address *source; /* a reference; NULL: the sender has no name */
	struct ucred credentials;    /* the sender's, or what it was allowed to claim */
	uint32_t taken;              /* bytes at the front that a stream's reader has had */
};
#define UNIX_CONTROL(skb) SKB_CONTROL(skb, struct unix_control)

/* The bytes of a stream's message that are not yet read. */
static inline uint32_t unix_unread(const struct sk_buff *skb)
{
	return skb->len - SKB_CONTROL(skb, const struct unix_control)->taken;
}

/* unix.c: what the kinds have in common. */
int unix_open(struct socket *socket) NEEDS_NET_LOCK;
void unix_close(struct socket *socket) NEEDS_NET_LOCK;
void unix_closed(struct socket *socket);
void unix_descriptor_closed(struct socket *socket);
void unix_free(struct socket *socket);
int unix_shutdown(struct socket *socket, int how) NEEDS_NET_LOCK;
int unix_name(struct socket *socket, bool peer, struct sockaddr_storage *name, uint32_t *length);
int unix_ioctl(struct socket *socket, uint32_t command, void *argument) NEEDS_NET_LOCK;
void unix_peer_credentials(const struct socket *socket, struct ucred *credentials);
/* SIOCINQ: of a datagram socket the next datagram, else all that can be read; bytes. */
int32_t unix_readable(const struct unix_socket *unix) NEEDS_NET_LOCK;
/* The methods above, for a table of functions. */
#define UNIX_COMMON_OPS                                                                            \
	.size = sizeof(struct unix_socket), .open = unix_open, .close = unix_close,                \
	.closed = unix_closed, .descriptor_closed = unix_descriptor_closed, .free = unix_free,     \
	.bind_wait = unix_bind, .shutdown = unix_shutdown, .name = unix_name, .ioctl = unix_ioctl, \
	.peer_credentials = unix_peer_credentials

extern const struct socket_ops unix_stream_ops, unix_datagram_ops, unix_seqpacket_ops;

/* unix_address.c */
int unix_bind(struct socket *socket, const struct sockaddr_storage *name, uint32_t length);
/* Gives the socket an abstract name when it has none. 0, -ENOSPC or -ENOMEM. */
int unix_autobind(struct unix_socket *unix) NEEDS_NET_LOCK;
/* Where SO_PASSCRED wants a name to answer to: before a connection or a datagram. */
int unix_autobind_for_credentials(struct unix_socket *unix) NEEDS_NET_LOCK;
/* Takes the socket off its name; the name in the file system stays. */
void unix_forget_name(struct unix_socket *unix) NEEDS_NET_LOCK;
/*
 * The socket of that name that `from` wants to talk to, with a reference. 0 or a negative errno:
 * -EINVAL, -EPROTOTYPE, -ECONNREFUSED (nobody is bound there), -ENOENT and other errors of paths.
 */
int unix_find(const struct unix_socket *from, const struct sockaddr_storage *name, uint32_t length,
	      struct unix_socket **result) EXCLUDES(net_lock_held);
struct unix_address *unix_address_get(struct unix_address *address); /* NULL gives NULL */
void unix_address_put(struct unix_address *address);                 /* NULL is harmless */
/* As getsockname gives it; NULL: the address of a socket without a name. */
void unix_address_tell(const struct unix_address *address, struct sockaddr_storage *name,
		       uint32_t *length);

/* unix_connection.c: SOCK_STREAM and SOCK_SEQPACKET. */
int unix_listen(struct socket *socket, int backlog);
int unix_accept(struct socket *socket, struct socket **child, uint32_t flags);
int unix_connect(struct socket *socket, const struct sockaddr_storage *name, uint32_t length,
		 bool nonblock);
int unix_pair(struct socket *a, struct socket *b);
/* This end goes: the other one hears of it, and so do connections that were not accepted. */
void unix_connection_close(struct unix_socket *unix) NEEDS_NET_LOCK;
uint32_t unix_connection_ready(struct socket *socket) NEEDS_NET_LOCK;
/* Sends one message to the peer, waiting for room. Owns skb. 0 or a negative errno. */
int unix_connection_send(struct unix_socket *unix, struct unix_outgoing *out, struct sk_buff *skb,
			 uint32_t flags) EXCLUDES(net_lock_held);

/* unix_datagram.c: the socket goes; a datagram was taken from its queue. */
void unix_datagram_close(struct unix_socket *unix) NEEDS_NET_LOCK;
void unix_datagram_taken(struct unix_socket *unix) NEEDS_NET_LOCK;
/* Makes `peer` the one to whom it sends. */
void unix_datagram_join(struct unix_socket *unix, struct unix_socket *peer) NEEDS_NET_LOCK;

/* unix_message.c */

/* What sendmsg's ancillary data asks for. */
struct unix_outgoing {
	struct unix_rights *rights; /* owned until a message takes it over; NULL: none */
	struct ucred credentials;
	uint32_t uid;         /* the sender's real user ... */
	uint64_t files_limit; /* ... who may have so many files in flight */
};
/* 0 or a negative errno. End with unix_outgoing_end. Without the net lock. */
int unix_outgoing_begin(struct unix_outgoing *out, const struct message *message)
	EXCLUDES(net_lock_held);
void unix_outgoing_end(struct unix_outgoing *out) EXCLUDES(net_lock_held);

/* The next `length` bytes of the message as a packet. 0, -ENOBUFS or -EFAULT. No lock. */
int unix_message_copy(struct net *net, struct message *message, uint64_t length,
		      const struct unix_outgoing *out, struct sk_buff **result);
/* The most that one message can hold, whatever SO_SNDBUF says: bytes. */
uint64_t unix_message_max(const struct socket *socket);
/*
 * Puts it at the end of `to`'s queue, with the sender's name and files; charged to the sender. Owns
 * skb on success only. 0 or -ETOOMANYREFS.
 */
int unix_message_queue(struct unix_socket *from, struct unix_socket *to, struct unix_outgoing *out,
		       struct sk_buff *skb) NEEDS_NET_LOCK;
/* Frees a message that nobody will receive; its files wait in state->dead for unix_bury. */
void unix_message_discard(struct sk_buff *skb) NEEDS_NET_LOCK;
/* All of a queue. */
void unix_discard_queue(struct unix_socket *unix) NEEDS_NET_LOCK;

/* What a receiver is told besides the bytes: taken from messages under the lock. Starts as {0}. */
struct unix_incoming {
	struct unix_rights *rights;  /* owned: installed as descriptors, or given up */
	struct unix_address *source; /* owned */
	struct ucred credentials;
	bool known;            /* one message at least was looked at */
	bool with_credentials; /* SO_PASSCRED */
};
/*
 * `peek`: the message keeps its files, and the receiver gets references of its own. 0 or -ENOMEM.
 */
int unix_incoming_take(struct unix_incoming *in, const struct unix_socket *unix,
		       struct sk_buff *skb, bool peek) NEEDS_NET_LOCK;
/* Tells it, the sender's name too. */
void unix_incoming_tell(struct unix_incoming *in, struct message *message) EXCLUDES(net_lock_held);
/* Gives up what was not told. */
void unix_incoming_end(struct unix_incoming *in) EXCLUDES(net_lock_held);

/* unix_receive.c: recvmsg of sockets whose messages stay whole. Bytes or a negative errno. */
int64_t unix_receive_message(struct unix_socket *unix, struct message *message)
	EXCLUDES(net_lock_held);

/* unix_rights.c: files in flight. */

/*
 * Adds `count` descriptors of the caller to *rights, which is NULL at first. 0, -EBADF, -EINVAL
 * (more than UNIX_FILES_MAX) or -ENOMEM.
 */
int unix_rights_read(const int32_t *fds, size_t count, struct unix_rights **rights)
	EXCLUDES(net_lock_held);
/* References of its own to the same files; NULL: no memory. */
struct unix_rights *unix_rights_copy(const struct unix_rights *rights) NEEDS_NET_LOCK;
/* Gives the files up. NULL is harmless. */
void unix_rights_put(struct unix_rights *rights) EXCLUDES(net_lock_held);
/* SCM_RIGHTS: as many descriptors as there is room for; gives up the rest. */
void unix_rights_install(struct unix_rights *rights, struct message *message)
	EXCLUDES(net_lock_held);
/* A message with these files is queued: 0, -ETOOMANYREFS or -ENOMEM; and no more. */
int unix_rights_depart(struct net *net, const struct unix_outgoing *out) NEEDS_NET_LOCK;
void unix_rights_land(struct net *net, struct unix_rights *rights) NEEDS_NET_LOCK;
/* The socket of this family that is behind a file, or NULL. */
struct unix_socket *unix_socket_of_file(struct file *file);
/*
 * Gives up the files of state->dead. Closing one may add more: they are dealt with by the call that
 * is at it, so that a chain of sockets in one another's queues does not nest.
 */
void unix_bury(struct net *net) EXCLUDES(net_lock_held);

/*
 * unix_collect.c: discards the messages of sockets that no process can reach any more, because only
 * such messages hold them. `leaving`: one reference of this socket's file is about to go; NULL:
 * none.
 */
void unix_collect(struct net *net, const struct unix_socket *leaving) NEEDS_NET_LOCK;

/* unix_proc.c: /proc/net/unix. */
void unix_show(struct text *text, void *net);

#endif
