/* How AF_PACKET sockets send: packet(7). */
#include "include/uapi/if_arp.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/core/packet_private.h"

#define VLAN_TAG 4

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
	target->protocol = get_be16(&address.sll_protocol);
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
	if (length > dev->mtu + (raw ? PACKET_ETHERNET_HEADER + VLAN_TAG : 0))
		return -EMSGSIZE;
	return raw && length < PACKET_ETHERNET_HEADER ? -EINVAL : 0;
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
		skb_pull(skb, PACKET_ETHERNET_HEADER);
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

int64_t packet_sendmsg(struct socket *socket, struct message *message)
{
	struct packet_target target;

	net_lock(socket->net);
	int error = find_target(socket, message, message->iov.remaining, &target);

	net_unlock(socket->net);
	return error ? error : socket_send_datagram(socket, message, transmit);
}
