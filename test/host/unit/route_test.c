/*
 * The route table: longest prefix, metrics, sources, bound interfaces, path MTU, ioctls,
 * /proc/net/route.
 */
#include "test/host/unit/ip4_fixture.h"

#include <string.h>

#include "include/uapi/if_arp.h"
#include "include/uapi/route.h"
#include "include/uapi/sockios.h"
#include "kernel/byteorder.h"
#include "net/ethernet/arp.h"

static struct fixture f;

static int setup(void **state __unused)
{
	ip4_fixture_init(&f);
	return 0;
}

static int teardown(void **state __unused)
{
	ip4_fixture_destroy(&f);
	return 0;
}

static int add(ip4_t destination, uint8_t length, ip4_t gateway, uint32_t metric)
{
	const struct route route = {.destination = destination,
				    .prefix_length = length,
				    .gateway = gateway,
				    .metric = metric,
				    .dev = &f.dev};

	net_lock(&f.net);
	int error = route_add(&f.net, &route);

	net_unlock(&f.net);
	return error;
}

static int delete (ip4_t destination, uint8_t length, ip4_t gateway)
{
	const struct route route = {
		.destination = destination, .prefix_length = length, .gateway = gateway};

	net_lock(&f.net);
	int error = route_delete(&f.net, &route);

	net_unlock(&f.net);
	return error;
}

static int lookup(ip4_t destination, ip4_t source, int ifindex, struct route_result *result)
{
	net_lock(&f.net);
	int error = route_lookup(&f.net, destination, source, ifindex, result);

	net_unlock(&f.net);
	return error;
}

static ip4_t next_hop(ip4_t destination)
{
	struct route_result result;

	return lookup(destination, 0, 0, &result) ? 0 : result.next_hop;
}

static void test_longest_prefix_wins(void **state __unused)
{
	assert_int_equal(add(IP4(172, 16, 0, 0), 12, IP4(10, 0, 0, 11), 0), 0);
	assert_int_equal(add(IP4(172, 16, 5, 0), 24, IP4(10, 0, 0, 12), 0), 0);
	assert_int_equal(add(IP4(172, 16, 5, 9), 32, IP4(10, 0, 0, 13), 0), 0);
	assert_int_equal(next_hop(IP4(172, 17, 0, 1)), IP4(10, 0, 0, 11));
	assert_int_equal(next_hop(IP4(172, 16, 5, 1)), IP4(10, 0, 0, 12));
	assert_int_equal(next_hop(IP4(172, 16, 5, 9)), IP4(10, 0, 0, 13));
	assert_int_equal(next_hop(FAR), GATEWAY);
	assert_int_equal(next_hop(PEER), PEER);
	assert_int_equal(delete (IP4(172, 16, 5, 0), 24, 0), 0);
	assert_int_equal(next_hop(IP4(172, 16, 5, 1)), IP4(10, 0, 0, 11));
	assert_int_equal(delete (IP4(172, 16, 5, 0), 24, 0), -ESRCH);
}

static void test_lowest_metric_then_newest(void **state __unused)
{
	assert_int_equal(add(FAR, 32, IP4(10, 0, 0, 11), 5), 0);
	assert_int_equal(add(FAR, 32, IP4(10, 0, 0, 12), 3), 0);
	assert_int_equal(add(FAR, 32, IP4(10, 0, 0, 13), 9), 0);
	assert_int_equal(next_hop(FAR), IP4(10, 0, 0, 12));
	assert_int_equal(add(FAR, 32, IP4(10, 0, 0, 12), 3), -EEXIST);
	assert_int_equal(add(FAR, 32, IP4(10, 0, 0, 14), 3), 0);
	assert_int_equal(next_hop(FAR), IP4(10, 0, 0, 14));
	assert_int_equal(delete (FAR, 32, IP4(10, 0, 0, 14)), 0);
	assert_int_equal(delete (FAR, 32, IP4(10, 0, 0, 12)), 0);
	assert_int_equal(next_hop(FAR), IP4(10, 0, 0, 11));
}

static void test_addresses_of_ours(void **state __unused)
{
	struct route_result result;

	assert_int_equal(lookup(OURS, 0, 0, &result), 0);
	assert_int_equal(result.type, ROUTE_LOCAL);
	assert_ptr_equal(result.dev, f.net.loopback);
	assert_int_equal(result.source, OURS);
	assert_int_equal(lookup(IP4(127, 9, 9, 9), 0, 0, &result), 0);
	assert_int_equal(result.type, ROUTE_LOCAL);
	assert_int_equal(lookup(SUBNET_BROADCAST, 0, 0, &result), 0);
	assert_int_equal(result.type, ROUTE_BROADCAST);
	/* A host route to our own address takes nothing away from it. */
	assert_int_equal(add(OURS, 32, IP4(10, 0, 0, 11), 0), 0);
	assert_int_equal(lookup(OURS, 0, 0, &result), 0);
	assert_int_equal(result.type, ROUTE_LOCAL);
}

static void test_no_route_and_unreachable_route(void **state __unused)
{
	const struct route reject = {
		.destination = FAR, .prefix_length = 32, .type = ROUTE_UNREACHABLE};
	struct route_result result;

	net_lock(&f.net);
	assert_int_equal(route_add(&f.net, &reject), 0);
	net_unlock(&f.net);
	assert_int_equal(lookup(FAR, 0, 0, &result), -EHOSTUNREACH);
	assert_int_equal(delete (0, 0, 0), 0);
	assert_int_equal(lookup(IP4(8, 8, 8, 8), 0, 0, &result), -ENETUNREACH);
	assert_int_equal(lookup(IP4_BROADCAST, 0, 0, &result), -ENETUNREACH);
	assert_int_equal(lookup(GROUP, 0, 0, &result), -ENETUNREACH);
}

static void test_bad_routes_are_refused(void **state __unused)
{
	const struct route no_device = {.destination = FAR, .prefix_length = 32};

	assert_int_equal(add(FAR, 24, 0, 0), -EINVAL);
	assert_int_equal(add(FAR, 33, 0, 0), -EINVAL);
	assert_int_equal(add(FAR, 32, IP4(192, 168, 0, 1), 0), -ENETUNREACH);
	assert_int_equal(add(FAR, 32, OURS, 0), -ENETUNREACH);
	net_lock(&f.net);
	assert_int_equal(route_add(&f.net, &no_device), -ENODEV);
	netdev_down(&f.dev);
	net_unlock(&f.net);
	assert_int_equal(add(FAR, 32, 0, 0), -ENETDOWN);
}

/* The DHCP client's case: no address, no route, a socket bound to the interface. */
static void test_bound_interface_without_any_route(void **state __unused)
{
	struct route_result result;
	int ifindex = f.dev.ifindex;

	net_lock(&f.net);
	assert_int_equal(ip4_remove_address(&f.dev, OURS), 0);
	net_unlock(&f.net);
	assert_int_equal(lookup(IP4_BROADCAST, 0, ifindex, &result), 0);
	assert_int_equal(result.type, ROUTE_BROADCAST);
	assert_ptr_equal(result.dev, &f.dev);
	assert_int_equal(result.source, 0);
	assert_int_equal(lookup(IP4(10, 7, 7, 7), 0, ifindex, &result), 0);
	assert_int_equal(result.type, ROUTE_UNICAST);
	assert_int_equal(result.next_hop, IP4(10, 7, 7, 7));
	assert_int_equal(result.source, 0);
	assert_int_equal(lookup(FAR, 0, 99, &result), -ENODEV);
}

static void test_groups_go_to_a_link(void **state __unused)
{
	struct route_result result;

	assert_int_equal(lookup(GROUP, 0, 0, &result),
			 0); /* by the default route, without its gateway */
	assert_ptr_equal(result.dev, &f.dev);
	assert_int_equal(result.next_hop, GROUP);
	assert_int_equal(lookup(GROUP, IP4_LOOPBACK, 0, &result), 0); /* by the source */
	assert_ptr_equal(result.dev, f.net.loopback);
	assert_int_equal(lookup(GROUP, 0, f.net.loopback->ifindex, &result), 0);
	assert_ptr_equal(result.dev, f.net.loopback);
}

static void test_the_cache_forgets(void **state __unused)
{
	struct route_result result;

	assert_int_equal(next_hop(FAR), GATEWAY);
	assert_int_equal(next_hop(FAR), GATEWAY);
	assert_int_equal(add(FAR, 32, IP4(10, 0, 0, 11), 0), 0);
	assert_int_equal(next_hop(FAR), IP4(10, 0, 0, 11));
	net_lock(&f.net);
	assert_int_equal(ip4_remove_address(&f.dev, OURS), 0);
	net_unlock(&f.net);
	assert_int_equal(lookup(FAR, 0, 0, &result), -ENETUNREACH);
}

static uint32_t path_mtu(ip4_t destination)
{
	struct route_result result;

	assert_int_equal(lookup(destination, 0, 0, &result), 0);
	return result.mtu;
}

static void learn(ip4_t destination, uint32_t mtu)
{
	net_lock(&f.net);
	route_learn_mtu(&f.net, destination, mtu);
	net_unlock(&f.net);
}

static void test_path_mtu_is_learned_lowered_and_forgotten(void **state __unused)
{
	struct route_result result;

	learn(FAR, 1400);
	assert_int_equal(path_mtu(FAR), 1400);
	assert_int_equal(path_mtu(FAR + 1), 1500);
	learn(FAR, 1450); /* never raised by a report */
	assert_int_equal(path_mtu(FAR), 1400);
	learn(FAR, 1300);
	assert_int_equal(path_mtu(FAR), 1300);
	learn(FAR, 100); /* forged, or a very narrow path */
	assert_int_equal(lookup(FAR, 0, 0, &result), 0);
	assert_int_equal(result.mtu, 552);
	assert_true(result.no_df);
	learn(PEER, 9000);
	assert_int_equal(path_mtu(PEER), 1500);
	fixture_advance(&f, 599 * USEC_PER_SEC);
	assert_int_equal(path_mtu(FAR), 552);
	fixture_advance(&f, 2 * USEC_PER_SEC);
	assert_int_equal(path_mtu(FAR), 1500);
}

static void test_path_mtu_cache_is_bounded(void **state __unused)
{
	for (uint32_t i = 0; i < 3 * PMTU_ENTRIES_MAX; i++)
		learn(IP4(20, 0, 0, 0) + i, 1000);
	assert_int_equal(ip4_stack(&f.net)->pmtu.table.count, PMTU_ENTRIES_MAX);
	assert_int_equal(path_mtu(IP4(20, 0, 0, 0)), 1500); /* the oldest made room */
	assert_int_equal(path_mtu(IP4(20, 0, 0, 0) + 3 * PMTU_ENTRIES_MAX - 1), 1000);
}

static void test_ten_thousand_routes(void **state __unused)
{
	const struct hash_table *table = &ip4_stack(&f.net)->routes.of_length[24];
	uint32_t longest = 0;

	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(
			add(IP4(40, 0, 0, 0) + (i << 8), 24, IP4(10, 0, 0, 2 + i % 200), 0), 0);
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(next_hop(IP4(40, 0, 0, 7) + (i << 8)), IP4(10, 0, 0, 2 + i % 200));
	for (uint32_t i = 0; i < table->bucket_count; i++) {
		uint32_t length = 0;

		for (struct hlist_node *at = table->buckets[i].first; at; at = at->next)
			length++;
		longest = MAX(longest, length);
	}
	assert_true(longest <= 10);
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(delete (IP4(40, 0, 0, 0) + (i << 8), 24, 0), 0);
	assert_int_equal(next_hop(IP4(40, 0, 0, 7)), GATEWAY);
}

/* ioctls: what ifconfig, route and arp do. */

static void put_name(struct sockaddr *to, ip4_t address)
{
	const struct sockaddr_in in = {.sin_family = AF_INET,
				       .sin_addr.s_addr = cpu_to_be32(address)};

	memcpy(to, &in, sizeof(in));
}

static ip4_t get_name(const struct sockaddr *from)
{
	struct sockaddr_in in;

	memcpy(&in, from, sizeof(in));
	return be32_to_cpu(in.sin_addr.s_addr);
}

static int interface_ioctl(uint32_t command, ip4_t *address)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);
	struct ifreq request = {.ifr_name = "eth0"};

	put_name(&request.ifr_addr, *address);
	int error = socket_ioctl(socket, command, &request);

	*address = get_name(&request.ifr_addr);
	socket_close(socket);
	return error;
}

static int set_interface(uint32_t command, ip4_t address)
{
	return interface_ioctl(command, &address);
}

static ip4_t get_interface(uint32_t command)
{
	ip4_t address = 0;

	assert_int_equal(interface_ioctl(command, &address), 0);
	return address;
}

static void test_interface_address_ioctls(void **state __unused)
{
	ip4_t none = 0;

	assert_int_equal(get_interface(SIOCGIFADDR), OURS);
	assert_int_equal(get_interface(SIOCGIFNETMASK), 0xffffff00);
	assert_int_equal(get_interface(SIOCGIFBRDADDR), SUBNET_BROADCAST);
	assert_int_equal(set_interface(SIOCSIFADDR, IP4(172, 16, 1, 2)), 0);
	assert_int_equal(get_interface(SIOCGIFNETMASK), 0xffff0000); /* class B */
	assert_int_equal(get_interface(SIOCGIFBRDADDR), IP4(172, 16, 255, 255));
	assert_int_equal(set_interface(SIOCSIFNETMASK, 0xffffff00), 0);
	assert_int_equal(get_interface(SIOCGIFBRDADDR), IP4(172, 16, 1, 255));
	assert_int_equal(next_hop(IP4(172, 16, 1, 9)), IP4(172, 16, 1, 9));
	assert_int_equal(next_hop(IP4(172, 16, 2, 9)), 0);
	assert_int_equal(set_interface(SIOCSIFNETMASK, 0xff00ff00), -EINVAL);
	assert_int_equal(set_interface(SIOCSIFADDR, GROUP), -EINVAL);
	assert_int_equal(set_interface(SIOCSIFADDR, 0), 0);
	assert_int_equal(interface_ioctl(SIOCGIFADDR, &none), -EADDRNOTAVAIL);
	assert_int_equal(interface_ioctl(SIOCSIFNETMASK, &none), -EADDRNOTAVAIL);
}

static void test_interface_list(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);
	struct ifreq requests[4];
	struct ifconf list = {0};

	assert_int_equal(socket_ioctl(socket, SIOCGIFCONF, &list), 0);
	assert_int_equal(list.ifc_len, 2 * sizeof(struct ifreq));
	list.ifc_buf = (uintptr_t)requests;
	list.ifc_len = sizeof(requests);
	assert_int_equal(socket_ioctl(socket, SIOCGIFCONF, &list), 0);
	assert_int_equal(list.ifc_len, 2 * sizeof(struct ifreq));
	assert_string_equal(requests[0].ifr_name, "lo");
	assert_string_equal(requests[1].ifr_name, "eth0");
	assert_int_equal(get_name(&requests[1].ifr_addr), OURS);
	list.ifc_len = sizeof(struct ifreq) + 3;
	assert_int_equal(socket_ioctl(socket, SIOCGIFCONF, &list), 0);
	assert_int_equal(list.ifc_len, sizeof(struct ifreq));
	socket_close(socket);
}

static int route_ioctl(uint32_t command, ip4_t destination, ip4_t mask, ip4_t gateway,
		       uint16_t flags, const char *dev)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);
	struct rtentry entry = {.rt_flags = flags, .rt_dev = (uintptr_t)dev};

	put_name(&entry.rt_dst, destination);
	put_name(&entry.rt_genmask, mask);
	if (gateway)
		put_name(&entry.rt_gateway, gateway);
	int error = socket_ioctl(socket, command, &entry);

	socket_close(socket);
	return error;
}

static void test_route_ioctls(void **state __unused)
{
	assert_int_equal(route_ioctl(SIOCADDRT, IP4(30, 1, 0, 0), 0xffff0000, PEER,
				     RTF_UP | RTF_GATEWAY, NULL),
			 0);
	assert_int_equal(next_hop(IP4(30, 1, 2, 3)), PEER);
	assert_int_equal(route_ioctl(SIOCADDRT, IP4(30, 2, 0, 0), 0xffff0000, 0, RTF_UP, "eth0"),
			 0);
	assert_int_equal(next_hop(IP4(30, 2, 2, 3)), IP4(30, 2, 2, 3));
	assert_int_equal(route_ioctl(SIOCADDRT, FAR, 0, 0, RTF_UP | RTF_HOST | RTF_REJECT, NULL),
			 0);
	assert_int_equal(next_hop(FAR), 0);
	assert_int_equal(route_ioctl(SIOCDELRT, FAR, 0, 0, RTF_HOST | RTF_REJECT, NULL), 0);
	assert_int_equal(next_hop(FAR), GATEWAY);
	assert_int_equal(route_ioctl(SIOCDELRT, 0, 0, 0, RTF_UP, NULL), 0);
	assert_int_equal(next_hop(FAR), 0);
	assert_int_equal(route_ioctl(SIOCDELRT, 0, 0, 0, RTF_UP, NULL), -ESRCH);
	assert_int_equal(route_ioctl(SIOCADDRT, 0, 0, 0, RTF_UP | RTF_GATEWAY, NULL), -EINVAL);
	assert_int_equal(route_ioctl(SIOCADDRT, 0, 0, IP4(9, 9, 9, 9), RTF_UP | RTF_GATEWAY, NULL),
			 -ENETUNREACH);
	assert_int_equal(route_ioctl(SIOCADDRT, IP4(30, 2, 0, 1), 0xffff0000, 0, RTF_UP, "eth0"),
			 -EINVAL);
	assert_int_equal(route_ioctl(SIOCADDRT, 0, 0, 0, RTF_UP, "eth7"), -ENODEV);
}

static void test_arp_ioctls(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);
	struct arpreq request = {.arp_dev = "eth0", .arp_flags = ATF_PERM};
	const struct mac mac = {{2, 9, 9, 9, 9, 9}};

	put_name(&request.arp_pa, IP4(10, 0, 0, 55));
	request.arp_ha.sa_family = ARPHRD_ETHER;
	memcpy(request.arp_ha.sa_data, mac.bytes, MAC_LENGTH);
	assert_int_equal(socket_ioctl(socket, SIOCSARP, &request), 0);
	memset(&request.arp_ha, 0, sizeof(request.arp_ha));
	assert_int_equal(socket_ioctl(socket, SIOCGARP, &request), 0);
	assert_memory_equal(request.arp_ha.sa_data, mac.bytes, MAC_LENGTH);
	assert_int_equal(request.arp_flags, ATF_COM | ATF_PERM);
	assert_int_equal(socket_ioctl(socket, SIOCDARP, &request), 0);
	assert_int_equal(socket_ioctl(socket, SIOCGARP, &request), -ENXIO);
	request.arp_ha.sa_family = ARPHRD_LOOPBACK;
	assert_int_equal(socket_ioctl(socket, SIOCSARP, &request), -EINVAL);
	strcpy(request.arp_dev, "eth9");
	assert_int_equal(socket_ioctl(socket, SIOCSARP, &request), -ENODEV);
	request.arp_pa.sa_family = AF_UNSPEC;
	assert_int_equal(socket_ioctl(socket, SIOCSARP, &request), -EPFNOSUPPORT);
	socket_close(socket);
}

static void test_proc_route(void **state __unused)
{
	char text[2048];

	assert_int_equal(ipv4_proc_init(&f.net), 0);
	assert_int_equal(host_proc_read("net/route", text, sizeof(text)), 3 * 128);
	assert_memory_equal(text,
			    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU"
			    "\tWindow\tIRTT",
			    72);
	assert_non_null(
		strstr(text, "\neth0\t00000000\tFE00000A\t0003\t0\t0\t0\t00000000\t0\t0\t0 "));
	assert_non_null(
		strstr(text, "\neth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0 "));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_longest_prefix_wins),
		TEST(test_lowest_metric_then_newest),
		TEST(test_addresses_of_ours),
		TEST(test_no_route_and_unreachable_route),
		TEST(test_bad_routes_are_refused),
		TEST(test_bound_interface_without_any_route),
		TEST(test_groups_go_to_a_link),
		TEST(test_the_cache_forgets),
		TEST(test_path_mtu_is_learned_lowered_and_forgotten),
		TEST(test_path_mtu_cache_is_bounded),
		TEST(test_ten_thousand_routes),
		TEST(test_interface_address_ioctls),
		TEST(test_interface_list),
		TEST(test_route_ioctls),
		TEST(test_arp_ioctls),
		TEST(test_proc_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
