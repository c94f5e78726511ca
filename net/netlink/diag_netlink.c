/* SOCK_DIAG about AF_NETLINK itself: who talks with the kernel, and which groups hear. */
#include "include/uapi/netlink_diag.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/netlink/diag.h"
#include "net/netlink/netlink_private.h"

static uint32_t flags_of(const struct netlink_socket *netlink)
{
	return (netlink->dumping ? NDIAG_FLAG_CB_RUNNING : 0) |
	       (netlink->packet_info ? NDIAG_FLAG_PKTINFO : 0) |
	       (netlink->no_enobufs ? NDIAG_FLAG_NO_ENOBUFS : 0) |
	       (netlink->cap_ack ? NDIAG_FLAG_CAP_ACK : 0);
}

/* False: it did not fit. */
static bool put_socket(const struct netlink_dump *dump, struct netlink_writer *writer,
		       const struct netlink_socket *netlink) NEEDS_NET_LOCK
{
	const struct netlink_diag_req *wanted = dump->filter;
	const struct socket *socket = &netlink->socket;
	const struct diag_queues queues = {.received = socket->receive_queue.truesize,
					   .sent = socket->send_charged};
	struct netlink_diag_msg body = {.ndiag_family = AF_NETLINK,
					.ndiag_type = socket->type,
					.ndiag_protocol = (uint8_t)socket->protocol,
					.ndiag_portid = netlink->port,
					.ndiag_ino = (uint32_t)socket->inode_number};

	diag_cookie(socket->inode_number, body.ndiag_cookie);
	diag_begin(writer, &dump->header, &body, sizeof(body));
	if (wanted->ndiag_show & NDIAG_SHOW_GROUPS && netlink->protocol->groups)
		netlink_put(writer, NETLINK_DIAG_GROUPS, &netlink->groups, sizeof(netlink->groups));
	if (wanted->ndiag_show & NDIAG_SHOW_MEMINFO)
		diag_put_memory(writer, NETLINK_DIAG_MEMINFO, socket, &queues);
	if (wanted->ndiag_show & NDIAG_SHOW_FLAGS)
		netlink_put_u32(writer, NETLINK_DIAG_FLAGS, flags_of(netlink));
	return netlink_end(writer);
}

/* position: the inode number of the last one that was told. */
static bool fill_all(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK
{
	const struct netlink_diag_req *wanted = dump->filter;
	const struct netlink_socket *netlink;

	list_for_each_entry(netlink, &netlink_state_of(dump->net)->sockets, socket.link) {
		const struct socket *socket = &netlink->socket;

		if (socket->inode_number <= dump->position[0])
			continue;
		if ((wanted->sdiag_protocol == NDIAG_PROTO_ALL ||
		     wanted->sdiag_protocol == socket->protocol) &&
		    !put_socket(dump, writer, netlink))
			return false;
		dump->position[0] = socket->inode_number;
	}
	return true;
}

int diag_netlink(struct netlink_request *request)
{
	const struct netlink_message *message = request->message;
	struct netlink_diag_req wanted;

	if (message->header.nlmsg_type == SOCK_DESTROY)
		return -EOPNOTSUPP;
	if (message->length < sizeof(wanted))
		return -EINVAL;
	memcpy(&wanted, message->payload, sizeof(wanted));
	if (!(message->header.nlmsg_flags & NLM_F_DUMP))
		return -EOPNOTSUPP;
	return diag_dump(request, fill_all, &wanted, sizeof(wanted));
}
