/* Receiving messages that stay whole: SOCK_DGRAM and SOCK_SEQPACKET. */
#include "net/unix/unix_private.h"

/* One look: the first message, or with MSG_PEEK a copy of it. NULL: the end. -EAGAIN: nothing. */
static int take_message(struct unix_socket *unix, uint32_t flags, struct unix_incoming *in,
			struct sk_buff **result) NEEDS_NET_LOCK
{
	struct socket *socket = &unix->socket;
	bool peek = flags & MSG_PEEK;
	int error = socket_take_error(socket);

	*result = NULL;
	if (error)
		return error;
	struct sk_buff *first = skb_queue_first(&socket->receive_queue);

	if (!first)
		return socket->shutdown & SHUTDOWN_RECEIVE ? 0 : -EAGAIN;
	struct sk_buff *skb = peek ? skb_clone(first) : first;

	if (!skb)
		return -ENOBUFS;
	error = unix_incoming_take(in, unix, first, peek);
	if (error) {
		skb_free(skb); /* only a copy's files can lack memory */
		return error;
	}
	if (!peek) {
		unix_address_put(UNIX_CONTROL(skb)->source);
		skb_queue_unlink(&socket->receive_queue, skb);
		if (!unix_connects(unix))
			unix_datagram_taken(unix);
	}
	*result = skb;
	return 0;
}

static int wait_for_message(struct unix_socket *unix, uint32_t flags, struct unix_incoming *in,
			    struct sk_buff **result)
{
	struct net *net = unix->socket.net;
	struct socket_wait wait;
	int error;

	socket_wait_begin(&wait, &unix->socket, unix->socket.receive_timeout_us);
	net_lock(net);
	while ((error = take_message(unix, flags, in, result)) == -EAGAIN) {
		net_unlock(net);
		error = socket_wait_sleep(&wait);
		net_lock(net);
		if (error)
			break;
	}
	net_unlock(net);
	socket_wait_end(&wait);
	return error;
}

/* Hands the bytes over. */
static int64_t deliver(const struct sk_buff *skb, struct message *message)
{
	uint64_t part = MIN((uint64_t)skb->len, message->iov.remaining);
	int error = skb_copy_to_iov(skb, 0, &message->iov, part);

	if (error)
		return error;
	if (part < skb->len)
		message->flags_out |= MSG_TRUNC;
	return message->flags & MSG_TRUNC ? (int64_t)skb->len : (int64_t)part;
}

int64_t unix_receive_message(struct unix_socket *unix, struct message *message)
{
	struct net *net = unix->socket.net;
	struct unix_incoming in = {0};
	struct sk_buff *skb;

	net_lock(net);
	int error = take_message(unix, message->flags, &in, &skb);

	net_unlock(net);
	if (error == -EAGAIN && !(message->flags & MSG_DONTWAIT))
		error = wait_for_message(unix, message->flags, &in, &skb);
	if (error || !skb)
		return error;
	int64_t result = deliver(skb, message);

	if (result >= 0) /* else nobody would learn of the descriptors */
		unix_incoming_tell(&in, message);
	unix_incoming_end(&in);
	net_lock(net);
	skb_free(skb);
	net_unlock(net);
	return result;
}
