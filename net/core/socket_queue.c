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

void socket_queue_receive(struct socket *socket, struct sk_buff *skb)
{
	if (receive_buffer_full(socket)) {
		socket->drops++;
		skb_drop(skb, DROP_SOCKET_BUFFER_FULL);
		return;
	}
	skb_queue_append(&socket->receive_queue, skb);
	socket_wake(socket, POLLIN | POLLRDNORM);
}

void socket_queue_error(struct socket *socket, struct sk_buff *skb)
{
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
	skb->owner = socket_get(socket);
	__atomic_add_fetch(&socket->send_charged, skb->truesize, __ATOMIC_SEQ_CST);
}

void skb_orphan(struct sk_buff *skb)
{
	struct socket *socket = skb->owner;

	if (!socket)
		return;
	skb->owner = NULL;
	uint32_t left = __atomic_sub_fetch(&socket->send_charged, skb->truesize, __ATOMIC_SEQ_CST);
	uint32_t half = (uint32_t)socket->send_buffer / 2;

	/* Senders wait for half of the buffer, so that they are not woken for each packet. */
	if (left < half && left + skb->truesize >= half)
		wait_list_wake(&socket->wait, POLLOUT | POLLWRNORM);
	socket_put(socket);
}

/* One look: charges the packet if the send buffer has room. -EAGAIN: it has not. */
static int try_charge(struct socket *socket, struct sk_buff *skb)
{
	net_lock(socket->net);
	int error = socket_take_error(socket);

	if (!error && (socket->shutdown & SHUTDOWN_SEND))
		error = -EPIPE;
	if (!error && __atomic_load_n(&socket->send_charged, __ATOMIC_SEQ_CST) >=
			      (uint32_t)socket->send_buffer)
		error = -EAGAIN;
	if (!error)
		skb_set_owner(skb, socket);
	net_unlock(socket->net);
	return error;
}

static int wait_to_charge(struct socket *socket, struct sk_buff *skb)
{
	struct socket_wait wait;
	int error;

	socket_wait_begin(&wait, socket, socket->send_timeout_us);
	while ((error = try_charge(socket, skb)) == -EAGAIN) {
		error = socket_wait_sleep(&wait);
		if (error)
			break;
	}
	socket_wait_end(&wait);
	return error;
}

struct sk_buff *socket_alloc_send(struct socket *socket, struct message *message, int *error)
{
	uint64_t length = message->iov.remaining;
	struct sk_buff *skb = skb_alloc(socket->net, SKB_HEADROOM + length);

	if (!skb) {
		*error = -ENOBUFS;
		return NULL;
	}
	skb_reserve(skb, SKB_HEADROOM);
	*error = try_charge(socket, skb);
	if (*error == -EAGAIN && !(message->flags & MSG_DONTWAIT))
		*error = wait_to_charge(socket, skb);
	if (!*error)
		*error = skb_put_from_iov(skb, &message->iov, length);
	if (!*error)
		return skb;
	skb_free(skb);
	return NULL;
}
