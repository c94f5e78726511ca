/*
 * Raw IPv4 sockets (raw(7)): every packet of a protocol, IP header and all; sending with or without
 * a header of one's own.
 */
#ifndef NET_IPV4_RAW_H
#define NET_IPV4_RAW_H

#include "net/ipv4/inet_socket.h"

struct raw_socket {
	struct inet_socket inet; /* first; socket.link is in raw_state.of_protocol */
	uint32_t icmp_filter;    /* bit n: ICMP type n is kept from it */
};

struct raw_state {                         /* net->state[NET_STATE_RAW] */
	struct list_head of_protocol[256]; /* struct raw_socket */
	uint32_t count;                    /* sockets in all */
	struct inet_kind kind;
};

static inline struct raw_state *raw_state(struct net *net)
{
	return net->state[NET_STATE_RAW];
}

/* 0 or -ENOMEM. */
int raw_init(struct net *net);
void raw_destroy(struct net *net);

extern const struct socket_ops raw_socket_ops; /* raw_socket.c */

/* /proc/net/raw in Linux's format. Takes the net lock. */
void raw_show(struct text *text, void *net);

#endif
