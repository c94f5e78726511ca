/*
 * What one stack's TCP keeps: net->state[NET_STATE_TCP]. For the files of net/tcp alone. Needs the
 * net lock throughout.
 */
#ifndef NET_TCP_TCP_STATE_H
#define NET_TCP_TCP_STATE_H

#include "net/tcp/tcp.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_listen.h"
#include "net/tcp/tcp_secret.h"
#include "net/tcp/tcp_table.h"
#include "net/tcp/tcp_timewait.h"

struct tcp_state_of_net {
	struct net *net;
	struct tcp_settings settings;
	const struct tcp_congestion_ops *congestion_control; /* of new sockets */
	struct tcp_table table;
	struct tcp_requests requests;
	struct tcp_timewaits timewaits;
	struct tcp_secrets secrets;
	struct tcp_fastopen_cache fastopen; /* cookies that servers gave us */
	struct list_head output_due;        /* struct tcp_socket.output_due: at the batch's end */
	struct net_deferred deferred;       /* what sees to them */
	uint64_t memory_used; /* bytes that all connections' queues hold: tcp_memory.c */
	bool memory_pressure;
	struct tcp_open_page open_page; /* where the next small write goes on */
	uint32_t orphans;
	uint32_t sockets; /* that are not yet freed; changed atomically */
	uint64_t statistics[TCP_STAT_COUNT];
	uint64_t extra[TCP_EXTRA_COUNT];
	struct inet_kind kind;
	struct { /* RFC 5961 7: all connections together, beside each one's own limit */
		uint64_t second; /* that the number is for */
		uint32_t left;
	} challenges;
};

/*
 * tcp_memory.c: the total limit (tcp_mem). Both directions of every connection account what they
 * queue: tcp_memory_take asks before queueing, with false the sender waits or the segment (never
 * acknowledged yet) is dropped.
 */
bool tcp_memory_take(struct net *net, uint32_t bytes) NEEDS_NET_LOCK;
bool tcp_memory_full(struct net *net) NEEDS_NET_LOCK;                  /* senders wait */
void tcp_memory_force(struct net *net, uint32_t bytes) NEEDS_NET_LOCK; /* beyond the limit too */
void tcp_memory_give(struct net *net, uint32_t bytes) NEEDS_NET_LOCK;
/* Grows the send buffer with the window of congestion, unless the process chose its size. */
void tcp_tune_send_buffer(struct tcp_socket *tcp) NEEDS_NET_LOCK;

#endif
