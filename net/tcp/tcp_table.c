#include "net/tcp/tcp_table.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/printk.h"
#include "net/ipv4/ipv4_state.h"
#include "net/tcp/tcp_state.h"

#define PREFETCH_LEAST 256 /* connections: fewer stay in the cache by themselves */

static struct tcp_table *table_of(const struct tcp_socket *tcp)
{
	return &tcp_of(tcp_net(tcp))->table;
}

void tcp_table_init(struct net *net, struct tcp_table *table)
{
	table->secret = net_random_u32(net);
	net_random_bytes(net, table->port_counters, sizeof(table->port_counters));
}

/* The sockets are closed; what they held is gone with them. */
void tcp_table_free(struct tcp_table *table)
{
	hash_table_free(&table->connections);
	hash_table_free(&table->ports);
}

/* ---- Connections ---- */

uint32_t tcp_table_hash(const struct tcp_table *table, const struct endpoint *local,
			const struct endpoint *remote)
{
	return hash_words(local->addr.v4, remote->addr.v4,
			  (uint32_t)local->port << 16 | remote->port, table->secret);
}

/*
 * With a hundred thousand connections none is in the cache: what a segment asks of one is fetched
 * all at once, and not line by line as it is asked for.
 */
static void prefetch_first(const struct tcp_table *table, uint32_t hash)
{
	const struct hash_walk walk = hash_table_walk(&table->connections, hash);

	if (!walk.at || table->connections.count < PREFETCH_LEAST)
		return;
	const char *tcp = (const char *)container_of(walk.at, struct tcp_socket, inet.node.link);

	for (size_t at = 0; at < sizeof(struct tcp_socket); at += CACHE_LINE)
		__builtin_prefetch(tcp + at);
}

struct tcp_socket *tcp_table_find(const struct tcp_table *table, uint32_t hash,
				  const struct endpoint *local, const struct endpoint *remote)
{
	struct tcp_socket *tcp;

	prefetch_first(table, hash);
	hash_table_for_each(tcp, &table->connections, hash, inet.node) {
		if (tcp->inet.local.port == local->port && tcp->inet.remote.port == remote->port &&
		    net_addr_equal(&tcp->inet.remote.addr, &remote->addr) &&
		    net_addr_equal(&tcp->inet.local.addr, &local->addr))
			return tcp;
	}
	return NULL;
}

int tcp_table_enter(struct tcp_socket *tcp)
{
	struct tcp_table *table = table_of(tcp);
	const struct endpoint *local = &tcp->inet.local, *remote = &tcp->inet.remote;
	uint32_t hash = tcp_table_hash(table, local, remote);

	if (tcp_table_find(table, hash, local, remote))
		return -EADDRINUSE;
	if (tcp_timewait_find(&tcp_of(tcp_net(tcp))->timewaits, hash, local, remote)) {
		if (!tcp_timewait_reuse(tcp_net(tcp), hash, local, remote, &tcp->iss_above))
			return -EADDRINUSE;
		tcp->reuses_timewait = true;
	}
	return hash_table_insert(&table->connections, &tcp->inet.node, hash);
}

void tcp_table_remove(struct tcp_socket *tcp)
{
	if (hash_node_linked(&tcp->inet.node))
		hash_table_remove(&table_of(tcp)->connections, &tcp->inet.node);
}

/* ---- Ports ---- */

static uint32_t port_hash(const struct tcp_table *table, uint16_t port)
{
	return hash_words(port, 0, 0, table->secret);
}

static struct tcp_port *find_port(const struct tcp_table *table, uint16_t number)
{
	struct tcp_port *port;

	hash_table_for_each(port, &table->ports, port_hash(table, number), node) {
		if (port->port == number)
			return port;
	}
	return NULL;
}

static struct tcp_port *make_port(struct tcp_table *table, uint16_t number)
{
	struct tcp_port *port = kzalloc(sizeof(*port));

	if (!port)
		return NULL;
	port->port = number;
	list_init(&port->sockets);
	if (!hash_table_insert(&table->ports, &port->node, port_hash(table, number)))
		return port;
	kfree(port);
	return NULL;
}

/* RFC 9293 3.9.1.1, MUST-41, MUST-42: a connection is all four numbers, a listener two. */
static bool ends_meet(const struct tcp_socket *a, const struct endpoint *local,
		      const struct tcp_socket *b)
{
	int a_device = a->inet.socket.bound_ifindex, b_device = b->inet.socket.bound_ifindex;
	const struct net_addr *other = &b->inet.local.addr;

	if (a_device && b_device && a_device != b_device)
		return false;
	return local->addr.family == AF_UNSPEC || other->family == AF_UNSPEC ||
	       net_addr_equal(&local->addr, other);
}

/* socket(7): SO_REUSEADDR but for a listener, SO_REUSEPORT of the same user. */
static bool may_share(const struct tcp_socket *a, const struct tcp_socket *b)
{
	const struct socket *one = &a->inet.socket, *other = &b->inet.socket;

	if (one->reuse_port && other->reuse_port && one->uid == other->uid)
		return true;
	return one->reuse_address && other->reuse_address && a->state != TCP_LISTEN &&
	       b->state != TCP_LISTEN;
}

static bool conflicts(const struct tcp_port *port, const struct tcp_socket *tcp,
		      const struct endpoint *local)
{
	const struct tcp_socket *other;

	if (!port)
		return false;
	list_for_each_entry(other, &port->sockets, port_link) {
		if (other != tcp && ends_meet(tcp, local, other) && !may_share(tcp, other))
			return true;
	}
	return false;
}

static int hold_port(struct tcp_socket *tcp, uint16_t number)
{
	struct tcp_table *table = table_of(tcp);
	struct tcp_port *port = find_port(table, number);

	if (!port)
		port = make_port(table, number);
	if (!port)
		return -ENOMEM;
	list_append(&port->sockets, &tcp->port_link);
	tcp->port = port;
	return 0;
}

void tcp_table_unbind(struct tcp_socket *tcp)
{
	struct tcp_port *port = tcp->port;

	if (!port)
		return;
	tcp->port = NULL;
	list_remove(&tcp->port_link);
	if (!list_empty(&port->sockets))
		return;
	hash_table_remove(&table_of(tcp)->ports, &port->node);
	hash_table_free(&port->listeners);
	kfree(port);
}

struct port_range {
	uint32_t lowest, count;
};

static struct port_range ephemeral_ports(const struct tcp_socket *tcp)
{
	const int32_t *range = ip4_stack(tcp_net(tcp))->settings.ip_local_port_range;
	uint32_t lowest = (uint32_t)MIN(range[0], range[1]);

	return (struct port_range){lowest, (uint32_t)MAX(range[0], range[1]) - lowest + 1};
}

/* bind(2) without a port: RFC 6056, algorithm 1. */
static int choose_bound_port(struct tcp_socket *tcp, struct endpoint *local)
{
	struct port_range range = ephemeral_ports(tcp);
	uint32_t first = net_random_u32(tcp_net(tcp)) % range.count;

	for (uint32_t i = 0; i < range.count; i++) {
		local->port = (uint16_t)(range.lowest + (first + i) % range.count);
		if (!find_port(table_of(tcp), local->port))
			return 0;
	}
	return -EADDRINUSE;
}

int tcp_table_bind(struct tcp_socket *tcp, const struct endpoint *wanted)
{
	struct endpoint local = *wanted;
	int error = 0;

	if (local.port == 0)
		error = choose_bound_port(tcp, &local);
	else if (conflicts(find_port(table_of(tcp), local.port), tcp, &local))
		error = -EADDRINUSE;
	if (!error)
		error = hold_port(tcp, local.port);
	if (!error)
		tcp->inet.local = local;
	return error;
}

/* ---- connect's choice ---- */

/* Is the pair of ends new; or, the second time round, one that TIME_WAIT lets go? */
static bool pair_is_free(struct tcp_socket *tcp, const struct endpoint *local,
			 bool or_reusable) NEEDS_NET_LOCK
{
	struct tcp_state_of_net *state = tcp_of(tcp_net(tcp));
	const struct endpoint *remote = &tcp->inet.remote;
	uint32_t hash = tcp_table_hash(&state->table, local, remote);

	if (find_port(&state->table, local->port) ||
	    tcp_table_find(&state->table, hash, local, remote))
		return false;
	return or_reusable || !tcp_timewait_find(&state->timewaits, hash, local, remote);
}

/*
 * RFC 6056, algorithm 4: the search begins at a place that only who knows the secret can foresee,
 * and goes on where the last one for such a destination ended.
 */
int tcp_table_choose_port(struct tcp_socket *tcp)
{
	struct net *net = tcp_net(tcp);
	struct port_range range = ephemeral_ports(tcp);
	struct endpoint local = {.addr = tcp->inet.local.addr};
	uint32_t offset = tcp_secret_port_offset(net, &local.addr, &tcp->inet.remote);
	uint16_t *counter = &table_of(tcp)->port_counters[offset % TCP_PORT_COUNTERS];

	assert_always(range.count);
	for (uint32_t i = 0; i < 2 * range.count; i++) {
		local.port = (uint16_t)(range.lowest + (offset + (*counter)++) % range.count);
		if (!pair_is_free(tcp, &local, i >= range.count))
			continue;
		tcp->inet.local.port = local.port;
		return 0;
	}
	return -EADDRNOTAVAIL;
}

/* ---- Listeners ---- */

static uint32_t address_hash(const struct net_addr *address)
{
	return address->family == AF_UNSPEC ? 0 : hash_words(address->v4, 1, 0, 0);
}

/* bind lets sockets share a port by SO_REUSEADDR; of those, one may listen. */
static bool another_listens(const struct tcp_socket *tcp)
{
	const struct tcp_socket *other;

	list_for_each_entry(other, &tcp->port->sockets, port_link) {
		if (other != tcp && other->state == TCP_LISTEN &&
		    ends_meet(tcp, &tcp->inet.local, other) && !may_share(tcp, other))
			return true;
	}
	return false;
}

int tcp_table_enter_listener(struct tcp_socket *tcp)
{
	if (another_listens(tcp))
		return -EADDRINUSE;
	return hash_table_insert(&tcp->port->listeners, &tcp->listen->node,
				 address_hash(&tcp->inet.local.addr));
}

void tcp_table_remove_listener(struct tcp_socket *tcp)
{
	hash_table_remove(&tcp->port->listeners, &tcp->listen->node);
}

/* The listener of `port` at exactly `address`; of several, by SO_REUSEPORT, always the flow's. */
static struct tcp_socket *listener_at(const struct tcp_port *port, const struct net_addr *address,
				      uint32_t flow, int ifindex)
{
	struct tcp_socket *best = NULL;
	struct tcp_listener *listener;
	uint32_t equals = 0;

	hash_table_for_each(listener, &port->listeners, address_hash(address), node) {
		struct tcp_socket *tcp = listener->tcp;
		int device = tcp->inet.socket.bound_ifindex;

		if (!net_addr_equal(&tcp->inet.local.addr, address) ||
		    (device && ifindex && device != ifindex))
			continue;
		equals++;
		if (!best || hash_words(flow, equals, 0, 0) % equals == 0)
			best = tcp;
	}
	return best;
}

struct tcp_socket *tcp_table_listener(const struct tcp_table *table, uint32_t hash,
				      const struct endpoint *local, int ifindex)
{
	const struct net_addr any = {0};
	const struct tcp_port *port = find_port(table, local->port);
	struct tcp_socket *listener;

	if (!port || port->listeners.count == 0)
		return NULL;
	listener = listener_at(port, &local->addr, hash, ifindex);
	return listener ? listener : listener_at(port, &any, hash, ifindex);
}
