/* NETLINK_ROUTE's neighbours at their edges: states, filters, refusals. */
#include "test/host/unit/netlink_fixture.h"

#include <string.h>

#include "include/uapi/in.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "net/ethernet/arp.h"

#define OTHER IP4(10, 0, 0, 77)

static void begin_with(uint16_t type, uint16_t flags, const struct ndmsg *info)
{
	request_begin(type, flags, info, sizeof(*info));
	netlink_put_be32(&netlink_request, NDA_DST, OTHER);
}

static void begin(uint16_t type, uint16_t flags, uint16_t neighbour_state)
{
	begin_with(type, flags,
		   &(struct ndmsg){.ndm_family = AF_INET,
				   .ndm_ifindex = netlink_stack.dev.ifindex,
				   .ndm_state = neighbour_state});
}

static void put_link_address(void)
{
	netlink_put(&netlink_request, NDA_LLADDR, FIXTURE_PEER.bytes, MAC_LENGTH);
}

static uint16_t state_of_message(void)
{
	struct ndmsg info;

	read_fixed(&info, sizeof(info));
	return info.ndm_state;
}

static uint16_t state_now(void)
{
	begin(RTM_GETNEIGH, 0, 0);
	request_send(route_socket);
	expect_message(route_socket, RTM_NEWNEIGH);
	return state_of_message();
}

/* Somebody calls OTHER, whom nobody has asked for yet. */
static struct socket *call_other(void)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_port = cpu_to_be16(9),
					    .sin_addr.s_addr = cpu_to_be32(OTHER)};
	struct sockaddr_storage name = {0};
	struct socket *caller;

	memcpy(&name, &address, sizeof(address));
	assert_int_equal(socket_create(&netlink_stack.net, AF_INET, SOCK_STREAM, 0, &caller), 0);
	assert_int_equal(socket_connect(caller, &name, sizeof(address), true), -EINPROGRESS);
	return caller;
}

static void one_that_does_not_answer(void **state __unused)
{
	struct socket *caller = call_other();

	assert_int_equal(state_now(), NUD_INCOMPLETE);
	assert_false(has_attribute(sizeof(struct ndmsg), NDA_LLADDR));
	/* Nothing to be made permanent without a link address. */
	begin(RTM_NEWNEIGH, NLM_F_REPLACE, NUD_PERMANENT);
	assert_int_equal(request_result(route_socket), -EINVAL);
	netlink_join(route_socket, RTNLGRP_NEIGH);
	socket_close(caller);
	fixture_advance(&netlink_stack, 60 * USEC_PER_SEC);
	while (route_socket->receive_queue.length > 1)
		assert_true(next_message(route_socket));
	expect_message(route_socket, RTM_DELNEIGH);
	assert_int_equal(state_of_message(), NUD_FAILED);
}

static void an_entry_is_made_permanent_as_it_is(void **state __unused)
{
	struct netlink_attribute attribute;

	begin(RTM_NEWNEIGH, NLM_F_CREATE, NUD_REACHABLE);
	put_link_address();
	assert_int_equal(request_result(route_socket), 0);
	assert_int_equal(state_now(), NUD_REACHABLE);
	begin(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, NUD_REACHABLE);
	assert_int_equal(request_result(route_socket), 0);
	begin(RTM_NEWNEIGH, NLM_F_EXCL, NUD_REACHABLE);
	assert_int_equal(request_result(route_socket), -EEXIST);
	begin(RTM_NEWNEIGH, NLM_F_REPLACE, NUD_PERMANENT);
	assert_int_equal(request_result(route_socket), 0);
	assert_int_equal(state_now(), NUD_PERMANENT);
	assert_true(find_attribute(sizeof(struct ndmsg), NDA_LLADDR, &attribute));
	assert_memory_equal(attribute.value, FIXTURE_PEER.bytes, MAC_LENGTH);
	/* 31 would be the "set" of neighbours: there is none, and it does not delete one. */
	begin(RTM_GETNEIGH + 1, 0, 0);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	assert_int_equal(state_now(), NUD_PERMANENT);
}

static void what_is_not_done_here_is_refused(void **state __unused)
{
	struct ndmsg info = {.ndm_family = AF_INET6, .ndm_ifindex = netlink_stack.dev.ifindex};

	begin_with(RTM_NEWNEIGH, NLM_F_CREATE, &info);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	begin_with(RTM_GETNEIGH, 0, &info);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	info = (struct ndmsg){.ndm_family = AF_INET};
	begin_with(RTM_NEWNEIGH, NLM_F_CREATE, &info);
	assert_int_equal(request_result(route_socket), -EINVAL); /* which device? */
	info.ndm_ifindex = LO;
	begin_with(RTM_NEWNEIGH, NLM_F_CREATE, &info);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP); /* no ARP there */
	info = (struct ndmsg){.ndm_family = AF_INET,
			      .ndm_ifindex = netlink_stack.dev.ifindex,
			      .ndm_flags = NTF_PROXY};
	begin_with(RTM_NEWNEIGH, NLM_F_CREATE, &info);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	info.ndm_flags = NTF_USE;
	info.ndm_state = NUD_REACHABLE;
	begin_with(RTM_NEWNEIGH, NLM_F_CREATE, &info);
	put_link_address();
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	request_begin(RTM_NEWNEIGH, 0, &info, 4);
	assert_int_equal(request_result(route_socket), -EINVAL);
	request_begin(RTM_NEWNEIGH, 0, &info, sizeof(info));
	netlink_put_u8(&netlink_request, NDA_DST, 1);
	assert_int_equal(request_result(route_socket), -ERANGE);
}

/* How many neighbours a list has, with one attribute more when its type is not 0. */
static uint32_t count(const struct ndmsg *info, uint16_t type, uint32_t value)
{
	request_begin(RTM_GETNEIGH, NLM_F_DUMP, info, sizeof(*info));
	if (type)
		netlink_put_u32(&netlink_request, type, value);
	return request_count(route_socket, RTM_NEWNEIGH);
}

static void lists_are_of_what_is_asked_for(void **state __unused)
{
	const struct ndmsg all = {0};
	uint32_t whole = count(&all, 0, 0);

	assert_true(whole > 0);
	assert_int_equal(count(&all, NDA_IFINDEX, (uint32_t)netlink_stack.dev.ifindex), whole);
	assert_int_equal(count(&all, NDA_IFINDEX, LO), 0);
	assert_int_equal(count(&all, NDA_MASTER, 1), 0);
	assert_int_equal(count(&(struct ndmsg){.ndm_family = AF_INET6}, 0, 0), 0);
	assert_int_equal(count(&(struct ndmsg){.ndm_flags = NTF_PROXY}, 0, 0), 0);
	request_begin(RTM_GETNEIGH, NLM_F_DUMP, &all, sizeof(all));
	netlink_put_u8(&netlink_request, NDA_IFINDEX, 1);
	assert_int_equal(request_result(route_socket), -ERANGE);
	request_begin(RTM_GETNEIGH, NLM_F_DUMP, &all, 1); /* a struct rtgenmsg does */
	assert_int_equal(request_count(route_socket, RTM_NEWNEIGH), whole);
	netlink_be_strict(route_socket);
	request_begin(RTM_GETNEIGH, NLM_F_DUMP, &all, 1);
	assert_int_equal(request_result(route_socket), -EINVAL);
}

/* More than one piece holds, of which a reader of small ones sees each once. */
static void a_list_goes_on_where_it_stopped(void **state __unused)
{
	enum { MANY = 200 };
	uint32_t before = count(&(struct ndmsg){0}, 0, 0);
	struct socket *small = netlink_open_socket(NETLINK_ROUTE);

	net_lock(&netlink_stack.net);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(arp_set_permanent(&netlink_stack.dev, IP4(10, 0, 0, 10) + i,
						   FIXTURE_PEER, true),
				 0);
	net_unlock(&netlink_stack.net);
	netlink_room = SMALL_ROOM;
	netlink_pieces = 0;
	request_begin(RTM_GETNEIGH, NLM_F_DUMP, &(struct ndmsg){0}, sizeof(struct ndmsg));
	assert_int_equal(request_count(small, RTM_NEWNEIGH), before + MANY);
	assert_true(netlink_pieces > 2); /* the end is one */
	socket_close(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NETLINK_TEST(one_that_does_not_answer),
		NETLINK_TEST(an_entry_is_made_permanent_as_it_is),
		NETLINK_TEST(what_is_not_done_here_is_refused),
		NETLINK_TEST(lists_are_of_what_is_asked_for),
		NETLINK_TEST(a_list_goes_on_where_it_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
