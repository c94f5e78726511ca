/*
 * What a socket's packets and waiters do: receive queue, send buffer, pending errors, blocking. See
 * socket.h.
 */
#include "net/core/socket.h"

void socket_wake(struct socket *socket, uint32_t events)
{
	/* Who joins looks afterwards with the net lock, which we hold. */
	if (wait_list_has_waiters(&socket->wait))
		wait_list_wake(&socket->wait, events);
}

static bool receive_buffer_full(const struct socket *socket)
{
	/*
	 * The packet that crosses the line is taken, so that an empty queue takes one of any size.
	 */
	return socket->receive_queue.truesize + socket->error_queue.truesize >=
	       (uint32_t)socket->receive_buffer;
}

bool socket_queue_receive(struct socket *socket, struct sk_buff *skb)
{
	if (unlikely(receive_buffer_full(socket))) {
		socket->drops++;
		skb_drop(skb, DROP_SOCKET_BUFFER_FULL);
		return false;
	}
	skb_queue_append(&socket->receive_queue, skb);
	socket_wake(socket, POLLIN | POLLRDNORM);
	return true;
}

void socket_queue_error(struct socket *socket, struct sk_buff *skb)
{
	if (socket->closed) { /* a connection outlives its socket: nobody will read it */
		skb_drop(skb, DROP_SOCKET_CLOSED);
		return;
	}
	if (receive_buffer_full(socket)) {
		socket->drops++;
		skb_drop(skb, DROP_SOCKET_BUFFER_FULL);
		return;
	}
	skb_queue_append(&socket->error_queue, skb);
	socket_wake(socket, POLLERR);
}

struct sk_buff *socket_take_queued_error(struct socket *socket)
{
	net_lock(socket->net);
	struct sk_buff *skb = skb_queue_take(&socket->error_queue);

	net_unlock(socket->net);
	return skb;
}

void socket_set_error(struct socket *socket, int error)
{
	socket->error = error;
	socket_wake(socket, POLLERR | POLLIN | POLLOUT);
}

int socket_take_error(struct socket *socket)
{
	int error = socket->error;

	socket->error = 0;
	return -error;
}

static void deadline_passed(struct timer *timer)
{
	struct socket_wait *wait = container_of(timer, struct socket_wait, timer);

	wait->expired = true;
	wait->thread.waiter.wake(&wait->thread.waiter, 0);
}

void socket_wait_begin(struct socket_wait *wait, struct socket *socket, uint64_t timeout_us)
{
	struct net *net = socket->net;

	wait->socket = socket;
	wait->has_deadline = timeout_us != 0;
	wait->expired = false;
	thread_waiter_join(&wait->thread, &socket->wait);
	if (!wait->has_deadline)
		return;
	/* A timer of the stack, not of the semaphore: its clock may be a virtual one. */
	timer_init(&wait->timer, deadline_passed);
	net_lock(net);
	net_timer_arm(net, &wait->timer, net_now(net) + timeout_us);
	net_unlock(net);
}

int socket_wait_sleep(struct socket_wait *wait)
{
	if (wait->expired) /* and the caller has looked since */
		return -EAGAIN;
	int error = thread_waiter_sleep(&wait->thread, TIME_NEVER);

	return error == -ERESTARTSYS && wait->has_deadline ? -EINTR : error;
}

void socket_wait_end(struct socket_wait *wait)
{
	struct net *net = wait->socket->net;

	if (wait->has_deadline) {
		net_lock(net);
		net_timer_cancel(net, &wait->timer);
		net_unlock(net);
	}
	thread_waiter_leave(&wait->thread);
}

/* One look. -EAGAIN: nothing there. */
static int try_receive(struct socket *socket, uint32_t flags,
		       struct sk_buff **result) NEEDS_NET_LOCK
{
	int error = socket_take_error(socket);

	*result = NULL;
	if (error)
		return error;
	struct sk_buff *first = skb_queue_first(&socket->receive_queue);

	if (!first)
		return socket->shutdown & SHUTDOWN_RECEIVE ? 0 : -EAGAIN;
	if (flags & MSG_PEEK) {
		*result = skb_clone(first);
		return *result ? 0 : -ENOBUFS;
	}
	skb_queue_unlink(&socket->receive_queue, first);
	*result = first;
	return 0;
}

static int look_for_packet(struct socket *socket, uint32_t flags, struct sk_buff **result)
{
	net_lock(socket->net);
	int error = try_receive(socket, flags, result);

	net_unlock(socket->net);
	return error;
}

int socket_wait_receive(struct socket *socket, uint32_t flags, struct sk_buff **result)
{
	int error = look_for_packet(socket, flags, result);

	if (error != -EAGAIN || (flags & MSG_DONTWAIT))
		return error;

	struct socket_wait wait;

	socket_wait_begin(&wait, socket, socket->receive_timeout_us);
	while ((error = look_for_packet(socket, flags, result)) == -EAGAIN) {
		error = socket_wait_sleep(&wait);
		if (error)
			break;
	}
	socket_wait_end(&wait);
	return error;
}

void skb_set_owner(struct sk_buff *skb, struct socket *socket)
{
	if (socket->send_charged == 0)
		socket_get(socket);
	socket->send_charged += skb->truesize;
	skb->owner = socket;
}

void skb_orphan(struct sk_buff *skb)
{
	struct socket *socket = skb->owner;

	if (!socket)
		return;
	uint32_t before = socket->send_charged, left = before - skb->truesize;
	uint32_t half = (uint32_t)socket->send_buffer / 2;

	skb->owner = NULL;
	socket->send_charged = left;
	/* Senders wait for half of the buffer, so that they are not woken for each packet. */
	if (left < half && before >= half)
		wait_list_wake(&socket->wait, POLLOUT | POLLWRNORM);
	if (left == 0)
		socket_put(socket);
}

/* One look. -EAGAIN: the send buffer is full. */
static int look_for_room(struct socket *socket) NEEDS_NET_LOCK
{
	int error = socket->sends_past_errors ? 0 : socket_take_error(socket);

	if (error)
		return error;
	if (socket->shutdown & SHUTDOWN_SEND)
		return -EPIPE;
	return socket->send_charged < (uint32_t)socket->send_buffer ? 0 : -EAGAIN;
}

/* Sleeps, without the net lock meanwhile, until look_for_room has another answer than -EAGAIN. */
static int wait_for_room(struct socket *socket) NEEDS_NET_LOCK
{
	struct net *net = socket->net;
	struct socket_wait wait;
	int error;

	net_unlock(net);
	socket_wait_begin(&wait, socket, socket->send_timeout_us);
	net_lock(net);
	while ((error = look_for_room(socket)) == -EAGAIN) {
		net_unlock(net);
		error = socket_wait_sleep(&wait);
		net_lock(net);
		if (error)
			break;
	}
	net_unlock(net);
	socket_wait_end(&wait);
	net_lock(net);
	return error;
}

int socket_wait_send_room(struct socket *socket, uint32_t flags)
{
	int error = look_for_room(socket);

	if (error == -EAGAIN && !(flags & MSG_DONTWAIT))
		error = wait_for_room(socket);
	return error;
}

/* Owns skb. */
static int charge_and_transmit(struct socket *socket, const struct message *message,
			       struct sk_buff *skb, socket_transmit *transmit) NEEDS_NET_LOCK
{
	int error = socket_wait_send_room(socket, message->flags);

	if (error) {
		skb_free(skb);
		return error;
	}
	skb_set_owner(skb, socket);
	return transmit(socket, message, skb);
}

int64_t socket_send_datagram(struct socket *socket, struct message *message,
			     socket_transmit *transmit)
{
	uint64_t length = message->iov.remaining;
	struct sk_buff *skb = skb_alloc(socket->net, SKB_HEADROOM + length);
	int error;

	if (!skb)
		return -ENOBUFS;
	skb_reserve(skb, SKB_HEADROOM);
	error = skb_put_from_iov(skb, &message->iov, length);
	if (error) {
		skb_free(skb);
		return error;
	}
	net_lock(socket->net);
	error = charge_and_transmit(socket, message, skb, transmit);
	net_unlock(socket->net);
	return error ? error : (int64_t)length;
}
