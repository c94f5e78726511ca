/*
 * ICMP datagram sockets (icmp(7)): SOCK_DGRAM with IPPROTO_ICMP. A process sends echo requests and
 * receives the replies to them; the identifier is the local port.
 */
#ifndef NET_IPV4_PING_H
#define NET_IPV4_PING_H

#include "net/ipv4/hash_table.h"
#include "net/ipv4/inet_socket.h"

struct ping_socket {
	/* First; local.port is the identifier, node is in by_id while it has one. */
	struct inet_socket inet;
};

struct ping_state { /* net->state[NET_STATE_PING] */
	struct hash_table by_id;
	struct inet_kind kind;
};

static inline struct ping_state *ping_state(struct net *net)
{
	return net->state[NET_STATE_PING];
}

/* 0 or -ENOMEM. After icmp_init. */
int ping_init(struct net *net);
void ping_destroy(struct net *net);

/* /proc/net/icmp in Linux's format. Takes the net lock. */
void ping_show(struct text *text, void *net);

#endif
