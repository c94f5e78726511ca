/* SOCK_SEQPACKET: messages over a connection. */
#include "net/unix/unix_private.h"

static int64_t seqpacket_sendmsg(struct socket *socket, struct message *message)
{
	struct unix_socket *unix = unix_socket(socket);
	struct unix_outgoing out;
	struct sk_buff *skb;

	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (message->iov.remaining > unix_message_max(socket))
		return -EMSGSIZE;
	uint64_t length = message->iov.remaining;
	int error = unix_outgoing_begin(&out, message);

	if (error)
		return error;
	error = unix_message_copy(socket->net, message, length, &out, &skb);
	if (!error)
		error = unix_connection_send(unix, &out, skb, message->flags);
	unix_outgoing_end(&out);
	return error ? error : (int64_t)length;
}

static int64_t seqpacket_recvmsg(struct socket *socket, struct message *message)
{
	struct unix_socket *unix = unix_socket(socket);

	if (message->flags & MSG_OOB)
		return -EOPNOTSUPP;
	return unix->peer ? unix_receive_message(unix, message) : -ENOTCONN;
}

const struct socket_ops unix_seqpacket_ops = {
	UNIX_COMMON_OPS,
	.listen = unix_listen,
	.accept = unix_accept,
	.connect_wait = unix_connect,
	.pair = unix_pair,
	.sendmsg = seqpacket_sendmsg,
	.recvmsg = seqpacket_recvmsg,
	.ready = unix_connection_ready,
};
