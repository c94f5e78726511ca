/*
 * One datagram from several calls: MSG_MORE and UDP_CORK (udp(7)). The first call says where it
 * goes; the one without MSG_MORE, or the end of UDP_CORK, sends it.
 *
 * What is gathered is one packet that grows, so that many small pieces take no more memory than
 * the datagram. It is charged to the send buffer only when it leaves: it must not keep the pieces
 * that it waits for from coming.
 */
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "net/ipv4/udp.h"
#include "net/ipv4/udp_wire.h"

struct udp_pending {
	struct inet_outgoing out;
	struct sk_buff *skb; /* the payload so far */
};

void udp_cork_discard(struct udp_socket *udp)
{
	if (!udp->pending)
		return;
	skb_free(udp->pending->skb);
	kfree(udp->pending);
	udp->pending = NULL;
}

static struct sk_buff *allocate(struct net *net, size_t payload)
{
	struct sk_buff *skb = skb_alloc(net, SKB_HEADROOM + payload);

	if (skb)
		skb_reserve(skb, SKB_HEADROOM);
	return skb;
}

/* The first piece: where to? 0 or a negative errno. */
static int begin(struct udp_socket *udp, const struct message *message) NEEDS_NET_LOCK
{
	struct udp_pending *pending = kmalloc(sizeof(*pending));

	if (!pending)
		return -ENOBUFS;
	int error = udp_prepare(udp, message, &pending->out);

	pending->skb = error ? NULL : allocate(udp->inet.socket.net, message->iov.remaining);
	if (!error && !pending->skb)
		error = -ENOBUFS;
	if (error)
		kfree(pending);
	else
		udp->pending = pending;
	return error;
}

/* Room for n bytes more. 0, -EMSGSIZE, -ENOBUFS. */
static int grow(struct udp_pending *pending, uint32_t n)
{
	struct sk_buff *old = pending->skb;

	if (old->len + n > UDP_PAYLOAD_MAX)
		return -EMSGSIZE;
	if (n <= skb_tailroom(old))
		return 0;
	struct sk_buff *skb = allocate(old->net, MIN(2 * (old->len + n), UDP_PAYLOAD_MAX));

	if (!skb)
		return -ENOBUFS;
	memcpy(skb_put(skb, old->len), old->data, old->len);
	skb_free(old);
	pending->skb = skb;
	return 0;
}

int udp_cork_push(struct udp_socket *udp)
{
	struct udp_pending *pending = udp->pending;

	if (!pending)
		return 0;
	udp->pending = NULL;
	skb_set_owner(pending->skb, &udp->inet.socket);
	int error = udp_transmit(udp, &pending->out, pending->skb);

	kfree(pending);
	return error;
}

int udp_cork_append(struct udp_socket *udp, const struct message *message, struct sk_buff *skb,
		    bool more)
{
	int error = udp->pending ? 0 : begin(udp, message);

	if (!error)
		error = grow(udp->pending, skb->len);
	if (error) {
		udp_cork_discard(udp);
		skb_free(skb);
		return error;
	}
	uint32_t length = skb->len;

	skb_copy_bits(skb, 0, skb_put(udp->pending->skb, length), length);
	skb_free(skb);
	return more ? 0 : udp_cork_push(udp);
}
