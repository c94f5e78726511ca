/* NETLINK_ROUTE's neighbours at their edges: states, filters, refusals. */
#include "test/host/unit/netlink_fixture.h"

#include <string.h>

#include "include/uapi/in.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "net/ethernet/arp.h"

#define LO 1 /* its number */
#define OTHER IP4(10, 0, 0, 77)

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

static void begin_with(uint16_t type, uint16_t flags, const struct ndmsg *info)
{
	request_begin(&n, type, flags, info, sizeof(*info));
	netlink_put_be32(&n.request, NDA_DST, OTHER);
}

static void begin(uint16_t type, uint16_t flags, uint16_t neighbour_state)
{
	begin_with(type, flags,
		   &(struct ndmsg){.ndm_family = AF_INET,
				   .ndm_ifindex = n.f.dev.ifindex,
				   .ndm_state = neighbour_state});
}

static void put_link_address(void)
{
	netlink_put(&n.request, NDA_LLADDR, FIXTURE_PEER.bytes, MAC_LENGTH);
}

static uint16_t state_of_message(void)
{
	struct ndmsg info;

	memcpy(&info, n.message.payload, sizeof(info));
	return info.ndm_state;
}

static uint16_t state_now(void)
{
	begin(RTM_GETNEIGH, 0, 0);
	request_send(&n, n.netlink);
	expect_message(&n, n.netlink, RTM_NEWNEIGH);
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
	assert_int_equal(socket_create(&n.f.net, AF_INET, SOCK_STREAM, 0, &caller), 0);
	assert_int_equal(socket_connect(caller, &name, sizeof(address), true), -EINPROGRESS);
	return caller;
}

static void one_that_does_not_answer(void **state __unused)
{
	struct netlink_attribute attribute;
	struct socket *caller = call_other();

	assert_int_equal(state_now(), NUD_INCOMPLETE);
	assert_false(find_attribute(&n, sizeof(struct ndmsg), NDA_LLADDR, &attribute));
	/* Nothing to be made permanent without a link address. */
	begin(RTM_NEWNEIGH, NLM_F_REPLACE, NUD_PERMANENT);
	assert_int_equal(request_result(&n, n.netlink), -EINVAL);
	assert_int_equal(
		set_socket_option(n.netlink, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, RTNLGRP_NEIGH),
		0);
	socket_close(caller);
	fixture_advance(&n.f, 60 * USEC_PER_SEC);
	while (n.netlink->receive_queue.length > 1)
		assert_true(next_message(&n, n.netlink));
	expect_message(&n, n.netlink, RTM_DELNEIGH);
	assert_int_equal(state_of_message(), NUD_FAILED);
}

static void an_entry_is_made_permanent_as_it_is(void **state __unused)
{
	struct netlink_attribute attribute;

	begin(RTM_NEWNEIGH, NLM_F_CREATE, NUD_REACHABLE);
	put_link_address();
	assert_int_equal(request_result(&n, n.netlink), 0);
	assert_int_equal(state_now(), NUD_REACHABLE);
	begin(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, NUD_REACHABLE);
	assert_int_equal(request_result(&n, n.netlink), 0);
	begin(RTM_NEWNEIGH, NLM_F_EXCL, NUD_REACHABLE);
	assert_int_equal(request_result(&n, n.netlink), -EEXIST);
	begin(RTM_NEWNEIGH, NLM_F_REPLACE, NUD_PERMANENT);
	assert_int_equal(request_result(&n, n.netlink), 0);
	assert_int_equal(state_now(), NUD_PERMANENT);
	assert_true(find_attribute(&n, sizeof(struct ndmsg), NDA_LLADDR, &attribute));
	assert_memory_equal(attribute.value, FIXTURE_PEER.bytes, MAC_LENGTH);
	/* 31 would be the "set" of neighbours: there is none, and it does not delete one. */
	begin(RTM_GETNEIGH + 1, 0, 0);
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
	assert_int_equal(state_now(), NUD_PERMANENT);
}

static void what_is_not_done_here_is_refused(void **state __unused)
{
	struct ndmsg info = {.ndm_family = AF_INET6, .ndm_ifindex = n.f.dev.ifindex};

	begin_with(RTM_NEWNEIGH, NLM_F_CREATE, &info);
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
	begin_with(RTM_GETNEIGH, 0, &info);
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
	info = (struct ndmsg){.ndm_family = AF_INET};
	begin_with(RTM_NEWNEIGH, NLM_F_CREATE, &info);
	assert_int_equal(request_result(&n, n.netlink), -EINVAL); /* which device? */
	info.ndm_ifindex = LO;
	begin_with(RTM_NEWNEIGH, NLM_F_CREATE, &info);
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP); /* no ARP there */
	info = (struct ndmsg){
		.ndm_family = AF_INET, .ndm_ifindex = n.f.dev.ifindex, .ndm_flags = NTF_PROXY};
	begin_with(RTM_NEWNEIGH, NLM_F_CREATE, &info);
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
	info.ndm_flags = NTF_USE;
	info.ndm_state = NUD_REACHABLE;
	begin_with(RTM_NEWNEIGH, NLM_F_CREATE, &info);
	put_link_address();
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
	request_begin(&n, RTM_NEWNEIGH, 0, &info, 4);
	assert_int_equal(request_result(&n, n.netlink), -EINVAL);
	request_begin(&n, RTM_NEWNEIGH, 0, &info, sizeof(info));
	netlink_put_u8(&n.request, NDA_DST, 1);
	assert_int_equal(request_result(&n, n.netlink), -ERANGE);
}

/* How many neighbours a list has, with one attribute more when its type is not 0. */
static uint32_t count(const struct ndmsg *info, uint16_t type, uint32_t value)
{
	request_begin(&n, RTM_GETNEIGH, NLM_F_DUMP, info, sizeof(*info));
	if (type)
		netlink_put_u32(&n.request, type, value);
	request_send(&n, n.netlink);
	return count_to_done(&n, n.netlink, RTM_NEWNEIGH);
}

static void lists_are_of_what_is_asked_for(void **state __unused)
{
	const struct ndmsg all = {0};
	uint32_t whole = count(&all, 0, 0);

	assert_true(whole > 0);
	assert_int_equal(count(&all, NDA_IFINDEX, (uint32_t)n.f.dev.ifindex), whole);
	assert_int_equal(count(&all, NDA_IFINDEX, LO), 0);
	assert_int_equal(count(&all, NDA_MASTER, 1), 0);
	assert_int_equal(count(&(struct ndmsg){.ndm_family = AF_INET6}, 0, 0), 0);
	assert_int_equal(count(&(struct ndmsg){.ndm_flags = NTF_PROXY}, 0, 0), 0);
	request_begin(&n, RTM_GETNEIGH, NLM_F_DUMP, &all, sizeof(all));
	netlink_put_u8(&n.request, NDA_IFINDEX, 1);
	assert_int_equal(request_result(&n, n.netlink), -ERANGE);
	request_begin(&n, RTM_GETNEIGH, NLM_F_DUMP, &all, 1); /* a struct rtgenmsg does */
	request_send(&n, n.netlink);
	assert_int_equal(count_to_done(&n, n.netlink, RTM_NEWNEIGH), whole);
	assert_int_equal(set_socket_option(n.netlink, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1), 0);
	request_begin(&n, RTM_GETNEIGH, NLM_F_DUMP, &all, 1);
	assert_int_equal(request_result(&n, n.netlink), -EINVAL);
}

/* More than one piece holds, of which a reader of small ones sees each once. */
static void a_list_goes_on_where_it_stopped(void **state __unused)
{
	enum { MANY = 200 };
	uint32_t before = count(&(struct ndmsg){0}, 0, 0), seen = 0, pieces = 0;
	struct socket *small = netlink_open_socket(NETLINK_ROUTE);
	uint8_t piece[4096];
	bool done = false;

	net_lock(&n.f.net);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(
			arp_set_permanent(&n.f.dev, IP4(10, 0, 0, 10) + i, FIXTURE_PEER, true), 0);
	net_unlock(&n.f.net);
	request_begin(&n, RTM_GETNEIGH, NLM_F_DUMP, &(struct ndmsg){0}, sizeof(struct ndmsg));
	request_send(&n, small);
	while (!done) {
		struct netlink_reader reader = {.at = piece};
		struct netlink_message one;
		int64_t length = socket_take(small, piece, sizeof(piece), MSG_DONTWAIT);

		assert_true(length > 0);
		pieces++;
		reader.left = (size_t)length;
		while (netlink_read_message(&reader, &one)) {
			done |= one.header.nlmsg_type == NLMSG_DONE;
			seen += one.header.nlmsg_type == RTM_NEWNEIGH;
		}
	}
	assert_int_equal(seen, before + MANY);
	assert_true(pieces > 1);
	socket_close(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_that_does_not_answer),         TEST(an_entry_is_made_permanent_as_it_is),
		TEST(what_is_not_done_here_is_refused), TEST(lists_are_of_what_is_asked_for),
		TEST(a_list_goes_on_where_it_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
