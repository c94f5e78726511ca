/* What AF_INET sockets share: names, binding, connecting. */
#include "net/ipv4/inet_socket.h"

#include "include/uapi/capability.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "kernel/user.h"
#include "net/ipv4/ipv4_state.h"

void inet_socket_open(struct inet_socket *inet)
{
	inet->family = &ip4_inet_family;
	inet->ttl = -1;
	inet->mtu_discover = IP_PMTUDISC_WANT;
	inet->multicast_ttl = IP_DEFAULT_MULTICAST_TTL;
	inet->multicast_loop = IP_DEFAULT_MULTICAST_LOOP;
	inet->multicast_all = true;
	list_init(&inet->memberships);
}

void inet_socket_close(struct inet_socket *inet)
{
	inet_leave_all_groups(inet);
}

int inet_read_name(const struct sockaddr_storage *name, uint32_t length, struct endpoint *to)
{
	struct sockaddr_in in;

	if (length < sizeof(in))
		return -EINVAL;
	memcpy(&in, name, sizeof(in));
	if (in.sin_family != AF_INET)
		return -EAFNOSUPPORT;

	ip4_t address = be32_to_cpu(in.sin_addr.s_addr);

	*to = (struct endpoint){.port = be16_to_cpu(in.sin_port)};
	if (address != IP4_ANY)
		to->addr = net_addr_ip4(address);
	return 0;
}

void inet_write_name(const struct endpoint *from, struct sockaddr_storage *name, uint32_t *length)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = cpu_to_be16(from->port),
	};

	if (from->addr.family == AF_INET)
		in.sin_addr.s_addr = cpu_to_be32(from->addr.v4);
	memcpy(name, &in, sizeof(in));
	*length = sizeof(in);
}

/* RFC 1122 4.1.3.5, RFC1122-14 */
int inet_name(struct socket *socket, bool peer, struct sockaddr_storage *name, uint32_t *length)
{
	const struct inet_socket *inet = inet_socket(socket);

	if (peer && !inet_connected(inet))
		return -ENOTCONN;
	inet_write_name(peer ? &inet->remote : &inet->local, name, length);
	return 0;
}

int inet_shutdown(struct socket *socket, int how)
{
	/* SHUT_RD 0, SHUT_WR 1, SHUT_RDWR 2 are one less than the bits they stand for. */
	socket->shutdown |= (uint8_t)(how + 1);
	socket_wake(socket, POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
	return inet_connected(inet_socket(socket)) ? 0 : -ENOTCONN;
}

/* RFC 1122 4.1.3.6, RFC1122-16 */
int inet_check_bind(const struct inet_socket *inet, const struct endpoint *local)
{
	if (local->addr.family == AF_UNSPEC || inet->free_bind)
		return 0;
	return inet->family->is_local(inet->socket.net, local->addr) ? 0 : -EADDRNOTAVAIL;
}

int inet_check_port(const struct endpoint *local)
{
	bool reserved = local->port > 0 && local->port < PORTS_RESERVED;

	return reserved && !user_may(CAP_NET_BIND_SERVICE) ? -EACCES : 0;
}

int inet_connect(struct inet_socket *inet, const struct endpoint *remote)
{
	struct net_addr source = inet->address_bound ? inet->local.addr : (struct net_addr){0};
	struct endpoint to = *remote;
	struct inet_route route;

	/* ip(7): connecting to 0.0.0.0 is connecting to this host. */
	if (to.addr.family == AF_UNSPEC)
		to.addr = source.family ? source : net_addr_ip4(IP4_LOOPBACK);

	int error = inet->family->route(inet->socket.net, to.addr, source,
					inet->socket.bound_ifindex, &route);

	if (error)
		return error;
	if (route.broadcast && !inet->socket.broadcast)
		return -EACCES;
	inet->remote = to;
	if (!inet->address_bound)
		inet->local.addr = route.source;
	return 0;
}

void inet_disconnect(struct inet_socket *inet)
{
	inet->remote = (struct endpoint){0};
	if (!inet->address_bound)
		inet->local.addr = (struct net_addr){0};
}

void inet_kind_register(struct net *net, struct inet_kind *kind)
{
	list_append(&ip4_stack(net)->kinds, &kind->link);
}
