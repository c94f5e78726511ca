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

static struct netlink_fixture n;

static int set_up(void **state __unused)
{
	netlink_fixture_init(&n);
	return 0;
}

static int tear_down(void **state __unused)
{
	netlink_fixture_destroy(&n);
	return 0;
}
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static void join(struct socket *socket, int group)
{
	assert_int_equal(set_socket_option(socket, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group), 0);
}

static void set_mtu(uint32_t mtu)
{
	net_lock(&n.f.net);
	assert_int_equal(netdev_set_mtu(&n.f.dev, mtu), 0);
	net_unlock(&n.f.net);
}

static int64_t take(struct socket *socket)
{
	return socket_take(socket, n.reply, sizeof(n.reply), MSG_DONTWAIT);
}

/* A notification for which there is no memory, neither for itself nor for a member's copy. */
static void every_loss_is_told(void **state __unused)
{
	join(n.netlink, RTNLGRP_LINK);
	for (uint64_t nth = 1; nth <= 3; nth++) {
		host_fail_allocations_from(MIN(nth, 2));
		set_mtu(1000 + (uint32_t)nth);
		host_fail_allocations_from(0);
		assert_int_equal(take(n.netlink), -ENOBUFS);
		assert_int_equal(take(n.netlink), -EAGAIN);
	}
	set_mtu(1400);
	assert_true(take(n.netlink) > 0);
}

/* What changes while nobody has memory to hear of it. */
static void change_link(void)
{
	set_mtu(n.f.dev.mtu - 1);
}

static void change_address(void)
{
	net_lock(&n.f.net);
	ip4_remove_address(&n.f.dev, OURS);
	net_unlock(&n.f.net);
}

static void change_route(void)
{
	struct route route = {.gateway = GATEWAY, .dev = &n.f.dev};

	net_lock(&n.f.net);
	assert_int_equal(route_delete(&n.f.net, &route), 0);
	net_unlock(&n.f.net);
}

static void change_neighbour(void)
{
	net_lock(&n.f.net);
	assert_int_equal(arp_delete(&n.f.dev, GATEWAY), 0);
	net_unlock(&n.f.net);
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

		join(member, groups[i].group);
		host_fail_allocations_from(1);
		groups[i].change();
		host_fail_allocations_from(0);
		assert_int_equal(take(member), -ENOBUFS);
		assert_int_equal(take(member), -EAGAIN);
		socket_close(member);
	}
}

static void an_acknowledgement_without_memory(void **state __unused)
{
	const struct ifinfomsg unknown = {.ifi_index = 99};

	request_begin(&n, RTM_GETLINK, 0, &unknown, sizeof(unknown));
	assert_true(netlink_end(&n.request));
	host_fail_allocation(1); /* for the request's own bytes */
	assert_int_equal(send_datagram(n.netlink, n.request_bytes, n.request.length), -ENOBUFS);
	host_fail_allocation(2);
	assert_int_equal(send_datagram(n.netlink, n.request_bytes, n.request.length),
			 n.request.length);
	host_fail_allocation(0);
	assert_int_equal(take(n.netlink), -ENOBUFS);
	assert_int_equal(take(n.netlink), -EAGAIN);
	/* The same for answers. */
	request_begin(&n, RTM_GETLINK, 0, &(struct ifinfomsg){.ifi_index = 1},
		      sizeof(struct ifinfomsg));
	assert_true(netlink_end(&n.request));
	host_fail_allocation(2);
	send_datagram(n.netlink, n.request_bytes, n.request.length);
	host_fail_allocation(0);
	expect_message(&n, n.netlink, NLMSG_ERROR);
	assert_int_equal(*(const int32_t *)(const void *)n.message.payload, -ENOBUFS);
}

static void add_many_routes(void)
{
	net_lock(&n.f.net);
	for (uint32_t i = 0; i < 2000; i++) {
		const struct route route = {.destination = IP4(20, 0, 0, 0) + (i << 8),
					    .prefix_length = 24,
					    .dev = &n.f.dev};

		assert_int_equal(route_add(&n.f.net, &route), 0);
	}
	net_unlock(&n.f.net);
}

/* Who waits for the rest of a list must hear that there is none, whatever else it wants to know. */
static void a_list_that_ends_for_want_of_memory(void **state __unused)
{
	const struct rtgenmsg any = {.rtgen_family = AF_UNSPEC};

	add_many_routes();
	assert_int_equal(set_socket_option(n.netlink, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1), 0);
	request_begin(&n, RTM_GETROUTE, NLM_F_DUMP, &any, sizeof(any));
	request_send(&n, n.netlink);
	host_fail_allocations_from(1);
	assert_true(take(n.netlink) > 0); /* the first piece; the second is made meanwhile */
	host_fail_allocations_from(0);
	assert_int_equal(take(n.netlink), -ENOBUFS);
	/* The next list is whole. */
	n.left.left = 0;
	request_begin(&n, RTM_GETROUTE, NLM_F_DUMP, &any, sizeof(any));
	request_send(&n, n.netlink);
	assert_true(count_to_done(&n, n.netlink, RTM_NEWROUTE) > 2000);
}

/* A piece that found the queue full is lost; the rest comes when there is room. */
static void a_list_whose_piece_is_lost_goes_on(void **state __unused)
{
	const struct rtgenmsg any = {.rtgen_family = AF_UNSPEC};
	struct nlmsghdr last = {0};
	int64_t length;

	add_many_routes();
	join(n.netlink, RTNLGRP_LINK);
	assert_int_equal(set_socket_option(n.netlink, SOL_SOCKET, SO_RCVBUF, 1), 0);
	for (uint32_t i = 0; i < 100; i++)
		set_mtu(1000 + i);
	assert_int_equal(take(n.netlink), -ENOBUFS);
	request_begin(&n, RTM_GETROUTE, NLM_F_DUMP, &any, sizeof(any));
	request_send(&n, n.netlink);
	while ((length = take(n.netlink)) > 0 || length == -ENOBUFS) {
		struct netlink_reader reader = {.at = n.reply,
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

	add_many_routes();
	request_begin(&n, RTM_GETROUTE, NLM_F_DUMP, &any, sizeof(any));
	request_send(&n, careless);
	assert_true(netlink_socket_of(careless)->dumping);
	socket_close(careless); /* with what it asked for: the fixture looks */
}

/* The next piece waits until half of the buffer is free. */
static void a_list_waits_for_a_slow_reader(void **state __unused)
{
	const struct rtgenmsg any = {.rtgen_family = AF_UNSPEC};
	const struct skb_queue *queue = &n.netlink->receive_queue;

	add_many_routes();
	join(n.netlink, RTNLGRP_LINK);
	assert_int_equal(set_socket_option(n.netlink, SOL_SOCKET, SO_RCVBUF, 32768), 0);
	uint32_t half = (uint32_t)n.netlink->receive_buffer / 2;

	for (uint32_t i = 0; queue->truesize < half * 3 / 2; i++)
		set_mtu(1000 + i % 400);
	request_begin(&n, RTM_GETROUTE, NLM_F_DUMP, &any, sizeof(any));
	request_send(&n, n.netlink);
	for (uint32_t length = queue->length; queue->truesize > half; length--) {
		assert_int_equal(queue->length, length);
		assert_true(take(n.netlink) > 0);
	}
	assert_true(netlink_socket_of(n.netlink)->dumping);
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

	assert_int_equal(socket_filter_attach(n.netlink, links_only, ARRAY_SIZE(links_only)), 0);
	join(n.netlink, RTNLGRP_LINK);
	request_begin(&n, RTM_GETLINK, 0, &unknown, sizeof(unknown));
	request_send(&n, n.netlink);
	expect_silence(&n, n.netlink);
	assert_int_equal(fixture_drops(&n.f, DROP_SOCKET_FILTER), 1);
	set_mtu(1400);
	expect_message(&n, n.netlink, RTM_NEWLINK);
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
	return socket_sendmsg(n.netlink, &message);
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
	assert_int_equal(socket_connect(n.netlink, &name, sizeof(address), true), -EPERM);
	address.nl_family = AF_INET;
	assert_int_equal(send_to(&address, sizeof(address), 0), -EINVAL);
	memcpy(&name, &address, sizeof(address));
	assert_int_equal(socket_connect(n.netlink, &name, sizeof(address), true), -EINVAL);
}

static void what_is_too_long_or_nowhere(void **state __unused)
{
	struct message message;

	message_init(&message, MSG_DONTWAIT);
	iov_init_user(&message.iov, 8, 64);
	assert_int_equal(socket_sendmsg(n.netlink, &message), -EFAULT);
	assert_int_equal(set_socket_option(n.netlink, SOL_SOCKET, SO_SNDBUF, 1), 0);
	message_init(&message, MSG_DONTWAIT);
	iov_init_kernel(&message.iov, n.reply, (uint64_t)n.netlink->send_buffer - 31);
	assert_int_equal(socket_sendmsg(n.netlink, &message), -EMSGSIZE);
	message_init(&message, MSG_DONTWAIT | MSG_OOB);
	assert_int_equal(socket_recvmsg(n.netlink, &message), -EOPNOTSUPP);
	/* A reader's bad address costs it the message, as on Linux. */
	join(n.netlink, RTNLGRP_LINK);
	set_mtu(1400);
	message_init(&message, MSG_DONTWAIT);
	iov_init_user(&message.iov, 8, 64);
	assert_int_equal(socket_recvmsg(n.netlink, &message), -EFAULT);
	expect_silence(&n, n.netlink);
}

static uint32_t port_of(struct socket *socket, bool peer)
{
	struct sockaddr_storage name;
	struct sockaddr_nl address;
	uint32_t length;

	assert_int_equal(socket_name(socket, peer, &name, &length), 0);
	memcpy(&address, &name, sizeof(address));
	return address.nl_pid;
}

static int bind_to(struct socket *socket, uint32_t port, uint32_t groups)
{
	const struct sockaddr_nl address = {
		.nl_family = AF_NETLINK, .nl_pid = port, .nl_groups = groups};
	struct sockaddr_storage name = {0};

	memcpy(&name, &address, sizeof(address));
	return socket_bind(socket, &name, sizeof(address));
}

static void chosen_ports_begin_anew(void **state __unused)
{
	const struct ucred nobody = {0};
	struct socket *sockets[3];

	host_set_credentials(&nobody); /* the kernel itself has no process */
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		sockets[i] = netlink_open_socket(NETLINK_ROUTE);
		if (i == 1) /* once around: the first number again */
			netlink_state_of(&n.f.net)->next_port = 0xfffff001;
		assert_int_equal(bind_to(sockets[i], 0, 0), 0);
		assert_in_range(port_of(sockets[i], false), 0x80000000u, 0xfffff001u);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(port_of(sockets[i], false),
					     port_of(sockets[j], false));
	}
	/* Bound again to its own port: other groups. */
	assert_int_equal(bind_to(sockets[0], port_of(sockets[0], false), 1), 0);
	set_mtu(1400);
	assert_true(take(sockets[0]) > 0);
	assert_int_equal(take(sockets[1]), -EAGAIN);
	assert_int_equal(port_of(sockets[0], true), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		socket_close(sockets[i]);
}

/* The sockets of another protocol are no members, though they have that port and that group. */
static void groups_are_each_protocols_own(void **state __unused)
{
	struct socket *diag = netlink_open_socket(NETLINK_SOCK_DIAG);

	join(n.netlink, RTNLGRP_LINK);
	netlink_socket_of(diag)->groups = UINT64_MAX;
	set_mtu(1400);
	assert_true(take(n.netlink) > 0);
	assert_int_equal(take(diag), -EAGAIN);
	socket_close(diag);
}

/* ---- Options ---- */

static void options_are_read_back(void **state __unused)
{
	static const int switches[] = {NETLINK_PKTINFO, NETLINK_NO_ENOBUFS, NETLINK_CAP_ACK,
				       NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK};
	uint32_t length, value;

	assert_int_equal(set_socket_option(n.netlink, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 36), 0);
	assert_int_equal(set_socket_option(n.netlink, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 37),
			 -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		for (int on = 1; on >= 0; on--) {
			length = sizeof(value);
			assert_int_equal(
				set_socket_option(n.netlink, SOL_NETLINK, switches[i], on * 5), 0);
			assert_int_equal(socket_getsockopt(n.netlink, SOL_NETLINK, switches[i],
							   &value, &length),
					 0);
			assert_int_equal(value, on);
			assert_int_equal(length, sizeof(value));
		}
	}
	length = 3;
	assert_int_equal(
		socket_getsockopt(n.netlink, SOL_NETLINK, NETLINK_PKTINFO, &value, &length),
		-EINVAL);
	assert_int_equal(socket_setsockopt(n.netlink, SOL_NETLINK, NETLINK_PKTINFO, &value, 3),
			 -EINVAL);
	length = sizeof(value);
	assert_int_equal(socket_getsockopt(n.netlink, SOL_NETLINK, 99, &value, &length),
			 -ENOPROTOOPT);
	assert_int_equal(socket_getsockopt(n.netlink, 7, NETLINK_PKTINFO, &value, &length),
			 -ENOPROTOOPT);
}

/* netlink(7): as much as fits, and the size that the whole needs. */
static void memberships_and_how_many(void **state __unused)
{
	uint32_t words[2] = {7, 7}, length = 0;

	join(n.netlink, 1);
	join(n.netlink, 34);
	assert_int_equal(
		socket_getsockopt(n.netlink, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, words, &length),
		0);
	assert_int_equal(length, 8);
	assert_int_equal(words[0], 7);
	length = 7; /* one whole word */
	assert_int_equal(
		socket_getsockopt(n.netlink, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, words, &length),
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

	join(n.netlink, RTNLGRP_LINK);
	assert_int_equal(set_socket_option(n.netlink, SOL_SOCKET, SO_PASSCRED, 1), 0);
	set_mtu(1400);
	message_init(&message, MSG_DONTWAIT);
	iov_init_kernel(&message.iov, n.reply, sizeof(n.reply));
	message.control_to = control;
	message.control_room = sizeof(control);
	assert_true(socket_recvmsg(n.netlink, &message) > 0);
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

	assert_int_equal(netlink_proc_init(&n.f.net), 0);
	assert_int_equal(bind_to(n.netlink, 77, 1), 0);
	assert_int_equal(set_socket_option(n.netlink, SOL_SOCKET, SO_RCVBUF, 1), 0);
	for (uint32_t i = 0; i < 100; i++)
		set_mtu(1000 + i);
	waiting = n.netlink->receive_queue.truesize;
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
	assert_true(drops > 0 && drops == n.netlink->drops);
	assert_int_equal(inode, n.netlink->inode_number);
	host_proc_reset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_loss_is_told),
		TEST(losses_of_every_group_are_told),
		TEST(an_acknowledgement_without_memory),
		TEST(a_list_that_ends_for_want_of_memory),
		TEST(a_list_whose_piece_is_lost_goes_on),
		TEST(a_list_that_nobody_reads),
		TEST(a_list_waits_for_a_slow_reader),
		TEST(filters_see_what_comes),
		TEST(only_the_kernel_is_written_to),
		TEST(what_is_too_long_or_nowhere),
		TEST(chosen_ports_begin_anew),
		TEST(groups_are_each_protocols_own),
		TEST(options_are_read_back),
		TEST(memberships_and_how_many),
		TEST(the_kernel_has_credentials),
		TEST(the_list_in_proc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
