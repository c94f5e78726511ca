/* The sockets of AF_NETLINK: their ports, sending to the kernel, receiving. See netlink.h. */
#include "net/netlink/netlink.h"

#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/procfs/procfs.h"
#include "kernel/string.h"
#include "kernel/user.h"
#include "net/netlink/diag.h"
#include "net/netlink/netlink_private.h"
#include "net/netlink/rtnetlink.h"

/* Ports that are nobody's process id: above the first, below the second. */
#define CHOSEN_PORT_FIRST 0x80000000u
#define CHOSEN_PORT_LAST 0xfffff000u
#define DATAGRAM_OVERHEAD 32u /* of the send buffer, not for the message */

static struct netlink_protocol *find_protocol(struct net *net, int number)
{
	struct netlink_protocol *protocol;

	list_for_each_entry(protocol, &netlink_state_of(net)->protocols, link) {
		if (protocol->number == number)
			return protocol;
	}
	return NULL;
}

void netlink_protocol_register(struct net *net, struct netlink_protocol *protocol)
{
	list_append(&netlink_state_of(net)->protocols, &protocol->link);
}

static int netlink_open(struct socket *socket) NEEDS_NET_LOCK
{
	struct netlink_socket *netlink = netlink_socket_of(socket);

	netlink->protocol = find_protocol(socket->net, socket->protocol);
	list_append(&netlink_state_of(socket->net)->sockets, &socket->link);
	return 0;
}

static void netlink_close(struct socket *socket) NEEDS_NET_LOCK
{
	netlink_dump_stop(netlink_socket_of(socket));
	list_remove(&socket->link);
}

/* ---- Ports ---- */

static bool port_taken(const struct netlink_socket *wanted, uint32_t port) NEEDS_NET_LOCK
{
	const struct netlink_socket *netlink;

	list_for_each_entry(netlink, &netlink_state_of(wanted->socket.net)->sockets, socket.link) {
		if (netlink->protocol == wanted->protocol && netlink->port == port)
			return true;
	}
	return false;
}

/* netlink(7): the process's id for its first socket, and for the others any number. */
static void choose_port(struct netlink_socket *netlink) NEEDS_NET_LOCK
{
	struct netlink_state *state = netlink_state_of(netlink->socket.net);
	struct ucred owner;

	if (netlink->port)
		return;
	user_credentials(&owner);
	if (owner.pid && !port_taken(netlink, (uint32_t)owner.pid)) {
		netlink->port = (uint32_t)owner.pid;
		return;
	}
	do {
		if (state->next_port < CHOSEN_PORT_FIRST || state->next_port > CHOSEN_PORT_LAST)
			state->next_port = CHOSEN_PORT_FIRST;
		state->next_port++;
	} while (port_taken(netlink, state->next_port));
	netlink->port = state->next_port;
}

static int read_name(const struct sockaddr_storage *name, uint32_t length, struct sockaddr_nl *to)
{
	if (length < sizeof(*to))
		return -EINVAL;
	memcpy(to, name, sizeof(*to));
	return to->nl_family == AF_NETLINK ? 0 : -EINVAL;
}

static int netlink_bind(struct socket *socket, const struct sockaddr_storage *name,
			uint32_t length) NEEDS_NET_LOCK
{
	struct netlink_socket *netlink = netlink_socket_of(socket);
	struct sockaddr_nl address;
	int error = read_name(name, length, &address);

	if (error)
		return error;
	if (address.nl_groups && !netlink->protocol->groups)
		return -EINVAL;
	if (netlink->port && address.nl_pid != netlink->port)
		return -EINVAL;
	if (!netlink->port && address.nl_pid && port_taken(netlink, address.nl_pid))
		return -EADDRINUSE;
	if (address.nl_pid)
		netlink->port = address.nl_pid;
	choose_port(netlink);
	netlink->groups = (netlink->groups & ~(uint64_t)UINT32_MAX) | address.nl_groups;
	return 0;
}

/* Processes do not write to one another here: EPERM, as for an unprivileged one on Linux. */
static int check_destination(const struct sockaddr_nl *address)
{
	return address->nl_pid || address->nl_groups ? -EPERM : 0;
}

static int netlink_connect(struct socket *socket, const struct sockaddr_storage *name,
			   uint32_t length) NEEDS_NET_LOCK
{
	struct sockaddr_nl address;
	int error = read_name(name, length, &address);

	if (!error)
		error = check_destination(&address);
	if (!error)
		choose_port(netlink_socket_of(socket));
	return error;
}

/* Connected to the kernel or not: there is nobody else. */
static int netlink_disconnect(struct socket *socket __unused) NEEDS_NET_LOCK
{
	return 0;
}

static int netlink_name(struct socket *socket, bool peer, struct sockaddr_storage *name,
			uint32_t *length) NEEDS_NET_LOCK
{
	const struct netlink_socket *netlink = netlink_socket_of(socket);
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};

	if (!peer) {
		address.nl_pid = netlink->port;
		address.nl_groups = (uint32_t)netlink->groups;
	}
	memcpy(name, &address, sizeof(address));
	*length = sizeof(address);
	return 0;
}

/* ---- Sending and receiving ---- */

static int prepare_to_send(struct socket *socket, const struct message *message)
{
	struct sockaddr_nl address;
	int error = 0;

	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (message->name_length)
		error = read_name(&message->name, message->name_length, &address);
	if (!error && message->name_length)
		error = check_destination(&address);
	if (error)
		return error;
	if (message->iov.remaining + DATAGRAM_OVERHEAD > (uint32_t)socket->send_buffer)
		return -EMSGSIZE;
	net_lock(socket->net);
	choose_port(netlink_socket_of(socket));
	net_unlock(socket->net);
	return 0;
}

static int64_t netlink_sendmsg(struct socket *socket, struct message *message)
{
	struct ucred sender;
	size_t length = message->iov.remaining;
	int error = prepare_to_send(socket, message);

	if (error || !length)
		return error;
	uint8_t *bytes = kmalloc(length);

	if (!bytes)
		return -ENOBUFS;
	error = iov_copy_from(&message->iov, bytes, length);
	if (!error) {
		user_credentials(&sender);
		netlink_serve(netlink_socket_of(socket), bytes, length, &sender);
	}
	kfree(bytes);
	return error ? error : (int64_t)length;
}

static void tell_source(const struct socket *socket, struct sk_buff *skb, struct message *message)
{
	static const struct ucred kernel;
	const struct netlink_socket *netlink = netlink_socket_of((struct socket *)socket);
	uint32_t group = NETLINK_CONTROL(skb)->group;
	const struct nl_pktinfo info = {.group = group};
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};

	if (group && group <= 32)
		address.nl_groups = 1u << (group - 1);
	memcpy(&message->name, &address, sizeof(address));
	message->name_length = sizeof(address);
	if (netlink->packet_info)
		message_put_control(message, SOL_NETLINK, NETLINK_PKTINFO, &info, sizeof(info));
	if (socket->passcred)
		message_put_control(message, SOL_SOCKET, SCM_CREDENTIALS, &kernel, sizeof(kernel));
}

/* The process has taken a packet, or heard that one was lost: there may be room for more. */
static void note_taken(struct netlink_socket *netlink)
{
	net_lock(netlink->socket.net);
	netlink_dump_continue(netlink);
	if (!netlink->socket.receive_queue.length)
		netlink->congested = false;
	net_unlock(netlink->socket.net);
}

static void note_room(struct netlink_socket *netlink, size_t room)
{
	net_lock(netlink->socket.net);
	netlink->largest_room = MAX(netlink->largest_room, room);
	net_unlock(netlink->socket.net);
}

static int64_t netlink_recvmsg(struct socket *socket, struct message *message)
{
	struct netlink_socket *netlink = netlink_socket_of(socket);
	struct sk_buff *skb;

	if (message->flags & (MSG_OOB | MSG_ERRQUEUE))
		return -EOPNOTSUPP;
	note_room(netlink, message->iov.remaining);
	int error = socket_wait_receive(socket, message->flags, &skb);

	if (error == -ENOBUFS || (!error && !(message->flags & MSG_PEEK)))
		note_taken(netlink);
	if (error)
		return error;
	size_t whole = skb->len, copied = MIN(whole, message->iov.remaining);

	error = skb_copy_to_iov(skb, 0, &message->iov, copied);
	if (!error) {
		if (copied < whole)
			message->flags_out |= MSG_TRUNC;
		tell_source(socket, skb, message);
	}
	skb_free(skb);
	if (error)
		return error;
	return (int64_t)(message->flags & MSG_TRUNC ? whole : copied);
}

/* ---- The family ---- */

static const struct socket_ops netlink_ops = {
	.size = sizeof(struct netlink_socket),
	.open = netlink_open,
	.close = netlink_close,
	.bind = netlink_bind,
	.connect = netlink_connect,
	.disconnect = netlink_disconnect,
	.name = netlink_name,
	.sendmsg = netlink_sendmsg,
	.recvmsg = netlink_recvmsg,
	.setsockopt = netlink_setsockopt,
	.getsockopt = netlink_getsockopt,
};

static const struct socket_ops *netlink_find(struct net *net, int type, int *protocol, int *error)
{
	if (type != SOCK_RAW && type != SOCK_DGRAM) {
		*error = -ESOCKTNOSUPPORT;
		return NULL;
	}
	if (find_protocol(net, *protocol))
		return &netlink_ops;
	*error = -EPROTONOSUPPORT;
	return NULL;
}

int netlink_init(struct net *net)
{
	struct netlink_state *state = kzalloc(sizeof(*state));

	if (!state)
		return -ENOMEM;
	list_init(&state->protocols);
	list_init(&state->sockets);
	state->family = (struct socket_family){.family = AF_NETLINK, .find = netlink_find};
	net->state[NET_STATE_NETLINK] = state;
	socket_family_register(net, &state->family);
	int error = rtnetlink_init(net);

	if (!error)
		error = diag_init(net);
	if (error)
		netlink_destroy(net);
	return error;
}

void netlink_destroy(struct net *net)
{
	struct netlink_state *state = netlink_state_of(net);

	if (net->state[NET_STATE_DIAG])
		diag_destroy(net);
	if (net->state[NET_STATE_RTNETLINK])
		rtnetlink_destroy(net);
	list_remove(&state->family.link);
	net->state[NET_STATE_NETLINK] = NULL;
	kfree(state);
}

static void show_sockets(struct text *text, void *context)
{
	struct net *net = context;
	const struct netlink_socket *netlink;

	text_printf(text,
		    "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    "
		    "Drops    Inode\n");
	net_lock(net);
	list_for_each_entry(netlink, &netlink_state_of(net)->sockets, socket.link) {
		const struct socket *socket = &netlink->socket;

		text_printf(text, "%016x %-3d %-10u %08x %-8u %-8u %-5d %-8u %-8llu %-8llu\n", 0,
			    socket->protocol, netlink->port, (uint32_t)netlink->groups,
			    socket->receive_queue.truesize, socket->send_charged, netlink->dumping,
			    socket->references, (unsigned long long)socket->drops,
			    (unsigned long long)socket->inode_number);
	}
	net_unlock(net);
}

int netlink_proc_init(struct net *net)
{
	return proc_register("net/netlink", show_sockets, net);
}
