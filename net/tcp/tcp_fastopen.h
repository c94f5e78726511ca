/*
 * TCP Fast Open (RFC 7413): data in the SYN, for a client that shows the cookie it once got.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_TCP_TCP_FASTOPEN_H
#define NET_TCP_TCP_FASTOPEN_H

#include "net/tcp/tcp.h"

#define TCP_FASTOPEN_CACHE 64 /* servers whose cookies are remembered; the oldest is forgotten */

/* net.ipv4.tcp_fastopen */
#define TCP_FASTOPEN_CLIENT 1
#define TCP_FASTOPEN_SERVER 2
#define TCP_FASTOPEN_CLIENT_WITHOUT_COOKIE 4
#define TCP_FASTOPEN_SERVER_WITHOUT_COOKIE 0x200
#define TCP_FASTOPEN_SERVER_WITHOUT_OPTION 0x400 /* every listener, without TCP_FASTOPEN */

/* A server that answers our wish for a cookie with none is asked once as it was before the RFC. */
enum tcp_fastopen_tried {
	TCP_FASTOPEN_TRY_OPTION,
	TCP_FASTOPEN_TRY_EXPERIMENT,
	TCP_FASTOPEN_TRIED_ALL, /* and then as the RFC has it */
};

/* What is remembered of a server. */
struct tcp_fastopen_server {
	struct net_addr address;
	uint16_t mss;      /* that it asked for the last time; 0: the entry is free */
	uint8_t tried;     /* enum tcp_fastopen_tried */
	bool experimental; /* the cookie came in the experimental option */
	uint8_t length;    /* of the cookie; 0: there is none */
	uint8_t cookie[TCP_FASTOPEN_COOKIE_MAX];
};

struct tcp_fastopen_cache {
	struct tcp_fastopen_server entries[TCP_FASTOPEN_CACHE];
	uint32_t next; /* to be replaced */
};

/* Is this bit of net.ipv4.tcp_fastopen set? */
bool tcp_fastopen_enabled(struct net *net, int32_t which);

/* The client. */

/* connect with TCP_FASTOPEN_CONNECT: true when the first send is to open the connection. */
bool tcp_fastopen_defers(struct tcp_socket *tcp, const struct endpoint *remote) NEEDS_NET_LOCK;
/* How many bytes of data may go with a SYN to it; 0: without a cookie, none. */
uint32_t tcp_fastopen_room(struct tcp_socket *tcp, const struct endpoint *remote) NEEDS_NET_LOCK;
/* The option of our first SYN: a cookie, or the wish for one. */
void tcp_fastopen_syn(struct tcp_socket *tcp, struct tcp_options *options) NEEDS_NET_LOCK;
/* The SYN-ACK to such a SYN: what it tells of the server is remembered. */
void tcp_fastopen_answered(struct tcp_socket *tcp,
			   const struct tcp_segment *segment) NEEDS_NET_LOCK;

/* The server. */

/*
 * A SYN with the option. True: a connection was made of it, or the cookie was given, and the packet
 * is gone; false: it is to be treated as any other.
 */
bool tcp_fastopen_accept(struct tcp_socket *listener, struct tcp_segment *segment,
			 struct sk_buff *skb) NEEDS_NET_LOCK;

/* TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_NO_COOKIE; others: -ENOPROTOOPT. */
int tcp_fastopen_setsockopt(struct tcp_socket *tcp, int option, int number) NEEDS_NET_LOCK;
int tcp_fastopen_getsockopt(const struct tcp_socket *tcp, int option,
			    int32_t *number) NEEDS_NET_LOCK;
/* TCP_FASTOPEN_KEY: 16 bytes. */
int tcp_fastopen_set_key(struct tcp_socket *tcp, const void *value, uint32_t length) NEEDS_NET_LOCK;
/* Registers /proc/sys/net/ipv4/tcp_fastopen_key. 0 or -ENOMEM. */
int tcp_fastopen_proc_init(struct net *net);

#endif
