/* AF_NETLINK's sockets: ports, acknowledgements, dumps, groups, and messages that are none. */
#include "test/host/unit/netlink_fixture.h"

#include <string.h>

#include "include/uapi/in.h"
#include "kernel/errno.h"
#include "net/ipv4/route.h"

#define MANY_ROUTES 500
#define SMALL_PIECE 4096

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

static const struct rtgenmsg any_family = {.rtgen_family = AF_UNSPEC};

static void add_routes(uint32_t count)
{
	net_lock(&n.f.net);
	for (uint32_t i = 0; i < count; i++) {
		const struct route route = {.destination = IP4(20, 0, 0, 0) + (i << 8),
					    .prefix_length = 24,
					    .dev = &n.f.dev};

		assert_int_equal(route_add(&n.f.net, &route), 0);
	}
	net_unlock(&n.f.net);
}

static uint32_t port_of(struct socket *socket)
{
	struct sockaddr_storage name;
	struct sockaddr_nl address;
	uint32_t length;

	assert_int_equal(socket_name(socket, false, &name, &length), 0);
	assert_int_equal(length, sizeof(address));
	memcpy(&address, &name, sizeof(address));
	assert_int_equal(address.nl_family, AF_NETLINK);
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

static void what_is_not_there_is_refused(void **state __unused)
{
	struct socket *socket;

	assert_int_equal(socket_create(&n.f.net, AF_NETLINK, SOCK_RAW, NETLINK_GENERIC, &socket),
			 -EPROTONOSUPPORT);
	assert_int_equal(socket_create(&n.f.net, AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE, &socket),
			 -ESOCKTNOSUPPORT);
	assert_int_equal(set_socket_option(n.netlink, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1),
			 -ENOPROTOOPT);
	assert_int_equal(set_socket_option(n.netlink, SOL_IP, NETLINK_PKTINFO, 1), -ENOPROTOOPT);
	assert_int_equal(socket_listen(n.netlink, 1), -EOPNOTSUPP);
}

static void ports_are_chosen_and_taken(void **state __unused)
{
	struct socket *second = netlink_open_socket(NETLINK_ROUTE);
	struct socket *diag = netlink_open_socket(NETLINK_SOCK_DIAG);

	assert_int_equal(port_of(n.netlink), 0);
	assert_int_equal(bind_to(n.netlink, 0, 0), 0);
	assert_int_equal(port_of(n.netlink), 1); /* the process */
	assert_int_equal(bind_to(second, 1, 0), -EADDRINUSE);
	assert_int_equal(bind_to(second, 0, 0), 0);
	assert_true(port_of(second) > INT32_MAX);
	assert_int_equal(bind_to(second, 5, 0), -EINVAL); /* it has another */
	assert_int_equal(bind_to(diag, 1, 0), 0);         /* another protocol's */
	assert_int_equal(bind_to(diag, 1, 1), -EINVAL);   /* it has no groups */
	socket_close(second);
	socket_close(diag);
}

static void names_are_checked(void **state __unused)
{
	struct sockaddr_nl address = {.nl_family = AF_INET};
	struct sockaddr_storage name = {0};

	memcpy(&name, &address, sizeof(address));
	assert_int_equal(socket_bind(n.netlink, &name, sizeof(address)), -EINVAL);
	address = (struct sockaddr_nl){.nl_family = AF_NETLINK, .nl_pid = 99};
	memcpy(&name, &address, sizeof(address));
	assert_int_equal(socket_bind(n.netlink, &name, sizeof(address) - 1), -EINVAL);
	/* Processes do not write to one another. */
	assert_int_equal(socket_connect(n.netlink, &name, sizeof(address), false), -EPERM);
	address.nl_pid = 0;
	memcpy(&name, &address, sizeof(address));
	assert_int_equal(socket_connect(n.netlink, &name, sizeof(address), false), 0);
}

static void acknowledgements(void **state __unused)
{
	/* Of a success: the header alone. */
	request_begin(&n, RTM_GETLINK, 0, &(struct ifinfomsg){.ifi_index = 1},
		      sizeof(struct ifinfomsg));
	request_send(&n, n.netlink);
	expect_message(&n, n.netlink, RTM_NEWLINK);
	expect_silence(&n, n.netlink);

	/* Of a failure: all of the request. */
	struct ifinfomsg unknown = {.ifi_index = 99};

	request_begin(&n, RTM_GETLINK, 0, &unknown, sizeof(unknown));
	assert_int_equal(request_result(&n, n.netlink), -ENODEV);
	assert_int_equal(n.message.length, sizeof(struct nlmsgerr) + sizeof(unknown));
	assert_int_equal(n.message.header.nlmsg_flags, 0);
	assert_int_equal(n.message.header.nlmsg_seq, 77);
	assert_int_equal(n.message.header.nlmsg_pid, port_of(n.netlink));

	assert_int_equal(set_socket_option(n.netlink, SOL_NETLINK, NETLINK_CAP_ACK, 1), 0);
	request_begin(&n, RTM_GETLINK, 0, &unknown, sizeof(unknown));
	assert_int_equal(request_result(&n, n.netlink), -ENODEV);
	assert_int_equal(n.message.length, sizeof(struct nlmsgerr));
	assert_int_equal(n.message.header.nlmsg_flags, NLM_F_CAPPED);
}

static void extended_acknowledgements_say_what_is_wrong(void **state __unused)
{
	const struct ifaddrmsg info = {.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = 99};
	struct netlink_attribute words;

	assert_int_equal(set_socket_option(n.netlink, SOL_NETLINK, NETLINK_CAP_ACK, 1), 0);
	for (int extended = 0; extended <= 1; extended++) {
		assert_int_equal(
			set_socket_option(n.netlink, SOL_NETLINK, NETLINK_EXT_ACK, extended), 0);
		request_begin(&n, RTM_NEWADDR, 0, &info, sizeof(info));
		assert_int_equal(request_result(&n, n.netlink), -ENODEV);
		assert_int_equal(
			find_attribute(&n, sizeof(struct nlmsgerr), NLMSGERR_ATTR_MSG, &words),
			extended);
	}
	assert_int_equal(n.message.header.nlmsg_flags, NLM_F_CAPPED | NLM_F_ACK_TLVS);
	assert_string_equal((const char *)words.value, "Device not found");

	/* A value that is too short: where it stands. */
	request_begin(&n, RTM_NEWADDR, 0, &info, sizeof(info));
	netlink_put_u8(&n.request, IFA_LOCAL, 1);
	assert_int_equal(request_result(&n, n.netlink), -ERANGE);
	assert_int_equal(number_attribute(&n, sizeof(struct nlmsgerr), NLMSGERR_ATTR_OFFS),
			 NETLINK_HEADER + sizeof(info));
}

static void what_is_no_message_has_no_answer(void **state __unused)
{
	struct nlmsghdr header = {.nlmsg_len = 17,
				  .nlmsg_type = RTM_GETLINK,
				  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP | NLM_F_ACK};
	uint8_t bytes[64] = {0};

	for (uint32_t length = 1; length < 17; length++) {
		memcpy(bytes, &header, sizeof(header));
		assert_int_equal(send_datagram(n.netlink, bytes, length), length);
		expect_silence(&n, n.netlink);
	}
	for (uint32_t claimed = 0; claimed < 16; claimed++) {
		header.nlmsg_len = claimed;
		memcpy(bytes, &header, sizeof(header));
		assert_int_equal(send_datagram(n.netlink, bytes, 32), 32);
		expect_silence(&n, n.netlink);
	}
	header.nlmsg_len = UINT32_MAX;
	memcpy(bytes, &header, sizeof(header));
	assert_int_equal(send_datagram(n.netlink, bytes, 32), 32);
	expect_silence(&n, n.netlink);
	assert_int_equal(send_datagram(n.netlink, bytes, 0), 0);
}

static void types_that_are_unknown(void **state __unused)
{
	/* No type of ours, and types of control. */
	request_begin(&n, 4000, 0, &any_family, 1);
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
	request_begin(&n, 90, 0, &any_family, 1);
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
	request_begin(&n, NLMSG_NOOP, 0, &any_family, 1);
	assert_int_equal(request_result(&n, n.netlink), 0);
	/* An answer is no request. */
	request_begin(&n, RTM_GETLINK, NLM_F_DUMP, &any_family, 1);
	((struct nlmsghdr *)(void *)n.request_bytes)->nlmsg_flags = NLM_F_DUMP | NLM_F_ACK;
	request_send(&n, n.netlink);
	expect_silence(&n, n.netlink);
	/* A request without even a family. */
	request_begin(&n, RTM_GETLINK, NLM_F_DUMP, NULL, 0);
	assert_int_equal(request_result(&n, n.netlink), -EINVAL);
}

static void several_messages_in_one_datagram(void **state __unused)
{
	struct nlmsghdr header = {.nlmsg_type = NLMSG_NOOP,
				  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};

	netlink_writer_init(&n.request, n.request_bytes, sizeof(n.request_bytes));
	for (uint32_t i = 0; i < 3; i++) {
		header.nlmsg_seq = i;
		netlink_begin(&n.request, &header);
		assert_true(netlink_end(&n.request));
	}
	send_datagram(n.netlink, n.request_bytes, n.request.length);
	for (uint32_t i = 0; i < 3; i++) {
		expect_message(&n, n.netlink, NLMSG_ERROR);
		assert_int_equal(n.message.header.nlmsg_seq, i);
	}
	expect_silence(&n, n.netlink);
}

static void strangers_may_look_and_not_touch(void **state __unused)
{
	const struct ucred stranger = {.pid = 2, .uid = 1000, .gid = 1000};
	const struct ifinfomsg info = {.ifi_index = 2, .ifi_change = IFF_UP};

	host_set_credentials(&stranger);
	request_begin(&n, RTM_NEWLINK, 0, &info, sizeof(info));
	assert_int_equal(request_result(&n, n.netlink), -EPERM);
	assert_true(n.f.dev.flags & IFF_UP);
	request_begin(&n, RTM_GETLINK, NLM_F_DUMP, &any_family, 1);
	request_send(&n, n.netlink);
	assert_int_equal(count_to_done(&n, n.netlink, RTM_NEWLINK), 2);
}

static void dumps_come_in_pieces(void **state __unused)
{
	uint8_t piece[SMALL_PIECE];
	uint32_t routes = 0, pieces = 0;
	bool done = false;

	add_routes(MANY_ROUTES);
	request_begin(&n, RTM_GETROUTE, NLM_F_DUMP, &(struct rtmsg){.rtm_family = AF_INET},
		      sizeof(struct rtmsg));
	request_send(&n, n.netlink);
	while (!done) {
		struct message message;
		struct netlink_reader reader = {.at = piece};
		struct netlink_message one;

		message_init(&message, MSG_DONTWAIT);
		iov_init_kernel(&message.iov, piece, sizeof(piece));
		int64_t length = socket_recvmsg(n.netlink, &message);

		assert_in_range(length, 1, sizeof(piece));
		assert_false(message.flags_out & MSG_TRUNC);
		pieces++;
		reader.left = (size_t)length;
		while (netlink_read_message(&reader, &one)) {
			done |= one.header.nlmsg_type == NLMSG_DONE;
			routes += one.header.nlmsg_type == RTM_NEWROUTE;
		}
		assert_int_equal(reader.left, 0);
		/* Never more than one piece waits. */
		assert_true(n.netlink->receive_queue.length <= 1);
	}
	assert_true(routes >= MANY_ROUTES && pieces > MANY_ROUTES * 40 / SMALL_PIECE);
	expect_silence(&n, n.netlink);
}

static void one_dump_at_a_time(void **state __unused)
{
	add_routes(MANY_ROUTES);
	request_begin(&n, RTM_GETROUTE, NLM_F_DUMP, &any_family, 1);
	request_send(&n, n.netlink);
	request_begin(&n, RTM_GETROUTE, NLM_F_DUMP, &any_family, 1);
	request_send(&n, n.netlink);
	while (next_message(&n, n.netlink) && n.message.header.nlmsg_type != NLMSG_ERROR)
		;
	struct nlmsgerr body;

	memcpy(&body, n.message.payload, sizeof(body));
	assert_int_equal(body.error, -EBUSY);
	/* What is left of the first goes with the socket. */
}

static void a_dump_tells_of_interruptions(void **state __unused)
{
	add_routes(4 * MANY_ROUTES); /* more than two pieces */
	request_begin(&n, RTM_GETROUTE, NLM_F_DUMP, &any_family, 1);
	request_send(&n, n.netlink);
	assert_true(next_message(&n, n.netlink));
	assert_false(n.message.header.nlmsg_flags & NLM_F_DUMP_INTR);
	net_lock(&n.f.net);
	const struct route route = {
		.destination = IP4(30, 0, 0, 0), .prefix_length = 8, .dev = &n.f.dev};

	assert_int_equal(route_add(&n.f.net, &route), 0);
	net_unlock(&n.f.net);
	while (n.message.header.nlmsg_type != NLMSG_DONE)
		assert_true(next_message(&n, n.netlink));
	assert_true(n.message.header.nlmsg_flags & NLM_F_DUMP_INTR);
}

static void groups_are_joined_and_left(void **state __unused)
{
	uint32_t bits[2] = {0}, length = sizeof(bits);

	assert_int_equal(bind_to(n.netlink, 0, 1u << (RTNLGRP_LINK - 1)), 0);
	assert_int_equal(
		set_socket_option(n.netlink, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, RTNLGRP_NEIGH),
		0);
	assert_int_equal(set_socket_option(n.netlink, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 33), 0);
	assert_int_equal(
		socket_getsockopt(n.netlink, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, bits, &length),
		0);
	assert_int_equal(length, 8);
	assert_int_equal(bits[0], 1u << (RTNLGRP_LINK - 1) | 1u << (RTNLGRP_NEIGH - 1));
	assert_int_equal(bits[1], 1);
	assert_int_equal(
		set_socket_option(n.netlink, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, RTNLGRP_NEIGH),
		0);
	assert_int_equal(set_socket_option(n.netlink, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 0),
			 -EINVAL);
	assert_int_equal(set_socket_option(n.netlink, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 100),
			 -EINVAL);
}

static void set_mtu(uint32_t mtu)
{
	net_lock(&n.f.net);
	assert_int_equal(netdev_set_mtu(&n.f.dev, mtu), 0);
	net_unlock(&n.f.net);
}

static void members_hear_and_see_of_which_group(void **state __unused)
{
	struct socket *other = netlink_open_socket(NETLINK_ROUTE);
	uint8_t bytes[2048], control[64];
	struct message message;
	struct nl_pktinfo info;
	struct sockaddr_nl from;

	assert_int_equal(bind_to(n.netlink, 0, 1u << (RTNLGRP_LINK - 1)), 0);
	assert_int_equal(set_socket_option(n.netlink, SOL_NETLINK, NETLINK_PKTINFO, 1), 0);
	set_mtu(1400);
	message_init(&message, MSG_DONTWAIT);
	iov_init_kernel(&message.iov, bytes, sizeof(bytes));
	message.control_to = control;
	message.control_room = sizeof(control);
	assert_true(socket_recvmsg(n.netlink, &message) > 0);
	memcpy(&from, &message.name, sizeof(from));
	assert_int_equal(message.name_length, sizeof(from));
	assert_int_equal(from.nl_pid, 0);
	assert_int_equal(from.nl_groups, 1u << (RTNLGRP_LINK - 1));
	assert_int_equal(message.control_used, CMSG_SPACE(sizeof(info)));
	memcpy(&info, control + sizeof(struct cmsghdr), sizeof(info));
	assert_int_equal(info.group, RTNLGRP_LINK);
	expect_silence(&n, other);
	socket_close(other);
}

static void what_is_lost_is_told_once(void **state __unused)
{
	uint8_t bytes[2048];
	struct message message;
	uint32_t got = 0;
	int64_t result;

	assert_int_equal(bind_to(n.netlink, 0, 1u << (RTNLGRP_LINK - 1)), 0);
	assert_int_equal(set_socket_option(n.netlink, SOL_SOCKET, SO_RCVBUF, 1), 0);
	for (uint32_t i = 0; i < 100; i++)
		set_mtu(1000 + i);
	message_init(&message, MSG_DONTWAIT);
	iov_init_kernel(&message.iov, bytes, sizeof(bytes));
	assert_int_equal(socket_recvmsg(n.netlink, &message), -ENOBUFS);
	/* More of the same, before it has read what it has: that is known. */
	for (uint32_t i = 0; i < 100; i++)
		set_mtu(1000 + i);
	do {
		message_init(&message, MSG_DONTWAIT);
		iov_init_kernel(&message.iov, bytes, sizeof(bytes));
		result = socket_recvmsg(n.netlink, &message);
		got += result > 0;
	} while (result > 0);
	assert_int_equal(result, -EAGAIN);
	assert_true(got > 0 && got < 100);
	/* From then on it hears again, and is told again. */
	set_mtu(1500);
	expect_message(&n, n.netlink, RTM_NEWLINK);
	/* Who does not want to know. */
	assert_int_equal(set_socket_option(n.netlink, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1), 0);
	for (uint32_t i = 0; i < 100; i++)
		set_mtu(1000 + i);
	expect_message(&n, n.netlink, RTM_NEWLINK);
}

static void messages_are_cut_to_the_room(void **state __unused)
{
	uint8_t bytes[20];
	struct message message;

	request_begin(&n, RTM_GETLINK, 0, &(struct ifinfomsg){.ifi_index = 1},
		      sizeof(struct ifinfomsg));
	request_send(&n, n.netlink);
	/* As programs ask for the length. */
	message_init(&message, MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC);
	int64_t whole = socket_recvmsg(n.netlink, &message);

	assert_true(whole > 100);
	message_init(&message, MSG_DONTWAIT);
	iov_init_kernel(&message.iov, bytes, sizeof(bytes));
	assert_int_equal(socket_recvmsg(n.netlink, &message), sizeof(bytes));
	assert_true(message.flags_out & MSG_TRUNC);
	expect_silence(&n, n.netlink);
}

/* Whatever fails for want of memory leaves nothing behind: the fixture looks. */
static void every_allocation_may_fail(void **state __unused)
{
	for (uint32_t fail = 1; fail < 12; fail++) {
		struct socket *socket = netlink_open_socket(NETLINK_ROUTE);

		n.left.left = 0;
		request_begin(&n, RTM_GETROUTE, NLM_F_DUMP, &any_family, 1);
		netlink_end(&n.request);
		host_fail_allocation(fail);
		send_datagram(socket, n.request_bytes, n.request.length);
		host_fail_allocation(0);
		socket_close(socket);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_not_there_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ports_are_chosen_and_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_are_checked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(acknowledgements, set_up, tear_down),
		cmocka_unit_test_setup_teardown(extended_acknowledgements_say_what_is_wrong, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_message_has_no_answer, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(types_that_are_unknown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(several_messages_in_one_datagram, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(strangers_may_look_and_not_touch, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(dumps_come_in_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_dump_at_a_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_dump_tells_of_interruptions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(groups_are_joined_and_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(members_hear_and_see_of_which_group, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_lost_is_told_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(messages_are_cut_to_the_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_allocation_may_fail, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
