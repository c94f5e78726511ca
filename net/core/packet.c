/*
 * AF_PACKET: sockets below IP. SOCK_RAW has frames with their link header, SOCK_DGRAM without.
 * packet(7).
 *
 * On lo, whose frames have no link header, SOCK_RAW sees an Ethernet header of zeroes with the
 * EtherType, as programs expect of Linux.
 */
#include "include/uapi/if_arp.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/fs/procfs.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "net/core/packet_private.h"

#define ETHERNET_HEADER 14
#define VLAN_TAG 4

struct packet_state {
	struct socket_family family;
	struct list_head sockets; /* struct packet_socket.socket.link */
};

static struct packet_state *state_of(struct net *net)
{
	return net->state[NET_STATE_PACKET];
}

/* sll_protocol and the argument of socket(2) hold 16 bits in network order. */
static uint16_t swap16(uint16_t x)
{
	return __builtin_bswap16(x);
}

static bool tap_wants(const struct packet_socket *packet, const struct net_device *dev,
		      const struct sk_buff *skb, bool outgoing)
{
	if (packet->ifindex && packet->ifindex != dev->ifindex)
		return false;
	if (packet->protocol == ETH_P_ALL)
		return !(outgoing && packet->ignore_outgoing);
	return packet->protocol == skb->protocol && !outgoing;
}

static void describe(const struct net_device *dev, const struct sk_buff *skb, bool outgoing,
		     struct packet_control *control)
{
	*control = (struct packet_control){
		.ifindex = dev->ifindex,
		.hardware_type = dev->type,
		.protocol = skb->protocol,
		.packet_type = outgoing ? SKB_OUTGOING : skb->packet_type,
		.checksum = skb->checksum,
	};
	if (dev->type == ARPHRD_ETHER && skb_linear_len(skb) >= ETHERNET_HEADER)
		memcpy(control->source.bytes, skb->data + MAC_LENGTH, MAC_LENGTH);
}

/* The packet begins where the socket's type says: with a link header, or behind it. */
static int fit_header(const struct packet_socket *packet, const struct net_device *dev,
		      struct sk_buff *skb)
{
	bool raw = packet->socket.type == SOCK_RAW;
	size_t header = MIN((size_t)dev->link_header_length, skb_linear_len(skb));

	PACKET_CONTROL(skb)->network_offset = raw ? (uint16_t)header : 0;
	if (!raw) {
		skb_pull(skb, header);
		return 0;
	}
	if (dev->type != ARPHRD_LOOPBACK)
		return 0;
	if (skb_ensure_headroom(skb, ETHERNET_HEADER))
		return -ENOMEM;
	uint8_t *bytes = skb_push(skb, ETHERNET_HEADER);

	memset(bytes, 0, ETHERNET_HEADER);
	put_be16(bytes + 2 * MAC_LENGTH, skb->protocol);
	PACKET_CONTROL(skb)->network_offset = ETHERNET_HEADER;
	return 0;
}

static void packet_frame(struct packet_tap *tap, struct net_device *dev, const struct sk_buff *skb,
			 bool outgoing) NEEDS_NET_LOCK
{
	struct packet_socket *packet = container_of(tap, struct packet_socket, tap);

	if (!tap_wants(packet, dev, skb, outgoing))
		return;
	packet->seen++;
	if (packet->socket.receive_queue.truesize >= (uint32_t)packet->socket.receive_buffer) {
		packet->dropped++; /* before a copy is made in vain */
		packet->socket.drops++;
		dev->net->drops[DROP_SOCKET_BUFFER_FULL]++;
		return;
	}
	struct sk_buff *clone = skb_clone(skb);

	if (!clone) {
		packet->dropped++;
		dev->net->drops[DROP_NO_MEMORY]++;
		return;
	}
	if (outgoing)
		clone->time_us = dev->net->timestamp_users ? net_now(dev->net) : 0;
	describe(dev, skb, outgoing, PACKET_CONTROL(clone));
	if (fit_header(packet, dev, clone)) {
		packet->dropped++;
		skb_drop(clone, DROP_NO_MEMORY);
		return;
	}
	socket_queue_receive(&packet->socket, clone);
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

/* Where a packet is to go. */
struct packet_target {
	int ifindex;
	uint16_t protocol;
	struct mac mac; /* SOCK_DGRAM */
};

static int choose_target(const struct packet_socket *packet, const struct message *message,
			 struct packet_target *target)
{
	struct sockaddr_ll address;

	*target = (struct packet_target){.ifindex = packet->ifindex, .protocol = packet->protocol};
	if (message->name_length == 0)
		return packet->socket.type == SOCK_DGRAM ? -EINVAL : 0;
	if (message->name_length < sizeof(address))
		return -EINVAL;
	memcpy(&address, &message->name, sizeof(address));
	if (address.sll_family != AF_PACKET)
		return -EINVAL;
	target->ifindex = address.sll_ifindex;
	target->protocol = swap16(address.sll_protocol);
	if (packet->socket.type == SOCK_DGRAM && address.sll_halen < MAC_LENGTH)
		return -EINVAL;
	memcpy(target->mac.bytes, address.sll_addr, MAC_LENGTH);
	return 0;
}

/* May a packet of this length leave there? `length`: as the process gives it. */
static int check_target(struct socket *socket, const struct packet_target *target,
			size_t length) NEEDS_NET_LOCK
{
	const struct net_device *dev = netdev_by_index(socket->net, target->ifindex);
	bool raw = socket->type == SOCK_RAW;

	if (!dev)
		return -ENXIO;
	if (!(dev->flags & IFF_UP))
		return -ENETDOWN;
	/* One VLAN tag more than the MTU allows may be sent, as on Linux. */
	if (length > dev->mtu + (raw ? ETHERNET_HEADER + VLAN_TAG : 0))
		return -EMSGSIZE;
	return raw && length < ETHERNET_HEADER ? -EINVAL : 0;
}

static int find_target(struct socket *socket, const struct message *message, size_t length,
		       struct packet_target *target) NEEDS_NET_LOCK
{
	int error = choose_target(packet_socket_of(socket), message, target);

	return error ? error : check_target(socket, target, length);
}

/* Gives the frame its link header, or finds the one that it has. */
static int add_link_header(struct socket *socket, struct net_device *dev, struct sk_buff *skb,
			   const struct packet_target *target) NEEDS_NET_LOCK
{
	skb->protocol = target->protocol;
	if (socket->type != SOCK_RAW) {
		if (!dev->link_type || !dev->link_type->push_header)
			return 0;
		return dev->link_type->push_header(dev, skb, target->protocol, target->mac);
	}
	skb->protocol = get_be16(skb->data + 2 * MAC_LENGTH);
	skb_mark_link_header(skb);
	if (dev->type == ARPHRD_LOOPBACK)
		skb_pull(skb, ETHERNET_HEADER);
	return 0;
}

/* Owns skb. */
static int transmit(struct socket *socket, const struct message *message,
		    struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct packet_target target;
	int error = find_target(socket, message, skb->len, &target); /* it may have gone since */

	struct net_device *dev = error ? NULL : netdev_by_index(socket->net, target.ifindex);

	if (!error)
		error = add_link_header(socket, dev, skb, &target);
	if (error)
		skb_free(skb);
	else
		dev_xmit(dev, skb);
	return error;
}

static int64_t packet_sendmsg(struct socket *socket, struct message *message)
{
	struct packet_target target;

	net_lock(socket->net);
	int error = find_target(socket, message, message->iov.remaining, &target);

	net_unlock(socket->net);
	return error ? error : socket_send_datagram(socket, message, transmit);
}

static void tell_source(const struct sk_buff *skb, struct message *message)
{
	const struct packet_control *control = PACKET_CONTROL((struct sk_buff *)skb);
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = swap16(control->protocol),
		.sll_ifindex = control->ifindex,
		.sll_hatype = control->hardware_type,
		.sll_pkttype = control->packet_type,
		.sll_halen = MAC_LENGTH,
	};

	memcpy(address.sll_addr, control->source.bytes, MAC_LENGTH);
	memcpy(&message->name, &address, sizeof(address));
	message->name_length = sizeof(address);
}

static uint32_t auxdata_status(uint8_t checksum)
{
	if (checksum == SKB_CHECKSUM_PARTIAL)
		return TP_STATUS_USER | TP_STATUS_CSUMNOTREADY;
	return checksum == SKB_CHECKSUM_VERIFIED ? TP_STATUS_USER | TP_STATUS_CSUM_VALID
						 : TP_STATUS_USER;
}

static void put_auxdata(const struct sk_buff *skb, struct message *message)
{
	const struct packet_control *control = PACKET_CONTROL((struct sk_buff *)skb);
	const struct tpacket_auxdata data = {
		.tp_status = auxdata_status(control->checksum),
		.tp_len = skb->len,
		.tp_snaplen = skb->len,
		.tp_net = control->network_offset,
	};

	message_put_control(message, SOL_PACKET, PACKET_AUXDATA, &data, sizeof(data));
}

static int64_t packet_recvmsg(struct socket *socket, struct message *message)
{
	const uint32_t known = MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC |
			       MSG_ERRQUEUE;
	struct sk_buff *skb;

	if (message->flags & ~known)
		return -EINVAL;
	if (message->flags & MSG_ERRQUEUE)
		return -EAGAIN; /* nothing ever goes there */
	int error = socket_wait_receive(socket, message->flags, &skb);

	if (error || !skb)
		return error;
	size_t whole = skb->len, copied = MIN(whole, message->iov.remaining);

	error = skb_copy_to_iov(skb, 0, &message->iov, copied);
	if (!error) {
		if (copied < whole)
			message->flags_out |= MSG_TRUNC;
		tell_source(skb, message);
		socket_put_timestamp(socket, skb, message);
		if (packet_socket_of(socket)->auxdata)
			put_auxdata(skb, message);
	}
	skb_free(skb);
	if (error)
		return error;
	return (int64_t)(message->flags & MSG_TRUNC ? whole : copied);
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
};

static const struct socket_ops *packet_find(struct net *net __unused, int type,
					    int *protocol __unused, int *error)
{
	if (type == SOCK_RAW || type == SOCK_DGRAM)
		return &packet_ops;
	*error = -ESOCKTNOSUPPORT;
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
