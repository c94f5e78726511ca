/*
 * The program that says which packets a socket takes, and how much of each: SO_ATTACH_FILTER,
 * SO_DETACH_FILTER, SO_LOCK_FILTER and SO_GET_FILTER of socket(7). It is one piece of memory, at
 * most net->core.optmem_max bytes, which a listener shares with the connections it accepts.
 *
 * A kind of socket that keeps received packets asks socket_filter_passes of each, data at what its
 * reader would get, or at its header.
 */
#ifndef NET_CORE_SOCKET_FILTER_H
#define NET_CORE_SOCKET_FILTER_H

#include "net/core/bpf.h"
#include "net/core/socket.h"

struct socket_filter {
	uint32_t references;
	uint32_t count;
	struct sock_filter program[];
};

/*
 * Replaces the socket's filter by a copy of `program`, when it may be one (bpf_check). 0, -EINVAL,
 * -ENOMEM, or -EPERM when the filter is locked.
 */
int socket_filter_attach(struct socket *socket, const struct sock_filter *program, uint32_t count)
	EXCLUDES(net_lock_held);

/* 0; -ENOENT: there is none; -EPERM. */
int socket_filter_detach(struct socket *socket) NEEDS_NET_LOCK;

/* SO_LOCK_FILTER: the way back is barred. 0 or -EPERM. */
int socket_filter_lock(struct socket *socket, bool on) NEEDS_NET_LOCK;

/*
 * Copies the program. Its instructions; 0 when there is none; -EINVAL when `room`, in instructions,
 * does not suffice. `room` 0 only asks.
 */
int socket_filter_read(struct socket *socket, struct sock_filter *to, uint32_t room)
	EXCLUDES(net_lock_held);

/* One holder more, one less: NULL is harmless. Any context. */
struct socket_filter *socket_filter_share(struct socket_filter *filter);
void socket_filter_put(struct socket_filter *filter);

/* What the filter does with a packet: see below. */
bool socket_filter_apply(const struct socket *socket, struct sk_buff *skb,
			 uint32_t header) NEEDS_NET_LOCK;

/*
 * Does the socket want it? The packet is cut to what the filter keeps, but not within its first
 * `header` bytes. When false, the caller drops it: DROP_SOCKET_FILTER.
 */
static inline bool socket_filter_passes(const struct socket *socket, struct sk_buff *skb,
					uint32_t header) NEEDS_NET_LOCK
{
	return likely(!socket->filtered) || socket_filter_apply(socket, skb, header);
}

/*
 * The option with its program in user memory: `value_at` and `length` as setsockopt has them, and
 * the socklen_t at `length_at`, in instructions, as getsockopt has it. 0 or a negative errno.
 */
int socket_filter_from_user(struct socket *socket, user_addr_t value_at, uint32_t length);
int socket_filter_to_user(struct socket *socket, user_addr_t value_at, user_addr_t length_at);

#endif
