/*
 * Connections: listen, connect, accept, socketpair, and their end. SOCK_STREAM and SOCK_SEQPACKET.
 *
 * A connection exists as soon as connect has put the other end into the listener's queue: both can
 * send before accept has been called.
 */
#include "kernel/user.h"
#include "net/unix/unix_private.h"

#define BOTH_WAYS (SHUTDOWN_RECEIVE | SHUTDOWN_SEND)

static int listen_locked(struct unix_socket *unix, int backlog,
			 const struct ucred *credentials) NEEDS_NET_LOCK
{
	if (!unix->address || unix->peer)
		return -EINVAL;
	unix->backlog = (uint32_t)backlog;
	unix->credentials = *credentials;
	unix->socket.listening = true;
	socket_wake(&unix->socket, POLLOUT); /* who waits to connect may find room now */
	return 0;
}

int unix_listen(struct socket *socket, int backlog)
{
	struct ucred credentials;

	user_credentials(&credentials);
	net_lock(socket->net);
	int error = listen_locked(unix_socket(socket), backlog, &credentials);

	net_unlock(socket->net);
	return error;
}

/* 0, -EAGAIN: nobody waits. */
static int take_pending(struct unix_socket *unix, struct socket **child) NEEDS_NET_LOCK
{
	struct unix_socket *first;

	if (!unix->socket.listening || unix->socket.shutdown & SHUTDOWN_RECEIVE)
		return -EINVAL;
	if (list_empty(&unix->pending))
		return -EAGAIN;
	first = list_first_entry(&unix->pending, struct unix_socket, pending_link);
	list_remove(&first->pending_link);
	unix->pending_count--;
	first->socket.passcred = unix->socket.passcred;
	*child = &first->socket;
	socket_wake(&unix->socket, POLLOUT);
	return 0;
}

int unix_accept(struct socket *socket, struct socket **child, uint32_t flags)
{
	struct socket_wait wait;
	int error;

	socket_wait_begin(&wait, socket, socket->receive_timeout_us);
	net_lock(socket->net);
	while ((error = take_pending(unix_socket(socket), child)) == -EAGAIN &&
	       !(flags & MSG_DONTWAIT)) {
		net_unlock(socket->net);
		error = socket_wait_sleep(&wait);
		net_lock(socket->net);
		if (error)
			break;
	}
	net_unlock(socket->net);
	socket_wait_end(&wait);
	return error;
}

static void join(struct unix_socket *a, struct unix_socket *b) NEEDS_NET_LOCK
{
	a->peer = unix_socket(socket_get(&b->socket));
	b->peer = unix_socket(socket_get(&a->socket));
}

static int may_connect(const struct unix_socket *unix) NEEDS_NET_LOCK
{
	if (unix->socket.listening)
		return -EINVAL;
	return unix->peer ? -EISCONN : 0;
}

/* One try. -EAGAIN: the listener's queue is full. */
static int connect_locked(struct unix_socket *unix, struct unix_socket *listener,
			  const struct ucred *credentials) NEEDS_NET_LOCK
{
	int error = may_connect(unix);

	if (error)
		return error;
	if (listener->socket.closed || !listener->socket.listening ||
	    listener->socket.shutdown & SHUTDOWN_RECEIVE)
		return -ECONNREFUSED;
	if (listener->pending_count > listener->backlog)
		return -EAGAIN;
	error = unix_autobind_for_credentials(unix);
	if (error)
		return error;
	struct socket *created = socket_create_child(&listener->socket);

	if (!created)
		return -ENOMEM;
	struct unix_socket *child = unix_socket(created);

	child->address = unix_address_get(listener->address);
	child->peer_credentials = *credentials;
	unix->peer_credentials = listener->credentials;
	unix->socket.shutdown = 0;
	join(unix, child);
	list_append(&listener->pending, &child->pending_link);
	listener->pending_count++;
	socket_wake(&listener->socket, POLLIN | POLLRDNORM);
	socket_wake(&unix->socket, POLLOUT | POLLWRNORM);
	return 0;
}

static int connect_to(struct unix_socket *unix, struct unix_socket *listener, bool nonblock)
{
	struct net *net = unix->socket.net;
	struct ucred credentials;
	struct socket_wait wait;
	int error;

	user_credentials(&credentials);
	socket_wait_begin(&wait, &listener->socket, unix->socket.send_timeout_us);
	net_lock(net);
	while ((error = connect_locked(unix, listener, &credentials)) == -EAGAIN && !nonblock) {
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

int unix_connect(struct socket *socket, const struct sockaddr_storage *name, uint32_t length,
		 bool nonblock)
{
	struct unix_socket *listener;
	int error = unix_find(unix_socket(socket), name, length, &listener);

	if (error)
		return error;
	error = connect_to(unix_socket(socket), listener, nonblock);
	socket_put(&listener->socket);
	return error;
}

int unix_pair(struct socket *a, struct socket *b)
{
	struct ucred credentials;

	user_credentials(&credentials);
	net_lock(a->net);
	unix_socket(a)->peer_credentials = unix_socket(b)->peer_credentials = credentials;
	if (unix_connects(unix_socket(a))) {
		join(unix_socket(a), unix_socket(b));
	} else {
		unix_datagram_join(unix_socket(a), unix_socket(b));
		unix_datagram_join(unix_socket(b), unix_socket(a));
	}
	net_unlock(a->net);
	return 0;
}

/* The other end of a connection is gone. */
static void peer_closed(struct unix_socket *unix, bool unread) NEEDS_NET_LOCK
{
	unix->socket.shutdown = BOTH_WAYS;
	if (unread) /* what it was sent is lost */
		unix->socket.error = ECONNRESET;
	socket_wake(&unix->socket, POLLIN | POLLOUT | POLLHUP | POLLRDHUP | POLLERR);
}

static void leave_peer(struct unix_socket *unix, bool unread) NEEDS_NET_LOCK
{
	struct unix_socket *peer = unix->peer;

	if (!peer)
		return;
	unix->peer = NULL;
	if (!peer->socket.closed)
		peer_closed(peer, unread);
	socket_put(&peer->socket);
}

/* A connection that nobody accepted has no file yet: it ends with its listener. */
static void drop_pending(struct unix_socket *listener) NEEDS_NET_LOCK
{
	struct unix_socket *child, *next;

	list_for_each_entry_safe(child, next, &listener->pending, pending_link) {
		list_remove(&child->pending_link);
		leave_peer(child, true);
		unix_discard_queue(child);
		list_remove(&child->socket.link);
		child->socket.closed = true;
		socket_put(&child->socket);
	}
	listener->pending_count = 0;
}

void unix_connection_close(struct unix_socket *unix)
{
	bool unread = unix->socket.receive_queue.length > 0;

	unix->socket.closed = true;
	drop_pending(unix);
	leave_peer(unix, unread);
	socket_wake(&unix->socket, POLLOUT); /* those who wait to connect */
}

static bool may_send(const struct unix_socket *unix) NEEDS_NET_LOCK
{
	return !(unix->socket.shutdown & SHUTDOWN_SEND) && !unix->peer->socket.closed &&
	       !(unix->peer->socket.shutdown & SHUTDOWN_RECEIVE);
}

static int send_locked(struct unix_socket *unix, struct unix_outgoing *out, struct sk_buff *skb,
		       uint32_t flags) NEEDS_NET_LOCK
{
	if (!unix->peer)
		return -ENOTCONN;
	if (!may_send(unix))
		return -EPIPE;
	int error = socket_wait_send_room(&unix->socket, flags);

	if (error)
		return error;
	return may_send(unix) ? unix_message_queue(unix, unix->peer, out, skb) : -EPIPE;
}

int unix_connection_send(struct unix_socket *unix, struct unix_outgoing *out, struct sk_buff *skb,
			 uint32_t flags)
{
	struct net *net = unix->socket.net;

	net_lock(net);
	int error = send_locked(unix, out, skb, flags);

	net_unlock(net);
	if (error)
		skb_free(skb);
	return error;
}

uint32_t unix_connection_ready(struct socket *socket)
{
	const struct unix_socket *unix = unix_socket(socket);

	if (socket->listening)
		return list_empty(&unix->pending) ? 0 : POLLIN | POLLRDNORM;
	uint32_t ready = socket_datagram_ready(socket);

	return unix->peer ? ready : ready | POLLHUP; /* never connected */
}
