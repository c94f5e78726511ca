/*
 * What arrived before its turn: runs of contiguous segments, in a tree ordered by sequence number.
 * A run is a ring of sk_buffs whose first one is the tree's node; two runs that meet become one at
 * once. So each segment costs a descent of the tree, whatever its place, and a run that becomes due
 * moves to the receive queue as it is.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_TCP_TCP_REASSEMBLY_H
#define NET_TCP_TCP_REASSEMBLY_H

#include "net/tcp/tcp.h"

#define TCP_OUT_OF_ORDER_MAX 8192 /* segments of one connection, besides the limit in bytes */

/* A data segment's notes, from its acceptance until a process has read it. */
struct tcp_control {
	struct tree_node node; /* of a run's first segment */
	uint32_t seq, end;     /* of its bytes, without FIN */
	uint32_t run_end;      /* of a run's first segment: where the run ends */
	bool fin;              /* a FIN stands at `end` */
};
#define TCP_CONTROL(skb) SKB_CONTROL(skb, struct tcp_control)

/*
 * Keeps a segment that lies above rcv_nxt, the bytes that are not there already: the first to
 * arrive count. Owns skb.
 */
void tcp_reassembly_add(struct tcp_socket *tcp, struct sk_buff *skb) NEEDS_NET_LOCK;

/* The next segment that rcv_nxt has reached, cut to what is new; NULL: none. */
struct sk_buff *tcp_reassembly_take(struct tcp_socket *tcp) NEEDS_NET_LOCK;

/*
 * A segment at rcv_nxt that overlaps what is kept is cut where that begins. Returns the part behind
 * the first run, to come next, or NULL. Owns nothing.
 */
struct sk_buff *tcp_reassembly_cut(struct tcp_socket *tcp, struct sk_buff *skb) NEEDS_NET_LOCK;

/* The memory of all connections is used up: this one gives back what it keeps out of order. */
void tcp_reassembly_prune(struct tcp_socket *tcp) NEEDS_NET_LOCK;

/* The run that holds `seq`. */
bool tcp_reassembly_run(const struct tcp_socket *tcp, uint32_t seq,
			struct tcp_sack_block *run) NEEDS_NET_LOCK;

#endif
