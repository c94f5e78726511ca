/*
 * ICMP (RFC 792, RFC 1122 3.2.2): echo, errors to others and errors from others.
 *
 * Not implemented, by choice: redirects and source quench are counted and ignored (RFC 6633; a
 * forged redirect would steer our packets), timestamp is optional (RFC 1122 3.2.2.8), the other
 * queries are deprecated (RFC 6918).
 *
 * Needs the net lock throughout.
 */
#ifndef NET_IPV4_ICMP_H
#define NET_IPV4_ICMP_H

#include "net/ipv4/icmp_limit.h"
#include "net/ipv4/icmp_wire.h"
#include "net/ipv4/ipv4.h"
#include "net/ipv4/ipv4_statistics.h"

struct icmp_state { /* net->state[NET_STATE_ICMP] */
	struct icmp_limiter limiter;
	uint64_t statistics[ICMP_STAT_COUNT];
	uint64_t received[256], sent[256]; /* messages by type */
	/* Registered by ping.c: an echo reply. Owns skb, data at the ICMP header. */
	void (*echo_reply)(struct net_device *dev, struct sk_buff *skb,
			   const struct icmp_header *header);
	/* Registered by ping.c: as struct ip4_protocol's error, data at the quoted ICMP header. */
	bool (*echo_error)(struct net *net, const struct sk_buff *skb,
			   const struct ip4_header *inner, const struct icmp_error *error);
};

static inline struct icmp_state *icmp_state(struct net *net)
{
	return net->state[NET_STATE_ICMP];
}

/* Registers the protocol. 0 or a negative errno. */
int icmp_init(struct net *net);
void icmp_destroy(struct net *net);

/*
 * Sends an error about `about` to its source, unless RFC 1122 3.2.2 forbids it or the limiter does.
 * `about` has its IP header at skb_network_header and is only read. `info` is the header's second
 * word in host order: the MTU for fragmentation needed, the pointer in the upper 8 bits for a
 * parameter problem, else 0.
 */
void icmp_send_error(struct net *net, const struct sk_buff *about, uint8_t type, uint8_t code,
		     uint32_t info) NEEDS_NET_LOCK;

/* Counts a message of ours on its way out: for the sockets that send ICMP. */
void icmp_count_sent(struct net *net, uint8_t type);

#endif
