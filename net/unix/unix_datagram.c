/*
 * SOCK_DGRAM: messages to whom one likes. They are not lost: who sends to a socket in which
 * max_dgram_qlen wait already waits, too, unless both are connected to each other, where the send
 * buffers set the bound.
 */
#include "net/unix/unix_private.h"

static bool is_crowded(const struct unix_socket *unix) NEEDS_NET_LOCK
{
	const struct unix_state *state = unix_state(unix->socket.net);

	return unix->socket.receive_queue.length > (uint32_t)state->datagrams_max;
}

/* Must `from` wait? Then it is woken when that may have changed. */
static bool is_full(const struct unix_socket *from, struct unix_socket *to) NEEDS_NET_LOCK
{
	if (to == from || to->peer == from || !is_crowded(to))
		return false;
	to->awaited = true;
	return true;
}

static void wake_senders(struct unix_socket *unix) NEEDS_NET_LOCK
{
	struct unix_socket *sender;

	if (!unix->awaited)
		return;
	unix->awaited = false;
	socket_wake(&unix->socket, POLLOUT); /* those who wait in sendto */
	list_for_each_entry(sender, &unix->senders, sender_link)
		socket_wake(&sender->socket, POLLOUT | POLLWRNORM);
}

void unix_datagram_taken(struct unix_socket *unix)
{
	if (!is_crowded(unix))
		wake_senders(unix);
}

void unix_datagram_join(struct unix_socket *unix, struct unix_socket *peer)
{
	socket_get(&peer->socket);
	unix->peer = peer;
	list_append(&peer->senders, &unix->sender_link);
}

static void leave_peer(struct unix_socket *unix) NEEDS_NET_LOCK
{
	struct unix_socket *peer = unix->peer;

	if (!peer)
		return;
	list_remove(&unix->sender_link);
	unix->peer = NULL;
	socket_put(&peer->socket);
}

/* It will not hear its former peer again: what that one has sent goes, and it is told so. */
static void break_off(struct unix_socket *unix) NEEDS_NET_LOCK
{
	struct unix_socket *peer = unix->peer;

	if (!peer)
		return;
	if (unix->socket.receive_queue.length) {
		unix_discard_queue(unix);
		wake_senders(unix);
		if (!peer->socket.closed && peer->peer == unix)
			socket_set_error(&peer->socket, ECONNRESET);
	}
	leave_peer(unix);
}

void unix_datagram_close(struct unix_socket *unix)
{
	struct unix_socket *sender, *next;

	unix->socket.closed = true;
	leave_peer(unix);
	list_for_each_entry_safe(sender, next, &unix->senders, sender_link) {
		list_remove(&sender->sender_link);
		socket_wake(&sender->socket, POLLOUT | POLLWRNORM);
	}
	socket_wake(&unix->socket, POLLOUT);
}

static int connect_locked(struct unix_socket *unix, struct unix_socket *to) NEEDS_NET_LOCK
{
	if (to->socket.closed)
		return -ECONNREFUSED;
	if (to->peer && to->peer != unix)
		return -EPERM;
	int error = unix_autobind_for_credentials(unix);

	if (error || unix->peer == to)
		return error;
	break_off(unix);
	unix_datagram_join(unix, to);
	wake_senders(unix); /* `to` may send now, and who else waits may not */
	return 0;
}

static int datagram_connect(struct socket *socket, const struct sockaddr_storage *name,
			    uint32_t length, bool nonblock __unused)
{
	struct unix_socket *unix = unix_socket(socket), *to = NULL;
	bool disconnect = length >= sizeof(sa_family_t) && name->ss_family == AF_UNSPEC;
	int error = disconnect ? 0 : unix_find(unix, name, length, &to);

	if (error)
		return error;
	net_lock(socket->net);
	if (disconnect)
		break_off(unix);
	else
		error = connect_locked(unix, to);
	net_unlock(socket->net);
	if (to)
		socket_put(&to->socket);
	unix_bury(socket->net);
	return error;
}

/* One try; owns skb on success. -EAGAIN: too many wait there. */
static int try_send(struct unix_socket *unix, struct unix_socket *to, struct unix_outgoing *out,
		    struct sk_buff *skb) NEEDS_NET_LOCK
{
	if (to->socket.closed) {
		if (unix->peer == to)
			leave_peer(unix);
		return -ECONNREFUSED;
	}
	if (to->peer && to->peer != unix)
		return -EPERM;
	if (to->socket.shutdown & SHUTDOWN_RECEIVE)
		return -EPIPE;
	if (is_full(unix, to))
		return -EAGAIN;
	int error = unix_autobind_for_credentials(unix);

	return error ? error : unix_message_queue(unix, to, out, skb);
}

/* Waits until the receiver has read some. */
static int send_and_wait(struct unix_socket *unix, struct unix_socket *to,
			 struct unix_outgoing *out, struct sk_buff *skb)
{
	struct net *net = unix->socket.net;
	struct socket_wait wait;
	int error;

	socket_wait_begin(&wait, &to->socket, unix->socket.send_timeout_us);
	net_lock(net);
	while ((error = try_send(unix, to, out, skb)) == -EAGAIN) {
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

/* Owns skb. */
static int send_to(struct unix_socket *unix, struct unix_socket *to, struct unix_outgoing *out,
		   struct sk_buff *skb, uint32_t flags)
{
	struct net *net = unix->socket.net;

	net_lock(net);
	int error = socket_wait_send_room(&unix->socket, flags);
	bool may_wait = !error && !(flags & MSG_DONTWAIT);

	if (!error)
		error = try_send(unix, to, out, skb);
	net_unlock(net);
	if (error == -EAGAIN && may_wait)
		error = send_and_wait(unix, to, out, skb);
	if (error)
		skb_free(skb);
	return error;
}

/* Whom the message is for, with a reference. */
static int find_receiver(struct unix_socket *unix, const struct message *message,
			 struct unix_socket **to)
{
	struct net *net = unix->socket.net;

	if (message->name_length)
		return unix_find(unix, &message->name, message->name_length, to);
	net_lock(net);
	*to = unix->peer;
	if (*to)
		socket_get(&(*to)->socket);
	net_unlock(net);
	return *to ? 0 : -ENOTCONN;
}

static int64_t datagram_sendmsg(struct socket *socket, struct message *message)
{
	struct unix_socket *unix = unix_socket(socket), *to;
	uint64_t length = message->iov.remaining;
	struct unix_outgoing out;
	struct sk_buff *skb;

	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	int error = find_receiver(unix, message, &to);

	if (error)
		return error;
	error = length > unix_message_max(socket) ? -EMSGSIZE : unix_outgoing_begin(&out, message);
	if (error) {
		socket_put(&to->socket);
		return error;
	}
	error = unix_message_copy(socket->net, message, length, &out, &skb);
	if (!error)
		error = send_to(unix, to, &out, skb, message->flags);
	unix_outgoing_end(&out);
	socket_put(&to->socket);
	return error ? error : (int64_t)length;
}

static int64_t datagram_recvmsg(struct socket *socket, struct message *message)
{
	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	return unix_receive_message(unix_socket(socket), message);
}

static uint32_t datagram_ready(struct socket *socket) NEEDS_NET_LOCK
{
	struct unix_socket *unix = unix_socket(socket);
	uint32_t ready = socket_datagram_ready(socket);

	if (unix->peer && !unix->peer->socket.closed && is_full(unix, unix->peer))
		ready &= ~(uint32_t)(POLLOUT | POLLWRNORM);
	return ready;
}

const struct socket_ops unix_datagram_ops = {
	UNIX_COMMON_OPS,
	.connect_wait = datagram_connect,
	.pair = unix_pair,
	.sendmsg = datagram_sendmsg,
	.recvmsg = datagram_recvmsg,
	.ready = datagram_ready,
};
