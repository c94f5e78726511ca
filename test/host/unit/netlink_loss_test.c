/* AF_NETLINK when memory ends, readers are slow, filters refuse, and addresses are wrong. */
#include "test/host/unit/netlink_fixture.h"

#include <stdio.h>
#include <string.h>

#include "include/uapi/filter.h"
#include "kernel/errno.h"
#include "net/core/socket_filter.h"
#include "net/ethernet/arp.h"
#include "net/ipv4/ipv4.h"
#include "net/ipv4/route.h"
#include "net/netlink/netlink_private.h"

#define MANY_ROUTES 2000 /* many pieces */

/* A notification for which there is no memory, neither for itself nor for a member's copy. */
static void every_loss_is_told(void **state __unused)
{
	netlink_join(route_socket, RTNLGRP_LINK);
	for (uint64_t nth = 1; nth <= 3; nth++) {
		host_fail_allocations_from(MIN(nth, 2));
		netlink_set_mtu(1000 + (uint32_t)nth);
		host_fail_allocations_from(0);
		assert_int_equal(netlink_take(route_socket), -ENOBUFS);
		assert_int_equal(netlink_take(route_socket), -EAGAIN);
	}
	netlink_set_mtu(1400);
	assert_true(netlink_take(route_socket) > 0);
}

/* What changes while nobody has memory to hear of it. */
static void change_link(void)
{
	netlink_set_mtu(netlink_stack.dev.mtu - 1);
}

static void change_address(void)
{
	net_lock(&netlink_stack.net);
	ip4_remove_address(&netlink_stack.dev, OURS);
	net_unlock(&netlink_stack.net);
}

static void change_route(void)
{
	struct route route = {.gateway = GATEWAY, .dev = &netlink_stack.dev};

	net_lock(&netlink_stack.net);
	assert_int_equal(route_delete(&netlink_stack.net, &route), 0);
	net_unlock(&netlink_stack.net);
}

static void change_neighbour(void)
{
	net_lock(&netlink_stack.net);
	assert_int_equal(arp_delete(&netlink_stack.dev, GATEWAY), 0);
	net_unlock(&netlink_stack.net);
}

static void losses_of_every_group_are_told(void **state __unused)
{
	static const struct {
		int group;
		void (*change)(void);
	} groups[] = {
		{RTNLGRP_LINK, change_link},
		{RTNLGRP_NEIGH, change_neighbour},
		{RTNLGRP_IPV4_ROUTE, change_route},
		{RTNLGRP_IPV4_IFADDR, change_address},
	};

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		struct socket *member = netlink_open_socket(NETLINK_ROUTE);

		netlink_join(member, groups[i].group);
		host_fail_allocations_from(1);
		groups[i].change();
		host_fail_allocations_from(0);
		assert_int_equal(netlink_take(member), -ENOBUFS);
		assert_int_equal(netlink_take(member), -EAGAIN);
		socket_close(member);
	}
}

static void an_acknowledgement_without_memory(void **state __unused)
{
	const struct ifinfomsg unknown = {.ifi_index = 99};

	request_begin(RTM_GETLINK, 0, &unknown, sizeof(unknown));
	host_fail_allocation(1); /* for the request's own bytes */
	assert_int_equal(request_try(route_socket), -ENOBUFS);
	host_fail_allocation(2);
	request_send(route_socket);
	host_fail_allocation(0);
	assert_int_equal(netlink_take(route_socket), -ENOBUFS);
	assert_int_equal(netlink_take(route_socket), -EAGAIN);
	/* The same for answers. */
	request_begin(RTM_GETLINK, 0, &(struct ifinfomsg){.ifi_index = 1},
		      sizeof(struct ifinfomsg));
	host_fail_allocation(2);
	request_try(route_socket);
	host_fail_allocation(0);
	expect_message(route_socket, NLMSG_ERROR);
	assert_int_equal(*(const int32_t *)(const void *)netlink_answer.payload, -ENOBUFS);
}

/* Who waits for the rest of a list must hear that there is none, whatever else it wants to know. */
static void a_list_that_ends_for_want_of_memory(void **state __unused)
{
	const struct rtgenmsg any = {.rtgen_family = AF_UNSPEC};

	netlink_add_routes(MANY_ROUTES);
	assert_int_equal(set_option(route_socket, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1), 0);
	request_begin(RTM_GETROUTE, NLM_F_DUMP, &any, sizeof(any));
	request_send(route_socket);
	host_fail_allocations_from(1);
	/* The first piece; the second is made meanwhile. */
	assert_true(netlink_take(route_socket) > 0);
	host_fail_allocations_from(0);
	assert_int_equal(netlink_take(route_socket), -ENOBUFS);
	/* The next list is whole. */
	request_begin(RTM_GETROUTE, NLM_F_DUMP, &any, sizeof(any));
	assert_true(request_count(route_socket, RTM_NEWROUTE) > MANY_ROUTES);
}

/* A piece that found the queue full is lost; the rest comes when there is room. */
static void a_list_whose_piece_is_lost_goes_on(void **state __unused)
{
	const struct rtgenmsg any = {.rtgen_family = AF_UNSPEC};
	struct nlmsghdr last = {0};
	int64_t length;

	netlink_add_routes(MANY_ROUTES);
	netlink_join(route_socket, RTNLGRP_LINK);
	assert_int_equal(set_option(route_socket, SOL_SOCKET, SO_RCVBUF, 1), 0);
	for (uint32_t i = 0; i < 100; i++)
		netlink_set_mtu(1000 + i);
	assert_int_equal(netlink_take(route_socket), -ENOBUFS);
	request_begin(RTM_GETROUTE, NLM_F_DUMP, &any, sizeof(any));
	request_send(route_socket);
	while ((length = netlink_take(route_socket)) > 0 || length == -ENOBUFS) {
		struct netlink_reader reader = {.at = netlink_reply,
						.left = (size_t)MAX(length, (int64_t)0)};
		struct netlink_message one;

		while (netlink_read_message(&reader, &one))
			last = one.header;
	}
	assert_int_equal(last.nlmsg_type, NLMSG_DONE);
}

static void a_list_that_nobody_reads(void **state __unused)
{
	struct socket *careless = netlink_open_socket(NETLINK_ROUTE);
	const struct rtgenmsg any = {.rtgen_family = AF_UNSPEC};

	netlink_add_routes(MANY_ROUTES);
	request_begin(RTM_GETROUTE, NLM_F_DUMP, &any, sizeof(any));
	request_send(careless);
	assert_true(netlink_socket_of(careless)->dumping);
	socket_close(careless); /* with what it asked for: the fixture looks */
}

/* The next piece waits until half of the buffer is free. */
static void a_list_waits_for_a_slow_reader(void **state __unused)
{
	const struct rtgenmsg any = {.rtgen_family = AF_UNSPEC};
	const struct skb_queue *queue = &route_socket->receive_queue;

	netlink_add_routes(MANY_ROUTES);
	netlink_join(route_socket, RTNLGRP_LINK);
	assert_int_equal(set_option(route_socket, SOL_SOCKET, SO_RCVBUF, 32768), 0);
	uint32_t half = (uint32_t)route_socket->receive_buffer / 2;

	for (uint32_t i = 0; queue->truesize < half * 3 / 2; i++)
		netlink_set_mtu(1000 + i % 400);
	request_begin(RTM_GETROUTE, NLM_F_DUMP, &any, sizeof(any));
	request_send(route_socket);
	for (uint32_t length = queue->length; queue->truesize > half; length--) {
		assert_int_equal(queue->length, length);
		assert_true(netlink_take(route_socket) > 0);
	}
	assert_true(netlink_socket_of(route_socket)->dumping);
}

static void filters_see_what_comes(void **state __unused)
{
	/* Keeps messages of RTM_NEWLINK: the type is a number of this machine's order. */
	const struct sock_filter links_only[] = {
		{.code = BPF_LD | BPF_H | BPF_ABS, .k = offsetof(struct nlmsghdr, nlmsg_type)},
		{.code = BPF_JMP | BPF_JEQ | BPF_K, .k = RTM_NEWLINK << 8, .jf = 1},
		{.code = BPF_RET | BPF_K, .k = UINT32_MAX},
		{.code = BPF_RET | BPF_K, .k = 0},
	};
	const struct ifinfomsg unknown = {.ifi_index = 99};

	assert_int_equal(socket_filter_attach(route_socket, links_only, ARRAY_SIZE(links_only)), 0);
	netlink_join(route_socket, RTNLGRP_LINK);
	request_begin(RTM_GETLINK, 0, &unknown, sizeof(unknown));
	request_send(route_socket);
	expect_silence(route_socket);
	assert_int_equal(fixture_drops(&netlink_stack, DROP_SOCKET_FILTER), 1);
	netlink_set_mtu(1400);
	expect_message(route_socket, RTM_NEWLINK);
}

/* ---- Ports and addresses ---- */

static int64_t send_to(const struct sockaddr_nl *address, uint32_t length, uint32_t flags)
{
	const struct nlmsghdr header = {.nlmsg_len = sizeof(header), .nlmsg_type = NLMSG_NOOP};
	struct message message;

	message_init(&message, flags | MSG_DONTWAIT);
	memcpy(&message.name, address, sizeof(*address));
	message.name_length = length;
	iov_init_kernel(&message.iov, (void *)&header, sizeof(header));
	return socket_sendmsg(route_socket, &message);
}

static void only_the_kernel_is_written_to(void **state __unused)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	struct sockaddr_storage name = {0};

	assert_int_equal(send_to(&address, sizeof(address), 0), sizeof(struct nlmsghdr));
	assert_int_equal(send_to(&address, sizeof(address), MSG_OOB), -EOPNOTSUPP);
	assert_int_equal(send_to(&address, sizeof(address) - 1, 0), -EINVAL);
	address.nl_pid = 7;
	assert_int_equal(send_to(&address, sizeof(address), 0), -EPERM);
	address = (struct sockaddr_nl){.nl_family = AF_NETLINK, .nl_groups = 1};
	assert_int_equal(send_to(&address, sizeof(address), 0), -EPERM);
	memcpy(&name, &address, sizeof(address));
	assert_int_equal(socket_connect(route_socket, &name, sizeof(address), true), -EPERM);
	address.nl_family = AF_INET;
	assert_int_equal(send_to(&address, sizeof(address), 0), -EINVAL);
	memcpy(&name, &address, sizeof(address));
	assert_int_equal(socket_connect(route_socket, &name, sizeof(address), true), -EINVAL);
}

static void what_is_too_long_or_nowhere(void **state __unused)
{
	struct message message;

	message_init(&message, MSG_DONTWAIT);
	iov_init_user(&message.iov, 8, 64);
	assert_int_equal(socket_sendmsg(route_socket, &message), -EFAULT);
	assert_int_equal(set_option(route_socket, SOL_SOCKET, SO_SNDBUF, 1), 0);
	message_init(&message, MSG_DONTWAIT);
	iov_init_kernel(&message.iov, netlink_reply, (uint64_t)route_socket->send_buffer - 31);
	assert_int_equal(socket_sendmsg(route_socket, &message), -EMSGSIZE);
	message_init(&message, MSG_DONTWAIT | MSG_OOB);
	assert_int_equal(socket_recvmsg(route_socket, &message), -EOPNOTSUPP);
	/* A reader's bad address costs it the message, as on Linux. */
	netlink_join(route_socket, RTNLGRP_LINK);
	netlink_set_mtu(1400);
	message_init(&message, MSG_DONTWAIT);
	iov_init_user(&message.iov, 8, 64);
	assert_int_equal(socket_recvmsg(route_socket, &message), -EFAULT);
	expect_silence(route_socket);
}

static void chosen_ports_begin_anew(void **state __unused)
{
	const struct ucred nobody = {0};
	struct socket *sockets[3];

	host_set_credentials(&nobody); /* the kernel itself has no process */
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		sockets[i] = netlink_open_socket(NETLINK_ROUTE);
		if (i == 1) /* once around: the first number again */
			netlink_state_of(&netlink_stack.net)->next_port = 0xfffff001;
		assert_int_equal(netlink_bind(sockets[i], 0, 0), 0);
		assert_in_range(netlink_port(sockets[i], false), 0x80000000u, 0xfffff001u);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(netlink_port(sockets[i], false),
					     netlink_port(sockets[j], false));
	}
	/* Bound again to its own port: other groups. */
	assert_int_equal(netlink_bind(sockets[0], netlink_port(sockets[0], false), 1), 0);
	netlink_set_mtu(1400);
	assert_true(netlink_take(sockets[0]) > 0);
	assert_int_equal(netlink_take(sockets[1]), -EAGAIN);
	assert_int_equal(netlink_port(sockets[0], true), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		socket_close(sockets[i]);
}

/* The sockets of another protocol are no members, though they have that port and that group. */
static void groups_are_each_protocols_own(void **state __unused)
{
	struct socket *diag = netlink_open_socket(NETLINK_SOCK_DIAG);

	netlink_join(route_socket, RTNLGRP_LINK);
	netlink_socket_of(diag)->groups = UINT64_MAX;
	netlink_set_mtu(1400);
	assert_true(netlink_take(route_socket) > 0);
	assert_int_equal(netlink_take(diag), -EAGAIN);
	socket_close(diag);
}

/* ---- Options ---- */

static void options_are_read_back(void **state __unused)
{
	static const int switches[] = {NETLINK_PKTINFO, NETLINK_NO_ENOBUFS, NETLINK_CAP_ACK,
				       NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK};
	uint32_t length, value;

	netlink_join(route_socket, 36);
	assert_int_equal(set_option(route_socket, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 37),
			 -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		for (int on = 1; on >= 0; on--) {
			length = sizeof(value);
			assert_int_equal(set_option(route_socket, SOL_NETLINK, switches[i], on * 5),
					 0);
			assert_int_equal(socket_getsockopt(route_socket, SOL_NETLINK, switches[i],
							   &value, &length),
					 0);
			assert_int_equal(value, on);
			assert_int_equal(length, sizeof(value));
		}
	}
	length = 3;
	assert_int_equal(
		socket_getsockopt(route_socket, SOL_NETLINK, NETLINK_PKTINFO, &value, &length),
		-EINVAL);
	assert_int_equal(socket_setsockopt(route_socket, SOL_NETLINK, NETLINK_PKTINFO, &value, 3),
			 -EINVAL);
	length = sizeof(value);
	assert_int_equal(socket_getsockopt(route_socket, SOL_NETLINK, 99, &value, &length),
			 -ENOPROTOOPT);
	assert_int_equal(socket_getsockopt(route_socket, 7, NETLINK_PKTINFO, &value, &length),
			 -ENOPROTOOPT);
}

/* netlink(7): as much as fits, and the size that the whole needs. */
static void memberships_and_how_many(void **state __unused)
{
	uint32_t words[2] = {7, 7}, length = 0;

	netlink_join(route_socket, 1);
	netlink_join(route_socket, 34);
	assert_int_equal(socket_getsockopt(route_socket, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS,
					   words, &length),
			 0);
	assert_int_equal(length, 8);
	assert_int_equal(words[0], 7);
	length = 7; /* one whole word */
	assert_int_equal(socket_getsockopt(route_socket, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS,
					   words, &length),
			 0);
	assert_int_equal(length, 8);
	assert_int_equal(words[0], 1);
	assert_int_equal(words[1], 7);
}

static void the_kernel_has_credentials(void **state __unused)
{
	uint8_t control[64];
	struct message message;
	struct ucred sender;

	netlink_join(route_socket, RTNLGRP_LINK);
	assert_int_equal(set_option(route_socket, SOL_SOCKET, SO_PASSCRED, 1), 0);
	netlink_set_mtu(1400);
	message_init(&message, MSG_DONTWAIT);
	iov_init_kernel(&message.iov, netlink_reply, sizeof(netlink_reply));
	message.control_to = control;
	message.control_room = sizeof(control);
	assert_true(socket_recvmsg(route_socket, &message) > 0);
	assert_int_equal(message.control_used, CMSG_SPACE(sizeof(sender)));
	memcpy(&sender, control + sizeof(struct cmsghdr), sizeof(sender));
	assert_int_equal(sender.pid, 0);
	assert_int_equal(sender.uid, 0);
}

/* /proc/net/netlink: whose sockets, in which groups, what waits in them and what they lost. */
static void the_list_in_proc(void **state __unused)
{
	char text[1000];
	uint32_t waiting;

	assert_int_equal(netlink_proc_init(&netlink_stack.net), 0);
	assert_int_equal(netlink_bind(route_socket, 77, 1), 0);
	assert_int_equal(set_option(route_socket, SOL_SOCKET, SO_RCVBUF, 1), 0);
	for (uint32_t i = 0; i < 100; i++)
		netlink_set_mtu(1000 + i);
	waiting = route_socket->receive_queue.truesize;
	assert_true(host_proc_read("net/netlink", text, sizeof(text)) > 0);
	const char *line = strchr(text, '\n') + 1;
	unsigned long address, inode, drops;
	unsigned protocol, port, groups, queued, sending, dumping, locks;

	assert_int_equal(strncmp(text, "sk               Eth Pid        Groups", 38), 0);
	assert_int_equal(sscanf(line, "%lx %u %u %x %u %u %u %u %lu %lu", &address, &protocol,
				&port, &groups, &queued, &sending, &dumping, &locks, &drops,
				&inode),
			 10);
	assert_int_equal(address, 0); /* kernel addresses are nobody's business */
	assert_int_equal(protocol, NETLINK_ROUTE);
	assert_int_equal(port, 77);
	assert_int_equal(groups, 1);
	assert_int_equal(queued, waiting);
	assert_int_equal(dumping, 0);
	assert_true(drops > 0 && drops == route_socket->drops);
	assert_int_equal(inode, route_socket->inode_number);
	host_proc_reset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NETLINK_TEST(every_loss_is_told),
		NETLINK_TEST(losses_of_every_group_are_told),
		NETLINK_TEST(an_acknowledgement_without_memory),
		NETLINK_TEST(a_list_that_ends_for_want_of_memory),
		NETLINK_TEST(a_list_whose_piece_is_lost_goes_on),
		NETLINK_TEST(a_list_that_nobody_reads),
		NETLINK_TEST(a_list_waits_for_a_slow_reader),
		NETLINK_TEST(filters_see_what_comes),
		NETLINK_TEST(only_the_kernel_is_written_to),
		NETLINK_TEST(what_is_too_long_or_nowhere),
		NETLINK_TEST(chosen_ports_begin_anew),
		NETLINK_TEST(groups_are_each_protocols_own),
		NETLINK_TEST(options_are_read_back),
		NETLINK_TEST(memberships_and_how_many),
		NETLINK_TEST(the_kernel_has_credentials),
		NETLINK_TEST(the_list_in_proc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
