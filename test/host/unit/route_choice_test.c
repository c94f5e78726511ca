/*
 * The route table where several routes, interfaces or sources might do; what is deleted of several;
 * route(8)'s calls where they are wrong; /proc/net/route.
 */
#include "test/host/unit/ip4_fixture.h"

#include <string.h>

#include "include/uapi/route.h"
#include "include/uapi/sockios.h"
#include "kernel/byteorder.h"

#define NET IP4(30, 0, 0, 0) /* with 24 bits, by several ways */

static struct fixture f;
static struct host_device eth1; /* up, without addresses */

static int setup(void **state __unused)
{
	const struct host_device_options options = {0};

	ip4_fixture_init(&f);
	assert_int_equal(host_device_add(&eth1, &f.stack, &options), 0);
	return 0;
}

static int teardown(void **state __unused)
{
	ip4_fixture_destroy(&f);
	return 0;
}

static int add(struct route route)
{
	net_lock(&f.net);
	int error = route_add(&f.net, &route);

	net_unlock(&f.net);
	return error;
}

static int delete (struct route route)
{
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

static void give_address(struct net_device *dev, ip4_t address)
{
	net_lock(&f.net);
	assert_int_equal(ip4_add_address(dev, address, 24, 0), 0);
	net_unlock(&f.net);
}

/* ---- Which route ---- */

/* Two ways to one net: who is bound to an interface takes its own. */
static void test_the_interface_s_own_route(void **state __unused)
{
	struct route_result result;

	assert_int_equal(
		add((struct route){.destination = NET, .prefix_length = 24, .dev = &f.dev}), 0);
	assert_int_equal(
		add((struct route){
			.destination = NET, .prefix_length = 24, .metric = 5, .dev = &eth1.dev}),
		0);
	assert_int_equal(lookup(NET + 1, 0, 0, &result), 0);
	assert_ptr_equal(result.dev, &f.dev);
	assert_int_equal(lookup(NET + 1, 0, eth1.dev.ifindex, &result), 0);
	assert_ptr_equal(result.dev, &eth1.dev);
	assert_int_equal(lookup(NET + 1, 0, f.dev.ifindex, &result), 0);
	assert_ptr_equal(result.dev, &f.dev);
}

/* What is not to be reached is so for those bound to an interface, too. */
static void test_unreachable_for_everybody(void **state __unused)
{
	struct route_result result;

	assert_int_equal(add((struct route){.destination = NET,
					    .prefix_length = 24,
					    .type = ROUTE_UNREACHABLE}),
			 0);
	assert_int_equal(lookup(NET + 1, 0, 0, &result), -EHOSTUNREACH);
	assert_int_equal(lookup(NET + 1, 0, eth1.dev.ifindex, &result), -EHOSTUNREACH);
}

/* A route to one host that is none of our addresses: a neighbour, or behind one. */
static void test_a_host_s_route_is_no_address(void **state __unused)
{
	assert_int_equal(
		add((struct route){.destination = FAR, .prefix_length = 32, .gateway = PEER}), 0);
	net_lock(&f.net);
	assert_int_equal(route_type_of(&f.net, FAR), ROUTE_UNICAST);
	assert_null(route_device_of_address(&f.net, FAR));
	assert_null(route_device_of_address(&f.net, SUBNET_BROADCAST));
	assert_ptr_equal(route_device_of_address(&f.net, IP4(127, 5, 5, 5)), f.net.loopback);
	net_unlock(&f.net);
}

/* RFC 1122 3.3.4.3: an interface without an address borrows another's, not that of lo. */
static void test_source_of_an_interface_without_address(void **state __unused)
{
	struct route_result result;

	assert_int_equal(
		add((struct route){.destination = NET, .prefix_length = 24, .dev = &eth1.dev}), 0);
	assert_int_equal(lookup(NET + 1, 0, 0, &result), 0);
	assert_int_equal(result.source, OURS);
	net_lock(&f.net);
	netdev_down(&f.dev);
	net_unlock(&f.net);
	assert_int_equal(lookup(NET + 1, 0, 0, &result), 0);
	assert_int_equal(result.source, 0); /* nobody has one */
	give_address(&eth1.dev, IP4(10, 5, 0, 1));
	assert_int_equal(lookup(NET + 1, 0, 0, &result), 0);
	assert_int_equal(result.source, IP4(10, 5, 0, 1));
	net_lock(&f.net);
	assert_int_equal(netdev_up(&f.dev), 0);
	net_unlock(&f.net);
}

static void test_on_a_link_without_route(void **state __unused)
{
	struct route_result result;

	assert_int_equal(lookup(FAR, 0, 99, &result), -ENODEV);
	assert_int_equal(lookup(FAR, 0, eth1.dev.ifindex, &result), 0);
	assert_ptr_equal(result.dev, &eth1.dev);
	assert_int_equal(result.source, 0); /* as DHCP needs it */
	net_lock(&f.net);
	netdev_down(&eth1.dev);
	net_unlock(&f.net);
	assert_int_equal(lookup(FAR, 0, eth1.dev.ifindex, &result), -ENETUNREACH);
}

static void test_the_link_of_a_group(void **state __unused)
{
	struct route_result result;

	give_address(&eth1.dev, IP4(10, 5, 0, 1));
	assert_int_equal(lookup(GROUP, IP4(10, 5, 0, 1), 0, &result), 0);
	assert_ptr_equal(result.dev, &eth1.dev);
	assert_int_equal(lookup(GROUP, FAR, 0, &result), 0); /* no address of ours: by the route */
	assert_ptr_equal(result.dev, &f.dev);
	assert_int_equal(lookup(GROUP, 0, 99, &result), -ENODEV);
	assert_int_equal(add((struct route){.destination = IP4(224, 0, 0, 0),
					    .prefix_length = 4,
					    .type = ROUTE_UNREACHABLE}),
			 0);
	assert_int_equal(lookup(GROUP, 0, 0, &result), -ENETUNREACH);
	assert_int_equal(lookup(IP4_BROADCAST, 0, 0, &result), 0);
}

/* ---- The path's MTU ---- */

static void learn(ip4_t destination, uint32_t mtu)
{
	net_lock(&f.net);
	route_learn_mtu(&f.net, destination, mtu);
	net_unlock(&f.net);
}

static uint32_t mtu_to(ip4_t destination)
{
	struct route_result result;

	assert_int_equal(lookup(destination, 0, 0, &result), 0);
	return result.mtu;
}

/* A route that became narrower than the path once was counts. */
static void test_a_route_below_the_path_s_mtu(void **state __unused)
{
	learn(FAR, 1400);
	assert_int_equal(mtu_to(FAR), 1400);
	assert_int_equal(
		add((struct route){
			.destination = FAR, .prefix_length = 32, .mtu = 1300, .gateway = GATEWAY}),
		0);
	assert_int_equal(mtu_to(FAR), 1300);
	learn(FAR, 1350); /* wider than what we use: not news */
	assert_int_equal(mtu_to(FAR), 1300);
}

static void test_paths_that_have_no_mtu(void **state __unused)
{
	const struct route route = {0};

	learn(OURS, 600); /* lo */
	assert_int_equal(mtu_to(OURS), f.net.loopback->mtu);
	learn(SUBNET_BROADCAST, 600);
	assert_int_equal(mtu_to(SUBNET_BROADCAST), 1500);
	assert_int_equal(delete (route), 0);
	learn(FAR, 600); /* no way there */
	assert_int_equal(ip4_stack(&f.net)->pmtu.table.count, 0);
}

/* Not all at once: each path is forgotten when its own ten minutes are over. */
static void test_paths_are_forgotten_one_by_one(void **state __unused)
{
	learn(FAR, 1400);
	fixture_advance(&f, PMTU_LIFETIME_US / 2);
	learn(FAR + 1, 1400);
	fixture_advance(&f, PMTU_LIFETIME_US / 2);
	assert_int_equal(mtu_to(FAR), 1500);
	assert_int_equal(mtu_to(FAR + 1), 1400);
	fixture_advance(&f, PMTU_LIFETIME_US / 2);
	assert_int_equal(mtu_to(FAR + 1), 1500);
}

static void test_no_memory_for_a_path(void **state __unused)
{
	host_fail_allocation(1);
	learn(FAR, 1400);
	host_fail_allocation(2);
	learn(FAR, 1400);
	host_fail_allocation(0);
	assert_int_equal(mtu_to(FAR), 1500);
	learn(FAR, 1400);
	assert_int_equal(mtu_to(FAR), 1400);
}

/* ---- Deleting ---- */

static void test_delete_takes_the_one_that_is_meant(void **state __unused)
{
	const struct route routes[] = {
		{.destination = NET, .prefix_length = 24, .metric = 1, .dev = &f.dev},
		{.destination = NET, .prefix_length = 24, .metric = 2, .dev = &eth1.dev},
		{.destination = NET, .prefix_length = 24, .metric = 3, .gateway = PEER},
		{.destination = NET,
		 .prefix_length = 24,
		 .metric = 4,
		 .dev = &f.dev,
		 .source = OURS},
		{.destination = NET, .prefix_length = 24, .type = ROUTE_UNREACHABLE},
	};
	struct route wanted = {.destination = NET, .prefix_length = 24};
	struct route_result result;

	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		assert_int_equal(add(routes[i]), 0);
	assert_int_equal(add(routes[0]), -EEXIST);
	wanted.source = OURS;
	assert_int_equal(delete (wanted), 0);
	assert_int_equal(delete (wanted), -ESRCH);
	wanted.source = 0;
	wanted.gateway = PEER;
	assert_int_equal(delete (wanted), 0);
	wanted.gateway = 0;
	wanted.metric = 1;
	assert_int_equal(delete (wanted), 0);
	wanted.metric = 0;
	wanted.dev = &f.dev;
	assert_int_equal(delete (wanted), -ESRCH); /* it was that one */
	wanted.dev = NULL;
	assert_int_equal(lookup(NET + 1, 0, 0, &result), -EHOSTUNREACH);
	wanted.type = ROUTE_UNREACHABLE;
	assert_int_equal(delete (wanted), 0);
	assert_int_equal(lookup(NET + 1, 0, 0, &result), 0);
	assert_ptr_equal(result.dev, &eth1.dev);
	wanted.prefix_length = 33;
	assert_int_equal(delete (wanted), -ESRCH);
}

static void test_no_memory_for_a_route(void **state __unused)
{
	const struct route route = {
		.destination = IP4(31, 0, 0, 0), .prefix_length = 13, .dev = &f.dev};

	for (uint64_t nth = 1; nth <= 2; nth++) {
		host_fail_allocation(nth);
		assert_int_equal(add(route), -ENOMEM);
		host_fail_allocation(0);
	}
	assert_int_equal(add(route), 0);
}

/* ---- route(8) ---- */

static void put_name(struct sockaddr *to, uint16_t family, ip4_t address)
{
	const struct sockaddr_in in = {.sin_family = family,
				       .sin_addr.s_addr = cpu_to_be32(address)};

	memcpy(to, &in, sizeof(in));
}

static int call(uint32_t command, const struct rtentry *entry)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);
	struct rtentry copy = *entry;
	int error = socket_ioctl(socket, command, &copy);

	socket_close(socket);
	return error;
}

static struct rtentry entry_to(ip4_t destination, ip4_t mask, uint16_t flags)
{
	struct rtentry entry = {.rt_flags = flags};

	put_name(&entry.rt_dst, AF_INET, destination);
	put_name(&entry.rt_genmask, AF_INET, mask);
	return entry;
}

static void test_masks(void **state __unused)
{
	struct rtentry entry = entry_to(NET, 0xffffff00, RTF_UP);

	entry.rt_dev = (uintptr_t) "eth1";
	put_name(&entry.rt_genmask, AF_INET6, 0xffffff00);
	assert_int_equal(call(SIOCADDRT, &entry), -EAFNOSUPPORT);
	put_name(&entry.rt_genmask, AF_UNSPEC, 0xffffff00);
	assert_int_equal(call(SIOCADDRT, &entry), -EAFNOSUPPORT);
	put_name(&entry.rt_genmask, AF_INET6, 0);
	assert_int_equal(call(SIOCADDRT, &entry), -EAFNOSUPPORT);
	put_name(&entry.rt_genmask, AF_INET, 0xff00ff00); /* with a hole */
	assert_int_equal(call(SIOCADDRT, &entry), -EINVAL);
	put_name(&entry.rt_genmask, AF_UNSPEC, 0); /* none: the default route */
	put_name(&entry.rt_dst, AF_INET, 0);
	entry.rt_metric = 2;
	assert_int_equal(call(SIOCADDRT, &entry), 0);
}

static void test_mtus_that_are_not_believed(void **state __unused)
{
	static const struct {
		uint64_t given;
		uint32_t mtu;
	} cases[] = {{67, 1500}, {68, 68}, {1400, 1400}, {65535, 1500}, {65536, 1500}};

	for (uint32_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rtentry entry = entry_to(FAR + i, 0, RTF_UP | RTF_HOST | RTF_MTU);

		put_name(&entry.rt_gateway, AF_INET, GATEWAY);
		entry.rt_mtu = cases[i].given;
		assert_int_equal(call(SIOCADDRT, &entry), 0);
		assert_int_equal(mtu_to(FAR + i), cases[i].mtu);
	}
}

/* A reject route needs no gateway, whatever the flags say. */
static void test_reject(void **state __unused)
{
	struct rtentry entry = entry_to(FAR, 0, RTF_UP | RTF_HOST | RTF_REJECT | RTF_GATEWAY);
	struct route_result result;
	char text[2048];

	assert_int_equal(call(SIOCADDRT, &entry), 0);
	assert_int_equal(lookup(FAR, 0, 0, &result), -EHOSTUNREACH);
	assert_int_equal(ipv4_proc_init(&f.net), 0);
	assert_true(host_proc_read("net/route", text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "\n*\t010200C0\t00000000\t0205\t0\t0\t0\tFFFFFFFF\t0\t0\t0 "));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_interface_s_own_route),
		TEST(test_unreachable_for_everybody),
		TEST(test_a_host_s_route_is_no_address),
		TEST(test_source_of_an_interface_without_address),
		TEST(test_on_a_link_without_route),
		TEST(test_the_link_of_a_group),
		TEST(test_a_route_below_the_path_s_mtu),
		TEST(test_paths_that_have_no_mtu),
		TEST(test_paths_are_forgotten_one_by_one),
		TEST(test_no_memory_for_a_path),
		TEST(test_delete_takes_the_one_that_is_meant),
		TEST(test_no_memory_for_a_route),
		TEST(test_masks),
		TEST(test_mtus_that_are_not_believed),
		TEST(test_reject),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
