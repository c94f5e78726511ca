/* SOCK_STREAM: bytes over a connection. */
#include "kernel/string.h"
#include "net/unix/unix_private.h"

#define SMALL_CHUNK 2048 /* bytes; what is tried when memory has no larger piece */

/* One recvmsg. */
struct reading {
	struct unix_socket *unix;
	struct message *message;
	uint64_t wanted; /* bytes that the process has room for */
	uint64_t target; /* enough to return: SO_RCVLOWAT, MSG_WAITALL */
	uint64_t done;
	struct unix_incoming in;
	bool stopped; /* at bytes that are another sender's, or behind files */
};

/* Where reading goes on: the first message, or with MSG_PEEK the one behind `done` bytes. */
static struct sk_buff *next_message(const struct reading *reading, uint64_t *skip) NEEDS_NET_LOCK
{
	const struct skb_queue *queue = &reading->unix->socket.receive_queue;
	struct sk_buff *skb;

	*skip = reading->message->flags & MSG_PEEK ? reading->done : 0;
	list_for_each_entry(skb, &queue->list, link) {
		if (*skip < unix_unread(skb))
			return skb;
		*skip -= unix_unread(skb);
	}
	return NULL;
}

/* Bytes of two senders are told apart where the reader asks who sent them. */
static bool same_sender(const struct reading *reading, struct sk_buff *skb) NEEDS_NET_LOCK
{
	return !reading->in.known || !reading->in.with_credentials ||
	       memcmp(&reading->in.credentials, &UNIX_CONTROL(skb)->credentials,
		      sizeof(reading->in.credentials)) == 0;
}

static void consume(struct unix_socket *unix, struct sk_buff *skb, uint32_t part) NEEDS_NET_LOCK
{
	UNIX_CONTROL(skb)->taken += part;
	if (unix_unread(skb))
		return;
	skb_queue_unlink(&unix->socket.receive_queue, skb);
	unix_message_discard(skb);
}

/* Copies from one message. The caller is the reader, so it stays while the lock is given up. */
static int read_message(struct reading *reading, struct sk_buff *skb, uint64_t skip) NEEDS_NET_LOCK
{
	struct net *net = reading->unix->socket.net;
	bool peek = reading->message->flags & MSG_PEEK;
	uint32_t part = (uint32_t)MIN(reading->wanted - reading->done, unix_unread(skb) - skip);

	net_unlock(net);
	int error = skb_copy_to_iov(skb, UNIX_CONTROL(skb)->taken + skip, &reading->message->iov,
				    part);

	net_lock(net);
	if (!error)
		error = unix_incoming_take(&reading->in, reading->unix, skb, peek);
	if (error)
		return error;
	reading->done += part;
	reading->stopped = reading->in.rights != NULL;
	if (!peek)
		consume(reading->unix, skb, part);
	return 0;
}

static int read_available(struct reading *reading) NEEDS_NET_LOCK
{
	struct sk_buff *skb;
	uint64_t skip;
	int error = 0;

	while (!error && !reading->stopped && reading->done < reading->wanted &&
	       (skb = next_message(reading, &skip))) {
		if (same_sender(reading, skb))
			error = read_message(reading, skb, skip);
		else
			reading->stopped = true;
	}
	return error;
}

/* 0: end of file; -EAGAIN: wait. */
static int nothing_there(struct unix_socket *unix) NEEDS_NET_LOCK
{
	int error = socket_take_error(&unix->socket);

	if (error)
		return error;
	if (unix->socket.shutdown & SHUTDOWN_RECEIVE)
		return 0;
	return unix->peer ? -EAGAIN : -EINVAL;
}

/* One round. 1: enough; 0: end of file; -EAGAIN: wait for more; else an error. */
static int read_round(struct reading *reading) NEEDS_NET_LOCK
{
	struct unix_socket *unix = reading->unix;

	if (unix->reading) {
		unix->reader_waits = true;
		return -EAGAIN;
	}
	unix->reading = true;
	int error = read_available(reading);

	unix->reading = false;
	if (unix->reader_waits) {
		unix->reader_waits = false;
		socket_wake(&unix->socket, POLLIN | POLLRDNORM);
	}
	if (error)
		return error;
	if (reading->done >= reading->target || reading->stopped)
		return 1;
	if (reading->done && unix->socket.error) /* it waits for the next call */
		return 1;
	return nothing_there(unix);
}

static int read_and_wait(struct reading *reading)
{
	struct socket *socket = &reading->unix->socket;
	struct socket_wait wait;
	int result, error = 0;

	socket_wait_begin(&wait, socket, socket->receive_timeout_us);
	net_lock(socket->net);
	while ((result = read_round(reading)) == -EAGAIN && !error) {
		net_unlock(socket->net);
		error = socket_wait_sleep(&wait);
		net_lock(socket->net);
	}
	net_unlock(socket->net);
	socket_wait_end(&wait);
	return result == -EAGAIN ? error : result;
}

static uint64_t enough(const struct socket *socket, const struct message *message)
{
	uint64_t wanted = message->iov.remaining;

	if (message->flags & MSG_WAITALL)
		return wanted;
	return MAX(MIN((uint64_t)socket->receive_low, wanted), 1);
}

static int64_t stream_recvmsg(struct socket *socket, struct message *message)
{
	struct reading reading = {
		.unix = unix_socket(socket),
		.message = message,
		.wanted = message->iov.remaining,
		.target = enough(socket, message),
	};

	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	net_lock(socket->net);
	int result = reading.wanted ? read_round(&reading) : reading.unix->peer ? 0 : -EINVAL;

	net_unlock(socket->net);
	if (result == -EAGAIN && !(message->flags & MSG_DONTWAIT))
		result = read_and_wait(&reading);
	unix_incoming_tell(&reading.in, message);
	unix_incoming_end(&reading.in);
	return reading.done ? (int64_t)reading.done : MIN(result, 0);
}

/* The next part of a message to be sent, in a piece of memory that can be had. */
static int copy_chunk(struct socket *socket, struct message *message,
		      const struct unix_outgoing *out, struct sk_buff **skb)
{
	uint64_t most = MIN((uint64_t)UNIX_LINEAR_MAX, (uint64_t)socket->send_buffer / 2);
	uint64_t length = MIN(message->iov.remaining, most);
	int error = unix_message_copy(socket->net, message, length, out, skb);

	if (error == -ENOBUFS && length > SMALL_CHUNK)
		error = unix_message_copy(socket->net, message, SMALL_CHUNK, out, skb);
	return error;
}

static int64_t send_chunks(struct unix_socket *unix, struct message *message,
			   struct unix_outgoing *out)
{
	int64_t sent = 0;
	int error = 0;

	while (!error && message->iov.remaining) {
		struct sk_buff *skb;

		error = copy_chunk(&unix->socket, message, out, &skb);
		if (error)
			break;
		uint32_t length = skb->len;

		error = unix_connection_send(unix, out, skb, message->flags);
		sent += error ? 0 : length;
	}
	return sent ? sent : error;
}

/* What can be said before anything is copied. */
static int check_send(const struct unix_socket *unix, const struct message *message) NEEDS_NET_LOCK
{
	if (message->name_length)
		return unix->peer ? -EISCONN : -EOPNOTSUPP;
	if (!unix->peer)
		return -ENOTCONN;
	return unix->socket.shutdown & SHUTDOWN_SEND ? -EPIPE : 0;
}

static int64_t stream_sendmsg(struct socket *socket, struct message *message)
{
	struct unix_socket *unix = unix_socket(socket);
	struct unix_outgoing out;

	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	net_lock(socket->net);
	int error = check_send(unix, message);

	net_unlock(socket->net);
	if (!error)
		error = unix_outgoing_begin(&out, message);
	if (error)
		return error;
	int64_t result = send_chunks(unix, message, &out);

	unix_outgoing_end(&out);
	return result;
}

const struct socket_ops unix_stream_ops = {
	UNIX_COMMON_OPS,           .listen = unix_listen,
	.accept = unix_accept,     .connect_wait = unix_connect,
	.pair = unix_pair,         .sendmsg = stream_sendmsg,
	.recvmsg = stream_recvmsg, .ready = unix_connection_ready,
};
