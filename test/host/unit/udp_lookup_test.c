/*
 * UDP: which socket gets a datagram where several might, and what may be bound beside what:
 * interfaces, shared ports, connections, equal hashes.
 */
#include "test/host/unit/udp_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "include/uapi/icmp.h"
#include "kernel/byteorder.h"
#include "net/ipv4/udp.h"

static struct host_device eth1;

static int set_up(void **state)
{
	const struct host_device_options options = {0};

	udp_set_up(state);
	assert_int_equal(host_device_add(&eth1, &udp_stack.stack, &options), 0);
	return 0;
}

static struct socket *make_sharer(int option, const char *device)
{
	struct socket *socket = make_socket(&udp_stack, SOCK_DGRAM, 0);

	assert_int_equal(set_option(socket, SOL_SOCKET, option, 1), 0);
	if (device)
		assert_int_equal(socket_setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, device,
						   (uint32_t)strlen(device) + 1),
				 0);
	return socket;
}

static struct socket *bound_sharer(int option, const char *device)
{
	struct socket *socket = make_sharer(option, device);

	assert_int_equal(do_bind(socket, 0, 5000), 0);
	return socket;
}

static void test_broadcast_reaches_those_connected_to_its_sender(void **state __unused)
{
	struct socket *right = bound_sharer(SO_REUSEADDR, NULL);
	struct socket *other_port = bound_sharer(SO_REUSEADDR, NULL);
	struct socket *other_host = bound_sharer(SO_REUSEADDR, NULL);
	struct socket *sockets[] = {right, other_port, other_host};

	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		assert_int_equal(set_option(sockets[i], SOL_SOCKET, SO_BROADCAST, 1), 0);
	assert_int_equal(do_connect(right, PEER, 77), 0);
	assert_int_equal(do_connect(other_port, PEER, 78), 0);
	assert_int_equal(do_connect(other_host, GATEWAY, 77), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) /* connecting gave each our address */
		udp_socket(sockets[i])->inet.local.addr = (struct net_addr){0};
	udp_arrives_for(PEER, SUBNET_BROADCAST, 77, 5000);
	assert_int_equal(udp_take_all(right), 1);
	assert_int_equal(udp_take_all(other_port), 0);
	assert_int_equal(udp_take_all(other_host), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		socket_close(sockets[i]);
}

static void test_broadcast_stays_on_its_interface(void **state __unused)
{
	struct socket *here = bound_sharer(SO_REUSEADDR, "eth0");
	struct socket *there = bound_sharer(SO_REUSEADDR, "eth1");

	udp_arrives_for(PEER, SUBNET_BROADCAST, 77, 5000);
	assert_int_equal(udp_take_all(here), 1);
	assert_int_equal(udp_take_all(there), 0);
	socket_close(here);
	udp_arrives_for(PEER, SUBNET_BROADCAST, 77, 5000);
	assert_int_equal(fixture_drops(&udp_stack, DROP_UDP_NO_SOCKET), 1);
	socket_close(there);
}

/* Whichever came first. */
static void test_the_interface_s_own_socket_is_preferred(void **state __unused)
{
	struct socket *any = bound_sharer(SO_REUSEADDR, NULL);
	struct socket *own = bound_sharer(SO_REUSEADDR, "eth0");

	udp_arrives_for(PEER, OURS, 77, 5000);
	assert_int_equal(udp_take_all(own), 1);
	socket_close(any);
	any = bound_sharer(SO_REUSEADDR, NULL);
	udp_arrives_for(PEER, OURS, 77, 5000);
	assert_int_equal(udp_take_all(own), 1);
	assert_int_equal(udp_take_all(any), 0);
	socket_close(own);
	udp_arrives_for(PEER, OURS, 77, 5000);
	assert_int_equal(udp_take_all(any), 1);
	socket_close(any);
}

/* SO_REUSEADDR alone: the newest of equals takes all (socket(7)). */
static void test_the_newest_of_equals(void **state __unused)
{
	struct socket *older = bound_sharer(SO_REUSEADDR, NULL);
	struct socket *newer = bound_sharer(SO_REUSEADDR, NULL);

	for (uint16_t port = 1; port <= 20; port++)
		udp_arrives_for(PEER, OURS, port, 5000);
	assert_int_equal(udp_take_all(older), 0);
	assert_int_equal(udp_take_all(newer), 20);
	/* One that shares by flow beside one that does not: the newest, too. */
	assert_int_equal(set_option(newer, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	for (uint16_t port = 1; port <= 20; port++)
		udp_arrives_for(PEER, OURS, port, 5000);
	assert_int_equal(udp_take_all(newer), 20);
	assert_int_equal(set_option(newer, SOL_SOCKET, SO_REUSEPORT, 0), 0);
	assert_int_equal(set_option(older, SOL_SOCKET, SO_REUSEPORT, 1), 0);
	for (uint16_t port = 1; port <= 20; port++)
		udp_arrives_for(PEER, OURS, port, 5000);
	assert_int_equal(udp_take_all(newer), 20);
	socket_close(older);
	socket_close(newer);
}

static void test_what_may_be_bound_beside_what(void **state __unused)
{
	struct socket *first = make_sharer(SO_REUSEPORT, "eth0");
	struct socket *second = make_sharer(SO_REUSEADDR, "eth0");
	struct socket *third = make_sharer(SO_REUSEPORT, NULL);

	assert_int_equal(do_bind(first, 0, 5000), 0);
	assert_int_equal(do_bind(second, 0, 5000), -EADDRINUSE); /* not the same permission */
	third->uid = 1000;                                       /* another's: no port is stolen */
	assert_int_equal(do_bind(third, 0, 5000), -EADDRINUSE);
	third->uid = first->uid;
	second->bound_ifindex = eth1.dev.ifindex;
	assert_int_equal(do_bind(second, 0, 5000), 0);          /* another interface */
	assert_int_equal(do_bind(third, 0, 5000), -EADDRINUSE); /* of the second one */
	socket_close(second);
	assert_int_equal(do_bind(third, 0, 5000), 0);
	socket_close(first);
	socket_close(third);
}

/* An ICMP error does not say on which interface the datagram left. */
static void test_errors_reach_a_socket_bound_to_an_interface(void **state __unused)
{
	struct socket *socket = bound_sharer(SO_REUSEADDR, "eth0");

	assert_int_equal(do_connect(socket, PEER, 77), 0);
	udp_error_arrives(ICMP_PORT_UNREACH, 5000, 77);
	assert_int_equal(do_receive(socket, udp_bytes, 1, NULL), -ECONNREFUSED);
	socket_close(socket);
}

/* ---- Equal hashes ---- */

#define TRIED 400000 /* addresses: so many that some have the same 32 bits of hash */

static ip4_t address_at(uint32_t i)
{
	return IP4(20, 0, 0, 0) + i;
}

struct hashed {
	uint32_t hash, i;
};

static int compare(const void *a, const void *b)
{
	uint32_t x = ((const struct hashed *)a)->hash, y = ((const struct hashed *)b)->hash;

	return x < y ? -1 : x > y;
}

/* Two peers whose connections to OURS:5000 from port 77 have the same hash. */
static void find_twins(ip4_t *one, ip4_t *other)
{
	struct hashed *all = test_malloc(TRIED * sizeof(*all));
	uint32_t secret = udp_state(&udp_stack.net)->table.secret;

	for (uint32_t i = 0; i < TRIED; i++)
		all[i] = (struct hashed){hash_words(OURS, address_at(i), 5000u << 16 | 77u, secret),
					 i};
	qsort(all, TRIED, sizeof(*all), compare);
	*one = *other = 0;
	for (uint32_t i = 1; i < TRIED && !*one; i++) {
		if (all[i].hash != all[i - 1].hash)
			continue;
		*one = address_at(all[i - 1].i);
		*other = address_at(all[i].i);
	}
	test_free(all);
	assert_int_not_equal(*one, *other);
}

static void test_equal_hashes_are_no_equal_ends(void **state __unused)
{
	struct socket *sockets[] = {bound_sharer(SO_REUSEADDR, NULL),
				    bound_sharer(SO_REUSEADDR, NULL)};
	ip4_t peers[2];

	find_twins(&peers[0], &peers[1]);
	assert_int_equal(do_connect(sockets[0], peers[0], 77), 0);
	udp_arrives_for(peers[1], OURS, 77, 5000); /* goes to the one that is not connected */
	assert_int_equal(udp_take_all(sockets[0]), 0);
	assert_int_equal(udp_take_all(sockets[1]), 1);
	assert_int_equal(do_connect(sockets[1], peers[1], 77), 0);
	for (size_t i = 0; i < 2; i++) {
		udp_arrives_for(peers[i], OURS, 77, 5000);
		assert_int_equal(udp_take_all(sockets[i]), 1);
		assert_int_equal(udp_take_all(sockets[1 - i]), 0);
	}
	for (size_t i = 0; i < 2; i++)
		socket_close(sockets[i]);
}

#define LOOKUP_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, udp_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOOKUP_TEST(test_broadcast_reaches_those_connected_to_its_sender),
		LOOKUP_TEST(test_broadcast_stays_on_its_interface),
		LOOKUP_TEST(test_the_interface_s_own_socket_is_preferred),
		LOOKUP_TEST(test_the_newest_of_equals),
		LOOKUP_TEST(test_what_may_be_bound_beside_what),
		LOOKUP_TEST(test_errors_reach_a_socket_bound_to_an_interface),
		LOOKUP_TEST(test_equal_hashes_are_no_equal_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
