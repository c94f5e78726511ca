/*
 * UDP (RFC 768, RFC 1122 4.1): who gets which datagram.
 *
 *	udp_wire     the header
 *	udp_table    sockets by port, by address, by connection
 *	udp          delivery and errors, whatever the network layer
 *	udp_ip4      how IPv4 packets come in
 *	udp_socket   the socket calls
 *	udp_cork     one datagram from several calls
 *
 * Needs the net lock throughout, unless a comment says otherwise.
 */
#ifndef NET_IPV4_UDP_H
#define NET_IPV4_UDP_H

#include "net/ipv4/inet_socket.h"
#include "net/ipv4/ipv4_statistics.h"
#include "net/ipv4/udp_table.h"

struct udp_socket {
	struct inet_socket inet;         /* first; its node is in `receiving_in` */
	struct hash_table *receiving_in; /* the table that unicast datagrams find it by, or NULL */
	struct hash_node by_port;        /* while it has a local port */
	struct udp_pending *pending;     /* what MSG_MORE and UDP_CORK gather, or NULL */
	bool corked;                     /* UDP_CORK */
};

struct udp_state { /* net->state[NET_STATE_UDP] */
	struct udp_table table;
	uint64_t statistics[UDP_STAT_COUNT];
	struct inet_kind kind;
};

static inline struct udp_state *udp_state(struct net *net)
{
	return net->state[NET_STATE_UDP];
}

static inline struct udp_socket *udp_socket(struct socket *socket)
{
	return container_of(socket, struct udp_socket, inet.socket);
}

static inline void udp_count(struct net *net, enum udp_statistic which)
{
	udp_state(net)->statistics[which]++;
}

/* Registers the protocol and the socket kind. 0 or -ENOMEM. */
int udp_init(struct net *net);
void udp_destroy(struct net *net);

/* A datagram's two ends as seen from here, and where it came in. */
struct udp_arrival {
	struct endpoint local, remote;
	int ifindex;  /* 0: not known, or of no importance */
	bool to_many; /* multicast or broadcast: every socket that wants it gets a copy */
};

/* Who is to have a datagram that is for one socket, or NULL. */
struct udp_socket *udp_find_receiver(struct net *net,
				     const struct udp_arrival *arrival) NEEDS_NET_LOCK;

/* Queues a checked datagram, data at its payload. Owns skb. */
void udp_deliver(struct udp_socket *socket, struct sk_buff *skb) NEEDS_NET_LOCK;
/* The same for all who want one that is for many. */
void udp_deliver_to_many(struct net *net, struct sk_buff *skb,
			 const struct udp_arrival *arrival) NEEDS_NET_LOCK;

/*
 * An ICMP error about a datagram sent from `arrival->local` to `arrival->remote`; `quoted` begins
 * with its UDP header. True when there is such a socket.
 */
bool udp_error(struct net *net, const struct udp_arrival *arrival, const struct icmp_error *error,
	       const struct sk_buff *quoted) NEEDS_NET_LOCK;

/* udp_ip4.c: registers UDP with IPv4. */
int udp_ip4_init(struct net *net);

/* udp_socket.c */
extern const struct socket_ops udp_socket_ops;

/*
 * Works out one datagram's way, and gives the socket a port if it has none. 0 or a negative errno.
 */
int udp_prepare(struct udp_socket *udp, const struct message *message,
		struct inet_outgoing *out) NEEDS_NET_LOCK;
/* Header and checksum in front of the payload, then down. Owns skb. */
int udp_transmit(struct udp_socket *udp, struct inet_outgoing *out,
		 struct sk_buff *skb) NEEDS_NET_LOCK;

/*
 * udp_cork.c: a piece of a datagram; sends it unless there is more to come. An error discards what
 * was gathered. Owns skb.
 */
int udp_cork_append(struct udp_socket *udp, const struct message *message, struct sk_buff *skb,
		    bool more) NEEDS_NET_LOCK;
/* Sends what was gathered, if anything; forgets it. */
int udp_cork_push(struct udp_socket *udp) NEEDS_NET_LOCK;
void udp_cork_discard(struct udp_socket *udp) NEEDS_NET_LOCK;

/* Options of SOL_UDP and SOL_IP: struct socket_ops. */
int udp_setsockopt(struct socket *socket, int level, int option, const void *value,
		   uint32_t length) NEEDS_NET_LOCK;
int udp_getsockopt(struct socket *socket, int level, int option, void *value,
		   uint32_t *length) NEEDS_NET_LOCK;

/* /proc/net/udp in Linux's format. Takes the net lock. */
void udp_show(struct text *text, void *net);

#endif
