/* NETLINK_ROUTE's routes at their edges: what is told of each kind, filters, metrics, refusals. */
#include "test/host/unit/netlink_fixture.h"

#include <string.h>

#include "kernel/errno.h"
#include "net/ipv4/route.h"

#define NET IP4(20, 0, 0, 0) /* with 8 bits, where the tests' routes lead */
#define HOST_OF_NET IP4(20, 1, 2, 3)

static const struct rtmsg usual = {.rtm_family = AF_INET,
				   .rtm_dst_len = 8,
				   .rtm_protocol = RTPROT_STATIC,
				   .rtm_type = RTN_UNICAST};

static void begin(uint16_t type, uint16_t flags, const struct rtmsg *info)
{
	request_begin(type, flags, info, sizeof(*info));
	netlink_put_be32(&netlink_request, RTA_DST, NET);
}

/* A new route to NET by PEER; attributes may follow. */
static void begin_new(uint16_t flags)
{
	begin(RTM_NEWROUTE, flags | NLM_F_CREATE, &usual);
	netlink_put_be32(&netlink_request, RTA_GATEWAY, PEER);
}

static void add(const struct route *route)
{
	net_lock(&netlink_stack.net);
	assert_int_equal(route_add(&netlink_stack.net, route), 0);
	net_unlock(&netlink_stack.net);
}

/* The routes that the filter lets through; with a destination, netlink_answer is the one to it. */
static uint32_t list(const struct rtmsg *filter, ip4_t destination)
{
	static uint8_t kept[REPLY_MAX];
	struct netlink_message found = {0};
	struct netlink_attribute attribute;
	uint32_t count = 0;

	request_begin(RTM_GETROUTE, NLM_F_DUMP, filter, sizeof(*filter));
	request_send(route_socket);
	while (next_message(route_socket) && netlink_answer.header.nlmsg_type != NLMSG_DONE) {
		count++;
		if (find_attribute(sizeof(struct rtmsg), RTA_DST, &attribute) &&
		    netlink_be32(&attribute) == destination) {
			found = netlink_answer;
			memcpy(kept, netlink_answer.payload, netlink_answer.length);
			found.payload = kept; /* the next datagram takes the other's place */
		}
	}
	netlink_answer = found;
	return count;
}

static struct rtmsg told_of(ip4_t destination)
{
	struct rtmsg info = {0};

	list(&(struct rtmsg){.rtm_family = AF_INET}, destination);
	if (netlink_answer.payload)
		read_fixed(&info, sizeof(info));
	assert_int_equal(info.rtm_family, AF_INET); /* it is in the list */
	return info;
}

static struct rtmsg answer(void)
{
	struct rtmsg info;

	request_send(route_socket);
	expect_message(route_socket, RTM_NEWROUTE);
	read_fixed(&info, sizeof(info));
	return info;
}

static void each_kind_is_told_as_what_it_is(void **state __unused)
{
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
	assert_int_equal(number_attribute(sizeof(info), RTA_PRIORITY), 7);
	assert_int_equal(number_attribute(sizeof(info), RTA_OIF), netlink_stack.dev.ifindex);
	add(&(struct route){
		.destination = IP4(21, 0, 0, 0), .prefix_length = 8, .type = ROUTE_UNREACHABLE});
	info = told_of(IP4(21, 0, 0, 0));
	assert_int_equal(info.rtm_type, RTN_UNREACHABLE);
	assert_int_equal(info.rtm_scope, RT_SCOPE_UNIVERSE);
	assert_false(has_attribute(sizeof(info), RTA_OIF));
	begin_new(NLM_F_REPLACE);
	netlink_put_be32(&netlink_request, RTA_PREFSRC, OURS);
	netlink_put_u32(&netlink_request, RTA_PRIORITY, 7);
	assert_int_equal(request_result(route_socket), 0);
	info = told_of(NET);
	assert_int_equal(info.rtm_protocol, RTPROT_STATIC);
	assert_int_equal(address_attribute(sizeof(info), RTA_PREFSRC), OURS);
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
	netlink_be_strict(route_socket);
	assert_int_equal(list(&(struct rtmsg){.rtm_type = RTN_UNREACHABLE}, 0), 1);
	assert_int_equal(list(&(struct rtmsg){.rtm_protocol = RTPROT_STATIC}, 0), 1);
	uint32_t by_kernel = list(&(struct rtmsg){.rtm_protocol = RTPROT_KERNEL}, 0);

	assert_true(by_kernel > 0 && by_kernel < whole);
	/* Attributes say it too, and an unreachable route leaves by no interface. */
	request_begin(RTM_GETROUTE, NLM_F_DUMP, &all, sizeof(all));
	netlink_put_u32(&netlink_request, RTA_OIF, (uint32_t)netlink_stack.dev.ifindex);
	uint32_t by_eth0 = request_count(route_socket, RTM_NEWROUTE);

	assert_true(by_eth0 > 0 && by_eth0 < whole - 1);
	request_begin(RTM_GETROUTE, NLM_F_DUMP, &all, sizeof(all));
	netlink_put_u32(&netlink_request, RTA_TABLE, RT_TABLE_LOCAL);
	assert_int_equal(request_count(route_socket, RTM_NEWROUTE),
			 list(&(struct rtmsg){.rtm_table = RT_TABLE_LOCAL}, 0));
	assert_int_equal(list(&(struct rtmsg){.rtm_table = 100}, 0), 0);
}

/* One nest of one metric. */
static int add_with_metric(uint16_t type, uint32_t value)
{
	begin_new(NLM_F_REPLACE);
	size_t nest = netlink_begin_nest(&netlink_request, RTA_METRICS);

	netlink_put_u32(&netlink_request, type, value);
	netlink_end_nest(&netlink_request, nest);
	return request_result(route_socket);
}

static void metrics_by_themselves(void **state __unused)
{
	struct netlink_attribute nest;

	assert_int_equal(add_with_metric(RTAX_MTU, 67), -EINVAL);
	assert_int_equal(add_with_metric(RTAX_MTU, 65536), -EINVAL);
	assert_int_equal(add_with_metric(RTAX_FEATURES, 1 | 2), -EOPNOTSUPP);
	assert_int_equal(add_with_metric(RTAX_MTU, 68), 0);
	told_of(NET);
	assert_true(find_attribute(sizeof(struct rtmsg), RTA_METRICS, &nest));
	assert_int_equal(nest.length, 8);
	assert_int_equal(nest.value[2], RTAX_MTU);
	assert_int_equal(add_with_metric(RTAX_FEATURES, RTAX_FEATURE_ECN), 0);
	told_of(NET);
	assert_true(find_attribute(sizeof(struct rtmsg), RTA_METRICS, &nest));
	assert_int_equal(nest.length, 8);
	assert_int_equal(nest.value[2], RTAX_FEATURES);
	assert_int_equal(add_with_metric(RTAX_MTU, 0), 0); /* none */
	told_of(NET);
	assert_false(find_attribute(sizeof(struct rtmsg), RTA_METRICS, &nest));
}

/* Routes to one prefix are told apart by their metrics. */
static void metrics_tell_routes_apart(void **state __unused)
{
	begin_new(NLM_F_EXCL);
	netlink_put_u32(&netlink_request, RTA_PRIORITY, 5);
	assert_int_equal(request_result(route_socket), 0);
	begin_new(NLM_F_EXCL);
	netlink_put_u32(&netlink_request, RTA_PRIORITY, 6);
	assert_int_equal(request_result(route_socket), 0);
	begin_new(NLM_F_EXCL);
	netlink_put_u32(&netlink_request, RTA_PRIORITY, 5);
	assert_int_equal(request_result(route_socket), -EEXIST);
	/* What our own address means is no route that could be replaced. */
	request_begin(RTM_NEWROUTE, NLM_F_REPLACE,
		      &(struct rtmsg){.rtm_family = AF_INET, .rtm_dst_len = 32}, sizeof(usual));
	netlink_put_be32(&netlink_request, RTA_DST, OURS);
	netlink_put_be32(&netlink_request, RTA_GATEWAY, PEER);
	assert_int_equal(request_result(route_socket), -ENOENT);
}

static int add_by(const struct rtmsg *info)
{
	begin(RTM_NEWROUTE, NLM_F_CREATE, info);
	netlink_put_be32(&netlink_request, RTA_GATEWAY, PEER);
	return request_result(route_socket);
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
	request_begin(RTM_NEWROUTE, NLM_F_CREATE, &usual, 4);
	assert_int_equal(request_result(route_socket), -EINVAL);
	begin_new(0);
	netlink_put_u8(&netlink_request, RTA_PRIORITY, 1);
	assert_int_equal(request_result(route_socket), -ERANGE);
	net_lock(&netlink_stack.net);
	netdev_down(&netlink_stack.dev);
	net_unlock(&netlink_stack.net);
	begin(RTM_NEWROUTE, NLM_F_CREATE, &usual);
	netlink_put_u32(&netlink_request, RTA_OIF, (uint32_t)netlink_stack.dev.ifindex);
	assert_int_equal(request_result(route_socket), -ENETDOWN);
}

/* 27 would be the "set" of routes: there is none, and it does not delete one. */
static void types_between_the_known_ones(void **state __unused)
{
	struct rtmsg info = usual;

	begin_new(0);
	assert_int_equal(request_result(route_socket), 0);
	begin(RTM_GETROUTE + 1, 0, &usual);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	assert_int_equal(told_of(NET).rtm_type, RTN_UNICAST);
	info.rtm_type = RTN_UNREACHABLE; /* another kind than it is */
	begin(RTM_DELROUTE, 0, &info);
	assert_int_equal(request_result(route_socket), -ESRCH);
	/* Without a destination: the default route, of which there is one. */
	for (int result = 0; result >= -ESRCH; result -= ESRCH) {
		request_begin(RTM_DELROUTE, 0, &(struct rtmsg){.rtm_family = AF_INET},
			      sizeof(info));
		assert_int_equal(request_result(route_socket), result);
	}
	assert_int_equal(told_of(NET).rtm_type, RTN_UNICAST);
}

/* A route that is replaced in vain is still there. */
static void without_memory_the_old_route_stays(void **state __unused)
{
	uint64_t made = 0;

	begin_new(0);
	assert_int_equal(request_result(route_socket), 0);
	for (uint64_t fail = 1; made + 1 >= fail; fail++) {
		begin_new(NLM_F_REPLACE);
		made = request_without_memory(fail);
		assert_int_equal(told_of(NET).rtm_protocol, RTPROT_STATIC);
	}
	assert_true(made > 1);
}

/* ---- The way to one destination ---- */

static void the_way_to_ourselves_and_to_all(void **state __unused)
{
	request_way(OURS);
	struct rtmsg info = answer();

	assert_int_equal(info.rtm_type, RTN_LOCAL);
	assert_int_equal(info.rtm_table, RT_TABLE_LOCAL);
	assert_int_equal(number_attribute(sizeof(info), RTA_UID), 0);
	request_way(OURS | 255);
	info = answer();
	assert_int_equal(info.rtm_type, RTN_BROADCAST);
	assert_int_equal(info.rtm_table, RT_TABLE_LOCAL);
	request_way(IP4(224, 0, 0, 5));
	netlink_put_u32(&netlink_request, RTA_OIF, (uint32_t)netlink_stack.dev.ifindex);
	assert_int_equal(answer().rtm_type, RTN_MULTICAST);
	request_way(PEER);
	netlink_put_be32(&netlink_request, RTA_SRC, OURS);
	info = answer();
	assert_int_equal(info.rtm_type, RTN_UNICAST);
	assert_int_equal(info.rtm_src_len, 32);
	assert_int_equal(address_attribute(sizeof(info), RTA_SRC), OURS);
	assert_false(has_attribute(sizeof(info), RTA_PREFSRC));
	assert_false(has_attribute(sizeof(info), RTA_GATEWAY));
}

static int get_with(const struct rtmsg *info, uint16_t type, uint32_t value)
{
	request_begin(RTM_GETROUTE, 0, info, sizeof(*info));
	if (type)
		netlink_put_be32(&netlink_request, type, value);
	return request_result(route_socket);
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
	request_begin(RTM_GETROUTE, 0, &plain, 2);
	assert_int_equal(request_result(route_socket), -EINVAL);
	request_way(PEER);
	netlink_put_u8(&netlink_request, RTA_SRC, 1);
	assert_int_equal(request_result(route_socket), -ERANGE);
}

/* ---- Rules ---- */

static void rules_of_other_families(void **state __unused)
{
	for (uint32_t family = 0; family < 3; family++) {
		static const uint8_t families[] = {AF_UNSPEC, AF_INET, AF_INET6};
		const struct fib_rule_hdr rule = {.family = families[family]};

		request_begin(RTM_GETRULE, NLM_F_DUMP, &rule, sizeof(rule));
		assert_int_equal(request_count(route_socket, RTM_NEWRULE),
				 families[family] == AF_INET6 ? 0 : 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NETLINK_TEST(each_kind_is_told_as_what_it_is),
		NETLINK_TEST(strict_readers_choose),
		NETLINK_TEST(metrics_by_themselves),
		NETLINK_TEST(metrics_tell_routes_apart),
		NETLINK_TEST(what_is_not_done_here_is_refused),
		NETLINK_TEST(types_between_the_known_ones),
		NETLINK_TEST(without_memory_the_old_route_stays),
		NETLINK_TEST(the_way_to_ourselves_and_to_all),
		NETLINK_TEST(questions_that_have_no_answer),
		NETLINK_TEST(rules_of_other_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
