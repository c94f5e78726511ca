/*
 * What every kind of AF_INET socket shares: its two ends, the options of level SOL_IP, ancillary
 * data, multicast memberships and the error queue. UDP, raw and ICMP datagram sockets (and TCP)
 * embed it first.
 *
 * Needs the net lock throughout, unless a comment says otherwise.
 */
#ifndef NET_IPV4_INET_SOCKET_H
#define NET_IPV4_INET_SOCKET_H

#include "include/uapi/in.h"
#include "kernel/byteorder.h"
#include "kernel/lib/text.h"
#include "net/core/inet.h"
#include "net/core/socket.h"
#include "net/ipv4/hash_table.h"
#include "net/ipv4/ipv4_options.h"

struct inet_socket {
	struct socket socket; /* first */

	/* Sending. */
	struct endpoint remote; /* address AF_UNSPEC: not connected */
	int16_t ttl;            /* -1: the stack's default */
	uint8_t tos;
	uint8_t mtu_discover; /* IP_PMTUDISC_* */
	bool header_included; /* IP_HDRINCL: raw sockets only */
	bool free_bind;       /* may bind to an address that is not ours */
	uint8_t multicast_ttl;
	bool multicast_loop;

	/* Receiving: one cache line, for the reason that struct socket gives. */
	struct hash_node node;            /* in the table by which the kind finds it */
	struct endpoint local;            /* address AF_UNSPEC: any */
	const struct inet_family *family; /* the network layer, as the socket sees it */
	bool want_pktinfo, want_ttl, want_tos, want_options, want_options_back;
	bool want_errors;   /* IP_RECVERR */
	bool multicast_all; /* take groups that others joined too: IP_MULTICAST_ALL */
	bool address_bound; /* bind gave the local address, not connect */
	bool port_bound;    /* bind gave the local port, not the first send */

	struct net_addr multicast_source;
	struct list_head memberships; /* struct inet_membership */
	uint32_t membership_count;
	int multicast_ifindex;  /* IP_MULTICAST_IF; 0: the route's */
	uint8_t options_length; /* a multiple of 4 */
	uint8_t options[IP4_OPTIONS_MAX];
};

_Static_assert(offsetof(struct inet_socket, node) % CACHE_LINE == 0, "begins a cache line");

static inline struct inet_socket *inet_socket(struct socket *socket)
{
	return container_of(socket, struct inet_socket, socket);
}

static inline bool inet_connected(const struct inet_socket *inet)
{
	return inet->remote.addr.family != AF_UNSPEC;
}

static inline bool net_addr_equal(const struct net_addr *a, const struct net_addr *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == AF_INET)
		return a->v4 == b->v4;
	return a->family == AF_UNSPEC || __builtin_memcmp(a->v6, b->v6, sizeof(a->v6)) == 0;
}

/* Linux's defaults. Called by each kind's `open`; inet_socket_close by its `close`. */
void inet_socket_open(struct inet_socket *inet);
void inet_socket_close(struct inet_socket *inet) NEEDS_NET_LOCK;

/*
 * A sockaddr_in to an endpoint and back; 0.0.0.0 is AF_UNSPEC, "any". 0, -EINVAL, -EAFNOSUPPORT. No
 * lock.
 */
int inet_read_name(const struct sockaddr_storage *name, uint32_t length, struct endpoint *to);
void inet_write_name(const struct endpoint *from, struct sockaddr_storage *name, uint32_t *length);

/* struct socket_ops methods that all kinds share. */
int inet_name(struct socket *socket, bool peer, struct sockaddr_storage *name,
	      uint32_t *length) NEEDS_NET_LOCK;
int inet_shutdown(struct socket *socket, int how) NEEDS_NET_LOCK;

/* May the socket bind to this address? 0 or -EADDRNOTAVAIL. */
int inet_check_bind(const struct inet_socket *inet, const struct endpoint *local) NEEDS_NET_LOCK;

/* Whether the calling process may bind to the port: those below PORTS_RESERVED take a right. */
#define PORTS_RESERVED 1024
int inet_check_port(const struct endpoint *local);

/*
 * Fixes the remote end, and the local address by route when none is bound. 0 or a negative errno.
 */
int inet_connect(struct inet_socket *inet, const struct endpoint *remote) NEEDS_NET_LOCK;
/* Undoes inet_connect; the local address stays only if it was bound. */
void inet_disconnect(struct inet_socket *inet) NEEDS_NET_LOCK;

/*
 * Options of level SOL_IP (ipv4_sockopt.c). -ENOPROTOOPT for other levels and unknown options.
 */
int ip4_setsockopt(struct socket *socket, int level, int option, const void *value,
		   uint32_t length) NEEDS_NET_LOCK;
int ip4_getsockopt(struct socket *socket, int level, int option, void *value,
		   uint32_t *length) NEEDS_NET_LOCK;

/* An int, or a single byte, as Linux takes either; and its answer. 0 or -EINVAL. No lock. */
int inet_read_number(const void *value, uint32_t length, int *number);
void inet_write_number(int number, void *value, uint32_t *length);

/*
 * One datagram's way, worked out from the socket's options, the message's destination and its
 * ancillary data (inet_output.c).
 */
struct inet_outgoing {
	struct endpoint to;
	struct inet_send how; /* for inet->send; the caller adds `protocol` */
	struct inet_route route;
};

/*
 * 0; -EDESTADDRREQ, -EINVAL, -EAFNOSUPPORT, -EACCES (broadcast without SO_BROADCAST), what the
 * route says.
 */
int inet_prepare(struct inet_socket *inet, const struct message *message,
		 struct inet_outgoing *out) NEEDS_NET_LOCK;

/*
 * Decides about DF for a network packet of `length` bytes: how.dont_fragment. -EMSGSIZE (told to
 * the error queue too) when the socket's IP_MTU_DISCOVER wants no fragments and it does not fit.
 */
int inet_decide_fragmenting(struct inet_socket *inet, struct inet_outgoing *out,
			    uint32_t length) NEEDS_NET_LOCK;

/*
 * The ancillary data that a received packet's socket asked for: IP_PKTINFO, IP_TTL, IP_TOS,
 * IP_RECVOPTS. The packet has its struct ip4_control. No lock.
 */
void ip4_tell_control(const struct inet_socket *inet, const struct sk_buff *skb,
		      struct message *message);
static inline void ip4_put_control(const struct inet_socket *inet, const struct sk_buff *skb,
				   struct message *message)
{
	if (inet->want_pktinfo || inet->want_ttl || inet->want_tos || inet->want_options ||
	    inet->want_options_back)
		ip4_tell_control(inet, skb, message);
}

/*
 * Does the socket take a packet to this group, as far as its memberships go? Unicast and broadcast:
 * yes.
 */
bool inet_group_allows(const struct inet_socket *inet, ip4_t destination, ip4_t source,
		       int ifindex);

/*
 * RFC 3376 3: IP_ADD_SOURCE_MEMBERSHIP (include, add), IP_DROP_SOURCE_MEMBERSHIP (include),
 * IP_BLOCK_SOURCE (add), IP_UNBLOCK_SOURCE.
 */
int inet_change_source(struct inet_socket *inet, ip4_t group, ip4_t address, ip4_t source,
		       bool include, bool add) NEEDS_NET_LOCK;

/*
 * IP_ADD_MEMBERSHIP and IP_DROP_MEMBERSHIP (inet_membership.c). `address` 0 and `ifindex` 0: by
 * route.
 */
int inet_join_group(struct inet_socket *inet, ip4_t group, ip4_t address,
		    int ifindex) NEEDS_NET_LOCK;
int inet_leave_group(struct inet_socket *inet, ip4_t group, ip4_t address,
		     int ifindex) NEEDS_NET_LOCK;
void inet_leave_all_groups(struct inet_socket *inet) NEEDS_NET_LOCK;

/*
 * An ICMP error reached this socket (inet_error.c). What was quoted of its datagram's payload
 * begins `offset` bytes past quoted->data; `to` is where the datagram went. Sets the pending error
 * and fills the error queue as ip(7) says.
 */
void inet_report_error(struct inet_socket *inet, const struct icmp_error *error,
		       const struct sk_buff *quoted, size_t offset,
		       const struct endpoint *to) NEEDS_NET_LOCK;
/*
 * An error found on this machine (EMSGSIZE): `info` is the MTU. Only the error queue hears of it.
 */
void inet_report_local_error(struct inet_socket *inet, int error, uint32_t info,
			     const struct endpoint *to) NEEDS_NET_LOCK;
/* recvmsg(MSG_ERRQUEUE). Bytes of the quoted payload or -EAGAIN. Without the net lock. */
int64_t inet_receive_error(struct inet_socket *inet, struct message *message)
	EXCLUDES(net_lock_held);

/* Receives one datagram whose bytes begin at skb->data (inet_input.c). Without the net lock. */
int64_t inet_receive(struct inet_socket *inet, struct message *message,
		     void (*source)(const struct sk_buff *skb, struct endpoint *from))
	EXCLUDES(net_lock_held);
/* The `source` of packets whose protocol has no ports. */
void inet_source_without_port(const struct sk_buff *skb, struct endpoint *from);

/* The columns of /proc/net/{udp,raw,icmp} (inet_show.c): the heading, and one line. */
void inet_show_heading(struct text *text);
void inet_show(struct text *text, uint32_t slot, const struct inet_socket *inet,
	       uint16_t local_port) NEEDS_NET_LOCK;

/* Which socket serves (type, protocol): registered by each kind at ipv4_init. */
struct inet_kind {
	struct list_head link; /* ip4_stack.kinds */
	uint16_t type;         /* SOCK_* */
	uint16_t protocol;     /* IPPROTO_*; 0: any (raw) */
	const struct socket_ops *ops;
};
void inet_kind_register(struct net *net, struct inet_kind *kind);

#endif
