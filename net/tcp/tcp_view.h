/*
 * Every TCP connection, listener, half-open request and TIME-WAIT of a stack, one after the other:
 * what /proc/net/tcp and ss show.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_TCP_TCP_VIEW_H
#define NET_TCP_TCP_VIEW_H

#include "net/core/addr.h"
#include "net/ipv4/hash_table.h"
#include "net/tcp/tcp.h"

struct tcp_request;

/* The numbers by which Linux tells what a timer waits for. */
enum tcp_shown_timer {
	TCP_SHOWN_NONE,
	TCP_SHOWN_RETRANSMIT,
	TCP_SHOWN_KEEPALIVE,
	TCP_SHOWN_TIME_WAIT,
	TCP_SHOWN_PROBE
};

struct tcp_view {
	struct tcp_socket *tcp;      /* NULL: a request, or TIME-WAIT */
	struct tcp_request *request; /* a half-open one, or NULL */
	const struct endpoint *local, *remote;
	uint8_t state;                      /* TCP_ESTABLISHED ... as tcp(7) numbers them */
	uint32_t send_queue, receive_queue; /* bytes; a listener's: its backlog, those that wait */
	enum tcp_shown_timer timer;
	uint64_t due_us; /* when it fires; 0: no timer */
	uint32_t retransmits, probes;
	uint32_t uid;
	uint64_t inode; /* 0: no file */
	uint32_t references;
};

/*
 * Where a walk stands; at first all 0. It may be taken up again later: what came or went meanwhile
 * is perhaps missed or seen twice.
 */
struct tcp_view_cursor {
	uint32_t part; /* listeners, connections, requests, TIME-WAITs */
	struct hash_cursor at;
	uint32_t within; /* listeners of one port */
};

/* False: the end. */
bool tcp_view_next(struct net *net, struct tcp_view_cursor *cursor,
		   struct tcp_view *view) NEEDS_NET_LOCK;

#endif
