/*
 * UDP's sockets by local port (bind's conflicts, delivery to many); and, for unicast datagrams, by
 * both ends (the connected ones), by local address and port, or by the port alone (bound to any
 * address): each socket is in one of these three. Finding the receiver is at most three probes,
 * however many sockets there are, and none of a table that is empty.
 *
 * Needs the net lock throughout.
 */
#ifndef NET_IPV4_UDP_TABLE_H
#define NET_IPV4_UDP_TABLE_H

#include "net/core/addr.h"
#include "net/ipv4/hash_table.h"

struct udp_socket;

struct udp_table {
	struct hash_table by_port;
	struct hash_table by_connection, by_address, by_any;
	uint32_t secret;
};

/* `secret` is a random number, so that nobody can aim at one bucket. */
void udp_table_init(struct udp_table *table, uint32_t secret);
void udp_table_free(struct udp_table *table);

/*
 * Enters a socket whose local end (and remote end, if connected) is set, taking it out first if it
 * was in. 0 or -ENOMEM: then it is nowhere.
 */
int udp_table_enter(struct udp_table *table, struct udp_socket *socket);
void udp_table_remove(struct udp_table *table, struct udp_socket *socket);

/*
 * Is there a socket with which `socket` cannot share this local end? Linux's rules for SO_REUSEADDR
 * and SO_REUSEPORT.
 */
bool udp_table_conflicts(const struct udp_table *table, const struct udp_socket *socket,
			 const struct endpoint *local);

/*
 * The receiver of a unicast datagram, or NULL: connected before bound before any, and the sockets
 * of the interface (0: any) before those of all.
 */
struct udp_socket *udp_table_find(const struct udp_table *table, const struct endpoint *local,
				  const struct endpoint *remote, int ifindex);

/*
 * The sockets with a local port; the caller compares it: hash_table_for_each(s, &table->by_port,
 * hash, by_port).
 */
uint32_t udp_table_port_hash(const struct udp_table *table, uint16_t port);

#endif
