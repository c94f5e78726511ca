/*
 * Putting fragments together (RFC 791 3.2, RFC 815; RFC 1122 3.3.2).
 *
 * A datagram is known by source, destination, identification and protocol, on one interface. Its
 * fragments wait in order of offset. Fragments that overlap discard the whole datagram (RFC 5722's
 * rule, for IPv4 too); an exact repetition is dropped. Memory and work are bounded: bytes in all,
 * datagrams, fragments of one datagram; beyond that the oldest datagram makes room.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_IPV4_REASSEMBLY_H
#define NET_IPV4_REASSEMBLY_H

#include "net/core/net.h"
#include "net/core/skbuff.h"
#include "net/ipv4/hash_table.h"
#include "net/ipv4/ipv4_wire.h"

#define REASSEMBLY_DATAGRAMS_MAX 512
#define REASSEMBLY_FRAGMENTS_MAX 256 /* of one datagram: 64 KiB in pieces of 256 bytes */

struct reassembly {
	struct net *net;
	struct hash_table table; /* struct datagram */
	struct list_head oldest_first;
	uint32_t bytes; /* truesize of all waiting fragments */
};

void reassembly_init(struct reassembly *reassembly, struct net *net);
/* After reassembly_flush_device of every device, so that nothing waits. */
void reassembly_free(struct reassembly *reassembly) NEEDS_NET_LOCK;

/*
 * Takes one fragment: data at its checked IP header, trimmed to its total length. Returns the whole
 * datagram, one linear packet with data at a header made from the first fragment's, when this one
 * completed it; else NULL. Owns skb.
 */
struct sk_buff *reassembly_add(struct reassembly *reassembly, struct sk_buff *skb,
			       const struct ip4_header *header) NEEDS_NET_LOCK;

/* A device goes: what came in by it is forgotten. */
void reassembly_flush_device(struct reassembly *reassembly,
			     const struct net_device *dev) NEEDS_NET_LOCK;

#endif
