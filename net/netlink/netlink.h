/*
 * AF_NETLINK (netlink(7)): sockets by which processes ask about the stack, change it, and hear what
 * changed. This is what all of its protocols share; a protocol is a table of functions that
 * registers itself (struct netlink_protocol): route.h, diag.h.
 *
 * A request is served under one hold of the net lock, within sendmsg; its answers wait in the
 * sender's receive queue. A long answer (a dump) is made piece by piece as it is read, so that
 * neither the lock nor memory is held for long.
 *
 * Needs the net lock unless it says otherwise.
 */
#ifndef NET_NETLINK_NETLINK_H
#define NET_NETLINK_NETLINK_H

#include "kernel/list.h"
#include "net/core/net.h"
#include "net/core/socket.h"
#include "net/netlink/netlink_wire.h"

struct netlink_request;
struct netlink_dump;

struct netlink_protocol {
	struct list_head link; /* netlink_state.protocols */
	int number;            /* NETLINK_* */
	uint32_t groups;       /* the highest; 0: nobody can join anything */
	/*
	 * One message of a type from NLMSG_MIN_TYPE on, with NLM_F_REQUEST. 0 or a negative errno,
	 * either of which the core tells the sender as it asked for.
	 */
	int (*receive)(struct netlink_request *request);
};
void netlink_protocol_register(struct net *net, struct netlink_protocol *protocol)
	EXCLUDES(net_lock_held);

/*
 * A long answer. `fill` writes messages that begin with `header` (whose type it sets) until it is
 * through (true), or one does not fit (false): then it is called again with an empty writer, and
 * goes on by what it noted in `position`.
 */
#define NETLINK_DUMP_POSITIONS 3
struct netlink_dump {
	struct net *net;
	bool (*fill)(struct netlink_dump *dump, struct netlink_writer *writer);
	struct nlmsghdr header; /* sequence and port of the request, NLM_F_MULTI */
	uint64_t position[NETLINK_DUMP_POSITIONS]; /* at first 0 */
	/*
	 * What is asked for: the dump's own, kmalloc'ed, freed with it. May be NULL.
	 */
	void *filter;
	/* A counter that moves when what is listed changes (NLM_F_DUMP_INTR), and what it was. */
	const uint32_t *generation;
	uint32_t began_at;
	bool told; /* all but the end */
};

struct netlink_socket {
	struct socket socket;
	const struct netlink_protocol *protocol;
	uint32_t port;   /* 0: none yet */
	uint64_t groups; /* bit n: member of group n + 1 */
	bool packet_info, no_enobufs, cap_ack, extended_ack, strict;
	bool congested;      /* lost something since its queue was last empty */
	bool dumping;        /* `dump` is not at its end */
	size_t largest_room; /* bytes that the process offered to recvmsg at most */
	struct netlink_dump dump;
};

struct netlink_request {
	struct net *net;
	struct netlink_socket *from;
	const struct netlink_message *message;
	struct ucred sender;
	bool answered; /* no acknowledgement but what a dump or an echo gives */
	/* For the extended acknowledgement: what is wrong, and where in the message (0: nowhere).
	 */
	const char *trouble;
	uint32_t trouble_offset;
};

/* For what changes something: 0 or -EPERM. */
int netlink_check_permission(void);

/* Notes what is wrong and gives back `error`. */
int netlink_refuse(struct netlink_request *request, int error, const char *trouble);

/*
 * The attributes behind a fixed part of `fixed` bytes, which the caller has checked to be there. 0;
 * -EINVAL, -ERANGE with the trouble noted.
 */
int netlink_attributes(struct netlink_request *request, size_t fixed,
		       const struct netlink_policy *policy,
		       struct netlink_attribute *table) NEEDS_NET_LOCK;

/* Starts what *dump says (fill, filter, generation); owns the filter. 0, -EBUSY, -ENOMEM. */
int netlink_dump_start(struct netlink_request *request,
		       const struct netlink_dump *dump) NEEDS_NET_LOCK;
/* netlink_dump.c: the next piece, when there is room for it. */
void netlink_dump_continue(struct netlink_socket *netlink) NEEDS_NET_LOCK;
void netlink_dump_stop(struct netlink_socket *netlink) NEEDS_NET_LOCK;

/* The header of the one message that answers a request. */
struct nlmsghdr netlink_answer_header(const struct netlink_request *request, uint16_t type);

/*
 * A packet whose writer has `room` bytes; then netlink_send, which owns it and sends what was
 * written. NULL: no memory.
 */
struct sk_buff *netlink_packet(struct net *net, size_t room, struct netlink_writer *writer);
void netlink_send(struct netlink_socket *to, struct sk_buff *skb,
		  const struct netlink_writer *writer) NEEDS_NET_LOCK;

/* Does anybody listen to the group of the protocol? */
bool netlink_group_wanted(struct net *net, int protocol, uint32_t group) NEEDS_NET_LOCK;
/*
 * To every member of the group, the message that was written. Owns skb. `skb` NULL: no memory, and
 * the members hear that they missed something (ENOBUFS).
 */
void netlink_send_group(struct net *net, int protocol, uint32_t group, struct sk_buff *skb,
			const struct netlink_writer *writer) NEEDS_NET_LOCK;

/*
 * Registers the family, and NETLINK_ROUTE and NETLINK_SOCK_DIAG. After tcp_init. 0 or -ENOMEM.
 */
int netlink_init(struct net *net) EXCLUDES(net_lock_held);
void netlink_destroy(struct net *net) EXCLUDES(net_lock_held); /* the sockets are closed */
/* Registers /proc/net/netlink. Process context. 0 or -ENOMEM. */
int netlink_proc_init(struct net *net);

#endif
