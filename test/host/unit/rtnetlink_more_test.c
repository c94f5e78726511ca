/* NETLINK_ROUTE: what is asked less often: statistics, settings, tables, disciplines, next hops. */
#include "test/host/unit/netlink_fixture.h"

#include <string.h>

#include "kernel/errno.h"
#include "net/ethernet/arp.h"
#include "net/ipv4/ipv4_state.h"

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

static void ask(uint16_t type, uint16_t flags, const void *fixed, size_t length)
{
	request_begin(&n, type, flags, fixed, length);
}

static uint64_t wide_attribute(size_t fixed, uint16_t type)
{
	struct netlink_attribute attribute;
	uint64_t value;

	assert_true(find_attribute(&n, fixed, type, &attribute));
	assert_int_equal(attribute.length, sizeof(value));
	memcpy(&value, attribute.value, sizeof(value));
	return value;
}

/* ---- Statistics ---- */

static void expect_statistics(int ifindex, uint64_t packets)
{
	struct netlink_attribute attribute;
	struct rtnl_link_stats64 statistics;
	struct if_stats_msg info;

	expect_message(&n, n.netlink, RTM_NEWSTATS);
	memcpy(&info, n.message.payload, sizeof(info));
	assert_int_equal(info.ifindex, ifindex);
	assert_int_equal(info.filter_mask, 1);
	assert_true(find_attribute(&n, sizeof(info), IFLA_STATS_LINK_64, &attribute));
	assert_int_equal(attribute.length, sizeof(statistics));
	memcpy(&statistics, attribute.value, sizeof(statistics));
	assert_int_equal(statistics.rx_packets, packets);
}

static void statistics_of_all_and_of_one(void **state __unused)
{
	struct if_stats_msg info = {.filter_mask = 1};

	n.f.dev.statistics.rx_packets = 12345;
	ask(RTM_GETSTATS, NLM_F_DUMP, &info, sizeof(info));
	request_send(&n, n.netlink);
	expect_statistics(1, 0);
	expect_statistics(n.f.dev.ifindex, 12345);
	expect_message(&n, n.netlink, NLMSG_DONE);
	info.ifindex = (uint32_t)n.f.dev.ifindex;
	ask(RTM_GETSTATS, 0, &info, sizeof(info));
	request_send(&n, n.netlink);
	expect_statistics(n.f.dev.ifindex, 12345);
	expect_silence(&n, n.netlink);
}

static void statistics_that_are_refused(void **state __unused)
{
	struct if_stats_msg info = {.filter_mask = 1};

	ask(RTM_GETSTATS, 0, &info, sizeof(info)); /* of none */
	assert_int_equal(request_result(&n, n.netlink), -EINVAL);
	info.ifindex = 77;
	ask(RTM_GETSTATS, 0, &info, sizeof(info));
	assert_int_equal(request_result(&n, n.netlink), -ENODEV);
	ask(RTM_GETSTATS, NLM_F_DUMP, &info, sizeof(info) - 4);
	assert_int_equal(request_result(&n, n.netlink), -EINVAL);
	info.filter_mask = 0;
	ask(RTM_GETSTATS, NLM_F_DUMP, &info, sizeof(info));
	assert_int_equal(request_result(&n, n.netlink), -EINVAL);
	ask(RTM_NEWSTATS, 0, &info, sizeof(info));
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
}

/* ---- Settings of IPv4 ---- */

static void expect_configuration(int ifindex, uint32_t forwarding)
{
	expect_message(&n, n.netlink, RTM_NEWNETCONF);
	assert_int_equal(n.message.payload[0], AF_INET);
	assert_int_equal(number_attribute(&n, 1, NETCONFA_IFINDEX), (uint32_t)ifindex);
	assert_int_equal(number_attribute(&n, 1, NETCONFA_FORWARDING), forwarding);
	assert_int_equal(number_attribute(&n, 1, NETCONFA_RP_FILTER), 0);
	assert_int_equal(number_attribute(&n, 1, NETCONFA_PROXY_NEIGH), 0);
}

static void settings_of_interfaces(void **state __unused)
{
	struct netconfmsg info = {.ncm_family = AF_UNSPEC};
	const int eth0 = n.f.dev.ifindex;

	ask(RTM_GETNETCONF, NLM_F_DUMP, &info, sizeof(info));
	request_send(&n, n.netlink);
	expect_configuration(1, 0);
	expect_configuration(eth0, 0);
	expect_configuration(NETCONFA_IFINDEX_ALL, 0);
	expect_configuration(NETCONFA_IFINDEX_DEFAULT, 0);
	expect_message(&n, n.netlink, NLMSG_DONE);
	ip4_stack(&n.f.net)->settings.ip_forward = 1;
	info.ncm_family = AF_INET;
	ask(RTM_GETNETCONF, 0, &info, sizeof(info));
	netlink_put_u32(&n.request, NETCONFA_IFINDEX, (uint32_t)eth0);
	request_send(&n, n.netlink);
	expect_configuration(eth0, 1);
	info.ncm_family = AF_INET6;
	ask(RTM_GETNETCONF, NLM_F_DUMP, &info, sizeof(info));
	request_send(&n, n.netlink);
	assert_int_equal(count_to_done(&n, n.netlink, RTM_NEWNETCONF), 0);
}

static void settings_that_are_refused(void **state __unused)
{
	struct netconfmsg info = {.ncm_family = AF_INET};

	ask(RTM_GETNETCONF, 0, &info, sizeof(info));
	assert_int_equal(request_result(&n, n.netlink), -EINVAL);
	ask(RTM_GETNETCONF, 0, &info, sizeof(info));
	netlink_put_u32(&n.request, NETCONFA_IFINDEX, 77);
	assert_int_equal(request_result(&n, n.netlink), -ENODEV);
	info.ncm_family = AF_INET6;
	ask(RTM_GETNETCONF, 0, &info, sizeof(info));
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
	ask(RTM_NEWNETCONF, 0, &info, sizeof(info));
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
}

/* ---- The table of neighbours ---- */

static void the_table_of_neighbours(void **state __unused)
{
	const struct ndtmsg info = {.ndtm_family = AF_UNSPEC};
	struct netlink_attribute name, parameters;

	ask(RTM_GETNEIGHTBL, NLM_F_DUMP, &info, sizeof(info));
	request_send(&n, n.netlink);
	expect_message(&n, n.netlink, RTM_NEWNEIGHTBL);
	assert_int_equal(n.message.payload[0], AF_INET);
	assert_true(find_attribute(&n, sizeof(info), NDTA_NAME, &name));
	assert_string_equal((const char *)name.value, "arp_cache");
	assert_int_equal(number_attribute(&n, sizeof(info), NDTA_THRESH3), ARP_ENTRIES_MAX);
	assert_true(find_attribute(&n, sizeof(info), NDTA_PARMS, &parameters));
	/* Looked into as if the nest were the message. */
	n.message.payload = parameters.value;
	n.message.length = parameters.length;
	assert_int_equal(wide_attribute(0, NDTPA_REACHABLE_TIME), 60000);
	assert_int_equal(wide_attribute(0, NDTPA_RETRANS_TIME), 1000);
	assert_int_equal(number_attribute(&n, 0, NDTPA_UCAST_PROBES), ARP_TRIES);
	expect_message(&n, n.netlink, NLMSG_DONE);
	ask(RTM_SETNEIGHTBL, 0, &info, sizeof(info));
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
}

/* ---- Queueing disciplines and next hops ---- */

static void no_queue_on_any_device(void **state __unused)
{
	const int ifindexes[] = {1, n.f.dev.ifindex};
	struct netlink_attribute kind;
	struct tcmsg info = {0};

	ask(RTM_GETQDISC, NLM_F_DUMP, &info, sizeof(info));
	request_send(&n, n.netlink);
	for (size_t i = 0; i < ARRAY_SIZE(ifindexes); i++) {
		expect_message(&n, n.netlink, RTM_NEWQDISC);
		memcpy(&info, n.message.payload, sizeof(info));
		assert_int_equal(info.tcm_ifindex, ifindexes[i]);
		assert_int_equal(info.tcm_parent, TC_H_ROOT);
		assert_true(find_attribute(&n, sizeof(info), TCA_KIND, &kind));
		assert_string_equal((const char *)kind.value, "noqueue");
	}
	expect_message(&n, n.netlink, NLMSG_DONE);
	ask(RTM_NEWQDISC, NLM_F_CREATE, &info, sizeof(info));
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
}

static void lists_without_entries(void **state __unused)
{
	static const uint16_t types[] = {RTM_GETTCLASS, RTM_GETTFILTER, RTM_GETNEXTHOP};
	const struct tcmsg info = {0};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		ask(types[i], NLM_F_DUMP, &info, sizeof(info));
		request_send(&n, n.netlink);
		assert_int_equal(count_to_done(&n, n.netlink, 0), 0);
	}
	ask(RTM_GETNEXTHOP, 0, &info, sizeof(info));
	assert_int_equal(request_result(&n, n.netlink), -ENOENT);
	ask(RTM_NEWNEXTHOP, NLM_F_CREATE, &info, sizeof(info));
	assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
}

/* Numbers between and beyond those that are served. */
static void other_matters_are_refused(void **state __unused)
{
	const struct tcmsg info = {0};

	for (uint16_t type = 48; type < 130; type = (uint16_t)(type + 4)) {
		if (type == RTM_NEWNEIGHTBL || type == RTM_NEWNETCONF || type == RTM_NEWSTATS ||
		    type == RTM_NEWNEXTHOP)
			continue;
		ask((uint16_t)(type + 2), NLM_F_DUMP, &info, sizeof(info));
		assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
		ask(type, 0, &info, sizeof(info));
		assert_int_equal(request_result(&n, n.netlink), -EOPNOTSUPP);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(statistics_of_all_and_of_one), TEST(statistics_that_are_refused),
		TEST(settings_of_interfaces),       TEST(settings_that_are_refused),
		TEST(the_table_of_neighbours),      TEST(no_queue_on_any_device),
		TEST(lists_without_entries),        TEST(other_matters_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
