/* Requests and answers of netlink; see netlink_fixture.h. */
#include "test/host/unit/netlink_fixture.h"

#include <string.h>

#include "kernel/errno.h"

#define ATTRIBUTES_MAX 64

void netlink_fixture_init(struct netlink_fixture *n)
{
	memset(n, 0, sizeof(*n));
	n->listener = tcp_fixture_init(&n->f);
	assert_int_equal(netlink_init(&n->f.net), 0);
	n->netlink = netlink_open_socket(NETLINK_ROUTE);
}

void netlink_fixture_destroy(struct netlink_fixture *n)
{
	const struct ucred root = {.pid = 1};

	host_fail_allocation(0);
	host_set_credentials(&root);
	socket_close(n->netlink);
	netlink_destroy(&n->f.net);
	tcp_fixture_destroy(&n->f, n->listener);
}

struct socket *netlink_open_socket(int protocol)
{
	struct socket *socket;

	assert_int_equal(socket_create(current_net(), AF_NETLINK, SOCK_RAW, protocol, &socket), 0);
	return socket;
}

void request_begin(struct netlink_fixture *n, uint16_t type, uint16_t flags, const void *fixed,
		   size_t length)
{
	const struct nlmsghdr header = {.nlmsg_type = type,
					.nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST),
					.nlmsg_seq = 77};

	netlink_writer_init(&n->request, n->request_bytes, sizeof(n->request_bytes));
	netlink_begin(&n->request, &header);
	netlink_put_bytes(&n->request, fixed, length);
}

int64_t send_datagram(struct socket *socket, const void *bytes, size_t length)
{
	struct message message;

	message_init(&message, MSG_DONTWAIT);
	iov_init_kernel(&message.iov, (void *)bytes, length);
	return socket_sendmsg(socket, &message);
}

void request_send(struct netlink_fixture *n, struct socket *socket)
{
	assert_true(netlink_end(&n->request));
	assert_int_equal(send_datagram(socket, n->request_bytes, n->request.length),
			 n->request.length);
}

int request_result(struct netlink_fixture *n, struct socket *socket)
{
	struct nlmsgerr body;

	((struct nlmsghdr *)(void *)n->request_bytes)->nlmsg_flags |= NLM_F_ACK;
	request_send(n, socket);
	expect_message(n, socket, NLMSG_ERROR);
	assert_true(n->message.length >= sizeof(body));
	memcpy(&body, n->message.payload, sizeof(body));
	assert_int_equal(body.msg.nlmsg_seq, 77);
	return body.error;
}

static bool receive(struct netlink_fixture *n, struct socket *socket)
{
	struct message message;

	message_init(&message, MSG_DONTWAIT);
	iov_init_kernel(&message.iov, n->reply, sizeof(n->reply));
	int64_t length = socket_recvmsg(socket, &message);

	if (length == -EAGAIN)
		return false;
	assert_true(length > 0);
	n->left = (struct netlink_reader){.at = n->reply, .left = (size_t)length};
	return true;
}

bool next_message(struct netlink_fixture *n, struct socket *socket)
{
	if (n->left.left == 0 && !receive(n, socket))
		return false;
	assert_true(netlink_read_message(&n->left, &n->message));
	return true;
}

void expect_message(struct netlink_fixture *n, struct socket *socket, uint16_t type)
{
	assert_true(next_message(n, socket));
	assert_int_equal(n->message.header.nlmsg_type, type);
}

void expect_silence(struct netlink_fixture *n, struct socket *socket)
{
	assert_int_equal(n->left.left, 0);
	assert_false(receive(n, socket));
}

uint32_t count_to_done(struct netlink_fixture *n, struct socket *socket, uint16_t type)
{
	uint32_t count = 0;

	for (;;) {
		assert_true(next_message(n, socket));
		assert_true(n->message.header.nlmsg_flags & NLM_F_MULTI);
		assert_int_equal(n->message.header.nlmsg_seq, 77);
		if (n->message.header.nlmsg_type == NLMSG_DONE)
			break;
		assert_int_equal(n->message.header.nlmsg_type, type);
		count++;
	}
	expect_silence(n, socket);
	return count;
}

bool find_attribute(const struct netlink_fixture *n, size_t fixed, uint16_t type,
		    struct netlink_attribute *attribute)
{
	static const uint8_t least[ATTRIBUTES_MAX + 1];
	const struct netlink_policy policy = {.most = ATTRIBUTES_MAX, .least = least};
	struct netlink_attribute table[ATTRIBUTES_MAX + 1];
	size_t start = NETLINK_ALIGN(fixed), offset;

	assert_true(n->message.length >= start);
	assert_int_equal(netlink_read_attributes(n->message.payload + start,
						 n->message.length - start, &policy, true, table,
						 &offset),
			 NETLINK_FINE);
	*attribute = table[type];
	return attribute->value;
}

uint32_t number_attribute(const struct netlink_fixture *n, size_t fixed, uint16_t type)
{
	struct netlink_attribute attribute;

	assert_true(find_attribute(n, fixed, type, &attribute));
	assert_int_equal(attribute.length, 4);
	return netlink_u32(&attribute);
}

uint32_t address_attribute(const struct netlink_fixture *n, size_t fixed, uint16_t type)
{
	return __builtin_bswap32(number_attribute(n, fixed, type));
}

int set_socket_option(struct socket *socket, int level, int option, int value)
{
	return socket_setsockopt(socket, level, option, &value, sizeof(value));
}
