/* Options of level SOL_IP: ip(7). */
#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/ipv4/inet_socket.h"
#include "net/ipv4/ipv4_state.h"

int inet_read_number(const void *value, uint32_t length, int *number)
{
	if (length >= sizeof(*number)) {
		memcpy(number, value, sizeof(*number));
		return 0;
	}
	if (length == 0)
		return -EINVAL;
	*number = *(const uint8_t *)value;
	return 0;
}

void inet_write_number(int number, void *value, uint32_t *length)
{
	if (*length < sizeof(number) && *length > 0 && number >= 0 && number <= 255) {
		*(uint8_t *)value = (uint8_t)number;
		*length = 1;
		return;
	}
	*length = MIN(*length, (uint32_t)sizeof(number));
	memcpy(value, &number, *length);
}

/* The options that are one switch each. */
static const struct {
	uint16_t option, offset;
} switches[] = {
	{IP_RECVOPTS, offsetof(struct inet_socket, want_options)},
	{IP_RETOPTS, offsetof(struct inet_socket, want_options_back)},
	{IP_PKTINFO, offsetof(struct inet_socket, want_pktinfo)},
	{IP_RECVERR, offsetof(struct inet_socket, want_errors)},
	{IP_RECVTTL, offsetof(struct inet_socket, want_ttl)},
	{IP_RECVTOS, offsetof(struct inet_socket, want_tos)},
	{IP_FREEBIND, offsetof(struct inet_socket, free_bind)},
	{IP_MULTICAST_LOOP, offsetof(struct inet_socket, multicast_loop)},
	{IP_MULTICAST_ALL, offsetof(struct inet_socket, multicast_all)},
	{IP_HDRINCL, offsetof(struct inet_socket, header_included)},
};

static bool *find_switch(struct inet_socket *inet, int option)
{
	if (option == IP_HDRINCL && inet->socket.type != SOCK_RAW)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		if (switches[i].option == option)
			return (bool *)((char *)inet + switches[i].offset);
	}
	return NULL;
}

/*
 * Kept padded to 4, as they go out. Source routes are refused here as they are on input. RFC 1122
 * 4.1.3.2, RFC1122-6.
 */
static int set_options(struct inet_socket *inet, const void *value, uint32_t length)
{
	struct ip4_options options;

	if (length > IP4_OPTIONS_MAX || ip4_options_parse(value, length, &options) != DROP_NONE)
		return -EINVAL;
	memset(inet->options, IP4_OPTION_END, sizeof(inet->options));
	memcpy(inet->options, value, length);
	inet->options_length = (uint8_t)ALIGN_UP(length, 4u);
	return 0;
}

/* struct ip_mreqn, ip_mreq or in_addr: the longest that `length` holds. */
static int read_request(const void *value, uint32_t length, uint32_t least,
			struct ip_mreqn *request)
{
	*request = (struct ip_mreqn){0};
	if (length < least)
		return -EINVAL;
	if (length >= sizeof(*request))
		memcpy(request, value, sizeof(*request));
	else if (length >= sizeof(struct ip_mreq))
		memcpy(request, value, sizeof(struct ip_mreq));
	else
		memcpy(&request->imr_address, value, sizeof(struct in_addr));
	return 0;
}

static int change_membership(struct inet_socket *inet, int option, const void *value,
			     uint32_t length) NEEDS_NET_LOCK
{
	struct ip_mreqn request;
	int error = read_request(value, length, sizeof(struct ip_mreq), &request);

	if (error)
		return error;

	ip4_t group = be32_to_cpu(request.imr_multiaddr.s_addr);
	ip4_t address = be32_to_cpu(request.imr_address.s_addr);

	if (option == IP_ADD_MEMBERSHIP)
		return inet_join_group(inet, group, address, request.imr_ifindex);
	return inet_leave_group(inet, group, address, request.imr_ifindex);
}

static int change_source(struct inet_socket *inet, int option, const void *value,
			 uint32_t length) NEEDS_NET_LOCK
{
	struct ip_mreq_source request;

	if (length != sizeof(request))
		return -EINVAL;
	memcpy(&request, value, sizeof(request));
	return inet_change_source(inet, be32_to_cpu(request.imr_multiaddr.s_addr),
				  be32_to_cpu(request.imr_interface.s_addr),
				  be32_to_cpu(request.imr_sourceaddr.s_addr),
				  option == IP_ADD_SOURCE_MEMBERSHIP ||
					  option == IP_DROP_SOURCE_MEMBERSHIP,
				  option == IP_ADD_SOURCE_MEMBERSHIP || option == IP_BLOCK_SOURCE);
}

static int set_multicast_interface(struct inet_socket *inet, const void *value,
				   uint32_t length) NEEDS_NET_LOCK
{
	struct net *net = inet->socket.net;
	struct ip_mreqn request;
	int error = read_request(value, length, sizeof(struct in_addr), &request);

	if (error)
		return error;

	ip4_t address = be32_to_cpu(request.imr_address.s_addr);
	struct net_device *dev = NULL;

	if (request.imr_ifindex)
		dev = netdev_by_index(net, request.imr_ifindex);
	else if (address)
		dev = route_device_of_address(net, address);
	if (!dev && (request.imr_ifindex || address))
		return -EADDRNOTAVAIL;
	inet->multicast_ifindex = dev ? dev->ifindex : 0;
	inet->multicast_source = address ? net_addr_ip4(address) : (struct net_addr){0};
	return 0;
}

/* RFC 9293 3.9.2, MUST-49; 3.9.1.9, MUST-48, SHLD-21, SHLD-22; RFC 1122 4.1.4, RFC1122-17 */
static int set_number(struct inet_socket *inet, int option, int number)
{
	switch (option) {
	case IP_TOS:
		inet->tos = (uint8_t)number;
		return 0;
	case IP_TTL:
		if (number != -1 && (number < 1 || number > 255))
			return -EINVAL;
		inet->ttl = (int16_t)number;
		return 0;
	case IP_MTU_DISCOVER:
		if (number < IP_PMTUDISC_DONT || number > IP_PMTUDISC_OMIT)
			return -EINVAL;
		inet->mtu_discover = (uint8_t)number;
		return 0;
	case IP_MULTICAST_TTL:
		if (number < -1 || number > 255)
			return -EINVAL;
		inet->multicast_ttl = number == -1 ? IP_DEFAULT_MULTICAST_TTL : (uint8_t)number;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int ip4_setsockopt(struct socket *socket, int level, int option, const void *value, uint32_t length)
{
	struct inet_socket *inet = inet_socket(socket);
	int number;

	if (level != SOL_IP)
		return -ENOPROTOOPT;
	switch (option) {
	case IP_OPTIONS:
		return set_options(inet, value, length);
	case IP_ADD_MEMBERSHIP:
	case IP_DROP_MEMBERSHIP:
		return change_membership(inet, option, value, length);
	case IP_ADD_SOURCE_MEMBERSHIP:
	case IP_DROP_SOURCE_MEMBERSHIP:
	case IP_BLOCK_SOURCE:
	case IP_UNBLOCK_SOURCE:
		return change_source(inet, option, value, length);
	case IP_MULTICAST_IF:
		return set_multicast_interface(inet, value, length);
	default:
		break;
	}

	/* Linux takes no value at all for 0, but for the multicast options. */
	if (inet_read_number(value, length, &number)) {
		if (option == IP_MULTICAST_TTL || option == IP_MULTICAST_LOOP)
			return -EINVAL;
		number = 0;
	}

	bool *on = find_switch(inet, option);

	if (!on)
		return set_number(inet, option, number);
	*on = number != 0;
	if (option == IP_RECVERR && !*on)
		skb_queue_drop_all(&inet->socket.error_queue, DROP_SOCKET_CLOSED);
	return 0;
}

static int get_path_mtu(struct inet_socket *inet, int *mtu) NEEDS_NET_LOCK
{
	struct inet_route route;

	if (!inet_connected(inet))
		return -ENOTCONN;

	int error = inet->family->route(inet->socket.net, inet->remote.addr, inet->local.addr,
					inet->socket.bound_ifindex, &route);

	*mtu = error ? 0 : (int)route.mtu;
	return error;
}

static int get_number(struct inet_socket *inet, int option, int *number) NEEDS_NET_LOCK
{
	const bool *on = find_switch(inet, option);

	if (on) {
		*number = *on;
		return 0;
	}
	switch (option) {
	case IP_TOS:
		*number = inet->tos;
		return 0;
	case IP_TTL:
		*number = inet->ttl > 0 ? inet->ttl
					: ip4_stack(inet->socket.net)->settings.ip_default_ttl;
		return 0;
	case IP_MTU_DISCOVER:
		*number = inet->mtu_discover;
		return 0;
	case IP_MTU:
		return get_path_mtu(inet, number);
	case IP_MULTICAST_TTL:
		*number = inet->multicast_ttl;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static void get_bytes(const void *bytes, uint32_t length, void *value, uint32_t *room)
{
	*room = MIN(*room, length);
	memcpy(value, bytes, *room);
}

int ip4_getsockopt(struct socket *socket, int level, int option, void *value, uint32_t *length)
{
	struct inet_socket *inet = inet_socket(socket);
	struct in_addr interface;
	int number, error;

	if (level != SOL_IP)
		return -ENOPROTOOPT;
	switch (option) {
	case IP_OPTIONS:
		get_bytes(inet->options, inet->options_length, value, length);
		return 0;
	case IP_MULTICAST_IF:
		interface.s_addr = cpu_to_be32(inet->multicast_source.v4);
		get_bytes(&interface, sizeof(interface), value, length);
		return 0;
	default:
		break;
	}
	error = get_number(inet, option, &number);
	if (!error)
		inet_write_number(number, value, length);
	return error;
}
