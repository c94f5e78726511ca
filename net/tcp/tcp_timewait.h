/*
 * TIME-WAIT: the last 2 MSL of a connection, in 128 bytes and without a socket (RFC 9293 3.10.7.8,
 * RFC 1337, RFC 6191).
 *
 * Needs the net lock throughout.
 */
#ifndef NET_TCP_TCP_TIMEWAIT_H
#define NET_TCP_TCP_TIMEWAIT_H

#include "kernel/list.h"
#include "kernel/timer.h"
#include "net/core/addr.h"
#include "net/core/net.h"
#include "net/ipv4/hash_table.h"

struct sk_buff;
struct tcp_segment;
struct tcp_socket;

struct tcp_timewait {
	struct hash_node node; /* tcp_timewaits.table */
	struct endpoint local, remote;
	struct list_head due; /* tcp_timewaits.waiting: all wait equally long */
	uint64_t due_us;
	uint32_t snd_nxt, rcv_nxt;
	uint32_t ts_recent, ts_offset;
	uint32_t answered_ms; /* when something odd was last answered; 0: never */
	uint16_t window;      /* as it stood on the wire */
	uint8_t rcv_wscale;
	uint8_t tos;
	bool has_timestamps;
};

struct tcp_timewaits {            /* of the stack */
	struct hash_table table;  /* by both ends */
	struct list_head waiting; /* first ends first */
	uint32_t count;
	struct timer timer;
	struct net *net;
};

void tcp_timewaits_init(struct net *net, struct tcp_timewaits *timewaits) NEEDS_NET_LOCK;
void tcp_timewaits_free(struct tcp_timewaits *timewaits) NEEDS_NET_LOCK;

/*
 * The connection is over but for its echo. Does not change the socket's state (tcp_set_state does
 * both). Without memory, or beyond tcp_max_tw_buckets, it simply ends.
 */
void tcp_timewait_enter(struct tcp_socket *tcp) NEEDS_NET_LOCK;

struct tcp_timewait *tcp_timewait_find(const struct tcp_timewaits *timewaits, uint32_t hash,
				       const struct endpoint *local,
				       const struct endpoint *remote) NEEDS_NET_LOCK;
/*
 * A segment for it; owns skb. A new SYN that RFC 6191 allows ends it and goes to `listener`
 * (which may be NULL).
 */
void tcp_timewait_receive(struct tcp_timewait *timewait, struct tcp_segment *segment,
			  struct sk_buff *skb, struct tcp_socket *listener) NEEDS_NET_LOCK;
/*
 * connect wants these ends: true when the pair may be used again (timestamps, more than a second
 * old: tcp_tw_reuse), and then it is gone and *iss_above, *ts_offset tell what to begin above.
 */
bool tcp_timewait_reuse(struct net *net, uint32_t hash, const struct endpoint *local,
			const struct endpoint *remote, uint32_t *iss_above) NEEDS_NET_LOCK;

#endif
