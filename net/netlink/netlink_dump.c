/*
 * Dumps: long answers, made as they are read. Each piece is as long as what the process reads at
 * once, and the next one waits until half of the receive buffer is free.
 */
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "net/netlink/netlink_private.h"

#define PIECE_MIN 4096u  /* what every reader is known to have room for */
#define PIECE_MAX 32768u /* bytes made under one hold of the lock */
/* Where one message needs more: a packet socket with the longest filter. */
#define MESSAGE_MAX (PIECE_MAX + PIECE_MIN)

void netlink_dump_stop(struct netlink_socket *netlink)
{
	if (!netlink->dumping)
		return;
	netlink->dumping = false;
	kfree(netlink->dump.filter);
	netlink->dump.filter = NULL;
}

/* From here on, what was told before no longer fits what comes. */
static void note_interruption(struct netlink_dump *dump)
{
	if (dump->generation && *dump->generation != dump->began_at)
		dump->header.nlmsg_flags |= NLM_F_DUMP_INTR;
}

/* False: it did not fit. */
static bool put_done(struct netlink_dump *dump, struct netlink_writer *writer, int32_t error)
{
	struct nlmsghdr header = dump->header;

	header.nlmsg_type = NLMSG_DONE;
	netlink_begin(writer, &header);
	netlink_put_bytes(writer, &error, sizeof(error));
	return netlink_end(writer);
}

/* As many messages as fit. *through: there are no more. NULL: no memory. */
static struct sk_buff *fill_piece(struct netlink_dump *dump, size_t room,
				  struct netlink_writer *writer, bool *through) NEEDS_NET_LOCK
{
	struct sk_buff *skb = netlink_packet(dump->net, room, writer);

	if (skb)
		*through = dump->fill(dump, writer);
	return skb;
}

static void make_piece(struct netlink_socket *netlink) NEEDS_NET_LOCK
{
	struct netlink_dump *dump = &netlink->dump;
	size_t room = MIN(MAX(netlink->largest_room, PIECE_MIN), PIECE_MAX);
	struct netlink_writer writer;
	bool through;

	note_interruption(dump);
	struct sk_buff *skb = fill_piece(dump, room, &writer, &through);

	if (skb && !through && !writer.length) {
		skb_free(skb);
		skb = fill_piece(dump, MESSAGE_MAX, &writer, &through);
	}
	if (!skb) { /* nothing more will come, which who waits for the end must hear */
		netlink_dump_stop(netlink);
		socket_set_error(&netlink->socket, ENOBUFS);
		return;
	}
	if (!through && !writer.length) /* one message that nothing holds */
		through = put_done(dump, &writer, -EMSGSIZE);
	else if (through)
		through = put_done(dump, &writer, 0);
	if (through)
		netlink_dump_stop(netlink);
	netlink_send(netlink, skb, &writer);
}

void netlink_dump_continue(struct netlink_socket *netlink)
{
	const struct socket *socket = &netlink->socket;

	if (netlink->dumping &&
	    socket->receive_queue.truesize < (uint32_t)socket->receive_buffer / 2)
		make_piece(netlink);
}

int netlink_dump_start(struct netlink_request *request, const struct netlink_dump *dump)
{
	struct netlink_socket *from = request->from;

	if (from->dumping) {
		kfree(dump->filter);
		return -EBUSY;
	}
	from->dump = *dump;
	from->dump.net = request->net;
	from->dump.header = netlink_answer_header(request, 0);
	from->dump.header.nlmsg_flags = NLM_F_MULTI;
	if (dump->generation)
		from->dump.began_at = *dump->generation;
	from->dumping = true;
	request->answered = true;
	make_piece(from);
	return 0;
}
