/* SOCK_DIAG about AF_UNIX: all sockets in some states, or one by its inode. */
#include "include/uapi/unix_diag.h"
#include "kernel/errno.h"
#include "kernel/fs/inode.h"
#include "kernel/string.h"
#include "net/netlink/diag.h"
#include "net/unix/unix_view.h"

#define PENDING_MAX 512    /* numbers in one message */
#define MESSAGE_ROOM 3072u /* bytes: more than one message with as many takes */

static void put_pending(struct netlink_writer *writer, const struct unix_view *view) NEEDS_NET_LOCK
{
	uint32_t numbers[PENDING_MAX];
	uint32_t count = unix_view_pending(view, numbers, PENDING_MAX);

	netlink_put(writer, UNIX_DIAG_ICONS, numbers, count * sizeof(*numbers));
}

static void put_place(struct netlink_writer *writer, const struct inode *inode)
{
	const struct unix_diag_vfs place = {.udiag_vfs_ino = (uint32_t)inode->number,
					    .udiag_vfs_dev = inode->filesystem};

	netlink_put(writer, UNIX_DIAG_VFS, &place, sizeof(place));
}

static void put_attributes(struct netlink_writer *writer, const struct unix_view *view,
			   uint32_t show) NEEDS_NET_LOCK
{
	const struct unix_diag_rqlen queues = {.udiag_rqueue = view->receive_queue,
					       .udiag_wqueue = view->send_queue};
	/* What waits in a queue counts for who has sent it. */
	const struct diag_queues memory = {.sent = view->socket->send_charged};

	if (show & UDIAG_SHOW_NAME && view->name_length)
		netlink_put(writer, UNIX_DIAG_NAME, view->name, view->name_length);
	if (show & UDIAG_SHOW_VFS && view->inode)
		put_place(writer, view->inode);
	if (show & UDIAG_SHOW_PEER && view->peer)
		netlink_put_u32(writer, UNIX_DIAG_PEER, (uint32_t)view->peer->inode_number);
	if (show & UDIAG_SHOW_ICONS && view->socket->listening)
		put_pending(writer, view);
	if (show & UDIAG_SHOW_RQLEN)
		netlink_put(writer, UNIX_DIAG_RQLEN, &queues, sizeof(queues));
	if (show & UDIAG_SHOW_MEMINFO)
		diag_put_memory(writer, UNIX_DIAG_MEMINFO, view->socket, &memory);
	netlink_put_u8(writer, UNIX_DIAG_SHUTDOWN, view->socket->shutdown);
	if (show & UDIAG_SHOW_UID)
		netlink_put_u32(writer, UNIX_DIAG_UID, view->socket->uid);
}

/* False: it did not fit. */
static bool put_socket(struct netlink_writer *writer, const struct nlmsghdr *header,
		       const struct unix_view *view, uint32_t show) NEEDS_NET_LOCK
{
	struct unix_diag_msg body = {.udiag_family = AF_UNIX,
				     .udiag_type = view->socket->type,
				     .udiag_state = view->state,
				     .udiag_ino = (uint32_t)view->socket->inode_number};

	diag_cookie(view->socket->inode_number, body.udiag_cookie);
	diag_begin(writer, header, &body, sizeof(body));
	put_attributes(writer, view, show);
	return netlink_end(writer);
}

/* ---- All ---- */

struct dump_visit {
	struct netlink_dump *dump;
	struct netlink_writer *writer;
};

/* position: the inode number of the last one that was told. */
static bool visit_for_dump(const struct unix_view *view, void *context) NEEDS_NET_LOCK
{
	const struct dump_visit *visit = context;
	const struct unix_diag_req *wanted = visit->dump->filter;

	if (wanted->udiag_states & 1u << view->state &&
	    !put_socket(visit->writer, &visit->dump->header, view, wanted->udiag_show))
		return false;
	visit->dump->position[0] = view->socket->inode_number;
	return true;
}

static bool fill_all(struct netlink_dump *dump, struct netlink_writer *writer) NEEDS_NET_LOCK
{
	struct dump_visit visit = {.dump = dump, .writer = writer};

	return unix_view_each(dump->net, dump->position[0], visit_for_dump, &visit);
}

/* ---- One ---- */

struct search {
	uint32_t number;
	struct unix_view view;
	bool found;
};

static bool visit_for_search(const struct unix_view *view, void *context)
{
	struct search *search = context;

	if ((uint32_t)view->socket->inode_number != search->number)
		return true;
	search->view = *view;
	search->found = true;
	return false;
}

static int tell_one(struct netlink_request *request,
		    const struct unix_diag_req *wanted) NEEDS_NET_LOCK
{
	const struct nlmsghdr header = netlink_answer_header(request, SOCK_DIAG_BY_FAMILY);
	struct search search = {.number = wanted->udiag_ino};
	struct netlink_writer writer;

	if (!wanted->udiag_ino)
		return -EINVAL;
	unix_view_each(request->net, 0, visit_for_search, &search);
	if (!search.found)
		return -ENOENT;
	if (!diag_is_named(search.view.socket->inode_number, wanted->udiag_cookie))
		return -ESTALE;
	struct sk_buff *skb = netlink_packet(request->net, MESSAGE_ROOM, &writer);

	if (!skb)
		return -ENOMEM;
	put_socket(&writer, &header, &search.view, wanted->udiag_show);
	netlink_send(request->from, skb, &writer);
	return 0;
}

int diag_unix(struct netlink_request *request)
{
	const struct netlink_message *message = request->message;
	struct unix_diag_req wanted;

	if (message->header.nlmsg_type == SOCK_DESTROY)
		return -EOPNOTSUPP;
	if (message->length < sizeof(wanted))
		return -EINVAL;
	memcpy(&wanted, message->payload, sizeof(wanted));
	if (message->header.nlmsg_flags & NLM_F_DUMP)
		return diag_dump(request, fill_all, &wanted, sizeof(wanted));
	return tell_one(request, &wanted);
}
