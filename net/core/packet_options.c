/* Options of AF_PACKET sockets: memberships, statistics, auxiliary data. packet(7). */
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "net/core/packet_private.h"
#include "net/core/packet_ring.h"

#define RESERVE_MAX 32768 /* so that 16 bits tell where a packet begins behind it */

/* Asks the device for what the membership needs (join), or no longer needs. */
static int apply(struct net_device *dev, const struct packet_membership *membership,
		 bool join) NEEDS_NET_LOCK
{
	switch (membership->type) {
	case PACKET_MR_PROMISC:
		netdev_promiscuous(dev, join ? 1 : -1);
		return 0;
	case PACKET_MR_ALLMULTI:
		netdev_all_multicast(dev, join ? 1 : -1);
		return 0;
	default:
		if (join)
			return netdev_multicast_join(dev, membership->mac);
		netdev_multicast_leave(dev, membership->mac);
		return 0;
	}
}

static struct packet_membership *find(struct packet_socket *packet,
				      const struct packet_membership *like)
{
	struct packet_membership *membership;

	list_for_each_entry(membership, &packet->memberships, link) {
		if (membership->ifindex == like->ifindex && membership->type == like->type &&
		    mac_equal(membership->mac, like->mac))
			return membership;
	}
	return NULL;
}

static void leave(struct net *net, struct packet_membership *membership) NEEDS_NET_LOCK
{
	struct net_device *dev = netdev_by_index(net, membership->ifindex);

	if (dev)
		apply(dev, membership, false);
	list_remove(&membership->link);
	kfree(membership);
}

void packet_drop_memberships(struct packet_socket *packet)
{
	struct packet_membership *membership, *next;

	list_for_each_entry_safe(membership, next, &packet->memberships, link)
		leave(packet->socket.net, membership);
}

/* The process's request as a membership, checked. */
static int parse(const void *value, uint32_t length, struct packet_membership *membership)
{
	struct packet_mreq request;

	if (length < sizeof(request))
		return -EINVAL;
	memcpy(&request, value, sizeof(request));
	if (request.mr_type >
	    PACKET_MR_ALLMULTI) /* PACKET_MR_UNICAST would need a filter for a second address */
		return -EOPNOTSUPP;
	*membership = (struct packet_membership){.ifindex = request.mr_ifindex,
						 .type = request.mr_type};
	if (request.mr_type != PACKET_MR_MULTICAST)
		return 0;
	if (request.mr_alen != MAC_LENGTH)
		return -EINVAL;
	memcpy(membership->mac.bytes, request.mr_address, MAC_LENGTH);
	return mac_is_multicast(membership->mac) ? 0 : -EINVAL;
}

static int join_group(struct packet_socket *packet, const void *value,
		      uint32_t length) NEEDS_NET_LOCK
{
	struct packet_membership request;
	int error = parse(value, length, &request);

	if (error)
		return error;
	struct net_device *dev = netdev_by_index(packet->socket.net, request.ifindex);

	if (!dev)
		return -ENODEV;
	struct packet_membership *membership = find(packet, &request);

	if (membership) {
		membership->users++;
		return 0;
	}
	membership = kmalloc(sizeof(*membership));
	if (!membership)
		return -ENOBUFS;
	*membership = request;
	membership->users = 1;
	error = apply(dev, membership, true);
	if (error) {
		kfree(membership);
		return -ENOBUFS;
	}
	list_append(&packet->memberships, &membership->link);
	return 0;
}

static int leave_group(struct packet_socket *packet, const void *value,
		       uint32_t length) NEEDS_NET_LOCK
{
	struct packet_membership request;
	int error = parse(value, length, &request);

	if (error)
		return error;
	struct packet_membership *membership = find(packet, &request);

	if (!membership)
		return -EADDRNOTAVAIL;
	if (--membership->users == 0)
		leave(packet->socket.net, membership);
	return 0;
}

/* What a ring looks like is said before it is made. */
static int set_ring_number(struct packet_socket *packet, int option, const void *value,
			   uint32_t length) NEEDS_NET_LOCK
{
	int32_t number;

	if (length != sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	if (packet->ring)
		return -EBUSY;
	if (number < 0 || number > (option == PACKET_VERSION ? TPACKET_V3 : RESERVE_MAX))
		return -EINVAL;
	if (option == PACKET_VERSION)
		packet->version = (uint8_t)number;
	else
		packet->reserve = (uint32_t)number;
	return 0;
}

/* 0: the time by this machine's clock. No device here has one of its own. */
static int set_timestamp(const void *value, uint32_t length)
{
	int32_t number;

	if (length != sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	return number == 0 ? 0 : -EOPNOTSUPP;
}

static int set_switch(bool *to, const void *value, uint32_t length)
{
	int32_t number;

	if (length < sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	*to = number != 0;
	return 0;
}

int packet_setsockopt(struct socket *socket, int level, int option, const void *value,
		      uint32_t length)
{
	struct packet_socket *packet = packet_socket_of(socket);

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	switch (option) {
	case PACKET_ADD_MEMBERSHIP:
		return join_group(packet, value, length);
	case PACKET_DROP_MEMBERSHIP:
		return leave_group(packet, value, length);
	case PACKET_AUXDATA:
		return set_switch(&packet->auxdata, value, length);
	case PACKET_IGNORE_OUTGOING:
		return set_switch(&packet->ignore_outgoing, value, length);
	case PACKET_ORIGDEV:
		return set_switch(&packet->origin_device, value, length);
	case PACKET_QDISC_BYPASS:
		return set_switch(&packet->bypass_queue, value, length);
	case PACKET_VERSION:
	case PACKET_RESERVE:
		return set_ring_number(packet, option, value, length);
	case PACKET_TIMESTAMP:
		return set_timestamp(value, length);
	case PACKET_RX_RING:
		return packet_ring_set(packet, value, length);
	default:
		return -ENOPROTOOPT;
	}
}

static int answer(void *value, uint32_t *length, const void *from, size_t size)
{
	*length = MIN(*length, (uint32_t)size);
	memcpy(value, from, *length);
	return 0;
}

/* Reading the statistics starts them anew. */
static int take_statistics(struct packet_socket *packet, void *value, uint32_t *length)
{
	const struct tpacket_stats_v3 statistics = {
		.tp_packets = packet->seen,
		.tp_drops = packet->dropped,
		.tp_freeze_q_cnt = packet->frozen,
	};

	packet->seen = packet->dropped = packet->frozen = 0;
	return answer(value, length, &statistics,
		      packet->version == TPACKET_V3 ? sizeof(statistics)
						    : sizeof(struct tpacket_stats));
}

/* PACKET_HDRLEN: the version is in the value. */
static int tell_header_length(void *value, uint32_t *length)
{
	int32_t version, header;

	if (*length < sizeof(version))
		return -EINVAL;
	memcpy(&version, value, sizeof(version));
	if (version != TPACKET_V2 && version != TPACKET_V3)
		return -EINVAL;
	header = (int32_t)packet_ring_header((uint8_t)version);
	return answer(value, length, &header, sizeof(header));
}

int packet_getsockopt(struct socket *socket, int level, int option, void *value, uint32_t *length)
{
	struct packet_socket *packet = packet_socket_of(socket);
	int32_t number;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	switch (option) {
	case PACKET_STATISTICS:
		return take_statistics(packet, value, length);
	case PACKET_HDRLEN:
		return tell_header_length(value, length);
	case PACKET_AUXDATA:
		number = packet->auxdata;
		break;
	case PACKET_IGNORE_OUTGOING:
		number = packet->ignore_outgoing;
		break;
	case PACKET_ORIGDEV:
		number = packet->origin_device;
		break;
	case PACKET_QDISC_BYPASS:
		number = packet->bypass_queue;
		break;
	case PACKET_VERSION:
		number = packet->version;
		break;
	case PACKET_RESERVE:
		number = (int32_t)packet->reserve;
		break;
	case PACKET_TIMESTAMP:
		number = 0;
		break;
	default:
		return -ENOPROTOOPT;
	}
	return answer(value, length, &number, sizeof(number));
}
