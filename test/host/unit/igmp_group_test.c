/*
 * Groups: who is a member where, through sockets and without; interfaces that are down, that go, or
 * that tell nobody; equal hashes; /proc/net/igmp.
 */
#include "test/host/unit/ip4_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/byteorder.h"
#include "net/ipv4/igmp.h"

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

static void join(ip4_t group)
{
	net_lock(&f.net);
	assert_int_equal(igmp_join(&f.dev, group), 0);
	net_unlock(&f.net);
}

static void leave(ip4_t group)
{
	net_lock(&f.net);
	igmp_leave(&f.dev, group);
	net_unlock(&f.net);
}

static bool is_member(ip4_t group)
{
	net_lock(&f.net);
	bool member = igmp_is_member(&f.dev, group);

	net_unlock(&f.net);
	return member;
}

static void test_memberships_of_a_socket(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);
	struct ip_mreqn request = {.imr_multiaddr.s_addr = cpu_to_be32(GROUP),
				   .imr_address.s_addr = cpu_to_be32(OURS)};

	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &request, 8), 0);
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &request, 8),
			 -EADDRINUSE);
	assert_true(is_member(GROUP));
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &request, 4),
			 -EINVAL);
	request.imr_multiaddr.s_addr = cpu_to_be32(PEER);
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &request, 12),
			 -EINVAL);
	request.imr_multiaddr.s_addr = cpu_to_be32(GROUP + 1);
	request.imr_ifindex = 99;
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &request, 12),
			 -ENODEV);
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_DROP_MEMBERSHIP, &request, 12),
			 -EADDRNOTAVAIL);
	request = (struct ip_mreqn){0};
	for (uint32_t i = 1; i < 20; i++) {
		request.imr_multiaddr.s_addr = cpu_to_be32(GROUP + i);
		assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &request, 12),
				 0);
	}
	request.imr_multiaddr.s_addr = cpu_to_be32(GROUP + 20);
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &request, 12),
			 -ENOBUFS);
	request.imr_multiaddr.s_addr = cpu_to_be32(GROUP + 1);
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_DROP_MEMBERSHIP, &request, 12), 0);
	assert_false(is_member(GROUP + 1));
	assert_true(is_member(GROUP + 2));
	socket_close(socket); /* leaves all the others */
	assert_false(is_member(GROUP + 2));
	assert_false(is_member(GROUP));
}

static int change_source(struct socket *socket, int option, ip4_t source)
{
	const struct ip_mreq_source request = {.imr_multiaddr.s_addr = cpu_to_be32(GROUP),
					       .imr_interface.s_addr = cpu_to_be32(OURS),
					       .imr_sourceaddr.s_addr = cpu_to_be32(source)};

	return socket_setsockopt(socket, SOL_IP, option, &request, sizeof(request));
}

static bool hears(struct socket *socket, ip4_t source)
{
	return inet_group_allows(inet_socket(socket), GROUP, source, f.dev.ifindex);
}

/* RFC 3376 3: only some senders, or all but some. */
static void test_senders_of_a_group(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);
	const struct ip_mreq group = {.imr_multiaddr.s_addr = cpu_to_be32(GROUP),
				      .imr_interface.s_addr = cpu_to_be32(OURS)};

	assert_true(hears(socket, PEER)); /* IP_MULTICAST_ALL */
	assert_int_equal(change_source(socket, IP_DROP_SOURCE_MEMBERSHIP, PEER), -EINVAL);
	assert_int_equal(change_source(socket, IP_BLOCK_SOURCE, PEER), -EINVAL);
	assert_int_equal(change_source(socket, IP_ADD_SOURCE_MEMBERSHIP, PEER), 0);
	assert_true(is_member(GROUP));
	assert_true(hears(socket, PEER) && !hears(socket, FAR));
	assert_int_equal(change_source(socket, IP_ADD_SOURCE_MEMBERSHIP, PEER), -EADDRNOTAVAIL);
	assert_int_equal(change_source(socket, IP_DROP_SOURCE_MEMBERSHIP, FAR), -EADDRNOTAVAIL);
	assert_int_equal(change_source(socket, IP_BLOCK_SOURCE, FAR), -EINVAL);
	for (uint32_t i = 1; i < 10; i++)
		assert_int_equal(change_source(socket, IP_ADD_SOURCE_MEMBERSHIP, FAR + i), 0);
	assert_int_equal(change_source(socket, IP_ADD_SOURCE_MEMBERSHIP, FAR), -ENOBUFS);
	for (uint32_t i = 1; i < 10; i++)
		assert_int_equal(change_source(socket, IP_DROP_SOURCE_MEMBERSHIP, FAR + i), 0);
	assert_int_equal(change_source(socket, IP_DROP_SOURCE_MEMBERSHIP, PEER), 0);
	assert_false(is_member(GROUP));

	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &group, 8), 0);
	assert_int_equal(change_source(socket, IP_BLOCK_SOURCE, PEER), 0);
	assert_true(!hears(socket, PEER) && hears(socket, FAR));
	assert_int_equal(change_source(socket, IP_ADD_SOURCE_MEMBERSHIP, FAR), -EINVAL);
	assert_int_equal(change_source(socket, IP_UNBLOCK_SOURCE, PEER), 0);
	assert_true(hears(socket, PEER) && is_member(GROUP));
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_BLOCK_SOURCE, &group, 8), -EINVAL);
	socket_close(socket);
	assert_false(is_member(GROUP));
}

/* By the route to the group, where there is one; and leaving what was never joined. */
static void test_memberships_without_an_interface(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);
	struct ip_mreqn request = {.imr_multiaddr.s_addr = cpu_to_be32(GROUP)};
	const struct route route = {0};

	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_DROP_MEMBERSHIP, &request, 12),
			 -EADDRNOTAVAIL);
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &request, 12), 0);
	net_lock(&f.net);
	assert_int_equal(route_delete(&f.net, &route), 0);
	net_unlock(&f.net);
	request.imr_multiaddr.s_addr = cpu_to_be32(GROUP + 1);
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &request, 12),
			 -ENODEV);
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_DROP_MEMBERSHIP, &request, 12),
			 -ENODEV);
	request.imr_address.s_addr = cpu_to_be32(FAR); /* no address of ours */
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_DROP_MEMBERSHIP, &request, 12),
			 -EADDRNOTAVAIL);
	request.imr_multiaddr.s_addr = cpu_to_be32(PEER); /* no group */
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_DROP_MEMBERSHIP, &request, 12),
			 -EINVAL);
	socket_close(socket);
	assert_false(is_member(GROUP));
}

/* The same group on two interfaces is two memberships; one interface goes before its socket. */
static void test_memberships_of_an_interface_that_goes(void **state __unused)
{
	static struct host_device eth1;
	const struct host_device_options options = {0};
	struct socket *socket = make_socket(&f, SOCK_DGRAM, 0);
	struct ip_mreqn request = {.imr_multiaddr.s_addr = cpu_to_be32(GROUP)};

	assert_int_equal(host_device_add(&eth1, &f.stack, &options), 0);
	request.imr_ifindex = f.dev.ifindex;
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &request, 12), 0);
	request.imr_ifindex = eth1.dev.ifindex;
	assert_int_equal(socket_setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &request, 12), 0);
	host_device_remove(&eth1);
	assert_true(is_member(GROUP));
	socket_close(socket);
	assert_false(is_member(GROUP));
}

/* lo and what is down have members, but tell nobody. */
static void test_groups_where_nobody_is_told(void **state __unused)
{
	net_lock(&f.net);
	assert_int_equal(igmp_join(f.net.loopback, GROUP), 0);
	assert_true(igmp_is_member(f.net.loopback, GROUP));
	igmp_leave(f.net.loopback, GROUP);
	igmp_leave(f.net.loopback, GROUP); /* once too often */
	netdev_down(&f.dev);
	assert_int_equal(igmp_join(&f.dev, GROUP), 0);
	assert_int_equal(igmp_join(&f.dev, GROUP + 1), 0);
	igmp_leave(&f.dev, GROUP + 1);
	igmp_leave(&f.dev, GROUP + 2); /* nobody's */
	assert_int_equal(f.sent_count, 0);
	assert_int_equal(netdev_up(&f.dev), 0);
	net_unlock(&f.net);
	fixture_clear_sent(&f);
	fixture_advance(&f, 5 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 2); /* told twice, now */
	assert_true(is_member(GROUP));
}

/* ---- Equal hashes ---- */

#define TRIED 400000 /* groups: so many that some have the same 32 bits of hash */

struct hashed {
	uint32_t hash;
	ip4_t group;
};

static int compare(const void *a, const void *b)
{
	uint32_t x = ((const struct hashed *)a)->hash, y = ((const struct hashed *)b)->hash;

	return x < y ? -1 : x > y;
}

static void test_equal_hashes_are_no_equal_groups(void **state __unused)
{
	struct hashed *all = test_malloc(TRIED * sizeof(*all));
	uint32_t i = 1;

	for (uint32_t n = 0; n < TRIED; n++)
		all[n] = (struct hashed){hash_words(GROUP + n, 0, 0, 0), GROUP + n};
	qsort(all, TRIED, sizeof(*all), compare);
	while (i < TRIED && all[i].hash != all[i - 1].hash)
		i++;
	assert_true(i < TRIED);
	join(all[i].group);
	assert_false(is_member(all[i - 1].group));
	join(all[i - 1].group);
	leave(all[i].group);
	assert_true(is_member(all[i - 1].group));
	assert_false(is_member(all[i].group));
	test_free(all);
}

static void test_proc_igmp(void **state __unused)
{
	char text[2048];

	assert_int_equal(ipv4_proc_init(&f.net), 0);
	join(GROUP);
	assert_true(host_proc_read("net/igmp", text, sizeof(text)) > 0);
	assert_non_null(
		strstr(text, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"));
	assert_non_null(strstr(text, "2\teth0      :     2      V3\n"));
	assert_non_null(strstr(text, "\t\t\t\t030201EF     1 "));
	assert_non_null(strstr(text, "\t\t\t\t010000E0     1 0:00000000\t\t0\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_memberships_of_a_socket),
		TEST(test_senders_of_a_group),
		TEST(test_memberships_without_an_interface),
		TEST(test_memberships_of_an_interface_that_goes),
		TEST(test_groups_where_nobody_is_told),
		TEST(test_equal_hashes_are_no_equal_groups),
		TEST(test_proc_igmp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
