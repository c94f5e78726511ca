/* AF_NETLINK's sockets: ports, acknowledgements, dumps, groups, and messages that are none. */
#include "test/host/unit/netlink_fixture.h"

#include <string.h>

#include "include/uapi/in.h"
#include "kernel/errno.h"
#include "net/ipv4/route.h"

#define MANY_ROUTES 500

static const struct rtgenmsg any_family = {.rtgen_family = AF_UNSPEC};

static void what_is_not_there_is_refused(void **state __unused)
{
	struct socket *socket;

	assert_int_equal(
		socket_create(&netlink_stack.net, AF_NETLINK, SOCK_RAW, NETLINK_GENERIC, &socket),
		-EPROTONOSUPPORT);
	assert_int_equal(
		socket_create(&netlink_stack.net, AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE, &socket),
		-ESOCKTNOSUPPORT);
	assert_int_equal(set_option(route_socket, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1),
			 -ENOPROTOOPT);
	assert_int_equal(set_option(route_socket, SOL_IP, NETLINK_PKTINFO, 1), -ENOPROTOOPT);
	assert_int_equal(socket_listen(route_socket, 1), -EOPNOTSUPP);
}

static void ports_are_chosen_and_taken(void **state __unused)
{
	struct socket *second = netlink_open_socket(NETLINK_ROUTE);
	struct socket *diag = netlink_open_socket(NETLINK_SOCK_DIAG);

	assert_int_equal(netlink_port(route_socket, false), 0);
	assert_int_equal(netlink_bind(route_socket, 0, 0), 0);
	assert_int_equal(netlink_port(route_socket, false), 1); /* the process */
	assert_int_equal(netlink_bind(second, 1, 0), -EADDRINUSE);
	assert_int_equal(netlink_bind(second, 0, 0), 0);
	assert_true(netlink_port(second, false) > INT32_MAX);
	assert_int_equal(netlink_bind(second, 5, 0), -EINVAL); /* it has another */
	assert_int_equal(netlink_bind(diag, 1, 0), 0);         /* another protocol's */
	assert_int_equal(netlink_bind(diag, 1, 1), -EINVAL);   /* it has no groups */
	socket_close(second);
	socket_close(diag);
}

static void names_are_checked(void **state __unused)
{
	struct sockaddr_nl address = {.nl_family = AF_INET};
	struct sockaddr_storage name = {0};

	memcpy(&name, &address, sizeof(address));
	assert_int_equal(socket_bind(route_socket, &name, sizeof(address)), -EINVAL);
	address = (struct sockaddr_nl){.nl_family = AF_NETLINK, .nl_pid = 99};
	memcpy(&name, &address, sizeof(address));
	assert_int_equal(socket_bind(route_socket, &name, sizeof(address) - 1), -EINVAL);
	/* Processes do not write to one another. */
	assert_int_equal(socket_connect(route_socket, &name, sizeof(address), false), -EPERM);
	address.nl_pid = 0;
	memcpy(&name, &address, sizeof(address));
	assert_int_equal(socket_connect(route_socket, &name, sizeof(address), false), 0);
}

static void acknowledgements(void **state __unused)
{
	/* Of a success: the header alone. */
	request_begin(RTM_GETLINK, 0, &(struct ifinfomsg){.ifi_index = 1},
		      sizeof(struct ifinfomsg));
	request_send(route_socket);
	expect_message(route_socket, RTM_NEWLINK);
	expect_silence(route_socket);

	/* Of a failure: all of the request. */
	struct ifinfomsg unknown = {.ifi_index = 99};

	request_begin(RTM_GETLINK, 0, &unknown, sizeof(unknown));
	assert_int_equal(request_result(route_socket), -ENODEV);
	assert_int_equal(netlink_answer.length, sizeof(struct nlmsgerr) + sizeof(unknown));
	assert_int_equal(netlink_answer.header.nlmsg_flags, 0);
	assert_int_equal(netlink_answer.header.nlmsg_seq, 77);
	assert_int_equal(netlink_answer.header.nlmsg_pid, netlink_port(route_socket, false));

	assert_int_equal(set_option(route_socket, SOL_NETLINK, NETLINK_CAP_ACK, 1), 0);
	request_begin(RTM_GETLINK, 0, &unknown, sizeof(unknown));
	assert_int_equal(request_result(route_socket), -ENODEV);
	assert_int_equal(netlink_answer.length, sizeof(struct nlmsgerr));
	assert_int_equal(netlink_answer.header.nlmsg_flags, NLM_F_CAPPED);
}

static void extended_acknowledgements_say_what_is_wrong(void **state __unused)
{
	const struct ifaddrmsg info = {.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = 99};
	struct netlink_attribute words;

	assert_int_equal(set_option(route_socket, SOL_NETLINK, NETLINK_CAP_ACK, 1), 0);
	for (int extended = 0; extended <= 1; extended++) {
		assert_int_equal(set_option(route_socket, SOL_NETLINK, NETLINK_EXT_ACK, extended),
				 0);
		request_begin(RTM_NEWADDR, 0, &info, sizeof(info));
		assert_int_equal(request_result(route_socket), -ENODEV);
		assert_int_equal(find_attribute(sizeof(struct nlmsgerr), NLMSGERR_ATTR_MSG, &words),
				 extended);
	}
	assert_int_equal(netlink_answer.header.nlmsg_flags, NLM_F_CAPPED | NLM_F_ACK_TLVS);
	assert_string_equal((const char *)words.value, "Device not found");

	/* A value that is too short: where it stands. */
	request_begin(RTM_NEWADDR, 0, &info, sizeof(info));
	netlink_put_u8(&netlink_request, IFA_LOCAL, 1);
	assert_int_equal(request_result(route_socket), -ERANGE);
	assert_int_equal(number_attribute(sizeof(struct nlmsgerr), NLMSGERR_ATTR_OFFS),
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
		assert_int_equal(send_datagram(route_socket, bytes, length), length);
		expect_silence(route_socket);
	}
	for (uint32_t claimed = 0; claimed < 16; claimed++) {
		header.nlmsg_len = claimed;
		memcpy(bytes, &header, sizeof(header));
		assert_int_equal(send_datagram(route_socket, bytes, 32), 32);
		expect_silence(route_socket);
	}
	header.nlmsg_len = UINT32_MAX;
	memcpy(bytes, &header, sizeof(header));
	assert_int_equal(send_datagram(route_socket, bytes, 32), 32);
	expect_silence(route_socket);
	assert_int_equal(send_datagram(route_socket, bytes, 0), 0);
}

static void types_that_are_unknown(void **state __unused)
{
	/* No type of ours, and types of control. */
	request_begin(4000, 0, &any_family, 1);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	request_begin(90, 0, &any_family, 1);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	request_begin(NLMSG_NOOP, 0, &any_family, 1);
	assert_int_equal(request_result(route_socket), 0);
	/* An answer is no request. */
	request_begin(RTM_GETLINK, NLM_F_DUMP, &any_family, 1);
	((struct nlmsghdr *)(void *)netlink_request.bytes)->nlmsg_flags = NLM_F_DUMP | NLM_F_ACK;
	request_send(route_socket);
	expect_silence(route_socket);
	/* A request without even a family. */
	request_begin(RTM_GETLINK, NLM_F_DUMP, NULL, 0);
	assert_int_equal(request_result(route_socket), -EINVAL);
}

static void several_messages_in_one_datagram(void **state __unused)
{
	struct nlmsghdr header = {.nlmsg_type = NLMSG_NOOP,
				  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};
	uint8_t bytes[256];

	netlink_writer_init(&netlink_request, bytes, sizeof(bytes));
	for (uint32_t i = 0; i < 3; i++) {
		header.nlmsg_seq = i;
		netlink_begin(&netlink_request, &header);
		assert_true(netlink_end(&netlink_request));
	}
	send_datagram(route_socket, bytes, netlink_request.length);
	for (uint32_t i = 0; i < 3; i++) {
		expect_message(route_socket, NLMSG_ERROR);
		assert_int_equal(netlink_answer.header.nlmsg_seq, i);
	}
	expect_silence(route_socket);
}

static void strangers_may_look_and_not_touch(void **state __unused)
{
	const struct ucred stranger = {.pid = 2, .uid = 1000, .gid = 1000};
	const struct ifinfomsg info = {.ifi_index = 2, .ifi_change = IFF_UP};

	host_set_credentials(&stranger);
	request_begin(RTM_NEWLINK, 0, &info, sizeof(info));
	assert_int_equal(request_result(route_socket), -EPERM);
	assert_true(netlink_stack.dev.flags & IFF_UP);
	request_begin(RTM_GETLINK, NLM_F_DUMP, &any_family, 1);
	assert_int_equal(request_count(route_socket, RTM_NEWLINK), 2);
}

static void dumps_come_in_pieces(void **state __unused)
{
	uint32_t routes = 0;

	netlink_add_routes(MANY_ROUTES);
	netlink_room = SMALL_ROOM;
	request_begin(RTM_GETROUTE, NLM_F_DUMP, &(struct rtmsg){.rtm_family = AF_INET},
		      sizeof(struct rtmsg));
	request_send(route_socket);
	while (next_message(route_socket) && netlink_answer.header.nlmsg_type != NLMSG_DONE) {
		routes += netlink_answer.header.nlmsg_type == RTM_NEWROUTE;
		/* Never more than one piece waits. */
		assert_true(route_socket->receive_queue.length <= 1);
	}
	assert_int_equal(netlink_answer.header.nlmsg_type, NLMSG_DONE);
	assert_true(routes >= MANY_ROUTES && netlink_pieces > MANY_ROUTES * 40 / SMALL_ROOM);
	expect_silence(route_socket);
}

/* Programs look at the head of each datagram only, as masscan does. */
static void the_end_comes_alone(void **state __unused)
{
	request_begin(RTM_GETLINK, NLM_F_DUMP, &any_family, 1);
	request_send(route_socket);
	while (next_message(route_socket) && netlink_answer.header.nlmsg_type != NLMSG_DONE)
		assert_int_equal(netlink_pieces, 1);
	assert_int_equal(netlink_pieces, 2);
	expect_silence(route_socket);
}

static void one_dump_at_a_time(void **state __unused)
{
	netlink_add_routes(MANY_ROUTES);
	request_begin(RTM_GETROUTE, NLM_F_DUMP, &any_family, 1);
	request_send(route_socket);
	request_begin(RTM_GETROUTE, NLM_F_DUMP, &any_family, 1);
	request_send(route_socket);
	while (next_message(route_socket) && netlink_answer.header.nlmsg_type != NLMSG_ERROR)
		;
	struct nlmsgerr body;

	read_fixed(&body, sizeof(body));
	assert_int_equal(body.error, -EBUSY);
	/* What is left of the first goes with the socket. */
}

static void a_dump_tells_of_interruptions(void **state __unused)
{
	netlink_add_routes(4 * MANY_ROUTES); /* more than two pieces */
	request_begin(RTM_GETROUTE, NLM_F_DUMP, &any_family, 1);
	request_send(route_socket);
	assert_true(next_message(route_socket));
	assert_false(netlink_answer.header.nlmsg_flags & NLM_F_DUMP_INTR);
	net_lock(&netlink_stack.net);
	const struct route route = {
		.destination = IP4(30, 0, 0, 0), .prefix_length = 8, .dev = &netlink_stack.dev};

	assert_int_equal(route_add(&netlink_stack.net, &route), 0);
	net_unlock(&netlink_stack.net);
	while (netlink_answer.header.nlmsg_type != NLMSG_DONE)
		assert_true(next_message(route_socket));
	assert_true(netlink_answer.header.nlmsg_flags & NLM_F_DUMP_INTR);
}

static void groups_are_joined_and_left(void **state __unused)
{
	uint32_t bits[2] = {0}, length = sizeof(bits);

	assert_int_equal(netlink_bind(route_socket, 0, 1u << (RTNLGRP_LINK - 1)), 0);
	netlink_join(route_socket, RTNLGRP_NEIGH);
	netlink_join(route_socket, 33);
	assert_int_equal(socket_getsockopt(route_socket, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS,
					   bits, &length),
			 0);
	assert_int_equal(length, 8);
	assert_int_equal(bits[0], 1u << (RTNLGRP_LINK - 1) | 1u << (RTNLGRP_NEIGH - 1));
	assert_int_equal(bits[1], 1);
	assert_int_equal(
		set_option(route_socket, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, RTNLGRP_NEIGH), 0);
	assert_int_equal(set_option(route_socket, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 0), -EINVAL);
	assert_int_equal(set_option(route_socket, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 100),
			 -EINVAL);
}

static void members_hear_and_see_of_which_group(void **state __unused)
{
	struct socket *other = netlink_open_socket(NETLINK_ROUTE);
	uint8_t bytes[2048], control[64];
	struct message message;
	struct nl_pktinfo info;
	struct sockaddr_nl from;

	assert_int_equal(netlink_bind(route_socket, 0, 1u << (RTNLGRP_LINK - 1)), 0);
	assert_int_equal(set_option(route_socket, SOL_NETLINK, NETLINK_PKTINFO, 1), 0);
	netlink_set_mtu(1400);
	message_init(&message, MSG_DONTWAIT);
	iov_init_kernel(&message.iov, bytes, sizeof(bytes));
	message.control_to = control;
	message.control_room = sizeof(control);
	assert_true(socket_recvmsg(route_socket, &message) > 0);
	memcpy(&from, &message.name, sizeof(from));
	assert_int_equal(message.name_length, sizeof(from));
	assert_int_equal(from.nl_pid, 0);
	assert_int_equal(from.nl_groups, 1u << (RTNLGRP_LINK - 1));
	assert_int_equal(message.control_used, CMSG_SPACE(sizeof(info)));
	memcpy(&info, control + sizeof(struct cmsghdr), sizeof(info));
	assert_int_equal(info.group, RTNLGRP_LINK);
	expect_silence(other);
	socket_close(other);
}

static void what_is_lost_is_told_once(void **state __unused)
{
	uint32_t got = 0;
	int64_t result;

	assert_int_equal(netlink_bind(route_socket, 0, 1u << (RTNLGRP_LINK - 1)), 0);
	assert_int_equal(set_option(route_socket, SOL_SOCKET, SO_RCVBUF, 1), 0);
	for (uint32_t i = 0; i < 100; i++)
		netlink_set_mtu(1000 + i);
	assert_int_equal(netlink_take(route_socket), -ENOBUFS);
	/* More of the same, before it has read what it has: that is known. */
	for (uint32_t i = 0; i < 100; i++)
		netlink_set_mtu(1000 + i);
	do {
		result = netlink_take(route_socket);
		got += result > 0;
	} while (result > 0);
	assert_int_equal(result, -EAGAIN);
	assert_true(got > 0 && got < 100);
	/* From then on it hears again, and is told again. */
	netlink_set_mtu(1500);
	expect_message(route_socket, RTM_NEWLINK);
	/* Who does not want to know. */
	assert_int_equal(set_option(route_socket, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1), 0);
	for (uint32_t i = 0; i < 100; i++)
		netlink_set_mtu(1000 + i);
	expect_message(route_socket, RTM_NEWLINK);
}

static void messages_are_cut_to_the_room(void **state __unused)
{
	uint8_t bytes[20];
	struct message message;

	request_begin(RTM_GETLINK, 0, &(struct ifinfomsg){.ifi_index = 1},
		      sizeof(struct ifinfomsg));
	request_send(route_socket);
	/* As programs ask for the length. */
	message_init(&message, MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC);
	int64_t whole = socket_recvmsg(route_socket, &message);

	assert_true(whole > 100);
	message_init(&message, MSG_DONTWAIT);
	iov_init_kernel(&message.iov, bytes, sizeof(bytes));
	assert_int_equal(socket_recvmsg(route_socket, &message), sizeof(bytes));
	assert_true(message.flags_out & MSG_TRUNC);
	expect_silence(route_socket);
}

/* Whatever fails for want of memory leaves nothing behind: the fixture looks. */
static void every_allocation_may_fail(void **state __unused)
{
	for (uint32_t fail = 1; fail < 12; fail++) {
		struct socket *socket = netlink_open_socket(NETLINK_ROUTE);

		request_begin(RTM_GETROUTE, NLM_F_DUMP, &any_family, 1);
		host_fail_allocation(fail);
		request_try(socket);
		host_fail_allocation(0);
		socket_close(socket);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NETLINK_TEST(what_is_not_there_is_refused),
		NETLINK_TEST(ports_are_chosen_and_taken),
		NETLINK_TEST(names_are_checked),
		NETLINK_TEST(acknowledgements),
		NETLINK_TEST(extended_acknowledgements_say_what_is_wrong),
		NETLINK_TEST(what_is_no_message_has_no_answer),
		NETLINK_TEST(types_that_are_unknown),
		NETLINK_TEST(several_messages_in_one_datagram),
		NETLINK_TEST(strangers_may_look_and_not_touch),
		NETLINK_TEST(dumps_come_in_pieces),
		NETLINK_TEST(the_end_comes_alone),
		NETLINK_TEST(one_dump_at_a_time),
		NETLINK_TEST(a_dump_tells_of_interruptions),
		NETLINK_TEST(groups_are_joined_and_left),
		NETLINK_TEST(members_hear_and_see_of_which_group),
		NETLINK_TEST(what_is_lost_is_told_once),
		NETLINK_TEST(messages_are_cut_to_the_room),
		NETLINK_TEST(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
