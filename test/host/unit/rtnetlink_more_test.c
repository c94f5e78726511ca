/* NETLINK_ROUTE: what is asked less often: statistics, settings, tables, disciplines, next hops. */
#include "test/host/unit/netlink_fixture.h"

#include "kernel/errno.h"
#include "net/ethernet/arp.h"
#include "net/ipv4/ipv4_state.h"

static uint64_t wide_attribute(size_t fixed, uint16_t type)
{
	uint64_t value;

	read_attribute(fixed, type, &value, sizeof(value));
	return value;
}

/* ---- Statistics ---- */

static void expect_statistics(int ifindex, uint64_t packets)
{
	struct rtnl_link_stats64 statistics;
	struct if_stats_msg info;

	expect_message(route_socket, RTM_NEWSTATS);
	read_fixed(&info, sizeof(info));
	assert_int_equal(info.ifindex, ifindex);
	assert_int_equal(info.filter_mask, 1);
	read_attribute(sizeof(info), IFLA_STATS_LINK_64, &statistics, sizeof(statistics));
	assert_int_equal(statistics.rx_packets, packets);
}

static void statistics_of_all_and_of_one(void **state __unused)
{
	struct if_stats_msg info = {.filter_mask = 1};

	netlink_stack.dev.statistics.rx_packets = 12345;
	request_begin(RTM_GETSTATS, NLM_F_DUMP, &info, sizeof(info));
	request_send(route_socket);
	expect_statistics(1, 0);
	expect_statistics(netlink_stack.dev.ifindex, 12345);
	expect_message(route_socket, NLMSG_DONE);
	info.ifindex = (uint32_t)netlink_stack.dev.ifindex;
	request_begin(RTM_GETSTATS, 0, &info, sizeof(info));
	request_send(route_socket);
	expect_statistics(netlink_stack.dev.ifindex, 12345);
	expect_silence(route_socket);
}

static void statistics_that_are_refused(void **state __unused)
{
	struct if_stats_msg info = {.filter_mask = 1};

	request_begin(RTM_GETSTATS, 0, &info, sizeof(info)); /* of none */
	assert_int_equal(request_result(route_socket), -EINVAL);
	info.ifindex = 77;
	request_begin(RTM_GETSTATS, 0, &info, sizeof(info));
	assert_int_equal(request_result(route_socket), -ENODEV);
	request_begin(RTM_GETSTATS, NLM_F_DUMP, &info, sizeof(info) - 4);
	assert_int_equal(request_result(route_socket), -EINVAL);
	info.filter_mask = 0;
	request_begin(RTM_GETSTATS, NLM_F_DUMP, &info, sizeof(info));
	assert_int_equal(request_result(route_socket), -EINVAL);
	request_begin(RTM_NEWSTATS, 0, &info, sizeof(info));
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
}

/* ---- Settings of IPv4 ---- */

static void expect_configuration(int ifindex, uint32_t forwarding)
{
	expect_message(route_socket, RTM_NEWNETCONF);
	assert_int_equal(netlink_answer.payload[0], AF_INET);
	assert_int_equal(number_attribute(1, NETCONFA_IFINDEX), (uint32_t)ifindex);
	assert_int_equal(number_attribute(1, NETCONFA_FORWARDING), forwarding);
	assert_int_equal(number_attribute(1, NETCONFA_RP_FILTER), 0);
	assert_int_equal(number_attribute(1, NETCONFA_PROXY_NEIGH), 0);
}

static void settings_of_interfaces(void **state __unused)
{
	struct netconfmsg info = {.ncm_family = AF_UNSPEC};
	const int eth0 = netlink_stack.dev.ifindex;

	request_begin(RTM_GETNETCONF, NLM_F_DUMP, &info, sizeof(info));
	request_send(route_socket);
	expect_configuration(1, 0);
	expect_configuration(eth0, 0);
	expect_configuration(NETCONFA_IFINDEX_ALL, 0);
	expect_configuration(NETCONFA_IFINDEX_DEFAULT, 0);
	expect_message(route_socket, NLMSG_DONE);
	ip4_stack(&netlink_stack.net)->settings.ip_forward = 1;
	info.ncm_family = AF_INET;
	request_begin(RTM_GETNETCONF, 0, &info, sizeof(info));
	netlink_put_u32(&netlink_request, NETCONFA_IFINDEX, (uint32_t)eth0);
	request_send(route_socket);
	expect_configuration(eth0, 1);
	info.ncm_family = AF_INET6;
	request_begin(RTM_GETNETCONF, NLM_F_DUMP, &info, sizeof(info));
	assert_int_equal(request_count(route_socket, RTM_NEWNETCONF), 0);
}

static void settings_that_are_refused(void **state __unused)
{
	struct netconfmsg info = {.ncm_family = AF_INET};

	request_begin(RTM_GETNETCONF, 0, &info, sizeof(info));
	assert_int_equal(request_result(route_socket), -EINVAL);
	request_begin(RTM_GETNETCONF, 0, &info, sizeof(info));
	netlink_put_u32(&netlink_request, NETCONFA_IFINDEX, 77);
	assert_int_equal(request_result(route_socket), -ENODEV);
	info.ncm_family = AF_INET6;
	request_begin(RTM_GETNETCONF, 0, &info, sizeof(info));
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	request_begin(RTM_NEWNETCONF, 0, &info, sizeof(info));
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
}

/* ---- The table of neighbours ---- */

static void the_table_of_neighbours(void **state __unused)
{
	const struct ndtmsg info = {.ndtm_family = AF_UNSPEC};
	struct netlink_attribute name, parameters;

	request_begin(RTM_GETNEIGHTBL, NLM_F_DUMP, &info, sizeof(info));
	request_send(route_socket);
	expect_message(route_socket, RTM_NEWNEIGHTBL);
	assert_int_equal(netlink_answer.payload[0], AF_INET);
	assert_true(find_attribute(sizeof(info), NDTA_NAME, &name));
	assert_string_equal((const char *)name.value, "arp_cache");
	assert_int_equal(number_attribute(sizeof(info), NDTA_THRESH3), ARP_ENTRIES_MAX);
	assert_true(find_attribute(sizeof(info), NDTA_PARMS, &parameters));
	/* Looked into as if the nest were the message. */
	netlink_answer.payload = parameters.value;
	netlink_answer.length = parameters.length;
	assert_int_equal(wide_attribute(0, NDTPA_REACHABLE_TIME), 60000);
	assert_int_equal(wide_attribute(0, NDTPA_RETRANS_TIME), 1000);
	assert_int_equal(number_attribute(0, NDTPA_UCAST_PROBES), ARP_TRIES);
	expect_message(route_socket, NLMSG_DONE);
	request_begin(RTM_SETNEIGHTBL, 0, &info, sizeof(info));
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
}

/* ---- Queueing disciplines and next hops ---- */

static void no_queue_on_any_device(void **state __unused)
{
	const int ifindexes[] = {1, netlink_stack.dev.ifindex};
	struct netlink_attribute kind;
	struct tcmsg info = {0};

	request_begin(RTM_GETQDISC, NLM_F_DUMP, &info, sizeof(info));
	request_send(route_socket);
	for (size_t i = 0; i < ARRAY_SIZE(ifindexes); i++) {
		expect_message(route_socket, RTM_NEWQDISC);
		read_fixed(&info, sizeof(info));
		assert_int_equal(info.tcm_ifindex, ifindexes[i]);
		assert_int_equal(info.tcm_parent, TC_H_ROOT);
		assert_true(find_attribute(sizeof(info), TCA_KIND, &kind));
		assert_string_equal((const char *)kind.value, "noqueue");
	}
	expect_message(route_socket, NLMSG_DONE);
	request_begin(RTM_NEWQDISC, NLM_F_CREATE, &info, sizeof(info));
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
}

static void lists_without_entries(void **state __unused)
{
	static const uint16_t types[] = {RTM_GETTCLASS, RTM_GETTFILTER};
	const struct tcmsg info = {0};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		request_begin(types[i], NLM_F_DUMP, &info, sizeof(info));
		assert_int_equal(request_count(route_socket, 0), 0);
	}
}

/*
 * Numbers between and beyond those that are served. Next hops apart from routes are among them: to
 * FRR's zebra an empty list would mean that it may make some.
 */
static void other_matters_are_refused(void **state __unused)
{
	const struct tcmsg info = {0};

	for (uint16_t type = 48; type < 130; type = (uint16_t)(type + 4)) {
		if (type == RTM_NEWNEIGHTBL || type == RTM_NEWNETCONF || type == RTM_NEWSTATS)
			continue;
		request_begin((uint16_t)(type + 2), NLM_F_DUMP, &info, sizeof(info));
		assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
		request_begin(type, 0, &info, sizeof(info));
		assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NETLINK_TEST(statistics_of_all_and_of_one),
		NETLINK_TEST(statistics_that_are_refused),
		NETLINK_TEST(settings_of_interfaces),
		NETLINK_TEST(settings_that_are_refused),
		NETLINK_TEST(the_table_of_neighbours),
		NETLINK_TEST(no_queue_on_any_device),
		NETLINK_TEST(lists_without_entries),
		NETLINK_TEST(other_matters_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
