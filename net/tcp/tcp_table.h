/*
 * Who a segment is for: connections by both ends, listeners by port, and who holds which port.
 * Look-ups are hash look-ups with a secret; no list is searched per packet.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_TCP_TCP_TABLE_H
#define NET_TCP_TCP_TABLE_H

#include "net/core/addr.h"
#include "net/core/net.h"
#include "net/ipv4/hash_table.h"

struct tcp_socket;

#define TCP_PORT_COUNTERS 64 /* a power of two */

struct tcp_table {
	uint32_t secret;
	uint16_t port_counters[TCP_PORT_COUNTERS]; /* where searches for a port go on: RFC 6056 */
	struct hash_table connections;             /* struct tcp_socket.inet.node, by both ends */
	struct hash_table ports;                   /* struct tcp_port, by number */
};

/* A local port in use: by sockets that were bound to it, and those that listen. */
struct tcp_port {
	struct hash_node node;
	uint16_t port;
	struct list_head sockets;    /* struct tcp_socket.port_link: those that hold it */
	struct hash_table listeners; /* of this port, by local address */
};

void tcp_table_init(struct net *net, struct tcp_table *table) NEEDS_NET_LOCK;
void tcp_table_free(struct tcp_table *table) NEEDS_NET_LOCK;

/* The hash of a pair of ends: of connections, requests and TIME_WAIT alike. */
uint32_t tcp_table_hash(const struct tcp_table *table, const struct endpoint *local,
			const struct endpoint *remote) NEEDS_NET_LOCK;

struct tcp_socket *tcp_table_find(const struct tcp_table *table, uint32_t hash,
				  const struct endpoint *local,
				  const struct endpoint *remote) NEEDS_NET_LOCK;
/* The listener for a SYN: exact address first, then any; among SO_REUSEPORT's by the hash. */
struct tcp_socket *tcp_table_listener(const struct tcp_table *table, uint32_t hash,
				      const struct endpoint *local, int ifindex) NEEDS_NET_LOCK;

/* Both ends are in `inet`. 0, -EADDRINUSE (the pair is taken), -ENOMEM. */
int tcp_table_enter(struct tcp_socket *tcp) NEEDS_NET_LOCK;
void tcp_table_remove(struct tcp_socket *tcp) NEEDS_NET_LOCK;
int tcp_table_enter_listener(struct tcp_socket *tcp) NEEDS_NET_LOCK;
void tcp_table_remove_listener(struct tcp_socket *tcp) NEEDS_NET_LOCK;

/*
 * bind(2): takes `local`, choosing a port when it is 0 (RFC 6056). 0, -EADDRINUSE by the rules of
 * SO_REUSEADDR and SO_REUSEPORT (socket(7)), -ENOMEM.
 */
int tcp_table_bind(struct tcp_socket *tcp, const struct endpoint *local) NEEDS_NET_LOCK;
/*
 * connect(2) without bind: a port such that the pair of ends is new; RFC 6056 algorithm 3 or 5. A
 * pair in TIME_WAIT may be used again as RFC 6191 allows (tcp_timewait.h). 0, -EADDRNOTAVAIL.
 */
int tcp_table_choose_port(struct tcp_socket *tcp) NEEDS_NET_LOCK;
/* Gives up the port. */
void tcp_table_unbind(struct tcp_socket *tcp) NEEDS_NET_LOCK;

#endif
