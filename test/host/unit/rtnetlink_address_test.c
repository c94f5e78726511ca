/* NETLINK_ROUTE's addresses at their edges: secondaries, changes in place, lists in pieces. */
#include "test/host/unit/netlink_fixture.h"

#include "kernel/errno.h"

#define FIRST IP4(10, 9, 0, 1)
#define SECOND IP4(10, 9, 0, 2)

static void begin_on(int ifindex, uint16_t type, uint16_t flags, uint8_t length, uint8_t scope)
{
	const struct ifaddrmsg info = {.ifa_family = AF_INET,
				       .ifa_prefixlen = length,
				       .ifa_scope = scope,
				       .ifa_index = (uint32_t)ifindex};

	request_begin(type, flags, &info, sizeof(info));
}

static void begin(uint16_t type, uint16_t flags, ip4_t local, ip4_t peer, uint8_t length)
{
	begin_on(netlink_stack.dev.ifindex, type, flags, length, RT_SCOPE_UNIVERSE);
	if (local)
		netlink_put_be32(&netlink_request, IFA_LOCAL, local);
	if (peer)
		netlink_put_be32(&netlink_request, IFA_ADDRESS, peer);
}

static void add(ip4_t address, uint8_t length)
{
	begin(RTM_NEWADDR, NLM_F_CREATE, address, 0, length);
	assert_int_equal(request_result(route_socket), 0);
}

/* The address as the list tells it; false: it is not there. netlink_answer is it. */
static bool find(ip4_t address, struct ifaddrmsg *info)
{
	bool found = false;

	request_begin(RTM_GETADDR, NLM_F_DUMP, &(struct ifaddrmsg){0}, sizeof(*info));
	request_send(route_socket);
	while (!found) {
		assert_true(next_message(route_socket));
		if (netlink_answer.header.nlmsg_type == NLMSG_DONE)
			return false;
		found = address_attribute(sizeof(*info), IFA_LOCAL) == address;
	}
	read_fixed(info, sizeof(*info));
	struct netlink_message kept = netlink_answer;

	while (netlink_answer.header.nlmsg_type != NLMSG_DONE)
		assert_true(next_message(route_socket));
	netlink_answer = kept;
	return true;
}

static void the_second_of_a_subnet_is_secondary(void **state __unused)
{
	struct ifaddrmsg info;

	add(FIRST, 24);
	add(SECOND, 24);
	add(IP4(10, 9, 0, 3), 16); /* another subnet: its length differs */
	add(IP4(10, 9, 1, 1), 24); /* its bits do */
	assert_true(find(FIRST, &info));
	assert_int_equal(info.ifa_flags, IFA_F_PERMANENT);
	assert_true(find(SECOND, &info));
	assert_int_equal(info.ifa_flags, IFA_F_PERMANENT | IFA_F_SECONDARY);
	assert_int_equal(number_attribute(sizeof(info), IFA_FLAGS), info.ifa_flags);
	assert_true(find(IP4(10, 9, 0, 3), &info));
	assert_int_equal(info.ifa_flags, IFA_F_PERMANENT);
	assert_true(find(IP4(10, 9, 1, 1), &info));
	assert_int_equal(info.ifa_flags, IFA_F_PERMANENT);
	assert_int_equal(info.ifa_scope, RT_SCOPE_UNIVERSE);
	assert_true(find(IP4_LOOPBACK, &info));
	assert_int_equal(info.ifa_scope, RT_SCOPE_HOST);
}

/* `ip address replace` and `change`: the whole address is as the request says. */
static void an_address_is_changed_in_place(void **state __unused)
{
	struct ifaddrmsg info;

	add(FIRST, 24);
	begin(RTM_NEWADDR, NLM_F_CREATE, FIRST, 0, 16); /* neither EXCL nor REPLACE */
	assert_int_equal(request_result(route_socket), -EEXIST);
	begin(RTM_NEWADDR, NLM_F_REPLACE, FIRST, 0, 16);
	netlink_put_be32(&netlink_request, IFA_BROADCAST, IP4(10, 9, 255, 254));
	assert_int_equal(request_result(route_socket), 0);
	assert_true(find(FIRST, &info));
	assert_int_equal(info.ifa_prefixlen, 16);
	assert_int_equal(address_attribute(sizeof(info), IFA_BROADCAST), IP4(10, 9, 255, 254));
	/* A broadcast address that is not named stays. */
	begin(RTM_NEWADDR, NLM_F_REPLACE, FIRST, SECOND, 32);
	assert_int_equal(request_result(route_socket), 0);
	assert_true(find(FIRST, &info));
	assert_int_equal(address_attribute(sizeof(info), IFA_ADDRESS), SECOND);
	assert_int_equal(address_attribute(sizeof(info), IFA_BROADCAST), IP4(10, 9, 255, 254));
}

static void which_address_is_removed(void **state __unused)
{
	struct ifaddrmsg info;

	add(FIRST, 24);
	begin(RTM_DELADDR, 0, FIRST, SECOND, 32); /* a peer that it has not */
	assert_int_equal(request_result(route_socket), -EADDRNOTAVAIL);
	begin(RTM_DELADDR, 0, FIRST, IP4(10, 8, 0, 1), 24);
	assert_int_equal(request_result(route_socket), -EADDRNOTAVAIL);
	assert_true(find(FIRST, &info));
	begin(RTM_DELADDR, 0, FIRST, 0, 0); /* by itself */
	assert_int_equal(request_result(route_socket), 0);
	assert_false(find(FIRST, &info));
	add(FIRST, 24);
	begin(RTM_DELADDR, 0, 0, FIRST, 24); /* by IFA_ADDRESS alone */
	assert_int_equal(request_result(route_socket), 0);
	assert_false(find(FIRST, &info));
	/* A device without any. */
	const struct host_device_options options = {0};
	struct host_device eth1;

	assert_int_equal(host_device_add(&eth1, &netlink_stack.stack, &options), 0);
	begin_on(eth1.dev.ifindex, RTM_DELADDR, 0, 24, RT_SCOPE_UNIVERSE);
	netlink_put_be32(&netlink_request, IFA_LOCAL, FIRST);
	assert_int_equal(request_result(route_socket), -EADDRNOTAVAIL);
	host_device_remove(&eth1);
}

static int add_with(uint16_t type, const void *value, size_t length)
{
	begin(RTM_NEWADDR, NLM_F_CREATE, FIRST, 0, 24);
	netlink_put(&netlink_request, type, value, length);
	return request_result(route_socket);
}

static void what_is_not_done_here_is_refused(void **state __unused)
{
	const struct ifa_cacheinfo fading = {.ifa_prefered = 10, .ifa_valid = UINT32_MAX};
	const struct ifa_cacheinfo forever = {.ifa_prefered = UINT32_MAX, .ifa_valid = UINT32_MAX};
	const uint32_t priority = 5;
	struct ifaddrmsg info;

	assert_int_equal(add_with(IFA_CACHEINFO, &fading, sizeof(fading)), -EOPNOTSUPP);
	assert_int_equal(add_with(IFA_RT_PRIORITY, &priority, sizeof(priority)), -EOPNOTSUPP);
	assert_int_equal(add_with(IFA_LABEL, "0123456789abcdef0123", 20), -EOPNOTSUPP);
	begin_on(netlink_stack.dev.ifindex, RTM_NEWADDR, NLM_F_CREATE, 24, RT_SCOPE_LINK);
	netlink_put_be32(&netlink_request, IFA_LOCAL, FIRST);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	begin(RTM_NEWADDR, NLM_F_CREATE, 0, FIRST, 24);
	assert_int_equal(request_result(route_socket), -EINVAL); /* no IFA_LOCAL */
	request_begin(RTM_NEWADDR, NLM_F_CREATE, &(struct ifaddrmsg){.ifa_family = AF_INET}, 4);
	assert_int_equal(request_result(route_socket), -EINVAL);
	assert_false(find(FIRST, &info));
	assert_int_equal(add_with(IFA_CACHEINFO, &forever, sizeof(forever)), 0);
	begin(RTM_DELADDR, 0, FIRST, 0, 24);
	assert_int_equal(request_result(route_socket), 0);
	assert_int_equal(add_with(IFA_LABEL, "eth0", 5), 0);
}

/* 23 would be the "set" of addresses: there is none, and it is not taken for another. */
static void types_between_the_known_ones(void **state __unused)
{
	struct ifaddrmsg info;

	begin(RTM_GETADDR + 1, NLM_F_CREATE, FIRST, 0, 24);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	assert_false(find(FIRST, &info));
	begin(RTM_GETADDR, 0, FIRST, 0, 24); /* one alone is not asked for */
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
}

static uint32_t count(const struct ifaddrmsg *info)
{
	request_begin(RTM_GETADDR, NLM_F_DUMP, info, sizeof(*info));
	return request_count(route_socket, RTM_NEWADDR);
}

static void strict_readers_name_a_device(void **state __unused)
{
	const struct ifaddrmsg of_lo = {.ifa_family = AF_INET, .ifa_index = LO};
	const struct ifaddrmsg of_nobody = {.ifa_family = AF_INET, .ifa_index = 99};
	uint32_t all = count(&of_lo); /* not strict: the rest of the header does not count */

	assert_true(all > 1);
	assert_int_equal(count(&of_nobody), all);
	netlink_be_strict(route_socket);
	assert_int_equal(count(&of_lo), 1);
	assert_int_equal(count(&(struct ifaddrmsg){0}), all);
	request_begin(RTM_GETADDR, NLM_F_DUMP, &of_nobody, sizeof(of_nobody));
	assert_int_equal(request_result(route_socket), -ENODEV);
	request_begin(RTM_GETADDR, NLM_F_DUMP, &of_lo, 1);
	assert_int_equal(request_result(route_socket), -EINVAL);
}

/* More addresses than one piece holds, on two devices: each is told of once, in order. */
static void a_list_goes_on_where_it_stopped(void **state __unused)
{
	enum { MANY = 150 };
	const struct host_device_options options = {0};
	struct host_device eth1;
	uint32_t before;

	assert_int_equal(host_device_add(&eth1, &netlink_stack.stack, &options), 0);
	assert_int_equal(host_device_set_address(&eth1, IP4(10, 77, 0, 1), 24), 0);
	before = count(&(struct ifaddrmsg){0});
	for (uint32_t i = 0; i < MANY; i++)
		add(FIRST + (i << 8), 24);
	assert_int_equal(count(&(struct ifaddrmsg){0}), before + MANY);
	/* A reader of small pieces, on a socket that has never offered more. */
	struct socket *small = netlink_open_socket(NETLINK_ROUTE);

	netlink_room = SMALL_ROOM;
	netlink_pieces = 0;
	request_begin(RTM_GETADDR, NLM_F_DUMP, &(struct ifaddrmsg){0}, sizeof(struct ifaddrmsg));
	assert_int_equal(request_count(small, RTM_NEWADDR), before + MANY);
	assert_true(netlink_pieces > 2); /* the end is one */
	socket_close(small);
	host_device_remove(&eth1);
}

static void expect_way_by_first(ip4_t destination)
{
	request_way(destination);
	request_send(route_socket);
	expect_message(route_socket, RTM_NEWROUTE);
	assert_int_equal(address_attribute(sizeof(struct rtmsg), RTA_PREFSRC), FIRST);
}

/* An address is there with its peer and the route to it, or not at all. */
static void without_memory_nothing_is_added(void **state __unused)
{
	struct ifaddrmsg info;
	uint64_t made = 0;

	for (uint64_t fail = 1; made + 1 >= fail; fail++) { /* to the one that is left untouched */
		begin(RTM_NEWADDR, NLM_F_CREATE, FIRST, SECOND, 32);
		made = request_without_memory(fail);
		if (!find(FIRST, &info))
			continue;
		assert_int_equal(address_attribute(sizeof(info), IFA_ADDRESS), SECOND);
		expect_way_by_first(SECOND);
		begin(RTM_DELADDR, 0, FIRST, 0, 0);
		assert_int_equal(request_result(route_socket), 0);
	}
	assert_true(made > 2);
}

/* An address that is changed in vain is as it was, with the route to its subnet. */
static void without_memory_nothing_is_changed(void **state __unused)
{
	struct ifaddrmsg info = {0};
	uint64_t made = 0;

	add(FIRST, 24);
	for (uint64_t fail = 1; made + 1 >= fail; fail++) {
		begin(RTM_NEWADDR, NLM_F_REPLACE, FIRST, 0, 16);
		made = request_without_memory(fail);
		assert_true(find(FIRST, &info));
		expect_way_by_first(SECOND);
		assert_int_equal(info.ifa_prefixlen, fail > made ? 16 : 24);
	}
	assert_true(made > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NETLINK_TEST(the_second_of_a_subnet_is_secondary),
		NETLINK_TEST(an_address_is_changed_in_place),
		NETLINK_TEST(which_address_is_removed),
		NETLINK_TEST(what_is_not_done_here_is_refused),
		NETLINK_TEST(types_between_the_known_ones),
		NETLINK_TEST(strict_readers_name_a_device),
		NETLINK_TEST(a_list_goes_on_where_it_stopped),
		NETLINK_TEST(without_memory_nothing_is_added),
		NETLINK_TEST(without_memory_nothing_is_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
