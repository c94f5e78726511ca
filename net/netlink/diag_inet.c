/* SOCK_DIAG about AF_INET: the lists of TCP, UDP and raw IPv4, and SOCK_DESTROY. */
#include "include/uapi/in.h"
#include "kernel/errno.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/string.h"
#include "net/netlink/diag.h"

static const uint8_t least[INET_DIAG_REQ_PROTOCOL + 1] = {[INET_DIAG_REQ_PROTOCOL] = 4};
static const struct netlink_policy policy = {.most = INET_DIAG_REQ_PROTOCOL, .least = least};

static bool fill_nothing(struct netlink_dump *dump __unused,
			 struct netlink_writer *writer __unused) NEEDS_NET_LOCK
{
	return true;
}

/* NULL: no such protocol. */
static bool (*find_list(const struct inet_diag_req_v2 *wanted,
			uint32_t protocol))(struct netlink_dump *dump,
					    struct netlink_writer *writer)
{
	bool ip6 = wanted->sdiag_family == AF_INET6; /* of which there are no sockets */

	switch (protocol) {
	case IPPROTO_TCP:
		return ip6 ? fill_nothing : diag_fill_tcp;
	case IPPROTO_UDP:
		return ip6 ? fill_nothing : diag_fill_udp;
	case IPPROTO_UDPLITE:
		return ip6 ? fill_nothing : diag_fill_udp_lite;
	case IPPROTO_RAW:
		return ip6 ? fill_nothing : diag_fill_raw;
	default:
		return NULL;
	}
}

static int dump_sockets(struct netlink_request *request,
			const struct inet_diag_req_v2 *wanted) NEEDS_NET_LOCK
{
	struct netlink_attribute attributes[INET_DIAG_REQ_PROTOCOL + 1];
	const struct netlink_attribute *program = &attributes[INET_DIAG_REQ_BYTECODE];
	const struct netlink_attribute *number = &attributes[INET_DIAG_REQ_PROTOCOL];
	struct netlink_dump dump = {0};
	int error = netlink_attributes(request, sizeof(*wanted), &policy, attributes);

	if (error)
		return error;
	/* One above 255 does not fit in the header. */
	dump.fill = find_list(wanted, number->value ? netlink_u32(number) : wanted->sdiag_protocol);
	if (!dump.fill)
		return -ENOENT;
	if (program->value && !diag_filter_check(program->value, program->length))
		return netlink_refuse(request, -EINVAL, "Invalid filter");
	struct diag_filter *filter = kzalloc(sizeof(*filter) + program->length);

	if (!filter)
		return -ENOMEM;
	filter->request = *wanted;
	filter->program_length = program->length;
	if (program->value)
		memcpy(filter->program, program->value, program->length);
	dump.filter = filter;
	return netlink_dump_start(request, &dump);
}

/* SOCK_DESTROY: one socket, by its ends and its cookie. */
static int destroy(struct netlink_request *request,
		   const struct inet_diag_req_v2 *wanted) NEEDS_NET_LOCK
{
	int error = netlink_check_permission();

	if (error)
		return error;
	if (wanted->sdiag_family != AF_INET || wanted->sdiag_protocol != IPPROTO_TCP)
		return -EOPNOTSUPP;
	return diag_destroy_tcp(request->net, wanted);
}

int diag_inet(struct netlink_request *request)
{
	const struct netlink_message *message = request->message;
	struct inet_diag_req_v2 wanted;

	if (message->length < sizeof(wanted))
		return -EINVAL;
	memcpy(&wanted, message->payload, sizeof(wanted));
	if (message->header.nlmsg_type == SOCK_DESTROY)
		return destroy(request, &wanted);
	if (!(message->header.nlmsg_flags & NLM_F_DUMP))
		return -EOPNOTSUPP;
	return dump_sockets(request, &wanted);
}
