/* The socket calls of TCP (tcp(7)): open, bind, connect, listen, accept, shutdown, close, poll. */
#include "include/uapi/sockios.h"
#include "kernel/errno.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_state.h"

static int tcp_open(struct socket *socket) NEEDS_NET_LOCK
{
	inet_socket_open(inet_socket(socket));
	tcp_setup(tcp_socket(socket));
	__atomic_add_fetch(&tcp_of(socket->net)->sockets, 1, __ATOMIC_RELAXED);
	return 0;
}

static void tcp_free(struct socket *socket)
{
	__atomic_sub_fetch(&tcp_of(socket->net)->sockets, 1, __ATOMIC_RELAXED);
}

static bool synchronised(const struct tcp_socket *tcp)
{
	return tcp->state != TCP_CLOSE && tcp->state != TCP_LISTEN && tcp->state != TCP_SYN_SENT;
}

/*
 * RFC 9293 3.10.4, CLOSE. RFC 1122 4.2.2.13: when data that arrived is thrown away, the peer learns
 * it by a reset (RFC 2525 2.17).
 * RFC 9293 3.6.1, SHLD-3.
 */
static void tcp_close(struct socket *socket) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp = tcp_socket(socket);

	tcp->orphan = true;
	if (synchronised(tcp) && tcp_readable(tcp)) {
		tcp_count_extra(socket->net, TCP_EXTRA_ABORTS_ON_CLOSE);
		tcp_abort(tcp, ECONNRESET);
	} else if (synchronised(tcp) && socket->linger && socket->linger_seconds == 0) {
		tcp_count_extra(socket->net, TCP_EXTRA_ABORTS_ON_DATA);
		tcp_abort(tcp, ECONNRESET);
	} else if (synchronised(tcp)) {
		tcp_close_sending(tcp);
	} else {
		tcp_set_state(tcp, TCP_CLOSE);
	}
	if (tcp->state == TCP_CLOSE)
		tcp_table_unbind(tcp);
	tcp_memory_give(socket->net, socket->receive_queue.truesize); /* the caller empties it */
	inet_socket_close(&tcp->inet);
}

static bool unacknowledged(const struct tcp_socket *tcp)
{
	return tcp->state == TCP_FIN_WAIT1 || tcp->state == TCP_CLOSING ||
	       tcp->state == TCP_LAST_ACK;
}

/* SO_LINGER with a time: close waits until the peer has everything, the FIN too. */
static void tcp_linger(struct socket *socket)
{
	struct tcp_socket *tcp = tcp_socket(socket);
	struct net *net = socket->net;
	struct socket_wait wait;
	int error = 0;

	if (socket->linger_seconds == 0)
		return;
	socket_wait_begin(&wait, socket, socket->linger_seconds * USEC_PER_SEC);
	net_lock(net);
	if (synchronised(tcp) && !tcp_readable(tcp))
		tcp_close_sending(tcp);
	while (unacknowledged(tcp) && !error) {
		net_unlock(net);
		error = socket_wait_sleep(&wait);
		net_lock(net);
	}
	net_unlock(net);
	socket_wait_end(&wait);
}

/* RFC 9293 3.9.1.1, MUST-43 */
static int tcp_bind(struct socket *socket, const struct sockaddr_storage *name,
		    uint32_t length) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp = tcp_socket(socket);
	struct endpoint local;
	int error = inet_read_name(name, length, &local);

	if (!error)
		error = inet_check_bind(&tcp->inet, &local);
	if (!error)
		error = inet_check_port(&local);
	if (error)
		return error;
	if (tcp->state != TCP_CLOSE || tcp->port)
		return -EINVAL; /* bound already */
	error = tcp_table_bind(tcp, &local);
	if (error)
		return error;
	tcp->inet.address_bound = local.addr.family != AF_UNSPEC;
	tcp->inet.port_bound = local.port != 0;
	return 0;
}

/* A stream has one peer: no group and no broadcast (RFC 9293 3.9.2.3, MUST-46). */
static int check_peer(struct tcp_socket *tcp, const struct endpoint *remote) NEEDS_NET_LOCK
{
	struct inet_route route;
	struct inet_socket *inet = &tcp->inet;

	if (remote->addr.family == AF_UNSPEC)
		return 0; /* this host */
	int error = inet->family->route(inet->socket.net, remote->addr,
					inet->address_bound ? inet->local.addr
							    : (struct net_addr){0},
					inet->socket.bound_ifindex, &route);

	if (error)
		return error;
	return route.broadcast || route.multicast ? -ENETUNREACH : 0;
}

/* RFC 9293 3.9.1.1, MUST-44, MUST-45 */
static int take_both_ends(struct tcp_socket *tcp, const struct endpoint *remote) NEEDS_NET_LOCK
{
	int error = check_peer(tcp, remote);

	if (!error)
		error = inet_connect(&tcp->inet, remote);
	if (!error && !tcp->inet.local.port)
		error = tcp_table_choose_port(tcp);
	return error ? error : tcp_table_enter(tcp);
}

static void give_up_ends(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	tcp_table_remove(tcp);
	inet_disconnect(&tcp->inet);
	if (!tcp->inet.port_bound) {
		tcp_table_unbind(tcp);
		tcp->inet.local.port = 0;
	}
}

static int begin_connecting(struct tcp_socket *tcp, const struct endpoint *remote) NEEDS_NET_LOCK
{
	int error = take_both_ends(tcp, remote);

	if (error) {
		give_up_ends(tcp);
		return error == -EADDRINUSE ? -EADDRNOTAVAIL : error;
	}
	tcp_open_active(tcp);
	tcp->connecting = true;
	return 0;
}

/* connect(2) to AF_UNSPEC: the socket is as new, but for what it is bound to. */
static int tcp_disconnect(struct socket *socket) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp = tcp_socket(socket);

	if (tcp->reading)
		return -EBUSY;
	if (tcp->state != TCP_CLOSE)
		tcp_abort(tcp, ECONNRESET);
	give_up_ends(tcp);
	tcp_memory_give(socket->net, socket->receive_queue.truesize);
	skb_queue_drop_all(&socket->receive_queue, DROP_SOCKET_CLOSED);
	socket->error = 0;
	socket->shutdown = 0;
	socket->listening = false;
	tcp_setup(tcp);
	return 0;
}

/* What a connect that was begun has come to. -EINPROGRESS: nothing yet. */
static int connect_result(struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	if (tcp_opening(tcp))
		return -EINPROGRESS;
	tcp->connecting = false;
	if (tcp->state != TCP_CLOSE)
		return 0;
	int error = socket_take_error(&tcp->inet.socket);

	tcp_disconnect(&tcp->inet.socket); /* it may be tried again */
	return error ? error : -ECONNABORTED;
}

/* connect(2) up to the point where it would sleep: -EINPROGRESS. */
static int connect_step(struct tcp_socket *tcp, const struct sockaddr_storage *name,
			uint32_t length, bool nonblock) NEEDS_NET_LOCK
{
	struct endpoint remote;
	int error = inet_read_name(name, length, &remote);

	if (error)
		return error;
	if (tcp->connecting)
		return tcp_opening(tcp) && nonblock ? -EALREADY : connect_result(tcp);
	if (tcp->state != TCP_CLOSE || tcp_was_connected(tcp))
		return -EISCONN;
	if (tcp->fastopen_remote.port)
		return -EISCONN;
	if (tcp_fastopen_defers(tcp, &remote))
		return 0; /* the first send will carry the SYN */
	error = begin_connecting(tcp, &remote);
	return error ? error : connect_result(tcp);
}

int tcp_wait_connected(struct tcp_socket *tcp)
{
	struct net *net = tcp_net(tcp);
	struct socket_wait wait;
	int result, error = 0;

	socket_wait_begin(&wait, &tcp->inet.socket, tcp->inet.socket.send_timeout_us);
	net_lock(net);
	while ((result = connect_result(tcp)) == -EINPROGRESS && !error) {
		net_unlock(net);
		error = socket_wait_sleep(&wait);
		net_lock(net);
	}
	net_unlock(net);
	socket_wait_end(&wait);
	/* At the deadline, connect goes on in the background: socket(7). */
	if (result == -EINPROGRESS && error != -EAGAIN)
		return error;
	return result;
}

static int tcp_connect(struct socket *socket, const struct sockaddr_storage *name, uint32_t length,
		       bool nonblock)
{
	struct tcp_socket *tcp = tcp_socket(socket);

	net_lock(socket->net);
	int result = connect_step(tcp, name, length, nonblock);

	net_unlock(socket->net);
	return result == -EINPROGRESS && !nonblock ? tcp_wait_connected(tcp) : result;
}

/* RFC 7413 4.2.1 */
int tcp_connect_for_send(struct tcp_socket *tcp, const struct endpoint *remote,
			 struct tcp_chunk *data)
{
	int error;

	tcp->syn_data = data;
	tcp->fastopen_try = true;
	tcp->fastopen_remote = (struct endpoint){0};
	error = begin_connecting(tcp, remote);
	if (error && tcp->syn_data) {
		tcp_chunk_free(tcp->syn_data);
		tcp->syn_data = NULL;
	}
	return error;
}

static int listen_locked(struct tcp_socket *tcp, int backlog) NEEDS_NET_LOCK
{
	int error = 0;

	if (tcp->state != TCP_CLOSE && tcp->state != TCP_LISTEN)
		return -EINVAL;
	if (tcp->connecting || tcp_was_connected(tcp))
		return -EINVAL;
	if (!tcp->port)
		error = tcp_table_bind(tcp, &tcp->inet.local);
	if (!error)
		error = tcp_listen_start(tcp, backlog);
	return error;
}

static int tcp_listen(struct socket *socket, int backlog)
{
	net_lock(socket->net);
	int error = listen_locked(tcp_socket(socket), backlog);

	net_unlock(socket->net);
	return error;
}

/* One look. -EAGAIN: nobody waits. */
static int try_accept(struct tcp_socket *listener, struct socket **child)
{
	struct net *net = tcp_net(listener);
	int error = -EINVAL;

	net_lock(net);
	if (listener->state == TCP_LISTEN) {
		struct tcp_socket *tcp = tcp_accept_take(listener);

		error = tcp ? 0 : -EAGAIN;
		*child = tcp ? &tcp->inet.socket : NULL;
	}
	net_unlock(net);
	return error;
}

static int tcp_accept(struct socket *socket, struct socket **child, uint32_t flags)
{
	struct tcp_socket *tcp = tcp_socket(socket);
	int error = try_accept(tcp, child);

	if (error != -EAGAIN || flags & MSG_DONTWAIT)
		return error;

	struct socket_wait wait;

	socket_wait_begin(&wait, socket, socket->receive_timeout_us);
	while ((error = try_accept(tcp, child)) == -EAGAIN) {
		error = socket_wait_sleep(&wait);
		if (error)
			break;
	}
	socket_wait_end(&wait);
	return error;
}

static int tcp_shutdown(struct socket *socket, int how) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp = tcp_socket(socket);

	/* SHUT_RD 0, SHUT_WR 1, SHUT_RDWR 2 are one less than the bits they stand for. */
	uint8_t ways = (uint8_t)(how + 1);

	if (tcp->state == TCP_CLOSE)
		return -ENOTCONN;
	if (tcp->state == TCP_LISTEN) {
		if (ways & SHUTDOWN_RECEIVE)
			tcp_set_state(tcp, TCP_CLOSE);
		return 0;
	}
	socket->shutdown |= ways;
	if (tcp->state == TCP_SYN_SENT)
		tcp_fail(tcp, 0);
	else if (ways & SHUTDOWN_SEND)
		tcp_close_sending(tcp);
	socket_wake(socket, POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
	return 0;
}

static int tcp_name(struct socket *socket, bool peer, struct sockaddr_storage *name,
		    uint32_t *length) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp = tcp_socket(socket);

	if (peer && (tcp->state == TCP_CLOSE || tcp->state == TCP_SYN_SENT))
		return -ENOTCONN;
	return inet_name(socket, peer, name, length);
}

static uint32_t readable_events(const struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	const struct socket *socket = &tcp->inet.socket;
	uint32_t low = MIN((uint32_t)socket->receive_low, (uint32_t)socket->receive_buffer / 2);
	uint32_t events = 0;

	if (tcp_readable(tcp) >= low || tcp->fin_received || socket->shutdown & SHUTDOWN_RECEIVE)
		events |= POLLIN | POLLRDNORM;
	if (tcp->fin_received || socket->shutdown & SHUTDOWN_RECEIVE)
		events |= POLLRDHUP;
	if (tcp->urgent_state == TCP_URGENT_READY || tcp->urgent_state == TCP_URGENT_AWAITED)
		events |= POLLPRI;
	return events;
}

static uint32_t tcp_ready(struct socket *socket) NEEDS_NET_LOCK
{
	struct tcp_socket *tcp = tcp_socket(socket);
	uint32_t events = 0;

	if (tcp->state == TCP_LISTEN)
		return tcp->listen->accept_length ? POLLIN | POLLRDNORM : 0;
	if (tcp->fastopen_remote.port) /* the first send opens the connection */
		return POLLOUT | POLLWRNORM;
	if (socket->error)
		events |= POLLERR;
	if (tcp->state == TCP_CLOSE || (tcp->fin_received && socket->shutdown & SHUTDOWN_SEND))
		events |= POLLHUP;
	if (tcp_opening(tcp))
		return events;
	events |= readable_events(tcp);
	if (socket->shutdown & SHUTDOWN_SEND || tcp_writable(tcp))
		events |= POLLOUT | POLLWRNORM;
	else
		tcp->no_space = true; /* so that whoever asked is told when there is room */
	return events;
}

static int32_t unread(const struct tcp_socket *tcp) NEEDS_NET_LOCK
{
	return tcp_opening(tcp) ? 0 : (int32_t)tcp_readable(tcp);
}

static int32_t unsent(const struct tcp_socket *tcp, uint32_t from)
{
	return synchronised(tcp) ? (int32_t)(tcp->stream.end - seq_min(from, tcp->stream.end)) : 0;
}

static int tcp_ioctl(struct socket *socket, uint32_t command, void *argument) NEEDS_NET_LOCK
{
	const struct tcp_socket *tcp = tcp_socket(socket);
	int32_t *number = argument;

	if (command != SIOCINQ && command != SIOCOUTQ && command != SIOCOUTQNSD &&
	    command != SIOCATMARK)
		return -ENOTTY;
	if (tcp->state == TCP_LISTEN && command != SIOCATMARK)
		return -EINVAL;
	switch (command) {
	case SIOCINQ:
		*number = unread(tcp);
		return 0;
	case SIOCOUTQ:
		*number = unsent(tcp, tcp->snd_una);
		return 0;
	case SIOCOUTQNSD:
		*number = unsent(tcp, tcp->snd_nxt);
		return 0;
	default: /* reading stands at the urgent byte */
		*number = tcp->urgent_state != TCP_URGENT_NONE &&
			  tcp->copied_seq == tcp->rcv_up - 1;
		return 0;
	}
}

static void tcp_option_set(struct socket *socket, int option) NEEDS_NET_LOCK
{
	if (option == SO_KEEPALIVE)
		tcp_keepalive_start(tcp_socket(socket), net_batch_time(socket->net));
}

const struct socket_ops tcp_socket_ops = {
	.size = sizeof(struct tcp_socket),
	.open = tcp_open,
	.close = tcp_close,
	.free = tcp_free,
	.linger = tcp_linger,
	.bind = tcp_bind,
	.connect_wait = tcp_connect,
	.disconnect = tcp_disconnect,
	.listen = tcp_listen,
	.accept = tcp_accept,
	.shutdown = tcp_shutdown,
	.name = tcp_name,
	.sendmsg = tcp_sendmsg,
	.recvmsg = tcp_recvmsg,
	.setsockopt = tcp_setsockopt,
	.getsockopt = tcp_getsockopt,
	.option_set = tcp_option_set,
	.ioctl = tcp_ioctl,
	.ready = tcp_ready,
};
