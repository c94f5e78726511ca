/*
 * Dumps: long answers, made as they are read. Each piece is as long as what the process reads at
 * once, and the next one waits until half of the receive buffer is free. NLMSG_DONE comes alone,
 * behind the last piece: masscan, zmap and libreswan look for it at the head of what they read,
 * and nowhere else.
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

/* Nothing more will come, which who waits for the end must hear. */
static void give_up(struct netlink_socket *netlink) NEEDS_NET_LOCK
{
	netlink_dump_stop(netlink);
	socket_set_error(&netlink->socket, ENOBUFS);
}

/* NLMSG_DONE, in this packet. */
static void end_with(struct netlink_socket *netlink, struct sk_buff *skb,
		     struct netlink_writer *writer, int32_t error) NEEDS_NET_LOCK
{
	struct nlmsghdr header = netlink->dump.header;

	header.nlmsg_type = NLMSG_DONE;
	netlink_begin(writer, &header);
	netlink_put_bytes(writer, &error, sizeof(error));
	netlink_end(writer);
	netlink_dump_stop(netlink);
	netlink_send(netlink, skb, writer);
}

static void make_end(struct netlink_socket *netlink) NEEDS_NET_LOCK
{
	struct netlink_writer writer;
	struct sk_buff *skb = netlink_packet(netlink->dump.net, PIECE_MIN, &writer);

	if (!skb)
		give_up(netlink);
	else
		end_with(netlink, skb, &writer, 0);
}

/* As many messages as fit; dump->told when there are no more. NULL: no memory. */
static struct sk_buff *fill_piece(struct netlink_dump *dump, size_t room,
				  struct netlink_writer *writer) NEEDS_NET_LOCK
{
	struct sk_buff *skb = netlink_packet(dump->net, room, writer);

	if (skb)
		dump->told = dump->fill(dump, writer);
	return skb;
}

static void make_piece(struct netlink_socket *netlink) NEEDS_NET_LOCK
{
	struct netlink_dump *dump = &netlink->dump;
	size_t room = MIN(MAX(netlink->largest_room, PIECE_MIN), PIECE_MAX);
	struct netlink_writer writer;
	struct sk_buff *skb = fill_piece(dump, room, &writer);

	if (skb && !dump->told && !writer.length) {
		skb_free(skb);
		skb = fill_piece(dump, MESSAGE_MAX, &writer);
	}
	if (!skb)
		give_up(netlink);
	else if (writer.length)
		netlink_send(netlink, skb, &writer);
	else /* the list is empty, or here is one message that nothing holds */
		end_with(netlink, skb, &writer, dump->told ? 0 : -EMSGSIZE);
}

static void go_on(struct netlink_socket *netlink) NEEDS_NET_LOCK
{
	note_interruption(&netlink->dump);
	if (netlink->dump.told)
		make_end(netlink);
	else
		make_piece(netlink);
}

void netlink_dump_continue(struct netlink_socket *netlink)
{
	const struct socket *socket = &netlink->socket;

	if (netlink->dumping &&
	    socket->receive_queue.truesize < (uint32_t)socket->receive_buffer / 2)
		go_on(netlink);
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
	go_on(from);
	return 0;
}
