/* NETLINK_ROUTE's routes at their edges: what is told of each kind, filters, metrics, refusals. */
#include "test/host/unit/netlink_fixture.h"

#include <string.h>

#include "kernel/errno.h"
#include "net/ipv4/ipv4.h"
#include "net/ipv4/route.h"

#define NET IP4(20, 0, 0, 0) /* with 8 bits, where the tests' routes lead */
#define HOST_OF_NET IP4(20, 1, 2, 3)

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

static const struct rtmsg usual = {.rtm_family = AF_INET,
				   .rtm_dst_len = 8,
				   .rtm_protocol = RTPROT_STATIC,
				   .rtm_type = RTN_UNICAST};

static void begin(uint16_t type, uint16_t flags, const struct rtmsg *info)
{
	request_begin(&n, type, flags, info, sizeof(*info));
	netlink_put_be32(&n.request, RTA_DST, NET);
}

/* A new route to NET by PEER; attributes may follow. */
static void begin_new(uint16_t flags)
{
	begin(RTM_NEWROUTE, flags | NLM_F_CREATE, &usual);
	netlink_put_be32(&n.request, RTA_GATEWAY, PEER);
}

static void add(const struct route *route)
{
	net_lock(&n.f.net);
	assert_int_equal(route_add(&n.f.net, route), 0);
	net_unlock(&n.f.net);
}

/* The routes that the filter lets through; with a destination, n.message is the one to it. */
static uint32_t list(const struct rtmsg *filter, ip4_t destination)
{
	struct netlink_message found = {0};
	struct netlink_attribute attribute;
	uint32_t count = 0;

	request_begin(&n, RTM_GETROUTE, NLM_F_DUMP, filter, sizeof(*filter));
	request_send(&n, n.netlink);
	while (next_message(&n, n.netlink) && n.message.header.nlmsg_type != NLMSG_DONE) {
		count++;
		if (find_attribute(&n, sizeof(struct rtmsg), RTA_DST, &attribute) &&
		    netlink_be32(&attribute) == destination)
			found = n.message;
	}
	n.message = found;
	return count;
}

static struct rtmsg told_of(ip4_t destination)
{
	struct rtmsg info = {0};

	list(&(struct rtmsg){.rtm_family = AF_INET}, destination);
	if (n.message.payload)
		memcpy(&info, n.message.payload, sizeof(info));
	assert_int_equal(info.rtm_family, AF_INET); /* it is in the list */
	return info;
}

static void begin_get(ip4_t destination)
{
	request_begin(&n, RTM_GETROUTE, 0, &(struct rtmsg){.rtm_family = AF_INET},
		      sizeof(struct rtmsg));
	netlink_put_be32(&n.request, RTA_DST, destination);
}

static struct rtmsg answer(void)
{
	struct rtmsg info;

	request_send(&n, n.netlink);
	expect_message(&n, n.netlink, RTM_NEWROUTE);
	memcpy(&info, n.message.payload, sizeof(info));
	return info;
}

static void each_kind_is_told_as_what_it_is(void **state __unused)
{
	struct netlink_attribute attribute;
	struct rtmsg info = told_of(OURS);

	assert_int_equal(info.rtm_type, RTN_LOCAL);
	assert_int_equal(info.rtm_table, RT_TABLE_LOCAL);
	assert_int_equal(info.rtm_scope, RT_SCOPE_HOST);
	assert_int_equal(info.rtm_protocol, RTPROT_KERNEL);
	info = told_of(OURS | 255);
	assert_int_equal(info.rtm_type, RTN_BROADCAST);
	assert_int_equal(info.rtm_scope, RT_SCOPE_LINK);
	add(&(struct route){.destination = NET, .prefix_length = 8, .gateway = PEER, .metric = 7});
	info = told_of(NET);
	assert_int_equal(info.rtm_protocol, RTPROT_BOOT); /* by hand, and nobody says by whose */
	assert_int_equal(info.rtm_scope, RT_SCOPE_UNIVERSE);
	assert_int_equal(number_attribute(&n, sizeof(info), RTA_PRIORITY), 7);
	assert_int_equal(number_attribute(&n, sizeof(info), RTA_OIF), n.f.dev.ifindex);
	add(&(struct route){
		.destination = IP4(21, 0, 0, 0), .prefix_length = 8, .type = ROUTE_UNREACHABLE});
	info = told_of(IP4(21, 0, 0, 0));
	assert_int_equal(info.rtm_type, RTN_UNREACHABLE);
	assert_int_equal(info.rtm_scope, RT_SCOPE_UNIVERSE);
	assert_false(find_attribute(&n, sizeof(info), RTA_OIF, &attribute));
	begin_new(NLM_F_REPLACE);
	netlink_put_be32(&n.request, RTA_PREFSRC, OURS);
	netlink_put_u32(&n.request, RTA_PRIORITY, 7);
	assert_int_equal(request_result(&n, n.netlink), 0);
	info = told_of(NET);
	assert_int_equal(info.rtm_protocol, RTPROT_STATIC);
	assert_int_equal(address_attribute(&n, sizeof(info), RTA_PREFSRC), OURS);
}

static void strict_readers_choose(void **state __unused)
{
	const struct rtmsg all = {.rtm_family = AF_UNSPEC};
	struct rtmsg filter = all;

	add(&(struct route){.destination = IP4(21, 0, 0, 0),
			    .prefix_length = 8,
			    .type = ROUTE_UNREACHABLE,
			    .protocol = RTPROT_STATIC});
	uint32_t whole = list(&all, 0);

	filter.rtm_type = RTN_UNREACHABLE;
	assert_int_equal(list(&filter, 0), whole); /* who is not strict filters by himself */
	filter.rtm_flags = RTM_F_CLONED;
	assert_int_equal(list(&filter, 0), 0);
	assert_int_equal(set_socket_option(n.netlink, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1), 0);
	assert_int_equal(list(&(struct rtmsg){.rtm_type = RTN_UNREACHABLE}, 0), 1);
	assert_int_equal(list(&(struct rtmsg){.rtm_protocol = RTPROT_STATIC}, 0), 1);
	uint32_t by_kernel = list(&(struct rtmsg){.rtm_protocol = RTPROT_KERNEL}, 0);

	assert_true(by_kernel > 0 && by_kernel < whole);
	/* Attributes say it too, and an unreachable route leaves by no interface. */
	request_begin(&n, RTM_GETROUTE, NLM_F_DUMP, &all, sizeof(all));
	netlink_put_u32(&n.request, RTA_OIF, (uint32_t)n.f.dev.ifindex);
	request_send(&n, n.netlink);
	uint32_t by_eth0 = count_to_done(&n, n.netlink, RTM_NEWROUTE);

	assert_true(by_eth0 > 0 && by_eth0 < whole - 1);
	request_begin(&n, RTM_GETROUTE, NLM_F_DUMP, &all, sizeof(all));
	netlink_put_u32(&n.request, RTA_TABLE, RT_TABLE_LOCAL);
	request_send(&n, n.netlink);
	assert_int_equal(count_to_done(&n, n.netlink, RTM_NEWROUTE),
			 list(&(struct rtmsg){.rtm_table = RT_TABLE_LOCAL}, 0));
	assert_int_equal(list(&(struct rtmsg){.rtm_table = 100}, 0), 0);
}

/* One nest of one metric. */
static int add_with_metric(uint16_t type, uint32_t value)
{
	begin_new(NLM_F_REPLACE);
	size_t nest = netlink_begin_nest(&n.request, RTA_METRICS);

	netlink_put_u32(&n.request, type, value);
	netlink_end_nest(&n.request, nest);
	return request_result(&n, n.netlink);
}

static void metrics_by_themselves(void **state __unused)
{
	struct netlink_attribute nest;

	assert_int_equal(add_with_metric(RTAX_MTU, 67), -EINVAL);
	assert_int_equal(add_with_metric(RTAX_MTU, 65536), -EINVAL);
	assert_int_equal(add_with_metric(RTAX_FEATURES, 1 | 2), -EOPNOTSUPP);
	assert_int_equal(add_with_metric(RTAX_MTU, 68), 0);
	told_of(NET);
	assert_true(find_attribute(&n, sizeof(struct rtmsg), RTA_METRICS, &nest));
	assert_int_equal(nest.length, 8);
	assert_int_equal(nest.value[2], RTAX_MTU);
	assert_int_equal(add_with_metric(RTAX_FEATURES, RTAX_FEATURE_ECN), 0);
	told_of(NET);
	assert_true(find_attribute(&n, sizeof(struct rtmsg), RTA_METRICS, &nest));
	assert_int_equal(nest.length, 8);
	assert_int_equal(nest.value[2], RTAX_FEATURES);
	assert_int_equal(add_with_metric(RTAX_MTU, 0), 0); /* none */
	told_of(NET);
	assert_false(find_attribute(&n, sizeof(struct rtmsg), RTA_METRICS, &nest));
}

/* Routes to one prefix are told apart by their metrics. */
static void metrics_tell_routes_apart(void **state __unused)
{
	begin_new(NLM_F_EXCL);
	netlink_put_u32(&n.request, RTA_PRIORITY, 5);
	assert_int_equal(request_result(&n, n.netlink), 0);
	begin_new(NLM_F_EXCL);
	netlink_put_u32(&n.request, RTA_PRIORITY, 6);
	assert_int_equal(request_result(&n, n.netlink), 0);
	begin_new(NLM_F_EXCL);
	netlink_put_u32(&n.request, RTA_PRIORITY, 5);
	assert_int_equal(request_result(&n, n.netlink), -EEXIST);
	/* What our own address means is no route that could be replaced. */
	request_begin(&n, RTM_NEWROUTE, NLM_F_REPLACE,
		      &(struct rtmsg){.rtm_family = AF_INET, .rtm_dst_len = 32}, sizeof(usual));
	netlink_put_be32(&n.request, RTA_DST, OURS);
	netlink_put_be32(&n.request, RTA_GATEWAY, PEER);
	assert_int_equal(request_result(&n, n.netlink), -ENOENT);
}

static int add_by(const struct rtmsg *info)
{
	begin(RTM_NEWROUTE, NLM_F_CREATE, info);
	netlink_put_be32(&n.request, RTA_GATEWAY, PEER);
	return request_result(&n, n.netlink);
}

static void what_is_not_done_here_is_refused(void **state __unused)
{
	struct rtmsg info = usual;

	info.rtm_src_len = 8;
	assert_int_equal(add_by(&info), -EOPNOTSUPP);
	info = usual;
	info.rtm_tos = 16;
	assert_int_equal(add_by(&info), -EOPNOTSUPP);
	info = usual;
	info.rtm_family = AF_INET6;
	assert_int_equal(add_by(&info), -EOPNOTSUPP);
	info = usual;
	info.rtm_table = RT_TABLE_LOCAL;
	assert_int_equal(add_by(&info), -EOPNOTSUPP);
	request_begin(&n, RTM_NEWROUTE, NLM_F_CREATE, &usual, 4);
	assert_int_equal(request_result(&n, n.netlink), -EINVAL);
	begin_new(0);
	netlink_put_u8(&n.request, RTA_PRIORITY, 1);
	assert_int_equal(request_result(&n, n.netlink), -ERANGE);
	net_lock(&n.f.net);
	netdev_down(&n.f.dev);
	net_unlock(&n.f.net);
	begin(RTM_NEWROUTE, NLM_F_CREATE, &usual);
	netlink_put_u32(&n.request, RTA_OIF, (uint32_t)n.f.dev.ifindex);
	assert_int_equal(request_result(&n, n.netlink), -ENETDOWN);
}

/* 27 would be the "set" of routes: there is none, and it does not delete one. */
static void types_between_the_known_ones(void **state __unused)
{
	struct rtmsg info = usual;

	begin_new(0);
	assert_int_equal(request_result(&n, n.netlink), 0);
	begin(RTM_GETROUTE + 1, 0, &usual);
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
	assert_int_equal(told_of(NET).rtm_type, RTN_UNICAST);
	info.rtm_type = RTN_UNREACHABLE; /* another kind than it is */
	begin(RTM_DELROUTE, 0, &info);
	assert_int_equal(request_result(&n, n.netlink), -ESRCH);
	/* Without a destination: the default route, of which there is one. */
	for (int result = 0; result >= -ESRCH; result -= ESRCH) {
		request_begin(&n, RTM_DELROUTE, 0, &(struct rtmsg){.rtm_family = AF_INET},
			      sizeof(info));
		assert_int_equal(request_result(&n, n.netlink), result);
	}
	assert_int_equal(told_of(NET).rtm_type, RTN_UNICAST);
}

/* A route that is replaced in vain is still there. */
static void without_memory_the_old_route_stays(void **state __unused)
{
	uint64_t made = 0;

	begin_new(0);
	assert_int_equal(request_result(&n, n.netlink), 0);
	for (uint64_t fail = 1; made + 1 >= fail; fail++) {
		begin_new(NLM_F_REPLACE);
		assert_true(netlink_end(&n.request));
		host_fail_allocation(fail);
		send_datagram(n.netlink, n.request_bytes, n.request.length);
		made = host_allocations_made();
		host_fail_allocation(0);
		while (socket_take(n.netlink, n.reply, sizeof(n.reply), MSG_DONTWAIT) != -EAGAIN)
			;
		assert_int_equal(told_of(NET).rtm_protocol, RTPROT_STATIC);
	}
	assert_true(made > 1);
}

/* ---- The way to one destination ---- */

static void the_way_to_ourselves_and_to_all(void **state __unused)
{
	struct netlink_attribute attribute;

	begin_get(OURS);
	struct rtmsg info = answer();

	assert_int_equal(info.rtm_type, RTN_LOCAL);
	assert_int_equal(info.rtm_table, RT_TABLE_LOCAL);
	assert_int_equal(number_attribute(&n, sizeof(info), RTA_UID), 0);
	begin_get(OURS | 255);
	info = answer();
	assert_int_equal(info.rtm_type, RTN_BROADCAST);
	assert_int_equal(info.rtm_table, RT_TABLE_LOCAL);
	begin_get(IP4(224, 0, 0, 5));
	netlink_put_u32(&n.request, RTA_OIF, (uint32_t)n.f.dev.ifindex);
	assert_int_equal(answer().rtm_type, RTN_MULTICAST);
	begin_get(PEER);
	netlink_put_be32(&n.request, RTA_SRC, OURS);
	info = answer();
	assert_int_equal(info.rtm_type, RTN_UNICAST);
	assert_int_equal(info.rtm_src_len, 32);
	assert_int_equal(address_attribute(&n, sizeof(info), RTA_SRC), OURS);
	assert_false(find_attribute(&n, sizeof(info), RTA_PREFSRC, &attribute));
	assert_false(find_attribute(&n, sizeof(info), RTA_GATEWAY, &attribute));
}

static int get_with(const struct rtmsg *info, uint16_t type, uint32_t value)
{
	request_begin(&n, RTM_GETROUTE, 0, info, sizeof(*info));
	if (type)
		netlink_put_be32(&n.request, type, value);
	return request_result(&n, n.netlink);
}

static void questions_that_have_no_answer(void **state __unused)
{
	const struct rtmsg plain = {.rtm_family = AF_INET};

	assert_int_equal(get_with(&plain, RTA_IIF, 1), -EOPNOTSUPP);
	assert_int_equal(get_with(&plain, RTA_SRC, IP4(9, 9, 9, 9)), -EINVAL);
	add(&(struct route){.destination = NET, .prefix_length = 8, .type = ROUTE_UNREACHABLE});
	assert_int_equal(get_with(&plain, RTA_DST, HOST_OF_NET), -EHOSTUNREACH);
	assert_int_equal(get_with(&(struct rtmsg){.rtm_family = AF_INET6}, 0, 0), -EOPNOTSUPP);
	assert_int_equal(
		get_with(&(struct rtmsg){.rtm_family = AF_INET, .rtm_flags = RTM_F_FIB_MATCH},
			 RTA_DST, PEER),
		-EOPNOTSUPP);
	assert_int_equal(
		get_with(&(struct rtmsg){.rtm_family = AF_INET, .rtm_tos = 4}, RTA_DST, PEER),
		-EOPNOTSUPP);
	request_begin(&n, RTM_GETROUTE, 0, &plain, 2);
	assert_int_equal(request_result(&n, n.netlink), -EINVAL);
	begin_get(PEER);
	netlink_put_u8(&n.request, RTA_SRC, 1);
	assert_int_equal(request_result(&n, n.netlink), -ERANGE);
}

/* ---- Rules ---- */

static void rules_of_other_families(void **state __unused)
{
	for (uint32_t family = 0; family < 3; family++) {
		static const uint8_t families[] = {AF_UNSPEC, AF_INET, AF_INET6};
		const struct fib_rule_hdr rule = {.family = families[family]};

		request_begin(&n, RTM_GETRULE, NLM_F_DUMP, &rule, sizeof(rule));
		request_send(&n, n.netlink);
		assert_int_equal(count_to_done(&n, n.netlink, RTM_NEWRULE),
				 families[family] == AF_INET6 ? 0 : 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_kind_is_told_as_what_it_is),
		TEST(strict_readers_choose),
		TEST(metrics_by_themselves),
		TEST(metrics_tell_routes_apart),
		TEST(what_is_not_done_here_is_refused),
		TEST(types_between_the_known_ones),
		TEST(without_memory_the_old_route_stays),
		TEST(the_way_to_ourselves_and_to_all),
		TEST(questions_that_have_no_answer),
		TEST(rules_of_other_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
