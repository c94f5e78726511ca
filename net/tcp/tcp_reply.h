/*
 * Segments that are sent without a control block: resets to strangers (RFC 9293 3.10.7.1),
 * SYN-ACKs of requests and cookies, acknowledgements of TIME-WAIT.
 *
 * Needs the net lock.
 */
#ifndef NET_TCP_TCP_REPLY_H
#define NET_TCP_TCP_REPLY_H

#include "net/tcp/tcp.h"

struct tcp_reply {
	struct endpoint local, remote;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window; /* as on the wire */
	uint8_t tos;
	int ifindex;
	struct tcp_options options;
};
/* Without memory nothing is sent, as if it had been lost. */
void tcp_send_reply(struct net *net, const struct inet_family *family,
		    const struct tcp_reply *reply) NEEDS_NET_LOCK;

/* <SEQ=SEG.ACK><CTL=RST> or <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>; none for a reset. */
void tcp_reply_reset(struct net *net, const struct inet_family *family,
		     const struct tcp_segment *segment) NEEDS_NET_LOCK;

#endif
