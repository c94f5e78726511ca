/*
 * The receive queue: bytes in order, until a process takes them. What weighs much more than its
 * bytes is packed together, so that a peer cannot make a window of single bytes cost a packet each;
 * and with the memory of all connections used up, each keeps no more than it has.
 */
#include "net/tcp/tcp_reassembly.h"
#include "net/tcp/tcp_state.h"

#define COALESCE_MAX 256 /* bytes of a segment that is copied behind the one before it */
/* Room of a packet that others are copied into: together with it, one of kmalloc's sizes. */
#define PACKED_AREA (2048 - sizeof(struct sk_buff))

static struct sk_buff *last_of(const struct skb_queue *queue)
{
	return queue->length ? list_entry(queue->list.prev, struct sk_buff, link) : NULL;
}

static bool has_room(const struct sk_buff *last, uint32_t bytes)
{
	return last && !last->fragment_count && skb_tailroom(last) >= bytes;
}

static void copy_behind(struct sk_buff *last, const struct sk_buff *skb)
{
	skb_copy_bits(skb, 0, skb_put(last, skb->len), skb->len);
	TCP_CONTROL(last)->end = TCP_CONTROL(skb)->end;
}

/* Nobody seems to read, and the packet is mostly air. */
static bool wants_packing(const struct tcp_socket *tcp, const struct sk_buff *skb)
{
	const struct socket *socket = &tcp->inet.socket;

	return socket->receive_queue.truesize > (uint32_t)socket->receive_buffer / 8 &&
	       skb->len <= PACKED_AREA && skb->truesize > 2 * skb->len;
}

static void append(struct tcp_socket *tcp, struct sk_buff *skb) NEEDS_NET_LOCK
{
	tcp_memory_force(tcp_net(tcp), skb->truesize);
	skb_queue_append(&tcp->inet.socket.receive_queue, skb);
}

/* The first of several in a packet with room for more. False: no memory. Owns skb if true. */
static bool append_packed(struct tcp_socket *tcp, struct sk_buff *skb) NEEDS_NET_LOCK
{
	struct sk_buff *packed = skb_alloc(tcp_net(tcp), PACKED_AREA);

	if (!packed)
		return false;
	*TCP_CONTROL(packed) = *TCP_CONTROL(skb);
	copy_behind(packed, skb);
	skb_free(skb);
	append(tcp, packed);
	tcp_count_extra(tcp_net(tcp), TCP_EXTRA_RECEIVE_COLLAPSED);
	return true;
}

void tcp_queue_append(struct tcp_socket *tcp, struct sk_buff *skb)
{
	struct sk_buff *last = last_of(&tcp->inet.socket.receive_queue);
	bool packing = wants_packing(tcp, skb);

	if (skb->len == 0) {
		skb_free(skb);
	} else if ((packing || skb->len <= COALESCE_MAX) && has_room(last, skb->len)) {
		copy_behind(last, skb);
		skb_free(skb);
	} else if (!packing || !append_packed(tcp, skb)) {
		append(tcp, skb);
	}
}

/* An empty queue takes one always, so that every connection goes on. */
bool tcp_queue_takes_more(struct tcp_socket *tcp)
{
	struct net *net = tcp_net(tcp);

	if (!tcp_memory_full(net))
		return true;
	tcp_reassembly_prune(tcp);
	if (!tcp_memory_full(net) || tcp->inet.socket.receive_queue.length == 0)
		return true;
	tcp_count_extra(net, TCP_EXTRA_RECEIVE_QUEUE_DROPS);
	return false;
}
