/* Requests and answers of netlink; see netlink_fixture.h. */
#include "test/host/unit/netlink_fixture.h"

#include <string.h>

#include "kernel/errno.h"
#include "net/ipv4/route.h"

#define ATTRIBUTES_MAX 64
#define SEQUENCE 77 /* of all requests */

struct fixture netlink_stack;
struct socket *netlink_listener;
struct socket *route_socket;
struct netlink_writer netlink_request;
struct netlink_message netlink_answer;
uint8_t netlink_reply[REPLY_MAX];
size_t netlink_room;
uint32_t netlink_pieces;

static uint8_t request_bytes[2048];
static struct netlink_reader left; /* of netlink_reply */

int netlink_set_up(void **state __unused)
{
	left = (struct netlink_reader){0};
	netlink_room = REPLY_MAX;
	netlink_pieces = 0;
	netlink_listener = tcp_fixture_init(&netlink_stack);
	assert_int_equal(netlink_init(&netlink_stack.net), 0);
	route_socket = netlink_open_socket(NETLINK_ROUTE);
	return 0;
}

int netlink_tear_down(void **state __unused)
{
	const struct ucred root = {.pid = 1};

	host_fail_allocation(0);
	host_set_credentials(&root);
	socket_close(route_socket);
	netlink_destroy(&netlink_stack.net);
	tcp_fixture_destroy(&netlink_stack, netlink_listener);
	return 0;
}

/* ---- Sockets ---- */

struct socket *netlink_open_socket(int protocol)
{
	struct socket *socket;

	assert_int_equal(socket_create(current_net(), AF_NETLINK, SOCK_RAW, protocol, &socket), 0);
	return socket;
}

int netlink_bind(struct socket *socket, uint32_t port, uint32_t groups)
{
	const struct sockaddr_nl address = {
		.nl_family = AF_NETLINK, .nl_pid = port, .nl_groups = groups};
	struct sockaddr_storage name = {0};

	memcpy(&name, &address, sizeof(address));
	return socket_bind(socket, &name, sizeof(address));
}

uint32_t netlink_port(struct socket *socket, bool peer)
{
	struct sockaddr_storage name;
	struct sockaddr_nl address;
	uint32_t length;

	assert_int_equal(socket_name(socket, peer, &name, &length), 0);
	assert_int_equal(length, sizeof(address));
	memcpy(&address, &name, sizeof(address));
	assert_int_equal(address.nl_family, AF_NETLINK);
	return address.nl_pid;
}

void netlink_join(struct socket *socket, int group)
{
	assert_int_equal(set_option(socket, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group), 0);
}

void netlink_be_strict(struct socket *socket)
{
	assert_int_equal(set_option(socket, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1), 0);
}

/* ---- Requests ---- */

void request_begin(uint16_t type, uint16_t flags, const void *fixed, size_t length)
{
	const struct nlmsghdr header = {.nlmsg_type = type,
					.nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST),
					.nlmsg_seq = SEQUENCE};

	netlink_writer_init(&netlink_request, request_bytes, sizeof(request_bytes));
	netlink_begin(&netlink_request, &header);
	netlink_put_bytes(&netlink_request, fixed, length);
}

void request_way(ip4_t destination)
{
	const struct rtmsg info = {.rtm_family = AF_INET};

	request_begin(RTM_GETROUTE, 0, &info, sizeof(info));
	netlink_put_be32(&netlink_request, RTA_DST, destination);
}

int64_t send_datagram(struct socket *socket, const void *bytes, size_t length)
{
	struct message message;

	message_init(&message, MSG_DONTWAIT);
	iov_init_kernel(&message.iov, (void *)bytes, length);
	return socket_sendmsg(socket, &message);
}

int64_t request_try(struct socket *socket)
{
	assert_true(netlink_end(&netlink_request));
	return send_datagram(socket, netlink_request.bytes, netlink_request.length);
}

void request_send(struct socket *socket)
{
	assert_int_equal(request_try(socket), netlink_request.length);
}

int request_result(struct socket *socket)
{
	struct nlmsgerr body;

	((struct nlmsghdr *)(void *)netlink_request.bytes)->nlmsg_flags |= NLM_F_ACK;
	request_send(socket);
	expect_message(socket, NLMSG_ERROR);
	read_fixed(&body, sizeof(body));
	assert_int_equal(body.msg.nlmsg_seq, SEQUENCE);
	return body.error;
}

uint32_t request_count(struct socket *socket, uint16_t type)
{
	request_send(socket);
	return count_to_done(socket, type);
}

uint64_t request_without_memory(uint64_t nth)
{
	uint64_t made;

	host_fail_allocation(nth);
	request_try(route_socket);
	made = host_allocations_made();
	host_fail_allocation(0);
	netlink_drain(route_socket);
	return made;
}

/* ---- Answers ---- */

int64_t netlink_take(struct socket *socket)
{
	struct message message;

	message_init(&message, MSG_DONTWAIT);
	iov_init_kernel(&message.iov, netlink_reply, netlink_room);
	int64_t length = socket_recvmsg(socket, &message);

	if (length >= 0)
		assert_false(message.flags_out & MSG_TRUNC);
	return length;
}

void netlink_drain(struct socket *socket)
{
	while (netlink_take(socket) != -EAGAIN)
		;
	left = (struct netlink_reader){0};
}

static bool receive(struct socket *socket)
{
	int64_t length = netlink_take(socket);

	if (length == -EAGAIN)
		return false;
	assert_true(length > 0);
	left = (struct netlink_reader){.at = netlink_reply, .left = (size_t)length};
	netlink_pieces++;
	return true;
}

bool next_message(struct socket *socket)
{
	if (left.left == 0 && !receive(socket))
		return false;
	assert_true(netlink_read_message(&left, &netlink_answer));
	return true;
}

void expect_message(struct socket *socket, uint16_t type)
{
	assert_true(next_message(socket));
	assert_int_equal(netlink_answer.header.nlmsg_type, type);
}

void expect_silence(struct socket *socket)
{
	assert_int_equal(left.left, 0);
	assert_false(receive(socket));
}

uint32_t count_to_done(struct socket *socket, uint16_t type)
{
	uint32_t count = 0;

	for (;;) {
		assert_true(next_message(socket));
		assert_true(netlink_answer.header.nlmsg_flags & NLM_F_MULTI);
		assert_int_equal(netlink_answer.header.nlmsg_seq, SEQUENCE);
		if (netlink_answer.header.nlmsg_type == NLMSG_DONE)
			break;
		assert_int_equal(netlink_answer.header.nlmsg_type, type);
		count++;
	}
	expect_silence(socket);
	return count;
}

void read_fixed(void *to, size_t length)
{
	assert_true(netlink_answer.length >= length);
	memcpy(to, netlink_answer.payload, length);
}

bool find_attribute(size_t fixed, uint16_t type, struct netlink_attribute *attribute)
{
	static const uint8_t least[ATTRIBUTES_MAX + 1];
	const struct netlink_policy policy = {.most = ATTRIBUTES_MAX, .least = least};
	struct netlink_attribute table[ATTRIBUTES_MAX + 1];
	size_t start = NETLINK_ALIGN(fixed), offset;

	assert_true(netlink_answer.length >= start);
	assert_int_equal(netlink_read_attributes(netlink_answer.payload + start,
						 netlink_answer.length - start, &policy, true,
						 table, &offset),
			 NETLINK_FINE);
	*attribute = table[type];
	return attribute->value;
}

bool has_attribute(size_t fixed, uint16_t type)
{
	struct netlink_attribute attribute;

	return find_attribute(fixed, type, &attribute);
}

void read_attribute(size_t fixed, uint16_t type, void *to, size_t length)
{
	struct netlink_attribute attribute;

	assert_true(find_attribute(fixed, type, &attribute));
	assert_int_equal(attribute.length, length);
	memcpy(to, attribute.value, length);
}

uint32_t number_attribute(size_t fixed, uint16_t type)
{
	uint32_t number;

	read_attribute(fixed, type, &number, sizeof(number));
	return number;
}

uint32_t address_attribute(size_t fixed, uint16_t type)
{
	return __builtin_bswap32(number_attribute(fixed, type));
}

/* ---- The world ---- */

void netlink_set_mtu(uint32_t mtu)
{
	net_lock(&netlink_stack.net);
	assert_int_equal(netdev_set_mtu(&netlink_stack.dev, mtu), 0);
	net_unlock(&netlink_stack.net);
}

void netlink_add_routes(uint32_t count)
{
	net_lock(&netlink_stack.net);
	for (uint32_t i = 0; i < count; i++) {
		const struct route route = {.destination = IP4(20, 0, 0, 0) + (i << 8),
					    .prefix_length = 24,
					    .dev = &netlink_stack.dev};

		assert_int_equal(route_add(&netlink_stack.net, &route), 0);
	}
	net_unlock(&netlink_stack.net);
}
