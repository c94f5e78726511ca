/*
 * What a stranger must not guess: initial sequence numbers (RFC 6528), offsets of timestamps
 * (RFC 7323 5.4), the start of port searches (RFC 6056), SYN and Fast Open cookies. SipHash-2-4
 * under secrets drawn at boot (kernel/lib/siphash.h).
 *
 * Needs the net lock.
 */
#ifndef NET_TCP_TCP_SECRET_H
#define NET_TCP_TCP_SECRET_H

#include "net/core/addr.h"
#include "net/core/net.h"

struct tcp_secrets {
	uint64_t sequence[2], timestamp[2], port[2], cookie[2], fastopen[2];
};

void tcp_secrets_draw(struct net *net, struct tcp_secrets *secrets) NEEDS_NET_LOCK;

/* ISS for a connection that begins now: the hash of its ends and a clock of 4 us. */
uint32_t tcp_secret_iss(struct net *net, const struct endpoint *local,
			const struct endpoint *remote) NEEDS_NET_LOCK;
uint32_t tcp_secret_timestamp_offset(struct net *net, const struct endpoint *local,
				     const struct endpoint *remote) NEEDS_NET_LOCK;
uint32_t tcp_secret_port_offset(struct net *net, const struct net_addr *local,
				const struct endpoint *remote) NEEDS_NET_LOCK;

#endif
