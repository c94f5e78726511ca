/* What the files of netlink's core share. Needs the net lock throughout. */
#ifndef NET_NETLINK_NETLINK_PRIVATE_H
#define NET_NETLINK_NETLINK_PRIVATE_H

#include "net/netlink/netlink.h"

struct netlink_state { /* net->state[NET_STATE_NETLINK] */
	struct socket_family family;
	struct list_head protocols; /* struct netlink_protocol */
	struct list_head sockets;   /* struct netlink_socket.socket.link */
	uint32_t next_port;         /* where the search for a free one begins */
};

static inline struct netlink_state *netlink_state_of(struct net *net)
{
	return net->state[NET_STATE_NETLINK];
}

static inline struct netlink_socket *netlink_socket_of(struct socket *socket)
{
	return container_of(socket, struct netlink_socket, socket);
}

/* What a queued packet tells its reader. */
struct netlink_control {
	uint32_t group; /* 0: an answer */
};
#define NETLINK_CONTROL(skb) SKB_CONTROL(skb, struct netlink_control)

/* netlink_send.c: a packet did not fit, or could not be made. */
void netlink_overrun(struct netlink_socket *netlink) NEEDS_NET_LOCK;

/* netlink_request.c: everything in one datagram, a message at a time. Without the net lock. */
void netlink_serve(struct netlink_socket *from, const void *bytes, size_t length,
		   const struct ucred *sender) EXCLUDES(net_lock_held);

/* netlink_options.c: SOL_NETLINK. */
int netlink_setsockopt(struct socket *socket, int level, int option, const void *value,
		       uint32_t length) NEEDS_NET_LOCK;
int netlink_getsockopt(struct socket *socket, int level, int option, void *value,
		       uint32_t *length) NEEDS_NET_LOCK;

#endif
