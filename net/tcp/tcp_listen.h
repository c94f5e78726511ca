/*
 * LISTEN: half-open requests of 128 bytes, the backlog, SYN cookies (RFC 4987), Fast Open
 * (RFC 7413), and the queue of connections that wait for accept.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_TCP_TCP_LISTEN_H
#define NET_TCP_TCP_LISTEN_H

#include "include/uapi/tcp.h"
#include "kernel/list.h"
#include "kernel/timer.h"
#include "net/core/addr.h"
#include "net/core/net.h"
#include "net/ipv4/hash_table.h"

struct sk_buff;
struct tcp_options;
struct tcp_segment;
struct tcp_socket;

#define TCP_REQUEST_RETRIES 6 /* lists of requests: one for each number of SYN-ACKs sent */

/* A SYN that was answered and not yet acknowledged: SYN-RECEIVED without a control block. */
struct tcp_request {
	struct hash_node node; /* tcp_requests.table */
	struct endpoint local, remote;
	struct list_head due; /* in tcp_requests.waiting[retries], oldest first */
	struct tcp_socket *listener;
	uint64_t due_us : 56, retries : 8;
	uint32_t iss, irs;    /* ours, the peer's */
	uint32_t answered_ms; /* when something odd was last answered; 0: never */
	uint32_t ts_recent;
	uint16_t mss, window; /* the peer's */
	uint8_t snd_wscale : 4, rcv_wscale : 4;
	bool has_wscale : 1, has_sack : 1, has_timestamps : 1, has_ecn : 1, acked : 1,
		by_cookie : 1;
};

struct tcp_requests {            /* of the stack */
	struct hash_table table; /* by both ends */
	/*
	 * Every request of one list waits equally long, so each list is in order of time and one
	 * timer serves all.
	 */
	struct list_head waiting[TCP_REQUEST_RETRIES + 1];
	struct timer timer;
	struct net *net;
};

struct tcp_listener {          /* what a listening socket has besides its control block */
	struct hash_node node; /* struct tcp_port.listeners */
	struct tcp_socket *tcp;
	uint32_t backlog;
	uint32_t requests;       /* half-open ones of this listener */
	struct list_head accept; /* struct socket.link of established children */
	uint32_t accept_length;
	uint64_t cookies_until_us;                   /* a cookie may be under way until then */
	uint32_t fastopen_backlog, fastopen_pending; /* TCP_FASTOPEN */
};

void tcp_requests_init(struct net *net, struct tcp_requests *requests) NEEDS_NET_LOCK;
void tcp_requests_free(struct tcp_requests *requests) NEEDS_NET_LOCK;

/* listen(2), and again with another backlog. 0, -EADDRINUSE, -ENOMEM. */
int tcp_listen_start(struct tcp_socket *tcp, int backlog) NEEDS_NET_LOCK;
/* The listener closes: its requests go, children that nobody accepted are reset. */
void tcp_listen_stop(struct tcp_socket *tcp) NEEDS_NET_LOCK;

/* A segment for a listener (RFC 9293 3.10.7.2). Owns skb. */
void tcp_listen_receive(struct tcp_socket *listener, struct tcp_segment *segment,
			struct sk_buff *skb) NEEDS_NET_LOCK;
struct tcp_request *tcp_request_find(const struct tcp_requests *requests, uint32_t hash,
				     const struct endpoint *local,
				     const struct endpoint *remote) NEEDS_NET_LOCK;
/*
 * A segment for a request (RFC 9293 3.10.7.4 in SYN-RECEIVED). The right ACK makes a child, which
 * takes the segment over (tcp_receive_segment). Owns skb.
 */
void tcp_request_receive(struct tcp_request *request, struct tcp_segment *segment,
			 struct sk_buff *skb) NEEDS_NET_LOCK;
/* An ICMP error or a reset about it: forgotten. */
void tcp_request_drop(struct tcp_request *request) NEEDS_NET_LOCK;

/* The oldest child, taken off the queue with its file's reference, or NULL. */
struct tcp_socket *tcp_accept_take(struct tcp_socket *listener) NEEDS_NET_LOCK;
/* Is there room for another child? Counts and names the drop when there is not. */
bool tcp_accept_full(struct tcp_socket *listener) NEEDS_NET_LOCK;

/*
 * The connection that a request has become: in the table, in `state` (ESTABLISHED, or SYN_RECV for
 * a Fast Open), in the accept queue; a process that waits in accept is woken. NULL: no memory, or
 * the ends are taken.
 */
struct tcp_socket *tcp_child_create(struct tcp_socket *listener, const struct tcp_request *request,
				    const struct tcp_segment *segment,
				    enum tcp_state state) NEEDS_NET_LOCK;

/*
 * tcp_request.c: a SYN becomes a request, and is answered; `fastopen` has a cookie for the SYN-ACK,
 * or is NULL. Owns nothing.
 */
void tcp_request_open(struct tcp_socket *listener, const struct tcp_segment *segment,
		      const struct tcp_options *fastopen) NEEDS_NET_LOCK;
/* What a SYN says, as a request that is in no table yet; the ISS is the caller's to choose. */
void tcp_request_fill(struct tcp_request *request, struct tcp_socket *listener,
		      const struct tcp_segment *segment) NEEDS_NET_LOCK;
/* The SYN-ACK of a request; `fastopen` adds a cookie to it, or NULL. */
void tcp_request_answer(const struct tcp_request *request,
			const struct tcp_options *fastopen) NEEDS_NET_LOCK;
/* The requests of a listener that closes. */
void tcp_requests_forget(struct tcp_requests *requests,
			 const struct tcp_socket *listener) NEEDS_NET_LOCK;

#endif
