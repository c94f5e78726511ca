/*
 * SYN cookies (RFC 4987 3.6): when too many connections are half open, the SYN-ACK carries in its
 * sequence number and timestamp all that is needed to make the connection of its acknowledgement.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_TCP_TCP_COOKIE_H
#define NET_TCP_TCP_COOKIE_H

#include "net/tcp/tcp.h"
#include "net/tcp/tcp_listen.h"

/* Answers the SYN of a request that is in no table. */
void tcp_cookie_send(struct tcp_request *request) NEEDS_NET_LOCK;

/*
 * The connection that an ACK without a request belongs to, or NULL and why: TCP_BAD_ACK (no cookie
 * was sent lately), TCP_BAD_COOKIE (not one of ours, or an old one), TCP_ACCEPT_FULL, NO_MEMORY.
 */
struct tcp_socket *tcp_cookie_check(struct tcp_socket *listener, const struct tcp_segment *segment,
				    enum drop_reason *why) NEEDS_NET_LOCK;

/* The timestamp of a SYN-ACK; of a cookie, it carries options in its lowest bits. */
uint32_t tcp_cookie_timestamp(struct net *net, const struct tcp_request *request,
			      bool with_options) NEEDS_NET_LOCK;

#endif
