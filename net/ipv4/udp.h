/*
 * UDP (RFC 768, RFC 1122 4.1) and UDP-Lite (RFC 3828): who gets which datagram. UDP-Lite is UDP
 * with another number and ports of its own, whose checksum may leave the rear of a datagram out.
 *
 *	udp_wire     the headers
 *	udp_table    sockets by port, by address, by connection
 *	udp          delivery and errors, whatever the network layer
 *	udp_ip4      how IPv4 packets come in
 *	udp_socket   the socket calls
 *	udp_sockopt  the socket options
 *	udp_cork     one datagram from several calls
 *	udp_lite     what the checksum covers
 *
 * Needs the net lock throughout, unless a comment says otherwise.
 */
#ifndef NET_IPV4_UDP_H
#define NET_IPV4_UDP_H

#include "net/ipv4/inet_socket.h"
#include "net/ipv4/ipv4_statistics.h"
#include "net/ipv4/udp_table.h"
#include "net/ipv4/udp_wire.h"

struct udp_socket {
	struct inet_socket inet;         /* first; its node is in `receiving_in` */
	struct hash_table *receiving_in; /* the table that unicast datagrams find it by, or NULL */
	struct hash_node by_port;        /* while it has a local port */
	struct udp_state *state;         /* its protocol's */
	struct udp_pending *pending;     /* what MSG_MORE and UDP_CORK gather, or NULL */
	bool corked;                     /* UDP_CORK */

	/* UDP-Lite, in bytes with the header: 0, or UDP_HEADER_LENGTH and more. */
	uint16_t send_coverage;  /* UDPLITE_SEND_CSCOV; 0: the whole datagram */
	uint16_t least_coverage; /* UDPLITE_RECV_CSCOV; 0: the whole datagram */
	bool wants_coverage;     /* UDPLITE_RECV_CSCOV was set; else any will do */
};

/* What each of the two protocols has of its own. */
struct udp_state { /* net->state[NET_STATE_UDP] and [NET_STATE_UDPLITE] */
	struct udp_table table;
	uint64_t statistics[UDP_STAT_COUNT];
	struct inet_kind kind;
};

static inline struct udp_state *udp_state(struct net *net)
{
	return net->state[NET_STATE_UDP];
}

static inline struct udp_state *udp_lite_state(struct net *net)
{
	return net->state[NET_STATE_UDPLITE];
}

/* `protocol` is IPPROTO_UDP or IPPROTO_UDPLITE. */
static inline struct udp_state *udp_state_of(struct net *net, uint16_t protocol)
{
	return protocol == IPPROTO_UDP ? udp_state(net) : udp_lite_state(net);
}

static inline struct udp_socket *udp_socket(struct socket *socket)
{
	return container_of(socket, struct udp_socket, inet.socket);
}

static inline void udp_count(struct udp_state *state, enum udp_statistic which)
{
	state->statistics[which]++;
}

/* Registers both protocols and their kinds of sockets. 0 or -ENOMEM. */
int udp_init(struct net *net);
void udp_destroy(struct net *net);

/* A datagram's two ends as seen from here, and where it came in. */
struct udp_arrival {
	struct endpoint local, remote;
	int ifindex;  /* 0: not known, or of no importance */
	bool to_many; /* multicast or broadcast: every socket that wants it gets a copy */
};

/* Who is to have a datagram that is for one socket, or NULL. */
struct udp_socket *udp_find_receiver(const struct udp_state *state,
				     const struct udp_arrival *arrival) NEEDS_NET_LOCK;

/*
 * Queues a checked datagram for a socket of this protocol, data at its payload, the header still in
 * front. Owns skb.
 */
void udp_deliver(struct udp_state *state, struct udp_socket *socket,
		 struct sk_buff *skb) NEEDS_NET_LOCK;
/* The same for all who want one that is for many. */
void udp_deliver_to_many(struct udp_state *state, struct sk_buff *skb,
			 const struct udp_arrival *arrival) NEEDS_NET_LOCK;

/*
 * An ICMP error about a datagram sent from `arrival->local` to `arrival->remote`; `quoted` begins
 * with its UDP header. True when there is such a socket.
 */
bool udp_error(const struct udp_state *state, const struct udp_arrival *arrival,
	       const struct icmp_error *error, const struct sk_buff *quoted) NEEDS_NET_LOCK;

/* udp_ip4.c: registers both with IPv4. */
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

/*
 * udp_lite.c: RFC 3828.
 *
 * Does the socket take a datagram of which the checksum covers so much? As udp_deliver.
 */
bool udp_lite_accepts(const struct udp_socket *udp, const struct sk_buff *skb) NEEDS_NET_LOCK;
/*
 * Writes the header at skb->data, with the coverage that the socket wants and the checksum. `whole`
 * is the header without them, `sum` the pseudo-header's.
 */
void udp_lite_put_header(const struct udp_socket *udp, struct sk_buff *skb,
			 const struct udp_header *whole, uint32_t sum) NEEDS_NET_LOCK;

/* Options of SOL_UDP, SOL_UDPLITE and SOL_IP: struct socket_ops. */
int udp_setsockopt(struct socket *socket, int level, int option, const void *value,
		   uint32_t length) NEEDS_NET_LOCK;
int udp_getsockopt(struct socket *socket, int level, int option, void *value,
		   uint32_t *length) NEEDS_NET_LOCK;

/* /proc/net/udp and udplite in Linux's format. Take the net lock. */
void udp_show(struct text *text, void *net);
void udp_lite_show(struct text *text, void *net);

#endif
