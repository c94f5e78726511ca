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

struct tcp_fastopen_cookie {
	struct net_addr server;
	uint8_t length; /* 0: the entry is free */
	uint8_t bytes[TCP_FASTOPEN_COOKIE_MAX];
};

struct tcp_fastopen_cache {
	struct tcp_fastopen_cookie entries[TCP_FASTOPEN_CACHE];
	uint32_t next; /* to be replaced */
};

/* The client. */

/* Is it switched on (net.ipv4.tcp_fastopen)? */
bool tcp_fastopen_client(struct net *net) NEEDS_NET_LOCK;
/* May the SYN to that server carry data: is there a cookie, or need for none? */
bool tcp_fastopen_takes_data(const struct tcp_socket *tcp,
			     const struct endpoint *remote) NEEDS_NET_LOCK;
/* connect with TCP_FASTOPEN_CONNECT: true when the first send is to open the connection. */
bool tcp_fastopen_defers(struct tcp_socket *tcp, const struct endpoint *remote) NEEDS_NET_LOCK;
/* The option of our SYN: a cookie, or the wish for one. How many bytes of data may go with it. */
uint32_t tcp_fastopen_syn(struct tcp_socket *tcp, struct tcp_options *options) NEEDS_NET_LOCK;
/* The SYN-ACK to such a SYN: its cookie is remembered. */
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

#endif
