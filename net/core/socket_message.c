/* Ancillary data (cmsg(3)) of the messages that sendmsg and recvmsg carry. */
#include "include/uapi/time.h"
#include "kernel/string.h"
#include "net/core/socket.h"

void message_put_control(struct message *message, int level, int type, const void *data,
			 size_t length)
{
	size_t room = message->control_to ? message->control_room - message->control_used : 0;
	struct cmsghdr header = {
		.cmsg_len = CMSG_LEN(length), .cmsg_level = level, .cmsg_type = type};

	if (room < sizeof(header)) {
		message->flags_out |= MSG_CTRUNC;
		return;
	}
	if (room < header.cmsg_len) { /* what fits is given, as Linux does */
		message->flags_out |= MSG_CTRUNC;
		header.cmsg_len = room;
	}
	uint8_t *to = (uint8_t *)message->control_to + message->control_used;
	size_t space = MIN(CMSG_SPACE(length), room);

	memset(to, 0, space);
	memcpy(to, &header, sizeof(header));
	memcpy(to + sizeof(header), data, header.cmsg_len - sizeof(header));
	message->control_used += space;
}

const struct cmsghdr *message_next_control(const struct message *message,
					   const struct cmsghdr *previous, int *error)
{
	const uint8_t *start = message->control;
	size_t at = 0;

	*error = 0;
	if (!start)
		return NULL;
	if (previous)
		at = (size_t)((const uint8_t *)previous - start) + CMSG_ALIGN(previous->cmsg_len);
	if (at + sizeof(struct cmsghdr) > message->control_length)
		return NULL;

	const struct cmsghdr *header = (const void *)(start + at);

	if (header->cmsg_len < sizeof(*header) || header->cmsg_len > message->control_length - at) {
		*error = -EINVAL;
		return NULL;
	}
	return header;
}

void socket_tell_timestamp(struct socket *socket, const struct sk_buff *skb,
			   struct message *message)
{
	struct net *net = socket->net;
	uint64_t stamp_us = net_realtime(net);

	if (skb->time_us) /* 0: it came before anybody wanted to know */
		stamp_us -= net_now(net) - skb->time_us;
	socket->last_stamp_us = stamp_us;
	if (!socket->timestamp)
		return;
	/* The two structures differ in the unit of their second member alone. */
	struct timespec stamp = {
		.tv_sec = (int64_t)(stamp_us / USEC_PER_SEC),
		.tv_nsec = (int64_t)(stamp_us % USEC_PER_SEC *
				     (socket->timestamp_ns ? NSEC_PER_USEC : 1)),
	};

	message_put_control(message, SOL_SOCKET,
			    socket->timestamp_ns ? SCM_TIMESTAMPNS : SCM_TIMESTAMP, &stamp,
			    sizeof(stamp));
}
