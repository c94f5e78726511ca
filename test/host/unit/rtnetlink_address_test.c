/* NETLINK_ROUTE's addresses at their edges: secondaries, changes in place, lists in pieces. */
#include "test/host/unit/netlink_fixture.h"

#include <string.h>

#include "kernel/errno.h"
#include "net/ipv4/ipv4.h"

#define LO 1 /* its number */
#define FIRST IP4(10, 9, 0, 1)
#define SECOND IP4(10, 9, 0, 2)

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

static void begin_on(int ifindex, uint16_t type, uint16_t flags, uint8_t length, uint8_t scope)
{
	const struct ifaddrmsg info = {.ifa_family = AF_INET,
				       .ifa_prefixlen = length,
				       .ifa_scope = scope,
				       .ifa_index = (uint32_t)ifindex};

	request_begin(&n, type, flags, &info, sizeof(info));
}

static void begin(uint16_t type, uint16_t flags, ip4_t local, ip4_t peer, uint8_t length)
{
	begin_on(n.f.dev.ifindex, type, flags, length, RT_SCOPE_UNIVERSE);
	if (local)
		netlink_put_be32(&n.request, IFA_LOCAL, local);
	if (peer)
		netlink_put_be32(&n.request, IFA_ADDRESS, peer);
}

static void add(ip4_t address, uint8_t length)
{
	begin(RTM_NEWADDR, NLM_F_CREATE, address, 0, length);
	assert_int_equal(request_result(&n, n.netlink), 0);
}

/* The address as the list tells it; false: it is not there. n.message is it. */
static bool find(ip4_t address, struct ifaddrmsg *info)
{
	bool found = false;

	request_begin(&n, RTM_GETADDR, NLM_F_DUMP, &(struct ifaddrmsg){0}, sizeof(*info));
	request_send(&n, n.netlink);
	while (!found) {
		assert_true(next_message(&n, n.netlink));
		if (n.message.header.nlmsg_type == NLMSG_DONE)
			return false;
		found = address_attribute(&n, sizeof(*info), IFA_LOCAL) == address;
	}
	memcpy(info, n.message.payload, sizeof(*info));
	struct netlink_message kept = n.message;

	while (n.message.header.nlmsg_type != NLMSG_DONE)
		assert_true(next_message(&n, n.netlink));
	n.message = kept;
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
	assert_int_equal(number_attribute(&n, sizeof(info), IFA_FLAGS), info.ifa_flags);
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
	assert_int_equal(request_result(&n, n.netlink), -EEXIST);
	begin(RTM_NEWADDR, NLM_F_REPLACE, FIRST, 0, 16);
	netlink_put_be32(&n.request, IFA_BROADCAST, IP4(10, 9, 255, 254));
	assert_int_equal(request_result(&n, n.netlink), 0);
	assert_true(find(FIRST, &info));
	assert_int_equal(info.ifa_prefixlen, 16);
	assert_int_equal(address_attribute(&n, sizeof(info), IFA_BROADCAST), IP4(10, 9, 255, 254));
	/* A broadcast address that is not named stays. */
	begin(RTM_NEWADDR, NLM_F_REPLACE, FIRST, SECOND, 32);
	assert_int_equal(request_result(&n, n.netlink), 0);
	assert_true(find(FIRST, &info));
	assert_int_equal(address_attribute(&n, sizeof(info), IFA_ADDRESS), SECOND);
	assert_int_equal(address_attribute(&n, sizeof(info), IFA_BROADCAST), IP4(10, 9, 255, 254));
}

static void which_address_is_removed(void **state __unused)
{
	struct ifaddrmsg info;

	add(FIRST, 24);
	begin(RTM_DELADDR, 0, FIRST, SECOND, 32); /* a peer that it has not */
	assert_int_equal(request_result(&n, n.netlink), -EADDRNOTAVAIL);
	begin(RTM_DELADDR, 0, FIRST, IP4(10, 8, 0, 1), 24);
	assert_int_equal(request_result(&n, n.netlink), -EADDRNOTAVAIL);
	assert_true(find(FIRST, &info));
	begin(RTM_DELADDR, 0, FIRST, 0, 0); /* by itself */
	assert_int_equal(request_result(&n, n.netlink), 0);
	assert_false(find(FIRST, &info));
	add(FIRST, 24);
	begin(RTM_DELADDR, 0, 0, FIRST, 24); /* by IFA_ADDRESS alone */
	assert_int_equal(request_result(&n, n.netlink), 0);
	assert_false(find(FIRST, &info));
	/* A device without any. */
	const struct host_device_options options = {0};
	struct host_device eth1;

	assert_int_equal(host_device_add(&eth1, &n.f.stack, &options), 0);
	begin_on(eth1.dev.ifindex, RTM_DELADDR, 0, 24, RT_SCOPE_UNIVERSE);
	netlink_put_be32(&n.request, IFA_LOCAL, FIRST);
	assert_int_equal(request_result(&n, n.netlink), -EADDRNOTAVAIL);
	host_device_remove(&eth1);
}

static int add_with(uint16_t type, const void *value, size_t length)
{
	begin(RTM_NEWADDR, NLM_F_CREATE, FIRST, 0, 24);
	netlink_put(&n.request, type, value, length);
	return request_result(&n, n.netlink);
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
	begin_on(n.f.dev.ifindex, RTM_NEWADDR, NLM_F_CREATE, 24, RT_SCOPE_LINK);
	netlink_put_be32(&n.request, IFA_LOCAL, FIRST);
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
	begin(RTM_NEWADDR, NLM_F_CREATE, 0, FIRST, 24);
	assert_int_equal(request_result(&n, n.netlink), -EINVAL); /* no IFA_LOCAL */
	request_begin(&n, RTM_NEWADDR, NLM_F_CREATE, &(struct ifaddrmsg){.ifa_family = AF_INET}, 4);
	assert_int_equal(request_result(&n, n.netlink), -EINVAL);
	assert_false(find(FIRST, &info));
	assert_int_equal(add_with(IFA_CACHEINFO, &forever, sizeof(forever)), 0);
	begin(RTM_DELADDR, 0, FIRST, 0, 24);
	assert_int_equal(request_result(&n, n.netlink), 0);
	assert_int_equal(add_with(IFA_LABEL, "eth0", 5), 0);
}

/* 23 would be the "set" of addresses: there is none, and it is not taken for another. */
static void types_between_the_known_ones(void **state __unused)
{
	struct ifaddrmsg info;

	begin(RTM_GETADDR + 1, NLM_F_CREATE, FIRST, 0, 24);
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
	assert_false(find(FIRST, &info));
	begin(RTM_GETADDR, 0, FIRST, 0, 24); /* one alone is not asked for */
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
}

static uint32_t count(const struct ifaddrmsg *info)
{
	request_begin(&n, RTM_GETADDR, NLM_F_DUMP, info, sizeof(*info));
	request_send(&n, n.netlink);
	return count_to_done(&n, n.netlink, RTM_NEWADDR);
}

static void strict_readers_name_a_device(void **state __unused)
{
	const struct ifaddrmsg of_lo = {.ifa_family = AF_INET, .ifa_index = LO};
	const struct ifaddrmsg of_nobody = {.ifa_family = AF_INET, .ifa_index = 99};
	uint32_t all = count(&of_lo); /* not strict: the rest of the header does not count */

	assert_true(all > 1);
	assert_int_equal(count(&of_nobody), all);
	assert_int_equal(set_socket_option(n.netlink, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1), 0);
	assert_int_equal(count(&of_lo), 1);
	assert_int_equal(count(&(struct ifaddrmsg){0}), all);
	request_begin(&n, RTM_GETADDR, NLM_F_DUMP, &of_nobody, sizeof(of_nobody));
	assert_int_equal(request_result(&n, n.netlink), -ENODEV);
	request_begin(&n, RTM_GETADDR, NLM_F_DUMP, &of_lo, 1);
	assert_int_equal(request_result(&n, n.netlink), -EINVAL);
}

/* More addresses than one piece holds, on two devices: each is told of once, in order. */
static void a_list_goes_on_where_it_stopped(void **state __unused)
{
	enum { MANY = 150 };
	const struct host_device_options options = {0};
	struct host_device eth1;
	uint8_t piece[4096];
	uint32_t seen = 0, pieces = 0, before;
	bool done = false;

	assert_int_equal(host_device_add(&eth1, &n.f.stack, &options), 0);
	assert_int_equal(host_device_set_address(&eth1, IP4(10, 77, 0, 1), 24), 0);
	before = count(&(struct ifaddrmsg){0});
	for (uint32_t i = 0; i < MANY; i++)
		add(FIRST + (i << 8), 24);
	assert_int_equal(count(&(struct ifaddrmsg){0}), before + MANY);
	/* A reader of small pieces, on a socket that has never offered more. */
	struct socket *small = netlink_open_socket(NETLINK_ROUTE);

	request_begin(&n, RTM_GETADDR, NLM_F_DUMP, &(struct ifaddrmsg){0},
		      sizeof(struct ifaddrmsg));
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
			seen += one.header.nlmsg_type == RTM_NEWADDR;
		}
	}
	assert_int_equal(seen, before + MANY);
	assert_true(pieces > 1);
	socket_close(small);
	host_device_remove(&eth1);
}

static void expect_way_by_first(ip4_t destination)
{
	request_begin(&n, RTM_GETROUTE, 0, &(struct rtmsg){.rtm_family = AF_INET},
		      sizeof(struct rtmsg));
	netlink_put_be32(&n.request, RTA_DST, destination);
	request_send(&n, n.netlink);
	expect_message(&n, n.netlink, RTM_NEWROUTE);
	assert_int_equal(address_attribute(&n, sizeof(struct rtmsg), RTA_PREFSRC), FIRST);
}

/* An address is there with its peer and the route to it, or not at all. */
static void without_memory_nothing_is_added(void **state __unused)
{
	struct ifaddrmsg info;
	uint64_t made = 0;

	for (uint64_t fail = 1; made + 1 >= fail; fail++) { /* to the one that is left untouched */
		begin(RTM_NEWADDR, NLM_F_CREATE, FIRST, SECOND, 32);
		assert_true(netlink_end(&n.request));
		host_fail_allocation(fail);
		send_datagram(n.netlink, n.request_bytes, n.request.length);
		made = host_allocations_made();
		host_fail_allocation(0);
		while (socket_take(n.netlink, n.reply, sizeof(n.reply), MSG_DONTWAIT) != -EAGAIN)
			;
		if (!find(FIRST, &info))
			continue;
		assert_int_equal(address_attribute(&n, sizeof(info), IFA_ADDRESS), SECOND);
		expect_way_by_first(SECOND);
		begin(RTM_DELADDR, 0, FIRST, 0, 0);
		assert_int_equal(request_result(&n, n.netlink), 0);
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
		assert_true(netlink_end(&n.request));
		host_fail_allocation(fail);
		send_datagram(n.netlink, n.request_bytes, n.request.length);
		made = host_allocations_made();
		host_fail_allocation(0);
		while (socket_take(n.netlink, n.reply, sizeof(n.reply), MSG_DONTWAIT) != -EAGAIN)
			;
		assert_true(find(FIRST, &info));
		expect_way_by_first(SECOND);
		assert_int_equal(info.ifa_prefixlen, fail > made ? 16 : 24);
	}
	assert_true(made > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_second_of_a_subnet_is_secondary),
		TEST(an_address_is_changed_in_place),
		TEST(which_address_is_removed),
		TEST(what_is_not_done_here_is_refused),
		TEST(types_between_the_known_ones),
		TEST(strict_readers_name_a_device),
		TEST(a_list_goes_on_where_it_stopped),
		TEST(without_memory_nothing_is_added),
		TEST(without_memory_nothing_is_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
