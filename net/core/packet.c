/*
 * AF_PACKET: sockets below IP. SOCK_RAW has frames with their link header, SOCK_DGRAM without.
 * packet(7).
 *
 *	packet_receive   which frames a socket gets, and how it sees them
 *	packet_send      the way out
 *	packet_options   memberships, statistics, and the other options
 *	packet_ring      received packets in memory that the process maps
 */
#include "include/uapi/capability.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/procfs/procfs.h"
#include "kernel/string.h"
#include "kernel/user.h"
#include "net/core/packet_private.h"
#include "net/core/packet_ring.h"

struct packet_state {
	struct socket_family family;
	struct list_head sockets; /* struct packet_socket.socket.link */
};

static struct packet_state *state_of(struct net *net)
{
	return net->state[NET_STATE_PACKET];
}

const struct list_head *packet_sockets(struct net *net)
{
	return &state_of(net)->sockets;
}

/* sll_protocol and the argument of socket(2) hold 16 bits in network order. */
static uint16_t swap16(uint16_t x)
{
	return __builtin_bswap16(x);
}

/* From now on receives `protocol` on `ifindex`. */
static void listen_to(struct packet_socket *packet, uint16_t protocol, int ifindex) NEEDS_NET_LOCK
{
	packet->protocol = protocol;
	packet->ifindex = ifindex;
	list_remove(&packet->tap.link);
	if (protocol)
		list_append(&packet->socket.net->taps, &packet->tap.link);
}

static int packet_open(struct socket *socket) NEEDS_NET_LOCK
{
	struct packet_socket *packet = packet_socket_of(socket);

	list_init(&packet->memberships);
	list_init(&packet->tap.link);
	packet->tap.frame = packet_frame;
	list_append(&state_of(socket->net)->sockets, &socket->link);
	listen_to(packet, swap16(socket->protocol), 0);
	return 0;
}

static void packet_close(struct socket *socket) NEEDS_NET_LOCK
{
	struct packet_socket *packet = packet_socket_of(socket);

	list_remove(&packet->tap.link);
	list_remove(&socket->link);
	packet_drop_memberships(packet);
	packet_ring_free(packet);
}

static uint32_t packet_ready(struct socket *socket) NEEDS_NET_LOCK
{
	const struct packet_ring *ring = packet_socket_of(socket)->ring;
	uint32_t ready = socket_datagram_ready(socket);

	return ring && packet_ring_readable(ring) ? ready | POLLIN | POLLRDNORM : ready;
}

static int packet_bind(struct socket *socket, const struct sockaddr_storage *name,
		       uint32_t length) NEEDS_NET_LOCK
{
	struct packet_socket *packet = packet_socket_of(socket);
	struct sockaddr_ll address;

	if (length < sizeof(address))
		return -EINVAL;
	memcpy(&address, name, sizeof(address));
	if (address.sll_family != AF_PACKET)
		return -EINVAL;
	const struct net_device *dev = netdev_by_index(socket->net, address.sll_ifindex);

	if (address.sll_ifindex && !dev)
		return -ENODEV;
	uint16_t protocol = address.sll_protocol ? swap16(address.sll_protocol) : packet->protocol;

	listen_to(packet, protocol, address.sll_ifindex);
	if (dev && protocol && !(dev->flags & IFF_UP)) /* told by the next call: packet(7) */
		socket_set_error(socket, ENETDOWN);
	return 0;
}

static int packet_name(struct socket *socket, bool peer, struct sockaddr_storage *name,
		       uint32_t *length) NEEDS_NET_LOCK
{
	const struct packet_socket *packet = packet_socket_of(socket);
	const struct net_device *dev = netdev_by_index(socket->net, packet->ifindex);
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = swap16(packet->protocol),
		.sll_ifindex = packet->ifindex,
	};

	if (peer)
		return -EOPNOTSUPP;
	if (dev) {
		address.sll_hatype = dev->type;
		address.sll_halen = MAC_LENGTH;
		memcpy(address.sll_addr, dev->mac.bytes, MAC_LENGTH);
	}
	memcpy(name, &address, sizeof(address));
	*length = sizeof(address);
	return 0;
}

static const struct socket_ops packet_ops = {
	.size = sizeof(struct packet_socket),
	.open = packet_open,
	.close = packet_close,
	.bind = packet_bind,
	.name = packet_name,
	.sendmsg = packet_sendmsg,
	.recvmsg = packet_recvmsg,
	.setsockopt = packet_setsockopt,
	.getsockopt = packet_getsockopt,
	.ready = packet_ready,
	.memory = packet_ring_memory,
};

static const struct socket_ops *packet_find(struct net *net __unused, int type,
					    int *protocol __unused, int *error)
{
	bool known = type == SOCK_RAW || type == SOCK_DGRAM;

	if (known && user_may(CAP_NET_RAW))
		return &packet_ops;
	*error = known ? -EPERM : -ESOCKTNOSUPPORT;
	return NULL;
}

int packet_init(struct net *net)
{
	struct packet_state *state = kzalloc(sizeof(*state));

	if (!state)
		return -ENOMEM;
	list_init(&state->sockets);
	state->family = (struct socket_family){.family = AF_PACKET, .find = packet_find};
	net->state[NET_STATE_PACKET] = state;
	socket_family_register(net, &state->family);
	return 0;
}

void packet_destroy(struct net *net)
{
	struct packet_state *state = state_of(net);

	list_remove(&state->family.link);
	net->state[NET_STATE_PACKET] = NULL;
	kfree(state);
}

static void show_sockets(struct text *text, void *context)
{
	struct net *net = context;
	struct socket *socket;

	text_printf(text, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n");
	net_lock(net);
	list_for_each_entry(socket, &state_of(net)->sockets, link) {
		const struct packet_socket *packet = packet_socket_of(socket);

		/*
		 * Kernel addresses are nobody's business: the first column is 0, as Linux shows it
		 * to strangers.
		 */
		text_printf(text, "%016x %-6u %-4d %04x   %-5d %1d %-6u %-6u %-6llu\n", 0,
			    socket->references, socket->type, packet->protocol, packet->ifindex,
			    packet->protocol != 0, socket->receive_queue.truesize, socket->uid,
			    (unsigned long long)socket->inode_number);
	}
	net_unlock(net);
}

int packet_proc_init(struct net *net)
{
	return proc_register("net/packet", show_sockets, net);
}
