/*
 * What a socket learns of errors: the pending error, and with IP_RECVERR the error queue (ip(7)).
 */
#include "include/uapi/errqueue.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/ipv4/inet_socket.h"
#include "net/ipv4/ipv4_state.h"

#define QUOTED_MAX 512 /* bytes of payload kept with an error */

struct queued_error { /* in the control area of each packet of the error queue */
	struct sock_extended_err error;
	ip4_t offender;    /* 0: none */
	ip4_t destination; /* of the datagram that failed */
	uint16_t port;
};
#define QUEUED_ERROR(skb) SKB_CONTROL(skb, struct queued_error)

static void queue_error(struct inet_socket *inet, const struct queued_error *error,
			const struct sk_buff *quoted, size_t offset) NEEDS_NET_LOCK
{
	size_t there = quoted && quoted->len > offset ? quoted->len - offset : 0;
	size_t length = MIN(there, (size_t)QUOTED_MAX);
	struct sk_buff *skb = skb_alloc(inet->socket.net, length);

	if (!skb)
		return;
	if (length)
		skb_copy_bits(quoted, offset, skb_put(skb, length), length);
	*QUEUED_ERROR(skb) = *error;
	socket_queue_error(&inet->socket, skb);
}

void inet_report_error(struct inet_socket *inet, const struct icmp_error *error,
		       const struct sk_buff *quoted, size_t offset, const struct endpoint *to)
{
	int number = error->error;
	bool hard = error->hard;

	/* A datagram that was too long fails its sender only if it asked for DF: Linux's udp(7). */
	if (error->mtu || number == EMSGSIZE) {
		if (inet->mtu_discover == IP_PMTUDISC_DONT)
			return;
		hard = true;
	}
	if (inet->want_errors) {
		const struct queued_error queued = {
			.error = {.ee_errno = (uint32_t)number,
				  .ee_origin = SO_EE_ORIGIN_ICMP,
				  .ee_type = error->type,
				  .ee_code = error->code,
				  .ee_info = error->mtu},
			.offender = error->offender.v4,
			.destination = to->addr.v4,
			.port = to->port,
		};

		queue_error(inet, &queued, quoted, offset);
	} else if (!hard || !inet_connected(inet)) {
		return; /* RFC 1122 4.1.3.3: who sends to many cannot know whose error it is */
	}
	socket_set_error(&inet->socket, number);
}

void inet_report_local_error(struct inet_socket *inet, int error, uint32_t info,
			     const struct endpoint *to)
{
	const struct queued_error queued = {
		.error = {.ee_errno = (uint32_t)error,
			  .ee_origin = SO_EE_ORIGIN_LOCAL,
			  .ee_info = info},
		.destination = to->addr.v4,
		.port = to->port,
	};

	if (inet->want_errors)
		queue_error(inet, &queued, NULL, 0);
}

/* The next error of the queue becomes the pending one. */
static void promote_next(struct inet_socket *inet) EXCLUDES(net_lock_held)
{
	struct socket *socket = &inet->socket;

	net_lock(socket->net);
	const struct sk_buff *next = skb_queue_first(&socket->error_queue);

	socket->error = next ? (int)SKB_CONTROL(next, const struct queued_error)->error.ee_errno
			     : 0;
	net_unlock(socket->net);
}

static void put_error(const struct queued_error *queued, struct message *message)
{
	struct {
		struct sock_extended_err error;
		struct sockaddr_in offender;
	} data = {.error = queued->error};

	if (queued->offender) {
		data.offender.sin_family = AF_INET;
		data.offender.sin_addr.s_addr = cpu_to_be32(queued->offender);
	}
	message_put_control(message, SOL_IP, IP_RECVERR, &data, sizeof(data));
}

int64_t inet_receive_error(struct inet_socket *inet, struct message *message)
{
	struct sk_buff *skb = socket_take_queued_error(&inet->socket);

	if (!skb)
		return -EAGAIN;

	const struct queued_error *queued = QUEUED_ERROR(skb);
	const struct endpoint to = {.addr = net_addr_ip4(queued->destination),
				    .port = queued->port};
	size_t copied = MIN((size_t)skb->len, message->iov.remaining);
	int error = skb_copy_to_iov(skb, 0, &message->iov, copied);

	if (copied < skb->len)
		message->flags_out |= MSG_TRUNC;
	message->flags_out |= MSG_ERRQUEUE;
	inet_write_name(&to, &message->name, &message->name_length);
	put_error(queued, message);
	skb_free(skb);
	promote_next(inet);
	return error ? error : (int64_t)copied;
}
