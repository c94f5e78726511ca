/* From a socket's options and a message to one datagram's way: source, interface, TTL, DF. */
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/ipv4/inet_socket.h"
#include "net/ipv4/ipv4_state.h"

static int read_pktinfo(const void *data, size_t length, struct inet_send *how)
{
	struct in_pktinfo info;

	if (length < sizeof(info))
		return -EINVAL;
	memcpy(&info, data, sizeof(info));
	if (info.ipi_ifindex)
		how->ifindex = info.ipi_ifindex;

	ip4_t source = be32_to_cpu(info.ipi_spec_dst.s_addr);

	if (source != IP4_ANY)
		how->source = net_addr_ip4(source);
	return 0;
}

static int read_one_control(const struct cmsghdr *header, struct inet_send *how)
{
	size_t length = header->cmsg_len - sizeof(*header);
	int number;

	if (header->cmsg_type == IP_PKTINFO)
		return read_pktinfo(CMSG_DATA(header), length, how);
	if (inet_read_number(CMSG_DATA(header), (uint32_t)length, &number))
		return -EINVAL;
	switch (header->cmsg_type) {
	case IP_TTL:
		if (number < 1 || number > 255)
			return -EINVAL;
		how->ttl = (uint8_t)number;
		return 0;
	case IP_TOS:
		if (number < 0 || number > 255)
			return -EINVAL;
		how->tos = (uint8_t)number;
		return 0;
	default:
		return -EINVAL;
	}
}

static int read_control(const struct message *message, struct inet_send *how)
{
	const struct cmsghdr *header = NULL;
	int error = 0;

	while (!error && (header = message_next_control(message, header, &error))) {
		if (header->cmsg_level == SOL_IP)
			error = read_one_control(header, how);
		else if (header->cmsg_level != SOL_SOCKET)
			error = -EINVAL;
	}
	return error;
}

/* Where to: the message says, or the connection does. */
static int choose_destination(const struct inet_socket *inet, const struct message *message,
			      struct inet_outgoing *out)
{
	if (message->name_length == 0) {
		if (!inet_connected(inet))
			return -EDESTADDRREQ;
		out->to = inet->remote;
	} else {
		int error = inet_read_name(&message->name, message->name_length, &out->to);

		if (error)
			return error;
	}
	/* ip(7): 0.0.0.0 is this host. */
	if (out->to.addr.family == AF_UNSPEC)
		out->to.addr = inet->local.addr.family ? inet->local.addr
						       : net_addr_ip4(IP4_LOOPBACK);
	return 0;
}

/* RFC 1122 3.2.1.3: what a socket is bound to receive on may be no address to send from. */
static bool is_no_source(const struct inet_socket *inet) NEEDS_NET_LOCK
{
	if (!inet->address_bound)
		return false;

	enum route_type type = route_type_of(inet->socket.net, inet->local.addr.v4);

	return type == ROUTE_BROADCAST || type == ROUTE_MULTICAST;
}

static void apply_options(const struct inet_socket *inet, struct inet_outgoing *out) NEEDS_NET_LOCK
{
	struct inet_send *how = &out->how;

	if (!is_no_source(inet))
		how->source = inet->local.addr;
	how->ifindex = inet->socket.bound_ifindex;
	how->tos = inet->tos;
	how->ttl = inet->ttl > 0 ? (uint8_t)inet->ttl : 0;
	if (inet->options_length) {
		how->options = inet->options;
		how->options_length = inet->options_length;
	}
	if (ip4_is_multicast(out->to.addr.v4)) {
		how->ttl = inet->multicast_ttl;
		how->ttl_given = true;
		how->no_loop = !inet->multicast_loop;
		if (!how->ifindex)
			how->ifindex = inet->multicast_ifindex;
		if (how->source.family == AF_UNSPEC)
			how->source = inet->multicast_source;
	}
}

/* A source that IP_PKTINFO asks for must be ours, as one that bind asks for. */
static int check_source(const struct inet_socket *inet,
			const struct net_addr *source) NEEDS_NET_LOCK
{
	if (source->family == AF_UNSPEC || inet->free_bind)
		return 0;
	return inet->family->is_local(inet->socket.net, *source) ? 0 : -EINVAL;
}

int inet_prepare(struct inet_socket *inet, const struct message *message, struct inet_outgoing *out)
{
	struct net *net = inet->socket.net;
	int error = choose_destination(inet, message, out);

	if (error)
		return error;
	out->how = (struct inet_send){0};
	apply_options(inet, out);
	if (message->control_length) {
		error = read_control(message, &out->how);
		if (!error)
			error = check_source(inet, &out->how.source);
		if (error)
			return error;
	}
	error = inet->family->route(net, out->to.addr, out->how.source, out->how.ifindex,
				    &out->route);
	if (error)
		return error;
	if (out->route.broadcast && !inet->socket.broadcast)
		return -EACCES;
	out->how.destination = out->to.addr;
	if (out->how.source.family == AF_UNSPEC)
		out->how.source = out->route.source;
	return 0;
}

int inet_decide_fragmenting(struct inet_socket *inet, struct inet_outgoing *out, uint32_t length)
{
	uint32_t mtu = out->route.mtu;
	bool may_fragment;

	switch (inet->mtu_discover) {
	case IP_PMTUDISC_DO:
		out->how.dont_fragment = true;
		may_fragment = false;
		break;
	case IP_PMTUDISC_PROBE:
	case IP_PMTUDISC_INTERFACE:
		out->how.dont_fragment = inet->mtu_discover == IP_PMTUDISC_PROBE;
		out->how.ignore_path_mtu = true;
		mtu = out->route.device_mtu;
		may_fragment = false;
		break;
	case IP_PMTUDISC_OMIT:
		out->how.ignore_path_mtu = true;
		may_fragment = true;
		break;
	case IP_PMTUDISC_WANT: /* RFC 1191 for what fits, fragments for the rest */
		out->how.dont_fragment = length <= mtu;
		may_fragment = true;
		break;
	default:
		may_fragment = true;
		break;
	}
	if (may_fragment || length <= mtu)
		return 0;
	inet_report_local_error(inet, EMSGSIZE, mtu, &out->to);
	return -EMSGSIZE;
}
