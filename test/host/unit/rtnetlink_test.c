/* NETLINK_ROUTE: links, addresses, routes and neighbours, listed, changed, and told of. */
#include "test/host/unit/netlink_fixture.h"

#include "include/uapi/if_arp.h"
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "net/ethernet/arp.h"

static uint32_t eth0(void)
{
	return (uint32_t)netlink_stack.dev.ifindex;
}

/* ---- Links ---- */

static struct ifinfomsg link_of_message(void)
{
	struct ifinfomsg info;

	read_fixed(&info, sizeof(info));
	return info;
}

static void expect_link(const char *name)
{
	struct netlink_attribute attribute;

	expect_message(route_socket, RTM_NEWLINK);
	assert_true(find_attribute(sizeof(struct ifinfomsg), IFLA_IFNAME, &attribute));
	assert_string_equal((const char *)attribute.value, name);
}

static void links_are_listed(void **state __unused)
{
	struct netlink_attribute attribute;

	request_begin(RTM_GETLINK, NLM_F_DUMP, &(struct rtgenmsg){.rtgen_family = AF_PACKET},
		      sizeof(struct rtgenmsg));
	request_send(route_socket);
	expect_link("lo");
	assert_int_equal(link_of_message().ifi_type, ARPHRD_LOOPBACK);
	expect_link("eth0");
	assert_int_equal(link_of_message().ifi_type, ARPHRD_ETHER);
	assert_int_equal(link_of_message().ifi_flags & (IFF_UP | IFF_LOWER_UP),
			 IFF_UP | IFF_LOWER_UP);
	assert_int_equal(number_attribute(sizeof(struct ifinfomsg), IFLA_MTU), 1500);
	assert_true(find_attribute(sizeof(struct ifinfomsg), IFLA_ADDRESS, &attribute));
	assert_memory_equal(attribute.value, FIXTURE_MAC.bytes, MAC_LENGTH);
	assert_true(find_attribute(sizeof(struct ifinfomsg), IFLA_STATS64, &attribute));
	assert_int_equal(attribute.length, sizeof(struct rtnl_link_stats64));
	expect_message(route_socket, NLMSG_DONE);
	expect_silence(route_socket);
}

static void one_link_by_name(void **state __unused)
{
	const struct ifinfomsg none = {0};

	request_begin(RTM_GETLINK, 0, &none, sizeof(none));
	netlink_put_string(&netlink_request, IFLA_IFNAME, "eth0");
	request_send(route_socket);
	expect_link("eth0");
	request_begin(RTM_GETLINK, 0, &none, sizeof(none));
	netlink_put_string(&netlink_request, IFLA_IFNAME, "eth9");
	assert_int_equal(request_result(route_socket), -ENODEV);
	request_begin(RTM_GETLINK, 0, &none, sizeof(none));
	assert_int_equal(request_result(route_socket), -EINVAL);
	/* A name longer than any, without an end. */
	request_begin(RTM_GETLINK, 0, &none, sizeof(none));
	netlink_put(&netlink_request, IFLA_IFNAME, "0123456789abcdef0123", 20);
	assert_int_equal(request_result(route_socket), -ENODEV);
}

static void begin_change(uint16_t type, uint16_t flags, uint32_t ifi_flags, uint32_t change)
{
	const struct ifinfomsg info = {.ifi_index = netlink_stack.dev.ifindex,
				       .ifi_flags = ifi_flags,
				       .ifi_change = change};

	request_begin(type, flags, &info, sizeof(info));
}

static void links_are_changed_and_told_of(void **state __unused)
{
	const struct mac mac = {{2, 9, 9, 9, 9, 9}};

	netlink_join(route_socket, RTNLGRP_LINK);
	begin_change(RTM_NEWLINK, 0, 0, 0);
	netlink_put_u32(&netlink_request, IFLA_MTU, 1400);
	netlink_put_u32(&netlink_request, IFLA_TXQLEN, 50);
	netlink_put(&netlink_request, IFLA_ADDRESS, mac.bytes, MAC_LENGTH);
	request_send(route_socket);
	for (int changes = 0; changes < 3; changes++)
		expect_link("eth0");
	assert_int_equal(netlink_stack.dev.mtu, 1400);
	assert_int_equal(netlink_stack.dev.tx_queue_length, 50);
	assert_true(mac_equal(netlink_stack.dev.mac, mac));
	assert_true(netlink_stack.dev.flags & IFF_UP);
	begin_change(RTM_SETLINK, 0, 0, IFF_UP);
	request_send(route_socket);
	expect_link("eth0");
	assert_false(link_of_message().ifi_flags & IFF_UP);
	begin_change(RTM_NEWLINK, 0, IFF_UP | IFF_PROMISC, IFF_UP | IFF_PROMISC);
	request_send(route_socket);
	expect_link("eth0");
	expect_link("eth0");
	assert_int_equal(link_of_message().ifi_flags & (IFF_UP | IFF_PROMISC),
			 IFF_UP | IFF_PROMISC);
	begin_change(RTM_NEWLINK, 0, 0, IFF_PROMISC);
	request_send(route_socket);
	expect_link("eth0");
	expect_silence(route_socket);
}

static void changes_of_links_that_are_refused(void **state __unused)
{
	const struct ifinfomsg unknown = {0};

	begin_change(RTM_NEWLINK, 0, IFF_NOARP, IFF_NOARP);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	begin_change(RTM_NEWLINK, 0, 0, 0);
	netlink_put_string(&netlink_request, IFLA_IFNAME, "other");
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	begin_change(RTM_NEWLINK, 0, 0, 0);
	netlink_put_u32(&netlink_request, IFLA_MASTER, 1);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	begin_change(RTM_NEWLINK, 0, 0, 0);
	netlink_put_u32(&netlink_request, IFLA_MTU, 1);
	assert_int_equal(request_result(route_socket), -EINVAL);
	begin_change(RTM_NEWLINK, 0, 0, 0);
	netlink_put(&netlink_request, IFLA_ADDRESS, "12345", 5);
	assert_int_equal(request_result(route_socket), -EINVAL);
	begin_change(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, 0);
	assert_int_equal(request_result(route_socket), -EEXIST);
	begin_change(RTM_DELLINK, 0, 0, 0);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	request_begin(RTM_NEWLINK, NLM_F_CREATE, &unknown, sizeof(unknown));
	netlink_put_string(&netlink_request, IFLA_IFNAME, "dummy0");
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	request_begin(RTM_NEWLINK, 0, &unknown, sizeof(unknown));
	assert_int_equal(request_result(route_socket), -ENODEV);
	request_begin(RTM_NEWLINK, 0, &unknown, 3); /* not even the fixed part */
	assert_int_equal(request_result(route_socket), -EINVAL);
	assert_int_equal(netlink_stack.dev.mtu, 1500);
}

/* ---- Addresses ---- */

static void begin_address(uint16_t type, uint16_t flags, ip4_t address, uint8_t length)
{
	const struct ifaddrmsg info = {
		.ifa_family = AF_INET, .ifa_prefixlen = length, .ifa_index = eth0()};

	request_begin(type, flags, &info, sizeof(info));
	netlink_put_be32(&netlink_request, IFA_LOCAL, address);
	netlink_put_be32(&netlink_request, IFA_ADDRESS, address);
}

static uint32_t count_addresses(void)
{
	request_begin(RTM_GETADDR, NLM_F_DUMP, &(struct rtgenmsg){.rtgen_family = AF_INET},
		      sizeof(struct rtgenmsg));
	return request_count(route_socket, RTM_NEWADDR);
}

static void addresses_are_added_listed_and_removed(void **state __unused)
{
	uint32_t before = count_addresses();

	begin_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, IP4(10, 9, 0, 1), 24);
	assert_int_equal(request_result(route_socket), 0);
	assert_int_equal(count_addresses(), before + 1);
	begin_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, IP4(10, 9, 0, 1), 24);
	assert_int_equal(request_result(route_socket), -EEXIST);
	begin_address(RTM_DELADDR, 0, IP4(10, 9, 0, 1), 16); /* another prefix */
	assert_int_equal(request_result(route_socket), -EADDRNOTAVAIL);
	begin_address(RTM_DELADDR, 0, IP4(10, 9, 0, 1), 24);
	assert_int_equal(request_result(route_socket), 0);
	assert_int_equal(count_addresses(), before);
	begin_address(RTM_DELADDR, 0, IP4(10, 9, 0, 1), 24);
	assert_int_equal(request_result(route_socket), -EADDRNOTAVAIL);
}

static void addresses_are_told_of_with_their_routes(void **state __unused)
{
	netlink_join(route_socket, RTNLGRP_IPV4_IFADDR);
	netlink_join(route_socket, RTNLGRP_IPV4_ROUTE);
	begin_address(RTM_NEWADDR, NLM_F_CREATE, IP4(10, 9, 0, 1), 24);
	request_send(route_socket);
	for (int routes = 0; routes < 3; routes++) /* to it, to all, to its subnet */
		expect_message(route_socket, RTM_NEWROUTE);
	expect_message(route_socket, RTM_NEWADDR);
	assert_int_equal(address_attribute(sizeof(struct ifaddrmsg), IFA_LOCAL), IP4(10, 9, 0, 1));
	assert_int_equal(address_attribute(sizeof(struct ifaddrmsg), IFA_BROADCAST),
			 IP4(10, 9, 0, 255));
	begin_address(RTM_DELADDR, 0, IP4(10, 9, 0, 1), 24);
	request_send(route_socket);
	for (int routes = 0; routes < 3; routes++)
		expect_message(route_socket, RTM_DELROUTE);
	expect_message(route_socket, RTM_DELADDR);
	expect_silence(route_socket);
}

static void a_peer_stands_on_the_other_end(void **state __unused)
{
	const struct ifaddrmsg info = {
		.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = eth0()};

	request_begin(RTM_NEWADDR, NLM_F_CREATE, &info, sizeof(info));
	netlink_put_be32(&netlink_request, IFA_LOCAL, IP4(10, 9, 0, 1));
	netlink_put_be32(&netlink_request, IFA_ADDRESS, IP4(10, 9, 0, 2));
	assert_int_equal(request_result(route_socket), 0);
	request_way(IP4(10, 9, 0, 2));
	request_send(route_socket);
	expect_message(route_socket, RTM_NEWROUTE);
	assert_int_equal(address_attribute(sizeof(struct rtmsg), RTA_PREFSRC), IP4(10, 9, 0, 1));
}

static void changes_of_addresses_that_are_refused(void **state __unused)
{
	const struct ifa_cacheinfo mortal = {.ifa_prefered = 10, .ifa_valid = 10};
	const struct ifaddrmsg six = {.ifa_family = AF_INET6, .ifa_index = eth0()};

	begin_address(RTM_NEWADDR, NLM_F_CREATE, IP4(10, 9, 0, 1), 33);
	assert_int_equal(request_result(route_socket), -EINVAL);
	begin_address(RTM_NEWADDR, NLM_F_CREATE, IP4(224, 0, 0, 1), 24);
	assert_int_equal(request_result(route_socket), -EINVAL);
	begin_address(RTM_NEWADDR, NLM_F_CREATE, IP4(10, 9, 0, 1), 24);
	netlink_put(&netlink_request, IFA_CACHEINFO, &mortal, sizeof(mortal));
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	begin_address(RTM_NEWADDR, NLM_F_CREATE, IP4(10, 9, 0, 1), 24);
	netlink_put_u32(&netlink_request, IFA_FLAGS, IFA_F_NOPREFIXROUTE);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	begin_address(RTM_NEWADDR, NLM_F_CREATE, IP4(10, 9, 0, 1), 24);
	netlink_put_string(&netlink_request, IFA_LABEL, "eth0:1");
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	request_begin(RTM_NEWADDR, NLM_F_CREATE, &six, sizeof(six));
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	request_begin(RTM_GETADDR, NLM_F_DUMP, &six, sizeof(six));
	assert_int_equal(request_count(route_socket, RTM_NEWADDR), 0);
}

/* ---- Routes ---- */

static void begin_route(uint16_t type, uint16_t flags, ip4_t destination, uint8_t length,
			ip4_t gateway)
{
	const struct rtmsg info = {.rtm_family = AF_INET,
				   .rtm_dst_len = length,
				   .rtm_table = RT_TABLE_MAIN,
				   .rtm_protocol = type == RTM_NEWROUTE ? RTPROT_STATIC : 0,
				   .rtm_type = type == RTM_NEWROUTE ? RTN_UNICAST : RTN_UNSPEC};

	request_begin(type, flags, &info, sizeof(info));
	netlink_put_be32(&netlink_request, RTA_DST, destination);
	if (gateway)
		netlink_put_be32(&netlink_request, RTA_GATEWAY, gateway);
}

static uint32_t count_routes(const struct rtmsg *info)
{
	request_begin(RTM_GETROUTE, NLM_F_DUMP, info, sizeof(*info));
	return request_count(route_socket, RTM_NEWROUTE);
}

static int get_route(ip4_t destination)
{
	request_way(destination);
	request_send(route_socket);
	assert_true(next_message(route_socket));
	if (netlink_answer.header.nlmsg_type == RTM_NEWROUTE)
		return 0;
	return *(const int32_t *)(const void *)netlink_answer.payload;
}

static void routes_are_added_found_and_removed(void **state __unused)
{
	begin_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, IP4(20, 0, 0, 0), 8, PEER);
	assert_int_equal(request_result(route_socket), 0);
	begin_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, IP4(20, 0, 0, 0), 8, GATEWAY);
	assert_int_equal(request_result(route_socket), -EEXIST);
	assert_int_equal(get_route(IP4(20, 1, 2, 3)), 0);
	assert_int_equal(address_attribute(sizeof(struct rtmsg), RTA_GATEWAY), PEER);
	assert_int_equal(address_attribute(sizeof(struct rtmsg), RTA_PREFSRC), OURS);
	assert_int_equal(number_attribute(sizeof(struct rtmsg), RTA_OIF), eth0());
	begin_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, IP4(20, 0, 0, 0), 8, GATEWAY);
	assert_int_equal(request_result(route_socket), 0);
	assert_int_equal(get_route(IP4(20, 1, 2, 3)), 0);
	assert_int_equal(address_attribute(sizeof(struct rtmsg), RTA_GATEWAY), GATEWAY);
	/* What cannot replace it leaves it there. */
	begin_route(RTM_NEWROUTE, NLM_F_REPLACE, IP4(20, 0, 0, 0), 8, IP4(99, 0, 0, 1));
	assert_int_equal(request_result(route_socket), -ENETUNREACH);
	begin_route(RTM_DELROUTE, 0, IP4(20, 0, 0, 0), 8, GATEWAY);
	assert_int_equal(request_result(route_socket), 0);
	begin_route(RTM_DELROUTE, 0, IP4(20, 0, 0, 0), 8, 0);
	assert_int_equal(request_result(route_socket), -ESRCH);
	begin_route(RTM_NEWROUTE, 0, IP4(20, 0, 0, 0), 8, PEER);
	assert_int_equal(request_result(route_socket), -ENOENT); /* without CREATE */
}

static void unreachable_routes(void **state __unused)
{
	const struct rtmsg info = {
		.rtm_family = AF_INET, .rtm_dst_len = 8, .rtm_type = RTN_UNREACHABLE};
	const struct rtmsg hole = {
		.rtm_family = AF_INET, .rtm_dst_len = 8, .rtm_type = RTN_BLACKHOLE};

	request_begin(RTM_NEWROUTE, NLM_F_CREATE, &info, sizeof(info));
	netlink_put_be32(&netlink_request, RTA_DST, IP4(20, 0, 0, 0));
	assert_int_equal(request_result(route_socket), 0);
	assert_int_equal(get_route(IP4(20, 1, 2, 3)), -EHOSTUNREACH);
	begin_route(RTM_DELROUTE, 0, IP4(20, 0, 0, 0), 8, 0); /* of any type */
	assert_int_equal(request_result(route_socket), 0);
	request_begin(RTM_NEWROUTE, NLM_F_CREATE, &hole, sizeof(hole));
	netlink_put_be32(&netlink_request, RTA_DST, IP4(20, 0, 0, 0));
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
}

static void metrics_of_routes(void **state __unused)
{
	struct netlink_attribute nest;

	begin_route(RTM_NEWROUTE, NLM_F_CREATE, IP4(20, 0, 0, 0), 8, PEER);
	netlink_put_u32(&netlink_request, RTA_PRIORITY, 5);
	size_t start = netlink_begin_nest(&netlink_request, RTA_METRICS);

	netlink_put_u32(&netlink_request, RTAX_MTU, 1280);
	netlink_put_u32(&netlink_request, RTAX_FEATURES, RTAX_FEATURE_ECN);
	netlink_end_nest(&netlink_request, start);
	assert_int_equal(request_result(route_socket), 0);
	assert_int_equal(get_route(IP4(20, 1, 2, 3)), 0);
	assert_true(find_attribute(sizeof(struct rtmsg), RTA_METRICS, &nest));
	assert_int_equal(nest.length, 16);
	/* Nests that are cut, or have what is not known. */
	static const uint8_t wrong[][8] = {{9, 0, 2, 0, 0, 5, 0, 0},
					   {3, 0, 2, 0, 0, 5, 0, 0},
					   {8, 0, 90, 0, 0, 5, 0, 0},
					   {6, 0, 2, 0, 0, 5, 0, 0}};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		begin_route(RTM_NEWROUTE, NLM_F_CREATE, IP4(21, 0, 0, 0), 8, PEER);
		netlink_put(&netlink_request, RTA_METRICS, wrong[i], sizeof(wrong[i]));
		assert_int_equal(request_result(route_socket), -EINVAL);
	}
	begin_route(RTM_NEWROUTE, NLM_F_CREATE, IP4(21, 0, 0, 0), 8, PEER);
	static const uint8_t locked[] = {8, 0, RTAX_LOCK, 0, 4, 0, 0, 0};

	netlink_put(&netlink_request, RTA_METRICS, locked, sizeof(locked));
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
}

static void changes_of_routes_that_are_refused(void **state __unused)
{
	begin_route(RTM_NEWROUTE, NLM_F_CREATE, IP4(20, 0, 0, 1), 8, PEER);
	assert_int_equal(request_result(route_socket), -EINVAL);
	begin_route(RTM_NEWROUTE, NLM_F_CREATE, IP4(20, 0, 0, 0), 33, PEER);
	assert_int_equal(request_result(route_socket), -EINVAL);
	begin_route(RTM_NEWROUTE, NLM_F_CREATE, IP4(20, 0, 0, 0), 8, IP4(99, 1, 1, 1));
	assert_int_equal(request_result(route_socket), -ENETUNREACH);
	begin_route(RTM_NEWROUTE, NLM_F_CREATE, IP4(20, 0, 0, 0), 8, 0);
	assert_int_equal(request_result(route_socket), -ENODEV);
	begin_route(RTM_NEWROUTE, NLM_F_CREATE, IP4(20, 0, 0, 0), 8, PEER);
	netlink_put_u32(&netlink_request, RTA_OIF, 99);
	assert_int_equal(request_result(route_socket), -ENODEV);
	begin_route(RTM_NEWROUTE, NLM_F_CREATE, IP4(20, 0, 0, 0), 8, PEER);
	netlink_put_u32(&netlink_request, RTA_TABLE, 100);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	begin_route(RTM_NEWROUTE, NLM_F_CREATE, IP4(20, 0, 0, 0), 8, 0);
	netlink_put(&netlink_request, RTA_MULTIPATH, "01234567", 8);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
}

static void strict_sockets_filter_what_is_listed(void **state __unused)
{
	const struct rtmsg main_only = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN};
	const struct rtmsg all = {.rtm_family = AF_INET};
	uint32_t whole = count_routes(&main_only);

	assert_int_equal(whole, count_routes(&all));
	netlink_be_strict(route_socket);
	uint32_t in_main = count_routes(&main_only);

	assert_true(in_main > 0 && in_main < whole);
	assert_int_equal(
		count_routes(&(struct rtmsg){.rtm_family = AF_INET, .rtm_table = RT_TABLE_LOCAL}),
		whole - in_main);
	assert_int_equal(count_routes(&(struct rtmsg){.rtm_family = AF_INET6}), 0);
	/* The header is whole, and attributes are known. */
	request_begin(RTM_GETROUTE, NLM_F_DUMP, &all, 1);
	assert_int_equal(request_result(route_socket), -EINVAL);
	request_begin(RTM_GETROUTE, NLM_F_DUMP, &all, sizeof(all));
	netlink_put_u32(&netlink_request, 99, 0);
	assert_int_equal(request_result(route_socket), -EINVAL);
	request_begin(RTM_GETROUTE, NLM_F_DUMP, &all, sizeof(all));
	netlink_put_u32(&netlink_request, RTA_OIF, 99);
	assert_int_equal(request_result(route_socket), -ENODEV);
}

/* ---- Neighbours ---- */

static void begin_neighbour(uint16_t type, uint16_t flags, ip4_t address, uint16_t neighbour_state)
{
	const struct ndmsg info = {.ndm_family = AF_INET,
				   .ndm_ifindex = netlink_stack.dev.ifindex,
				   .ndm_state = neighbour_state};

	request_begin(type, flags, &info, sizeof(info));
	netlink_put_be32(&netlink_request, NDA_DST, address);
}

static uint32_t count_neighbours(void)
{
	request_begin(RTM_GETNEIGH, NLM_F_DUMP, &(struct ndmsg){.ndm_family = AF_INET},
		      sizeof(struct ndmsg));
	return request_count(route_socket, RTM_NEWNEIGH);
}

static void neighbours_are_set_listed_and_removed(void **state __unused)
{
	uint32_t before = count_neighbours();
	const ip4_t other = IP4(10, 0, 0, 77);

	begin_neighbour(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, other, NUD_PERMANENT);
	netlink_put(&netlink_request, NDA_LLADDR, FIXTURE_PEER.bytes, MAC_LENGTH);
	assert_int_equal(request_result(route_socket), 0);
	assert_int_equal(count_neighbours(), before + 1);
	begin_neighbour(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, other, NUD_PERMANENT);
	assert_int_equal(request_result(route_socket), -EEXIST);
	begin_neighbour(RTM_GETNEIGH, 0, other, 0);
	request_send(route_socket);
	expect_message(route_socket, RTM_NEWNEIGH);
	assert_int_equal(address_attribute(sizeof(struct ndmsg), NDA_DST), other);
	begin_neighbour(RTM_DELNEIGH, 0, other, 0);
	assert_int_equal(request_result(route_socket), 0);
	begin_neighbour(RTM_DELNEIGH, 0, other, 0);
	assert_int_equal(request_result(route_socket), -ENOENT);
	begin_neighbour(RTM_GETNEIGH, 0, other, 0);
	assert_int_equal(request_result(route_socket), -ENOENT);
	assert_int_equal(count_neighbours(), before);
}

static void changes_of_neighbours_that_are_refused(void **state __unused)
{
	begin_neighbour(RTM_NEWNEIGH, 0, IP4(10, 0, 0, 77), NUD_PERMANENT);
	assert_int_equal(request_result(route_socket), -ENOENT);
	begin_neighbour(RTM_NEWNEIGH, NLM_F_CREATE, IP4(10, 0, 0, 77), NUD_PERMANENT);
	assert_int_equal(request_result(route_socket), -EINVAL); /* no link address */
	begin_neighbour(RTM_NEWNEIGH, NLM_F_CREATE, IP4(10, 0, 0, 77), NUD_NOARP);
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
	begin_neighbour(RTM_NEWNEIGH, NLM_F_CREATE, IP4(10, 0, 0, 77), NUD_PERMANENT);
	netlink_put(&netlink_request, NDA_LLADDR, "1234567", 7);
	assert_int_equal(request_result(route_socket), -EINVAL);
	begin_neighbour(RTM_NEWNEIGH, NLM_F_CREATE, IP4(224, 0, 0, 1), NUD_PERMANENT);
	assert_int_equal(request_result(route_socket), -EINVAL);
	const struct ndmsg none = {.ndm_family = AF_INET, .ndm_ifindex = 99};

	request_begin(RTM_DELNEIGH, 0, &none, sizeof(none));
	assert_int_equal(request_result(route_socket), -EINVAL);
	request_begin(RTM_DELNEIGH, 0, &none, sizeof(none));
	netlink_put_be32(&netlink_request, NDA_DST, PEER);
	assert_int_equal(request_result(route_socket), -ENODEV);
}

static uint16_t neighbour_told(uint16_t type)
{
	struct ndmsg info;

	expect_message(route_socket, type);
	read_fixed(&info, sizeof(info));
	assert_int_equal(info.ndm_ifindex, netlink_stack.dev.ifindex);
	assert_int_equal(address_attribute(sizeof(info), NDA_DST), IP4(10, 0, 0, 77));
	return info.ndm_state;
}

static void set_neighbour(bool permanent)
{
	net_lock(&netlink_stack.net);
	assert_int_equal(
		arp_set_permanent(&netlink_stack.dev, IP4(10, 0, 0, 77), FIXTURE_PEER, permanent),
		0);
	net_unlock(&netlink_stack.net);
}

static void neighbours_are_told_of(void **state __unused)
{
	netlink_join(route_socket, RTNLGRP_NEIGH);
	set_neighbour(false);
	assert_int_equal(neighbour_told(RTM_NEWNEIGH), NUD_REACHABLE);
	expect_silence(route_socket);
	/* Known for a minute, and nobody needs it any more. */
	fixture_advance(&netlink_stack, 2 * ARP_REACHABLE_US);
	while (route_socket->receive_queue.length > 1)
		neighbour_told(RTM_NEWNEIGH);
	neighbour_told(RTM_DELNEIGH);
	set_neighbour(true);
	while (route_socket->receive_queue.length > 1)
		neighbour_told(RTM_NEWNEIGH);
	assert_int_equal(neighbour_told(RTM_NEWNEIGH), NUD_PERMANENT);
}

/* ---- Rules ---- */

static void two_rules_and_no_more(void **state __unused)
{
	const struct fib_rule_hdr rule = {.family = AF_INET};

	request_begin(RTM_GETRULE, NLM_F_DUMP, &rule, sizeof(rule));
	assert_int_equal(request_count(route_socket, RTM_NEWRULE), 2);
	request_begin(RTM_NEWRULE, NLM_F_CREATE, &rule, sizeof(rule));
	assert_int_equal(request_result(route_socket), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NETLINK_TEST(links_are_listed),
		NETLINK_TEST(one_link_by_name),
		NETLINK_TEST(links_are_changed_and_told_of),
		NETLINK_TEST(changes_of_links_that_are_refused),
		NETLINK_TEST(addresses_are_added_listed_and_removed),
		NETLINK_TEST(addresses_are_told_of_with_their_routes),
		NETLINK_TEST(a_peer_stands_on_the_other_end),
		NETLINK_TEST(changes_of_addresses_that_are_refused),
		NETLINK_TEST(routes_are_added_found_and_removed),
		NETLINK_TEST(unreachable_routes),
		NETLINK_TEST(metrics_of_routes),
		NETLINK_TEST(changes_of_routes_that_are_refused),
		NETLINK_TEST(strict_sockets_filter_what_is_listed),
		NETLINK_TEST(neighbours_are_set_listed_and_removed),
		NETLINK_TEST(changes_of_neighbours_that_are_refused),
		NETLINK_TEST(neighbours_are_told_of),
		NETLINK_TEST(two_rules_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
