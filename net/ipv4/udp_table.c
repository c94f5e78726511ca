/* UDP's hash tables. */
#include "net/ipv4/udp_table.h"

#include "net/ipv4/udp.h"

static uint32_t address_word(const struct net_addr *address)
{
	uint32_t word = 0;

	if (address->family == AF_INET)
		return address->v4;
	if (address->family == AF_UNSPEC)
		return 0;
	for (size_t i = 0; i < sizeof(address->v6); i += sizeof(word)) {
		uint32_t part;

		__builtin_memcpy(&part, address->v6 + i, sizeof(part));
		word = word * 31 + part;
	}
	return word;
}

static uint32_t address_hash(const struct udp_table *table, const struct endpoint *local)
{
	return hash_words(address_word(&local->addr), local->port, 0, table->secret);
}

static uint32_t connection_hash(const struct udp_table *table, const struct endpoint *local,
				const struct endpoint *remote)
{
	return hash_words(address_word(&local->addr), address_word(&remote->addr),
			  (uint32_t)local->port << 16 | remote->port, table->secret);
}

uint32_t udp_table_port_hash(const struct udp_table *table, uint16_t port)
{
	return hash_words(port, 0, 0, table->secret);
}

void udp_table_init(struct udp_table *table, uint32_t secret)
{
	table->secret = secret;
}

void udp_table_free(struct udp_table *table)
{
	hash_table_free(&table->by_port);
	hash_table_free(&table->by_connection);
	hash_table_free(&table->by_address);
	hash_table_free(&table->by_any);
}

void udp_table_remove(struct udp_table *table, struct udp_socket *socket)
{
	hash_table_remove(&table->by_port, &socket->by_port);
	if (socket->receiving_in)
		hash_table_remove(socket->receiving_in, &socket->inet.node);
	socket->receiving_in = NULL;
}

static int enter_to_receive(struct udp_table *table, struct udp_socket *socket)
{
	const struct endpoint *local = &socket->inet.local, *remote = &socket->inet.remote;
	uint32_t hash = address_hash(table, local);
	struct hash_table *in = &table->by_address;

	if (inet_connected(&socket->inet)) {
		in = &table->by_connection;
		hash = connection_hash(table, local, remote);
	} else if (local->addr.family == AF_UNSPEC) {
		in = &table->by_any;
	}
	socket->receiving_in = in;
	return hash_table_insert(in, &socket->inet.node, hash);
}

int udp_table_enter(struct udp_table *table, struct udp_socket *socket)
{
	int error;

	udp_table_remove(table, socket);
	error = hash_table_insert(&table->by_port, &socket->by_port,
				  udp_table_port_hash(table, socket->inet.local.port));
	if (!error)
		error = enter_to_receive(table, socket);
	if (error)
		udp_table_remove(table, socket);
	return error;
}

static bool addresses_meet(const struct net_addr *a, const struct net_addr *b)
{
	return a->family == AF_UNSPEC || b->family == AF_UNSPEC || net_addr_equal(a, b);
}

static bool devices_meet(const struct socket *a, const struct socket *b)
{
	return !a->bound_ifindex || !b->bound_ifindex || a->bound_ifindex == b->bound_ifindex;
}

static bool both_reuse(const struct socket *a, const struct socket *b)
{
	return (a->reuse_address && b->reuse_address) ||
	       (a->reuse_port && b->reuse_port && a->uid == b->uid);
}

bool udp_table_conflicts(const struct udp_table *table, const struct udp_socket *socket,
			 const struct endpoint *local)
{
	struct udp_socket *other;

	hash_table_for_each(other, &table->by_port, udp_table_port_hash(table, local->port),
			    by_port) {
		if (other == socket || other->inet.local.port != local->port)
			continue;
		if (devices_meet(&socket->inet.socket, &other->inet.socket) &&
		    addresses_meet(&local->addr, &other->inet.local.addr) &&
		    !both_reuse(&socket->inet.socket, &other->inet.socket))
			return true;
	}
	return false;
}

/* 0: not for this interface. A socket bound to it is preferred to one that is not bound. */
static int device_score(const struct udp_socket *socket, int ifindex)
{
	int bound = socket->inet.socket.bound_ifindex;

	if (!bound || !ifindex)
		return 1;
	return bound == ifindex ? 2 : 0;
}

/* Who is to receive what goes from one end to another, as far as one has looked. */
struct search {
	const struct udp_table *table;
	const struct endpoint *local, *remote;
	int ifindex; /* 0: any */
	struct udp_socket *best;
	int score;
	uint32_t equals; /* sharers of the best score so far */
};

/*
 * Of several that share an end by SO_REUSEPORT, each flow has its own; else the newest is the one.
 */
static void consider(struct search *search, struct udp_socket *socket)
{
	int score = device_score(socket, search->ifindex);

	if (score == 0 || score < search->score)
		return;
	if (score > search->score) {
		search->best = socket;
		search->score = score;
		search->equals = 1;
		return;
	}
	if (!socket->inet.socket.reuse_port || !search->best->inet.socket.reuse_port)
		return;
	/* A fair draw that the same flow always makes the same way. */
	uint32_t flow = connection_hash(search->table, search->local, search->remote);

	search->equals++;
	if (hash_words(flow, search->equals, 0, 0) % search->equals == 0)
		search->best = socket;
}

static void look_for_connected(struct search *search)
{
	const struct udp_table *table = search->table;
	const struct endpoint *local = search->local, *remote = search->remote;
	struct udp_socket *socket;

	if (table->by_connection.count == 0)
		return;
	hash_table_for_each(socket, &table->by_connection, connection_hash(table, local, remote),
			    inet.node) {
		if (socket->inet.local.port == local->port &&
		    socket->inet.remote.port == remote->port &&
		    net_addr_equal(&socket->inet.local.addr, &local->addr) &&
		    net_addr_equal(&socket->inet.remote.addr, &remote->addr))
			consider(search, socket);
	}
}

/* `bound` is by_address, or by_any with an end without address. */
static void look_for_bound(struct search *search, const struct hash_table *bound,
			   const struct endpoint *local)
{
	struct udp_socket *socket;

	if (bound->count == 0)
		return;
	hash_table_for_each(socket, bound, address_hash(search->table, local), inet.node) {
		if (socket->inet.local.port == local->port &&
		    net_addr_equal(&socket->inet.local.addr, &local->addr))
			consider(search, socket);
	}
}

struct udp_socket *udp_table_find(const struct udp_table *table, const struct endpoint *local,
				  const struct endpoint *remote, int ifindex)
{
	struct search search = {
		.table = table, .local = local, .remote = remote, .ifindex = ifindex};
	const struct endpoint any = {.port = local->port};

	look_for_connected(&search);
	if (!search.best)
		look_for_bound(&search, &table->by_address, local);
	if (!search.best)
		look_for_bound(&search, &table->by_any, &any);
	return search.best;
}
