/* Requests: their way to the protocol, and what the sender hears of each (NLMSG_ERROR). */
#include "include/uapi/capability.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "kernel/user.h"
#include "net/netlink/netlink_private.h"

#define ACKNOWLEDGEMENT_ROOM 512 /* bytes, beside the request's payload */

int netlink_check_permission(void)
{
	return user_may(CAP_NET_ADMIN) ? 0 : -EPERM;
}

int netlink_refuse(struct netlink_request *request, int error, const char *trouble)
{
	request->trouble = trouble;
	return error;
}

int netlink_attributes(struct netlink_request *request, size_t fixed,
		       const struct netlink_policy *policy, struct netlink_attribute *table)
{
	const struct netlink_message *message = request->message;
	size_t start = MIN(NETLINK_ALIGN(fixed), message->length), offset;
	enum netlink_trouble trouble = netlink_read_attributes(
		message->payload + start, message->length - start, policy, request->from->strict,
		table, &offset);

	if (trouble == NETLINK_FINE)
		return 0;
	request->trouble_offset = (uint32_t)(NETLINK_HEADER + start + offset);
	switch (trouble) {
	case NETLINK_ATTRIBUTE_SHORT:
		return netlink_refuse(request, -ERANGE, "Attribute failed policy validation");
	case NETLINK_ATTRIBUTE_UNKNOWN:
		return netlink_refuse(request, -EINVAL, "Unknown attribute type");
	default:
		return netlink_refuse(request, -EINVAL, "bytes leftover after parsing attributes");
	}
}

struct nlmsghdr netlink_answer_header(const struct netlink_request *request, uint16_t type)
{
	return (struct nlmsghdr){.nlmsg_type = type,
				 .nlmsg_seq = request->message->header.nlmsg_seq,
				 .nlmsg_pid = request->from->port};
}

static void put_extended(struct netlink_writer *writer, const struct netlink_request *request)
{
	if (request->trouble)
		netlink_put_string(writer, NLMSGERR_ATTR_MSG, request->trouble);
	if (request->trouble_offset)
		netlink_put_u32(writer, NLMSGERR_ATTR_OFFS, request->trouble_offset);
}

/* NLMSG_ERROR: the errno, the request (its header alone where that will do), and words. */
static void acknowledge(const struct netlink_request *request, int error) NEEDS_NET_LOCK
{
	struct netlink_socket *from = request->from;
	const struct netlink_message *message = request->message;
	bool capped = !error || from->cap_ack;
	bool extended = from->extended_ack && (request->trouble || request->trouble_offset);
	struct nlmsghdr header = netlink_answer_header(request, NLMSG_ERROR);
	const struct nlmsgerr body = {.error = error, .msg = message->header};
	struct netlink_writer writer;
	struct sk_buff *skb = netlink_packet(request->net, message->length + ACKNOWLEDGEMENT_ROOM,
					     &writer);

	if (!skb) {
		netlink_overrun(from);
		return;
	}
	header.nlmsg_flags = (uint16_t)((capped ? NLM_F_CAPPED : 0) |
					(extended ? NLM_F_ACK_TLVS : 0));
	netlink_begin(&writer, &header);
	netlink_put_bytes(&writer, &body, sizeof(body));
	if (!capped)
		netlink_put_bytes(&writer, message->payload, message->length);
	if (extended)
		put_extended(&writer, request);
	netlink_end(&writer);
	netlink_send(from, skb, &writer);
}

static void serve_message(struct netlink_request *request) NEEDS_NET_LOCK
{
	const struct nlmsghdr *header = &request->message->header;
	int error = 0;

	if (!(header->nlmsg_flags & NLM_F_REQUEST))
		return; /* an answer to nothing that was asked */
	if (header->nlmsg_type >= NLMSG_MIN_TYPE)
		error = request->from->protocol->receive(request);
	if (error || (header->nlmsg_flags & NLM_F_ACK && !request->answered))
		acknowledge(request, error);
}

void netlink_serve(struct netlink_socket *from, const void *bytes, size_t length,
		   const struct ucred *sender)
{
	struct net *net = from->socket.net;
	struct netlink_reader reader = {.at = bytes, .left = length};
	struct netlink_message message;

	while (netlink_read_message(&reader, &message)) {
		struct netlink_request request = {
			.net = net, .from = from, .message = &message, .sender = *sender};

		net_lock(net);
		serve_message(&request);
		net_unlock(net);
	}
}
