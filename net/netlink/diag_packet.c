/* SOCK_DIAG about AF_PACKET: all sockets, with their memberships, rings and filters. */
#include "include/uapi/packet_diag.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/core/packet_private.h"
#include "net/core/packet_ring.h"
#include "net/core/socket_filter.h"
#include "net/netlink/diag.h"

static void put_info(struct netlink_writer *writer, const struct packet_socket *packet)
{
	const struct packet_diag_info info = {
		.pdi_index = (uint32_t)packet->ifindex,
		.pdi_version = packet->version,
		.pdi_reserve = packet->reserve,
		.pdi_flags = (packet->protocol ? PDI_RUNNING : 0) |
			     (packet->auxdata ? PDI_AUXDATA : 0) |
			     (packet->origin_device ? PDI_ORIGDEV : 0),
	};

	netlink_put(writer, PACKET_DIAG_INFO, &info, sizeof(info));
	netlink_put_u32(writer, PACKET_DIAG_UID, packet->socket.uid);
}

static void put_memberships(struct netlink_writer *writer, const struct packet_socket *packet)
{
	const struct packet_membership *membership;
	size_t list = netlink_begin_nest(writer, PACKET_DIAG_MCLIST);

	list_for_each_entry(membership, &packet->memberships, link) {
		bool named = membership->type == PACKET_MR_MULTICAST;
		struct packet_diag_mclist entry = {.pdmc_index = (uint32_t)membership->ifindex,
						   .pdmc_count = membership->users,
						   .pdmc_type = membership->type,
						   .pdmc_alen = named ? MAC_LENGTH : 0};

		memcpy(entry.pdmc_addr, membership->mac.bytes, MAC_LENGTH);
		netlink_put_bytes(writer, &entry, sizeof(entry));
	}
	netlink_end_nest(writer, list);
}

static void put_ring(struct netlink_writer *writer, const struct packet_ring *ring)
{
	const struct packet_diag_ring shape = {
		.pdr_block_size = ring->block_size,
		.pdr_block_nr = ring->block_count,
		.pdr_frame_size = ring->frame_size,
		.pdr_frame_nr = ring->frame_count,
		.pdr_retire_tmo = ring->version == TPACKET_V3
					  ? (uint32_t)(ring->patience_us / USEC_PER_MSEC)
					  : 0,
		.pdr_sizeof_priv = ring->private_size,
	};

	netlink_put(writer, PACKET_DIAG_RX_RING, &shape, sizeof(shape));
}

/* Programs tell what somebody looks for: for those who may look, too. */
static void put_filter(struct netlink_writer *writer, const struct socket_filter *filter)
{
	if (filter)
		netlink_put(writer, PACKET_DIAG_FILTER, filter->program,
			    filter->count * sizeof(*filter->program));
}

/* What is asked for, and whether the asker may see filters. */
struct packet_wanted {
	struct packet_diag_req request;
	bool privileged;
};

/* False: it did not fit. */
static bool put_socket(const struct netlink_dump *dump, struct netlink_writer *writer,
		       const struct packet_socket *packet) NEEDS_NET_LOCK
{
	const struct packet_wanted *wanted = dump->filter;
	uint32_t show = wanted->request.pdiag_show;
	const struct socket *socket = &packet->socket;
	const struct diag_queues queues = {.received = socket->receive_queue.truesize,
					   .sent = socket->send_charged};
	struct packet_diag_msg body = {.pdiag_family = AF_PACKET,
				       .pdiag_type = socket->type,
				       .pdiag_num = packet->protocol,
				       .pdiag_ino = (uint32_t)socket->inode_number};

	diag_cookie(socket->inode_number, body.pdiag_cookie);
	diag_begin(writer, &dump->header, &body, sizeof(body));
	if (show & PACKET_SHOW_INFO)
		put_info(writer, packet);
	if (show & PACKET_SHOW_MCLIST)
		put_memberships(writer, packet);
	if (show & PACKET_SHOW_RING_CFG && packet->ring)
		put_ring(writer, packet->ring);
	if (show & PACKET_SHOW_MEMINFO)
		diag_put_memory(writer, PACKET_DIAG_MEMINFO, socket, &queues);
	if (show & PACKET_SHOW_FILTER && wanted->privileged)
		put_filter(writer, socket->filter);
	return netlink_end(writer);
}

/* position: the inode number of the last one that was told. */
static bool fill_all(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK
{
	const struct packet_socket *packet;

	list_for_each_entry(packet, packet_sockets(dump->net), socket.link) {
		if (packet->socket.inode_number <= dump->position[0])
			continue;
		if (!put_socket(dump, writer, packet))
			return false;
		dump->position[0] = packet->socket.inode_number;
	}
	return true;
}

int diag_packet(struct netlink_request *request)
{
	const struct netlink_message *message = request->message;
	struct packet_wanted wanted = {.privileged = netlink_check_permission() == 0};

	if (message->header.nlmsg_type == SOCK_DESTROY)
		return -EOPNOTSUPP;
	if (message->length < sizeof(wanted.request))
		return -EINVAL;
	memcpy(&wanted.request, message->payload, sizeof(wanted.request));
	if (wanted.request.sdiag_protocol)
		return -EINVAL;
	if (!(message->header.nlmsg_flags & NLM_F_DUMP))
		return -EOPNOTSUPP;
	return diag_dump(request, fill_all, &wanted, sizeof(wanted));
}
