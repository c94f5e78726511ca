/*
 * Interface addresses: what they may be, the routes that come and go with them, the calls of
 * ifconfig and arp, and what ARP asks IPv4 about addresses and neighbours.
 */
#include "test/host/unit/ip4_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "include/uapi/if.h"
#include "include/uapi/if_arp.h"
#include "include/uapi/sockios.h"
#include "kernel/byteorder.h"
#include "net/ethernet/arp.h"
#include "net/ethernet/arp_wire.h"
#include "net/ethernet/ethernet.h"
#include "net/ipv4/igmp.h"

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

static int add_address(struct net_device *dev, ip4_t address, uint8_t length, ip4_t broadcast)
{
	net_lock(&f.net);
	int error = ip4_add_address(dev, address, length, broadcast);

	net_unlock(&f.net);
	return error;
}

static int remove_address(struct net_device *dev, ip4_t address)
{
	net_lock(&f.net);
	int error = ip4_remove_address(dev, address);

	net_unlock(&f.net);
	return error;
}

static enum route_type type_of(ip4_t address)
{
	net_lock(&f.net);
	enum route_type type = route_type_of(&f.net, address);

	net_unlock(&f.net);
	return type;
}

static int lookup(ip4_t destination, struct route_result *result)
{
	net_lock(&f.net);
	int error = route_lookup(&f.net, destination, 0, 0, result);

	net_unlock(&f.net);
	return error;
}

static struct net_device *way_to(ip4_t destination)
{
	struct route_result result;

	return lookup(destination, &result) ? NULL : result.dev;
}

static bool up(struct net_device *dev, bool is_up)
{
	int error = 0;

	net_lock(&f.net);
	if (is_up)
		error = netdev_up(dev);
	else
		netdev_down(dev);
	net_unlock(&f.net);
	return error == 0;
}

/* ---- Addresses and their routes ---- */

/* RFC 3021 for two addresses; a single one has neither subnet nor broadcast address. */
static void test_links_of_two_addresses_and_of_one(void **state __unused)
{
	const ip4_t two = IP4(10, 5, 0, 0), one = IP4(10, 6, 0, 1);

	assert_int_equal(add_address(&eth1.dev, two, 31, 0), 0);
	assert_int_equal(type_of(two), ROUTE_LOCAL);
	assert_int_equal(type_of(two + 1), ROUTE_UNICAST);
	assert_ptr_equal(way_to(two + 1), &eth1.dev);
	assert_int_equal(add_address(&eth1.dev, one, 32, 0), 0);
	assert_int_equal(type_of(one), ROUTE_LOCAL);
	assert_ptr_equal(way_to(one + 1), &f.dev); /* by the gateway */
	assert_int_equal(remove_address(&eth1.dev, one), 0);
	assert_int_equal(type_of(one), ROUTE_UNICAST);
	assert_ptr_equal(way_to(two + 1), &eth1.dev);
}

static void test_an_address_for_everything(void **state __unused)
{
	assert_int_equal(add_address(&eth1.dev, IP4(10, 7, 0, 1), 0, IP4_BROADCAST), 0);
	assert_int_equal(type_of(IP4(10, 7, 0, 1)), ROUTE_LOCAL);
	assert_ptr_equal(way_to(FAR), &f.dev); /* no route to 0.0.0.0/0 came with it */
	assert_int_equal(remove_address(&eth1.dev, IP4(10, 7, 0, 1)), 0);
}

static void test_a_broadcast_address_of_ones_own(void **state __unused)
{
	const ip4_t given = IP4(10, 5, 0, 127);

	assert_int_equal(add_address(&eth1.dev, IP4(10, 5, 0, 1), 24, given), 0);
	assert_int_equal(type_of(given), ROUTE_BROADCAST);
	assert_int_equal(type_of(IP4(10, 5, 0, 255)), ROUTE_UNICAST);
}

/* Three of one subnet and one of another: each subnet has one route, whoever goes. */
static void test_addresses_of_several_subnets(void **state __unused)
{
	static const ip4_t addresses[] = {IP4(10, 5, 0, 1), IP4(10, 6, 0, 1), IP4(10, 5, 0, 2),
					  IP4(10, 5, 0, 3)};
	struct route_result result;

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		assert_int_equal(add_address(&eth1.dev, addresses[i], 24, 0), 0);
	assert_int_equal(lookup(IP4(10, 5, 0, 9), &result), 0);
	assert_int_equal(result.source, addresses[0]);
	assert_int_equal(lookup(IP4(10, 6, 0, 9), &result), 0);
	assert_int_equal(result.source, addresses[1]);
	assert_int_equal(remove_address(&eth1.dev, addresses[0]), 0);
	assert_int_equal(lookup(IP4(10, 5, 0, 9), &result), 0);
	assert_int_equal(result.source, addresses[2]);
	assert_int_equal(remove_address(&eth1.dev, addresses[1]), 0);
	assert_ptr_equal(way_to(IP4(10, 6, 0, 9)), &f.dev);
	assert_int_equal(remove_address(&eth1.dev, addresses[1]), -EADDRNOTAVAIL);
}

/* Prefixes that overlap are two subnets. */
static void test_a_subnet_within_another(void **state __unused)
{
	struct route_result result;

	assert_int_equal(add_address(&f.dev, IP4(10, 0, 0, 33), 28, 0), 0);
	assert_int_equal(lookup(IP4(10, 0, 0, 34), &result), 0);
	assert_int_equal(result.source, IP4(10, 0, 0, 33));
	assert_int_equal(lookup(PEER, &result), 0);
	assert_int_equal(result.source, OURS);
}

static void test_address_of_a_device_that_is_down(void **state __unused)
{
	assert_true(up(&eth1.dev, false));
	assert_int_equal(remove_address(&eth1.dev, OURS), -EADDRNOTAVAIL);
	assert_int_equal(add_address(&eth1.dev, IP4(10, 5, 0, 1), 24, 0), 0);
	assert_int_equal(type_of(IP4(10, 5, 0, 1)), ROUTE_UNICAST);
	assert_null(host_device_take(&eth1)); /* nothing was announced */
	assert_true(up(&eth1.dev, true));
	assert_int_equal(type_of(IP4(10, 5, 0, 1)), ROUTE_LOCAL);
	struct host_frame *frame = host_device_take(&eth1);

	assert_non_null(frame);
	free(frame);
}

static void test_cable_and_mac_are_announced(void **state __unused)
{
	const struct mac mac = {{0x02, 0, 0, 0, 0, 0x55}};

	net_lock(&f.net);
	netdev_set_carrier(&f.dev, false);
	netdev_set_carrier(&f.dev, true);
	net_unlock(&f.net);
	assert_int_equal(f.sent_count, 1);
	assert_int_equal(get_be16(fixture_sent(&f, 0)->bytes + 12), ETHERTYPE_ARP);
	net_lock(&f.net);
	assert_int_equal(netdev_set_mac(&f.dev, mac), 0);
	net_unlock(&f.net);
	assert_int_equal(f.sent_count, 2);
	assert_memory_equal(fixture_sent(&f, 1)->bytes + 6, mac.bytes, MAC_LENGTH);
	/* Without an address there is nothing to tell; nor when the device is down. */
	net_lock(&f.net);
	netdev_set_carrier(&eth1.dev, false);
	netdev_down(&f.dev);
	assert_int_equal(netdev_set_mac(&f.dev, FIXTURE_MAC), 0);
	net_unlock(&f.net);
	assert_int_equal(f.sent_count, 2);
	assert_true(up(&f.dev, true));
}

/* A device that came up while there was no memory for its addresses. */
static void add_without_memory(struct host_device *device)
{
	const struct host_device_options options = {0};

	for (uint64_t nth = 1;; nth++) {
		host_fail_allocation(nth);
		int error = host_device_add(device, &f.stack, &options);

		host_fail_allocation(0);
		if (!error && !device->dev.ip4)
			return;
		assert_true(nth < 100);
		if (!error)
			host_device_remove(device);
	}
}

static void test_interface_for_which_there_was_no_memory(void **state __unused)
{
	static struct host_device eth2;
	const struct mac all_hosts = {{0x01, 0, 0x5e, 0, 0, 1}};
	struct route_result result;
	struct host_frame *frame;
	uint8_t packet[64];

	add_without_memory(&eth2);
	assert_int_equal(remove_address(&eth2.dev, OURS), -EADDRNOTAVAIL);
	net_lock(&f.net);
	assert_null(ip4_primary_address(&eth2.dev));
	assert_false(igmp_is_member(&eth2.dev, GROUP));
	igmp_leave(&eth2.dev, GROUP);
	netdev_set_carrier(&eth2.dev, false);
	netdev_set_carrier(&eth2.dev, true);
	assert_int_equal(route_lookup(&f.net, FAR, 0, eth2.dev.ifindex, &result), 0);
	assert_int_equal(result.source, 0);
	host_fail_allocation(1);
	assert_int_equal(igmp_join(&eth2.dev, GROUP), -ENOMEM);
	host_fail_allocation(1);
	assert_int_equal(ip4_add_address(&eth2.dev, IP4(10, 5, 0, 1), 24, 0), -ENOMEM);
	host_fail_allocation(0);
	net_unlock(&f.net);
	/* It has joined no group. */
	const struct ip4_spec spec = {.protocol = IPPROTO_ICMP};
	size_t n = ip4_make(packet + ETHERNET_HEADER_LENGTH, &spec, "abcdefgh", 8);

	memcpy(packet, all_hosts.bytes, MAC_LENGTH);
	memcpy(packet + MAC_LENGTH, FIXTURE_PEER.bytes, MAC_LENGTH);
	put_be16(packet + 12, ETHERTYPE_IP4);
	assert_int_equal(host_device_receive(&eth2, packet, ETHERNET_HEADER_LENGTH + (uint32_t)n),
			 0);
	fixture_run(&f);
	assert_int_equal(fixture_drops(&f, DROP_ETH_OTHER_HOST), 1); /* not even 224.0.0.1 */
	/* Later there is memory. */
	assert_int_equal(add_address(&eth2.dev, IP4(10, 5, 0, 1), 24, 0), 0);
	assert_int_equal(type_of(IP4(10, 5, 0, 1)), ROUTE_LOCAL);
	while ((frame = host_device_take(&eth2)))
		free(frame);
	host_device_remove(&eth2);
	assert_int_equal(type_of(IP4(10, 5, 0, 1)), ROUTE_UNICAST);
}

/* ---- ifconfig ---- */

static int interface_call(uint32_t command, const char *name, ip4_t *address)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = cpu_to_be32(*address)};
	struct ifreq request = {0};

	strcpy(request.ifr_name, name);
	memcpy(&request.ifr_addr, &in, sizeof(in));
	int error = socket_ioctl(socket, command, &request);

	memcpy(&in, &request.ifr_addr, sizeof(in));
	*address = be32_to_cpu(in.sin_addr.s_addr);
	socket_close(socket);
	return error;
}

static int set(uint32_t command, const char *name, ip4_t address)
{
	return interface_call(command, name, &address);
}

static ip4_t get(uint32_t command, const char *name)
{
	ip4_t address = 0;

	assert_int_equal(interface_call(command, name, &address), 0);
	return address;
}

static void test_ifconfig_of_lo(void **state __unused)
{
	assert_int_equal(set(SIOCSIFADDR, "lo", IP4(10, 99, 0, 1)), 0);
	assert_int_equal(get(SIOCGIFNETMASK, "lo"), 0xffffffff);
	assert_int_equal(set(SIOCSIFNETMASK, "lo", 0xffffff00), 0);
	assert_int_equal(get(SIOCGIFBRDADDR, "lo"), 0); /* lo has none */
	assert_int_equal(set(SIOCSIFADDR, "lo", IP4(127, 0, 0, 2)), 0);
	assert_int_equal(get(SIOCGIFNETMASK, "lo"), 0xff000000);
	assert_int_equal(type_of(IP4(127, 0, 0, 2)), ROUTE_LOCAL);
}

static void test_ifconfig_without_an_address(void **state __unused)
{
	ip4_t none = 0;

	assert_int_equal(interface_call(SIOCGIFADDR, "eth1", &none), -EADDRNOTAVAIL);
	assert_int_equal(set(SIOCSIFADDR, "eth1", 0), 0); /* takes away what is not there */
	assert_int_equal(set(SIOCSIFADDR, "eth1", IP4(200, 1, 1, 1)), 0);
	assert_int_equal(get(SIOCGIFNETMASK, "eth1"), 0xffffff00); /* class C */
	assert_int_equal(set(SIOCSIFADDR, "eth1", IP4(200, 1, 1, 1)), 0);
}

static void test_the_broadcast_address_follows_the_mask(void **state __unused)
{
	assert_int_equal(set(SIOCSIFNETMASK, "eth0", 0xfffffffe), 0);
	assert_int_equal(get(SIOCGIFBRDADDR, "eth0"), 0);
	assert_int_equal(set(SIOCSIFNETMASK, "eth0", 0xfffffff0), 0);
	assert_int_equal(get(SIOCGIFBRDADDR, "eth0"), IP4(10, 0, 0, 15));
	/* Unless somebody chose another. */
	assert_int_equal(set(SIOCSIFBRDADDR, "eth0", IP4_BROADCAST), 0);
	assert_int_equal(set(SIOCSIFNETMASK, "eth0", 0xffffff00), 0);
	assert_int_equal(get(SIOCGIFBRDADDR, "eth0"), IP4_BROADCAST);
	assert_int_equal(type_of(IP4_BROADCAST), ROUTE_BROADCAST);
}

/* A point to point link: the route leads to the other end. */
static void test_peer(void **state __unused)
{
	assert_int_equal(set(SIOCSIFADDR, "eth1", IP4(10, 5, 0, 1)), 0);
	assert_int_equal(set(SIOCSIFDSTADDR, "eth1", IP4(10, 8, 0, 1)), 0);
	assert_int_equal(get(SIOCGIFDSTADDR, "eth1"), IP4(10, 8, 0, 1));
	assert_int_equal(get(SIOCGIFNETMASK, "eth1"), 0xffffffff);
	assert_ptr_equal(way_to(IP4(10, 8, 0, 1)), &eth1.dev);
	assert_int_equal(set(SIOCSIFDSTADDR, "eth1", 0), -EINVAL);
}

static void test_calls_that_are_not_there(void **state __unused)
{
	assert_int_equal(set(0x8900 - 1, "eth0", 0), -ENOTTY);
	assert_int_equal(set(SIOCSIFNETMASK + 0x80, "eth0", 0), -ENOTTY);
	assert_int_equal(set(SIOCSIFADDR, "eth9", OURS), -ENODEV);
}

/* ---- arp ---- */

static int neighbour_call(uint32_t command, const char *name, ip4_t address, int32_t flags)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = cpu_to_be32(address)};
	struct arpreq request = {.arp_flags = flags, .arp_ha.sa_family = ARPHRD_ETHER};

	memcpy(&request.arp_pa, &in, sizeof(in));
	strcpy(request.arp_dev, name);
	int error = socket_ioctl(socket, command, &request);

	socket_close(socket);
	return error;
}

static void test_arp_calls_that_are_refused(void **state __unused)
{
	const struct route route = {.gateway = GATEWAY};

	assert_int_equal(neighbour_call(SIOCSARP, "eth0", GROUP, 0), -EINVAL);
	assert_int_equal(neighbour_call(SIOCSARP, "eth0", PEER, ATF_PUBL), -EOPNOTSUPP);
	assert_int_equal(neighbour_call(SIOCDARP, "eth0", PEER, ATF_PUBL), -EOPNOTSUPP);
	assert_int_equal(neighbour_call(SIOCGARP, "lo", PEER, 0), -EINVAL);
	net_lock(&f.net);
	assert_int_equal(route_delete(&f.net, &route), 0);
	net_unlock(&f.net);
	assert_int_equal(neighbour_call(SIOCGARP, "", FAR, 0), -ENETUNREACH);
}

/* ---- What ARP asks ---- */

static void arp_arrives(uint16_t operation, ip4_t sender, ip4_t target)
{
	const struct arp_packet arp = {.operation = operation,
				       .sender_mac = FIXTURE_PEER,
				       .sender = sender,
				       .target = target};
	uint8_t bytes[ARP_PACKET_LENGTH];

	arp_emit(&arp, bytes);
	fixture_receive_ethernet(&f, MAC_BROADCAST, FIXTURE_PEER, ETHERTYPE_ARP, bytes,
				 sizeof(bytes));
}

static bool is_known(ip4_t address)
{
	struct mac mac;
	uint32_t flags;

	net_lock(&f.net);
	int error = arp_lookup(&f.dev, address, &mac, &flags);

	net_unlock(&f.net);
	return error == 0;
}

/* Everybody is answered; only who can be a neighbour gets an entry. */
static void test_who_may_be_a_neighbour(void **state __unused)
{
	const struct route unreachable = {
		.destination = IP4(10, 0, 0, 48), .prefix_length = 28, .type = ROUTE_UNREACHABLE};
	static const struct {
		ip4_t sender;
		bool learned;
	} cases[] = {
		{IP4(10, 0, 0, 77), true},  {FAR, false}, /* behind the gateway */
		{IP4(10, 5, 0, 9), false},                /* on another link */
		{SUBNET_BROADCAST, false},                /* nobody */
		{IP4(10, 0, 0, 50), false},               /* not to be reached */
	};

	assert_int_equal(add_address(&eth1.dev, IP4(10, 5, 0, 1), 24, 0), 0);
	net_lock(&f.net);
	assert_int_equal(route_add(&f.net, &unreachable), 0);
	net_unlock(&f.net);
	for (uint32_t i = 0; i < ARRAY_SIZE(cases); i++) {
		arp_arrives(ARP_REQUEST, cases[i].sender, OURS);
		assert_int_equal(f.sent_count, i + 1);
		assert_int_equal(is_known(cases[i].sender), cases[i].learned);
	}
}

/* The request about a neighbour that has become unreachable has no source to give: a probe. */
static void test_source_of_a_request(void **state __unused)
{
	const struct route unreachable = {
		.destination = IP4(10, 0, 0, 77), .prefix_length = 32, .type = ROUTE_UNREACHABLE};
	const struct fixture_frame *frame;
	struct arp_packet request;
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);

	assert_int_equal(do_send(socket, IP4(10, 0, 0, 77), 9, "x", 1), 1);
	net_lock(&f.net);
	assert_int_equal(route_add(&f.net, &unreachable), 0);
	net_unlock(&f.net);
	fixture_advance(&f, USEC_PER_SEC);
	frame = fixture_sent(&f, 0);
	assert_int_equal(arp_parse(frame->bytes + 14, ARP_PACKET_LENGTH, &request), DROP_NONE);
	assert_int_equal(request.sender, OURS);
	frame = fixture_sent(&f, 1);
	assert_int_equal(arp_parse(frame->bytes + 14, ARP_PACKET_LENGTH, &request), DROP_NONE);
	assert_int_equal(request.sender, IP4_ANY);
	socket_close(socket);
}

/* The log tells of a conflict once a second. */
static void test_conflicts_do_not_fill_the_log(void **state __unused)
{
	uint64_t lines = host_log_lines();

	for (uint32_t i = 0; i < 10; i++)
		arp_arrives(ARP_REPLY, OURS, PEER);
	assert_int_equal(host_log_lines(), lines + 1);
	assert_non_null(strstr(host_log_last(), "10.0.0.1 is also used by"));
	fixture_advance(&f, USEC_PER_SEC);
	arp_arrives(ARP_REPLY, OURS, PEER);
	assert_int_equal(host_log_lines(), lines + 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_links_of_two_addresses_and_of_one),
		TEST(test_an_address_for_everything),
		TEST(test_a_broadcast_address_of_ones_own),
		TEST(test_addresses_of_several_subnets),
		TEST(test_a_subnet_within_another),
		TEST(test_address_of_a_device_that_is_down),
		TEST(test_cable_and_mac_are_announced),
		TEST(test_interface_for_which_there_was_no_memory),
		TEST(test_ifconfig_of_lo),
		TEST(test_ifconfig_without_an_address),
		TEST(test_the_broadcast_address_follows_the_mask),
		TEST(test_peer),
		TEST(test_calls_that_are_not_there),
		TEST(test_arp_calls_that_are_refused),
		TEST(test_who_may_be_a_neighbour),
		TEST(test_source_of_a_request),
		TEST(test_conflicts_do_not_fill_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
